"""Works out one level of features: rows in, the same rows with the features' values put in where they changed."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.ports import Jit
from rules.cohorts import Cohort
from rules.expression import Call, Node, Number, Signal
from rules.features import Feature
from rules.functions import BY_TRIP, LASTING, LOOKUPS, MEMORIES, TIME_NS, WINDOWED, window_argument, window_of
from rules.kernel import FOREVER, NEVER, run_rules
from rules.meaning import column_name
from rules.memories import KINDS, TIMES, run_memories
from rules.program import Program, compile_items
from rules.rows import END_TICK, NOT_READ, TICK, Rows, weave_rows
from rules.slot_arrays import SlotArrays
from rules.windows import CELLS, HEADS, MERGED, PANES, STATS, run_windows

CAPACITY = 1 << 15
"""Evaluations taken at once."""
NO_NUMBER = -1
"""Of a feature that another kernel works out."""
_SIZE = struct.Struct("<8sI")

Keys = Mapping[str, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """What differs between kinds of vehicles, one row each: staleness of every column of the engine, a program's constants, and
    what is usual for the model.
    """

    kind_of: NDArray[np.int32]
    stale_ns: NDArray[np.int64]
    constant: NDArray[np.float64]
    cohorts: Sequence[Cohort]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evaluations:
    """Arguments of features, evaluated: feature, slot, flags and last row of each, its time, and the values."""

    where: NDArray[np.int32]
    time_ns: NDArray[np.int64]
    value: NDArray[np.float64]


class FeatureStage:
    """Features of one level. Its state is `arrays`, one slot per vehicle.

    Args:
        columns: number of every column of the engine.
    """

    def __init__(self, features: Sequence[Feature], columns: Mapping[str, int], jit: Jit) -> None:
        self.features = tuple(features)
        self.program: Program = compile_items([feature.item for feature in features])
        self._lookup = np.full(len(columns) + 3, NOT_READ, np.int32)
        self._lookup[-2:] = (END_TICK, TICK)
        for name, number in self.program.columns.items():
            self._lookup[columns[name]] = number
        self._global = np.array([columns[name] for name in self.program.columns], np.intp)
        self._out = np.array([columns[feature.name] for feature in features], np.int32)
        self._probe, self._windows, self._memories = jit(run_rules), jit(run_windows), jit(run_memories)
        self._weave = jit(weave_rows)
        self._tables: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]] | None = None
        self._number = np.zeros(len(features), np.int32)
        self._window_number = np.full(len(features), NO_NUMBER, np.int32)
        self._memory_number = np.full(len(features), NO_NUMBER, np.int32)
        self.windowed = [f for f, feature in enumerate(features) if feature.call.name in WINDOWED]
        self.remembered = [f for f, feature in enumerate(features) if feature.call.name in MEMORIES]
        self._looked_up = [f for f, feature in enumerate(features) if feature.call.name in LOOKUPS]
        for group, among in ((self.windowed, self._window_number), (self.remembered, self._memory_number)):
            among[group] = self._number[group] = np.arange(len(group))
        self.spec, self._figures, cells = _windows([features[f].call for f in self.windowed])
        self._memory_spec = np.array([_memory(features[f].call) for f in self.remembered], np.int64).reshape(-1, 3)
        self._is_window = np.array([feature.call.name in WINDOWED for feature in features], np.bool_)
        self.arrays = SlotArrays(
            last_time=((len(self.program.columns),), np.int64, NEVER),
            last_value=((len(self.program.columns),), np.float64, np.nan),
            marks=((self.program.marks,), np.int64, NEVER),
            heads=((len(self.windowed), HEADS), np.int64, NEVER),
            last=((len(self.windowed),), np.float64, np.nan),
            cells=((cells,), np.float64, 0.0),
            merged_for=((len(self.windowed),), np.int64, NEVER),
            times=((len(self.remembered), TIMES), np.int64, NEVER),
            held=((len(self.remembered),), np.float64, np.nan),
            total=((len(self.remembered),), np.float64, 0.0),
        )

    def reset(self, slot: int) -> None:
        """A vehicle of which nothing is known."""
        self.arrays.reset(slot)
        for number, f in enumerate(self.remembered):
            if self.features[f].call.name == "cycles":
                self.arrays["times"][slot, number] = 0

    def run(self, rows: Rows, kinds: Kinds) -> Rows:
        """The rows with those of the features put in, each behind the last row of its time."""
        read = replace(rows, column=self._lookup[rows.column])
        begin = 0
        places: list[NDArray[np.int32]] = []
        columns: list[NDArray[np.int32]] = []
        values: list[NDArray[np.float64]] = []
        while begin < len(rows.column):
            begin, found = self._evaluate(read, begin, kinds)
            value = self._values(found, kinds)
            sampled = (found.where[:, 2] & 1) != 0
            places.append(found.where[sampled, 3])
            columns.append(self._out[found.where[sampled, 0]])
            values.append(value[sampled])
        if not places:
            return rows
        place = np.concatenate(places)
        woven = Rows.empty(len(rows.column) + len(place))
        self._weave(
            rows.time_ns, rows.slot, rows.column, rows.value, place, np.concatenate(columns), np.concatenate(values),
            woven.time_ns, woven.slot, woven.column, woven.value,
        )  # fmt: skip
        return woven

    def _evaluate(self, rows: Rows, begin: int, kinds: Kinds) -> tuple[int, _Evaluations]:
        count = len(self.features)
        capacity = min(CAPACITY, len(rows.column) * count) + count
        where = np.empty((capacity, 4), np.int32)
        times = np.empty((capacity, 3), np.int64)
        values = np.full((capacity, 3), np.nan)
        idle = np.empty((0, count), np.int64)
        muted = np.zeros((len(kinds.stale_ns), count), np.uint8)
        active = np.zeros((len(self.arrays["last_time"]), count), np.uint8)
        awake = np.zeros(active.shape, np.int16)
        program, arrays, (stale_ns, _) = self.program, self.arrays, self._limits(kinds)
        with np.errstate(all="ignore"):
            begin, events = self._probe(
                begin, True, rows.time_ns, rows.slot, rows.column, rows.value,
                kinds.kind_of, stale_ns, muted,
                program.listener_start, program.listener, program.untouched, program.input_start, program.input_column,
                program.shown_start, program.shown_column, program.code_start, program.op, program.operand, kinds.constant,
                program.hold_ns, program.pauses, program.mark_of, arrays["last_time"], arrays["last_value"],
                active, awake, idle, idle, idle, arrays["marks"], where, times, values,
            )  # fmt: skip
        return int(begin), _Evaluations(where=where[:events], time_ns=times[:events, 0], value=values[:events])

    def _values(self, found: _Evaluations, kinds: Kinds) -> NDArray[np.float64]:
        """Value of the feature at each evaluation."""
        value = np.empty(len(found.where))
        arrays, (_, gaps) = self.arrays, self._limits(kinds)
        event = (found.where, found.time_ns, found.value, kinds.kind_of, gaps)
        windows = (self.spec, self._figures, arrays["heads"], arrays["last"], arrays["cells"], arrays["merged_for"])
        memories = (self._memory_spec, arrays["times"], arrays["held"], arrays["total"])
        if self.windowed:
            self._windows(*event, self._window_number, *windows, value)
        if self.remembered:
            self._memories(*event, self._memory_number, *memories, value)
        for f in self._looked_up:
            chosen = np.flatnonzero(found.where[:, 0] == f)
            value[chosen] = self._look_up(f, kinds, found.where[chosen, 1], found.value[chosen, 0])
        return value

    def _look_up(self, f: int, kinds: Kinds, slot: NDArray[np.int32], temperature: NDArray[np.float64]) -> NDArray[np.float64]:
        """What is usual at these temperatures for the models of these vehicles, NaN where nobody knows."""
        signal, quantile = self.features[f].call.args
        value = np.full(len(slot), np.nan)
        kind = kinds.kind_of[slot]
        for one in np.unique(kind).tolist():
            bands = kinds.cohorts[one].get((column_name(signal), _figure(quantile))) if isinstance(signal, Signal) else None
            if bands is not None:
                own = np.flatnonzero(kind == one)
                usual = [bands.at(each) if each == each else None for each in temperature[own].tolist()]
                value[own] = [np.nan if each is None else each for each in usual]
        return value

    def _limits(self, kinds: Kinds) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Kinds × own columns: how long a value may be used; kinds × features: how far apart samples may lie."""
        if self._tables is None or self._tables[0] is not kinds.stale_ns:
            local = {name: number for number, name in enumerate(self.program.columns)}
            stale = np.ascontiguousarray(kinds.stale_ns[:, self._global])
            columns = [[local[name] for name in feature.sources] for feature in self.features]
            gaps = [stale[:, wanted].min(axis=1) if wanted else np.full(len(stale), FOREVER) for wanted in columns]
            self._tables = kinds.stale_ns, stale, np.ascontiguousarray(np.stack(gaps, axis=1).astype(np.int64))
        return self._tables[1:]

    def pack(self, slot: int, keys: Keys) -> bytes:
        """State of every feature that has any, by the key of its name."""
        parts = [(keys[feature.name], self._pack_one(slot, f)) for f, feature in enumerate(self.features)]
        return b"".join(_SIZE.pack(key, len(state)) + state for key, state in parts if state)

    def _views(self, slot: int, f: int) -> list[NDArray[Any]]:
        """The feature's parts of the arrays, to read or to write."""
        if f in self._looked_up:
            return []
        number, arrays = int(self._number[f]), self.arrays
        mark = int(self.program.mark_of[f, 2])
        marks = [arrays["marks"][slot, mark : mark + 1]] if mark >= 0 else []
        if self._is_window[f]:
            first, width = self.spec[number, 4], self.spec[number, 5] * self.spec[number, 6]
            cells = arrays["cells"][slot, first : first + width]
            return [arrays["heads"][slot, number], arrays["last"][slot, number : number + 1], cells, *marks]
        held, total = (arrays[name][slot, number : number + 1] for name in ("held", "total"))
        return [arrays["times"][slot, number], held, total, *marks]

    def _pack_one(self, slot: int, f: int) -> bytes:
        views = self._views(slot, f)
        idle = NEVER if self.features[f].call.name != "cycles" else 0
        return (
            b""
            if not views or (bool((views[0] == idle).all()) and len(views) == 3)
            else b"".join(view.tobytes() for view in views)
        )

    def unpack(self, slot: int, states: Mapping[bytes, bytes], keys: Keys) -> None:
        """Set the state from what `pack` gave, as (key -> state)."""
        for f, feature in enumerate(self.features):
            state = states.get(keys[feature.name], b"")
            views = self._views(slot, f)
            if len(state) != sum(view.nbytes for view in views):
                continue
            for view in views:
                view[:] = np.frombuffer(state[: view.nbytes], view.dtype)
                state = state[view.nbytes :]


