"""An order as STAR's ServiceOrder. Pure: from the document that is pushed, so that every way out tells the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.orders import OrderKind
from notifier.orders.order_states import OrderState
from notifier.star.star_table import ALERT_STATUS, StarRow, star_rows

Json = dict[str, Any]


def service_order(data: Mapping[str, Any]) -> Json:
    """The ServiceOrder of an order, `data` as in its pushes; what we do not know is left out rather than made up."""
    row = star_rows()[OrderKind(data["kind"]), OrderState(data["state"])]
    found: Json = {
        "service_order_id": data["order_id"],
        "document_version": data["version"],
        "status": row.service_order,
        "priority": data["priority"],
        "created_date_time": data["created"],
        "last_modified_date_time": data["updated"],
        "dealer_party_id": (data.get("dealer") or {}).get("id"),
        "description": data["title"]["en"],
        "vehicle": _vehicle(data["vehicle"]),
        "vehicle_alerts": [_alert(alert) for alert in data["alerts"]],
        "service_appointment": _appointment(data, row),
    }
    if row.repair_order:
        found["repair_order"] = _repair_order(data, row)
    elif data["plan"]:
        found["requested_services"] = [_line(line) for line in data["plan"]]
    if data.get("location"):
        found["vehicle_location"] = {"latitude": data["location"]["lat"], "longitude": data["location"]["lon"]}
    return found


def _vehicle(vehicle: Mapping[str, Any]) -> Json:
    """Without a VIN: until a dealer has accepted it knows the pseudonym only."""
    known = {
        "vehicle_id": vehicle["id"],
        "make": vehicle["brand"],
        "model": vehicle["model"],
        "model_year": vehicle["year"],
        "powertrain_type": vehicle["powertrain"],
        "odometer_km": vehicle["odometer_km"],
    }
    return {name: value for name, value in known.items() if value not in (None, "")}


def _alert(alert: Mapping[str, Any]) -> Json:
    return {
        "event_hash": alert["id"],
        "alert_group_key": alert.get("group_key", ""),
        "status": ALERT_STATUS[alert["state"]],
        "severity": alert["severity"].upper(),
        "description": alert["title"],
        "event_date_time": alert["event_time"],
        "diagnostic_trouble_codes": alert["codes"],
    }


def _appointment(data: Mapping[str, Any], row: StarRow) -> Json:
    slots = [
        {"start_date_time": slot["start"], "end_date_time": slot["end"], "status": row.time_slot}
        for slot in data["slots"]
        if row.time_slot
    ]
    return {"transportation_type": data["transport"], "time_slots": slots}


def _repair_order(data: Mapping[str, Any], row: StarRow) -> Json:
    totals = data["totals"]
    amounts = {name: totals[name] for name in ("labour", "parts", "total") if totals[name] is not None}
    return {
        "status": row.repair_order,
        "currency": totals["currency"],
        "amounts": amounts,
        "service_lines": [_line(line) for line in data["plan"]],
    }


def _line(line: Mapping[str, Any]) -> Json:
    return {
        "line_number": line["line"],
        "operation_code": line["operation"],
        "description": line["description"]["en"],
        "labor_hours": line["labour"]["hours"],
        "labor_rate": line["labour"]["rate"],
        "pay_type": line["pay_type"].upper(),
        "parts": [
            {"part_number": part["number"], "quantity": part["quantity"], "unit_price": part["price"]} for part in line["parts"]
        ],
    }
