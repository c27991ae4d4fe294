"""Contracts between layers; implementations stand in the packages above, one in-memory implementation each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from domain.codes import CodeInfo
from domain.consents import Consent
from domain.findings import Diagnosis, Finding, Recommendation
from domain.fleet import Dealer, VaultEntry, Vehicle
from domain.frames import FrameBatch
from domain.orders import Order
from domain.records import Commit, DeadLetter, DriveProgress, OutboxEvent, StageState, VehicleCase
from domain.signals import SampleBatch
from domain.trouble_codes import DtcBatch

F = TypeVar("F", bound=Callable[..., Any])


class Jit(Protocol):
    """Compiles a kernel (a self-contained function over numpy arrays and scalars)."""

    def __call__(self, function: F, /) -> F: ...


def no_jit(function: F, /) -> F:
    """The kernel as it is, in plain Python: the fallback where no compiler works, with identical values."""
    return function


class Stage(Protocol):
    """A part that carries state per vehicle. `version` changes with anything that shapes the state (content hash)."""

    name: str
    version: str

    def snapshot(self, vehicle: str) -> bytes | None:
        """The vehicle's state in a compact versioned form, None where it has none."""

    def restore(self, vehicle: str, state: bytes) -> None:
        """Set the vehicle's state from `snapshot` of the same version."""

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle's state."""


class LogReader(Protocol):
    """Streams a recording as frame batches; malformed lines go to `dead_letters`."""

    def __iter__(self) -> Iterator[FrameBatch]: ...


class FindingStage(Stage, Protocol):
    """Rules, detectors and trouble-code findings: batches in, findings out, sorted by (vehicle, time, source id)."""

    def evaluate(self, samples: SampleBatch, dtcs: DtcBatch) -> list[Finding]: ...

    def lower(self, vehicle: str, sources: Collection[str]) -> None:
        """These sources count as not raised any more, for a repair has ended their alerts; they raise anew where the fault is still there."""


class CodeTable(Protocol):
    """What is known of a trouble code by itself; always answers, in generic words for a code that no table names."""

    def lookup(self, code: str) -> CodeInfo: ...


class Knowledge(Protocol):
    """From an incident to its cause and plan."""

    def diagnose(self, case: VehicleCase, incident_id: str, vehicle: Vehicle) -> Diagnosis: ...

    def recommend(self, case: VehicleCase, diagnosis: Diagnosis, vehicle: Vehicle, time_ns: int) -> Recommendation: ...


class Store(Protocol):
    """The database as the pipeline sees it; `commit` is one transaction."""

    def register(self, vehicles: Iterable[tuple[Vehicle, VaultEntry]]) -> None: ...

    def save_dealers(self, dealers: Iterable[Dealer]) -> None: ...

    def vehicle(self, vehicle: str) -> Vehicle | None: ...

    def consents(self, vehicle: str) -> tuple[Consent, ...]: ...

    def dealers(self) -> tuple[Dealer, ...]: ...

    def case(self, vehicle: str) -> VehicleCase: ...

    def open_case(self, vehicle: str, open_orders: Collection[str]) -> VehicleCase: ...

    def orders(self, *, state: str | Collection[str] | None = None) -> tuple[Order, ...]: ...

    def states(self, vehicle: str) -> tuple[StageState, ...]: ...

    def progress(self, drive: str) -> DriveProgress | None: ...

    def dead_letters(self) -> tuple[DeadLetter, ...]: ...

    def commit(self, changes: Commit) -> None: ...


class Outbox(Protocol):
    """The delivery side of the store."""

    def due(self, now_ns: int, limit: int) -> tuple[OutboxEvent, ...]: ...

    def record(self, event: OutboxEvent) -> None: ...


class Channel(Protocol):
    """Delivers one event; raises `domain.errors.DeliveryError` where it did not get through."""

    name: str

    def deliver(self, event: OutboxEvent, dealer: Dealer | None, attempt_ns: int) -> None: ...


class FrameSource(Protocol):
    """Where frames come from; `commit` acknowledges what was stored."""

    def __iter__(self) -> Iterator[Sequence[FrameBatch]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """(n,) kilometres and hours by road, infinite where there is no way."""

    km: npt.NDArray[np.float64]
    hours: npt.NDArray[np.float64]


class Roads(Protocol):
    """Knows ways by road; raises `domain.errors.RoadError` where it does not answer."""

    def ways(self, start: tuple[float, float], ends: Sequence[tuple[float, float]]) -> Ways:
        """From one place to each of these, all (latitude, longitude) WGS84."""
