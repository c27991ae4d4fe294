"""Ends drives by wall time, and takes an end back where the drive turns out to go on.

The end of a drive stands five minutes after its last record in event time. A car that was only out of reach, or that starts again
within these minutes, sends records from before that end. They are not late: the end came too early. So the states from before it
are kept, and are put back before such records are evaluated.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from domain.frames import FrameBatch
from domain.records import StageState
from pipeline.drive_ticks import DRIVE_GAP_NS
from pipeline.line import Line, Pushed

PREFIX = "before_end."
"""Of the stage names under which the states from before a drive's end are stored."""


class DriveEndings:
    """Closes vehicles of a line. Holds, for each vehicle whose drive has ended and did not begin anew, the states from before."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._before: dict[str, tuple[int, tuple[StageState, ...]]] = {}

    def close(self, vehicle: str) -> Pushed:
        """The drive is over: evaluate its tail, and keep the states from before."""
        states = self._line.snapshot(vehicle)
        pushed = self._line.close(vehicle)
        reached = self._line.reached(vehicle)
        if reached is not None:
            self._before[vehicle] = (reached[0], states)
        return pushed

    def states(self, vehicles: Iterable[str]) -> list[StageState]:
        """What is to be stored of the endings of these vehicles. The version tells which end it belongs to."""
        return [
            replace(state, stage=PREFIX + state.stage, version=f"{end_ns} {state.version}")
            for vehicle in vehicles
            if vehicle in self._before
            for end_ns, states in [self._before[vehicle]]
            for state in states
        ]

    def restore(self, vehicle: str, states: Sequence[StageState]) -> None:
        """Take up what `states` gave, if the vehicle (restored in the line already) still stands at that end."""
        reached = self._line.reached(vehicle)
        kept = []
        for state in states:
            end_ns, _, version = state.version.partition(" ")
            if reached is not None and state.stage.startswith(PREFIX) and end_ns == str(reached[0]):
                kept.append(replace(state, stage=state.stage.removeprefix(PREFIX), version=version))
        if reached is not None and kept:
            self._before[vehicle] = (reached[0], tuple(kept))

    def take_back(self, frames: FrameBatch) -> list[str]:
        """Put back the states from before the end of each vehicle whose drive goes on with these frames; gives the vehicles."""
        taken_back = []
        for number, vehicle in enumerate(frames.vehicles):
            if vehicle not in self._before:
                continue
            time_ns = frames.time_ns[frames.vehicle == number]
            if not len(time_ns):
                continue
            end_ns, states = self._before.pop(vehicle)
            if bool(np.any((time_ns > end_ns - DRIVE_GAP_NS) & (time_ns < end_ns))):
                self._line.forget(vehicle)
                self._line.restore(states)
                taken_back.append(vehicle)
        return taken_back

    def forget(self, vehicle: str) -> None:
        """Drop a vehicle."""
        self._before.pop(vehicle, None)
