"""Stored drives: the signal history of a vehicle as records that go through the line like those of a device that decodes itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from domain.frames import NO_ARENA, FrameBatch, FrameFlag, MessageTable, empty_frames
from domain.vss import path_number
from storage.history import SignalHistory

BUS = "history"
HOUR_NS = 3600 * 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSpan:
    """A folder of signal history, and event times of it: start included, end not."""

    folder: Path
    start_ns: int
    end_ns: int


def stored_days(folder: Path) -> tuple[int, int] | None:
    """Event times at which the first day that is kept begins and the last one ends; None where nothing is kept."""
    days = SignalHistory(folder).days()
    return (days[0], days[-1] + 24 * HOUR_NS) if days else None


def stored_frames(span: StoredSpan, vehicle: str, paths: Sequence[str]) -> Iterator[FrameBatch]:
    """The vehicle's samples of these VSS paths, an hour at a time, in order of time (of one time: in the order of `paths`).

    Every value that was decoded is there, whichever message it came from: where several messages carry one path, all count.

    Raises:
        StorageError: a file is damaged.
    """
    history = SignalHistory(span.folder)
    for hour in history.hours(vehicle, span.start_ns, span.end_ns):
        start_ns, end_ns = max(hour, span.start_ns), min(hour + HOUR_NS, span.end_ns)
        read = history.read_several(vehicle, paths, start_ns, end_ns)
        counts = [len(read[path][0]) for path in paths]
        if not sum(counts):
            continue
        time_ns = np.concatenate([read[path][0] for path in paths])
        values = np.concatenate([read[path][1] for path in paths])
        number = np.repeat(np.array([path_number(path) for path in paths], np.uint32), counts)
        order = np.argsort(time_ns, kind="stable")
        n = len(order)
        yield replace(
            empty_frames((vehicle,), (BUS,)),
            # a boot session of its own, so that the days between two hours with data are no odd jump of the clock
            messages=MessageTable.single(boot_session=hour // HOUR_NS),
            time_ns=time_ns[order],
            vehicle=np.zeros(n, np.int32),
            bus=np.zeros(n, np.uint8),
            can_id=number[order],
            message=np.zeros(n, np.int32),
            index=np.arange(n, dtype=np.int64),
            length=np.full(n, 8, np.uint8),
            flags=np.full(n, FrameFlag.SAMPLE, np.uint8),
            payload=values[order].view(np.uint64),
            arena_offset=np.full(n, NO_ARENA, np.int64),
        )
