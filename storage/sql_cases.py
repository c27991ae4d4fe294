"""What is stored on one vehicle: its whole case, and the part that is open."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, func, or_, select

from domain.findings import Alert, AlertState, Recommendation
from domain.open_case import ENDED_ALERTS, open_part
from domain.orders import Order
from domain.records import VehicleCase
from storage import schema
from storage.sql_base import SqlBase, parse, transaction


class SqlCases(SqlBase):
    """Cases of vehicles; all of a case is read from one state of the database."""

    def case(self, vehicle: str) -> VehicleCase:
        """Everything stored on one vehicle, ordered as `VehicleCase` says."""
        with transaction(self._reads) as connection:
            alerts = connection.execute(_alerts(vehicle)).mappings().all()
            recommendations = (
                connection.execute(_recommendations().where(schema.recommendation.c.vehicle == vehicle)).mappings().all()
            )
            orders = connection.execute(_orders(vehicle)).mappings().all()
        return VehicleCase(
            vehicle=vehicle,
            alerts=parse(Alert, alerts),
            recommendations=parse(Recommendation, recommendations),
            orders=parse(Order, orders),
        )

    def open_case(self, vehicle: str, open_orders: Collection[str]) -> VehicleCase:
        """What decisions need of the case (`domain.open_case`); history is not even read."""
        alert, order, advice = schema.alert.c, schema.service_order.c, schema.recommendation.c
        with transaction(self._reads) as connection:
            open_alerts = _alerts(vehicle).where(alert.state != AlertState.RESOLVED.value)
            alerts = parse(Alert, connection.execute(open_alerts).mappings().all())
            incidents = {each.incident_id for each in alerts}
            # an ended order may name any of them, and its incidents stand in its document only
            named = [func.replace(order.document, incident, "") != order.document for incident in sorted(incidents)]
            wanted = _orders(vehicle).where(or_(order.state.in_(sorted(open_orders)), *named))
            orders = parse(Order, connection.execute(wanted).mappings().all())
            incidents |= {incident for each in orders if each.state in open_orders for incident in each.incidents}
            ended = select(alert.document).where(alert.incident_id.in_(incidents), alert.state == AlertState.RESOLVED.value)
            ended = ended.where(alert.vehicle == vehicle).order_by(alert.opened_ns.desc(), alert.id.desc()).limit(ENDED_ALERTS)
            alerts += parse(Alert, connection.execute(ended).mappings().all())
            alerts += parse(Alert, connection.execute(_latest_of_each_source(vehicle)).mappings().all())
            answers = _recommendations().where(advice.vehicle == vehicle, advice.incident_id.in_(incidents))
            recommendations = parse(Recommendation, connection.execute(answers).mappings().all())
        by_id = {each.id: each for each in alerts}
        alerts = tuple(sorted(by_id.values(), key=lambda each: (each.opened_ns, each.id)))
        case = VehicleCase(vehicle=vehicle, alerts=alerts, recommendations=recommendations, orders=orders)
        return open_part(case, open_orders)

    def recommendations(self) -> tuple[Recommendation, ...]:
        """The latest recommendation of every incident, by incident id."""
        return parse(Recommendation, self._fetch(_recommendations()))


def _alerts(vehicle: str) -> Select[Any]:
    table = schema.alert
    return select(table.c.document).where(table.c.vehicle == vehicle).order_by(table.c.opened_ns, table.c.id)


def _latest_of_each_source(vehicle: str) -> Select[Any]:
    """Resolved ones; the open ones are read anyway."""
    table = schema.alert
    place = func.row_number().over(partition_by=table.c.source_id, order_by=(table.c.opened_ns.desc(), table.c.id.desc()))
    own = select(table.c.document, table.c.state, place.label("place")).where(table.c.vehicle == vehicle).subquery()
    return select(own.c.document).where(own.c.place == 1, own.c.state == AlertState.RESOLVED.value)


def _recommendations() -> Select[Any]:
    return select(schema.recommendation.c.document).order_by(schema.recommendation.c.incident_id)


def _orders(vehicle: str) -> Select[Any]:
    table = schema.service_order.c
    return select(table.document).where(table.vehicle == vehicle).order_by(table.created_ns, table.id)
