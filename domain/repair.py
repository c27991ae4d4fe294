"""What a confirmed repair does to alerts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from domain.findings import Alert, AlertState, SourceKind
from domain.standing import Resolution

REPAIRABLE = (SourceKind.RULE, SourceKind.DTC)
"""What the workshop's word ends. Models judge over many drives: theirs end when the recovery is measured."""


def repaired(alerts: Iterable[Alert], incidents: Collection[str]) -> list[Alert]:
    """The open alerts of these incidents that the repair ends, resolved; their times stay the vehicle's."""
    return [
        replace(alert, state=AlertState.RESOLVED, standing=replace(alert.standing, resolution=Resolution.REPAIRED))
        for alert in alerts
        if alert.incident_id in incidents and alert.state is not AlertState.RESOLVED and alert.source.kind in REPAIRABLE
    ]


def is_repaired(alert: Alert) -> bool:
    """A repair has ended it."""
    return alert.state is AlertState.RESOLVED and alert.standing.resolution is Resolution.REPAIRED


def repaired_sources(alerts: Iterable[Alert]) -> frozenset[str]:
    """Sources whose latest alert a repair has ended; `alerts` of one vehicle, oldest first."""
    latest = {alert.source.id: alert for alert in alerts}
    return frozenset(source for source, alert in latest.items() if is_repaired(alert))
