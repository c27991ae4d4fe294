"""What the API and the pages ask of a store; `storage.sql_store.SqlStore` and `storage.memory_store.MemoryStore` give it."""

# ruff: noqa: D102 - the names and types are the contract; the stores describe them

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from domain.care import CareState, Reminder, ReminderState
from domain.consents import Consent
from domain.emerging import EmergingCase
from domain.findings import Alert, AlertState, Severity
from domain.fleet import Dealer, Vehicle
from domain.live import AnsweredRequest, ApiKey, FeedEvent, FunnelCounts, VehicleSighting, VehicleSummary
from domain.order_audit import AuditEntry
from domain.orders import Order
from domain.owners import Owner
from domain.papers import Paper
from domain.parts import LotState, PartLot, StockLevel
from domain.records import Commit, OutboxEvent, PushResult, VehicleCase
from domain.repairs import RepairOutcome
from domain.risk import RiskAssessment
from domain.silences import AlertLabel, Silence

P = TypeVar("P", bound=Paper)


class WebStore(Protocol):
    """The database as the web process sees it. Its methods block, and may be called from several threads at once."""

    def close(self) -> None: ...

    def vehicle(self, vehicle: str) -> Vehicle | None: ...

    def consents(self, vehicle: str) -> tuple[Consent, ...]: ...

    def add_consents(self, consents: Iterable[Consent]) -> None: ...

    def vehicles(self) -> tuple[Vehicle, ...]: ...

    def vehicle_summaries(self, *, limit: int | None = None, offset: int = 0) -> tuple[VehicleSummary, ...]: ...

    def dealers(self) -> tuple[Dealer, ...]: ...

    def save_dealers(self, dealers: Iterable[Dealer]) -> None: ...

    def case(self, vehicle: str) -> VehicleCase: ...

    def open_case(self, vehicle: str, open_orders: Collection[str]) -> VehicleCase: ...

    def commit(self, changes: Commit) -> None: ...

    def alert(self, identifier: str) -> Alert | None: ...

    def alerts(
        self,
        *,
        vehicle: str | None = None,
        state: AlertState | Collection[AlertState] | None = None,
        severity: Severity | Collection[Severity] | None = None,
        newest_first: bool = False,
        limit: int | None = None,
        offset: int = 0,
    ) -> tuple[Alert, ...]: ...

    def acknowledge_alert(self, identifier: str) -> bool: ...

    def order(self, identifier: str) -> Order | None: ...

    def orders(
        self,
        *,
        vehicle: str | None = None,
        state: str | Collection[str] | None = None,
        dealer: str | None = None,
        kind: str | None = None,
        newest_first: bool = False,
        limit: int | None = None,
        offset: int = 0,
    ) -> tuple[Order, ...]: ...

    def order_states(self, order: str) -> tuple[tuple[int, str], ...]: ...

    def order_audit(self, *, order: str | None = None, since: int = 0, limit: int | None = None) -> tuple[AuditEntry, ...]: ...

    def answered_request(self, caller: str, key: str) -> AnsweredRequest | None: ...

    def change_order(
        self,
        order: Order,
        expected_version: int,
        outbox: Sequence[OutboxEvent] = (),
        request: AnsweredRequest | None = None,
        mended: Collection[str] = (),
        papers: Iterable[Paper] = (),
    ) -> bool: ...

    def change_paper(
        self, before: Paper | None, after: Paper, *, beside: Iterable[Paper] = (), outbox: Iterable[OutboxEvent] = ()
    ) -> bool: ...

    def change_owner(self, owner: Owner, papers: Iterable[Paper], consents: Iterable[Consent]) -> None: ...

    def save_papers(self, papers: Iterable[Paper]) -> None: ...

    def paper(self, kind: type[P], identifier: str) -> P | None: ...

    def papers(
        self,
        kind: type[P],
        *,
        order: str | None = None,
        vehicle: str | None = None,
        state: str | Collection[str] | None = None,
        due_by_ns: int | None = None,
        newest_first: bool = False,
        limit: int | None = None,
        offset: int = 0,
    ) -> tuple[P, ...]: ...

    def events(self, after_id: int, limit: int) -> tuple[FeedEvent, ...]: ...

    def last_event_id(self) -> int: ...

    def sighting(self, vehicle: str) -> VehicleSighting | None: ...

    def figures(self) -> dict[str, Any]: ...

    def funnel(self, since_ns: int = 0) -> FunnelCounts: ...

    def dead_letter_counts(self) -> dict[str, int]: ...

    def outbox_counts(self) -> dict[str, int]: ...

    def api_key(self, key_hash: str) -> ApiKey | None: ...

    def save_silence(self, silence: Silence) -> None: ...

    def silence(self, identifier: str) -> Silence | None: ...

    def silences(self, *, ending_after_ns: int | None = None) -> tuple[Silence, ...]: ...

    def label_alert(self, label: AlertLabel) -> None: ...

    def labels(self, alert: str | None = None) -> tuple[AlertLabel, ...]: ...

    def save_outcome(self, outcome: RepairOutcome) -> None: ...

    def outcomes(self) -> tuple[RepairOutcome, ...]: ...

    def push_results(self, since_ns: int = 0) -> tuple[PushResult, ...]: ...

    def stock(self, *, dealer: str | None = None, part: str | None = None) -> tuple[StockLevel, ...]: ...

    def count_stock(self, dealer: str, part: str, quantity: int, expected_version: int) -> bool: ...

    def assessments(self, *, model: str | None = None, since_day: int | None = None) -> tuple[RiskAssessment, ...]: ...

    def part_lot(self, identifier: str) -> PartLot | None: ...

    def part_lots(
        self,
        *,
        order: str | None = None,
        dealer: str | None = None,
        state: Collection[LotState] | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> tuple[PartLot, ...]: ...

    def move_lot(self, before: PartLot, after: PartLot) -> bool: ...

    def reminder(self, identifier: str) -> Reminder | None: ...

    def reminders(
        self,
        *,
        vehicle: str | None = None,
        state: Collection[ReminderState] | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> tuple[Reminder, ...]: ...

    def care_state(self, vehicle: str) -> CareState | None: ...

    def change_care(self, before: CareState | None, after: CareState, reminders: Iterable[Reminder]) -> bool: ...

    def emerging_cases(self) -> tuple[EmergingCase, ...]: ...

    def emerging_case(self, identifier: str) -> EmergingCase | None: ...

    def change_emerging(self, before: Sequence[EmergingCase], after: Sequence[EmergingCase]) -> bool: ...

    def latest_assessments(self, vehicle: str) -> tuple[RiskAssessment, ...]: ...
