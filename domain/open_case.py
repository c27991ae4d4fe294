"""The part of a vehicle's case that decisions need: what is open, and what it refers to. History stays in the store."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from domain.findings import Alert, AlertState
from domain.records import VehicleCase

ENDED_ALERTS = 32
"""Resolved alerts of open incidents and orders that stay at hand, the latest ones; a flapping source makes thousands."""


def open_part(case: VehicleCase, open_orders: Collection[str]) -> VehicleCase:
    """What of this case a decision may look at. It is bounded by what is open, whatever the age of the vehicle.

    Unresolved alerts, open orders (their state is one of `open_orders`), ended orders that answer an incident still open, the
    latest resolved alerts of the incidents of these, the latest alert of each source (how often it came and went), and the
    recommendations of those incidents. Taking the open part of an open part changes nothing.
    """
    unresolved = [alert for alert in case.alerts if alert.state is not AlertState.RESOLVED]
    incidents = {alert.incident_id for alert in unresolved}
    orders = tuple(order for order in case.orders if order.state in open_orders or not incidents.isdisjoint(order.incidents))
    incidents.update(incident for order in orders if order.state in open_orders for incident in order.incidents)
    ended = [alert for alert in case.alerts if alert.state is AlertState.RESOLVED and alert.incident_id in incidents]
    latest = {alert.source.id: alert for alert in case.alerts}
    kept = {alert.id: alert for alert in (*unresolved, *ended[-ENDED_ALERTS:], *latest.values())}
    return VehicleCase(
        vehicle=case.vehicle,
        alerts=tuple(sorted(kept.values(), key=_by_opening)),
        recommendations=tuple(each for each in case.recommendations if each.incident_id in incidents),
        orders=orders,
    )


def overlaid(case: VehicleCase, changed: VehicleCase) -> VehicleCase:
    """The case with every record of `changed` in the place of its own of that id, and those that are new."""
    alerts = {alert.id: alert for alert in (*case.alerts, *changed.alerts)}
    recommendations = {each.incident_id: each for each in (*case.recommendations, *changed.recommendations)}
    orders = {order.id: order for order in (*case.orders, *changed.orders)}
    return replace(
        case,
        alerts=tuple(sorted(alerts.values(), key=_by_opening)),
        recommendations=tuple(recommendations[key] for key in sorted(recommendations)),
        orders=tuple(sorted(orders.values(), key=lambda order: (order.created_ns, order.id))),
    )


def _by_opening(alert: Alert) -> tuple[int, str]:
    return alert.opened_ns, alert.id
