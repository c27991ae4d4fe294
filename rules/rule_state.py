"""State of the rules per vehicle: struct of arrays with one row (slot) per vehicle, and its compact byte form."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.kernel import NEVER
from rules.program import Program
from rules.rule import Rule

DEFAULT_STALE_NS = 5_000_000_000
"""How long a value may be used where nobody says."""
FORMAT = 1
_HEAD = struct.Struct("<BHH")
_COLUMN = struct.Struct("<8sqd")
_RULE = struct.Struct("<8s8sBqqq")


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


class RuleState:
    """Rows of all vehicles known; `slot` finds or makes one, `free` gives it back."""

    def __init__(
        self,
        rules: Sequence[Rule],
        program: Program,
        *,
        powertrain_of: Callable[[str], str],
        stale_after_of: Callable[[str], Mapping[str, int]],
    ) -> None:
        self._rules = tuple(rules)
        self._powertrain_of, self._stale_after_of = powertrain_of, stale_after_of
        self._columns = tuple(program.columns)
        self._column_keys = [_key(name) for name in program.columns]
        self._id_keys = [_key(rule.id) for rule in rules]
        self._content_keys = [bytes.fromhex(rule.content_hash) for rule in rules]
        self._slots: dict[str, int] = {}
        self._vehicles: dict[int, str] = {}
        self._free: list[int] = []
        columns, count = len(program.columns), len(rules)
        self.last_time: NDArray[np.int64] = np.empty((0, columns), np.int64)
        self.last_value: NDArray[np.float64] = np.empty((0, columns), np.float64)
        self.active: NDArray[np.uint8] = np.empty((0, count), np.uint8)
        self.since: NDArray[np.int64] = np.empty((0, count), np.int64)
        self.began: NDArray[np.int64] = np.empty((0, count), np.int64)
        self.known_until: NDArray[np.int64] = np.empty((0, count), np.int64)
        self.muted: NDArray[np.uint8] = np.empty((0, count), np.uint8)
        self.stale_ns: NDArray[np.int64] = np.empty((0, columns), np.int64)

    @property
    def bytes_per_vehicle(self) -> int:
        """Core state of one vehicle in memory."""
        return sum(int(array.itemsize * array.shape[1]) for array in self._arrays())

    def slot(self, vehicle: str) -> int:
        """The vehicle's row, a fresh one where it has none."""
        slot = self._slots.get(vehicle)
        if slot is None:
            if not self._free:
                self._grow()
            slot = self._free.pop()
            self._slots[vehicle] = slot
            self._vehicles[slot] = vehicle
            self._reset(slot)
            stale = self._stale_after_of(vehicle)
            # a trouble-code list holds until the next one
            self.stale_ns[slot] = [-NEVER if n.startswith("dtc:") else stale.get(n, DEFAULT_STALE_NS) for n in self._columns]
            powertrain = self._powertrain_of(vehicle)
            self.muted[slot] = [bool(rule.applies_to) and powertrain not in rule.applies_to for rule in self._rules]
        return slot

    def vehicle(self, slot: int) -> str:
        """Whose row it is."""
        return self._vehicles[slot]

    def free(self, vehicle: str) -> None:
        """Give the vehicle's row back."""
        slot = self._slots.pop(vehicle, None)
        if slot is not None:
            del self._vehicles[slot]
            self._free.append(slot)

    def snapshot(self, vehicle: str) -> bytes | None:
        """The vehicle's row as bytes, keyed by signal, rule id and rule content; None where it has none."""
        slot = self._slots.get(vehicle)
        if slot is None:
            return None
        columns = [
            _COLUMN.pack(key, int(self.last_time[slot, c]), float(self.last_value[slot, c]))
            for c, key in enumerate(self._column_keys)
            if self.last_time[slot, c] != NEVER
        ]
        rules = [self._pack_rule(slot, r) for r in range(len(self._id_keys)) if self._runs(slot, r)]
        return _HEAD.pack(FORMAT, len(columns), len(rules)) + b"".join(columns) + b"".join(rules)

    def _runs(self, slot: int, r: int) -> bool:
        return bool(self.active[slot, r]) or int(self.since[slot, r]) != NEVER

    def _pack_rule(self, slot: int, r: int) -> bytes:
        times = (int(array[slot, r]) for array in (self.since, self.began, self.known_until))
        return _RULE.pack(self._id_keys[r], self._content_keys[r], int(self.active[slot, r]), *times)

    def restore(self, vehicle: str, state: bytes) -> bytes:
        """Set the vehicle's row; gives the bytes after the snapshot.

        A rule that has changed since keeps whether it is active (so that it can clear), its timers start anew; state of rules
        and signals that are no more is dropped.

        Raises:
            ValueError: of another format.
        """
        form, columns, rules = _HEAD.unpack_from(state)
        if form != FORMAT:
            raise ValueError(f"rule state of format {form}, not {FORMAT}")
        slot = self.slot(vehicle)
        self._reset(slot)
        offset = _HEAD.size
        column_of = {key: c for c, key in enumerate(self._column_keys)}
        for key, time_ns, value in _records(_COLUMN, state, offset, columns):
            if key in column_of:
                self.last_time[slot, column_of[key]] = time_ns
                self.last_value[slot, column_of[key]] = value
        offset += columns * _COLUMN.size
        rule_of = {key: r for r, key in enumerate(self._id_keys)}
        for key, content, active, since, began, known_until in _records(_RULE, state, offset, rules):
            r = rule_of.get(key)
            if r is None:
                continue
            self.active[slot, r] = active
            if content == self._content_keys[r]:
                self.since[slot, r], self.began[slot, r], self.known_until[slot, r] = since, began, known_until
        return state[offset + rules * _RULE.size :]

    def _arrays(self) -> tuple[NDArray[np.generic], ...]:
        return (self.last_time, self.last_value, self.active, self.since, self.began, self.known_until, self.muted, self.stale_ns)

    def _reset(self, slot: int) -> None:
        self.last_time[slot] = self.since[slot] = self.began[slot] = self.known_until[slot] = NEVER
        self.last_value[slot] = np.nan
        self.active[slot] = 0

    def _grow(self) -> None:
        old = len(self.active)
        new = max(16, 2 * old)
        for name in ("last_time", "last_value", "active", "since", "began", "known_until", "muted", "stale_ns"):
            array = getattr(self, name)
            grown = np.empty((new, array.shape[1]), array.dtype)
            grown[:old] = array
            setattr(self, name, grown)
        self._free += range(new - 1, old - 1, -1)


def _records(form: struct.Struct, state: bytes, offset: int, count: int) -> Iterator[tuple[Any, ...]]:
    return iter(form.iter_unpack(state[offset : offset + count * form.size]))
