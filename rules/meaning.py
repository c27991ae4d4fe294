"""What a bound expression is worth: the plain reference of the compiled program, used for texts, evidence and checks.

Truth is 1.0 or 0.0; NaN is unknown (three-valued logic of Kleene). A division by zero is unknown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from rules.expression import COMPARISONS, Boolean, Call, Dtc, ExpressionError, Node, Number, Parameter, Signal, render
from rules.functions import FEATURES, INSTANT, Leaf

UNKNOWN = math.nan
REPORTED = "dtc:"
"""How the names of columns of what ECUs report begin."""


def column_name(node: Leaf) -> str:
    """How the value of a signal, a trouble-code predicate, a feature or a function of the time is called among inputs."""
    if isinstance(node, Call):
        return render(node)
    if isinstance(node, Signal):
        return node.path
    return f"{REPORTED}{node.pattern if node == Dtc(pattern=node.pattern) else render(node)}"


def evaluate(node: Node, inputs: Mapping[str, float], parameters: Mapping[str, float]) -> float:
    """The value of the expression; inputs (by `column_name`) that are missing are unknown."""
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Boolean):
        return float(node.value)
    if isinstance(node, Parameter):
        return parameters[node.name]
    if isinstance(node, Signal | Dtc):
        return inputs.get(column_name(node), UNKNOWN)
    if isinstance(node, Call) and (node.name in FEATURES or node.name in INSTANT):
        return inputs.get(column_name(node), UNKNOWN)
    if isinstance(node, Call):
        return _apply(node.name, [evaluate(arg, inputs, parameters) for arg in node.args])
    raise ExpressionError("is not bound", node.at)


def _apply(name: str, args: list[float]) -> float:
    if name == "and":
        return 0.0 if 0.0 in args else UNKNOWN if _unknown(args) else 1.0
    if name == "or":
        return 1.0 if any(arg != 0.0 and not math.isnan(arg) for arg in args) else UNKNOWN if _unknown(args) else 0.0
    if name == "require":
        return args[1] if args[0] == 1.0 else UNKNOWN
    if _unknown(args):
        return UNKNOWN
    if name in COMPARISONS:
        return float(_compare(name, args[0], args[1]))
    return _calculate(name, args)


def _calculate(name: str, args: list[float]) -> float:
    match name, args:
        case "not", [value]:
            return float(value == 0.0)
        case "neg", [value]:
            return -value
        case "abs", [value]:
            return abs(value)
        case "+", [left, right]:
            return left + right
        case "-", [left, right]:
            return left - right
        case "*", [left, right]:
            return left * right
        case "/", [left, right]:
            return left / right if right != 0.0 else UNKNOWN
        case "min", _:
            return min(args)
        case "max", _:
            return max(args)
        case "clamp", [value, least, greatest]:
            return min(max(value, least), greatest)
    raise ValueError(name)


def _compare(name: str, left: float, right: float) -> bool:
    match name:
        case "<":
            return left < right
        case "<=":
            return left <= right
        case ">":
            return left > right
        case ">=":
            return left >= right
        case "==":
            return left == right
        case _:
            return left != right


def _unknown(args: list[float]) -> bool:
    return any(math.isnan(arg) for arg in args)
