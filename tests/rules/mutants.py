"""A rule with one of its figures moved a little, for every figure and both ways."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from rules.expression import COMPARISONS, Call, Node, Number, Parameter, walk
from rules.functions import TIME_NS, WINDOWED, window_argument
from rules.rule import Rule

SMALL = 0.02
"""A figure that moves by this share must be noticed."""
PANE = 1 / 15
"""So must a window that grows or shrinks by one pane, wherever the rule names it: it is no finer than that."""


def mutants(rule: Rule, interval_ns: int) -> Iterator[tuple[str, Rule]]:
    """(what moved, the rule so moved).

    Args:
        interval_ns: between the samples of its tests; durations move by it.
    """
    for name, value in rule.parameters.items():
        for moved in _moved(value, Parameter(name=name), rule):
            yield f"{name} {moved:g}", replace(rule, parameters={**rule.parameters, name: moved})
    windows = dict.fromkeys(call for call in _calls(rule) if call.name in WINDOWED)
    for window in windows:
        length = window_argument(window)
        for factor in (1.0 - PANE, 1.0 + PANE) if isinstance(length, Number) else ():
            longer = replace(window, args=_moved_in(window.args, length, length.value * factor))
            yield (
                f"{length.value:g} of {window.name} × {factor:g}",
                _everywhere(rule, lambda n, w=window, m=longer: m if n == w else n),
            )
    inside = [window_argument(call) for call in _calls(rule) if call.name in WINDOWED]
    for number in [part for condition in rule.conditions for part in walk(condition) if isinstance(part, Number)]:
        for moved in () if any(number is length for length in inside) else _literal_moved(number, rule, interval_ns):
            other = replace(number, value=moved)
            yield f"{number.value:g} {moved:g}", _everywhere(rule, lambda n, old=number, new=other: new if n is old else n)
    for field in ("hold_ns", "clear_hold_ns", "keep_firing_ns", "min_interval_ns"):
        length = getattr(rule, field)
        for step in (-interval_ns, interval_ns):
            if length + step >= 0 and (length or field.endswith("hold_ns")):
                yield f"{field} {step:+d}", replace(rule, **{field: length + step})
    for factor in (1.0 - SMALL, 1.0 + SMALL) if rule.min_rate_hz else ():
        yield f"min_rate × {factor}", replace(rule, min_rate_hz=rule.min_rate_hz * factor)


def _literal_moved(number: Number, rule: Rule, interval_ns: int) -> list[float]:
    for call in _calls(rule):
        if call.name in ("seq", "absent") and call.args[-1] is number:
            step = max(interval_ns / TIME_NS[str(number.unit)], SMALL * number.value)
            return [number.value - step, number.value + step]
        if call.name == "cycles" and number in call.args[1:]:
            wanted, among = (arg.value for arg in call.args[1:] if isinstance(arg, Number))
            least, most = (1.0, among) if number is call.args[1] else (wanted, 32.0)
            return [value for value in (number.value - 1.0, number.value + 1.0) if least <= value <= most]
    return _moved(number.value, number, rule)


def _moved(value: float, figure: Node, rule: Rule) -> list[float]:
    """By a small share; by one where it is held against a count."""
    compared = [call for call in _calls(rule) if call.name in COMPARISONS and figure in call.args]
    if compared and all(any(isinstance(arg, Call) and arg.name == "count" for arg in call.args) for call in compared):
        return [value - 1.0, value + 1.0]
    return [value * (1.0 - SMALL), value * (1.0 + SMALL)]


def _calls(rule: Rule) -> list[Call]:
    return [part for condition in rule.conditions for part in walk(condition) if isinstance(part, Call)]


def _moved_in(args: tuple[Node, ...], number: Number, value: float) -> tuple[Node, ...]:
    return tuple(replace(number, value=value) if arg is number else arg for arg in args)


def _everywhere(rule: Rule, change: Callable[[Node], Node]) -> Rule:
    """The rule with every part of its conditions changed so."""

    def changed(node: Node) -> Node:
        new = change(node)
        if new is node and isinstance(node, Call):
            return replace(node, args=tuple(changed(arg) for arg in node.args))
        return new

    conditions = {field: getattr(rule, field) for field in ("gate", "when", "clear_when")}
    return replace(rule, **{field: changed(node) for field, node in conditions.items() if node is not None})
