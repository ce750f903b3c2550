"""Subscription notices (订阅通知): one for each time that a follower has agreed to one.

Source: developers.weixin.qq.com/doc/service/api/notify/notify/api_sendnewsubscribemsg.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from playground.platform.errors import ApiError

# How many characters a value may have, by the letters of its field's name; the others are not limited here.
LONGEST = {"thing": 20, "character_string": 32, "number": 32, "letter": 32, "phrase": 5, "symbol": 5, "name": 10}
_FIELD = re.compile(r"\{\{(([a-z_]+?)\d*)\.DATA\}\}")


class Subscriptions:
    """``templates`` maps a template id to its words, such as ``工单：{{character_string1.DATA}}``.

    Callers hold the world's lock.
    """

    def __init__(self, templates: Mapping[str, str] | None = None) -> None:
        self.templates = dict(templates or {})
        self._granted: Counter[tuple[str, str]] = Counter()

    def grant(self, openid: str, template_id: str) -> None:
        """A follower agrees to one more notice. Raises ``KeyError`` for a template that the account has not."""
        if template_id not in self.templates:
            raise KeyError(f"the account has no template {template_id}")
        self._granted[openid, template_id] += 1

    def spend(self, openid: str, body: Mapping[str, Any]) -> str:
        """Takes one consent and gives the notice's words.

        ``ApiError``: 40037 for an unknown template, 47003 for data that do not fit it, 43101 without consent.
        """
        template_id = str(body.get("template_id"))
        words = self.templates.get(template_id)
        if words is None:
            raise ApiError(40037)
        data = body.get("data")
        filled = _FIELD.sub(lambda match: _value(data, match.group(1), match.group(2)), words)
        if not self._granted[openid, template_id]:
            raise ApiError(43101)
        self._granted[openid, template_id] -= 1
        return filled

    def clear(self) -> None:
        self._granted.clear()


def _value(data: Any, name: str, kind: str) -> str:
    entry = data.get(name) if isinstance(data, dict) else None
    value = entry.get("value") if isinstance(entry, dict) else None
    if not isinstance(value, str) or not value:
        raise ApiError(47003, f"data.{name}.value is empty")
    if len(value) > LONGEST.get(kind, len(value)):
        raise ApiError(47003, f"data.{name}.value invalid")
    return value
