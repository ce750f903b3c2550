"""Acts a conversation out: the language of ``playground.scenario``, step by step, on the people's phones."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta

from playground import samples
from playground.customers import Customer
from playground.groups import ADDRESS, Group
from playground.phones import NotSeen, Person, Screen
from playground.platform.callbacks import Delivery
from playground.platform.kf_servicers import Servicer
from playground.scenario import Script, Step
from playground.wechat import WeChat
from playground.world import Bubble

# Seconds for one thing to be read. Above a minute: so long staff wait once they were told thirty things within one.
PATIENCE = 75.0
# The customer service tells times in whole seconds, so what was sent within two of them may all count for the window
# that a message opens. People are slower than that: nobody reads more than so many answers meanwhile.
BREATH, ANSWERS_IN_A_BREATH = timedelta(seconds=2), 3
TO_RESIDENTS = "message/custom/"
# The official account's error codes and those that say the same at the customer service.
AT_KF = {"45015": 95018, "45047": 95001}

OnLine = Callable[[Screen, Bubble], None]
OnStep = Callable[[Step], None]
OnChange = Callable[[], None]

_NAME = r"\{(\w+)\}"
_NUMBERED = re.compile(r"\s*(\d)\s*[.．、]\s*(.+)")


class WentOtherwise(AssertionError):
    """A conversation did not go as written; the text names file and line, and shows the chat so far."""


def play(
    script: Script,
    wechat: WeChat,
    *,
    on_line: OnLine | None = None,
    on_step: OnStep | None = None,
    on_change: OnChange | None = None,
    patience: float = PATIENCE,
    door: str = "oa",
) -> None:
    """Acts a script out; ``on_line`` is told every bubble of the people in it as it is reached.

    ``door`` is the platform where the residents of the script write: "oa" or "kf".

    ``on_step`` is called before each line and may take its time, ``on_change`` whenever something happens while a line
    is waited for; what either raises ends the play.
    Raises ``WentOtherwise`` at the first line that does not come true within ``patience`` seconds.
    """
    told = on_line or (lambda person, bubble: None), on_step or (lambda step: None), on_change or (lambda: None)
    Play(script, wechat, *told, patience, door).run()


def pattern_of(words: str, known: dict[str, str]) -> re.Pattern[str]:
    """A script's pattern as a regular expression that must fit a whole bubble."""
    parts: list[str] = []
    captured: set[str] = set()
    for piece in re.split(r"(\*|\([^()]*\|[^()]*\)|\{\w+\})", words):
        name = re.fullmatch(_NAME, piece)
        if piece == "*":
            parts.append(".*?")
        elif name is not None:
            parts.append(_number(name.group(1), known, captured))
        elif piece.startswith("(") and "|" in piece:
            parts.append("(?:" + "|".join(re.escape(word) for word in piece[1:-1].split("|")) + ")")
        else:
            parts.append(re.escape(piece))
    return re.compile("".join(parts), re.DOTALL)


def _number(name: str, known: dict[str, str], captured: set[str]) -> str:
    """Digits that stand alone: those known under the name, or the first that fit."""
    if name in known:
        digits = known[name]
    elif name in captured:
        return f"(?P={name})"
    else:
        captured.add(name)
        digits = rf"(?P<{name}>\d+)"
    return rf"(?<!\d){digits}(?!\d)"


def _chosen(person: Person, pattern: re.Pattern[str]) -> Delivery | None:
    """Taps the line that fits in what the bot said last, or writes its number where nothing can be tapped."""
    asked = next((bubble for bubble in reversed(person.chat()) if bubble.speaker == "bot"), None)
    if asked is None:
        return None
    if asked.menu is not None:
        keys = [item.id or item.text for item in asked.menu.items if pattern.fullmatch(item.text)]
        return person.tap_in(asked, keys[0]) if keys else None
    lines = [match for line in asked.text.splitlines() if (match := _NUMBERED.fullmatch(line))]
    numbers = [match.group(1) for match in lines if pattern.fullmatch(match.group(2))]
    return person.send(numbers[0]) if numbers else None


