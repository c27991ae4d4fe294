"""Features and lives of a simulated fleet over months, as files that `pitcall models train` reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from domain.errors import InputError
from domain.ports import Jit, no_jit
from domain.signals import SampleBatch
from models.risk.feature_words import AGE, DEVIATION
from models.trip import judgement
from models.trip.stage import TripDetectors
from simulator.fleet_tables import write_table
from simulator.life import FleetYear

DAY_NS = 86_400 * 1_000_000_000
STEP_DAYS, RECENT_DAYS = 7, 14
"""A row each week, of the trips of the last two."""
GROUP = 20
LIFE_COLUMNS = ("vehicle", "component", "begins", "ends", "failed")


class TripHistory:
    """What each detector said of each trip of some vehicles: (vehicle, detector) -> rows of (end, value, deviation)."""

    def __init__(self, jit: Jit = no_jit) -> None:
        self._stage = TripDetectors(jit=jit)
        self.detectors = tuple(detector.id for detector in self._stage.detectors)
        self.trips: dict[str, dict[str, list[NDArray[np.float64]]]] = defaultdict(lambda: defaultdict(list))

    def take(self, samples: SampleBatch) -> None:
        """Samples that follow those before, of the same vehicles or of others."""
        for verdicts in self._stage.verdicts(samples):
            rows, told = verdicts.rows, verdicts.told
            noise = np.maximum(np.hypot(told[:, judgement.NOISE], told[:, judgement.ERROR]), 1e-9)
            deviation = (rows.value - told[:, judgement.EXPECTED]) / noise
            table = np.column_stack([rows.closed_ns / DAY_NS, rows.value, deviation])
            name = self._stage.detectors[rows.detector].id
            for slot in np.unique(rows.slot).tolist():
                self.trips[self._stage.vehicle(slot)][name].append(table[rows.slot == slot])


def weekly_rows(
    trips: dict[str, list[NDArray[np.float64]]], detectors: Iterable[str], days: NDArray[np.int64]
) -> NDArray[np.float64]:
    """One vehicle's features at the end of each of these days [days, 2 per detector]: mean value and mean deviation of the latest trips."""
    columns = []
    for detector in detectors:
        table = np.concatenate(trips[detector]) if trips.get(detector) else np.empty((0, 3))
        first, last = (np.searchsorted(table[:, 0], days + 1 - back) for back in (RECENT_DAYS, 0))
        sums = np.vstack([np.zeros(2), np.cumsum(table[:, 1:], axis=0)])
        counts = (last - first).astype(np.float64)
        counts[counts == 0.0] = np.nan
        columns.append((sums[last] - sums[first]) / counts[:, None])
    return np.hstack(columns)


def write_features(year: FleetYear, out: Path, *, jit: Jit = no_jit, told: Callable[[int], None] = lambda _cars: None) -> int:
    """Write features.parquet and lives.csv of every component; gives the number of rows.

    Args:
        told: called with the number of cars done.

    Raises:
        InputError: the folder cannot be written.
    """
    days = np.arange(year.start_ns // DAY_NS + STEP_DAYS, year.start_ns // DAY_NS + year.days, STEP_DAYS, dtype=np.int64)
    tables = []
    for first in range(0, len(year.vehicles), GROUP):
        group = range(first, min(first + GROUP, len(year.vehicles)))
        history = TripHistory(jit)
        for samples in year.blocks_of(group):
            history.take(samples)
        tables += [_table(year, number, history, days) for number in group]
        told(len(group))
    try:
        out.mkdir(parents=True, exist_ok=True)
        table = pa.concat_tables(tables)
        pq.write_table(table, out / "features.parquet", compression="zstd")
        write_table(out / "lives.csv", LIFE_COLUMNS, _lives(year))
    except OSError as problem:
        what = f"cannot be written ({problem.strerror})"
        raise InputError(what, file=out, mend="give a folder that you may write") from problem
    return int(table.num_rows)


def _table(year: FleetYear, number: int, history: TripHistory, days: NDArray[np.int64]) -> pa.Table:
    car = year.vehicles[number]
    values = weekly_rows(history.trips[car.id], history.detectors, days)
    kept = ~np.isnan(values).all(axis=1)
    times = pa.array((days[kept] + 1) * DAY_NS).cast(pa.timestamp("ns", "UTC"))
    columns: dict[str, pa.Array] = {
        "vehicle": pa.array([car.id] * int(kept.sum()), pa.string()),
        "event_time": times,
        "available_time": times,
        "region": pa.array([car.city.region] * int(kept.sum()), pa.string()),
        AGE: pa.array((days[kept] - int(car.built.timestamp()) // 86_400).astype(np.float64)),
    }
    names = [f"{detector}{kind}" for detector in history.detectors for kind in ("", DEVIATION)]
    columns |= {name: pa.array(values[kept, place], from_pandas=True) for place, name in enumerate(names)}
    return pa.table(columns)


def _lives(year: FleetYear) -> Iterable[dict[str, str]]:
    """Every component of every car: a life ends where a fault was found or broke down, and the next begins with the repair."""
    end_s = year.days * 86_400.0
    components = sorted({component for car in year.vehicles for component in car.lots})
    for car in year.vehicles:
        ends: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for fault in year.history(car.number).faults:
            ends[fault.component].append((min(fault.failed_s, fault.repaired_s), fault.repaired_s))
        for component in (each for each in components if each in car.lots):
            begins_s = 0.0
            for failed_s, repaired_s in sorted(ends[component]):
                if begins_s <= failed_s < end_s:
                    yield _life(year, car.id, component, begins_s, failed_s, failed=True)
                    begins_s = repaired_s if isfinite(repaired_s) else end_s
            if begins_s < end_s:
                yield _life(year, car.id, component, begins_s, end_s, failed=False)


def _life(year: FleetYear, vehicle: str, component: str, begins_s: float, ends_s: float, *, failed: bool) -> dict[str, str]:
    begins, ends = (
        datetime.fromtimestamp(year.start_ns / 1e9 + time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for time_s in (begins_s, ends_s)
    )
    return {"vehicle": vehicle, "component": component, "begins": begins, "ends": ends, "failed": "true" if failed else "false"}
