"""Compiles conditions into the flat arrays that the kernel interprets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from rules.expression import Boolean, Call, ExpressionError, Node, Number, Parameter
from rules.functions import FEATURES, INSTANT, TIME_NS, Leaf, leaves
from rules.kernel import STACK_DEPTH


class Op(IntEnum):
    """Instructions of the stack machine (`rules.kernel` writes the numbers out)."""

    CONSTANT = 0
    COLUMN = 1
    NOT = 2
    NEGATE = 3
    ABSOLUTE = 4
    AND = 5
    OR = 6
    ADD = 7
    SUBTRACT = 8
    MULTIPLY = 9
    DIVIDE = 10
    LEAST = 11
    GREATEST = 12
    LESS = 13
    LESS_EQUAL = 14
    GREATER = 15
    GREATER_EQUAL = 16
    EQUAL = 17
    UNEQUAL = 18
    REQUIRE = 19
    ABSENT = 20
    CLOCK = 21
    PART = 22


_OPS = {
    "not": Op.NOT,
    "neg": Op.NEGATE,
    "abs": Op.ABSOLUTE,
    "and": Op.AND,
    "or": Op.OR,
    "+": Op.ADD,
    "-": Op.SUBTRACT,
    "*": Op.MULTIPLY,
    "/": Op.DIVIDE,
    "min": Op.LEAST,
    "max": Op.GREATEST,
    "<": Op.LESS,
    "<=": Op.LESS_EQUAL,
    ">": Op.GREATER,
    ">=": Op.GREATER_EQUAL,
    "==": Op.EQUAL,
    "!=": Op.UNEQUAL,
    "require": Op.REQUIRE,
}


MOST_PARTS = 15
"""Parts of a rule's conditions that it can sleep for; they are bits of an int16."""
_CONJUNCTIONS = ("and", "require")

Naming = Callable[[Leaf], str]
"""What the column of a leaf is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What one line of the kernel's tables is made from: a rule, or the arguments of a feature.

    Attributes:
        owner: id of the rule whose parameters it uses. programs: gate, raising and clearing program (of a feature: its arguments).
        listens, inputs, shown: columns that wake it, that decide it, whose values its events carry.
        hold_ns: for, clear_for, keep_firing_for, min_interval. pauses: on_gap (0 hold, 1 reset, 2 unknown), gate_closed, edge.
        sleeps: it need not be evaluated as long as a part of its condition that did not hold has got no other value.
    """

    owner: str
    programs: tuple[Node | None, Node | None, Node | None]
    parameters: Mapping[str, float]
    naming: Naming
    listens: tuple[str, ...]
    inputs: tuple[str, ...]
    shown: tuple[str, ...] = ()
    hold_ns: tuple[int, int, int, int] = (0, 0, 0, 0)
    pauses: tuple[int, int, int] = (0, 0, 0)
    sleeps: bool = False

    @property
    def asks_for_absence(self) -> bool:
        """It must know when the drive began."""
        return any(leaf.name == "absent" for node in self.programs if node for leaf in leaves(node) if isinstance(leaf, Call))


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """All items together; `run_rules` describes the arrays.

    Attributes:
        columns: input name (VSS path, or "dtc:PATTERN") -> column.
        constant: the numbers; parameters: for each of them (rule, parameter), None where it is a literal.
        marks: how many times (`mark_of`) are kept.
    """

    columns: Mapping[str, int]
    listener_start: NDArray[np.int32]
    listener: NDArray[np.int32]
    untouched: NDArray[np.int16]
    input_start: NDArray[np.int32]
    input_column: NDArray[np.int32]
    shown_start: NDArray[np.int32]
    shown_column: NDArray[np.int32]
    code_start: NDArray[np.int32]
    op: NDArray[np.int8]
    operand: NDArray[np.int32]
    constant: NDArray[np.float64]
    parameters: tuple[tuple[str, str] | None, ...]
    hold_ns: NDArray[np.int64]
    pauses: NDArray[np.uint8]
    mark_of: NDArray[np.int32]
    marks: int
    most_shown: int

    def constants(self, overrides: Mapping[str, Mapping[str, float]]) -> NDArray[np.float64]:
        """The numbers where these parameters (rule id -> name -> value) stand for the rules' own."""
        row = self.constant.copy()
        for number, parameter in enumerate(self.parameters):
            if parameter is not None:
                row[number] = overrides.get(parameter[0], {}).get(parameter[1], row[number])
        return row


def compile_items(items: Sequence[Item]) -> Program:
    """The program of these items."""
    names = dict.fromkeys(name for item in items for name in (*item.listens, *item.inputs, *item.shown))
    columns = {name: number for number, name in enumerate(names)}
    code = _Code(columns)
    code_start = [code.add(number, item) for number, item in enumerate(items)]
    listeners = [[r for r, item in enumerate(items) if name in item.listens] for name in columns]
    untouched = [~code.parts.get((r, column), 0) for column, rules in enumerate(listeners) for r in rules]
    listener_start, listener = _compressed(listeners)
    input_start, input_column = _compressed([[columns[name] for name in item.inputs] for item in items])
    shown_start, shown_column = _compressed([[columns[name] for name in item.shown] for item in items])
    mark_of, marks = _marks(items)
    return Program(
        columns=columns,
        listener_start=listener_start,
        listener=listener,
        untouched=np.array(untouched, np.int16),
        input_start=input_start,
        input_column=input_column,
        shown_start=shown_start,
        shown_column=shown_column,
        code_start=np.array(code_start, np.int32).reshape(len(items), 4),
        op=np.array(code.ops, np.int8),
        operand=np.array(code.operands, np.int32),
        constant=np.array(code.constants, np.float64),
        parameters=tuple(code.parameters),
        hold_ns=np.array([item.hold_ns for item in items], np.int64).reshape(len(items), 4),
        pauses=np.array([item.pauses for item in items], np.uint8).reshape(len(items), 3),
        mark_of=mark_of,
        marks=marks,
        most_shown=max((len(item.shown) for item in items), default=0),
    )


