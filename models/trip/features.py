"""From panes to features: one figure and operating point per trip and detector, the same code live and in training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from domain.ports import Jit, no_jit
from domain.signals import SampleBatch
from models.trip import kernels
from models.trip.entries import Detector
from models.trip.panes import FRESH, PaneCutter, Panes
from models.trip.slots import Floats, Ints, Slots

SUMS = "sums"
COUNT, TOP, BOTTOM, SQUARES, POINT = 0, 1, 2, 3, 4
"""Of a detector's sums over the panes of a trip; the operating point comes last."""
LEAST = 1e-6
"""Figures that are judged by their logarithm count as at least this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TripRows:
    """Trips that say something to one detector, each vehicle's in order of time.

    Attributes:
        slot: int64[n], the vehicle's. start_ns, closed_ns: event times of the trip's first record and of the one that ended it.
        panes: how many counted. value: the figure. weight: 1 for a full trip, less for one that tells less.
        points: float64[n, q], 1 and the operating point.
    """

    detector: int
    slot: Ints
    start_ns: Ints
    closed_ns: Ints
    panes: Ints
    value: Floats
    weight: Floats
    points: Floats

    def __len__(self) -> int:
        return len(self.slot)


class TripFeatures:
    """Works out the features of whole trips.

    Args:
        slots: has the tables that `tables_of` names.
    """

    def __init__(self, detectors: Sequence[Detector], slots: Slots, jit: Jit = no_jit) -> None:
        self._detectors, self._slots = tuple(detectors), slots
        self._cutter, self._add = PaneCutter(slots, jit), jit(kernels.add_rows)
        self._offsets = np.cumsum([0, *(each.sums for each in detectors)]).tolist()

    def read(self, samples: SampleBatch) -> Iterator[TripRows]:
        """The trips that end in this batch, detector by detector within blocks of time."""
        for panes in self._cutter.cut(samples):
            yield from self._of_block(panes)

    def _of_block(self, panes: Panes) -> list[TripRows]:
        ended = panes.closed_ns > 0
        begins = np.append(True, (np.diff(panes.slot) != 0) | ended[:-1])
        run = np.cumsum(begins) - 1
        last = np.append(np.flatnonzero(begins)[1:], len(panes)) - 1
        own = panes.slot[last]
        carried = self._slots.tables[SUMS]
        table = np.zeros((len(last), carried.shape[1]))
        # a vehicle's first run of the block goes on with what it carries, the others begin anew
        _, foremost = np.unique(own, return_index=True)
        table[foremost] = carried[own[foremost]]
        for detector, offset in zip(self._detectors, self._offsets[:-1], strict=True):
            if detector.formula.known(panes):
                self._sum(detector, panes, run, table[:, offset : offset + detector.sums])
        over = ended[last]
        carried[own[over]] = 0.0
        carried[own[~over]] = table[~over]
        if not over.any():
            return []
        age_ns = (panes["age_s"][last] * 1e9).round().astype(np.int64)
        times = own[over], (panes.end_ns[last] - age_ns)[over], panes.closed_ns[last][over]
        found = (self._rows(number, table[over], *times) for number in range(len(self._detectors)))
        return [rows for rows in found if len(rows)]

    def _sum(self, detector: Detector, panes: Panes, run: Ints, table: Floats) -> None:
        formula = detector.formula
        top = formula.top(panes)
        bottom = np.ones(len(top)) if formula.bottom is None else formula.bottom(panes)
        counts = np.flatnonzero(formula.when(panes) & np.isfinite(top) & np.isfinite(bottom))
        if not len(counts):
            return
        top, bottom = top[counts], bottom[counts]
        point = [each.at(panes)[counts] for each in detector.regressors]
        self._add(table, run[counts], np.stack([np.ones(len(counts)), top, bottom, top * top, *point]))

    def _rows(self, number: int, table: Floats, slot: Ints, start_ns: Ints, closed_ns: Ints) -> TripRows:
        entry = self._detectors[number].entry
        sums = table[:, self._offsets[number] : self._offsets[number + 1]]
        count, bottom = sums[:, COUNT], np.abs(sums[:, BOTTOM])
        enough = (count >= entry.least_panes) & (bottom > entry.least_bottom)
        if entry.moving:
            # a sensor that froze repeats one value: its squares differ from the square of its mean by rounding only
            enough &= count * sums[:, SQUARES] - sums[:, TOP] ** 2 > 1e-9 * count * sums[:, SQUARES]
        rows = np.flatnonzero(enough)
        sums, count, bottom = sums[rows], count[rows], bottom[rows]
        weight = np.ones(len(rows))
        if entry.full_bottom:
            weight = np.minimum(1.0, bottom / entry.full_bottom) ** 2
        return TripRows(
            detector=number,
            slot=slot[rows],
            start_ns=start_ns[rows],
            closed_ns=closed_ns[rows],
            panes=count.astype(np.int64),
            value=np.log(np.maximum(sums[:, TOP] / sums[:, BOTTOM], LEAST)) if entry.log else sums[:, TOP] / sums[:, BOTTOM],
            weight=weight,
            points=np.column_stack([np.ones(len(rows)), sums[:, POINT:] / count[:, None]]),
        )


def tables_of(detectors: Sequence[Detector]) -> dict[str, Floats | Ints]:
    """What `TripFeatures` carries: name of each table -> a fresh row."""
    fresh: dict[str, Floats | Ints] = dict(FRESH)
    return fresh | {SUMS: np.zeros(sum(each.sums for each in detectors))}
