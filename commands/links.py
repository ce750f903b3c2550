"""Which links in answers lead nowhere."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import requests

from faq.checking import Finding
from faq.knowledge import Entry, Knowledge

_REST = r"[^\s\u3000-\u303f\u4e00-\u9fff\uff00-\uffef<>\"'{}]"
_HOST = r"www(?:\.[a-z0-9-]+)+|(?:[a-z0-9-]+\.)+(?:com|cn|net|org)(?![a-z0-9-])"
"""What a phone makes a link of although no http stands before it; not what follows an @."""
_LINK = re.compile(rf"https?://{_REST}+|(?<![a-z0-9.@/_-])(?:{_HOST}){_REST}*", re.IGNORECASE)
_PATIENCE = 10  # seconds
_AT_ONCE = 8
_REFUSED_TO_ROBOTS = frozenset({401, 403, 405, 429})
"""The page is there; it only does not like to be asked by a program."""


def dead_links(knowledge: Knowledge) -> Iterator[Finding]:
    """Asks for every link in the answers, once, and yields those that do not answer."""
    entries: dict[str, list[Entry]] = defaultdict(list)
    for entry in knowledge.written:
        for link in dict.fromkeys(_LINK.findall(" ".join(filter(None, (entry.answer, entry.elder, entry.group))))):
            entries[link.rstrip(".,;:!?)")].append(entry)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for link, fault in zip(entries, pool.map(_fault_of, entries), strict=True):
            if fault is not None:
                yield from ((entry, f"the link {link} {fault}; mend it or take it out") for entry in entries[link])


def _fault_of(link: str) -> str | None:
    try:
        address = link if "://" in link else f"http://{link}"
        with requests.get(address, timeout=_PATIENCE, stream=True, headers={"User-Agent": "qunda-faq-check"}) as answer:
            dead = answer.status_code >= 400 and answer.status_code not in _REFUSED_TO_ROBOTS
            return f"answers {answer.status_code}" if dead else None
    except requests.RequestException as error:
        return f"cannot be reached ({type(error).__name__})"
