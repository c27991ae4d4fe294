"""The rule stage: samples and trouble-code reports in, findings out."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from domain.findings import Finding
from domain.frames import TickKind
from domain.ports import Jit, no_jit
from domain.signals import TICK_SIGNAL, SampleBatch
from domain.trouble_codes import DtcBatch
from domain.vss import catalogue
from rules.cohorts import NO_COHORT, Cohort
from rules.expression import Dtc, walk
from rules.feature_stage import FeatureStage
from rules.features import features_of, rule_item, shown_leaves
from rules.kernel import run_rules
from rules.meaning import column_name
from rules.program import compile_items
from rules.reported import Reported
from rules.rows import END_TICK, NOT_READ, TICK, Rows
from rules.rule import Rule, RuleStatus
from rules.rule_finding import RuleEvent, rule_finding
from rules.rule_state import Overrides, RuleState

_LENGTH = struct.Struct("<I")


class RuleEngine:
    """Evaluates all active and shadow rules at once (`domain.ports.FindingStage`).

    - All samples of one (vehicle, time) are applied first; then each rule of which an input was sampled is evaluated, and at a
      tick every rule.
    - A value older than its staleness is unknown. Logic is three-valued; unknown neither raises nor clears.
    - A rule raises at the first evaluation at which `when` has held for `for` of event time, and clears likewise. Time in which
      an input was stale does not count (`on_gap: hold`) or starts the timer anew (`reset`); the same choice is there for time
      with a closed gate (`gate_closed`, default reset). An end-of-drive tick stops all running timers.
    - Features (windows, sequences …) are worked out before, level by level, and then read like signals.
    - What shadow rules find is counted in `shadow_counts` and told to `on_shadow`, and is no finding.
    - Findings depend on the order of each vehicle's records alone, not on how they were cut into batches.

    Args:
        rules: rules of any status; active and shadow ones run.
        stale_after_of: vehicle -> VSS path -> how long, in ns, its values may be used; 5 s for others.
        powertrain_of: vehicle -> powertrain, "" where unknown; a rule with `applies_to` runs only on the powertrains it names.
        overrides_of: vehicle -> parameters that stand for the rules' own. cohort_of: vehicle -> what is usual for its model.
        on_shadow: told of every change of mind of a shadow rule.
        jit: compiles the kernels.
    """

    name = "rules"
    version = "4"
    """Of the snapshot's form; each rule's state in it is keyed by the rule's id and content."""

    def __init__(
        self,
        rules: Sequence[Rule],
        *,
        stale_after_of: Callable[[str], Mapping[str, int]] | None = None,
        powertrain_of: Callable[[str], str] | None = None,
        overrides_of: Callable[[str], Overrides] | None = None,
        cohort_of: Callable[[str], Cohort] | None = None,
        on_shadow: Callable[[Finding], None] | None = None,
        jit: Jit = no_jit,
    ) -> None:
        self._rules = tuple(rule for rule in rules if rule.status in (RuleStatus.ACTIVE, RuleStatus.SHADOW))
        self._program = compile_items([rule_item(rule) for rule in self._rules])
        features = features_of(self._rules)
        read = (*self._program.columns, *(name for f in features for name in (*f.item.listens, *f.item.inputs, f.name)))
        self._columns = {name: number for number, name in enumerate(dict.fromkeys(read))}
        self._stages = [FeatureStage(tuple(same), self._columns, jit) for _, same in groupby(features, lambda f: f.level)]
        self._state = RuleState(
            self._rules,
            self._program,
            self._stages,
            self._columns,
            powertrain_of=powertrain_of or (lambda _: ""),
            stale_after_of=stale_after_of or (lambda _: {}),
            overrides_of=overrides_of or (lambda _: {}),
            cohort_of=cohort_of or (lambda _: NO_COHORT),
        )
        self._shown = [tuple(column_name(leaf) for leaf in shown_leaves(rule)) for rule in self._rules]
        nodes = (node for rule in self._rules for node in (*rule.guarded_conditions, *rule.shown_nodes))
        predicates = tuple(dict.fromkeys(item for node in nodes for item in walk(node) if isinstance(item, Dtc)))
        self._codes = Reported(predicates)
        self._code_columns = np.array([self._columns[column_name(node)] for node in predicates], np.int32)
        self._kernel = jit(run_rules)
        self._lookup_of: tuple[tuple[str, ...], NDArray[np.int32]] | None = None
        self._on_shadow = on_shadow
        self.shadow_counts: Counter[tuple[str, str]] = Counter()
        """(rule id, "raised" or "cleared") -> how often a shadow rule would have."""

    @property
    def paths(self) -> frozenset[str]:
        """VSS paths that the rules read."""
        return frozenset(self._columns) & catalogue().keys()

    @property
    def state_bytes_per_vehicle(self) -> int:
        """Core state of one vehicle in memory, code lists and features apart."""
        return self._state.bytes_per_vehicle

    @property
    def feature_bytes_per_vehicle(self) -> int:
        """State of windows, sequences and the like of one vehicle in memory."""
        return self._state.feature_bytes_per_vehicle

    def evaluate(self, samples: SampleBatch, dtcs: DtcBatch) -> list[Finding]:
        """Findings sorted by (vehicle, time, rule id)."""
        if not self._rules:
            return []
        rows = self._rows(samples, dtcs)
        for number, stage in enumerate(self._stages):
            rows = stage.run(rows, self._state.kinds(number + 1))
        if self._stages:
            rows = replace(
                rows, column=np.where(rows.column < len(self._program.columns), rows.column, NOT_READ).astype(np.int32)
            )
        findings: list[Finding] = []
        begin = 0
        while begin < len(rows.time_ns):
            begin = self._run(rows, begin, findings)
        findings.sort(key=lambda finding: (finding.vehicle, finding.time_ns, finding.source.id))
        return findings

    def snapshot(self, vehicle: str) -> bytes | None:
        """The vehicle's state; None where it has none."""
        state = self._state.snapshot(vehicle)
        codes = self._codes.snapshot(vehicle)
        if state is None:
            return None
        return _LENGTH.pack(len(state)) + state + codes

    def restore(self, vehicle: str, state: bytes) -> None:
        """Set the vehicle's state from `snapshot`; state of rules that are no more is dropped."""
        (length,) = _LENGTH.unpack_from(state)
        end = _LENGTH.size + length
        self._state.restore(vehicle, state[_LENGTH.size : end])
        self._codes.restore(vehicle, state[end:])

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle's state."""
        self._state.free(vehicle)
        self._codes.forget(vehicle)

    def lower(self, vehicle: str, sources: Collection[str]) -> None:
        """These rules count as not raised any more: they raise anew where their condition still holds."""
        self._state.lower(vehicle, sources)

    def _run(self, rows: Rows, begin: int, findings: list[Finding]) -> int:
        """Run the kernel until its events are full or the rows are done; gives the row to go on at."""
        capacity = max(256, 4 * len(self._rules))
        where = np.empty((capacity, 4), np.int32)
        times = np.empty((capacity, 3), np.int64)
        values = np.empty((capacity, self._program.most_shown), np.float64)
        program, state, kinds = self._program, self._state.arrays, self._state.kinds(0)
        with np.errstate(all="ignore"):
            begin, events = self._kernel(
                begin, False, rows.time_ns, rows.slot, rows.column, rows.value,
                kinds.kind_of, np.ascontiguousarray(kinds.stale_ns[:, : len(program.columns)]), self._state.muted,
                program.listener_start, program.listener, program.untouched, program.input_start, program.input_column,
                program.shown_start, program.shown_column, program.code_start, program.op, program.operand, kinds.constant,
                program.hold_ns, program.pauses, program.mark_of, state["last_time"], state["last_value"],
                state["active"], state["doubts"], state["since"], state["paused_ms"], state["known_until"], state["marks"], where, times, values,
            )  # fmt: skip
        found = [(int(where[event, 0]), self._finding(where[event], times[event], values[event])) for event in range(events)]
        findings += [finding for rule, finding in found if self._raises(rule, finding)]
        return int(begin)

    def _raises(self, rule: int, finding: Finding) -> bool:
        """Whether it is to be told; what a shadow rule finds is only counted."""
        if self._rules[rule].status is not RuleStatus.SHADOW:
            return True
        self.shadow_counts[finding.source.id, finding.transition.value] += 1
        if self._on_shadow is not None:
            self._on_shadow(finding)
        return False

    def _finding(self, where: NDArray[np.int32], times: NDArray[np.int64], values: NDArray[np.float64]) -> Finding:
        rule, slot, raised, _ = (int(number) for number in where)
        now, began, counted_from = (int(number) for number in times)
        vehicle = self._state.vehicle(slot)
        shown = self._shown[rule]
        event = RuleEvent(
            vehicle=vehicle,
            raised=bool(raised),
            time_ns=now,
            began_ns=began,
            counted_from_ns=counted_from,
            inputs=dict(zip(shown, values.tolist(), strict=False)),
        )
        own = replace(self._rules[rule], parameters=self._state.parameters(slot, self._rules[rule]))
        return rule_finding(own, event, lambda node: self._codes.matching(vehicle, node, now))

    def _rows(self, samples: SampleBatch, dtcs: DtcBatch) -> Rows:
        """Samples that a rule reads, ticks and code rows, by slot; each vehicle's rows in order of time."""
        column = self._column_of(samples)
        kept = np.flatnonzero(column != NOT_READ)
        code_time, code_vehicle, predicate, code_value = self._codes.apply(samples, dtcs)
        rows = Rows(
            time_ns=samples.time_ns[kept],
            slot=self._slots(samples.vehicles, samples.vehicle[kept]),
            column=column[kept],
            value=samples.value[kept],
        )
        if not len(code_time):
            return rows
        slot = np.concatenate([rows.slot, np.array([self._state.slot(vehicle) for vehicle in code_vehicle], np.int32)])
        time_ns = np.concatenate([rows.time_ns, code_time])
        order = np.lexsort((time_ns, slot))
        return Rows(
            time_ns=time_ns[order],
            slot=slot[order],
            column=np.concatenate([rows.column, self._code_columns[predicate]])[order],
            value=np.concatenate([rows.value, code_value])[order],
        )

    def _column_of(self, samples: SampleBatch) -> NDArray[np.int32]:
        if self._lookup_of is None or self._lookup_of[0] is not samples.paths:
            lookup = [self._columns.get(path, NOT_READ) for path in samples.paths]
            self._lookup_of = (samples.paths, np.array([*lookup, TICK], np.int32))
        # TICK_SIGNAL is -1 and so finds the last entry.
        column = self._lookup_of[1][samples.signal]
        ends = (samples.signal == TICK_SIGNAL) & (samples.value == TickKind.END_OF_DRIVE)
        column[ends] = END_TICK
        return column

    def _slots(self, vehicles: tuple[str, ...], vehicle: NDArray[np.int32]) -> NDArray[np.int32]:
        """Slot of each row; a vehicle without rows gets none."""
        slot_of = np.zeros(len(vehicles) + 1, np.int32)
        for number in np.flatnonzero(np.bincount(vehicle, minlength=len(vehicles))).tolist():
            slot_of[number] = self._state.slot(vehicles[number])
        return slot_of[vehicle]
