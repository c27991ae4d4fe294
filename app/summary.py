"""What a replay found, for the terminal."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.replaying import Replayed
from domain.findings import Alert, Recommendation, Urgency
from domain.fleet import Vehicle
from domain.orders import Order
from domain.records import VehicleCase

STYLES = {Urgency.STOP: "bold red", Urgency.TODAY: "red", Urgency.SOON: "yellow", Urgency.NEXT: "cyan", Urgency.MONITOR: "dim"}
PLAN_LINES = 4
SHORT = 10
"""Digits of a pseudonym that tell the vehicles of one replay apart."""


def print_summary(replayed: Replayed) -> None:
    """Drives, then what was found on each vehicle, on stdout."""
    width = shutil.get_terminal_size((120, 24)).columns
    console = Console(highlight=False, width=min(width, 120))
    console.print(_drives(replayed))
    found = [case for case in replayed.cases if case.alerts]
    vehicles = {vehicle.id: vehicle for vehicle in replayed.choice.vehicles}
    for case in found:
        _print_case(console, case, vehicles[case.vehicle])
    judged = (
        f"{len(replayed.parts.rules)} rules, {replayed.parts.detectors} detector, {replayed.parts.codes:,} known trouble codes"
    )
    for rule, counts in replayed.shadow.items():
        console.print(f"[dim]shadow rule {rule} would have raised {counts.get('raised', 0)} times[/]")
    if not found:
        console.print(f"\nNothing found. Judged by {judged}.")
    alerts = sum(len(case.alerts) for case in replayed.cases)
    orders = sum(len(case.orders) for case in replayed.cases)
    speed = replayed.document()["frames_per_s"]
    console.print(
        f"\n{alerts} alerts and {orders} orders from {replayed.frames:,} frames in {replayed.elapsed_s:.1f} s"
        f" ({speed:,.0f} frames/s), judged by {judged}"
    )


def _drives(replayed: Replayed) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("vehicle", "drive"):
        table.add_column(column)
    for column in ("frames", "samples", "codes", "dead letters"):
        table.add_column(column, justify="right")
    table.add_column("")
    for done in replayed.done:
        progress = done.progress
        odd = ", ".join(
            f"{count:,} {kind.replace('_', ' ')}" for kind, count in sorted(done.anomalies.items()) if kind != "equal_time"
        )
        note = "done in an earlier run" if progress.finished and done.first_ns is None and progress.frames else odd
        counts = (progress.frames, progress.signals, progress.dtcs, progress.dead_letters)
        table.add_row(done.drive.vehicle.id[:SHORT], escape(done.drive.log.name), *(f"{n:,}" for n in counts), f"[dim]{note}[/]")
    return table


def _print_case(console: Console, case: VehicleCase, vehicle: Vehicle) -> None:
    day = datetime.fromtimestamp(case.alerts[0].opened_ns / 1e9, UTC).strftime("%Y-%m-%d")
    model = escape(" ".join(str(word) for word in (vehicle.brand, vehicle.model, vehicle.year) if word))
    console.print(f"\n[bold]vehicle {case.vehicle[:SHORT]}[/] {model} [dim]{day} UTC[/]")
    by_incident: dict[str, list[Alert]] = {}
    for alert in case.alerts:
        by_incident.setdefault(alert.incident_id, []).append(alert)
    recommendations = {item.incident_id: item for item in case.recommendations}
    worst_first = sorted(by_incident.items(), key=lambda pair: (-max(a.urgency for a in pair[1]), pair[1][0].opened_ns))
    for incident, alerts in worst_first:
        table = Table.grid(padding=(0, 2), pad_edge=True)
        for least in (len("MONITOR"), len("service"), 20):
            table.add_column(min_width=least)
        for alert in alerts:
            when = datetime.fromtimestamp(alert.opened_ns / 1e9, UTC).strftime("%H:%M:%S")
            state = "" if alert.state == "open" else f" [dim]({alert.state})[/]"
            words = f"{escape(alert.title.en)}{state}\n[dim]{escape(alert.explanation.en)}[/]"
            table.add_row(f"[{STYLES[alert.urgency]}]{alert.urgency.name}[/]", when, words)
        if incident in recommendations:
            _add_recommendation(table, recommendations[incident])
        for order in case.orders:
            if incident in order.incidents:
                table.add_row("", f"[bold]{order.kind}[/]", _order(order))
        console.print(table)


def _add_recommendation(table: Table, item: Recommendation) -> None:
    table.add_row("", "urgency", f"[{STYLES[item.urgency]}]{item.urgency.name}[/] {escape(item.urgency_reason.en)}")
    if item.causes:
        table.add_row("", "causes", escape(", ".join(f"{cause.title.en} {cause.probability:.0%}" for cause in item.causes[:3])))
    lines = []
    for line in item.plan[:PLAN_LINES]:
        parts = ", ".join(f"{part.quantity} x {part.name.en}" for part in line.parts)
        lines.append(f"{line.line}. {line.description.en} ({line.labour_hours} h{'; ' + parts if parts else ''})")
    table.add_row("", "plan", escape("\n".join(lines)))


def _order(order: Order) -> str:
    head = f"{order.recommendation.urgency.priority} order {order.id[:8]}"
    if order.choice is None:
        why = "the vehicle's position is not known" if order.location is None else "no able dealer within reach"
        return f"{head}: {why}, a person decides"
    return f"{head} to [bold]{escape(order.choice.dealer)}[/]: {escape('; '.join(text.en for text in order.choice.why))}"