class Play:
    """One performance of a script. Each step calls the method that ``FORMS`` names for it."""

    _now: Step

    def __init__(
        self,
        script: Script,
        wechat: WeChat,
        on_line: OnLine,
        on_step: OnStep,
        on_change: OnChange,
        patience: float,
        door: str,
    ) -> None:
        self._script = script
        self._wechat = wechat
        self._on_line = on_line
        self._on_step = on_step
        self._on_change = on_change
        self._patience = patience
        self._door = door
        self._known: dict[str, str] = {}
        self._cast: dict[str, Screen] = {}
        self._began: dict[str, int] = {}
        self._told: dict[str, int] = {}
        self._quiet: set[str] = set()
        self._unwanted: list[tuple[Step, Screen, re.Pattern[str]]] = []
        self._last: Screen | None = None
        self._last_delivery: Delivery | None = None

    def run(self) -> None:
        for name in self._script.names:
            self._enter(self._wechat.at(self._door, name))
        for step in self._script.steps:
            self._on_step(step)
            self._act(step)
        for step, person, pattern in self._unwanted:
            self._check_never(step, person, pattern)
        if self._quiet:
            names = ", ".join(sorted(self._quiet))
            raise WentOtherwise(f"{self._script.file}: {names} must read something later, or the silence is not proven")
        for person in self._cast.values():
            self._tell(person)

    # --- what people do

    def say(self, name: str, words: str) -> None:
        person = self._actor(name)
        self._delivered(person.send(re.sub(_NAME, self._known_number, words)))

    def send_photos(self, name: str, files: str) -> None:
        person = self._actor(name)
        for file in files.split(","):
            self._delivered(person.send_photo(samples.photo(file.strip())))

    def send_voice(self, name: str, sound: str, recognition: str) -> None:
        self._delivered(self._actor(name).send_voice(samples.voice(sound), recognition))

    def follow(self, name: str) -> None:
        self._delivered(self._actor(name).follow())

    def tap(self, name: str, key: str) -> None:
        self._delivered(self._actor(name).tap(key))

    def choose(self, name: str, words: str) -> None:
        person = self._actor(name)
        delivery = _chosen(person, pattern_of(words, self._known))
        if delivery is None:
            raise NotSeen(f"{name} sees no {words} to choose:\n{person.screen()}")
        self._delivered(delivery)

    def open_link(self, name: str, group: str) -> None:
        person = self._actor(name)
        shown = [address for bubble in self._cast[group].chat() for address in ADDRESS.findall(bubble.text)]
        if not isinstance(person, Customer) or not shown:
            raise NotSeen(f"{name} sees no link into her chat with the customer service in {group}")
        self._delivered(person.enter_by(shown[-1]))

    def ask_in_group(self, name: str, group: str, words: str) -> None:
        delivery = self._in_group(group).say(name, words)
        if delivery is not None:
            self._delivered(delivery)

    def say_in_group(self, name: str, group: str, words: str) -> None:
        self._in_group(group).say(name, words, at=False)

    def answer_in_client(self, name: str, resident: str, words: str) -> None:
        self._delivered(self._serving(name, resident).say(self._cast[resident].account, words))

    def end_in_client(self, name: str, resident: str) -> None:
        self._delivered(self._serving(name, resident).end(self._cast[resident].account))

    def tap_on_card(self, name: str, words: str) -> None:
        person = self._actor(name)
        for bubble in reversed(person.chat()):
            for button in bubble.card.live if bubble.card is not None else ():
                if button.text == words:
                    self._delivered(person.tap_button(bubble, button.key))
                    return
        raise NotSeen(f"{name} sees no card with {words} to tap:\n{person.screen()}")

    def repeat(self, name: str) -> None:
        first, again = self._last_delivery, self._actor(name).repeat()
        self._expect_accepted(again)
        if first is not None and again.reply is not None and first.reply not in (None, again.reply):
            raise NotSeen(f"the repeated callback got another answer: {again.reply.text}")

    # --- what people see

    def read(self, name: str, words: str) -> None:
        self._read(self._cast[name], words)

    def bot_says(self, words: str) -> None:
        self._read(self._last_actor(), words)

    def bot_is_silent(self) -> None:
        self._quiet.add(self._last_actor().name)

    def hear_nothing(self, name: str) -> None:
        self._quiet.add(name)

    def never_read(self, name: str, words: str) -> None:
        # Looked at when all is over, because what must not come could still be on its way.
        self._unwanted.append((self._now, self._cast[name], pattern_of(words, self._known)))

    # --- what the platform does

    def wait_hours(self, hours: str) -> None:
        self._wechat.clock.advance(hours=int(hours))

    def refuse_next(self, errcode: str, path: str) -> None:
        if not path.startswith(TO_RESIDENTS):
            self._wechat.wecom.faults.answer(int(errcode), to=path)
        elif self._door == self._wechat.kf.name:
            self._wechat.kf.faults.answer(AT_KF.get(errcode, int(errcode)), to="kf/send_msg")
        else:
            self._wechat.oa.faults.answer(int(errcode), to=path)

    # --- how it is done

    def _enter(self, person: Screen) -> None:
        person.look()
        self._cast[person.name] = person
        self._began[person.name] = max((bubble.id for bubble in person.chat()), default=0)
        self._told[person.name] = self._began[person.name]

    def _act(self, step: Step) -> None:
        self._now = step
        try:
            getattr(self, step.action)(*step.arguments)
        except (NotSeen, KeyError, ValueError) as error:
            reason = error.args[0] if error.args else error
            raise WentOtherwise(f"{self._script.file}:{step.number}: {step.words}\n{reason}") from error

    def _actor(self, name: str) -> Person:
        person = self._cast[name]
        if not isinstance(person, Person):
            raise NotSeen(f"{name} is no person")
        self._last = person
        self._tell(person)
        if isinstance(person, Customer):
            self._take_breath(person)
        return person

    def _take_breath(self, person: Customer) -> None:
        read = [bubble.at for bubble in person.chat() if bubble.speaker == "bot"][-ANSWERS_IN_A_BREATH:]
        if len(read) == ANSWERS_IN_A_BREATH:
            left = read[0] + BREATH - self._wechat.clock.now()
            time.sleep(max(0.0, left.total_seconds()))

    def _in_group(self, name: str) -> Group:
        group = self._cast[name]
        if not isinstance(group, Group):
            raise NotSeen(f"nobody can write in {name}")
        self._last = group
        self._tell(group)
        return group

    def _serving(self, name: str, resident: str) -> Servicer:
        """Somebody in WeCom's client, once the resident's chat has come over to her there."""
        kf, person, account = self._wechat.kf, self._actor(name), self._cast[resident].account

        def came_over() -> bool:
            self._on_change()
            return kf.session(account).servicer == person.account

        if not kf.world.wait_until(came_over, self._patience):
            raise NotSeen(f"{resident}'s chat did not come over to {name} in the client")
        return kf.servicer(person.account)

    def _last_actor(self) -> Screen:
        if self._last is None:
            raise NotSeen("nobody has written yet: name the person who reads")
        return self._last

    def _known_number(self, match: re.Match[str]) -> str:
        return self._known[match.group(1)]

    def _delivered(self, delivery: Delivery) -> None:
        self._last_delivery = delivery
        self._expect_accepted(delivery)

    def _expect_accepted(self, delivery: Delivery) -> None:
        if not delivery.accepted:
            raise NotSeen(f"the bot did not take the callback (HTTP status {delivery.status}, {delivery.tries} tries)")

    def _read(self, person: Screen, words: str) -> None:
        pattern = pattern_of(words, self._known)
        quiet = person.name in self._quiet
        self._quiet.discard(person.name)
        bubble = self._wait(person, lambda bubble: quiet or pattern.fullmatch(bubble.text) is not None)
        match = pattern.fullmatch(bubble.text)
        if match is None:
            raise NotSeen(f"there should have been silence before, but came: {bubble.text}\n{person.screen()}")
        self._known |= match.groupdict()
        self._tell(person, until=bubble.id)

    def _wait(self, person: Screen, fits: Callable[[Bubble], bool]) -> Bubble:
        try:
            return person.wait_for(fits, self._patience, self._on_change)
        except NotSeen:
            for each in self._cast.values():
                self._tell(each)
            raise

    def _check_never(self, step: Step, person: Screen, pattern: re.Pattern[str]) -> None:
        for bubble in person.chat(self._began[person.name]):
            if bubble.speaker != "person" and pattern.fullmatch(bubble.text):
                raise WentOtherwise(f"{self._script.file}:{step.number}: {step.words}\nbut came: {bubble.text}")

    def _tell(self, person: Screen, until: int | None = None) -> None:
        for bubble in person.chat(self._told[person.name]):
            if until is None or bubble.id <= until:
                self._on_line(person, bubble)
                self._told[person.name] = bubble.id
