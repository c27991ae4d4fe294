"""What arrives behind its vehicle's watermark is judged by itself, from the nearest earlier state, and marked late.

A tunnel's backlog is not late (event time is the vehicle's own); a reissued packet, or a message that a device retried hours later, is.
It can no longer be put where it belongs: what followed has been judged without it. So it runs through stages of its own, which begin
with the state that the vehicle had at the end of the last drive before it, and what they find never touches the vehicle's own state.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from domain.findings import Finding
from domain.records import StageState
from pipeline.frame_bytes import by_vehicle

if TYPE_CHECKING:
    from domain.frames import FrameBatch
    from pipeline.holdback import Released
    from pipeline.line import Advance, Line

PREFIX = "late."
"""Of the stage names under which the lane's own states are stored."""
SHELF = "late_shelf"
KEPT_STATES = 4
"""Ends of drives whose states are kept, the latest ones."""
NOT_SHELVED = frozenset({"holdback", "usage"})
"""The lane orders its records anew, and does not count use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shelved:
    """The states of a vehicle's stages right after the end of a drive."""

    end_ns: int
    states: tuple[StageState, ...]


class LateLane:
    """Stages of its own for late records; carries, per vehicle, where it stands and the states to begin from.

    Late records go on where the last ones stopped as long as their time goes on; those that go back begin again from the nearest
    earlier state. The outcome depends on the order of arrival alone.

    Args:
        line: stages like those of the vehicle's own line, without lateness; nobody else uses them.
    """

    version = "1"

    def __init__(self, line: Line) -> None:
        self._line = line
        self._shelf: dict[str, tuple[_Shelved, ...]] = {}
        self._open: set[str] = set()

    def shelve(self, vehicle: str, end_ns: int, states: tuple[StageState, ...]) -> None:
        """A drive has ended: late records of after it begin with these states."""
        kept = tuple(state for state in states if state.stage not in NOT_SHELVED and not state.stage.startswith(PREFIX))
        earlier = [shelved for shelved in self._shelf.get(vehicle, ()) if shelved.end_ns < end_ns]
        self._shelf[vehicle] = (*earlier, _Shelved(end_ns=end_ns, states=kept))[-KEPT_STATES:]

    def push(self, released: Released) -> list[Advance]:
        """Evaluate late records; the findings are marked late, decided when the records came."""
        advances: list[Advance] = []
        for records, after_ns in _runs(released):
            vehicle = records.vehicles[0]
            for run in self._forward(vehicle, records, after_ns, advances):
                advances += _marked(self._line.push(run).advances, after_ns)
        return advances

    def close(self, vehicle: str, reached_ns: int) -> list[Advance]:
        """The vehicle's records end: what the lane still holds is evaluated."""
        if vehicle not in self._open:
            return []
        self._open.discard(vehicle)
        advances = _marked(self._line.close(vehicle).advances, reached_ns)
        self._line.forget(vehicle)
        return advances

    def _forward(self, vehicle: str, records: FrameBatch, after_ns: int, advances: list[Advance]) -> Iterator[FrameBatch]:
        """The records in runs whose time never goes back; before each run but a continued one the lane begins again."""
        reached = self._line.reached(vehicle) if vehicle in self._open else None
        before_ns = np.concatenate(([np.iinfo(np.int64).min if reached is None else reached[0]], records.time_ns[:-1]))
        begins = np.flatnonzero(records.time_ns < before_ns).tolist()
        if reached is None:
            begins = sorted({0, *begins})
        edges = sorted({0, *begins, len(records)})
        for start, end in itertools.pairwise(edges):
            if start in begins:
                advances += self.close(vehicle, after_ns)
                self._begin(vehicle, int(records.time_ns[start]))
            yield records.take(slice(start, end))

    def _begin(self, vehicle: str, time_ns: int) -> None:
        """The states of the nearest end of a drive at or before this time; none where there is none."""
        self._line.forget(vehicle)
        earlier = [shelved for shelved in self._shelf.setdefault(vehicle, ()) if shelved.end_ns <= time_ns]
        if earlier:
            self._line.restore(earlier[-1].states)
        self._open.add(vehicle)

    def snapshot(self, vehicle: str) -> tuple[StageState, ...]:
        """Where the lane stands with this vehicle, and its shelf; nothing where it never heard of it."""
        if vehicle not in self._shelf:
            return ()
        is_open = vehicle in self._open
        packed = bytes([is_open]) + _pack(self._shelf[vehicle])
        own = [replace(state, stage=PREFIX + state.stage) for state in self._line.snapshot(vehicle)] if is_open else []
        return (*own, StageState(vehicle=vehicle, stage=SHELF, version=self.version, state=packed))

    def restore(self, vehicle: str, states: Mapping[str, StageState]) -> None:
        """Set what `snapshot` gave; `states` by stage name, of any version."""
        shelf = states.get(SHELF)
        if shelf is None or shelf.version != self.version:
            return
        self._shelf[vehicle] = _unpack(shelf.state[1:], vehicle)
        if shelf.state[0]:
            self._line.restore(
                [replace(s, stage=name.removeprefix(PREFIX)) for name, s in states.items() if name.startswith(PREFIX)]
            )
            self._open.add(vehicle)

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle."""
        self._line.forget(vehicle)
        self._open.discard(vehicle)
        self._shelf.pop(vehicle, None)


def _runs(released: Released) -> Iterator[tuple[FrameBatch, int]]:
    """Late records by vehicle, and in each by the event time that the vehicle had reached when they came."""
    start = 0
    for own in by_vehicle(released.late):
        after_ns = released.late_after_ns[start : start + len(own)]
        start += len(own)
        for part in np.split(np.arange(len(own)), np.flatnonzero(np.diff(after_ns)) + 1):
            yield own.take(part), int(after_ns[part[0]])


def _marked(advances: tuple[Advance, ...], after_ns: int) -> list[Advance]:
    def marked(finding: Finding) -> Finding:
        return replace(finding, late=True, decided_ns=after_ns, drive=None)

    return [replace(advance, findings=tuple(map(marked, advance.findings)), late=True, ended=()) for advance in advances]


def _pack(shelf: tuple[_Shelved, ...]) -> bytes:
    """A JSON head with the sizes, then the states."""
    head = [[each.end_ns, [[state.stage, state.version, len(state.state)] for state in each.states]] for each in shelf]
    text = json.dumps(head, separators=(",", ":")).encode()
    return b"".join([len(text).to_bytes(4, "little"), text, *(state.state for each in shelf for state in each.states)])


def _unpack(packed: bytes, vehicle: str) -> tuple[_Shelved, ...]:
    at = 4 + int.from_bytes(packed[:4], "little")
    shelf = []
    for end_ns, entries in json.loads(packed[4:at]):
        states = []
        for stage, version, size in entries:
            states.append(StageState(vehicle=vehicle, stage=stage, version=version, state=packed[at : at + size]))
            at += size
        shelf.append(_Shelved(end_ns=end_ns, states=tuple(states)))
    return tuple(shelf)
