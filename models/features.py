"""From a stream of samples to panes: means of held values over fixed steps of event time, carried per vehicle.

A held value is read off at every multiple of the grid step: the last value before that instant, unless it is stale. A pane is
the mean of the readings that it holds. Both lie on the epoch's grid and are summed in order of time, so that a pane is the same
to the last bit wherever the stream was cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frames import TickKind
from domain.signals import TICK_SIGNAL, SampleBatch
from models.feature_set import NS_PER_S, FeatureSet
from models.pane_carry import NO_ROW, Floats, Ints, PaneCarries

NEVER = -(2**62)
"""Time of a value that was never seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TripPart:
    """The panes that a batch completes within one trip of one vehicle.

    Attributes:
        time_ns: int64[k], end of each pane. values: float64[k, columns], NaN where an input was absent for half a pane or more.
        closed_ns: event time of the record that ended the trip, None while it goes on.
    """

    vehicle: str
    time_ns: Ints
    values: Floats
    closed_ns: int | None


@dataclass(frozen=True, slots=True)
class _Records:
    """Samples of our own inputs and end-of-drive ticks; `column` is the input's, or `len(columns)` for a tick."""

    time_ns: Ints
    vehicle: NDArray[np.int32]
    column: NDArray[np.int32]
    value: Floats


@dataclass(frozen=True, slots=True)
class _Runs:
    """Stretches of records that belong to one trip of one vehicle: rows [first, stop); grid steps [grid, grid_stop)."""

    first: Ints
    stop: Ints
    grid: Ints
    grid_stop: Ints
    held_ns: Ints
    held: Floats
    sums: Floats
    counts: Ints


