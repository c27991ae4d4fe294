"""Which features the rules need, in which order they are worked out, and what each is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rules.expression import Call, Node, Signal, walk
from rules.functions import (
    BY_DISTANCE,
    BY_ENGINE,
    WINDOWED,
    Leaf,
    arguments,
    features_in,
    is_feature,
    leaves,
    parameters_in,
    window_argument,
    window_of,
)
from rules.meaning import column_name
from rules.program import Item
from rules.rule import Rule

SPEED = Signal(path="Vehicle.Speed")
ENGINE_SPEED = Signal(path="Vehicle.Powertrain.CombustionEngine.Speed")
ODOMETER = Call(name="odometer", args=(SPEED,))
ENGINE_CLOCK = Call(name="engine_clock", args=(ENGINE_SPEED,))
COORDINATE = {BY_DISTANCE: ODOMETER, BY_ENGINE: ENGINE_CLOCK}


def qualified(leaf: Leaf, rule: Rule) -> str:
    """The column of a leaf: features with parameters belong to their rule and its figures, all others are shared."""
    name = column_name(leaf)
    used = parameters_in(leaf)
    if not used:
        return name
    figures = ", ".join(f"{parameter}={rule.parameters[parameter]!r}" for parameter in used)
    return f"{rule.id}: {name} [{figures}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One derived column.

    Attributes:
        name: of its column. level: 0 reads signals alone, 1 also features of level 0, and so on.
        item: its arguments; for windows by distance or engine time the second is the coordinate.
        sources: columns whose staleness limits it, or where it lasts, how far apart samples may lie.
    """

    name: str
    call: Call
    level: int
    item: Item
    sources: tuple[str, ...]


def features_of(rules: Sequence[Rule]) -> tuple[Feature, ...]:
    """Every feature that the rules decide by or show, lower levels first."""
    found: dict[str, Feature] = {}
    for rule in rules:
        for call in features_in_all((*rule.guarded_conditions, *rule.shown_nodes)):
            _add(call, rule, found)
    return tuple(sorted(found.values(), key=lambda feature: feature.level))


def features_in_all(nodes: Iterable[Node]) -> list[Call]:
    """Every feature in these expressions, inner ones first."""
    return list(dict.fromkeys(call for node in nodes for call in features_in(node)))


def _add(call: Call, rule: Rule, found: dict[str, Feature]) -> Feature:
    name = qualified(call, rule)
    if name in found:
        return found[name]
    programs: list[Node | None] = list(arguments(call))
    listened = list(dict.fromkeys(leaf for node in arguments(call) for leaf in leaves(node)))
    coordinate = COORDINATE.get(_basis(call))
    if coordinate is not None:
        programs.append(coordinate)
    inner = [
        leaf for node in programs if node is not None for leaf in leaves(node) if isinstance(leaf, Call) and is_feature(leaf)
    ]
    level = max((_add(leaf, rule, found).level + 1 for leaf in inner), default=0)
    listens = tuple(dict.fromkeys(name for leaf in listened for name in columns_of(leaf, rule)))
    coordinates = () if coordinate is None else (qualified(coordinate, rule),)
    found[name] = Feature(
        name=name,
        call=call,
        level=level,
        item=Item(
            owner=rule.id,
            programs=(programs[0], programs[1] if len(programs) > 1 else None, None),
            parameters=rule.parameters,
            naming=lambda leaf: qualified(leaf, rule),
            listens=listens,
            inputs=(*listens, *coordinates),
        ),
        sources=tuple(qualified(leaf, rule) for leaf in listened if not is_instant(leaf)),
    )
    return found[name]


def _basis(call: Call) -> int:
    window = window_of(window_argument(call)) if call.name in WINDOWED else None
    return -1 if window is None else window[0]


def is_instant(leaf: Leaf) -> bool:
    """It has no column of its own."""
    return isinstance(leaf, Call) and not is_feature(leaf)


def columns_of(leaf: Leaf, rule: Rule) -> tuple[str, ...]:
    """Columns whose samples change the leaf: of `absent(x, 30 s)` that of x."""
    if isinstance(leaf, Call) and is_instant(leaf):
        return tuple(item.path for item in walk(leaf) if isinstance(item, Signal))
    return (qualified(leaf, rule),)


def rule_item(rule: Rule) -> Item:
    """A rule as the kernel sees it."""
    gate, when, clearing = rule.guarded
    read = tuple(dict.fromkeys(leaf for node in (gate, when, clearing) if node is not None for leaf in leaves(node)))
    return Item(
        owner=rule.id,
        programs=(gate, when, clearing),
        parameters=rule.parameters,
        naming=lambda leaf: qualified(leaf, rule),
        listens=tuple(dict.fromkeys(name for leaf in read for name in columns_of(leaf, rule))),
        inputs=tuple(qualified(leaf, rule) for leaf in read if not is_instant(leaf)),
        shown=tuple(qualified(leaf, rule) for leaf in shown_leaves(rule)),
        hold_ns=(rule.hold_ns, rule.clear_hold_ns, rule.keep_firing_ns, rule.min_interval_ns),
        pauses=rule.pauses,
        sleeps=True,
    )


def shown_leaves(rule: Rule) -> tuple[Leaf, ...]:
    """What the events of a rule carry the values of."""
    nodes = (*rule.conditions, *rule.shown_nodes)
    inside = tuple(item for leaf in rule.inputs for item in walk(leaf) if isinstance(item, Signal))
    found = (leaf for node in nodes for leaf in leaves(node) if not is_instant(leaf))
    return tuple(dict.fromkeys((*found, *inside)))
