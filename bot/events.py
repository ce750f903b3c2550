"""Names of events that channels tell in the same way, whatever their platform calls them."""

from __future__ import annotations

ENTERED = "entered"
"""Somebody has opened the chat. ``extra``: "scene" and "scene_param", what the link she came by says."""

SESSION_CHANGED = "session_changed"
"""The platform's own client has changed who speaks. ``extra``: "who" ("person" or "ended"), "staff" (the account that
speaks from now on, or that has ended it)."""

PERSON_SPOKE = "person_spoke"
"""Somebody has written in the platform's own client. ``extra``: "staff" (the account), "kind" and "text"."""

RECALLED = "recalled"
"""A message was taken back. ``extra``: "message", its dedupe key."""

DELIVERY_FAILED = "delivery_failed"
"""A message that the platform had taken did not arrive. ``extra``: "key" (that of ``Outgoing``) and "code"."""

FEEDBACK = "feedback"
"""Somebody has judged an answer. ``extra``: "answer", the dedupe key of the message that it answered, "kind" ("good",
"bad" or "withdrawn"), "remark" and "reasons"."""
