"""Figures read from the rows themselves, so that they are true whichever process did the work."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Table, func, select

from bot.storage.store import Store
from bot.storage.tables import inbox, jobs, outbox


class RowCounts(Collector):
    """Counts inbox, outbox and job rows by their outcome or status at the moment of reading."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Yields one gauge per table."""
        yield self._by(inbox, "outcome", "Messages taken, by outcome")
        yield self._by(outbox, "status", "Messages to send, by status")
        yield self._by(jobs, "status", "Jobs, by status")

    def _by(self, table: Table, column: str, text: str) -> GaugeMetricFamily:
        family = GaugeMetricFamily(f"qunda_{table.name}_rows", text, labels=[column])
        query = select(table.c[column], func.count()).group_by(table.c[column])
        with self._store.read() as connection:
            for row in connection.execute(query):
                family.add_metric([row[0]], row[1])
        return family


def make_registry(store: Store) -> CollectorRegistry:
    """A fresh registry with the row counts."""
    registry = CollectorRegistry()
    registry.register(RowCounts(store))
    return registry
