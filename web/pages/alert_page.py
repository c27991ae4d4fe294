"""Gathers what an alert's page shows: its incident as the report shows it, and the life of its orders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from domain.errors import StorageError
from domain.findings import Alert
from domain.fleet import Vehicle
from domain.orders import Order
from domain.vss import catalogue
from web.api.ports import WebStore
from web.report import IncidentView, ReplayReport, arrange
from web.report.model import Series

_AROUND_NS = 30 * 60 * 1_000_000_000
"""Signals are drawn from so long before an alert's evidence to so long after it was last seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """An order and the (version, state) that it went through; versions that kept the state are left out."""

    order: Order
    steps: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPage:
    """All that the page shows. `has_plots` tells whether any signal could be drawn."""

    alert: Alert
    vehicle: Vehicle
    incident: IncidentView
    timelines: tuple[Timeline, ...]
    has_plots: bool


def gather(store: WebStore, alert_id: str, history: Path | None) -> AlertPage | None:
    """The page of an alert, None where there is no such alert.

    Args:
        history: folder of the signal history; None draws nothing.

    Raises:
        StorageError: the database failed.
    """
    alert = store.alert(alert_id)
    if alert is None:
        return None
    vehicle = store.vehicle(alert.vehicle) or Vehicle(id=alert.vehicle)
    report = ReplayReport(drives=(), cases=(store.case(alert.vehicle),), vehicles=(vehicle,), dealers=store.dealers())
    incident = _incident_of(report, alert)
    series = dict(_series([view.alert for view in incident.alerts], history)) if history else {}
    if series:
        incident = _incident_of(replace(report, series=series), alert)
    return AlertPage(
        alert=alert,
        vehicle=vehicle,
        incident=incident,
        timelines=tuple(_timeline(store, view.order) for view in incident.orders),
        has_plots=any(view.plots for view in incident.alerts),
    )


def _incident_of(report: ReplayReport, alert: Alert) -> IncidentView:
    return next(incident for incident in arrange(report).incidents if any(view.alert.id == alert.id for view in incident.alerts))


def _series(alerts: Sequence[Alert], folder: Path) -> Iterator[tuple[tuple[str, str], Series]]:
    """Samples around every signal that the alerts' evidence names; a history that cannot be read leaves the evidence to speak."""
    from storage.history import SignalHistory

    history = SignalHistory(folder)
    for vehicle, path in sorted(
        {(alert.vehicle, e.signal) for alert in alerts for e in alert.evidence if e.signal in catalogue()}
    ):
        windows = [_window(alert) for alert in alerts]
        start_ns, end_ns = min(start for start, _ in windows), max(end for _, end in windows)
        with suppress(StorageError):
            samples = history.read(vehicle, path, start_ns - _AROUND_NS, end_ns + _AROUND_NS)
            if len(samples[0]):
                yield (vehicle, path), samples


def _window(alert: Alert) -> tuple[int, int]:
    starts = [e.window_start_ns for e in alert.evidence if e.window_start_ns is not None]
    return min([alert.opened_ns, *starts]), alert.updated_ns


def _timeline(store: WebStore, order: Order) -> Timeline:
    steps = store.order_states(order.id)
    kept = [step for number, step in enumerate(steps) if number == 0 or step[1] != steps[number - 1][1]]
    return Timeline(order=order, steps=tuple(kept))
