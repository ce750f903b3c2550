"""The composition root: settings in, a working bot out. Everything that joins the rooms is here."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

import handlers
from bot.channels.channel import Channel
from bot.channels.group_webhook import GroupWebhook
from bot.channels.official_account import OfficialAccount
from bot.channels.wecom_aibot import WecomAibot
from bot.channels.wecom_app import WecomApp
from bot.channels.wecom_kf import WecomKf
from bot.clock import Clock
from bot.delivery import Delivery
from bot.ground import Ground, lay_ground
from bot.handling import bind
from bot.jobs import Jobs
from bot.pulling import Pulling
from bot.storage.store import Store
from bot.transaction import Transaction
from bot.turn import NamedHandler, Turns
from bot.workers import Queue
from config.channels import (
    ChannelConfig,
    GroupWebhookConfig,
    OfficialAccountConfig,
    WecomAibotConfig,
    WecomKfConfig,
    load_channels,
)
from config.errors import ConfigError
from config.settings import Settings
from config.texts import Texts
from escalation.notices import Notices
from faq import gaps
from faq.knowledge import Addition
from faq.snapshots import Snapshots, files_state
from handlers.hand_over import HandOver
from handlers.reading import Readings
from handlers.speaker import Speakers
from shop.directory import Directory
from shop.policy import Policy
from shop.residents import sync_directory
from understanding.loading import load_reader
from understanding.reader import Reader


@dataclass(frozen=True)
class Rooms:
    """The contents of the configuration, read at the start; the reader is replaced when the knowledge changes."""

    texts: Texts
    directory: Directory
    policy: Policy
    reader: Reader


@dataclass(frozen=True)
class Bot:
    """A composed bot; the web and worker processes each use their part of it."""

    ground: Ground
    channels: Mapping[str, Channel]
    turns: Turns
    delivery: Delivery
    jobs: Jobs
    pulling: Pulling
    rooms: Rooms
    snapshots: Snapshots[Reader]

    @property
    def work(self) -> Mapping[str, Callable[[Any], None]]:
        """What workers do, by the names that travel in the queue."""
        return {
            "deliver": self.delivery.deliver,
            "run_job": self.jobs.run,
            "think": self.turns.think,
            "pull": self.pulling.pull,
        }

    @property
    def store(self) -> Store:
        return self.ground.store

    @property
    def clock(self) -> Clock:
        return self.ground.clock

    def close(self) -> None:
        """Lets go of the database and Redis."""
        self.snapshots.close()
        self.ground.close()


def compose(settings: Settings, clock: Clock | None = None, rooms: Rooms | None = None) -> Bot:
    """Builds the bot, with ``rooms`` read before or read now. Raises ConfigError when a file or setting is wrong."""
    configs = load_channels(_own_file(settings, "channels.yaml"), settings.environ)
    ground = lay_ground(settings, clock)
    try:
        seen = _knowledge_state(settings, ground.store)
        rooms = rooms or load_rooms(settings, _approved(ground.store))
        with ground.store.write() as connection:
            sync_directory(connection, rooms.directory, ground.clock.now())
        bot = _assemble(ground, configs, rooms, _snapshots(settings, ground.store, rooms, seen))
        bot.pulling.prepare()
        return bot
    except BaseException:
        ground.close()
        raise


def load_rooms(settings: Settings, approved: Iterable[Addition] = ()) -> Rooms:
    """Reads texts, people, policy, and knowledge with what was approved to be added. Raises ConfigError."""
    policy = Policy.load(settings.file("policy.yaml"), settings.environ)
    return Rooms(
        texts=Texts.load(settings.files("texts")),
        directory=Directory.load(_own_file(settings, "people.yaml"), settings.environ),
        policy=policy,
        reader=load_reader(settings, approved, policy.figures),
    )


def _snapshots(settings: Settings, store: Store, rooms: Rooms, seen: Hashable) -> Snapshots[Reader]:
    return Snapshots(
        rooms.reader,
        seen,
        build=lambda: load_reader(settings, _approved(store), rooms.policy.figures),
        look=lambda: _knowledge_state(settings, store),
    )


def _approved(store: Store) -> tuple[Addition, ...]:
    with store.read() as connection:
        return gaps.additions(connection)


def _knowledge_state(settings: Settings, store: Store) -> Hashable:
    """Changes with everything that a reader is made of."""
    words = [settings.file(f"words/{file.name}") for file in sorted((settings.shipped_dir / "words").glob("*.yaml"))]
    with store.read() as connection:
        approved = gaps.additions_state(connection)
    return files_state([*settings.files("faq"), *words, settings.file("understanding.yaml")]), approved


def _own_file(settings: Settings, name: str) -> Path:
    path = settings.config_dir / name
    if not path.exists():
        example = f"{Path(name).stem}.example.yaml"
        raise ConfigError(
            f"there is no {name} in {settings.config_dir}",
            f"copy config/{example} to {name} and fill it in; ./qunda up shows the playground without it",
        )
    return path


def _assemble(ground: Ground, configs: tuple[ChannelConfig, ...], rooms: Rooms, snapshots: Snapshots[Reader]) -> Bot:
    settings, clock, store, queue = ground.settings, ground.clock, ground.store, ground.queue
    channels = {config.name: open_channel(config, ground.redis, clock) for config in configs}
    capabilities = {name: channel.capabilities for name, channel in channels.items()}
    needs = _needs(settings, clock, store, rooms, snapshots)
    media_dir = settings.data_dir / "media"
    delivery = Delivery(
        store=store,
        clock=clock,
        channels=channels,
        media_dir=media_dir,
        on_undelivered=bind(handlers.ON_UNDELIVERED, needs),
        on_sent=bind(handlers.ON_SENT, needs),
        wake=lambda tx: _wake(queue, tx),
    )
    needs["delivery"] = delivery
    turns = Turns(
        store=store,
        clock=clock,
        capabilities=capabilities,
        handlers=[NamedHandler(name, bind(function, needs)) for name, function in handlers.HANDLERS],
        afterthoughts=[bind(function, needs) for function in handlers.AFTERTHOUGHTS],
        on_failure=bind(handlers.ON_FAILURE, needs),
        flood=rooms.texts.say("general.too_fast"),
        workers=queue,
    )
    jobs = Jobs(store=store, clock=clock, channels=channels, media_dir=media_dir, turns=turns)
    pulling = Pulling(store=store, clock=clock, channels=channels, wake=queue.wake_thinkers, wake_pull=queue.wake_pull)
    return Bot(ground, channels, turns, delivery, jobs, pulling, rooms, snapshots)


def _wake(queue: Queue, tx: Transaction) -> None:
    queue.wake(sorted(tx.woken), tx.new_jobs)
    queue.wake_thinkers(sorted(tx.to_think))


def open_channel(config: ChannelConfig, connection: redis.Redis, clock: Clock) -> Channel:
    """The channel that is configured so; connects to nothing before it is used."""
    if isinstance(config, OfficialAccountConfig):
        return OfficialAccount(config, connection, clock)
    if isinstance(config, WecomKfConfig):
        return WecomKf(config, connection, clock)
    if isinstance(config, WecomAibotConfig):
        return WecomAibot(config, connection, clock)
    if isinstance(config, GroupWebhookConfig):
        return GroupWebhook(config, connection, clock)
    return WecomApp(config, connection, clock)


def _needs(
    settings: Settings, clock: Clock, store: Store, rooms: Rooms, snapshots: Snapshots[Reader]
) -> dict[str, Any]:
    """What handlers may ask for, by name."""
    speakers = Speakers(store, rooms.directory, rooms.texts)
    notices = Notices(rooms.directory, rooms.texts, settings.timezone)
    return {
        "settings": settings,
        "clock": clock,
        "store": store,
        "texts": rooms.texts,
        "directory": rooms.directory,
        "policy": rooms.policy,
        "speakers": speakers,
        "readings": Readings(lambda: snapshots.current, speakers),
        "notices": notices,
        "handing_over": HandOver(speakers, notices, rooms.texts, rooms.policy),
    }