def _marks(items: Sequence[Item]) -> tuple[NDArray[np.int32], int]:
    """Which times each item needs kept, numbered through."""
    wanted = np.array([(i.hold_ns[2] > 0, i.hold_ns[3] > 0, i.asks_for_absence) for i in items], np.bool_).reshape(len(items), 3)
    numbers = np.cumsum(wanted.ravel()).reshape(wanted.shape) - 1
    return np.where(wanted, numbers, -1).astype(np.int32), int(wanted.sum())


def _compressed(rows: Sequence[Sequence[int]]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Rows of different length as (start of each row and the end, all items)."""
    start = np.zeros(len(rows) + 1, np.int32)
    np.cumsum([len(row) for row in rows], out=start[1:])
    return start, np.array([item for row in rows for item in row], np.int32)


class _Code:
    """Instructions written one after the other. `parts`: (item, column) -> bits of the parts of its conditions that it decides."""

    def __init__(self, columns: Mapping[str, int]) -> None:
        self.ops: list[int] = []
        self.operands: list[int] = []
        self.constants: list[float] = []
        self.parameters: list[tuple[str, str] | None] = []
        self.parts: dict[tuple[int, int], int] = {}
        self._columns = columns
        self._depth = 0
        self._part = 0

    def add(self, number: int, item: Item) -> tuple[int, int, int, int]:
        """Write the three programs; gives their bounds."""
        bounds = [len(self.ops)]
        self._part = 1 if item.sleeps and not item.asks_for_absence else 1 << MOST_PARTS
        for condition in item.programs:
            if condition is not None:
                self._depth = 0
                self._write_condition(condition, number, item)
            bounds.append(len(self.ops))
        return bounds[0], bounds[1], bounds[2], bounds[3]

    def _write_condition(self, node: Node, number: int, item: Item) -> None:
        """A conjunction part by part; what each part came to is noted as far as there are bits for it."""
        if isinstance(node, Call) and node.name in _CONJUNCTIONS:
            self._write_call(node, lambda arg: self._write_condition(arg, number, item))
            return
        self._write(node, item)
        read = tuple(leaves(node))
        if self._part == 1 << MOST_PARTS or any(isinstance(leaf, Call) and leaf.name in INSTANT for leaf in read):
            return
        self._instruction(Op.PART, self._part)
        for leaf in read:
            key = number, self._columns[item.naming(leaf)]
            self.parts[key] = self.parts.get(key, 0) | self._part
        self._part <<= 1

    def _write(self, node: Node, item: Item) -> None:
        if isinstance(node, Number | Boolean):
            self._constant(float(node.value), node)
        elif isinstance(node, Parameter):
            self._constant(item.parameters[node.name], node, (item.owner, node.name))
        elif isinstance(node, Call) and node.name in INSTANT:
            self._write_instant(node, item)
        elif isinstance(node, Call) and node.name not in FEATURES:
            self._write_call(node, lambda arg: self._write(arg, item))
        elif isinstance(node, Leaf):
            self._push(Op.COLUMN, self._columns[item.naming(node)], node)
        else:
            raise ExpressionError("is not bound", node.at)

    def _constant(self, value: float, node: Node, parameter: tuple[str, str] | None = None) -> None:
        self.constants.append(value)
        self.parameters.append(parameter)
        self._push(Op.CONSTANT, len(self.constants) - 1, node)

    def _write_instant(self, node: Call, item: Item) -> None:
        """`absent` and `local_hour` take their number from the stack and leave their value there."""
        number = node.args[-1]
        if not isinstance(number, Number):
            raise ExpressionError("is not bound", node.at)
        self._constant(number.value * TIME_NS.get(str(number.unit), 1), node)
        signal = node.args[0]
        if node.name == "absent" and isinstance(signal, Leaf):
            self._instruction(Op.ABSENT, self._columns[item.naming(signal)])
        else:
            self._instruction(Op.CLOCK)

    def _write_call(self, node: Call, write: Callable[[Node], None]) -> None:
        names = ("max", "min") if node.name == "clamp" else (node.name,) * max(1, len(node.args) - 1)
        write(node.args[0])
        if len(node.args) == 1:
            self._instruction(_OPS[node.name])
        for name, arg in zip(names, node.args[1:], strict=False):
            write(arg)
            self._instruction(_OPS[name])
            self._depth -= 1

    def _push(self, op: Op, operand: int, node: Node) -> None:
        self._depth += 1
        if self._depth > STACK_DEPTH:
            raise ExpressionError("is nested too deeply", node.at, "write it more simply")
        self._instruction(op, operand)

    def _instruction(self, op: Op, operand: int = 0) -> None:
        self.ops.append(op)
        self.operands.append(operand)
