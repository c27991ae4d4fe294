"""The meaning of rules, told a second time as plainly as possible: one rule, one vehicle, one record after the other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby

from domain.trouble_codes import DtcReport
from rules.cohorts import Cohort
from rules.expression import Call, Dtc, walk
from rules.functions import INSTANT, leaves
from rules.meaning import column_name, evaluate
from rules.rule import Pause, Rule, Trigger
from tests.rules import reference_reports
from tests.rules.making import END, SECOND, TIMER, Sample
from tests.rules.reference_functions import DAY_NS, HOUR_NS, Memory, memories_of, stale_ns

Record = tuple[int, Sample | DtcReport]

Seen = dict[str, tuple[int, float]]
"""Column -> time and value of its last sample."""


def reference_events(
    rules: Mapping[str, Rule],
    records: Sequence[Sample],
    reports: Mapping[str, Sequence[DtcReport]],
    cohorts: Mapping[str, Cohort],
) -> list[tuple[str, int, bool]]:
    """(vehicle, time_ns, raised) of every change of mind.

    Each by vehicle: the rule with its parameters there, what its ECUs reported, and what is usual for its model.
    """
    events = []
    for vehicle in dict.fromkeys([*(record[0] for record in records), *reports]):
        mine: list[Record] = [(round(record[1] * SECOND), record) for record in records if record[0] == vehicle]
        mine += [(report.time_ns, report) for report in reports.get(vehicle, ())]
        mine.sort(key=lambda each: each[0])
        found = _events_of_one(rules[vehicle], mine, cohorts.get(vehicle, {}))
        events += [(vehicle, time_ns, raised) for time_ns, raised in found]
    return events


class _Reading:
    """What a rule sees of a vehicle."""

    def __init__(self, rule: Rule, cohort: Cohort) -> None:
        nodes = rule.guarded_conditions
        self.read = list(dict.fromkeys(leaf for node in nodes for leaf in leaves(node)))
        self.columns = [leaf for leaf in self.read if leaf not in self._instant()]
        self.names = [column_name(leaf) for leaf in self.columns]
        self.absences = [leaf for leaf in self._instant() if leaf.name == "absent"]
        self.stale = {column_name(leaf): stale_ns(leaf) for leaf in self.columns}
        self.memories: list[Memory] = memories_of(nodes, cohort)
        self.last: Seen = {}
        self.parameters = rule.parameters
        self.reported = [node for condition in nodes for node in walk(condition) if isinstance(node, Dtc)]
        self.past: list[DtcReport | None] = []
        self.awake: int | None = None

    def _instant(self) -> list[Call]:
        return [leaf for leaf in self.read if isinstance(leaf, Call) and leaf.name in INSTANT]

    def take(self, time_ns: int, items: Sequence[Sample], reports: Sequence[DtcReport]) -> bool:
        """Apply the records of one time; says whether one of the rule's inputs came."""
        came = {path for _, _, path, _ in items if path not in (END, TIMER)}
        ends: list[DtcReport | None] = [None] * any(path == END for _, _, path, _ in items)
        for event in (*reports, *ends):
            before = list(self.past)
            self.past.append(event)
            for node in self.reported:
                if reference_reports.tells(node, event, before):
                    self.last[column_name(node)] = (time_ns, reference_reports.value(node, self.past))
                    came.add(column_name(node))
        for _, _, path, value in items:
            if path not in (END, TIMER):
                self.last[path] = (time_ns, value)
        for memory in self.memories:
            memory.follow(time_ns, came, self.last)
            if memory.wakes(came):
                self.last[memory.name] = (time_ns, memory.sample(time_ns, self.last, self.parameters))
                came.add(memory.name)
        listened = {*self.names, *(leaf.args[0].path for leaf in self.absences)}
        concerned = bool(came & listened)
        if concerned and self.awake is None:
            self.awake = time_ns
        return concerned

    def values(self, time_ns: int) -> tuple[dict[str, float], dict[str, int]]:
        """Values that may be used, and until when each may."""
        fresh = {n: self.last[n] for n in self.names if n in self.last and time_ns - self.last[n][0] <= self.stale[n]}
        values = {name: value for name, (_, value) in fresh.items()}
        for leaf in self.read:
            if getattr(leaf, "name", "") == "local_hour":
                values[column_name(leaf)] = (time_ns + int(leaf.args[0].value * HOUR_NS)) % DAY_NS / HOUR_NS
        for leaf in self.absences:
            seen = self.last.get(leaf.args[0].path)
            if seen is not None and self.awake is not None:
                since = max(seen[0], self.awake)
                values[column_name(leaf)] = float(time_ns - since > round(leaf.args[1].value * SECOND))
        return values, {name: at + self.stale[name] for name, (at, _) in fresh.items()}

    def end(self) -> None:
        """The drive ends."""
        self.awake = None
        for memory in self.memories:
            memory.end()


def _events_of_one(rule: Rule, records: Sequence[Record], cohort: Cohort) -> list[tuple[int, bool]]:  # noqa: C901 - told in one piece
    reading = _Reading(rule, cohort)
    guarded_gate, guarded_when, guarded_clear = rule.guarded
    events: list[tuple[int, bool]] = []
    active = seen_false = False
    timer: float | None = None  # seconds of knowledge gathered, in ns
    previous = sure_until = 0
    last_true = last_raise = -math.inf
    for time_ns, group in groupby(records, key=lambda record: record[0]):
        came = [record for _, record in group]
        items = [record for record in came if isinstance(record, tuple)]
        concerned = reading.take(time_ns, items, [record for record in came if isinstance(record, DtcReport)])
        ends = any(item[2] == END for item in items)
        if not concerned and not any(item[2] in (END, TIMER) for item in items):
            continue
        if timer is not None:
            if time_ns > sure_until and rule.on_gap is Pause.RESET:
                timer = None
            else:
                timer += max(0, min(time_ns, sure_until) - previous)
        values, usable_until = reading.values(time_ns)
        gate = 1.0 if guarded_gate is None else evaluate(guarded_gate, values, rule.parameters)
        holds = math.nan
        if gate == 1.0:
            holds = evaluate(guarded_clear if active else guarded_when, values, rule.parameters)
        if rule.on_gap is Pause.UNKNOWN and any(name not in usable_until for name in reading.names):
            gate = holds = math.nan
        if active and gate == 1.0 and evaluate(guarded_when, values, rule.parameters) == 1.0:
            last_true = time_ns
        previous = sure_until = time_ns
        if gate == 0.0:
            timer = timer if rule.gate_closed is Pause.HOLD else None
        elif math.isnan(holds):
            timer = timer if rule.on_gap is not Pause.RESET else None
        elif holds == 0.0:
            timer = None
            seen_false = seen_false or not active
        elif not active and rule.trigger is Trigger.EDGE and not seen_false:
            timer = None
        else:
            timer = 0 if timer is None else timer
            sure_until = min(usable_until.values(), default=time_ns)
            ready = timer >= (rule.clear_hold_ns if active else rule.hold_ns)
            waited = time_ns - last_true >= rule.keep_firing_ns if active else time_ns - last_raise >= rule.min_interval_ns
            if ready and waited:
                active = not active
                events.append((time_ns, active))
                timer = None
                seen_false = False
                if active:
                    last_true = last_raise = time_ns
        if ends:
            timer = None
            seen_false = False
            reading.end()
    return events
