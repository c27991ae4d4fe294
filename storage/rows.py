"""Domain records as rows of `storage.schema`: the columns to ask by, and the whole record as a JSON document."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from sqlalchemy import RowMapping

from domain.findings import Alert, Recommendation
from domain.fleet import Dealer, VaultEntry, Vehicle
from domain.live import AnsweredRequest, ApiKey, EventKind, FeedEvent, VehicleSighting
from domain.order_audit import AuditEntry
from domain.orders import Order
from domain.parts import PartLot, StockLevel
from domain.records import DeadLetter, DriveProgress, OutboxEvent, SeenSequences, StageState
from storage.feed import is_critical
from storage.record_json import to_json


def vehicle_row(vehicle: Vehicle) -> dict[str, Any]:
    """Row of `vehicle`."""
    return {
        "id": vehicle.id,
        "brand": vehicle.brand,
        "model": vehicle.model,
        "year": vehicle.year,
        "profile": vehicle.profile,
        "document": to_json(vehicle),
    }


def vault_row(entry: VaultEntry) -> dict[str, Any]:
    """Row of `vault`: its columns are the record's fields."""
    return _fields(entry)


def device_rows(vehicles: Iterable[Vehicle]) -> list[dict[str, Any]]:
    """Rows of `device`; of a device named by two vehicles the last one has it."""
    named = {device: vehicle.id for vehicle in vehicles for device in vehicle.devices}
    return [{"id": device, "vehicle": vehicle} for device, vehicle in named.items()]


def dealer_row(dealer: Dealer) -> dict[str, Any]:
    """Row of `dealer`; its stock has a table of its own."""
    return {"id": dealer.id, "document": to_json(dataclasses.replace(dealer, stock=()))}


def alert_row(alert: Alert) -> dict[str, Any]:
    """Row of `alert`."""
    return {
        "id": alert.id,
        "vehicle": alert.vehicle,
        "incident_id": alert.incident_id,
        "state": alert.state.value,
        "severity": alert.severity.value,
        "urgency": int(alert.urgency),
        "source_id": alert.source.id,
        "opened_ns": alert.opened_ns,
        "updated_ns": alert.updated_ns,
        "document": to_json(alert),
    }


def recommendation_row(recommendation: Recommendation) -> dict[str, Any]:
    """Row of `recommendation`."""
    return {
        "incident_id": recommendation.incident_id,
        "vehicle": recommendation.vehicle,
        "urgency": int(recommendation.urgency),
        "time_ns": recommendation.time_ns,
        "document": to_json(recommendation),
    }


def order_row(order: Order) -> dict[str, Any]:
    """Row of `service_order`; `dealer` is "" where none is able."""
    return {
        "id": order.id,
        "vehicle": order.vehicle,
        "kind": order.kind.value,
        "state": order.state,
        "version": order.version,
        "dealer": order.choice.dealer if order.choice else "",
        "created_ns": order.created_ns,
        "updated_ns": order.updated_ns,
        "document": to_json(order),
    }


def history_row(order: Order) -> dict[str, Any]:
    """Row of `order_history`: the state that this version of the order is in."""
    return {"order_id": order.id, "version": order.version, "state": order.state, "time_ns": order.updated_ns}


def audit_row(entry: AuditEntry) -> dict[str, Any]:
    """Row of `order_audit`: its columns are the record's fields."""
    return _fields(entry)


def audit_entry_of(row: RowMapping) -> AuditEntry:
    """The record of a row of `order_audit`."""
    return AuditEntry(**row)


def request_row(request: AnsweredRequest) -> dict[str, Any]:
    """Row of `answered_request`: its columns are the record's fields."""
    return _fields(request)


def state_row(state: StageState) -> dict[str, Any]:
    """Row of `vehicle_state`: its columns are the record's fields."""
    return _fields(state)


def state_of(row: RowMapping) -> StageState:
    """The record of a row of `vehicle_state`."""
    return StageState(**{**row, "state": bytes(row["state"])})


def seen_row(seen: SeenSequences) -> dict[str, Any]:
    """Row of `seen_sequence`."""
    return {"vehicle": seen.vehicle, "boot_session": seen.boot_session, "document": to_json(seen)}


def progress_row(progress: DriveProgress) -> dict[str, Any]:
    """Row of `drive_progress`: its columns are the record's fields."""
    return _fields(progress)


def outbox_row(event: OutboxEvent, now_ns: int) -> dict[str, Any]:
    """Row of `outbox`: its columns are the record's fields, whether it tells of a P0 order, and when it was written."""
    return {**_fields(event), "critical": is_critical(event), "created_ns": now_ns}


def outbox_event_of(row: RowMapping) -> OutboxEvent:
    """The record of a row of `outbox`."""
    return OutboxEvent(**{name: value for name, value in row.items() if name not in ("critical", "created_ns")})


def feed_row(event: FeedEvent) -> dict[str, Any]:
    """Row of `event`, without the id, which the database gives."""
    row = _fields(event) | {"kind": event.kind.value}
    del row["id"]
    return row


def feed_event_of(row: RowMapping) -> FeedEvent:
    """The record of a row of `event`."""
    return FeedEvent(**{**row, "kind": EventKind(row["kind"])})


def sighting_row(sighting: VehicleSighting) -> dict[str, Any]:
    """Row of `vehicle_sighting`."""
    latitude, longitude = sighting.location or (None, None)
    row = {"vehicle": sighting.vehicle, "event_ns": sighting.event_ns, "received_ns": sighting.received_ns}
    return {**row, "latitude": latitude, "longitude": longitude}


def sighting_of(row: RowMapping) -> VehicleSighting:
    """The record of a row of `vehicle_sighting`."""
    known = {name: value for name, value in row.items() if name not in ("latitude", "longitude")}
    place = None if row["latitude"] is None or row["longitude"] is None else (row["latitude"], row["longitude"])
    return VehicleSighting(**known, location=place)


def api_key_row(key: ApiKey) -> dict[str, Any]:
    """Row of `api_key`."""
    return {"hash": key.hash, "name": key.name, "created_ns": key.created_ns, "document": to_json(key)}


def dead_letter_row(letter: DeadLetter, now_ns: int) -> dict[str, Any]:
    """Row of `dead_letter`: its columns are the record's fields, and when it was written."""
    return {**_fields(letter), "created_ns": now_ns}


def dead_letter_of(row: RowMapping) -> DeadLetter:
    """The record of a row of `dead_letter`."""
    known = {name: value for name, value in row.items() if name != "created_ns"}
    return DeadLetter(**{**known, "content": bytes(row["content"])})


def stock_row(level: StockLevel) -> dict[str, Any]:
    """Row of `part_stock`: its columns are the record's fields."""
    return _fields(level)


def lot_row(lot: PartLot) -> dict[str, Any]:
    """Row of `part_lot`; `eta_ns` is 0 for what lies on a shelf."""
    return {
        "id": lot.id,
        "order_id": lot.order,
        "dealer": lot.dealer,
        "state": lot.state.value,
        "eta_ns": lot.eta_ns or 0,
        "document": to_json(lot),
    }


def _fields(record: Any) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