class PaneStream:
    """Cuts sample batches into panes; `carries` has a row for each vehicle that is under way."""

    def __init__(self, features: FeatureSet) -> None:
        self.features = features
        self.carries = PaneCarries(len(features.columns))
        self._grid_ns = features.grid_s * NS_PER_S
        self._per_pane = features.pane_s // features.grid_s
        self._gap_ns = features.trip_gap_s * NS_PER_S
        self._stale_ns = np.array([round(each.stale_after_s * NS_PER_S) for each in features.columns], np.int64)

    def cut(self, samples: SampleBatch) -> Iterator[TripPart]:
        """The panes that this batch completes and the trips that it ends, by vehicle and in order of time; no parts of nothing."""
        records = self._select(samples)
        if not len(records.time_ns):
            return
        runs, interrupted = self._open(samples, records, self._bounds(records))
        bins, sums, counts = self._fill(records, runs)
        closed, closed_ns = self._closed(records, runs)
        self._carry(samples, records, runs, closed, (sums[bins[1:] - 1], counts[bins[1:] - 1]))
        with np.errstate(invalid="ignore", divide="ignore"):
            means = np.where(2 * counts >= self._per_pane, sums / counts, np.nan)
        panes = np.diff(bins) - 1
        for run in np.flatnonzero((panes > 0) | closed | interrupted).tolist():
            first = runs.first[run]
            vehicle = samples.vehicles[records.vehicle[first]]
            if interrupted[run]:
                yield self._silence(vehicle, int(records.time_ns[first]))
            pane = runs.grid[run] // self._per_pane + np.arange(panes[run])
            yield TripPart(
                vehicle=vehicle,
                time_ns=(pane + 1) * (self._per_pane * self._grid_ns),
                values=means[bins[run] : bins[run] + panes[run]],
                closed_ns=int(closed_ns[run]) if closed[run] else None,
            )

    def _carry(
        self, samples: SampleBatch, records: _Records, runs: _Runs, closed: NDArray[np.bool_], unfinished: tuple[Floats, Ints]
    ) -> None:
        """Take over the trips that go on, drop those that ended. `unfinished`: sums and counts of each run's last pane."""
        held_ns, held = self._held(records, runs, runs.stop, np.arange(len(runs.first)))
        vehicle = records.vehicle[runs.first]
        last = np.append(np.diff(vehicle) != 0, True)
        for number in vehicle[last & closed].tolist():
            self.carries.drop(samples.vehicles[number])
        going = np.flatnonzero(~closed)
        rows = self.carries.made_rows([samples.vehicles[number] for number in vehicle[going].tolist()])
        self.carries.last_ns[rows] = records.time_ns[runs.stop[going] - 1]
        self.carries.next_grid[rows] = np.maximum(runs.grid, runs.grid_stop)[going]
        self.carries.held_ns[rows], self.carries.held[rows] = held_ns[going], held[going]
        self.carries.sums[rows], self.carries.counts[rows] = (of_runs[going] for of_runs in unfinished)

    def _select(self, samples: SampleBatch) -> _Records:
        columns = {each.path: number for number, each in enumerate(self.features.columns)}
        of_path = np.array([columns.get(path, -1) for path in samples.paths] or [-1], np.int32)
        is_tick = samples.signal == TICK_SIGNAL
        column = np.where(is_tick, len(columns), of_path[np.where(is_tick, 0, samples.signal)]).astype(np.int32)
        wanted = np.where(is_tick, samples.value == TickKind.END_OF_DRIVE, (column >= 0) & np.isfinite(samples.value))
        rows = np.flatnonzero(wanted)
        return _Records(samples.time_ns[rows], samples.vehicle[rows], column[rows], samples.value[rows])

    def _bounds(self, records: _Records) -> Ints:
        """Rows at which a run begins, and the number of rows."""
        after_tick = records.column[:-1] == len(self.features.columns)
        silence = np.diff(records.time_ns) > self._gap_ns
        begins = np.flatnonzero((np.diff(records.vehicle) != 0) | after_tick | silence) + 1
        return np.concatenate(([0], begins, [len(records.time_ns)])).astype(np.int64)

    def _open(self, samples: SampleBatch, records: _Records, bounds: Ints) -> tuple[_Runs, NDArray[np.bool_]]:
        """Runs with what they carry on, and before which runs a carried trip had fallen silent."""
        first, stop = bounds[:-1], bounds[1:]
        width = len(self.features.columns)
        grid = records.time_ns[first] // self._grid_ns + 1
        held_ns = np.full((len(first), width), NEVER, np.int64)
        held, sums = np.zeros((len(first), width)), np.zeros((len(first), width))
        counts = np.zeros((len(first), width), np.int64)
        interrupted = np.zeros(len(first), np.bool_)
        vehicle = records.vehicle[first]
        foremost = np.flatnonzero(np.diff(vehicle, prepend=-1))
        carries = self.carries
        rows = carries.rows([samples.vehicles[number] for number in vehicle[foremost].tolist()])
        carried, rows = foremost[rows != NO_ROW], rows[rows != NO_ROW]
        silent = records.time_ns[first[carried]] - carries.last_ns[rows] > self._gap_ns
        interrupted[carried[silent]] = True
        run, rows = carried[~silent], rows[~silent]
        grid[run], held_ns[run], held[run] = carries.next_grid[rows], carries.held_ns[rows], carries.held[rows]
        sums[run], counts[run] = carries.sums[rows], carries.counts[rows]
        grid_stop = np.maximum(grid, records.time_ns[stop - 1] // self._grid_ns + 1)
        return _Runs(first, stop, grid, grid_stop, held_ns, held, sums, counts), interrupted

    def _fill(self, records: _Records, runs: _Runs) -> tuple[Ints, Floats, Ints]:
        """First bin of each run (one bin per pane; a run's last one is unfinished) with sums and counts [bins, columns]."""
        steps = runs.grid_stop - runs.grid
        # one slot per grid step and run, and one more for records that no step has seen yet
        slots = np.concatenate(([0], np.cumsum(steps + 1)))
        of_record = np.repeat(np.arange(len(steps)), runs.stop - runs.first)
        slot = np.clip(records.time_ns // self._grid_ns + 1 - runs.grid[of_record], 0, steps[of_record])
        seen = np.cumsum(np.bincount(slots[of_record] + slot, minlength=slots[-1]))
        run = np.repeat(np.arange(len(steps)), steps + 1)
        step = np.arange(slots[-1]) - slots[run]
        real = step < steps[run]
        run, step, seen = run[real], step[real], seen[real]
        held_ns, held = self._held(records, runs, seen, run)
        grid = runs.grid[run] + step
        fresh = (grid * self._grid_ns)[:, None] - held_ns <= self._stale_ns

        first_pane = runs.grid // self._per_pane
        bins = np.concatenate(([0], np.cumsum(runs.grid_stop // self._per_pane - first_pane + 1)))
        # bincount adds in order, what was carried first: the same sum as in one go
        place = np.concatenate((bins[:-1], bins[run] + grid // self._per_pane - first_pane[run]))
        sums = np.empty((bins[-1], held.shape[1]))
        counts = np.empty((bins[-1], held.shape[1]), np.int64)
        for column in range(held.shape[1]):
            readings = np.where(fresh[:, column], held[:, column], 0.0)
            sums[:, column] = np.bincount(place, np.concatenate((runs.sums[:, column], readings)), bins[-1])
            read = np.concatenate((runs.counts[:, column], fresh[:, column]))
            counts[:, column] = np.bincount(place, read, bins[-1])
        return bins, sums, counts

    def _held(self, records: _Records, runs: _Runs, before: Ints, run: Ints) -> tuple[Ints, Floats]:
        """Last time and value of each column among the rows of `run` that stand before row `before`: [len(before), columns]."""
        held_ns, held = runs.held_ns[run], runs.held[run]
        for column in range(held.shape[1]):
            rows = np.flatnonzero(records.column == column)
            if not len(rows):
                continue
            place = np.searchsorted(rows, before) - 1
            row = rows[np.maximum(place, 0)]
            own = (place >= 0) & (row >= runs.first[run])
            held_ns[own, column] = records.time_ns[row[own]]
            held[own, column] = records.value[row[own]]
        return held_ns, held

    def _closed(self, records: _Records, runs: _Runs) -> tuple[NDArray[np.bool_], Ints]:
        """Which runs ended, and when: at their tick, or where the next record broke a silence."""
        last, following = runs.stop - 1, np.minimum(runs.stop, len(records.time_ns) - 1)
        by_tick = records.column[last] == len(self.features.columns)
        broken = (runs.stop < len(records.time_ns)) & (records.vehicle[following] == records.vehicle[last])
        return by_tick | broken, np.where(by_tick, records.time_ns[last], records.time_ns[following])

    def _silence(self, vehicle: str, closed_ns: int) -> TripPart:
        nothing = np.empty((0, len(self.features.columns)))
        return TripPart(vehicle=vehicle, time_ns=np.empty(0, np.int64), values=nothing, closed_ns=closed_ns)
