"""State of the rules per vehicle: one row (slot) per vehicle in every array, and its compact byte form."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.cohorts import Cohort
from rules.feature_stage import FeatureStage, Kinds, split, stale_of
from rules.features import Feature
from rules.kernel import FOREVER, NEVER
from rules.meaning import REPORTED
from rules.program import Program
from rules.rule import Rule
from rules.slot_arrays import FIRST_SLOTS, SlotArrays

DEFAULT_STALE_NS = 5_000_000_000
"""How long a value may be used where nobody says."""
FORMAT = 3
_HEAD = struct.Struct("<BHH")
_TIMERS = {"since": "<i8", "paused_ms": "<i4", "known_until": "<i8"}
_COLUMN = np.dtype([("key", "V8"), ("time_ns", "<i8"), ("value", "<f8")])
_RULE = np.dtype([("key", "V8"), ("content", "V8"), ("active", "u1"), *_TIMERS.items(), ("marks", "<i8", 3)])
"""A signal's last value and a rule's row as they stand in a snapshot, unaligned."""
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
        cohort_of: Callable[[str], Cohort],
    ) -> None:
        self._rules, self._program, self._stages, self._columns = tuple(rules), program, tuple(stages), columns
        self._powertrain_of, self._stale_after_of, self._overrides_of = powertrain_of, stale_after_of, overrides_of
        self._cohort_of = cohort_of
        self._overrides: list[Overrides] = []
        self._cohorts: list[Cohort] = []
        self._features: tuple[Feature, ...] = tuple(feature for stage in stages for feature in stage.features)
        self._keys = {name: _key(name) for name in columns}
        self._rule_rows = np.zeros(len(rules), _RULE)
        self._rule_rows["key"] = [_key(rule.id) for rule in rules]
        self._rule_rows["content"] = [bytes.fromhex(rule.content_hash) for rule in rules]
        self._rule_of = {key: r for r, key in enumerate(self._rule_rows["key"].tolist())}
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
            paused_ms=((count,), np.int32, 0),
            known_until=((count,), np.int64, NEVER),
            marks=((program.marks,), np.int64, NEVER),
            kind_of=((), np.int32, 0),
        )
        self._column_keys, self._readers = self._read_columns()
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
        return Kinds(
            kind_of=self.arrays["kind_of"], stale_ns=self._stale_ns, constant=self._constants[program], cohorts=self._cohorts
        )

    def parameters(self, slot: int, rule: Rule) -> Mapping[str, float]:
        """The rule's parameters in the vehicle of this row."""
        own = self._overrides[self.arrays["kind_of"][slot]].get(rule.id)
        return {**rule.parameters, **own} if own else rule.parameters

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

    def lower(self, vehicle: str, rule_ids: Collection[str]) -> None:
        """As if these rules had cleared; nothing where they are not raised."""
        slot = self._slots.get(vehicle)
        for r, rule in enumerate(self._rules) if slot is not None else ():
            if rule.id in rule_ids and self.arrays["active"][slot, r] & _ACTIVE:
                for name, fresh in (("active", 0), ("doubts", 0), ("since", NEVER), ("paused_ms", 0), ("known_until", NEVER)):
                    self.arrays[name][slot, r] = fresh

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
        columns, rules = self._seen_columns(slot), self._running_rules(slot)
        features = b"".join(stage.pack(slot, self._keys) for stage in self._stages)
        return _HEAD.pack(FORMAT, len(columns), len(rules)) + columns.tobytes() + rules.tobytes() + features

    def _read_columns(self) -> tuple[NDArray[Any], list[tuple[NDArray[np.intp], SlotArrays, NDArray[np.intp]]]]:
        """Keys of the columns that any program reads, and per program (rows of these keys, its arrays, its column numbers)."""
        programs = [(self._program.columns, self.arrays), *((stage.program.columns, stage.arrays) for stage in self._stages)]
        names = {name: row for row, name in enumerate(dict.fromkeys(name for columns, _ in programs for name in columns))}
        keys = np.array([self._keys[name] for name in names], _COLUMN["key"])
        readers = [
            (np.array([names[name] for name in columns], np.intp), arrays, np.array([*columns.values()], np.intp))
            for columns, arrays in programs
        ]
        return keys, readers

    def _seen_columns(self, slot: int) -> NDArray[Any]:
        """Time and value of every column that a program reads (they are the same in each that does) and that has been seen."""
        rows = np.empty(len(self._column_keys), _COLUMN)
        rows["key"] = self._column_keys
        for mine, arrays, theirs in self._readers:
            rows["time_ns"][mine] = arrays["last_time"][slot, theirs]
            rows["value"][mine] = arrays["last_value"][slot, theirs]
        seen: NDArray[Any] = rows[rows["time_ns"] != NEVER]
        return seen

    def _running_rules(self, slot: int) -> NDArray[Any]:
        """Rows of the rules that are active or whose timers run."""
        marks = np.append(self.arrays["marks"][slot], NEVER)[self._program.mark_of]
        active, since = self.arrays["active"][slot], self.arrays["since"][slot]
        runs = np.flatnonzero((active != 0) | (since != NEVER) | (marks != NEVER).any(axis=1))
        rows = self._rule_rows[runs]
        rows["active"], rows["marks"] = active[runs], marks[runs]
        for name in _TIMERS:
            rows[name] = self.arrays[name][slot, runs]
        return rows

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
        seen = np.frombuffer(state, _COLUMN, columns, _HEAD.size)
        row_of = {key: row for row, key in enumerate(seen["key"].tolist())}
        found = np.array([row_of.get(key, -1) for key in self._column_keys.tolist()], np.intp)
        for mine, arrays, theirs in self._readers:
            known = found[mine] >= 0
            arrays["last_time"][slot, theirs[known]] = seen["time_ns"][found[mine][known]]
            arrays["last_value"][slot, theirs[known]] = seen["value"][found[mine][known]]
        offset = _HEAD.size + seen.nbytes
        self._restore_rules(slot, np.frombuffer(state, _RULE, rules, offset))
        states = split(state[offset + rules * _RULE.itemsize :])
        for stage in self._stages:
            stage.unpack(slot, states, self._keys)

    def _restore_rules(self, slot: int, records: NDArray[Any]) -> None:
        for record in records:
            r = self._rule_of.get(record["key"].item())
            if r is None:
                continue
            unchanged = record["content"] == self._rule_rows["content"][r]
            self.arrays["active"][slot, r] = record["active"] if unchanged else record["active"] & _ACTIVE
            if not unchanged:
                continue
            for name in _TIMERS:
                self.arrays[name][slot, r] = record[name]
            mark_of = self._program.mark_of[r]
            self.arrays["marks"][slot, mark_of[mark_of >= 0]] = record["marks"][mark_of >= 0]

    def _reset(self, slot: int, vehicle: str) -> None:
        self.arrays.reset(slot)
        for stage in self._stages:
            stage.reset(slot)
        self.arrays["kind_of"][slot] = self._kind(vehicle)

    def _kind(self, vehicle: str) -> int:
        """The row of tables for vehicles like this one."""
        stale_after, powertrain = self._stale_after_of(vehicle), self._powertrain_of(vehicle)
        overrides, cohort = self._overrides_of(vehicle), self._cohort_of(vehicle)
        figures = tuple((rule, *sorted(values.items())) for rule, values in sorted(overrides.items()))
        key = (
            tuple(stale_after.get(name, DEFAULT_STALE_NS) for name in self._columns),
            powertrain,
            figures,
            frozenset(cohort.items()),
        )
        kind = self._kinds.setdefault(key, len(self._kinds))
        if kind == len(self._stale_ns):
            # a trouble-code list holds until the next one
            stale = {n: FOREVER if n.startswith(REPORTED) else stale_after.get(n, DEFAULT_STALE_NS) for n in self._columns}
            stale_of(self._features, stale)
            self._stale_ns = np.vstack([self._stale_ns, np.array([stale[name] for name in self._columns], np.int64)])
            muted = [bool(rule.applies_to) and powertrain not in rule.applies_to for rule in self._rules]
            self.muted = np.vstack([self.muted, np.array(muted, np.uint8)])
            self._overrides.append(overrides)
            self._cohorts.append(cohort)
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
