"""What a replay found, for the terminal."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.replaying import Replayed
from domain.findings import Alert, Order, Recommendation, Urgency
from domain.records import VehicleCase

STYLES = {Urgency.STOP: "bold red", Urgency.TODAY: "red", Urgency.SOON: "yellow", Urgency.NEXT: "cyan", Urgency.MONITOR: "dim"}
SHORT = 10
"""Digits of a pseudonym that tell the vehicles of one replay apart."""


def print_summary(replayed: Replayed) -> None:
    """Drives, then what was found on each vehicle, on stdout."""
    console = Console(highlight=False)
    console.print(_drives(replayed))
    found = [case for case in replayed.cases if case.alerts]
    for case in found:
        _print_case(console, case)
    judged = (
        f"{len(replayed.parts.rules)} rules, {replayed.parts.detectors} detector, {replayed.parts.codes:,} known trouble codes"
    )
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


def _print_case(console: Console, case: VehicleCase) -> None:
    console.print(f"\n[bold]vehicle {case.vehicle[:SHORT]}[/]")
    by_incident: dict[str, list[Alert]] = {}
    for alert in case.alerts:
        by_incident.setdefault(alert.incident_id, []).append(alert)
    recommendations = {item.incident_id: item for item in case.recommendations}
    order_of = {incident: order for order in reversed(case.orders) for incident in order.incidents}
    worst_first = sorted(by_incident.items(), key=lambda pair: (-max(a.urgency for a in pair[1]), pair[1][0].opened_ns))
    for incident, alerts in worst_first:
        for alert in alerts:
            when = datetime.fromtimestamp(alert.opened_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S")
            style = STYLES[alert.urgency]
            state = "" if alert.state == "open" else f" [dim]({alert.state})[/]"
            console.print(f"  [{style}]{alert.urgency.name:7}[/] {when}  {escape(alert.title.en)}{state}")
            console.print(f"          [dim]{escape(alert.explanation.en)}[/]")
        if incident in recommendations:
            _print_recommendation(console, recommendations[incident])
        if incident in order_of:
            _print_order(console, order_of[incident])


def _print_recommendation(console: Console, item: Recommendation) -> None:
    style = STYLES[item.urgency]
    console.print(f"          [{style}]{item.urgency.name}[/]: {escape(item.urgency_reason.en)}")
    if item.causes:
        causes = ", ".join(f"{cause.title.en} {cause.probability:.0%}" for cause in item.causes[:3])
        console.print(f"          probably {escape(causes)}")
    for line in item.plan[:4]:
        parts = ", ".join(f"{part.quantity} x {part.name.en}" for part in line.parts)
        console.print(
            f"          {line.line}. {escape(line.description.en)} ({line.labour_hours} h{'; ' + escape(parts) if parts else ''})"
        )


def _print_order(console: Console, order: Order) -> None:
    if order.choice is None:
        console.print(
            f"          {order.kind} order {order.id[:8]} {order.recommendation.urgency.priority}: no able dealer, a person decides"
        )
        return
    why = "; ".join(text.en for text in order.choice.why)
    console.print(
        f"          [bold]{order.kind} order {order.id[:8]}[/] {order.recommendation.urgency.priority} to {order.choice.dealer},"
        f" {order.choice.distance_km:.1f} km: {escape(why)}"
    )
