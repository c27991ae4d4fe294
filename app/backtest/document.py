"""The `backtest --json` document."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from app.backtest.backtest import Backtest, Figures, RuleRow, SweepCurve
from app.backtest.episodes import Change
from domain.findings import Alert, AlertState
from notifier.push.messages import rfc3339


def document(done: Backtest) -> dict[str, Any]:
    """Everything of a backtest; vehicles by pseudonym, alerts in order of time."""
    return {
        "drives": done.drives,
        "vehicles": len(done.runs),
        "vehicle_days": done.vehicle_days,
        "frames": sum(run.frames for run in done.runs),
        "dead_letters": sum(run.dead_letters for run in done.runs),
        "vehicles_without_signals": [run.vehicle for run in done.runs if run.is_blind],
        "labels": None if done.faults is None else _labels(done),
        "new": figures_json(done.new, done.vehicle_days) | {"alerts": [_alert(alert) for alert in _by_time(done.new.alerts)]},
        "old": None if done.old is None else figures_json(done.old, done.vehicle_days),
        "changes": None if done.old is None else changes_json(done.changes),
        "rules": [_rule(row, done) for row in done.rules],
        "sweeps": [_sweep(curve, done.vehicle_days) for curve in done.curves],
        "elapsed_s": round(done.elapsed_s, 6),
    }


def _labels(done: Backtest) -> dict[str, int]:
    """How many count, and how many do not: no rule watches their group, or there are no records of their vehicle and time."""
    known = 0 if done.faults is None else len(done.faults)
    return {"used": known - done.unwatched_faults, "unwatched": done.unwatched_faults, "without_records": done.unseen_faults}


def figures_json(figures: Figures, vehicle_days: int) -> dict[str, Any]:
    """Counts, and with labels how right they are; distributions in seconds, smallest first."""
    count = len(figures.alerts)
    told: dict[str, Any] = {
        "alert_count": count,
        "alerts_per_1000_vehicle_days": 1000.0 * count / vehicle_days if vehicle_days else None,
    }
    if (scored := figures.score) is None:
        return told
    return told | {
        "recall": scored.recall,
        "precision": scored.precision,
        "false_alarms_per_1000_vehicle_days": scored.false_per_1000_days,
        "faults": len(scored.found),
        "found": len(scored.delays_s),
        "true_alerts": scored.true,
        "false_alerts": scored.false,
        "other_alerts": scored.other,
        "delay_s": _distribution(scored.delays_s),
        "lead_s": _distribution(scored.leads_s),
        "by_kind": scored.by_kind(),
    }


def changes_json(changes: Sequence[Change]) -> dict[str, Any]:
    """What appears, disappears and moves; `by_s` above 0 is later."""
    both = [change for change in changes if change.old is not None and change.new is not None]
    return {
        "appeared": [_alert(change.new) for change in changes if change.new is not None and change.old is None],
        "disappeared": [_alert(change.old) for change in changes if change.old is not None and change.new is None],
        "moved": [
            _alert(change.alert) | {"old_opened": rfc3339(change.old.opened_ns), "by_s": change.moved_s}
            for change in both
            if change.old is not None and change.moved_s
        ],
        "unchanged": sum(not change.moved_s for change in both),
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "vehicle": alert.vehicle,
        "rule": alert.source.id,
        "version": alert.source.version,
        "group_key": alert.group_key,
        "severity": alert.severity.value,
        "title": {"en": alert.title.en, "zh": alert.title.zh},
        "opened": rfc3339(alert.opened_ns),
        "resolved": rfc3339(alert.updated_ns) if alert.state is AlertState.RESOLVED else None,
        "occurrences": alert.occurrences,
    }


def _by_time(alerts: Sequence[Alert]) -> list[Alert]:
    return sorted(alerts, key=lambda alert: (alert.opened_ns, alert.vehicle, alert.source.id))


def _rule(row: RuleRow, done: Backtest) -> dict[str, Any]:
    """`raises` is false where the rule is only counted; its figures hold what it would raise."""
    sides = (("old", row.old, row.old_figures, row.old_silent), ("new", row.new, row.new_figures, row.new_silent))
    told: dict[str, Any] = {
        "id": row.id,
        "group_key": row.rule.group_key,
        "changed": row.is_changed,
        "vehicles": row.vehicles,
        "judged": row.id not in done.unjudged,
    }
    for name, rule, figures, silent in sides:
        told[name] = None
        if rule is not None and figures is not None:
            about = {"version": rule.full_version, "status": rule.status.value, "raises": not silent}
            told[name] = about | figures_json(figures, done.vehicle_days)
    return told


def _sweep(curve: SweepCurve, vehicle_days: int) -> dict[str, Any]:
    sweep = curve.sweep
    return {
        "rule": sweep.rule.id,
        "parameter": sweep.parameter,
        "unit": sweep.unit,
        "present": sweep.present,
        "points": [
            {"value": point.value, "problem": None if point.problem is None else point.problem.en}
            | ({} if point.figures is None else figures_json(point.figures, vehicle_days))
            for point in curve.points
        ],
    }


def _distribution(values: Sequence[float]) -> dict[str, Any]:
    return {"median": statistics.median(values) if values else None, "values": list(values)}
