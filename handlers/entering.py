"""Somebody opens the chat: by which community's link she came, a welcome, and what was begun in the group."""

from __future__ import annotations

from bot.conversation import Turn
from bot.effects import Effects
from bot.events import ENTERED
from bot.menu import Choice, Menu
from faq.knowledge import Knowledge
from handlers.reading import Readings
from handlers.speaker import COMMUNITY, Speakers
from handlers.state import current
from shop.directory import Community, Directory

_CODES = frozenset({"subscribe", "scan"})
_CHOICES = ("order", "pickup", "claim", "person")


def handle(turn: Turn, *, speakers: Speakers, readings: Readings, directory: Directory) -> Effects | None:
    """Remembers the community. The welcome answers the event's code, so it costs nothing and is said only with one.

    What the link says was begun in the group is taken up in any case.
    """
    if turn.message.event in _CODES and turn.message.extra.get("scene"):
        return _by_code(turn, speakers, directory)
    if turn.message.event != ENTERED:
        return None
    community, topic = _scene(directory, str(turn.message.extra.get("scene_param", "")))
    state = {**current(turn), COMMUNITY: community.id} if community else None
    question = _question(readings.knowledge_of(turn), topic)
    if not (turn.message.reply_code or question):
        return Effects(state=state, note="entered")
    community = speakers.of(turn).community or community
    welcome = _welcome(turn, speakers, community, question)
    return Effects(replies=(welcome,), state=state, note=f"entered:{'goes_on' if question else 'welcome'}")


def _by_code(turn: Turn, speakers: Speakers, directory: Directory) -> Effects | None:
    """Somebody has scanned the code that hangs at a community's pick-up point; other codes mean nothing to us."""
    scene = str(turn.message.extra["scene"])
    community = directory.community_of_scene(scene) or directory.community(scene)
    if community is None:
        return None
    state = {**current(turn), COMMUNITY: community.id}
    welcome = speakers.say(turn, "entering.scanned", community=community.name)
    return Effects(replies=(welcome,), state=state, note="entered:code")


def _scene(directory: Directory, scene_param: str) -> tuple[Community | None, str]:
    """The community of a link, and after a dot what was spoken of in its group."""
    whole = directory.community_of_scene(scene_param)
    scene, _, topic = scene_param.rpartition(".")
    return (whole, "") if whole or not scene else (directory.community_of_scene(scene), topic)


def _question(knowledge: Knowledge, topic: str) -> str:
    """The question that a topic stands for: that of an entry, or of the first entry with this skill; else nothing."""
    if knowledge.knows(topic):
        return knowledge.question_of(topic)
    found = next((entry.id for entry in knowledge if topic and entry.skill == topic), None)
    return knowledge.question_of(found) if found else ""


def _welcome(turn: Turn, speakers: Speakers, community: Community | None, question: str) -> Menu:
    if question:
        head = speakers.say(turn, "entering.goes_on")
    elif community:
        head = speakers.say(turn, "entering.welcome_to", community=community.name)
    else:
        head = speakers.say(turn, "entering.welcome")
    # What is tapped comes as words, so every label is something one could have said.
    usual = [Choice(f"ask:{name}", speakers.say(turn, f"entering.choice_{name}")) for name in _CHOICES]
    first = [Choice("ask:topic", question)] if question else []
    return Menu(head, (*first, *(choice for choice in usual if _asked(choice.label) != _asked(question))))


def _asked(words: str) -> str:
    return words.rstrip("？?")
