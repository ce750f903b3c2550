"""The platforms' XML: text in CDATA, numbers bare, and no more depth than they use."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping

Fields = Mapping[str, "str | int | float | Fields"]


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


def _inner(fields: Fields) -> str:
    return "".join(f"<{name}>{_value(value)}</{name}>" for name, value in fields.items())


def _value(value: str | int | float | Fields) -> str:
    if isinstance(value, Mapping):
        return _inner(value)
    if isinstance(value, str):
        return "<![CDATA[" + value.replace("]]>", "]]]]><![CDATA[>") + "]]>"
    return str(value)
