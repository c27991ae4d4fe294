"""What the line knows of every finding: in which drive of the vehicle it stands, and when the record that decided it came."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from domain.findings import Finding
from domain.frames import FrameBatch, FrameFlag

NOT_KNOWN = 0
_STATE = struct.Struct("<qq")


class FindingStamps:
    """Carries each vehicle's number of ended drives and the arrival of its last record (`domain.ports.Stage`)."""

    name = "finding_stamps"
    version = "1"

    def __init__(self) -> None:
        self._state: dict[str, tuple[int, int]] = {}

    def end_drive(self, vehicle: str) -> None:
        """A drive of this vehicle has ended."""
        ended, received_ns = self._state.get(vehicle, (0, NOT_KNOWN))
        self._state[vehicle] = (ended + 1, received_ns)

    def stamp(self, findings: Sequence[Finding], frames: FrameBatch) -> tuple[Finding, ...]:
        """The findings with `drive` and `received_ns`; afterwards carries the arrival of the batch's last records.

        `received_ns` is that of the vehicle's last record at or before the finding (of equal stamps the one that came last, ticks
        apart); None where nobody knows: recordings do not tell when their records came.

        Args:
            frames: that the findings were made of, ordered by (vehicle, time).
        """
        known = tuple(self._stamped(finding, frames) for finding in findings)
        self._carry(frames)
        return known

    def _stamped(self, finding: Finding, frames: FrameBatch) -> Finding:
        ended, received_ns = self._state.get(finding.vehicle, (0, NOT_KNOWN))
        if finding.vehicle in frames.vehicles:
            arrived = _arrivals_at(frames, frames.vehicles.index(finding.vehicle), finding.time_ns)
            received_ns = received_ns if arrived is None else arrived
        return replace(finding, drive=ended, received_ns=None if received_ns == NOT_KNOWN else received_ns)

    def _carry(self, frames: FrameBatch) -> None:
        rows = np.flatnonzero((frames.flags & FrameFlag.TICK) == 0)
        if not len(rows):
            return
        vehicle, time_ns = frames.vehicle[rows], frames.time_ns[rows]
        firsts = np.flatnonzero(np.diff(vehicle, prepend=-1))
        ends = np.append(firsts[1:], len(rows))
        last = time_ns == np.repeat(time_ns[ends - 1], ends - firsts)
        received_ns = np.where(last, frames.messages.received_ns[frames.message[rows]], NOT_KNOWN)
        newest = np.maximum.reduceat(received_ns, firsts)
        for number, newest_ns in zip(vehicle[firsts].tolist(), newest.tolist(), strict=True):
            ended, _ = self._state.get(frames.vehicles[number], (0, NOT_KNOWN))
            self._state[frames.vehicles[number]] = (ended, newest_ns)

    def snapshot(self, vehicle: str) -> bytes | None:
        """Two int64."""
        state = self._state.get(vehicle)
        return None if state is None else _STATE.pack(*state)

    def restore(self, vehicle: str, state: bytes) -> None:
        """Set what `snapshot` gave."""
        ended, received_ns = _STATE.unpack(state)
        self._state[vehicle] = (ended, received_ns)

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle."""
        self._state.pop(vehicle, None)


def _arrivals_at(frames: FrameBatch, number: int, time_ns: int) -> int | None:
    """When the vehicle's last record at or before a time came, ticks apart; None where it has none in these frames."""
    first, end = np.searchsorted(frames.vehicle, [number, number + 1]).tolist()
    times = frames.time_ns[first:end]
    past = int(np.searchsorted(times, time_ns, side="right"))
    while past:
        begin = int(np.searchsorted(times, times[past - 1]))
        together = slice(first + begin, first + past)
        real = (frames.flags[together] & FrameFlag.TICK) == 0
        if real.any():
            return int(frames.messages.received_ns[frames.message[together][real]].max())
        past = begin
    return None
