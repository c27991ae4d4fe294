"""Accumulates what a decode run found: counts, and figures per signal, over any number of batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.frames import FrameBatch, FrameFlag
from domain.signals import SignalBatch
from ingest.decoder import DIFFERS_FROM_STRICT


@dataclass(slots=True)
class _Figures:
    """Running figures of one signal. The sum is kept in extended precision, so that its order hardly matters."""

    unit: str
    count: int = 0
    finite: int = 0
    least: float = np.inf
    greatest: float = -np.inf
    total: np.longdouble = field(default_factory=lambda: np.longdouble(0))

    def add(self, values: NDArray[np.float64]) -> None:
        """`values`: the valid ones. Infinite and not-a-number values are counted but have no part in the figures."""
        self.count += len(values)
        numbers = values[np.isfinite(values)]
        if len(numbers):
            self.finite += len(numbers)
            self.least = min(self.least, float(numbers.min()))
            self.greatest = max(self.greatest, float(numbers.max()))
            self.total += numbers.sum(dtype=np.longdouble)

    def document(self) -> dict[str, Any]:
        """JSON-ready; null where there is no figure."""
        known = self.finite > 0
        return {
            "count": self.count,
            "min": self.least if known else None,
            "max": self.greatest if known else None,
            "mean": float(self.total / self.finite) if known else None,
            "unit": self.unit,
        }


class DecodeSummary:
    """The document of `pitcall decode --json`, built up batch by batch."""

    def __init__(self) -> None:
        self._frames: Counter[str] = Counter()
        self._anomalies: Counter[str] = Counter()
        self._by_message: dict[str, Counter[str]] = {}
        self._messages: Counter[str] = Counter()
        self._signals: dict[str, _Figures] = {}
        self._first_ns: int | None = None
        self._last_ns: int | None = None

    def add(self, frames: FrameBatch, signals: SignalBatch) -> None:
        """Count one batch and what was decoded from it."""
        self._count_frames(frames, signals)
        for (message, kind), count in signals.anomalies.items():
            self._anomalies[kind] += count
            if kind in DIFFERS_FROM_STRICT:
                self._by_message.setdefault(message, Counter())[kind] += count
        for group in signals.groups:
            self._messages[group.message] += len(group)
            values, valid = group.values, group.valid
            for row, name in enumerate(group.names):
                good = valid[row]
                key = f"{group.message}.{name}"
                figures = self._signals.setdefault(key, _Figures(unit=group.units[row]))
                figures.add(values[row] if good.all() else values[row][good])

    def add_anomalies(self, anomalies: Mapping[str, int]) -> None:
        """Count what a log reader found odd."""
        self._anomalies.update(anomalies)

    def document(self) -> dict[str, Any]:
        """The document so far, ready for JSON (no NaN)."""
        return {
            "frames": self._frames["all"],
            "decoded_frames": self._frames["decoded"],
            "unknown_frames": self._frames["unknown"],
            "error_frames": self._frames["error"],
            "remote_frames": self._frames["remote"],
            "anomalies": {kind: count for kind, count in sorted(self._anomalies.items()) if count},
            "anomalies_by_message": {name: dict(sorted(kinds.items())) for name, kinds in sorted(self._by_message.items())},
            "first_time_s": None if self._first_ns is None else self._first_ns / 1e9,
            "last_time_s": None if self._last_ns is None else self._last_ns / 1e9,
            "messages": {name: {"frames": count} for name, count in sorted(self._messages.items())},
            "signals": {name: figures.document() for name, figures in sorted(self._signals.items())},
        }

    def _count_frames(self, frames: FrameBatch, signals: SignalBatch) -> None:
        real = (frames.flags & np.uint8(FrameFlag.TICK)) == 0
        decoded = np.zeros(len(frames), np.bool_)
        for group in signals.groups:
            decoded[group.frame] = True
        error = (frames.flags & np.uint8(FrameFlag.ERROR)) != 0
        remote = (frames.flags & np.uint8(FrameFlag.REMOTE)) != 0
        self._frames["all"] += int(np.count_nonzero(real))
        self._frames["decoded"] += int(np.count_nonzero(decoded))
        self._frames["unknown"] += signals.unknown_frames
        self._frames["error"] += int(np.count_nonzero(real & error))
        self._frames["remote"] += int(np.count_nonzero(real & remote & ~error))
        stamps = frames.time_ns[real]
        if len(stamps):
            # in the order of the file: where a clock went back, the least and the greatest stamp are of no drive
            self._first_ns = int(stamps[0]) if self._first_ns is None else self._first_ns
            self._last_ns = int(stamps[-1])
