"""The JSON documents keep their contract: shape, money, times, sizes, and no personal data."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import datetime

import pytest

from domain.findings import Evidence, Part, PlanLine, Severity, Urgency
from domain.fleet import Dealer
from domain.orders import Order, OrderKind
from domain.records import VehicleCase
from notifier.alerts.alerting import apply_findings
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.orders.ordering import update_orders
from notifier.push.messages import PAYLOAD_BYTES, alert_json, order_json, recommendation_json, rfc3339
from tests.notifier.builders import (
    WEDNESDAY_10_UTC_NS,
    confirmed,
    dealer,
    finding,
    plan_line,
    recommendation,
    roadside,
    text,
    vehicle,
)

VIN = "LSVAU2180N2183294"
EXACT = (31.2304567, 121.4737654)


def case_with_alerts(count: int = 1, **more: object) -> VehicleCase:
    return apply_findings(VehicleCase(vehicle="v1"), [finding(source=f"s{number}", **more) for number in range(count)])[0]


def ordered(
    case: VehicleCase, kind: OrderKind = OrderKind.SERVICE, dealers: tuple[Dealer, ...] | None = None, **more: object
) -> tuple[VehicleCase, Order]:
    advice = (roadside if kind is OrderKind.RESCUE else recommendation)(case.alerts[0].incident_id, **more)
    dealers = (dealer(capabilities=("rescue",)),) if dealers is None else dealers
    case, _ = update_orders(case, advice, vehicle(), DealerNetwork(dealers), EXACT, WEDNESDAY_10_UTC_NS)
    return case, next(order for order in case.orders if order.kind is kind)


def test_an_alert_has_the_contract_s_fields_in_their_form() -> None:
    evidence = Evidence(
        kind="signal",
        signal="T",
        value=math.nan,
        unit="degC",
        threshold=105.0,
        comparison=">",
        duration_s=60.0,
        window_start_ns=10**9,
    )
    (alert,) = case_with_alerts(evidence=(evidence,), codes=("P0128",), location=EXACT, at_s=1.25).alerts
    assert alert_json(alert) == {
        "id": alert.id,
        "vehicle": "v1",
        "title": "s0 medium",
        "titles": {"en": "s0 medium", "zh": "中文 s0 medium"},
        "severity": "medium",
        "urgency": "SOON",
        "state": "open",
        "source": {"kind": "rule", "id": "s0", "version": "1"},
        "opened": "1970-01-01T00:00:01.250000Z",
        "updated": "1970-01-01T00:00:01.250000Z",
        "event_time": "1970-01-01T00:00:01.250000Z",
        "occurrences": 1,
        "group_key": "engine.cooling/thermostat",
        "incident_id": alert.incident_id,
        "codes": ["P0128"],
        "evidence": [
            {
                "kind": "signal",
                "signal": "T",
                "value": None,
                "unit": "degC",
                "threshold": 105.0,
                "comparison": ">",
                "duration_s": 60.0,
                "window": {"start": "1970-01-01T00:00:01.000000Z", "end": None},
                "note": "",
            }
        ],
        "explanation": {"en": "s0 at 1.25", "zh": "中文 s0 at 1.25"},
        "late": False,
        "standing": {
            "holds": [],
            "flapping": False,
            "inhibited_by": None,
            "inhibition": None,
            "silenced_by": None,
            "review": None,
            "resolution": None,
        },
        "location": {"lat": 31.23, "lon": 121.474, "crs": "WGS84", "precision_m": 100},
    }
    assert alert_json(alert, vin=VIN)["vin"] == VIN


def test_times_are_utc_with_microseconds() -> None:
    assert rfc3339(1_750_240_800_123_456_789) == "2025-06-18T10:00:00.123456Z"
    assert rfc3339(-1) == "1969-12-31T23:59:59.999999Z"


def test_an_order_is_a_cloud_event_with_plan_totals_and_the_reasons_for_its_dealer() -> None:
    parts = (Part(number="P", name=text("part"), quantity=3, price="19.99"), Part(number="Q", name=text("other"), price="0.10"))
    plan = (
        plan_line(1, hours="1.3", parts=parts),
        plan_line(2, "optional wash", "9.0", (), optional=True),
        plan_line(3, "test drive", "0.3", ()),
    )
    shop = dealer(labour_rate="199.99", stock=(("P", 7),))
    case, order = ordered(case_with_alerts(), dealers=(shop,), plan=plan)
    document = order_json(order, case, vehicle(), shop)
    data = document.pop("data")
    assert document == {
        "specversion": "1.0",
        "id": document["id"],
        "source": "/pitcall/orders",
        "type": "order.created",
        "subject": order.id,
        "time": rfc3339(WEDNESDAY_10_UTC_NS),
        "datacontenttype": "application/json",
    }
    assert (data["order_id"], data["version"], data["state"], data["priority"]) == (order.id, 1, "dispatching", "P2")
    assert data["plan"][0]["labour"] == {"hours": "1.3", "rate": "199.99"}
    assert [(part["number"], part["quantity"], part["price"], part["stock"]) for part in data["plan"][0]["parts"]] == [
        ("P", 3, "19.99", 7),
        ("Q", 1, "0.10", 0),
    ]
    # 1.3 h and 0.3 h at 199.99 are 259.987 and 59.997; parts are 3 × 19.99 + 0.10; the optional line does not count
    assert data["totals"] == {"labour": "319.99", "parts": "60.07", "total": "380.06", "currency": "CNY", "tax_included": False}
    assert data["alerts"] == [{key: value for key, value in alert_json(case.alerts[0]).items() if key != "location"}]
    assert set(data["dealer"]) == {"id", "distance_km", "score", "why", "rejected", "drive_minutes"}
    assert all(why["en"] and why["zh"] for why in data["dealer"]["why"])
    assert all(datetime.fromisoformat(slot["start"]) < datetime.fromisoformat(slot["end"]) for slot in data["slots"])
    assert {"root_causes", "location", "transport", "vehicle"} <= set(data)
    assert data["vehicle"] == {"id": "v1", "brand": "BYD", "model": "Han", "year": 2023, "powertrain": "ev", "odometer_km": None}


def test_a_dealer_learns_where_the_vehicle_is_only_as_precisely_as_it_must() -> None:
    case, service = ordered(case_with_alerts(location=EXACT))
    body = json.dumps(order_json(service, case, vehicle(), dealer()))
    assert '"location": {"lat": 31.23, "lon": 121.474, "crs": "WGS84", "precision_m": 100}' in body
    assert "31.2304" not in body
    case, rescue = ordered(case_with_alerts(), OrderKind.RESCUE)
    known = replace(rescue, rescue=confirmed(EXACT, precision_m=5), state="offered")
    for state, place in (("offered", (31.23, 121.474, 100)), ("assigned", (31.230457, 121.473765, 5))):
        data = order_json(replace(known, state=state), case, vehicle(), dealer())["data"]
        assert (data["location"]["lat"], data["location"]["lon"], data["location"]["precision_m"]) == place
        assert (data["location"]["basis"], data["location"]["source"]) == ("consent", "display")
    assert (data["plan"], data["totals"]["total"], data["transport"]) == ([], "0.00", "FLAT_BED")


def test_an_order_without_a_dealer_has_no_rates() -> None:
    case, order = ordered(case_with_alerts(), dealers=())
    data = order_json(order, case, vehicle(), None)["data"]
    assert (data["dealer"], data["slots"], data["state"]) == (None, [], "manual")
    assert data["totals"] == {"labour": None, "parts": "180.00", "total": None, "currency": "CNY", "tax_included": False}
    assert data["plan"][0]["labour"]["rate"] is None
    assert data["plan"][0]["parts"][0]["stock"] is None


def test_the_event_id_is_a_function_of_order_version_recipient_and_type() -> None:
    case, order = ordered(case_with_alerts())
    shop = dealer()

    def event_id(order: Order = order, shop: Dealer = shop, event_type: str = "") -> str:
        return str(order_json(order, case, vehicle(), shop, event_type=event_type)["id"])

    assert event_id() == event_id(replace(order, updated_ns=5, recommendation=recommendation(urgency=Urgency.STOP)))
    assert (
        len(
            {event_id(), event_id(replace(order, version=2)), event_id(shop=dealer("d2")), event_id(event_type="order.cancelled")}
        )
        == 4
    )
    assert "." not in event_id()


@pytest.mark.parametrize("count", [1, 20, 60, 400])
def test_a_push_stays_small_however_many_alerts_there_are(count: int) -> None:
    evidence = tuple(
        Evidence(kind="signal", signal="Vehicle.Powertrain.Temperature", value=1.5, note="注" * 40) for _ in range(3)
    )
    case, order = ordered(case_with_alerts(count, evidence=evidence, severity=Severity.HIGH))
    document = order_json(order, case, vehicle(), dealer())
    assert len(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()) < PAYLOAD_BYTES
    data = document["data"]
    assert len(data["alerts"]) + data["alerts_left_out"] == count
    assert data["alerts"], "some are always told"


def test_a_recommendation_is_told_without_rates() -> None:
    document = recommendation_json(recommendation(merges=("i2",)))
    json.dumps(document, allow_nan=False)
    assert (document["priority"], document["urgency"], document["time"]) == ("P2", "SOON", "2025-06-18T10:00:00.000000Z")
    assert document["plan"][0]["labour"] == {"hours": "1.5", "rate": None}
    assert document["root_causes"][0]["id"] == "thermostat_open"
    assert recommendation_json(recommendation(urgency=Urgency.MONITOR))["priority"] == ""


def test_money_does_not_go_through_binary_fractions() -> None:
    lines: list[PlanLine] = [plan_line(number, f"op{number}", "0.1", ()) for number in range(1, 31)]
    case, order = ordered(case_with_alerts(), dealers=(dealer(labour_rate="0.70"),), plan=tuple(lines))
    assert order_json(order, case, vehicle(), dealer(labour_rate="0.70"))["data"]["totals"]["labour"] == "2.10"
