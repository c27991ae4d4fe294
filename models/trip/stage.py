"""The trip detectors as one stage of the line: samples in, findings at the end of trips out."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from domain.findings import Evidence, Finding, Source, SourceKind, Text, Transition, Urgency
from domain.ports import Jit, no_jit
from domain.signals import SampleBatch
from domain.trouble_codes import DtcBatch
from models.trip import judgement, trend, words
from models.trip.channels import CHANNELS
from models.trip.entries import Detector, Entry, Side, shipped, version_of
from models.trip.features import TripFeatures, TripRows, tables_of
from models.trip.panes import NS_PER_S
from models.trip.slots import Floats, Slots
from models.trip.words import Account

NAME = "trip_detectors"
WATCH = "_watch"
"""Ends the id of what only analysts see: findings of urgency MONITOR, of which no order is made."""
DAY_NS = 86_400 * NS_PER_S
LEAST_DAYS = 6
"""Points that a pace needs."""
SURE = 0.5
"""Share of a limit that the sure end of a pace's interval has to reach."""

_SHIFTS = (
    (judgement.WATCH_RAISED, WATCH, Transition.RAISED),
    (judgement.ALERT_RAISED, "", Transition.RAISED),
    (judgement.WATCH_CLEARED, WATCH, Transition.CLEARED),
    (judgement.ALERT_CLEARED, "", Transition.CLEARED),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """What was decided of `rows`: `told` [n, judgement.TOLD + 2 q] as `judgement.judge_trips` writes it."""

    rows: TripRows
    told: Floats


class TripDetectors:
    """A `domain.ports.FindingStage`; decides at the end of each trip, for the vehicles that have the inputs."""

    def __init__(self, detectors: Sequence[Detector] | None = None, jit: Jit = no_jit) -> None:
        self.detectors = shipped() if detectors is None else tuple(detectors)
        self.name = NAME
        self.version = version_of(self.detectors)
        self.paths = frozenset(each.path for each in CHANNELS)
        self._slots = Slots({**tables_of(self.detectors), **{each.id: each.fresh for each in self.detectors}})
        self._features = TripFeatures(self.detectors, self._slots, jit)
        self._judge = jit(judgement.judge_trips)

    def evaluate(self, samples: SampleBatch, dtcs: DtcBatch) -> list[Finding]:  # noqa: ARG002 (trouble codes say nothing here)
        """Findings of the trips that end in this batch, by vehicle, time and source."""
        findings = [finding for verdicts in self.verdicts(samples) for finding in self._findings(verdicts)]
        return sorted(findings, key=lambda each: (each.vehicle, each.time_ns, each.source.id))

    def verdicts(self, samples: SampleBatch) -> list[Verdicts]:
        """What each detector says of each trip that ends in this batch."""
        return [self.judge(rows) for rows in self._features.read(samples)]

    def judge(self, rows: TripRows) -> Verdicts:
        """Take in these trips."""
        detector = self.detectors[rows.detector]
        entry = detector.entry
        told = np.empty((len(rows), judgement.TOLD + 2 * detector.q))
        self._judge(
            rows.slot,
            rows.start_ns / NS_PER_S,
            rows.value,
            rows.weight,
            rows.points,
            self._slots.tables[detector.id],
            float(entry.learn),
            entry.prior.steadiest,
            entry.limits.allowance,
            entry.limits.watch,
            entry.limits.alert,
            *detector.smallest,
            told,
        )
        return Verdicts(rows=rows, told=told)

    @property
    def state_bytes_per_vehicle(self) -> int:
        """What a vehicle under way takes in memory."""
        return sum(table.dtype.itemsize * table.shape[1] for table in self._slots.tables.values())

    def vehicle(self, slot: int) -> str:
        """Whose `TripRows.slot` this is."""
        return self._slots.vehicle(slot)

    def snapshot(self, vehicle: str) -> bytes | None:
        """The vehicle's state, None where it has none."""
        return self._slots.snapshot(vehicle)

    def restore(self, vehicle: str, state: bytes) -> None:
        """Set the vehicle's state from `snapshot`.

        Raises:
            domain.errors.StorageError: not a state of this format.
        """
        self._slots.restore(vehicle, state)

    def lower(self, vehicle: str, sources: Collection[str]) -> None:
        """These sources count as not raised any more; the part is another one, so its running sums and trend begin anew."""
        for detector in self.detectors:
            row = self._slots.row(detector.id, vehicle)
            if row is not None and {detector.id, detector.id + WATCH} & set(sources):
                row[judgement.WATCH : judgement.COEFFICIENTS] = 0.0
                if detector.entry.by_days:
                    trend.restart(row[-trend.TREND_WIDTH :])

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle's state."""
        self._slots.forget(vehicle)

    def _findings(self, verdicts: Verdicts) -> list[Finding]:
        detector = self.detectors[verdicts.rows.detector]
        said = verdicts.told[:, judgement.SAID].astype(np.int64)
        found = [each for row in np.flatnonzero(said).tolist() for each in self._shifts(detector, verdicts, row, int(said[row]))]
        if detector.entry.by_days:
            for row in range(len(said)):
                found += self._by_days(detector, verdicts, row)
        return found

    def _shifts(self, detector: Detector, verdicts: Verdicts, row: int, said: int) -> list[Finding]:
        entry, account = detector.entry, account_of(detector, verdicts, row)
        side = entry.high if verdicts.told[row, judgement.SIDE] > 0 else entry.low
        if side is None:
            return []
        transitions = [(tier, transition) for bit, tier, transition in _SHIFTS if said & bit]
        if said & judgement.REPEATED:
            raised = self._slots.tables[detector.id][verdicts.rows.slot[row], judgement.ALERT] != 0.0
            transitions.append(("" if raised else WATCH, Transition.REPEATED))
        evidence = self._evidence(detector, verdicts, row, account)
        return [
            self._finding(
                detector,
                side,
                tier,
                transition,
                verdicts.rows,
                row,
                words.returned(entry, account) if transition is Transition.CLEARED else words.shifted(entry, side, account),
                evidence,
            )
            for tier, transition in transitions
        ]

    def _by_days(self, detector: Detector, verdicts: Verdicts, row: int) -> list[Finding]:
        """Whether a limit is near, or a change too fast; once a day."""
        entry, rows = detector.entry, verdicts.rows
        own = self._slots.tables[detector.id][rows.slot[row]][-trend.TREND_WIDTH :]
        account = account_of(detector, verdicts, row)
        level = account.observed - sum(each.value for each in account.contributions if each.name != "level")
        if not trend.add_point(own, float(rows.closed_ns[row] / DAY_NS), level):
            return []
        side, upwards = (entry.high, 1.0) if entry.high else (entry.low, -1.0)
        if entry.rate is not None:
            trend.keep_recent(own, entry.rate.window_days, -upwards * entry.rate.reset)
            line = trend.slope(own, least_points=LEAST_DAYS, least_days=LEAST_DAYS - 1.0)
        else:
            line = trend.slope(own)
        if line is None or side is None:
            return []
        found = []
        for tier, flag, near in ((WATCH, trend.WATCH, _near(entry, line, watch=True)), ("", trend.ALERT, _near(entry, line))):
            if near == bool(own[flag]):
                continue
            own[flag] = float(near)
            transition = Transition.RAISED if near else Transition.CLEARED
            told = words.losing(entry, side, line) if entry.trend is None else words.worn(entry, side, line, entry.trend.limit)
            evidence = _line_evidence(detector, line, rows, row)
            found.append(self._finding(detector, side, tier, transition, rows, row, told, evidence))
        return found

    def _evidence(self, detector: Detector, verdicts: Verdicts, row: int, account: Account) -> tuple[Evidence, ...]:
        entry, rows, told = detector.entry, verdicts.rows, verdicts.told[row]
        comparison = ">" if told[judgement.SIDE] > 0 else "<"
        window = {"window_end_ns": int(rows.closed_ns[row])}
        since_ns = int(told[judgement.SINCE_S] * NS_PER_S) or int(rows.start_ns[row])
        level = Evidence(
            kind="model",
            signal=detector.signal,
            value=words.figure(entry, account.observed),
            unit=entry.unit,
            threshold=words.figure(entry, account.expected),
            comparison=comparison,
            window_start_ns=int(rows.start_ns[row]),
            note=f"observed against expected, over {rows.panes[row]} panes",
            **window,
        )
        drift = Evidence(
            kind="model",
            signal=detector.id,
            value=account.mean,
            unit="ln" if entry.log else entry.unit,
            threshold=detector.smallest[0] if comparison == ">" else -detector.smallest[1],
            comparison=comparison,
            window_start_ns=since_ns,
            note=f"mean deviation over {account.trips} trips, 95 % from {account.low:.4g} to {account.high:.4g},"
            f" running sum {told[judgement.TOTAL]:.1f} against {entry.limits.watch:g} and {entry.limits.alert:g}",
            **window,
        )
        parts = tuple(
            Evidence(
                kind="model",
                signal=f"{detector.id}.{each.name}",
                value=each.value,
                unit="ln" if entry.log else entry.unit,
                note=each.words.en,
            )
            for each in account.greatest
        )
        return (level, drift, *parts)

    def _finding(
        self,
        detector: Detector,
        side: Side,
        tier: str,
        transition: Transition,
        rows: TripRows,
        row: int,
        explanation: Text,
        evidence: tuple[Evidence, ...],
    ) -> Finding:
        return Finding(
            vehicle=self._slots.vehicle(int(rows.slot[row])),
            source=Source(kind=SourceKind.MODEL, id=detector.id + tier, version=self.version),
            transition=transition,
            time_ns=int(rows.closed_ns[row]),
            group_key=detector.entry.group_key,
            severity=side.severity,
            urgency=Urgency.MONITOR if tier else side.urgency,
            title=title_of(detector, side),
            explanation=explanation,
            evidence=evidence,
        )


def title_of(detector: Detector, side: Side) -> Text:
    """The title of its findings, with the place where there are several."""
    if detector.where is None:
        return Text(en=side.title.en, zh=side.title.zh)
    return Text(en=f"{side.title.en} ({detector.where.en})", zh=f"{side.title.zh}（{detector.where.zh}）")


def account_of(detector: Detector, verdicts: Verdicts, row: int) -> Account:
    """One trip against what was expected of it, in words and figures."""
    told, rows = verdicts.told[row], verdicts.rows
    trips = max(1, int(told[judgement.TRIPS]))
    half = trend.Z95 * told[judgement.NOISE] / float(np.sqrt(trips))
    names = tuple(detector.entry.regressors)
    parts = words.contributions(names, detector.regressors, told[judgement.TOLD : judgement.TOLD + detector.q], rows.points[row])
    return Account(
        observed=float(rows.value[row]),
        contributions=parts,
        error=float(told[judgement.ERROR]),
        mean=float(told[judgement.MEAN]),
        low=float(told[judgement.MEAN] - half),
        high=float(told[judgement.MEAN] + half),
        trips=trips,
    )


def _near(entry: Entry, line: trend.Slope, *, watch: bool = False) -> bool:
    """Whether the limit is near by the middle estimate, or the change surely too fast."""
    upwards = 1.0 if entry.high else -1.0
    steep, least = upwards * line.per_day, min(upwards * line.low, upwards * line.high)
    if entry.trend is not None:
        days = entry.trend.watch_days if watch else entry.trend.alert_days
        beyond = upwards * (line.level - entry.trend.limit) >= 0.0
        return beyond or (least > 0.0 and line.days_left(entry.trend.limit)[0] <= days)
    if entry.rate is not None:
        limit = entry.rate.watch if watch else entry.rate.alert
        return steep >= limit and least >= SURE * limit
    return False


def _line_evidence(detector: Detector, line: trend.Slope, rows: TripRows, row: int) -> tuple[Evidence, ...]:
    entry = detector.entry
    note = f"slope {line.per_day:.4g} a day, 95 % from {line.low:.4g} to {line.high:.4g}"
    limit = None
    if entry.trend is not None:
        limit = entry.trend.limit
        left, sooner, later = line.days_left(limit)
        note += f"; days left {left:.0f}, 95 % from {sooner:.0f} to {later:.0f}"
    comparison = ">" if entry.high else "<"
    window = {"window_start_ns": int(rows.closed_ns[row] - line.days * DAY_NS), "window_end_ns": int(rows.closed_ns[row])}
    level = Evidence(
        kind="model",
        signal=detector.signal,
        value=line.level,
        unit=entry.unit,
        threshold=limit,
        comparison=comparison,
        note=note,
        **window,
    )
    pace = Evidence(
        kind="model",
        signal=detector.id,
        value=line.per_day,
        unit=f"{entry.unit}/d",
        threshold=None if entry.rate is None else math.copysign(entry.rate.alert, line.per_day),
        comparison=comparison,
        note="slope by Theil and Sen",
        **window,
    )
    return level, pace
