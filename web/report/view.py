"""Arranges a report for the page: incidents in order of urgency, each with its alerts, plots, causes, plan and order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from domain.findings import Alert, AlertState, Evidence, Recommendation, Severity, Text, Urgency
from domain.fleet import Dealer, Vehicle
from domain.orders import Order
from domain.records import VehicleCase
from domain.vss import catalogue
from notifier.push.messages import order_json
from web.report import formats
from web.report.model import DriveSummary, ReplayReport
from web.report.plot import Plot, draw, view_range

WIDE, NARROW = (920, 220), (358, 220)
"""Plot sizes (width, height) for a screen or paper and for a phone: text keeps its size in both."""

_SEVERITIES = list(Severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnPlot:
    """One plot in both sizes (SVG)."""

    wide: str
    narrow: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """An alert with its plots; `anchor` is that of its incident."""

    alert: Alert
    vehicle: Vehicle
    anchor: str
    plots: tuple[DrawnPlot, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order and its dealer; `repeated` where an incident above shows it already."""

    order: Order
    dealer: Dealer | None
    totals: dict[str, Any]
    slots: tuple[str, ...]
    repeated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentView:
    """Alerts that belong together, what they probably mean, and what is done about it."""

    anchor: str
    vehicle: Vehicle
    title: Text
    urgency: Urgency
    opened_ns: int
    alerts: tuple[AlertView, ...]
    recommendation: Recommendation | None
    labour_hours: str
    orders: tuple[OrderView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """All that the template shows. `alerts` are by urgency, severity and time; `unread` are drives in which nothing was decoded."""

    report: ReplayReport
    vehicles: dict[str, Vehicle]
    incidents: tuple[IncidentView, ...]
    alerts: tuple[AlertView, ...]
    orders: int
    unread: tuple[DriveSummary, ...]


def arrange(report: ReplayReport) -> ReportView:
    """The report as the page shows it."""
    known = {vehicle.id: vehicle for vehicle in report.vehicles}
    named = {drive.vehicle for drive in report.drives} | {case.vehicle for case in report.cases}
    vehicles = known | {name: Vehicle(id=name) for name in named - known.keys()}
    groups = [(case, incidents) for case in report.cases for incidents in _merged(case)]
    groups.sort(key=lambda group: _rank(_alerts_of(*group)))
    shown: set[str] = set()
    incidents = tuple(
        _incident(report, vehicles[case.vehicle], case, members, f"incident-{number}", shown)
        for number, (case, members) in enumerate(groups, 1)
    )
    alerts = sorted((view for incident in incidents for view in incident.alerts), key=lambda view: _rank([view.alert]))
    return ReportView(
        report=report,
        vehicles=vehicles,
        incidents=incidents,
        alerts=tuple(alerts),
        orders=sum(len(case.orders) for case in report.cases),
        unread=tuple(drive for drive in report.drives if not drive.signals and not drive.dtcs),
    )


def _merged(case: VehicleCase) -> Iterator[frozenset[str]]:
    """Incident ids that are shown as one: each incident with those that its diagnosis explains."""
    merges = {recommendation.incident_id: set(recommendation.merges) for recommendation in case.recommendations}
    ids = {alert.incident_id for alert in case.alerts}
    explained = {other for merged in merges.values() for other in merged}
    taken: set[str] = set()
    for incident in sorted(ids, key=lambda one: (one in explained, one)):
        members = ({incident} | (merges.get(incident, set()) & ids)) - taken
        if incident in members:
            taken |= members
            yield frozenset(members)


def _alerts_of(case: VehicleCase, members: frozenset[str]) -> list[Alert]:
    return sorted((alert for alert in case.alerts if alert.incident_id in members), key=lambda alert: _rank([alert]))


def _rank(alerts: list[Alert]) -> tuple[int, int, int, str]:
    """Sorts the most urgent first, then the most severe, then the earliest."""
    return (
        -max(alert.urgency for alert in alerts),
        min(_SEVERITIES.index(alert.severity) for alert in alerts),
        min(alert.opened_ns for alert in alerts),
        min(alert.id for alert in alerts),
    )


def _incident(
    report: ReplayReport, vehicle: Vehicle, case: VehicleCase, members: frozenset[str], anchor: str, shown: set[str]
) -> IncidentView:
    alerts = _alerts_of(case, members)
    candidates = [each for each in case.recommendations if each.incident_id in members]
    # of merged incidents, the recommendation of the one that explains the others
    recommendation = max(candidates, key=lambda each: (len(each.merges), each.urgency, each.incident_id), default=None)
    orders = []
    for order in case.orders:
        if members & set(order.incidents):
            orders.append(_order(report, case, vehicle, order, repeated=order.id in shown))
            shown.add(order.id)
    drawn: set[str] = set()
    views = [
        AlertView(alert=alert, vehicle=vehicle, anchor=anchor, plots=tuple(_plots(report, alert, drawn))) for alert in alerts
    ]
    return IncidentView(
        anchor=anchor,
        vehicle=vehicle,
        title=recommendation.title if recommendation else alerts[0].title,
        urgency=recommendation.urgency if recommendation else max(alert.urgency for alert in alerts),
        opened_ns=min(alert.opened_ns for alert in alerts),
        alerts=tuple(views),
        recommendation=recommendation,
        labour_hours=_labour_hours(recommendation),
        orders=tuple(orders),
    )


def _labour_hours(recommendation: Recommendation | None) -> str:
    lines = recommendation.plan if recommendation else ()
    return str(sum((Decimal(line.labour_hours) for line in lines if not line.optional), Decimal("0.0")))


def _order(report: ReplayReport, case: VehicleCase, vehicle: Vehicle, order: Order, *, repeated: bool) -> OrderView:
    chosen = order.choice.dealer if order.choice else ""
    dealer = next((dealer for dealer in report.dealers if dealer.id == chosen), None)
    offset = dealer.utc_offset_hours if dealer else 0.0
    return OrderView(
        order=order,
        dealer=dealer,
        totals=order_json(order, case, vehicle, dealer)["data"]["totals"],
        slots=tuple(formats.local_span(start, end, offset) for start, end in order.slots),
        repeated=repeated,
    )


def _plots(report: ReplayReport, alert: Alert, drawn: set[str]) -> Iterator[DrawnPlot]:
    """One plot for each signal of the alert's evidence that there are samples of.

    What the incident has shown already (`drawn`, which grows) is drawn again only with the threshold of another alert.
    """
    own: set[str] = set()
    for evidence in alert.evidence:
        series = report.series.get((alert.vehicle, evidence.signal))
        shown = own if evidence.threshold is not None else drawn | own
        if evidence.signal in shown or series is None or len(series[0]) == 0:
            continue
        own.add(evidence.signal)
        drawn.add(evidence.signal)
        window = _window(alert, evidence)
        start_ns, end_ns = view_range(series, window)
        known = catalogue().get(evidence.signal)
        plot = Plot(
            time_ns=series[0],
            values=series[1],
            start_ns=start_ns,
            end_ns=end_ns,
            name=known.name if known else Text(en=evidence.signal, zh=evidence.signal),
            unit=evidence.unit or (known.unit if known else ""),
            stepped=known is not None and known.datatype == "boolean",
            threshold=evidence.threshold,
            comparison=evidence.comparison,
            # an episode that has not ended goes on to the end of what is shown
            window=window if alert.state is AlertState.RESOLVED else (window[0], max(window[1], end_ns)),
        )
        yield DrawnPlot(wide=draw(plot, width=WIDE[0], height=WIDE[1]), narrow=draw(plot, width=NARROW[0], height=NARROW[1]))


def _window(alert: Alert, evidence: Evidence) -> tuple[int, int]:
    """What to shade: from when the evidence began to where the episode was last seen."""
    start = alert.opened_ns if evidence.window_start_ns is None else min(evidence.window_start_ns, alert.opened_ns)
    end = alert.updated_ns if evidence.window_end_ns is None else max(evidence.window_end_ns, alert.updated_ns)
    return start, max(start, end)
