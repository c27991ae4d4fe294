"""The key figures, gathered from a store; kept for a moment where many look."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from domain.fleet import Dealer
from domain.order_audit import AuditEntry
from domain.orders import Order
from domain.owners import Rating
from domain.papers import Paper
from domain.records import PushResult, VehicleCase
from domain.repairs import RepairOutcome
from notifier.kpis.observations import WorkHistory
from notifier.kpis.order_lives import order_lives
from notifier.kpis.report import KpiReport, kpi_report
from notifier.kpis.source_precision import SourcePrecision, source_precision

P = TypeVar("P", bound=Paper)
DEFAULT_WEEKS, MOST_WEEKS = 13, 53
_ENTRIES_AT_ONCE = 5_000
_REFRESH_S, _LEAST_PAUSE = 10.0, 9.0
"""However many look, the history is gathered every ten seconds at most, and takes a tenth of the time at most."""


class KpiStore(Protocol):
    """What the figures need of the store."""

    def dealers(self) -> tuple[Dealer, ...]:
        """All dealers."""

    def orders(self) -> tuple[Order, ...]:
        """All orders."""

    def order_audit(self, *, order: str | None = None, since: int = 0, limit: int | None = None) -> tuple[AuditEntry, ...]:
        """Entries of the audit after number `since`."""

    def outcomes(self) -> tuple[RepairOutcome, ...]:
        """What all repairs found."""

    def push_results(self, since_ns: int = 0) -> tuple[PushResult, ...]:
        """What has become of pushes."""

    def papers(self, kind: type[P]) -> tuple[P, ...]:
        """All papers of a kind."""

    def case(self, vehicle: str) -> VehicleCase:
        """Everything on one vehicle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KpiSources:
    """What was gathered."""

    history: WorkHistory
    dealers: dict[str, Dealer]
    precision: tuple[SourcePrecision, ...]

    def report(self, *, weeks: int, utc_offset_hours: float, region: str = "", dealer: str = "") -> KpiReport:
        """`kpi_report` of it."""
        return kpi_report(
            self.history,
            self.dealers,
            self.precision,
            weeks=weeks,
            utc_offset_hours=utc_offset_hours,
            region=region,
            dealer=dealer,
        )


def gather_kpis(store: KpiStore, now_ns: int) -> KpiSources:
    """All that the figures are made of, as stored now.

    Raises:
        StorageError: the database failed.
    """
    orders, outcomes = {order.id: order for order in store.orders()}, store.outcomes()
    history = WorkHistory(
        lives=order_lives(_entries(store)),
        orders=orders,
        outcomes=outcomes,
        pushes=store.push_results(),
        ratings=store.papers(Rating),
        until_ns=now_ns,
    )
    precision = source_precision(outcomes, orders, store.case)
    return KpiSources(history=history, dealers={each.id: each for each in store.dealers()}, precision=tuple(precision))


def _entries(store: KpiStore) -> Iterator[AuditEntry]:
    since = 0
    while found := store.order_audit(since=since, limit=_ENTRIES_AT_ONCE):
        yield from found
        since = found[-1].number


class KpiCache:
    """The history as last gathered, for a moment; for several threads."""

    def __init__(self) -> None:
        self._sources: KpiSources | None = None
        self._stale_s = 0.0
        self._lock = threading.Lock()

    def get(self, store: KpiStore, clock: Callable[[], int]) -> KpiSources:
        """Some seconds old at most (of a long history longer)."""
        with self._lock:
            began_s = time.monotonic()
            if self._sources is None or began_s > self._stale_s:
                self._sources = gather_kpis(store, clock())
                ended_s = time.monotonic()
                self._stale_s = ended_s + max(_REFRESH_S, _LEAST_PAUSE * (ended_s - began_s))
            return self._sources
