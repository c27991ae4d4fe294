"""A backtest for the terminal."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.backtest.backtest import Backtest, Figures, RuleRow, SweepCurve
from app.backtest.episodes import Change
from app.backtest.notes import SHORT, notes
from domain.findings import Alert
from notifier.push.messages import rfc3339

MOST_CHANGES = 30


def print_backtest(done: Backtest) -> None:
    """Both sides, what changed, the rules that found anything, and the sweeps, on stdout."""
    console = Console(highlight=False, width=min(shutil.get_terminal_size((120, 24)).columns, 120))
    console.print(
        f"{done.drives or 'stored'} drives of {len(done.runs)} vehicles, {done.vehicle_days} vehicle-days,"
        f" {sum(run.frames for run in done.runs):,} records in {done.elapsed_s:.1f} s"
    )
    for note in notes(done):
        console.print(f"[yellow]{escape(note.en)}[/]")
    console.print()
    console.print(_sides(done))
    if done.old is not None:
        console.print()
        _print_changes(console, done.changes)
    console.print()
    _print_rules(console, done)
    for curve in done.curves:
        console.print()
        console.print(_curve(curve))


def _sides(done: Backtest) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    sides = [("old", done.old)] if done.old is not None else []
    figures = [side for _, side in [*sides, ("new", done.new)] if side is not None]
    for name, _ in [*sides, ("new", done.new)]:
        table.add_column(name, justify="right")
    table.add_row("alerts", *(f"{len(side.alerts):,}" for side in figures))
    if done.faults is not None:
        scores = [side.score for side in figures if side.score is not None]
        table.add_row("faults found", *(f"{len(s.delays_s)} of {len(s.found)}" for s in scores))
        table.add_row("recall", *(_share(s.recall) for s in scores))
        table.add_row("precision", *(_share(s.precision) for s in scores))
        table.add_row("false alarms", *(f"{s.false:,}" for s in scores))
        table.add_row("false alarms per 1,000 vehicle-days", *(_number(s.false_per_1000_days) for s in scores))
        table.add_row("alerts of other systems on faulty vehicles", *(f"{s.other:,}" for s in scores))
        table.add_row("median delay after onset", *(_median(s.delays_s) for s in scores))
        table.add_row("median lead before the end", *(_median(s.leads_s) for s in scores))
    return table


def _print_changes(console: Console, changes: Sequence[Change]) -> None:
    told = [change for change in changes if change.old is None or change.new is None or change.moved_s]
    console.print(f"[bold]changes[/]: {len(told)}, and {len(changes) - len(told)} alerts as before")
    table = Table(box=None, pad_edge=False, show_header=False)
    for change in told[:MOST_CHANGES]:
        alert = change.alert
        table.add_row(_kind(change), alert.vehicle[:SHORT], _time(alert), escape(alert.source.id), escape(alert.title.en))
    if told:
        console.print(table)
    if len(told) > MOST_CHANGES:
        console.print(f"[dim]and {len(told) - MOST_CHANGES} more (--json and --report have all)[/]")


def _kind(change: Change) -> str:
    if change.old is None:
        return "[green]appears[/]"
    if change.new is None:
        return "[red]disappears[/]"
    return f"[yellow]{abs(change.moved_s):,.1f} s {'later' if change.moved_s > 0 else 'earlier'}[/]"


def _print_rules(console: Console, done: Backtest) -> None:
    """Rules with an alert on either side, with what is different about them."""
    table = Table(box=None, pad_edge=False)
    columns = ["rule", "status", *(["old"] if done.old is not None else []), "new"]
    if done.faults is not None:
        columns += ["found", "precision", "false", "median delay"]
    for column in columns:
        table.add_column(column, justify="left" if column in ("rule", "status") else "right")
    shown = [row for row in done.rules if _count(row.old_figures) or _count(row.new_figures)]
    for row in shown:
        cells = [escape(row.id), _status(row, compared=done.old is not None)]
        cells += [_alerts(row.old_figures, silent=row.old_silent)] if done.old is not None else []
        cells.append(_alerts(row.new_figures, silent=row.new_silent))
        figures = row.new_figures or row.old_figures
        if figures is not None and (s := figures.score) is not None:
            cells += [f"{len(s.delays_s)} of {len(s.found)}", _share(s.precision), str(s.false), _median(s.delays_s)]
        table.add_row(*cells)
    if shown:
        console.print(table)
    quiet = f"{len(done.rules) - len(shown)} other rules found nothing" if shown else "no rule found anything"
    counted = "; in brackets: only counted, raises nothing" if any(row.old_silent or row.new_silent for row in shown) else ""
    console.print(f"[dim]{quiet}{counted}[/]")


def _status(row: RuleRow, *, compared: bool) -> str:
    words = list(
        dict.fromkeys("" if rule is None else rule.status.value for rule in ((row.old, row.new) if compared else (row.new,)))
    )
    told = " → ".join(word or "not there" for word in words)
    return told + (", changed" if compared and row.is_changed and len(words) == 1 else "")


def _curve(curve: SweepCurve) -> Table:
    sweep = curve.sweep
    unit = f" {sweep.unit}" if sweep.unit else ""
    title = f"{sweep.rule.id}.{sweep.parameter}, now {sweep.present:g}{unit}"
    labelled = any(point.figures is not None and point.figures.score is not None for point in curve.points)
    table = Table(box=None, pad_edge=False, title=escape(title), title_justify="left")
    columns = ["value", "alerts"]
    if labelled:
        columns += ["found", "recall", "precision", "false", "false per 1,000 vehicle-days", "median delay", "median lead"]
    for column in columns:
        table.add_column(column, justify="right")
    for point in curve.points:
        value = f"{point.value:g}{unit}"
        if point.figures is None:
            table.add_row(value, "–", f"[dim]{point.problem.en}[/]" if labelled and point.problem else "")
            continue
        cells = [value, str(len(point.figures.alerts))]
        if (s := point.figures.score) is not None:
            cells += [f"{len(s.delays_s)} of {len(s.found)}", _share(s.recall), _share(s.precision), str(s.false)]
            cells += [_number(s.false_per_1000_days), _median(s.delays_s), _median(s.leads_s)]
        table.add_row(*cells, style="bold" if point.value == sweep.present else "")
    return table


def _count(figures: Figures | None) -> int:
    return 0 if figures is None else len(figures.alerts)


def _alerts(figures: Figures | None, *, silent: bool) -> str:
    return "–" if figures is None else f"({len(figures.alerts)})" if silent else str(len(figures.alerts))


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f}"


def _median(values: Sequence[float]) -> str:
    return f"{statistics.median(values):,.1f} s" if values else "–"


def _time(alert: Alert) -> str:
    return rfc3339(alert.opened_ns)[:19].replace("T", " ")
