"""Finds lasting shifts of a signal against what its operating point lets expect; a signal family is an artefact and its words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from domain.errors import InputError
from domain.findings import Evidence, Finding, Severity, Source, SourceKind, Text, Transition, Urgency
from domain.signals import SampleBatch
from domain.trouble_codes import DtcBatch
from domain.vss import catalogue
from models.artefact import Artefact
from models.baseline import LEARNING_TRIPS, Baseline, learnt_baseline
from models.cusum import CusumState, Drift, Limits, Verdict, advance
from models.features import PaneStream, TripPart
from models.residual import Trip, TripStatistic, add_residuals, new_trip, settled_points, trip_statistic
from models.vehicle_state import FORMAT, VehicleState, decode, encode

NO_BASELINES: Mapping[str, Baseline] = {}

LEARNABLE_WITHIN = 3.5
"""A trip further from the baseline than this, in standard deviations, is not learnt from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Settled:
    """Panes that count, and the trip that they belong to."""

    trip: Trip
    time_ns: NDArray[np.int64]
    points: NDArray[np.float64]
    observed: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """What the words of a finding may speak of. `by` is signed, in the target's unit."""

    side: int
    by: float
    trips: int
    observed: float
    expected: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How a shift is told, and how much it matters."""

    severity: Severity
    urgency: Urgency
    title: Text
    explanation: Text


class Words(Protocol):
    """The language of one signal family."""

    group_key: str

    def raised(self, shift: Shift) -> Wording:
        """How to tell a shift that began or goes on."""
        ...

    def cleared(self, shift: Shift) -> Wording:
        """How to tell that it is over."""
        ...


class ResidualDetector:
    """A `domain.ports.FindingStage`; decides at the end of each trip.

    Args:
        artefact: the trained family. baselines: vehicle -> baseline where known; other vehicles learn theirs from their first
            trips, beginning with the fleet's prior.

    Raises:
        InputError: a baseline was made with another artefact.
    """

    def __init__(self, artefact: Artefact, words: Words, baselines: Mapping[str, Baseline] = NO_BASELINES) -> None:
        for vehicle, baseline in baselines.items():
            if baseline.model not in ("", artefact.version):
                what = f"baseline of vehicle {vehicle!r} belongs to model {baseline.model}, this is {artefact.version}"
                raise InputError(what, mend="make the baselines again with this model")
        self.name = artefact.name
        self.version = f"{artefact.version}.{FORMAT}"
        self.paths = frozenset(each.path for each in artefact.features.columns)
        self._artefact = artefact
        self._words = words
        self._baselines = dict(baselines)
        self._panes = PaneStream(artefact.features)
        self._states: dict[str, VehicleState] = {}

    def evaluate(self, samples: SampleBatch, dtcs: DtcBatch) -> list[Finding]:  # noqa: ARG002 (trouble codes say nothing here)
        """Findings of the trips that end in this batch, by vehicle and time."""
        return self.judge_trips(self.trips(samples))

    def judge_trips(self, trips: Iterable[tuple[str, int, TripStatistic]]) -> list[Finding]:
        """Findings of trips as `trips` gives them, by vehicle and time."""
        findings = [finding for vehicle, closed_ns, each in trips for finding in self._judge(vehicle, each, closed_ns)]
        return sorted(findings, key=lambda each: (each.vehicle, each.time_ns))

    def trips(self, samples: SampleBatch) -> list[tuple[str, int, TripStatistic]]:
        """(vehicle, end of trip, statistic) of each trip that ends in this batch and has enough to say."""
        settled: list[_Settled] = []
        ended: list[tuple[str, int, Trip]] = []
        for part in self._panes.cut(samples):
            state = self._states.setdefault(part.vehicle, VehicleState())
            if len(part.time_ns):
                state.trip = state.trip or new_trip(self._artefact.features)
                settled.append(self._settle(state.trip, part))
            if part.closed_ns is not None:
                if state.trip is not None:
                    ended.append((part.vehicle, part.closed_ns, state.trip))
                state.trip = None
        self._compare(settled)
        judged = [(vehicle, closed_ns, trip_statistic(trip, self._artefact.min_panes)) for vehicle, closed_ns, trip in ended]
        return [(vehicle, closed_ns, statistic) for vehicle, closed_ns, statistic in judged if statistic is not None]

    def baseline(self, vehicle: str) -> Baseline:
        """The baseline in use for a vehicle: the given one, else what its trips and the prior say so far."""
        given = self._baselines.get(vehicle)
        if given is not None:
            return given
        state = self._states.get(vehicle)
        return learnt_baseline(self._artefact.prior, state.learnt if state else (), self._artefact.version)

    def learnt_baselines(self) -> dict[str, Baseline]:
        """Baselines learnt so far, of vehicles with at least one trip: what `models.baseline.save_baselines` takes."""
        return {vehicle: self.baseline(vehicle) for vehicle, state in sorted(self._states.items()) if state.learnt}

    def snapshot(self, vehicle: str) -> bytes | None:
        """The vehicle's state, None where it has none."""
        state, carry = self._states.get(vehicle, VehicleState()), self._panes.carries.get(vehicle)
        if carry is None and state == VehicleState():
            return None
        return encode(state, carry)

    def restore(self, vehicle: str, state: bytes) -> None:
        """Set the vehicle's state from `snapshot`.

        Raises:
            domain.errors.StorageError: not a state of this format.
        """
        own, carry = decode(state)
        self.forget(vehicle)
        self._states[vehicle] = own
        if carry is not None:
            self._panes.carries.set(vehicle, carry)

    def lower(self, vehicle: str, sources: Collection[str]) -> None:
        """Nothing: what was judged over many drives ends when the recovery is measured over drives (`domain.repair`)."""

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle's state."""
        self._states.pop(vehicle, None)
        self._panes.carries.drop(vehicle)

    def _settle(self, trip: Trip, part: TripPart) -> _Settled:
        points, counts = settled_points(self._artefact.features, trip, part.values)
        counts &= self._artefact.model.knows(points, self._artefact.features.required)
        return _Settled(trip=trip, time_ns=part.time_ns[counts], points=points[counts], observed=part.values[counts, 0])

    def _compare(self, settled: Sequence[_Settled]) -> None:
        """Add residuals to their trips; one call of the model for all vehicles of the batch."""
        if not settled:
            return
        expected = self._artefact.model.expect(np.concatenate([each.points for each in settled]))
        ends = np.cumsum([len(each.time_ns) for each in settled])
        for each, due in zip(settled, np.split(expected, ends[:-1]), strict=True):
            add_residuals(each.trip, each.time_ns, each.observed, due)

    def _judge(self, vehicle: str, statistic: TripStatistic, closed_ns: int) -> list[Finding]:
        state, baseline = self._states[vehicle], self.baseline(vehicle)
        before = state.cusum
        state.cusum, verdict = judge(before, baseline, statistic, self._artefact.limits)
        if vehicle not in self._baselines and learnable(self._artefact, state, baseline, statistic):
            state.learnt = (*state.learnt, statistic.residual)
        transition = {
            Verdict.RAISED: Transition.RAISED,
            Verdict.REPEATED: Transition.REPEATED,
            Verdict.CLEARED: Transition.CLEARED,
        }.get(verdict)
        if transition is None:
            return []
        about = before if verdict is Verdict.CLEARED else state.cusum
        return [self._finding(vehicle, transition, closed_ns, about, baseline, statistic)]

    def _finding(
        self,
        vehicle: str,
        transition: Transition,
        time_ns: int,
        cusum: CusumState,
        baseline: Baseline,
        statistic: TripStatistic,
    ) -> Finding:
        drift, side = cusum.drift, cusum.side
        shift = Shift(
            side=side,
            by=drift.mean,
            trips=drift.trips,
            observed=statistic.observed,
            expected=statistic.expected + baseline.location,
        )
        cleared = transition is Transition.CLEARED
        wording = self._words.cleared(shift) if cleared else self._words.raised(shift)
        return Finding(
            vehicle=vehicle,
            source=Source(kind=SourceKind.MODEL, id=self.name, version=self._artefact.version),
            transition=transition,
            time_ns=time_ns,
            group_key=self._words.group_key,
            severity=wording.severity,
            urgency=wording.urgency,
            title=wording.title,
            explanation=wording.explanation,
            evidence=self._evidence(shift, drift, statistic),
        )

    def _evidence(self, shift: Shift, drift: Drift, statistic: TripStatistic) -> tuple[Evidence, ...]:
        target, limits = self._artefact.features.target, self._artefact.limits
        comparison = ">" if shift.side > 0 else "<"
        unit = catalogue()[target.path].unit
        return (
            Evidence(
                kind="model",
                signal=target.path,
                value=shift.observed,
                unit=unit,
                threshold=shift.expected,
                comparison=comparison,
                window_start_ns=statistic.start_ns,
                window_end_ns=statistic.end_ns,
                note=f"observed against expected, mean of {statistic.panes} panes of {self._artefact.features.pane_s} s",
            ),
            Evidence(
                kind="model",
                signal=self.name,
                value=shift.by,
                unit="K" if unit == "celsius" else unit,
                threshold=shift.side * limits.smallest_drift,
                comparison=comparison,
                window_start_ns=drift.since_ns if drift.trips else statistic.start_ns,
                window_end_ns=statistic.end_ns,
                note=f"estimated drift over {drift.trips} trips, CUSUM {drift.total:.1f} against {limits.threshold:g}",
            ),
        )


def judge(cusum: CusumState, baseline: Baseline, statistic: TripStatistic, limits: Limits) -> tuple[CusumState, Verdict]:
    """The running sums after one more trip, and what it changed."""
    deviation = statistic.residual - baseline.location
    return advance(cusum, deviation, baseline.scale, statistic.start_ns, limits)


def learnable(artefact: Artefact, state: VehicleState, baseline: Baseline, statistic: TripStatistic) -> bool:
    """Whether a vehicle without a given baseline may learn from this trip: early, quiet, and plausible for a healthy one."""
    low, high = artefact.plausible
    return (
        len(state.learnt) < LEARNING_TRIPS
        and not state.cusum.side
        and abs(statistic.residual - baseline.location) <= LEARNABLE_WITHIN * baseline.scale
        and low <= statistic.observed <= high
    )
