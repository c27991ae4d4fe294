"""Finds values for which a rule would raise and clear at the same time, by trying those where its conditions change."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import islice, pairwise, product

from rules.expression import COMPARISONS, Call, Dtc, Node, Signal, children, walk
from rules.functions import Leaf, leaves
from rules.meaning import column_name, evaluate
from rules.rule import Rule

MOST_TRIALS = 5_000
OF_TRUTH = ("seq", "cycles", "absent")


def contradiction(rule: Rule) -> Mapping[str, float] | None:
    """Inputs for which gate, `when` and `clear_when` are all true, or None.

    For each signal the numbers that it is compared with are tried, and a value in every range between them; this finds every
    contradiction between comparisons of one signal with numbers, and most of those between sums.
    """
    if rule.clear_when is None:
        return None
    names = [column_name(node) for node in rule.inputs]
    choices = [_choices(node, rule) for node in rule.inputs]
    for trial in islice(product(*choices), MOST_TRIALS):
        inputs = dict(zip(names, trial, strict=True))
        if all(evaluate(condition, inputs, rule.parameters) == 1.0 for condition in rule.conditions):
            return inputs
    return None


def unreachable(rule: Rule) -> bool:
    """No value of its inputs opens the gate and makes `when` true.

    Only where that can be told for certain: each comparison holds one input against numbers, and all trials could be made.
    """
    raising = tuple(node for node in (rule.gate, rule.when) if node is not None)
    read = tuple(dict.fromkeys(leaf for node in raising for leaf in leaves(node)))
    comparisons = [
        part for node in raising for part in _outside_features(node) if isinstance(part, Call) and part.name in COMPARISONS
    ]
    if not all(
        any(isinstance(arg, Leaf) and arg in read for arg in part.args) and len(set(leaves(part))) == 1 for part in comparisons
    ):
        return False
    choices = [_choices(node, rule) for node in read]
    if math.prod(len(values) for values in choices) > MOST_TRIALS:
        return False
    names = [column_name(node) for node in read]
    trials = (dict(zip(names, trial, strict=True)) for trial in product(*choices))
    return not any(all(evaluate(node, trial, rule.parameters) == 1.0 for node in raising) for trial in trials)


def _outside_features(node: Node) -> Iterator[Node]:
    yield node
    if not (isinstance(node, Leaf) and node in set(leaves(node))):
        for child in children(node):
            yield from _outside_features(child)


def _choices(node: Leaf, rule: Rule) -> list[float]:
    if (
        (isinstance(node, Dtc) and node.asks != "freeze_frame")
        or (isinstance(node, Signal) and node.boolean)
        or (isinstance(node, Call) and node.name in OF_TRUTH)
    ):
        return [1.0, 0.0]
    numbers: set[float] = set()
    for comparison in _comparisons_of(node, rule):
        constant = [arg for arg in comparison.args if not any(isinstance(part, Leaf) for part in leaves(arg))]
        numbers.update(evaluate(arg, {}, rule.parameters) for arg in constant)
        if len(set(leaves(comparison))) > 1:
            numbers.add(0.0)
    edges = sorted(numbers)
    between = [(low + high) / 2 for low, high in pairwise(edges)]
    return [edges[0] - 1.0, *edges, *between, edges[-1] + 1.0] if edges else [0.0]


def _comparisons_of(node: Leaf, rule: Rule) -> list[Call]:
    found = [part for condition in rule.conditions for part in walk(condition)]
    return [part for part in found if isinstance(part, Call) and part.name in COMPARISONS and node in set(leaves(part))]
