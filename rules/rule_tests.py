"""Tests of rules as data: what a rule must raise, and when, on a made-up course of its signals (after promtool's rule tests).

A pack `packs/cooling.yaml` has its tests in `packs/tests/cooling.yaml`:

    - rule: coolant_overheat
      name: raises after ten seconds over the limit
      interval: 1 s                      # between samples, default 1 s
      series:                            # FROM..TO: VALUE or FROM..TO: VALUE -> VALUE (a ramp); TO itself is not sampled
        CombustionEngine.Speed: 2000     # a plain number: over the whole test
        EngineCoolant.Temperature: "0s..60s: 90 -> 118, 60s..90s: 118"
      codes: {P0301: "10s..50s"}         # trouble codes that a complete list names then; "P0301 pending" with a status
      no_code_lists: "20s..30s"          # when no such list comes
      lamps: {red_stop: "10s..50s"}      # lamps that are lit then
      monitors: {catalyst: "10s..50s"}   # self-tests that have finished then
      freeze: {P0301: {Vehicle.Speed: 60}}   # values that a code froze, told at the begin
      end_of_drive: [80s]                # end-of-drive ticks
      vehicle: {model: CS75}             # and vin: which vehicle's parameters stand for the rule's own, where overrides are given
      cohort: {EngineCoolant.Temperature: {95: 104}}   # quantiles of its model, at any temperature outside
      expect: {raised: [63 s], cleared: []}
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import pydantic

from datafiles import Document, load_yaml, validate
from domain.errors import RuleError
from domain.findings import Transition
from domain.fleet import DEVELOPMENT_KEY, Vehicle, pseudonym
from domain.frames import TickKind
from domain.ports import Jit, no_jit
from domain.signals import TICK_SIGNAL, SampleBatch
from domain.trouble_codes import DtcBatch
from rules.binding import resolve_path
from rules.cohorts import Bands, Cohort
from rules.engine import RuleEngine
from rules.expression import ExpressionError
from rules.made_reports import ReportCourse, made_reports, parse_code, parse_lamp
from rules.overrides import NO_OVERRIDES, ParameterOverrides, load_overrides
from rules.pack import load_rules, pack_files
from rules.rule import Rule, parse_duration_ns

VEHICLE = ("test",)
SECOND_NS = 1_000_000_000
_SEGMENT = re.compile(r"(?P<start>[^.,:]+)\.\.(?P<end>[^.,:]+):\s*(?P<first>[-+.\deE]+)(?:\s*->\s*(?P<last>[-+.\deE]+))?")
_SPAN = re.compile(r"(?P<start>[^.,:]+)\.\.(?P<end>[^.,:]+)")


def _duration(text: str) -> int:
    duration_ns = parse_duration_ns(text)
    if duration_ns is None:
        raise ValueError(f"{text!r} is no duration; write for instance 10 s")
    return duration_ns


Duration = Annotated[int, pydantic.BeforeValidator(lambda text: _duration(str(text)))]
"""Written `10 s`, kept in ns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A stretch of a series: from `start_ns` until before `end_ns`, from value `first` towards `last`."""

    start_ns: int
    end_ns: int
    first: float
    last: float


def parse_segments(text: object) -> tuple[Segment, ...]:
    """`0s..60s: 90 -> 118, 60s..90s: 118` as segments.

    Raises:
        ValueError: malformed, or the segments do not follow each other.
    """
    segments: list[Segment] = []
    for part in str(text).split(","):
        match = _SEGMENT.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"{part.strip()!r} is no segment; write for instance 0s..60s: 90 -> 118")
        first = float(match["first"])
        last = first if match["last"] is None else float(match["last"])
        segment = Segment(start_ns=_duration(match["start"]), end_ns=_duration(match["end"]), first=first, last=last)
        if segment.end_ns <= segment.start_ns or (segments and segment.start_ns < segments[-1].end_ns):
            raise ValueError(f"{part.strip()!r} does not follow the segment before it")
        segments.append(segment)
    return tuple(segments)


def parse_spans(text: object) -> tuple[tuple[int, int], ...]:
    """`10s..50s, 70s..80s` as (start_ns, end_ns)."""
    spans = []
    for part in str(text).split(","):
        match = _SPAN.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"{part.strip()!r} is no span of time; write for instance 10s..50s")
        spans.append((_duration(match["start"]), _duration(match["end"])))
    return tuple(spans)


Series = Annotated[float | tuple[Segment, ...], pydantic.BeforeValidator(lambda v: v if _is_number(v) else parse_segments(v))]
Spans = Annotated[tuple[tuple[int, int], ...], pydantic.BeforeValidator(parse_spans)]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)


class _Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class ExpectModel(_Model):
    """Times at which the rule raises and clears; all of them."""

    raised: tuple[Duration, ...] = ()
    cleared: tuple[Duration, ...] = ()


class VehicleModel(_Model):
    """The vehicle of a test, as overrides know it."""

    model: str = ""
    vin: str = ""


class RuleTestModel(_Model):
    """One test as written."""

    rule: str
    name: str
    interval: Duration = SECOND_NS
    series: dict[str, Series] = {}
    codes: dict[Annotated[tuple[str, str], pydantic.BeforeValidator(parse_code)], Spans] = {}
    no_code_lists: Spans = ()
    lamps: dict[Annotated[str, pydantic.AfterValidator(parse_lamp)], Spans] = {}
    monitors: dict[str, Spans] = {}
    freeze: dict[str, dict[str, float]] = {}
    end_of_drive: tuple[Duration, ...] = ()
    vehicle: VehicleModel = VehicleModel()
    cohort: dict[str, dict[float, float]] = {}
    expect: ExpectModel


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTest:
    """One test, with its signals by VSS path. `interval_ns`: between samples. `cohort`: what is usual for the vehicle's model."""

    rule: str
    name: str
    interval_ns: int
    samples: SampleBatch
    dtcs: DtcBatch
    vehicle: Vehicle
    cohort: Cohort
    raised: tuple[int, ...]
    cleared: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTestResult:
    """How a test went; `detail` says what differed."""

    rule: str
    name: str
    passed: bool
    detail: str = ""