def split(packed: bytes) -> dict[bytes, bytes]:
    """The states of features by key."""
    states: dict[bytes, bytes] = {}
    offset = 0
    while offset < len(packed):
        key, size = _SIZE.unpack_from(packed, offset)
        offset += _SIZE.size + size
        states[key] = packed[offset - size : offset]
    return states


def stale_of(features: Sequence[Feature], stale: dict[str, int]) -> None:
    """Add how long each feature's value may be used, to that of signals and code predicates."""
    for feature in features:
        least = min((stale[name] for name in feature.sources), default=FOREVER)
        if feature.call.name == "steady":
            least = _ns(feature.call.args[1])
        stale[feature.name] = FOREVER if feature.call.name in LASTING else least


def _windows(calls: Sequence[Call]) -> tuple[NDArray[np.int64], NDArray[np.float64], int]:
    """(statistic, basis, pane, length, first cell, width, panes) of each; figures of percentiles; cells in all."""
    spec, figures, cells = [], [], 0
    for call in calls:
        basis, length = window_of(window_argument(call)) or (BY_TRIP, 0)
        stat = STATS.index(call.name)
        panes = 1 if basis == BY_TRIP else PANES
        spec.append((stat, basis, max(1, length // PANES), length, cells, CELLS[stat], panes))
        cells += panes * CELLS[stat] + max(MERGED, CELLS[stat])
        figures.append(tuple(_figure(call.args[n]) for n in (1, 3, 4)) if call.name == "percentile" else (0.0, 0.0, 1.0))
    return np.array(spec, np.int64).reshape(-1, 7), np.array(figures, np.float64).reshape(-1, 3), cells


def _memory(call: Call) -> tuple[int, int, int]:
    first, second = 0, 0
    if call.name == "cycles":
        first, second = int(-(-_figure(call.args[1]) // 1)), int(_figure(call.args[2]))
    elif call.name in ("seq", "steady"):
        first = _ns(call.args[-1])
    return KINDS.index(call.name), first, second


def _figure(node: Node) -> float:
    return node.value if isinstance(node, Number) else 0.0


def _ns(node: Node) -> int:
    return round(_figure(node) * TIME_NS[str(node.unit)]) if isinstance(node, Number) else 0
