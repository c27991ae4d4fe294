"""A backtest as one self-contained HTML page."""

from __future__ import annotations

from pathlib import Path

from app.backtest.backtest import Backtest, Figures, RuleRow, SweepCurve
from app.backtest.episodes import Change
from app.backtest.notes import notes
from domain.errors import InputError
from rules.rule import Rule
from web.report import render_backtest
from web.report.backtest_model import (
    BacktestReport,
    ChangeRow,
    Judged,
    RuleFigures,
    RuleSide,
    SideFigures,
    SweepReport,
    SweepValueRow,
)


def write_report(file: Path, done: Backtest) -> None:
    """Write the page.

    Raises:
        InputError: the file cannot be written.
    """
    try:
        file.write_text(render_backtest(_report(done)), encoding="utf-8")
    except OSError as problem:
        raise InputError(
            f"cannot be written ({problem.strerror})", file=file, mend="name a file in a writable folder"
        ) from problem


def _report(done: Backtest) -> BacktestReport:
    changes = [_change(change) for change in done.changes]
    told = tuple(change for change in changes if change.old_ns != change.new_ns)
    rules = tuple(_rule(row) for row in done.rules if _count(row.old_figures) or _count(row.new_figures))
    return BacktestReport(
        drives=done.drives,
        vehicles=len(done.runs),
        vehicle_days=done.vehicle_days,
        records=sum(run.frames for run in done.runs),
        notes=tuple(notes(done)),
        new=_figures(done.new),
        old=None if done.old is None else _figures(done.old),
        changes=told,
        unchanged=len(changes) - len(told),
        rules=rules,
        quiet_rules=len(done.rules) - len(rules),
        sweeps=tuple(_sweep(curve) for curve in done.curves),
        elapsed_s=done.elapsed_s,
    )


def _figures(figures: Figures) -> SideFigures:
    scored = figures.score
    judged = None
    if scored is not None:
        judged = Judged(
            faults=len(scored.found),
            found=len(scored.delays_s),
            recall=scored.recall,
            precision=scored.precision,
            false_alarms=scored.false,
            false_per_1000_days=scored.false_per_1000_days,
            other=scored.other,
            delays_s=scored.delays_s,
            leads_s=scored.leads_s,
        )
    return SideFigures(alerts=len(figures.alerts), judged=judged)


def _change(change: Change) -> ChangeRow:
    return ChangeRow(
        vehicle=change.alert.vehicle,
        rule=change.alert.source.id,
        title=change.alert.title,
        old_ns=None if change.old is None else change.old.opened_ns,
        new_ns=None if change.new is None else change.new.opened_ns,
    )


def _rule(row: RuleRow) -> RuleFigures:
    return RuleFigures(
        id=row.id,
        title=row.rule.title,
        is_changed=row.is_changed,
        vehicles=row.vehicles,
        old=_rule_side(row.old, row.old_figures, is_silent=row.old_silent),
        new=_rule_side(row.new, row.new_figures, is_silent=row.new_silent),
    )


def _rule_side(rule: Rule | None, figures: Figures | None, *, is_silent: bool) -> RuleSide | None:
    if rule is None or figures is None:
        return None
    return RuleSide(status=rule.status.value, is_silent=is_silent, figures=_figures(figures))


def _sweep(curve: SweepCurve) -> SweepReport:
    sweep = curve.sweep
    return SweepReport(
        rule=sweep.rule.id,
        title=sweep.rule.title,
        parameter=sweep.parameter,
        unit=sweep.unit,
        present=sweep.present,
        rows=tuple(
            SweepValueRow(
                value=point.value,
                figures=None if point.figures is None else _figures(point.figures),
                problem=point.problem,
            )
            for point in curve.points
        ),
    )


def _count(figures: Figures | None) -> int:
    return 0 if figures is None else len(figures.alerts)