def run_tests(paths: Sequence[Path] | None = None, *, overrides: Path | None = None, jit: Jit = no_jit) -> list[RuleTestResult]:
    """Run the tests of these packs (files or folders; None = the shipped ones), with the parameters of `overrides` where given.

    Raises:
        RuleError: a pack or test file cannot be used, or a test names a rule that its pack lacks.
        DataFileError: the overrides cannot be used.
    """
    rules = {rule.id: rule for rule in load_rules(paths)}
    own = load_overrides(overrides, list(rules.values()), DEVELOPMENT_KEY) if overrides else NO_OVERRIDES
    return [run_test(rules[test.rule], test, overrides=own, jit=jit) for test in load_tests(paths, rules)]


def load_tests(paths: Sequence[Path] | None, rules: Mapping[str, Rule]) -> tuple[RuleTest, ...]:
    """The tests of these packs.

    Raises:
        RuleError: as `run_tests`.
    """
    tests: list[RuleTest] = []
    for pack in pack_files(paths):
        file = pack.parent / "tests" / pack.name
        if file.is_file():
            document = load_yaml(file, error=RuleError)
            tests += [_read(document, number, rules) for number in range(len(document.data or ()))]
    return tuple(tests)


def run_test(rule: Rule, test: RuleTest, *, overrides: ParameterOverrides = NO_OVERRIDES, jit: Jit = no_jit) -> RuleTestResult:
    """Run one test on a rule."""
    own = overrides.of(test.vehicle)
    engine = RuleEngine([rule], overrides_of=lambda _: own, cohort_of=lambda _: test.cohort, jit=jit)
    findings = engine.evaluate(test.samples, test.dtcs)
    raised = tuple(f.time_ns for f in findings if f.transition is Transition.RAISED)
    cleared = tuple(f.time_ns for f in findings if f.transition is Transition.CLEARED)
    wrong = [
        f"{word} at {_times(found)}, expected {_times(expected)}"
        for word, found, expected in (("raised", raised, test.raised), ("cleared", cleared, test.cleared))
        if found != expected
    ]
    return RuleTestResult(rule=test.rule, name=test.name, passed=not wrong, detail="; ".join(wrong))


