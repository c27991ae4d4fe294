"""Compiles rules into the flat arrays that the kernel interprets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from rules.expression import Boolean, Call, Dtc, ExpressionError, Node, Number, Parameter, Signal
from rules.kernel import STACK_DEPTH
from rules.meaning import column_name
from rules.rule import Pause, Rule


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
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """All rules together; `run_rules` describes the arrays.

    Attributes:
        columns: input name (VSS path, or "dtc:PATTERN") -> column.
        shown: per rule, the input names whose values its events carry.
    """

    columns: Mapping[str, int]
    shown: tuple[tuple[str, ...], ...]
    listener_start: NDArray[np.int32]
    listener: NDArray[np.int32]
    input_start: NDArray[np.int32]
    input_column: NDArray[np.int32]
    shown_start: NDArray[np.int32]
    shown_column: NDArray[np.int32]
    code_start: NDArray[np.int32]
    op: NDArray[np.int8]
    operand: NDArray[np.int32]
    constant: NDArray[np.float64]
    hold_ns: NDArray[np.int64]
    pauses: NDArray[np.uint8]

    @property
    def most_shown(self) -> int:
        """The greatest number of values that one event carries."""
        return max((len(names) for names in self.shown), default=0)


def compile_rules(rules: Sequence[Rule]) -> Program:
    """The program of these rules."""
    inputs = [tuple(column_name(node) for node in rule.inputs) for rule in rules]
    shown = [tuple(dict.fromkeys((*names, *sorted(rule.paths)))) for names, rule in zip(inputs, rules, strict=True)]
    columns = {name: number for number, name in enumerate(dict.fromkeys(name for names in shown for name in names))}
    code = _Code(columns)
    code_start = [code.add_rule(rule) for rule in rules]
    listeners = [[r for r, names in enumerate(inputs) if column in names] for column in columns]
    listener_start, listener = _compressed(listeners)
    input_start, input_column = _compressed([[columns[name] for name in names] for names in inputs])
    shown_start, shown_column = _compressed([[columns[name] for name in names] for names in shown])
    pauses = [(rule.on_gap is Pause.RESET, rule.gate_closed is Pause.HOLD) for rule in rules]
    return Program(
        columns=columns,
        shown=tuple(shown),
        listener_start=listener_start,
        listener=listener,
        input_start=input_start,
        input_column=input_column,
        shown_start=shown_start,
        shown_column=shown_column,
        code_start=np.array(code_start, np.int32).reshape(len(rules), 4),
        op=np.array(code.ops, np.int8),
        operand=np.array(code.operands, np.int32),
        constant=np.array(code.constants, np.float64),
        hold_ns=np.array([(rule.hold_ns, rule.clear_hold_ns) for rule in rules], np.int64).reshape(len(rules), 2),
        pauses=np.array(pauses, np.uint8).reshape(len(rules), 2),
    )


def _compressed(rows: Sequence[Sequence[int]]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Rows of different length as (start of each row and the end, all items)."""
    start = np.zeros(len(rows) + 1, np.int32)
    np.cumsum([len(row) for row in rows], out=start[1:])
    return start, np.array([item for row in rows for item in row], np.int32)


class _Code:
    """Instructions written one after the other."""

    def __init__(self, columns: Mapping[str, int]) -> None:
        self.ops: list[int] = []
        self.operands: list[int] = []
        self.constants: list[float] = []
        self._columns = columns
        self._depth = 0

    def add_rule(self, rule: Rule) -> tuple[int, int, int, int]:
        """Write gate, raising and clearing program; gives their bounds."""
        bounds = [len(self.ops)]
        for condition in (rule.gate, rule.when, rule.clearing):
            if condition is not None:
                self._depth = 0
                self._write(condition, rule.parameters)
            bounds.append(len(self.ops))
        return bounds[0], bounds[1], bounds[2], bounds[3]

    def _write(self, node: Node, parameters: Mapping[str, float]) -> None:
        if isinstance(node, Signal | Dtc):
            self._push(Op.COLUMN, self._columns[column_name(node)], node)
        elif isinstance(node, Number | Boolean | Parameter):
            self.constants.append(parameters[node.name] if isinstance(node, Parameter) else float(node.value))
            self._push(Op.CONSTANT, len(self.constants) - 1, node)
        elif isinstance(node, Call):
            self._write_call(node, parameters)
        else:
            raise ExpressionError("is not bound", node.at)

    def _write_call(self, node: Call, parameters: Mapping[str, float]) -> None:
        names = ("max", "min") if node.name == "clamp" else (node.name,) * max(1, len(node.args) - 1)
        self._write(node.args[0], parameters)
        if len(node.args) == 1:
            self._instruction(_OPS[node.name])
        for name, arg in zip(names, node.args[1:], strict=False):
            self._write(arg, parameters)
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
