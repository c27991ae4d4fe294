"""The engine means what the plain reading of the language means, however its records are cut, mixed, shuffled or restarted."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.findings import Finding, Transition
from domain.frames import NO_ARENA, FrameBatch, FrameFlag, TickKind, concat_frames
from domain.ports import no_jit
from domain.signals import SampleBatch
from domain.trouble_codes import DtcBatch, DtcReport, dtc_batch
from domain.vss import path_number
from ingest.bus_decoder import BusDecoder
from ingest.diagnostics import DiagnosticsReader
from ingest.diagnostics.device_reports import encode_report
from ingest.fusion import Fusion
from ingest.profiles import load_profile
from pipeline.holdback import HoldBack
from pipeline.line import Line
from pipeline.whereabouts import Whereabouts
from rules.engine import RuleEngine
from rules.rule import Rule
from tests.pipeline.frames import frames_of
from tests.rules.making import END, SECOND, TIMER, Sample, samples
from tests.rules.random_rules import COHORTS, OVERRIDES, any_samples, made_reports, made_rules
from tests.rules.reference import reference_events

Jit = Callable[..., Any]


def cut(batch: SampleBatch, dtcs: DtcBatch, times_ns: Sequence[int]) -> list[tuple[SampleBatch, DtcBatch]]:
    """The same records in batches that end before these times."""
    edges = [-1, *sorted(times_ns), 2**62]
    parts = []
    for low, high in pairwise(edges):
        keep = (batch.time_ns >= low) & (batch.time_ns < high)
        part = replace(
            batch, time_ns=batch.time_ns[keep], vehicle=batch.vehicle[keep], signal=batch.signal[keep], value=batch.value[keep]
        )
        parts.append((part, dtc_batch(dtcs.vehicles, [report for report in dtcs if low <= report.time_ns < high])))
    return parts


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda finding: (finding.vehicle, finding.time_ns, finding.source.id))


def engine_of(rules: Sequence[Rule], jit: Jit) -> RuleEngine:
    return RuleEngine(
        rules,
        overrides_of=lambda vehicle: {rule.id: OVERRIDES.get(vehicle, {}) for rule in rules},
        cohort_of=lambda vehicle: COHORTS.get(vehicle, {}),
        jit=jit,
    )


def events(findings: Sequence[Finding]) -> list[tuple[str, int, bool]]:
    return [(finding.vehicle, finding.time_ns, finding.transition is Transition.RAISED) for finding in findings]


def told(rule: Rule, rows: Sequence[Sample], lists: Sequence[DtcReport]) -> list[tuple[str, int, bool]]:
    own = {vehicle: replace(rule, parameters={**rule.parameters, **OVERRIDES.get(vehicle, {})}) for vehicle in VEHICLES}
    return sorted(reference_events(own, rows, {"a": lists}, COHORTS), key=lambda event: (event[0], event[1]))


def records_of(rows: Sequence[Sample], lists: Sequence[DtcReport]) -> list[tuple[float, FrameBatch]]:
    """Each sample, tick and report as the record that a device sends, in the total order of its vehicle."""
    ticks = {END: TickKind.END_OF_DRIVE, TIMER: TickKind.TIMER}
    made = []
    for vehicle, time_s, path, value in sorted(rows, key=lambda row: (row[1], row[2] in ticks)):
        bits = int(np.float64(value).view(np.uint64))
        kind = (FrameFlag.TICK, ticks[path], 0) if path in ticks else (FrameFlag.SAMPLE, path_number(path), bits)
        made.append((time_s, False, path in ticks, vehicle, kind, b""))
    for report in sorted(lists, key=lambda report: report.time_ns):
        data = encode_report(report)
        made.append((report.time_ns / SECOND, True, False, "a", (FrameFlag.REPORT, 0, len(data)), data))
    made.sort(key=lambda each: (each[0], each[2]))
    return [(each[0], record(each[3], each[0], *each[4], data=each[5], index=number)) for number, each in enumerate(made)]


def record(vehicle: str, time_s: float, flag: int, can_id: int, payload: int, *, data: bytes, index: int) -> FrameBatch:
    return replace(
        frames_of([(round(time_s * SECOND), index)], vehicle=vehicle),
        can_id=np.array([can_id], np.uint32),
        flags=np.array([flag], np.uint8),
        payload=np.array([payload], np.uint64),
        length=np.array([min(255, len(data)) or 8], np.uint8),
        arena_offset=np.array([0 if data else NO_ARENA], np.int64),
        arena=np.frombuffer(data, np.uint8),
    )


def line_of(rule: Rule, jit: Jit) -> Line:
    """The stages as they stand in service, with this one rule."""
    return Line(
        holdback=HoldBack(lateness_ns=round(LATENESS_S * SECOND)),
        decoder=BusDecoder({"": GENERIC}, lambda _: "", jit=jit),
        fusion=Fusion(jit=jit),
        diagnostics=DiagnosticsReader(),
        whereabouts=Whereabouts(),
        finders=[engine_of([rule], jit)],
    )


VEHICLES = ("a", "b", "c")
LATENESS_S = 3.0
GENERIC = load_profile("generic")
made_packs = st.lists(made_rules, max_size=4, unique_by=lambda rule: rule.id)
LONG = 60 if os.environ.get("PITCALL_LONG_TESTS") else 1
"""The longer form tries this many times as many rules and series."""
RELAXED = settings(max_examples=40 * LONG, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@RELAXED
@given(rule=made_rules, rows=any_samples, lists=made_reports)
def test_the_kernel_means_what_the_plain_reading_means(rule: Rule, rows: list[Sample], lists: list[DtcReport], jit: Jit) -> None:
    assert events(engine_of([rule], jit).evaluate(samples(rows), dtc_batch(("a",), lists))) == told(rule, rows, lists)


@settings(max_examples=25 * LONG, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rules=made_packs, rows=any_samples, lists=made_reports)
def test_the_compiled_kernel_finds_exactly_what_plain_python_finds(
    rules: list[Rule], rows: list[Sample], lists: list[DtcReport], jit: Jit
) -> None:
    batch, dtcs = samples(rows), dtc_batch(("a",), lists)
    assert engine_of(rules, jit).evaluate(batch, dtcs) == engine_of(rules, no_jit).evaluate(batch, dtcs)


@RELAXED
@given(
    rules=made_packs,
    rows=any_samples,
    lists=made_reports,
    cuts=st.lists(st.integers(0, 80).map(lambda half: half * SECOND // 2), max_size=8),
    restart=st.booleans(),
)
def test_cuts_restarts_and_neighbours_change_nothing(
    rules: list[Rule], rows: list[Sample], lists: list[DtcReport], cuts: list[int], restart: bool, jit: Jit
) -> None:
    batch, dtcs = samples(rows), dtc_batch(("a",), lists)
    whole = engine_of(rules, jit).evaluate(batch, dtcs)
    engine = engine_of(rules, jit)
    parts: list[Finding] = []
    for piece, codes in cut(batch, dtcs, cuts):
        parts += engine.evaluate(piece, codes)
        if restart:
            states = {vehicle: engine.snapshot(vehicle) for vehicle in VEHICLES}
            engine = engine_of(rules, jit)
            for vehicle, state in reversed(states.items()):
                if state is not None:
                    engine.restore(vehicle, state)
    assert in_order(parts) == whole
    for vehicle in VEHICLES:
        own = samples([row for row in rows if row[0] == vehicle])
        alone = engine_of(rules, jit).evaluate(own, dtcs if vehicle == "a" else dtc_batch(("a",), []))
        assert alone == [finding for finding in whole if finding.vehicle == vehicle]


@settings(max_examples=12 * LONG, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rule=made_rules,
    rows=any_samples,
    lists=made_reports,
    seed=st.integers(0, 2**32),
    step=st.integers(1, 60),
)
def test_disorder_within_the_lateness_changes_nothing(
    rule: Rule, rows: list[Sample], lists: list[DtcReport], seed: int, step: int, jit: Jit
) -> None:
    chance = random.Random(seed)
    records = [(time_s, number, record) for number, (time_s, record) in enumerate(records_of(rows, lists))]
    arrived = sorted(records, key=lambda record: (record[0] + chance.random() * LATENESS_S, record[1]))
    line = line_of(rule, jit)
    found: list[Finding] = []
    for start in range(0, len(arrived), step):
        found += line.push(concat_frames([record for _, _, record in arrived[start : start + step]])).findings
    for vehicle in VEHICLES:
        found += line.close(vehicle).findings
    last = {vehicle: max((row[1] for row in rows if row[0] == vehicle), default=None) for vehicle in VEHICLES}
    last["a"] = max([report.time_ns / SECOND for report in lists] + [last["a"]] * (last["a"] is not None), default=None)
    ends = [(vehicle, at + 300.0, END, 0.0) for vehicle, at in last.items() if at is not None]
    assert events(in_order(found)) == told(rule, [*rows, *ends], lists)
