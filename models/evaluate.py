"""How good a detector is on vehicles that it was not tuned on: recall, false alarms, delay, each with a bootstrap over vehicles."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.findings import Transition
from domain.signals import SampleBatch
from models.artefact import Artefact
from models.baseline import Baseline
from models.coolant_detector import CoolantWords
from models.feature_set import NS_PER_S
from models.residual_detector import NO_BASELINES, ResidualDetector, Words

DAY_NS = 86_400 * NS_PER_S
TAIL = 0.025


@dataclass(slots=True, kw_only=True)
class _Record:
    """What happened to one vehicle; `delay_*` are those of the first alarm after the onset."""

    faulty: bool
    healthy_trips: int = 0
    healthy_days: set[int] = field(default_factory=set)
    judged_trips: int = 0
    false_alarms: int = 0
    faulty_trips: int = 0
    faulty_judged: int = 0
    delay_trips: int | None = None
    delay_judged: int | None = None
    delay_s: float | None = None


def evaluate_coolant(
    artefact: Artefact,
    trips: Iterable[SampleBatch],
    onsets: Mapping[str, int],
    *,
    baselines: Mapping[str, Baseline] = NO_BASELINES,
    replicates: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Figures of the coolant detector; see `evaluate`."""
    return evaluate(artefact, CoolantWords(), trips, onsets, baselines=baselines, replicates=replicates, seed=seed)


def evaluate(
    artefact: Artefact,
    words: Words,
    trips: Iterable[SampleBatch],
    onsets: Mapping[str, int],
    *,
    baselines: Mapping[str, Baseline] = NO_BASELINES,
    replicates: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Run a detector over whole trips of many vehicles and compare with the truth.

    Args:
        trips: batches that each hold one trip of one vehicle, each vehicle's in order of time, ending with its tick.
        onsets: vehicle -> event time from which it is faulty; other vehicles are healthy throughout.
        replicates, seed: of the bootstrap, which draws vehicles.

    Returns:
        counts; `recall`, `false_alarms_per_1000_trips`, `false_alarms_per_1000_vehicle_days` (days with a trip),
        `delay_trips`, `delay_judged_trips` (only trips with enough settled driving) and `delay_s` (medians over found faults),
        each with `NAME_ci` = [2.5 %, 97.5 %]; None where there is nothing to count. Where a bootstrap cannot see a spread,
        because no alarm was false or every fault was found, the open end of the interval is the exact Poisson or binomial one.
    """
    detector = ResidualDetector(artefact, words, baselines)
    records: dict[str, _Record] = {}
    for batch in trips:
        record = records.setdefault(batch.vehicles[0], _Record(faulty=batch.vehicles[0] in onsets))
        _take(record, detector, batch, onsets.get(batch.vehicles[0]))
    rows = list(records.values())
    figures: dict[str, Any] = {
        "vehicles": len(rows),
        "faulty_vehicles": sum(row.faulty for row in rows),
        "healthy_trips": sum(row.healthy_trips for row in rows),
        "healthy_days": sum(len(row.healthy_days) for row in rows),
        "judged_trips": sum(row.judged_trips for row in rows),
        "false_alarms": sum(row.false_alarms for row in rows),
        "found": sum(row.delay_trips is not None for row in rows),
    }
    rng = np.random.default_rng(seed)
    draws = rng.integers(0, len(rows), (replicates, len(rows))) if rows else np.empty((0, 0), np.int64)
    for name, figure in _FIGURES.items():
        figures[name] = figure(rows)
        figures[f"{name}_ci"] = _interval(figure, rows, draws)
    if figures["recall"] == 1.0:
        figures["recall_ci"] = [TAIL ** (1 / figures["faulty_vehicles"]), 1.0]
    for unit, count in (("trips", figures["healthy_trips"]), ("vehicle_days", figures["healthy_days"])):
        if figures["false_alarms"] == 0 and count:
            figures[f"false_alarms_per_1000_{unit}_ci"] = [0.0, -math.log(TAIL) * 1000.0 / count]
    return figures


def _take(record: _Record, detector: ResidualDetector, batch: SampleBatch, onset_ns: int | None) -> None:
    faulty = onset_ns is not None and int(batch.time_ns[-1]) > onset_ns
    statistics = detector.trips(batch)
    judged = len(statistics)
    record.judged_trips += judged
    if faulty:
        record.faulty_trips += 1
        record.faulty_judged += judged
    else:
        record.healthy_trips += 1
        record.healthy_days.add(int(batch.time_ns[0]) // DAY_NS)
    for finding in detector.judge_trips(statistics):
        if finding.transition is not Transition.RAISED:
            continue
        if onset_ns is None or not faulty:
            record.false_alarms += 1
        elif record.delay_trips is None:
            record.delay_trips, record.delay_judged = record.faulty_trips, record.faulty_judged
            record.delay_s = (finding.time_ns - onset_ns) / NS_PER_S


def _ratio(above: float, below: float) -> float | None:
    return above / below if below else None


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.median(known)) if known else None


_FIGURES: Mapping[str, Callable[[Sequence[_Record]], float | None]] = {
    "recall": lambda rows: _ratio(sum(row.delay_trips is not None for row in rows), sum(row.faulty for row in rows)),
    "false_alarms_per_1000_trips": lambda rows: _ratio(
        1000.0 * sum(row.false_alarms for row in rows), sum(row.healthy_trips for row in rows)
    ),
    "false_alarms_per_1000_vehicle_days": lambda rows: _ratio(
        1000.0 * sum(row.false_alarms for row in rows), sum(len(row.healthy_days) for row in rows)
    ),
    "delay_trips": lambda rows: _median([row.delay_trips for row in rows]),
    "delay_judged_trips": lambda rows: _median([row.delay_judged for row in rows]),
    "delay_s": lambda rows: _median([row.delay_s for row in rows]),
}


def _interval(
    figure: Callable[[Sequence[_Record]], float | None], rows: Sequence[_Record], draws: NDArray[np.int64]
) -> list[float] | None:
    drawn = [figure([rows[number] for number in draw]) for draw in draws.tolist()]
    known = [value for value in drawn if value is not None]
    return [float(each) for each in np.percentile(known, (100 * TAIL, 100 * (1 - TAIL)))] if known else None
