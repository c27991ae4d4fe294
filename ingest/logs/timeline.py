"""From stamps as written to time: deltas, clocks that start anew every minute or day, and restarts with a new date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from numpy.typing import NDArray


class StampKind(Enum):
    """What a stamp of a format counts from."""

    SINCE_START = "since_start"
    """From one moment for the whole recording."""
    SINCE_LAST = "since_last"
    """From the line before: they are added up."""


_MOST_NS = 2**61


@dataclass(slots=True)
class Timeline:
    """Carries what the time of the next stamp depends on.

    Attributes:
        kind: what stamps count from. scale: stamps are multiplied by it.
        wrap_ns: stamps begin anew at zero after so long (a minute, a day); 0 for never.
        wrap_slack_ns: steps back up to this are disorder and no new round.
        start_ns: the moment of stamp zero that the recording itself tells (UTC where it names no zone), None where it does not.
    """

    kind: StampKind = StampKind.SINCE_START
    scale: int = 1
    wrap_ns: int = 0
    wrap_slack_ns: int = 0
    start_ns: int | None = None
    _date_ns: int | None = None
    _marks: list[tuple[int, int]] = field(default_factory=list)
    _last_raw: int | None = None
    _offset_ns: int = 0
    _sum_ns: int = 0

    def begin(self, moment_ns: int, frames_before: int) -> None:
        """The recording tells the date of what follows; before the first frame it is that of the whole."""
        if self._last_raw is None and frames_before == 0:
            self.start_ns = moment_ns
        else:
            self._marks.append((frames_before, moment_ns))

    def place(self, stamp_ns: NDArray[np.int64], skipped: Sequence[tuple[int, int]] = ()) -> NDArray[np.int64]:
        """The time of these stamps, in ns since `start_ns`.

        `skipped`: (frames before, stamp) of lines that are no frames; where stamps count from the line before, theirs count.
        """
        raw = stamp_ns * self.scale if self.scale != 1 else stamp_ns
        if self.kind is StampKind.SINCE_LAST:
            return self._add_up(raw, skipped)
        parts = []
        start = 0
        for at, moment_ns in [*self._marks, (len(raw), None)]:
            if at > start:
                parts.append(self._on_one_clock(raw[start:at]))
                start = at
            self._date_ns = self._date_ns if moment_ns is None else moment_ns
        self._marks.clear()
        return np.concatenate(parts) if parts else raw

    def _add_up(self, raw: NDArray[np.int64], skipped: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
        between: dict[int, int] = {}
        for before, stamp in skipped:  # of damaged lines, so of any size
            between[before] = _bounded(between.get(before, 0) + stamp * self.scale)
        extra = np.zeros(len(raw) + 1, np.int64)
        extra[list(between)] = list(between.values())
        time_ns = np.cumsum(raw + extra[:-1]) + self._sum_ns
        if len(raw):
            self._sum_ns, self._last_raw = int(time_ns[-1]), int(raw[-1])
        self._sum_ns = _bounded(self._sum_ns + int(extra[-1]))
        return time_ns

    def _on_one_clock(self, raw: NDArray[np.int64]) -> NDArray[np.int64]:
        """Stamps under one date. Those that begin anew under it count from it; those that go on do so."""
        before = self._last_raw
        if self._date_ns is not None:
            if before is not None and self.start_ns is not None and (self.wrap_ns or raw[0] < before):
                self._offset_ns, before = self._date_ns - self.start_ns, None
            self._date_ns = None
        self._last_raw = int(raw[-1])
        if not self.wrap_ns:
            return raw + self._offset_ns
        previous = np.concatenate(([raw[0] if before is None else before], raw[:-1]))
        rounds = np.cumsum(raw + self.wrap_slack_ns < previous)
        time_ns = raw + (self._offset_ns + rounds * self.wrap_ns)
        self._offset_ns += int(rounds[-1]) * self.wrap_ns
        return time_ns


def _bounded(time_ns: int) -> int:
    """Within what a time may be (73 years either way), so that sums fit."""
    return max(-_MOST_NS, min(time_ns, _MOST_NS))
