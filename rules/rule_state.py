"""State of the rules per vehicle: one row (slot) per vehicle in every array, and its compact byte form."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.feature_stage import FeatureStage, Kinds, split, stale_of
from rules.features import Feature
from rules.kernel import NEVER
from rules.program import Program
from rules.rule import Rule
from rules.slot_arrays import FIRST_SLOTS, SlotArrays

DEFAULT_STALE_NS = 5_000_000_000
"""How long a value may be used where nobody says."""
FORMAT = 2
_HEAD = struct.Struct("<BHH")
_COLUMN = struct.Struct("<8sqd")
_RULE = struct.Struct("<8s8sBqqqqqq")
_TIMERS = ("since", "began", "known_until")
_ACTIVE = 1

Overrides = Mapping[str, Mapping[str, float]]
"""Rule id -> parameter -> value that stands for the rule's own."""


def _key(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


class RuleState:
    """Rows of all vehicles known; `slot` finds or makes one, `free` gives it back.

    What many vehicles share (staleness, which rules concern them, parameters) is kept once per kind of vehicle.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        program: Program,
        stages: Sequence[FeatureStage],
        columns: Mapping[str, int],
        *,
        powertrain_of: Callable[[str], str],
        stale_after_of: Callable[[str], Mapping[str, int]],
        overrides_of: Callable[[str], Overrides],
    ) -> None:
        self._rules, self._program, self._stages, self._columns = tuple(rules), program, tuple(stages), columns
        self._powertrain_of, self._stale_after_of, self._overrides_of = powertrain_of, stale_after_of, overrides_of
        self._features: tuple[Feature, ...] = tuple(feature for stage in stages for feature in stage.features)
        self._keys = {name: _key(name) for name in columns}
        self._id_keys = [_key(rule.id) for rule in rules]
        self._content_keys = [bytes.fromhex(rule.content_hash) for rule in rules]
        self._slots: dict[str, int] = {}
        self._vehicles: dict[int, str] = {}
        self._free: list[int] = []
        self._kinds: dict[tuple[Any, ...], int] = {}
        read, count = len(program.columns), len(rules)
        self.arrays = SlotArrays(
            last_time=((read,), np.int64, NEVER),
            last_value=((read,), np.float64, np.nan),
            active=((count,), np.uint8, 0),
            doubts=((count,), np.int16, 0),
            since=((count,), np.int64, NEVER),
            began=((count,), np.int64, NEVER),
            known_until=((count,), np.int64, NEVER),
            marks=((program.marks,), np.int64, NEVER),
            kind_of=((), np.int32, 0),
        )
        self.muted: NDArray[np.uint8] = np.empty((0, count), np.uint8)
        self._stale_ns: NDArray[np.int64] = np.empty((0, len(columns)), np.int64)
        programs = (program, *(stage.program for stage in stages))
        self._constants: list[NDArray[np.float64]] = [np.empty((0, len(each.constant))) for each in programs]

    @property
    def bytes_per_vehicle(self) -> int:
        """Core state of one vehicle in memory, windows and other features apart."""
        return self.arrays.bytes_per_slot

    @property
    def feature_bytes_per_vehicle(self) -> int:
        """State of windows and other features of one vehicle in memory."""
        return sum(stage.arrays.bytes_per_slot for stage in self._stages)

    def kinds(self, program: int) -> Kinds:
        """The tables of program 0 (the rules) or of feature stage n - 1, staleness for the engine's columns."""
        return Kinds(kind_of=self.arrays["kind_of"], stale_ns=self._stale_ns, constant=self._constants[program])

    def slot(self, vehicle: str) -> int:
        """The vehicle's row, a fresh one where it has none."""
        slot = self._slots.get(vehicle)
        if slot is None:
            if not self._free:
                self._grow()
            slot = self._free.pop()
            self._slots[vehicle] = slot
            self._vehicles[slot] = vehicle
            self._reset(slot, vehicle)
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
        columns = [_COLUMN.pack(self._keys[name], *seen) for name, seen in self._last_values(slot).items() if seen[0] != NEVER]
        rules = [self._pack_rule(slot, r) for r in range(len(self._id_keys)) if self._runs(slot, r)]
        features = b"".join(stage.pack(slot, self._keys) for stage in self._stages)
        return _HEAD.pack(FORMAT, len(columns), len(rules)) + b"".join(columns) + b"".join(rules) + features

    def _last_values(self, slot: int) -> dict[str, tuple[int, float]]:
        """Time and value of every column that a program reads: the same in each of them."""
        seen: dict[str, tuple[int, float]] = {}
        for columns, arrays in self._readers():
            times, values = arrays["last_time"][slot].tolist(), arrays["last_value"][slot].tolist()
            seen |= {name: (times[c], values[c]) for name, c in columns.items()}
        return seen

    def _readers(self) -> Iterator[tuple[Mapping[str, int], SlotArrays]]:
        yield self._program.columns, self.arrays
        for stage in self._stages:
            yield stage.program.columns, stage.arrays

    def _marks(self, slot: int, r: int) -> list[int]:
        marks = self.arrays["marks"][slot]
        return [int(marks[m]) if m >= 0 else NEVER for m in self._program.mark_of[r].tolist()]

    def _runs(self, slot: int, r: int) -> bool:
        timer = bool(self.arrays["active"][slot, r]) or int(self.arrays["since"][slot, r]) != NEVER
        return timer or any(mark != NEVER for mark in self._marks(slot, r))

    def _pack_rule(self, slot: int, r: int) -> bytes:
        times = (int(self.arrays[name][slot, r]) for name in _TIMERS)
        active = int(self.arrays["active"][slot, r])
        return _RULE.pack(self._id_keys[r], self._content_keys[r], active, *times, *self._marks(slot, r))

    def restore(self, vehicle: str, state: bytes) -> None:
        """Set the vehicle's row.

        A rule that has changed since keeps whether it is active (so that it can clear), its timers start anew; state of rules,
        signals and features that are no more is dropped.

        Raises:
            ValueError: of another format.
        """
        form, columns, rules = _HEAD.unpack_from(state)
        if form != FORMAT:
            raise ValueError(f"rule state of format {form}, not {FORMAT}")
        slot = self.slot(vehicle)
        self._reset(slot, vehicle)
        offset = _HEAD.size
        seen = {key: (time_ns, value) for key, time_ns, value in _records(_COLUMN, state, offset, columns)}
        for names, arrays in self._readers():
            for name, c in names.items():
                if self._keys[name] in seen:
                    arrays["last_time"][slot, c], arrays["last_value"][slot, c] = seen[self._keys[name]]
        offset += columns * _COLUMN.size
        self._restore_rules(slot, _records(_RULE, state, offset, rules))
        states = split(state[offset + rules * _RULE.size :])
        for stage in self._stages:
            stage.unpack(slot, states, self._keys)

    def _restore_rules(self, slot: int, records: Iterator[tuple[Any, ...]]) -> None:
        rule_of = {key: r for r, key in enumerate(self._id_keys)}
        for key, content, active, since, began, known_until, *marks in records:
            r = rule_of.get(key)
            if r is None:
                continue
            unchanged = content == self._content_keys[r]
            self.arrays["active"][slot, r] = active if unchanged else active & _ACTIVE
            if not unchanged:
                continue
            for name, time_ns in zip(_TIMERS, (since, began, known_until), strict=True):
                self.arrays[name][slot, r] = time_ns
            for m, time_ns in zip(self._program.mark_of[r].tolist(), marks, strict=True):
                if m >= 0:
                    self.arrays["marks"][slot, m] = time_ns

    def _reset(self, slot: int, vehicle: str) -> None:
        self.arrays.reset(slot)
        for stage in self._stages:
            stage.reset(slot)
        self.arrays["kind_of"][slot] = self._kind(vehicle)

    def _kind(self, vehicle: str) -> int:
        """The row of tables for vehicles like this one."""
        stale_after, powertrain = self._stale_after_of(vehicle), self._powertrain_of(vehicle)
        overrides = self._overrides_of(vehicle)
        figures = tuple((rule, *sorted(values.items())) for rule, values in sorted(overrides.items()))
        key = (tuple(stale_after.get(name, DEFAULT_STALE_NS) for name in self._columns), powertrain, figures)
        kind = self._kinds.setdefault(key, len(self._kinds))
        if kind == len(self._stale_ns):
            # a trouble-code list holds until the next one
            stale = {n: -NEVER if n.startswith("dtc") else stale_after.get(n, DEFAULT_STALE_NS) for n in self._columns}
            stale_of(self._features, stale)
            self._stale_ns = np.vstack([self._stale_ns, np.array([stale[name] for name in self._columns], np.int64)])
            muted = [bool(rule.applies_to) and powertrain not in rule.applies_to for rule in self._rules]
            self.muted = np.vstack([self.muted, np.array(muted, np.uint8)])
            programs = (self._program, *(stage.program for stage in self._stages))
            for number, program in enumerate(programs):
                self._constants[number] = np.vstack([self._constants[number], program.constants(overrides)])
        return kind

    def _grow(self) -> None:
        old = len(self.arrays["active"])
        new = max(FIRST_SLOTS, 2 * old)
        for arrays in (self.arrays, *(stage.arrays for stage in self._stages)):
            arrays.grow(new)
        self._free += range(new - 1, old - 1, -1)


def _records(form: struct.Struct, state: bytes, offset: int, count: int) -> Iterator[tuple[Any, ...]]:
    return iter(form.iter_unpack(state[offset : offset + count * form.size]))
