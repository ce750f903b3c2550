"""An unknown account proves who it is: the phone's last four digits with an order number or a pick-up code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bot.conversation import Turn
from bot.effects import Effects, Record
from bot.storage.store import Store
from bot.transaction import Transaction
from config.settings import Settings
from handlers.hand_over import HandOver
from handlers.orders_in_words import orders_in_words
from handlers.proof import Proof, read_proof
from handlers.reading import Readings
from handlers.speaker import Speaker, Speakers
from handlers.state import current, drop_flow, flow, with_flow
from shop.directory import Directory
from shop.orders import find_owner
from shop.residents import bind, find_by_id
from understanding.reader import Understanding
from understanding.skills import PERSON

WRONG_TRIES = 3
_ASKED_AGAIN = 1
_PAUSE = timedelta(hours=24)


def ask_for_proof(turn: Turn, *, speakers: Speakers, product: str = "") -> Effects:
    """Asks for the proof; after too many wrong ones a person looks, whatever is asked."""
    if _tries(turn)["wrong"] >= WRONG_TRIES:
        return _paused(turn, speakers)
    state = with_flow(turn, {"name": "identify", "product": product})
    return Effects(replies=(speakers.say(turn, "identify.ask"),), state=state, note="identify:ask")


def handle(
    turn: Turn,
    *,
    speakers: Speakers,
    readings: Readings,
    store: Store,
    directory: Directory,
    settings: Settings,
    handing_over: HandOver,
) -> Effects | None:
    """Takes the proof, asked for or not, in one message or in two. Nothing it says tells whether an order exists."""
    running = flow(turn, "identify")
    text = turn.message.text
    if not text.strip():
        return None
    proof = read_proof(text, digits_known=bool(running and running.get("digits")))
    if running is None and not proof.stands_by_itself:
        return None
    if running is None and speakers.of(turn).resident is not None:
        return None
    reading = readings.of(turn)
    identification = _Identification(turn, running or {}, speakers, handing_over)
    if not _is_meant(proof, reading):
        speaks_of_else = reading.decision in ("answer", "skill") or reading.upset
        return None if speaks_of_else else identification.asked_again()
    if _tries(turn)["wrong"] >= WRONG_TRIES:
        return _paused(turn, speakers)
    digits, number = proof.digits or identification.known("digits"), proof.number or identification.known("number")
    if digits is None or number is None:
        return identification.half(digits, number)
    resident_id = _owner(store, digits, number, either=proof.either)
    if resident_id is None:
        return identification.wrong()
    return _proven(turn, resident_id, identification.running, speakers, store, directory, settings)


@dataclass(frozen=True, slots=True)
class _Identification:
    """``running``: what was told so far, and for which product the order was asked about."""

    turn: Turn
    running: Mapping[str, Any]
    speakers: Speakers
    handing_over: HandOver

    def known(self, part: str) -> str | None:
        return self.running.get(part)

    def half(self, digits: str | None, number: str | None) -> Effects:
        key = "identify.ask_digits" if digits is None else "identify.ask_number"
        kept = {**self.running, "name": "identify", "digits": digits, "number": number}
        return Effects(replies=(self._say(key),), state=with_flow(self.turn, kept), note="identify:half")

    def asked_again(self) -> Effects:
        """Words that bring no proof: told once where the numbers stand, then a person looks."""
        again = self.running.get("again", 0)
        if again < _ASKED_AGAIN:
            state = with_flow(self.turn, {**self.running, "again": again + 1})
            return Effects((self._say("identify.where"),), state, note="identify:again")
        record = self._hand_over("reason.no_proof")
        state = with_flow(self.turn, None)
        return Effects((self._say("identify.person_helps"),), state, (record,), "identify:hand_over")

    def wrong(self) -> Effects:
        tries = _tries(self.turn)
        proofs = {"wrong": tries["wrong"] + 1, "since": tries["since"]}
        if proofs["wrong"] < WRONG_TRIES:
            again = {"name": "identify", "product": self.running.get("product")}
            state = {**with_flow(self.turn, again), "proofs": proofs}
            return Effects(replies=(self._say("identify.wrong"),), state=state, note="identify:wrong")
        state = {**with_flow(self.turn, None), "proofs": proofs}
        record = self._hand_over("reason.wrong_proofs")
        return Effects((self._say("identify.person_looks"),), state, (record,), "identify:hand_over")

    def _hand_over(self, reason: str) -> Record:
        return self.handing_over.record(self.turn, priority="P2", reason=self.handing_over.texts.say(reason))

    def _say(self, key: str) -> str:
        return self.speakers.say(self.turn, key)


def _paused(turn: Turn, speakers: Speakers) -> Effects:
    sentence = "identify.paused" if turn.conversation.followed else "identify.only_a_person"
    return Effects(replies=(speakers.say(turn, sentence),), note="identify:paused")


def _is_meant(proof: Proof, reading: Understanding) -> bool:
    """Whether the message brings a proof, and not a number in words about something else."""
    brings_any = proof.digits is not None or proof.number is not None
    if not brings_any or not proof.alone or reading.priority == "P0" or reading.skill == PERSON:
        return False
    return reading.decision not in ("answer", "skill") or proof.stands_by_itself


def _owner(store: Store, digits: str, number: str, *, either: bool) -> int | None:
    with store.read() as connection:
        found = find_owner(connection, digits, number)
        return find_owner(connection, number, digits) if found is None and either else found


def _proven(
    turn: Turn,
    resident_id: int,
    running: Mapping[str, Any],
    speakers: Speakers,
    store: Store,
    directory: Directory,
    settings: Settings,
) -> Effects:
    with store.read() as connection:
        resident = find_by_id(connection, resident_id)
    assert resident is not None, "the owner of an order is a resident"
    community = directory.community(resident.community_id) if resident.community_id else None
    speaker = Speaker(resident, community, "elder" if resident.elder else "plain", community)
    turn.facts["speaker"] = speaker
    text = orders_in_words(
        turn, speaker, speakers=speakers, store=store, zone=settings.timezone, product=running.get("product", "")
    )
    message = turn.message

    def bind_account(tx: Transaction) -> None:
        bind(tx.connection, resident_id, message.channel, message.account, how="proof", now=tx.now)

    drop_flow(turn)
    state = {key: value for key, value in current(turn).items() if key != "proofs"}
    return Effects(
        replies=(speakers.say(turn, "identify.proven"), text),
        state=state,
        records=(bind_account,),
        note="identify:proven",
    )


def _tries(turn: Turn) -> dict[str, Any]:
    """The wrong proofs of the last day; a day later the count begins anew."""
    tries = current(turn).get("proofs")
    if tries and turn.now - datetime.fromisoformat(tries["since"]) < _PAUSE:
        return dict(tries)
    return {"wrong": 0, "since": turn.now.isoformat()}
