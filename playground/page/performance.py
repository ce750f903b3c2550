"""Playing a scenario slowly enough to be watched."""

from __future__ import annotations

import threading
from typing import Any

from playground.page.guard import Unfit
from playground.play import WentOtherwise, play
from playground.scenario import Script, Step, all_scripts
from playground.wechat import WeChat

PAUSE = 1.8  # seconds before somebody writes
PATIENCE = 30.0  # seconds for one thing to be read; whoever watches should not wait longer for nothing
WATCHING = ("read", "bot_says", "bot_is_silent", "never_read", "hear_nothing")


class _Stopped(Exception):
    """Somebody has pressed stop."""


class Performance:
    """At most one scenario at a time, in a thread of its own. ``status`` tells the page how it stands."""

    def __init__(self, wechat: WeChat) -> None:
        self._wechat = wechat
        self._scripts = {script.name: script for script in all_scripts()}
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._door = wechat.oa.name
        self.status: dict[str, Any] | None = None

    def programme(self) -> list[dict[str, str]]:
        """The scenarios by name, with the words to choose them by."""
        return [{"name": script.name, "label": script.label} for script in self._scripts.values()]

    def start(self, name: str, pause: float = PAUSE, *, door: str = "oa") -> None:
        """Begins to play, with the residents at the platform ``door``, or where else the script can be played.

        Raises ``Unfit`` for an unknown one, or while another one is being played.
        """
        script = self._scripts.get(name)
        if script is None:
            raise Unfit("没有这个剧本，请从列表里选一个。")
        with self._wechat.world.changed:
            if self._thread is not None and self._thread.is_alive():
                raise Unfit("正在演另一个剧本，先按“停”。")
            self._stop.clear()
            self._door = door if door in script.doors else script.doors[0]
            self._say(script, state="playing", step=0)
            self._thread = threading.Thread(target=self._run, args=(script, pause), daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Ends the play, also while a line is waited for, and waits until it has ended."""
        self._stop.set()
        self._wechat.world.touch()
        if self._thread is not None:
            self._thread.join()

    def forget(self) -> None:
        self.status = None

    def _run(self, script: Script, pause: float) -> None:
        number = 0

        def before(step: Step) -> None:
            nonlocal number
            self._stop.wait(0 if step.action in WATCHING else pause)
            go_on()
            number += 1
            self._say(script, state="playing", step=number)

        def go_on() -> None:
            if self._stop.is_set():
                raise _Stopped

        try:
            play(script, self._wechat, on_step=before, on_change=go_on, patience=PATIENCE, door=self._door)
        except _Stopped:
            self._say(script, state="stopped", step=number)
        except WentOtherwise:
            expected = script.steps[min(number, len(script.steps)) - 1]
            self._say(script, state="otherwise", step=number, expected=f"第 {expected.number} 行：{expected.words}")
        else:
            self._say(script, state="ended", step=number)

    def _say(self, script: Script, **status: Any) -> None:
        cast = [self._wechat.phone_name(self._door, name) for name in script.names]
        about = {"name": script.name, "label": script.label, "cast": cast, "steps": len(script.steps)}
        self.status = {**about, **status}
        self._wechat.world.touch()
