"""An unknown account proves who it is: the phone's last four digits with an order number or a pick-up code."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.conversation import Turn
from bot.effects import Effects
from bot.storage.store import Store
from bot.transaction import Transaction
from config.settings import Settings
from handlers.hand_over import HandOver
from handlers.orders_in_words import orders_in_words
from handlers.reading import Readings
from handlers.speaker import Speaker, Speakers
from handlers.state import current, drop_flow, flow, with_flow
from shop.directory import Directory
from shop.orders import find_owner
from shop.residents import bind, find_by_id

WRONG_TRIES = 3
_PAUSE = timedelta(hours=24)
_TOKEN = re.compile(r"[0-9A-Za-z-]{4,40}")


def ask_for_proof(turn: Turn, *, speakers: Speakers, product: object = None) -> Effects:
    """Asks for the proof; after too many wrong ones a person looks, whatever is asked."""
    if _tries(turn)["wrong"] >= WRONG_TRIES:
        return Effects(replies=(speakers.say(turn, "identify.person_looks"),), note="identify:paused")
    return Effects(
        replies=(speakers.say(turn, "identify.ask"),),
        state=with_flow(turn, {"name": "identify", "product": product}),
        note="identify:ask",
    )


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
    """Takes the proof, in one message or in two. Nothing it says tells whether an order exists."""
    running = flow(turn, "identify")
    if running is None or not turn.message.text.strip():
        return None
    digits, proof = _parts(turn.message.text, running.get("digits"))
    if digits is None and proof is None:
        return _without_proof(turn, readings, speakers)
    if digits is None or proof is None:
        kept = {**running, "digits": digits, "proof": proof or running.get("proof")}
        if digits is None or kept["proof"] is None:
            key = "identify.ask_digits" if digits is None else "identify.ask_number"
            return Effects(replies=(speakers.say(turn, key),), state=with_flow(turn, kept), note="identify:half")
        proof = str(kept["proof"])
    with store.read() as connection:
        resident_id = find_owner(connection, digits, proof)
    if resident_id is None:
        return _wrong(turn, running, speakers, handing_over)
    return _proven(turn, resident_id, running, speakers, store, directory, settings)


def _parts(text: str, known_digits: str | None) -> tuple[str | None, str | None]:
    """The four digits and the number in a message; a whole phone number counts as its last four digits."""
    tokens = [str(token) for token in _TOKEN.findall(unicodedata.normalize("NFKC", text))]
    phones = [token for token in tokens if re.fullmatch(r"1\d{10}", token)]
    fours = [token for token in tokens if re.fullmatch(r"\d{4}", token)]
    digits = phones[0][-4:] if phones else known_digits or (fours[0] if fours else None)
    used = phones[0] if phones else (None if known_digits else digits)
    rest = list(tokens)
    if used in rest:
        rest.remove(used)
    return digits, rest[0] if rest else None


def _without_proof(turn: Turn, readings: Readings, speakers: Speakers) -> Effects | None:
    """Words without any number: another question is answered by its own handler, anything else is asked again."""
    if readings.of(turn).decision in ("answer", "skill"):
        return None
    return Effects(replies=(speakers.say(turn, "identify.ask"),), note="identify:again")


def _wrong(turn: Turn, running: Mapping[str, Any], speakers: Speakers, handing_over: HandOver) -> Effects:
    tries = _tries(turn)
    count = tries["wrong"] + 1
    proofs = {"wrong": count, "since": tries["since"]}
    if count < WRONG_TRIES:
        again = {"name": "identify", "product": running.get("product")}
        state = {**with_flow(turn, again), "proofs": proofs}
        return Effects(replies=(speakers.say(turn, "identify.wrong"),), state=state, note="identify:wrong")
    return Effects(
        replies=(speakers.say(turn, "identify.person_looks"),),
        state={**with_flow(turn, None), "proofs": proofs},
        records=(handing_over.record(turn, priority="P2", reason="核对身份三次没对上"),),
        note="identify:hand_over",
    )


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
    speaker = Speaker(resident, community, "elder" if resident.elder else "plain")
    turn.facts["speaker"] = speaker
    text = orders_in_words(
        turn, speaker, speakers=speakers, store=store, zone=settings.timezone, product=running.get("product")
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
