"""Gives names and literals of an expression their meaning: VSS signals, parameters, units, truth or number."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache

from domain.vss import catalogue
from rules.expression import COMPARISONS, Boolean, Call, Dtc, ExpressionError, Name, Node, Number, Parameter, Signal
from rules.function_binding import SPECIAL, TRUTH, Kind, bind_function
from rules.functions import window_of
from rules.units import NONE, Unit, parse_unit


@cache
def _tails() -> dict[str, tuple[str, ...]]:
    """Every tail of every VSS path -> the paths that end so."""
    tails: dict[str, list[str]] = {}
    for path in catalogue():
        parts = path.split(".")
        for first in range(len(parts)):
            tails.setdefault(".".join(parts[first:]), []).append(path)
    return {tail: tuple(paths) for tail, paths in tails.items()}


def resolve_path(text: str, column: int = 1, *, also: Iterable[str] = ()) -> str:
    """The VSS path that `text` names: the whole path, or a tail that only one path has.

    Args:
        also: other names that could have been meant (for the mend).

    Raises:
        ExpressionError: unknown (names the nearest) or ambiguous (names the candidates).
    """
    if text in catalogue():
        return text
    paths = _tails().get(text, ())
    if len(paths) == 1:
        return paths[0]
    if paths:
        shown = ", ".join(paths[:3]) + (" …" if len(paths) > 3 else "")
        raise ExpressionError(f"{text!r} is ambiguous", column, f"write more of the path: {shown}")
    near = difflib.get_close_matches(text, [*also, *_tails()], n=1)
    mend = f"did you mean {near[0]!r}?" if near else "use a path of the VSS catalogue or declare a parameter"
    raise ExpressionError(f"unknown signal {text!r}", column, mend)


def bind(node: Node, parameters: Mapping[str, Unit | None]) -> tuple[Node, Kind]:
    """The expression with every name resolved, and what it yields.

    Args:
        parameters: name -> unit (None takes any unit).

    Raises:
        ExpressionError: unknown or ambiguous name, units that differ, truth where a number belongs or the reverse.
    """
    if isinstance(node, Name):
        return _bind_name(node, parameters)
    if isinstance(node, Number):
        return node, node.unit
    if isinstance(node, Dtc):
        return _bind_reported(node)
    if isinstance(node, Boolean):
        return node, TRUTH
    if isinstance(node, Call) and (node.name in SPECIAL or is_window_extreme(node, parameters)):
        return bind_function(node, lambda arg: bind(arg, parameters))
    if isinstance(node, Call):
        bound = [bind(arg, parameters) for arg in node.args]
        call = replace(node, args=tuple(arg for arg, _ in bound))
        return call, _yields(call, [kind for _, kind in bound])
    raise ExpressionError("is already bound", node.at)


def bind_condition(node: Node, parameters: Mapping[str, Unit | None]) -> Node:
    """`bind` for an expression that must be true or false."""
    bound, kind = bind(node, parameters)
    if kind is not TRUTH:
        raise ExpressionError("is a number, not a condition", node.at, "compare it with a limit")
    return bound


def is_window_extreme(node: Call, parameters: Mapping[str, Unit | None]) -> bool:
    """`min(x, 60 s)` and `max(x, 10 km)`: the lowest and highest value in a window, unless x itself is in that unit."""
    if node.name not in ("min", "max") or len(node.args) != 2 or window_of(node.args[1]) is None:
        return False
    _, kind = bind(node.args[0], parameters)
    return not (isinstance(node.args[1], Number) and kind == node.args[1].unit)


def _bind_name(node: Name, parameters: Mapping[str, Unit | None]) -> tuple[Node, Kind]:
    if node.text in parameters:
        unit = parameters[node.text]
        return Parameter(name=node.text, unit=unit, at=node.at), unit
    path = resolve_path(node.text, node.at, also=parameters)
    signal = catalogue()[path]
    unit = parse_unit(signal.unit)
    if unit is None:
        raise ExpressionError(f"{path} has the unknown unit {signal.unit!r}", node.at, "mend the VSS catalogue")
    boolean = signal.datatype == "boolean"
    return Signal(path=path, unit=unit, boolean=boolean, at=node.at), TRUTH if boolean else unit


def _bind_reported(node: Dtc) -> tuple[Node, Kind]:
    if not isinstance(node.signal, Name):
        return node, TRUTH
    signal, kind = _bind_name(node.signal, {})
    return (replace(node, signal=signal) if isinstance(signal, Signal) else node), kind


def _yields(node: Call, kinds: list[Kind]) -> Kind:
    name = node.name
    if name in ("and", "or", "not"):
        _demand(node, kinds, truth=True)
        return TRUTH
    if name in ("==", "!=") and kinds[0] is TRUTH and kinds[1] is TRUTH:
        return TRUTH
    _demand(node, kinds, truth=False)
    units = [kind for kind in kinds if kind is None or isinstance(kind, Unit)]
    if name == "*":
        return _product(units[0], units[1])
    if name == "/":
        above, below = units[0] or NONE, units[1] or NONE
        return None if units == [None, None] else above / below
    same = _same_unit(node, units)
    return TRUTH if name in COMPARISONS else same


def _product(left: Unit | None, right: Unit | None) -> Unit | None:
    return None if left is None and right is None else (left or NONE) * (right or NONE)


def _demand(node: Call, kinds: list[Kind], *, truth: bool) -> None:
    for arg, kind in zip(node.args, kinds, strict=True):
        if (kind is TRUTH) != truth:
            what = "needs conditions, not a number" if truth else "needs numbers, not a condition"
            raise ExpressionError(f"{node.name} {what}", arg.at, "compare it with a limit" if truth else "use and, or, not")


def _same_unit(node: Call, units: list[Unit | None]) -> Unit | None:
    known: Unit | None = None
    for arg, unit in zip(node.args, units, strict=True):
        if unit is None:
            continue
        if known is not None and unit != known:
            names = f"{str(known) or 'a pure number'} and {str(unit) or 'a pure number'}"
            raise ExpressionError(f"{node.name} mixes {names}", arg.at, f"convert it to {known}" if str(known) else "correct it")
        known = unit
    return known
