"""Every operation of the API by every role: who may, who may not, and who does not even learn that there is something.

A new operation needs a row in `TABLE`: that is the moment to say who may use it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.web.report_examples import SEDAN
from tests.web.serving import NOW_NS, ORDER, client, store
from web.api import create_app
from web.api.access import key_hash

ROLES = {
    "analyst": ("analyst",),
    "operations": ("operations",),
    "integration": ("integration",),
    "admin": ("admin",),
    "dealer": ("dealer:SH-014",),
    "other_dealer": ("dealer:SH-022",),
    "owner": (f"owner:{SEDAN}",),
    "other_owner": ("owner:another-vehicle",),
}
KEYS = {key_hash(role): scopes for role, scopes in ROLES.items()}
NOBODY = "without a key"
STAFF = frozenset({"analyst", "operations", "integration", "admin"})
MOVERS = frozenset({"operations", "admin"})
KEEPERS = frozenset({"integration", "admin"})
DEALERS = frozenset({"dealer", "other_dealer"})
OWNERS = frozenset({"owner", "other_owner"})
NO_ACCESS = {"unauthorised", "scope_missing", "other_dealer", "other_vehicle", "not_a_dealers"}


@dataclass(frozen=True)
class Row:
    """`may`: roles that are let in. `hidden`: those that are told 404. All others are told 403, and without a key 401."""

    may: frozenset[str]
    hidden: frozenset[str] = frozenset()
    body: Any = None


def reads(*more: str) -> Row:
    return Row(STAFF | set(more))


def moves(body: Any = None) -> Row:
    return Row(MOVERS, body=body)


OPEN = Row(frozenset({*ROLES, NOBODY}))
ITS_ORDER = Row(STAFF | {"dealer", "owner"}, hidden=frozenset({"other_dealer", "other_owner"}))
ITS_HISTORY = Row(STAFF | {"dealer"}, hidden=frozenset({"other_dealer"}))


def moves_its_order(body: Any) -> Row:
    return Row(MOVERS | {"dealer"}, hidden=frozenset({"other_dealer"}), body=body)


TABLE = {
    "GET /api/v1/alerts": reads(),
    "GET /api/v1/alerts/{alert_id}": reads(),
    "POST /api/v1/alerts/{alert_id}/acknowledge": moves(),
    "GET /api/v1/alerts/{alert_id}/evidence": reads(),
    "POST /api/v1/alerts/{alert_id}/label": moves({"verdict": "confirmed"}),
    "GET /api/v1/labels": reads(),
    "POST /api/v1/silences": moves({}),
    "GET /api/v1/silences": reads(),
    "POST /api/v1/silences/{silence_id}/end": moves(),
    "GET /api/v1/orders": Row(STAFF | DEALERS | OWNERS),
    "GET /api/v1/orders/{order_id}": ITS_ORDER,
    "POST /api/v1/orders/{order_id}/transitions": moves_its_order({"event": "accept"}),
    "GET /api/v1/orders/{order_id}/history": ITS_HISTORY,
    "GET /api/v1/orders/{order_id}/slots": ITS_HISTORY,
    "POST /api/v1/orders/{order_id}/outcome": moves_its_order({"result": "no_fault"}),
    "POST /api/v1/orders/{order_id}/quotes": moves_its_order({}),
    "GET /api/v1/orders/{order_id}/quotes": ITS_ORDER,
    "POST /api/v1/orders/{order_id}/quotes/{version}/sign-off": Row(
        MOVERS | {"owner"}, hidden=frozenset({"other_owner"}), body={"accepted": []}
    ),
    "PUT /api/v1/orders/{order_id}/statement": moves_its_order({}),
    "GET /api/v1/orders/{order_id}/statement": ITS_ORDER,
    "POST /api/v1/orders/{order_id}/statement/payments": moves(
        {"payer": "owner", "amount": "1", "provider": "till", "reference": "1"}
    ),
    "POST /api/v1/orders/{order_id}/attachments": moves_its_order("no photo"),
    "GET /api/v1/orders/{order_id}/attachments": ITS_ORDER,
    "GET /api/v1/orders/{order_id}/attachments/{content}": Row(
        STAFF | {"dealer", "owner"}, hidden=frozenset({"other_dealer", "other_owner"})
    ),
    "POST /api/v1/orders/{order_id}/links": moves({"purpose": "track"}),
    "POST /api/v1/callbacks/{dealer_id}": Row(frozenset(), body={}),
    "GET /api/v1/parts/stock": Row(STAFF | DEALERS),
    "PUT /api/v1/parts/stock/{dealer_id}/{part}": Row(MOVERS | {"dealer"}, body={"quantity": 1}),
    "GET /api/v1/parts/forecast": Row(STAFF | DEALERS),
    "GET /api/v1/parts/lots": Row(STAFF | DEALERS),
    "POST /api/v1/parts/lots/{lot_id}/receive": Row(MOVERS | DEALERS),
    "GET /api/v1/rescues": Row(STAFF | DEALERS),
    "POST /api/v1/rescues/{order_id}/confirm": moves({}),
    "POST /api/v1/rescues/{order_id}/progress": moves_its_order({}),
    "GET /api/v1/kpis": Row(STAFF | DEALERS),
    "GET /api/v1/reminders": reads(),
    "GET /api/v1/reminders/{reminder_id}": reads(),
    "POST /api/v1/reminders/{reminder_id}/snooze": moves({"until": "2030-01-01"}),
    "POST /api/v1/reminders/{reminder_id}/decline": moves(),
    "GET /api/v1/tickets": Row(STAFF, hidden=DEALERS),
    "POST /api/v1/tickets": moves({}),
    "POST /api/v1/tickets/{ticket_id}/visit": moves(),
    "POST /api/v1/tickets/{ticket_id}/result": Row(STAFF | DEALERS, body={"result": "reached"}),
    "GET /api/v1/emerging": reads(),
    "GET /api/v1/emerging/{case_id}": reads(),
    "POST /api/v1/emerging/{case_id}/close": moves({}),
    "GET /api/v1/vehicles": reads(),
    "GET /api/v1/vehicles/{vehicle_id}": reads(),
    "GET /api/v1/vehicles/{vehicle_id}/owner": reads(),
    "PUT /api/v1/vehicles/{vehicle_id}/owner": Row(MOVERS | KEEPERS, body={}),
    "POST /api/v1/vehicles/{vehicle_id}/ownership-changes": Row(KEEPERS),
    "POST /api/v1/vehicles/{vehicle_id}/links": moves({"purpose": "book"}),
    "GET /api/v1/vehicles/{vehicle_id}/consents": reads(),
    "POST /api/v1/vehicles/{vehicle_id}/consents": Row(MOVERS | KEEPERS, body={}),
    "GET /api/v1/vehicles/{vehicle_id}/benefits": reads(),
    "POST /api/v1/vehicles/{vehicle_id}/benefits": moves({}),
    "GET /api/v1/segments": reads(),
    "GET /api/v1/campaigns": reads(),
    "POST /api/v1/campaigns": moves({}),
    "GET /api/v1/campaigns/{campaign_id}/preview": reads(),
    "POST /api/v1/campaigns/{campaign_id}/send": moves({"preview": "x"}),
    "GET /api/v1/rules": reads(),
    "GET /api/v1/dealers": reads(),
    "GET /api/v1/dealers/{dealer_id}": reads(),
    "PUT /api/v1/dealers/{dealer_id}": Row(KEEPERS, body={"id": "SH-014", "name_en": "N", "latitude": 31, "longitude": 121}),
    "GET /api/v1/stream": reads(),
    "GET /healthz": OPEN,
    "GET /readyz": OPEN,
    "GET /metrics": OPEN,
}
PLACES = {
    "alert_id": "alert-overheat",
    "order_id": ORDER,
    "vehicle_id": SEDAN,
    "dealer_id": "SH-014",
    "version": "1",
    "part": "PC-PUMP",
}


@pytest.fixture(scope="module")
def web() -> Iterator[Any]:
    with client(store(), keys=KEYS, stopping=lambda: True) as opened:
        yield opened


def ask(web: Any, operation: str, role: str) -> tuple[int, str]:
    """(status, word of the problem) of one operation by one role."""
    method, path = operation.split(" ")
    headers = {"If-Match": '"1"'} | ({} if role == NOBODY else {"X-API-Key": role})
    for name in ("silence_id", "case_id", "lot_id", "reminder_id", "ticket_id", "campaign_id", "content"):
        path = path.replace(f"{{{name}}}", "none")
    answer = web.request(method, path.format(**PLACES), json=TABLE[operation].body, headers=headers)
    is_problem = answer.headers["content-type"].startswith("application/problem")
    return answer.status_code, answer.json()["type"].rpartition(":")[2] if is_problem else ""


def test_every_operation_stands_in_the_table() -> None:
    schema = create_app(store, metrics=lambda: "", clock=lambda: NOW_NS, open_access=True).openapi()
    operations = {f"{method.upper()} {path}" for path, methods in schema["paths"].items() for method in methods}
    assert operations == TABLE.keys(), "say in TABLE who may use a new operation"


@pytest.mark.parametrize("operation", TABLE)
def test_an_operation_lets_in_whom_the_table_names_and_nobody_else(web: Any, operation: str) -> None:
    row = TABLE[operation]
    for role in (NOBODY, *ROLES):
        status, problem = ask(web, operation, role)
        if role in row.may:
            assert (status not in (401, 403), problem in {*NO_ACCESS, "order_unknown"}) == (True, False), (role, status, problem)
            assert status < 500, role
        elif role in row.hidden:
            assert (status, problem) == (404, "order_unknown"), role
        else:
            expected = 401 if role == NOBODY or not row.may else 403
            assert status == expected, (role, status, problem)


def test_a_key_of_old_words_means_what_it_did() -> None:
    keys = {key_hash("reads"): ("read",), key_hash("moves"): ("orders",), key_hash("both"): ("read", "orders")}
    with client(keys=keys) as opened:
        for name, status in (("reads", 403), ("moves", 200), ("both", 409)):
            answer = opened.post("/api/v1/alerts/alert-overheat/acknowledge", headers={"X-API-Key": name})
            assert answer.status_code in (status, 200), name


def test_an_owner_sees_and_lists_its_own_orders_only(web: Any) -> None:
    mine, others = (web.get("/api/v1/orders", headers={"X-API-Key": role}).json()["orders"] for role in ("owner", "other_owner"))
    assert {order["data"]["vehicle"]["id"] for order in mine} == {SEDAN}
    assert others == []
    assert web.get(f"/api/v1/orders?vehicle={SEDAN}", headers={"X-API-Key": "other_owner"}).status_code == 403


def test_who_saw_an_older_version_is_told_so_and_a_key_is_not_for_another_request() -> None:
    path, served = f"/api/v1/orders/{ORDER}/transitions", store()
    with client(served, keys=KEYS) as opened:

        def move(event: str, version: int, key: str) -> int:
            headers = {"X-API-Key": "dealer", "If-Match": f'"{version}"', "Idempotency-Key": key}
            return int(opened.post(path, json={"event": event}, headers=headers).status_code)

        assert move("accept", 1, "a") == 200
        assert move("accept", 1, "a") == 200, "sent again"
        assert move("schedule", 1, "b") == 412, "an older version"
        assert move("schedule", 2, "a") == 422, "the key of another request"
        assert opened.post(path, json={"event": "schedule"}, headers={"X-API-Key": "dealer"}).status_code == 428
    assert served.order(ORDER).version == 2
