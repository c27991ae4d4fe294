"""An order's life as the audit tells it: when it was offered to whom, accepted, came to the shop, was mended."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

from domain.order_audit import AuditEntry
from notifier.orders.order_states import ENDED_STATES, OrderEvent, OrderState

_OFFERING = frozenset({OrderState.DISPATCHING.value, OrderState.OFFERED.value})


@dataclass(frozen=True, slots=True)
class Moment:
    """Something happened in an order's life: wall time, and the dealer that it happened at ("" for none)."""

    time_ns: int
    dealer: str


@dataclass(slots=True)
class OrderLife:
    """What the audit tells of one order; wall times, None for what has not happened.

    Attributes:
        told: first seen by anybody, thus no draft any more. acceptances: each with the seconds since the offer went out to that dealer.
        booked: latest appointment. arrived: first checked in. mended: latest repair that passed its inspection.
        reworked: an inspection sent it back. merged: another order took its work over. ended: settled, delivered, closed or cancelled.
    """

    began_ns: int
    told: Moment | None = None
    acceptances: list[tuple[Moment, float]] = field(default_factory=list)
    booked: Moment | None = None
    arrived: Moment | None = None
    mended: Moment | None = None
    ended: Moment | None = None
    reworked: bool = False
    merged: bool = False
    _offer: Moment | None = None
    _times_ns: list[int] = field(default_factory=list)
    _dealers: list[str] = field(default_factory=list)

    def note(self, entry: AuditEntry) -> None:
        """The next entry of this order."""
        here = Moment(entry.time_ns, entry.dealer)
        self._times_ns.append(entry.time_ns)
        self._dealers.append(entry.dealer)
        if self.told is None and entry.state != OrderState.DRAFT:
            self.told = here
        if entry.event == OrderEvent.ACCEPT and self._offer is not None:
            self.acceptances.append((here, (entry.time_ns - self._offer.time_ns) / 1e9))
        if entry.state not in _OFFERING:
            self._offer = None
        elif self._offer is None or self._offer.dealer != entry.dealer:
            self._offer = here
        self._note_event(entry, here)
        if entry.state in ENDED_STATES:
            self.ended = self.ended or here

    def _note_event(self, entry: AuditEntry, here: Moment) -> None:
        match entry.event:
            case OrderEvent.SCHEDULE:
                self.booked = here
            case OrderEvent.CHECK_IN:
                self.arrived = self.arrived or here
            case OrderEvent.PASS:
                self.mended = here
            case OrderEvent.REWORK:
                self.reworked = True
            case OrderEvent.CANCEL:
                self.merged = entry.reason == "merged"

    def open_at(self, time_ns: int) -> bool:
        """Whether work was still to come at this time on an order that somebody had been told of."""
        told = self.told is not None and self.told.time_ns <= time_ns
        return told and (self.ended is None or self.ended.time_ns > time_ns)

    def dealer_at(self, time_ns: int) -> str:
        """The dealer that had it at this time, "" for none."""
        found = bisect_right(self._times_ns, time_ns)
        return self._dealers[found - 1] if found else ""


def order_lives(entries: Iterable[AuditEntry]) -> dict[str, OrderLife]:
    """Order id -> its life; `entries` as the audit has them."""
    lives: dict[str, OrderLife] = {}
    for entry in entries:
        life = lives.get(entry.order)
        if life is None:
            life = lives[entry.order] = OrderLife(began_ns=entry.time_ns)
        life.note(entry)
    return lives
