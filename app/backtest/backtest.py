"""A backtest: what rules find in drives, against the rules of today and against faults that are known to have been there."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.backtest.episodes import Change, changes
from app.backtest.runs import Task, VehicleRun, Work, run_all, sensible_jobs
from app.backtest.stored import StoredSpan
from app.backtest.variants import Side, Sweep, SweepValue, Variants, only
from app.progress import bytes_bar
from app.scoring import Fault, Score, score
from domain.errors import InputError
from domain.findings import Alert, Text
from domain.fleet import Vehicle
from pipeline.replay import Drive
from rules.cohorts import NO_COHORTS, Cohorts
from rules.expression import Dtc, Signal, walk
from rules.overrides import NO_OVERRIDES, ParameterOverrides
from rules.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Alerts of a side, a rule or a value, and how they stand against the labels (None: there are none)."""

    alerts: tuple[Alert, ...]
    score: Score | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRow:
    """One rule on both sides.

    Attributes:
        old, new: the rule there, None where it does not stand there. old_figures, new_figures: its alerts against the labels of its
            group key; they count also where it is silent. old_silent, new_silent: it is only counted there.
        vehicles: on which all signals came that decide it.
    """

    id: str
    old: Rule | None
    new: Rule | None
    old_figures: Figures | None
    new_figures: Figures | None
    old_silent: bool
    new_silent: bool
    vehicles: int

    @property
    def rule(self) -> Rule:
        """The new one, else the old one."""
        rule = self.new or self.old
        assert rule is not None
        return rule

    @property
    def is_changed(self) -> bool:
        """What it decides is not the same on both sides."""
        return self.old is None or self.new is None or self.old.content_hash != self.new.content_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPoint:
    """One value of a sweep and the figures of that rule at it; `problem` says why there are none."""

    value: float
    figures: Figures | None
    problem: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepCurve:
    """A sweep and what came of each value."""

    sweep: Sweep
    points: tuple[SweepPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """What a backtest found.

    Attributes:
        runs: one for each vehicle. new, old: figures of the sides, without what is silent there; old is None where nothing was to be
            compared with. changes: every episode that raises on either side, () without an old side.
        faults: labels of vehicles and times that have records. unseen_faults: how many others there are.
        unwatched_faults: how many of `faults` are of a group that no rule of either side finds; they are not among those to be found.
        unjudged: ids of rules that cannot be judged because stored signals hold no trouble codes.
    """

    runs: tuple[VehicleRun, ...]
    drives: int
    vehicle_days: int
    new: Figures
    old: Figures | None
    changes: tuple[Change, ...]
    rules: tuple[RuleRow, ...]
    curves: tuple[SweepCurve, ...]
    faults: tuple[Fault, ...] | None
    unseen_faults: int
    unwatched_faults: int
    unjudged: tuple[str, ...]
    elapsed_s: float


def backtest(
    *,
    vehicles: Sequence[Vehicle],
    drives: Sequence[Drive],
    rules: Sequence[Rule],
    against: Sequence[Rule] | None = None,
    only_rules: Sequence[str] = (),
    overrides: ParameterOverrides = NO_OVERRIDES,
    cohorts: Cohorts = NO_COHORTS,
    faults: Sequence[Fault] | None = None,
    sweeps: Sequence[str] = (),
    span: StoredSpan | None = None,
    extra_dbc: tuple[tuple[str, Path], ...] = (),
    batch_frames: int = 262_144,
    jobs: int | None = None,
    progress: bool | None = None,
) -> Backtest:
    """Run the rules, and those they stand against, over drives of these vehicles (or their stored signals, `span`).

    Args:
        rules: to be tried. against: of today, None for nothing to compare with. only_rules: ids, () = all.
        overrides, cohorts: figures by fleet, model and vehicle, for both sides. faults: labels, None for none.
        sweeps: as written (`Variants.sweep`). jobs: processes, None = as many as are of use. progress: show a bar; None = on a terminal.

    Raises:
        InputError: a file or a sweep is not valid, or there is nothing to run.
    """
    began = time.perf_counter()
    variants = Variants()
    tried, standing = only(only_rules, rules, against or ())
    new = variants.candidate(tried, standing)
    old = None if against is None else variants.today(standing)
    swept = [variants.sweep(text, new) for text in sweeps]
    if not new.runs:
        raise InputError("--rules: there is no rule to run", mend="give a pack with rules that are not retired")
    sides = [new, *([] if old is None else [old]), *(value.side for sweep in swept for value in sweep.values)]
    work = Work(
        vehicles=tuple(vehicles),
        rule_set=variants.rule_set(overrides, cohorts),
        sides=tuple(sides),
        extra_dbc=extra_dbc,
        batch_frames=batch_frames,
        span=span,
    )
    tasks = _tasks(vehicles, drives)
    with bytes_bar([drive.log for drive in drives], shown=progress) as on_bytes:
        runs = run_all(work, tasks, jobs=jobs or sensible_jobs(tasks), on_bytes=on_bytes)
    return _Judge(runs, sides, faults).result(new, old, swept, drives=len(drives), stored=span is not None, began=began)


def _tasks(vehicles: Sequence[Vehicle], drives: Sequence[Drive]) -> list[Task]:
    """A task for each vehicle, in the order in which they come first."""
    numbers: dict[str, list[int]] = {vehicle.id: [] for vehicle in vehicles}
    for number, drive in enumerate(drives):
        numbers[drive.vehicle.id].append(number)
    return [
        Task(vehicle=vehicle, drives=tuple(drives[number] for number in own), numbers=tuple(own))
        for vehicle, own in numbers.items()
    ]


class _Judge:
    """Turns alerts into figures."""

    def __init__(self, runs: Sequence[VehicleRun], sides: Sequence[Side], faults: Sequence[Fault] | None) -> None:
        self._runs = tuple(runs)
        self._number = {id(side): number for number, side in enumerate(sides)}
        self._days = sum(len(run.days) for run in runs)
        of_vehicle = {run.vehicle: run for run in runs}
        self._faults = (
            None if faults is None else tuple(fault for fault in faults if _is_seen(fault, of_vehicle.get(fault.vehicle)))
        )
        self._unseen = 0 if faults is None or self._faults is None else len(faults) - len(self._faults)

    def result(self, new: Side, old: Side | None, swept: Sequence[Sweep], *, drives: int, stored: bool, began: float) -> Backtest:
        new_alerts = self._alerts(new)
        old_alerts = None if old is None else self._alerts(old)
        new_raised = _raised(new_alerts, new)
        old_raised = None if old is None or old_alerts is None else _raised(old_alerts, old)
        watched = {rule.group_key for side in (new, old) if side is not None for rule in side.runs.values()}
        rules = self._rows(new, new_alerts, old, old_alerts)
        reads_codes = (row.id for row in rules if any(isinstance(node, Dtc) for node in _nodes(row.rule)))
        return Backtest(
            runs=self._runs,
            drives=drives,
            vehicle_days=self._days,
            new=self._figures(new_raised, watched),
            old=None if old_raised is None else self._figures(old_raised, watched),
            changes=() if old_raised is None else tuple(changes(old_raised, new_raised)),
            rules=rules,
            curves=tuple(self._curve(sweep) for sweep in swept),
            faults=self._faults,
            unseen_faults=self._unseen,
            unwatched_faults=sum(fault.group_key not in watched for fault in self._faults or ()),
            unjudged=tuple(reads_codes) if stored else (),
            elapsed_s=time.perf_counter() - began,
        )

    def _alerts(self, side: Side) -> tuple[Alert, ...]:
        number = self._number[id(side)]
        return tuple(alert for run in self._runs for alert in run.alerts[number])

    def _figures(self, alerts: tuple[Alert, ...], groups: Collection[str]) -> Figures:
        """Against the faults of these groups."""
        if self._faults is None:
            return Figures(alerts=alerts, score=None)
        # all faults are there while alerts are judged, so that those beside a fault of another group are not taken for false ones
        return Figures(alerts=alerts, score=score(self._faults, alerts, vehicle_days=self._days).of_groups(groups))

    def _rows(
        self, new: Side, new_alerts: Sequence[Alert], old: Side | None, old_alerts: Sequence[Alert] | None
    ) -> tuple[RuleRow, ...]:
        news, olds = new.rules, {} if old is None else old.rules
        return tuple(
            RuleRow(
                id=name,
                old=olds.get(name),
                new=news.get(name),
                old_figures=self._of_rule(olds.get(name), old_alerts or ()),
                new_figures=self._of_rule(news.get(name), new_alerts),
                old_silent=old is not None and name in old.silent,
                new_silent=name in new.silent,
                vehicles=self._vehicles_with(news.get(name) or olds[name]),
            )
            for name in dict.fromkeys([*news, *olds])
        )

    def _of_rule(self, rule: Rule | None, alerts: Sequence[Alert]) -> Figures | None:
        if rule is None:
            return None
        return self._figures(tuple(alert for alert in alerts if alert.source.id == rule.id), {rule.group_key})

    def _vehicles_with(self, rule: Rule) -> int:
        deciding = {node.path for node in _nodes(rule) if isinstance(node, Signal)}
        return sum(deciding <= run.samples.keys() for run in self._runs)

    def _curve(self, sweep: Sweep) -> SweepCurve:
        return SweepCurve(sweep=sweep, points=tuple(self._point(sweep.rule, value) for value in sweep.values))

    def _point(self, rule: Rule, value: SweepValue) -> SweepPoint:
        if value.problem is not None:
            return SweepPoint(value=value.value, figures=None, problem=value.problem)
        return SweepPoint(value=value.value, figures=self._figures(self._alerts(value.side), {rule.group_key}))


def _nodes(rule: Rule) -> list[object]:
    return [node for condition in rule.conditions for node in walk(condition)]


def _raised(alerts: tuple[Alert, ...], side: Side) -> tuple[Alert, ...]:
    return tuple(alert for alert in alerts if alert.source.id not in side.silent)


def _is_seen(fault: Fault, run: VehicleRun | None) -> bool:
    """Whether its vehicle has records of the time while it was there."""
    if run is None or run.first_ns is None or run.last_ns is None:
        return False
    return fault.onset_ns <= run.last_ns and (fault.end_ns is None or fault.end_ns >= run.first_ns)
