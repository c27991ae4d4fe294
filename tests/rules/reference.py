"""The meaning of rules, told a second time as plainly as possible: one rule, one vehicle, one record after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

from rules.meaning import column_name, evaluate
from rules.rule import Pause, Rule
from rules.rule_state import DEFAULT_STALE_NS
from tests.rules.making import END, SECOND, TIMER, Sample


def reference_events(rule: Rule, records: Sequence[Sample]) -> list[tuple[str, int, bool]]:
    """(vehicle, time_ns, raised) of every change of mind; records are signals and ticks only."""
    events = []
    for vehicle in dict.fromkeys(record[0] for record in records):
        mine = sorted((record for record in records if record[0] == vehicle), key=lambda record: record[1])
        events += [(vehicle, time_ns, raised) for time_ns, raised in _events_of_one(rule, mine)]
    return events


def _events_of_one(rule: Rule, records: Sequence[Sample]) -> list[tuple[int, bool]]:
    names = [column_name(node) for node in rule.inputs]
    last: dict[str, tuple[int, float]] = {}
    events: list[tuple[int, bool]] = []
    active = False
    timer: float | None = None  # seconds of knowledge gathered, in ns
    previous = sure_until = 0
    for time_ns, group in groupby(records, key=lambda record: round(record[1] * SECOND)):
        items = list(group)
        for _, _, path, value in items:
            if path not in (END, TIMER):
                last[path] = (time_ns, value)
        ticked = any(item[2] in (END, TIMER) for item in items)
        if not ticked and not any(item[2] in names for item in items):
            continue
        if timer is not None:
            if time_ns > sure_until and rule.on_gap is Pause.RESET:
                timer = None
            else:
                timer += max(0, min(time_ns, sure_until) - previous)
        fresh = {name: last[name] for name in names if name in last and time_ns - last[name][0] <= DEFAULT_STALE_NS}
        values = {name: value for name, (_, value) in fresh.items()}
        gate = 1.0 if rule.gate is None else evaluate(rule.gate, values, rule.parameters)
        holds = math.nan
        if gate == 1.0:
            holds = evaluate(rule.clearing if active else rule.when, values, rule.parameters)
        previous = sure_until = time_ns
        if gate == 0.0:
            timer = timer if rule.gate_closed is Pause.HOLD else None
        elif math.isnan(holds):
            timer = timer if rule.on_gap is Pause.HOLD else None
        elif holds == 0.0:
            timer = None
        else:
            timer = 0 if timer is None else timer
            sure_until = min((at + DEFAULT_STALE_NS for at, _ in fresh.values()), default=time_ns)
            if timer >= (rule.clear_hold_ns if active else rule.hold_ns):
                active = not active
                events.append((time_ns, active))
                timer = None
        if any(item[2] == END for item in items):
            timer = None
    return events
