"""The platforms' XML: text in CDATA, numbers bare, and no more depth than they use."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from typing import Any

Fields = Mapping[str, "str | int | float | Fields | Sequence[Fields]"]


def write(fields: Fields) -> str:
    """``{"MsgType": "text", "CreateTime": 1}`` as ``<xml><MsgType><![CDATA[text]]></MsgType>…</xml>``."""
    return f"<xml>{_inner(fields)}</xml>"


def read(document: str) -> dict[str, str]:
    """The top elements' texts, without outer white space; ``ValueError`` for what is not such a document.

    An element with children is read as the text of its first child, which is how a passive reply holds media.
    """
    try:
        root = ElementTree.fromstring(document)
    except ElementTree.ParseError as error:
        raise ValueError("not XML") from error
    return {child.tag: ((child[0] if len(child) else child).text or "").strip() for child in root}


def tree(document: str) -> dict[str, Any]:
    """All elements with all their depth; one that comes several times is a list. ``ValueError`` as ``read``."""
    try:
        root = ElementTree.fromstring(document)
    except ElementTree.ParseError as error:
        raise ValueError("not XML") from error
    branches = _branch(root)
    return branches if isinstance(branches, dict) else {}


def _branch(element: ElementTree.Element) -> Any:
    if not len(element):
        return (element.text or "").strip()
    found: dict[str, Any] = {}
    for child in element:
        value = _branch(child)
        if child.tag not in found:
            found[child.tag] = value
        elif isinstance(found[child.tag], list):
            found[child.tag].append(value)
        else:
            found[child.tag] = [found[child.tag], value]
    return found


def _inner(fields: Fields) -> str:
    return "".join(_element(name, value) for name, value in fields.items())


def _element(name: str, value: str | int | float | Fields | Sequence[Fields]) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "".join(_element(name, each) for each in value)
    return f"<{name}>{_value(value)}</{name}>"


def _value(value: str | int | float | Fields) -> str:
    if isinstance(value, Mapping):
        return _inner(value)
    if isinstance(value, str):
        return "<![CDATA[" + value.replace("]]>", "]]]]><![CDATA[>") + "]]>"
    return str(value)
