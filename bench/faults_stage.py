"""The whole bot as its own processes, for people to write to while the platforms misbehave."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path

from bot.storage.store import Store
from config.settings import Settings
from config.texts import Texts
from playground import demo_data
from playground.stage import Stage
from shop.directory import Directory
from tests.faults.misbehaviour import Misbehaviour, let_one_leader_serve
from understanding.loading import load_reader
from understanding.reader import Reader

# Whoever writes more than twenty messages within ten seconds is asked to slow down.
IN_ONE_GO, BURST_SECONDS = 13, 11.5
PATIENCE = 150.0  # seconds until everything has come to rest
LOOK_EVERY = 0.2
# An answer that is not there after 3.5 seconds is asked for; after 5 the platform would send the message again.
STALLS, BETWEEN_STALLS = 4.2, 0.8


@contextmanager
def prepared(log_level: str) -> Iterator[tuple[Stage, Reader, Texts]]:
    """A bot that is not started yet, with what it understands and what it says."""
    with tempfile.TemporaryDirectory(prefix="qunda-bench-") as folder:
        data_dir, config = Path(folder), Path(folder) / "config"
        demo = demo_data.prepare(data_dir, "http://127.0.0.1:1", with_kf=True, with_groups=True)
        shutil.copytree(demo["QUNDA_CONFIG_DIR"], config)
        let_one_leader_serve(config / "people.yaml")
        settings = Settings.load({"QUNDA_DATA_DIR": folder}, make_secret=True)
        environment = {"QUNDA_CONFIG_DIR": str(config), "QUNDA_LOG_LEVEL": log_level}
        stage = Stage(data_dir, environment, with_kf=True, with_groups=True)
        yield stage, load_reader(settings), Texts.load(settings.files("texts"))


@contextmanager
def opened() -> Iterator[tuple[OnStage, Reader, Texts]]:
    """A running bot that logs all it can, with what it understands and what it says."""
    with prepared("DEBUG") as (stage, reader, texts), stage, closing(store_of(stage)) as store:
        yield OnStage(stage, store), reader, texts


def store_of(stage: Stage) -> Store:
    """The bot's own database."""
    return Store(f"sqlite:///{stage.data_dir / 'qunda.db'}")


def wait(stage: Stage, happened: Callable[[], bool], patience: float) -> bool:
    """Looks whenever something has changed on the platforms; False when ``patience``, in seconds, is over."""
    world, deadline = stage.wechat.world, time.monotonic() + patience
    while not (came := happened()) and time.monotonic() < deadline:
        with world.changed:
            world.changed.wait(LOOK_EVERY)
    return came


class OnStage:
    """The ground that misbehaviours are played on."""

    def __init__(self, stage: Stage, store: Store) -> None:
        self._stage = stage
        self.wechat = stage.wechat
        self.store = store
        self.directory = Directory.load(stage.data_dir / "config" / "people.yaml", {})
        self.room_key = stage.wechat.staff_room.url.rpartition("=")[2]

    def writing(self) -> AbstractContextManager[object]:
        return nullcontext()  # the workers are processes of their own

    @contextmanager
    def slowly(self) -> Iterator[None]:
        """The database stalls, again and again; what came meanwhile is answered when the platform asks."""
        over, begun = threading.Event(), threading.Event()

        def stall() -> None:
            while not over.is_set():
                with self.store.write():
                    begun.set()
                    over.wait(STALLS)
                over.wait(BETWEEN_STALLS)

        stalling = threading.Thread(target=stall)
        stalling.start()
        begun.wait()
        yield
        over.set()
        stalling.join()

    def pause(self) -> Callable[[int], None]:
        """Everybody writes in two goes, so that nobody is taken for a flood."""
        began = time.monotonic()

        def pause(place: int) -> None:
            if place == IN_ONE_GO:
                time.sleep(max(0.0, began + BURST_SECONDS - time.monotonic()))

        return pause

    def come_to_rest(self, is_over: Callable[[], bool], misbehaviour: Misbehaviour) -> None:
        for platform in self.wechat.platforms:
            platform.deliver_held()
        wait(self._stage, is_over, PATIENCE)

    def logs(self) -> str:
        return (self._stage.data_dir / "stage.log").read_text(encoding="utf-8", errors="replace")
