"""From a stream of samples to panes: means over 10 s of event time, with what the trip remembers, carried per vehicle.

Panes lie on the epoch's grid, and what they hold is added up in order of time, so that a pane is the same to the last bit wherever
the stream was cut. A trip ends at an end-of-drive tick, or where a record breaks a silence of ten minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.ports import Jit, no_jit
from domain.signals import SampleBatch
from models.trip import kernels
from models.trip.channels import CHANNELS, COLUMNS, FIRST, PREVIOUS
from models.trip.slots import Floats, Ints, Slots

PANE_S = 10
NS_PER_S = 1_000_000_000
GAP_NS = 600 * NS_PER_S
ROOM = 8192
"""Panes that are worked on at a time: few enough to stay in the cache, and to keep memory flat."""

CLOCK, PANES = "clock", "panes"
FRESH: dict[str, Floats | Ints] = {
    CLOCK: np.full(2, kernels.NEVER, np.int64),
    PANES: np.zeros(kernels.HEADER + 4 * len(CHANNELS) + len(PREVIOUS) + len(FIRST)),
}
"""The tables that a `PaneCutter` carries."""

_ROW = {name: number for number, name in enumerate(COLUMNS)}
_NAMES = [each.name for each in CHANNELS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panes:
    """Some panes, each vehicle's in order of time.

    Attributes:
        slot: int64[n], the vehicle's. end_ns: event time. closed_ns: when the trip ended with this pane, 0 = it goes on.
        values: float64[len(COLUMNS), n], NaN where nothing is known. known: columns of which anything is known.
    """

    slot: Ints
    end_ns: Ints
    closed_ns: Ints
    values: Floats
    known: frozenset[str]

    def __len__(self) -> int:
        return len(self.slot)

    def __getitem__(self, name: str) -> Floats:
        row: Floats = self.values[_ROW[name]]
        return row


class PaneCutter:
    """Cuts sample batches into panes.

    Args:
        slots: has the tables of `FRESH`.
    """

    def __init__(self, slots: Slots, jit: Jit = no_jit) -> None:
        self._slots = slots
        self._cut = jit(kernels.cut_panes)
        self._low = np.array([each.low for each in CHANNELS])
        self._high = np.array([each.high for each in CHANNELS])
        self._stale = np.array([each.stale_after_s / PANE_S for each in CHANNELS])
        self._previous = np.array([_NAMES.index(name) for name in PREVIOUS], np.int64)
        self._first = np.array([_NAMES.index(name) for name in FIRST], np.int64)
        self._slot, self._end_ns, self._closed_ns = (np.empty(ROOM, np.int64) for _ in range(3))
        self._values = np.empty((len(COLUMNS), ROOM))

    def cut(self, samples: SampleBatch) -> Iterator[Panes]:
        """The panes that this batch completes, in blocks that hold until the next one is asked for."""
        numbers = {each.path: number for number, each in enumerate(CHANNELS)}
        channel_of = np.array([*(numbers.get(path, kernels.OTHER) for path in samples.paths), kernels.TICK], np.int64)
        slot_of = self._slots.made(samples.vehicles)
        start = 0
        while start < len(samples):
            start, count = self._cut(
                start,
                samples.time_ns,
                samples.vehicle,
                samples.signal,
                samples.value,
                slot_of,
                channel_of,
                self._low,
                self._high,
                self._stale,
                self._previous,
                self._first,
                PANE_S * NS_PER_S,
                GAP_NS,
                self._slots.tables[CLOCK],
                self._slots.tables[PANES],
                self._slot,
                self._end_ns,
                self._closed_ns,
                self._values,
            )
            if count:
                yield self._block(count)

    def _block(self, count: int) -> Panes:
        values = self._values[:, :count]
        known: NDArray[np.bool_] = np.asarray(np.isfinite(values).any(axis=1))
        return Panes(
            slot=self._slot[:count],
            end_ns=self._end_ns[:count],
            closed_ns=self._closed_ns[:count],
            values=values,
            known=frozenset(name for name, row in _ROW.items() if known[row]),
        )
