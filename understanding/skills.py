"""The names of the skills that knowledge entries may ask for and that the handlers offer."""

from __future__ import annotations

GREETING = "greeting"
HELP = "help"
THANKS = "thanks"
BYE = "bye"
ABOUT = "about"
ORDER_STATUS = "order_status"
CLAIM = "claim"
COMPLAINT = "complaint"
PERSON = "person"
TICKET_STATUS = "ticket_status"
BIND = "bind"

KNOWN = frozenset({GREETING, HELP, THANKS, BYE, ABOUT, ORDER_STATUS, CLAIM, COMPLAINT, PERSON, TICKET_STATUS, BIND})