def _times(times_ns: Sequence[int]) -> str:
    return ", ".join(f"{time_ns / SECOND_NS:g} s" for time_ns in times_ns) or "no time"


def _read(document: Document, number: int, rules: Mapping[str, Rule]) -> RuleTest:
    model = validate(RuleTestModel, document, number, error=RuleError)
    if model.rule not in rules:
        where = document.line(number, "rule")
        raise RuleError(f"no rule {model.rule!r} in this pack", file=document.file, line=where, mend="correct the id")
    series = {_path(name, document, number, "series", name): course for name, course in model.series.items()}
    end_ns = _end(model)
    return RuleTest(
        rule=model.rule,
        name=model.name,
        interval_ns=model.interval,
        samples=_samples(series, model, end_ns),
        dtcs=_reports(model, document, number, end_ns),
        vehicle=Vehicle(id=pseudonym(DEVELOPMENT_KEY, model.vehicle.vin), model=model.vehicle.model),
        cohort={
            (_path(name, document, number, "cohort", name), quantile): Bands(rows=((-math.inf, math.inf, value),))
            for name, quantiles in model.cohort.items()
            for quantile, value in quantiles.items()
        },
        raised=model.expect.raised,
        cleared=model.expect.cleared,
    )


def _end(model: RuleTestModel) -> int:
    ends = [segment.end_ns for course in model.series.values() if not isinstance(course, float) for segment in course]
    spans = [*model.codes.values(), *model.lamps.values(), *model.monitors.values()]
    return max([*ends, *(end for each in spans for _, end in each), *model.end_of_drive], default=0)


def _samples(series: Mapping[str, float | tuple[Segment, ...]], model: RuleTestModel, end_ns: int) -> SampleBatch:
    rows = [
        (time_ns, number, value)
        for number, course in enumerate(series.values())
        for time_ns, value in _course(course, model.interval, end_ns)
    ]
    rows += [(time_ns, TICK_SIGNAL, float(TickKind.END_OF_DRIVE)) for time_ns in model.end_of_drive]
    rows.sort(key=lambda row: row[0])
    return SampleBatch(
        vehicles=VEHICLE,
        paths=tuple(series),
        time_ns=np.array([row[0] for row in rows], np.int64),
        vehicle=np.zeros(len(rows), np.int32),
        signal=np.array([row[1] for row in rows], np.int32),
        value=np.array([row[2] for row in rows], np.float64),
    )


def _course(course: float | tuple[Segment, ...], interval_ns: int, end_ns: int) -> Iterator[tuple[int, float]]:
    segments = (Segment(start_ns=0, end_ns=end_ns, first=course, last=course),) if isinstance(course, float) else course
    for part in segments:
        for time_ns in range(part.start_ns, part.end_ns, interval_ns):
            share = (time_ns - part.start_ns) / (part.end_ns - part.start_ns)
            yield time_ns, part.first + (part.last - part.first) * share


def _reports(model: RuleTestModel, document: Document, number: int, end_ns: int) -> DtcBatch:
    freeze = {
        (code.upper(), _path(name, document, number, "freeze", code, name)): value
        for code, values in model.freeze.items()
        for name, value in values.items()
    }
    course = ReportCourse(
        codes=model.codes, silent=model.no_code_lists, lamps=model.lamps, monitors=model.monitors, freeze=freeze
    )
    return made_reports(course, VEHICLE, end_ns, model.interval)


def _path(name: str, document: Document, number: int, *key: str) -> str:
    try:
        return resolve_path(name)
    except ExpressionError as problem:
        line = document.line(number, *key)
        raise RuleError(problem.what, file=document.file, line=line, mend=problem.mend) from problem
