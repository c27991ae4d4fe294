"""Finds values for which a rule would raise and clear at the same time, by trying those where its conditions change."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice, product

from rules.expression import Node, Number, Parameter, Signal, walk
from rules.meaning import column_name, evaluate
from rules.rule import Rule

MOST_TRIALS = 20_000


def contradiction(rule: Rule) -> Mapping[str, float] | None:
    """Inputs for which gate, `when` and `clear_when` are all true, or None.

    Every number of the conditions is tried as it is, a little below, a little above and doubled, for each signal; this finds
    every contradiction between comparisons of one signal with a number, and most of those between sums.
    """
    if rule.clear_when is None:
        return None
    conditions = rule.conditions
    numbers = _numbers(conditions, rule.parameters)
    values = sorted({v for n in numbers for v in (n, n * 0.999 - 1e-6, n * 1.001 + 1e-6, 2 * n + 1.0, -2 * n - 1.0)} | {0.0, 1.0})
    choices = [values if isinstance(node, Signal) and not node.boolean else [0.0, 1.0] for node in rule.inputs]
    names = [column_name(node) for node in rule.inputs]
    for trial in islice(product(*choices), MOST_TRIALS):
        inputs = dict(zip(names, trial, strict=True))
        if all(evaluate(condition, inputs, rule.parameters) == 1.0 for condition in conditions):
            return inputs
    return None


def _numbers(conditions: tuple[Node, ...], parameters: Mapping[str, float]) -> set[float]:
    """Literals and parameters, and their sums and differences (`limit - 7`)."""
    single = {
        node.value if isinstance(node, Number) else parameters[node.name]
        for condition in conditions
        for node in walk(condition)
        if isinstance(node, Number | Parameter)
    }
    return (
        single | {a + b for a in single for b in single} | {a - b for a in single for b in single} if len(single) < 5 else single
    )
