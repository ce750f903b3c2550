"""The names that an answer may hold in braces."""

from __future__ import annotations

from string import Formatter

COMMUNITY = frozenset({"pickup_point", "pickup_hours", "leader"})
"""Filled from the resident's community; ``policy.yaml`` holds what is said when it is not known."""

FIGURES = frozenset(
    {
        "cutoff_time",
        "delivery_time",
        "cancel_until",
        "keep_until",
        "service_hours",
        "claim_hours",
        "packaged_claim_hours",
        "review_minutes",
        "start_hours",
        "weight_tolerance",
        "refund_days",
        "invoice_days",
        "late_coupon",
    }
)
"""Filled from ``figures`` in ``policy.yaml``."""

KNOWN = COMMUNITY | FIGURES


def names_in(text: str) -> frozenset[str]:
    """The variables a text asks for.

    Raises ``ValueError`` for braces that cannot be read or that hold more than a bare name.
    """
    names = set()
    for _, name, layout, conversion in Formatter().parse(text):
        if name is None:
            continue
        if not name.isidentifier() or layout or conversion:
            raise ValueError(f"{{{name}}}")
        names.add(name)
    return frozenset(names)
