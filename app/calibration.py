"""The fault knowledge with its shares moved by the repairs that workshops report, as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from domain.findings import Diagnosis, Recommendation
from domain.fleet import Vehicle
from domain.records import VehicleCase
from domain.repairs import RepairOutcome, cause_counts
from dtc_knowledge.diagnosis import FaultKnowledge

REFRESH_NS = 600_000_000_000


class CalibratedKnowledge:
    """A `domain.ports.Knowledge` that looks for new outcomes every ten minutes.

    Args:
        knowledge: with the shares of its files. outcomes: all that is reported. clock: wall time in ns.
    """

    def __init__(
        self, knowledge: FaultKnowledge, outcomes: Callable[[], Iterable[RepairOutcome]], clock: Callable[[], int]
    ) -> None:
        self._prior, self._outcomes, self._clock = knowledge, outcomes, clock
        self._counts: dict[tuple[str, str], int] = {}
        self._now = knowledge
        self._looked_ns: int | None = None

    def diagnose(self, case: VehicleCase, incident_id: str, vehicle: Vehicle) -> Diagnosis:
        """Probable causes of one incident."""
        return self._calibrated().diagnose(case, incident_id, vehicle)

    def recommend(self, case: VehicleCase, diagnosis: Diagnosis, vehicle: Vehicle, time_ns: int) -> Recommendation:
        """What to do about a diagnosed incident."""
        return self._calibrated().recommend(case, diagnosis, vehicle, time_ns)

    def _calibrated(self) -> FaultKnowledge:
        if self._looked_ns is None or self._clock() - self._looked_ns >= REFRESH_NS:
            self._looked_ns = self._clock()
            if (counts := cause_counts(self._outcomes())) != self._counts:
                self._counts, self._now = counts, self._prior.calibrated(counts)
        return self._now
