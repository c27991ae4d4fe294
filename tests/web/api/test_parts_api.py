"""`/api/v1/parts`: stock is counted by version, lots are listed and received, dealers see their own."""

from __future__ import annotations

from domain.fleet import VaultEntry, Vehicle
from domain.records import Commit, VehicleCase
from notifier.parts.desk import StockDesk
from notifier.parts.supply import DAY_NS
from storage.memory_store import MemoryStore
from tests.notifier.builders import SHANGHAI
from tests.notifier.parts.making import SUPPLY, order_for, shop
from tests.notifier.parts.test_demand import risk
from tests.web.serving import NOW_NS, client
from web.api.access import key_hash


def served() -> MemoryStore:
    store = MemoryStore(desk=StockDesk(supply=SUPPLY), clock=lambda: 1)
    store.save_dealers([shop("here", 0, PUMP=1), shop("near", 40, PUMP=1)])
    store.commit(Commit(cases=(VehicleCase(vehicle="v1", orders=(order_for({"PUMP": 2}, state="on_hold"),)),)))
    return store


def test_stock_is_listed_and_a_count_needs_the_version_that_was_seen() -> None:
    with client(served()) as web:
        (level,) = web.get("/api/v1/parts/stock?dealer=here").json()["stock"]
        assert level == {"dealer": "here", "part": "PUMP", "quantity": 1, "reserved": 1, "available": 0, "version": 2}
        url = "/api/v1/parts/stock/here/PUMP"
        assert web.put(url, json={"quantity": 5}).status_code == 428
        stale = web.put(url, json={"quantity": 5}, headers={"If-Match": '"1"'})
        assert (stale.status_code, stale.json()["version"]) == (412, 2)
        counted = web.put(url, json={"quantity": 5}, headers={"If-Match": '"2"'})
        assert (counted.json()["available"], counted.headers["ETag"]) == (4, '"3"')
        new = web.put("/api/v1/parts/stock/here/HOSE", json={"quantity": 2}, headers={"If-Match": "0"})
        assert (new.status_code, new.json()["version"]) == (200, 1)
        assert web.put("/api/v1/parts/stock/nobody/X", json={"quantity": 1}, headers={"If-Match": "0"}).status_code == 404


def test_a_lot_that_comes_is_received_once_and_its_order_goes_on() -> None:
    store = served()
    with client(store) as web:
        lots = web.get("/api/v1/parts/lots?order=order-1").json()["lots"]
        assert [(lot["state"], lot["source"], lot["late"]) for lot in lots] == [
            ("reserved", "here", False),
            ("in_transfer", "near", True),
        ]
        url = f"/api/v1/parts/lots/{lots[1]['id']}/receive"
        assert web.post(url).json()["state"] == "reserved"
        again = web.post(url)
        assert (again.status_code, again.json()["state"]) == (409, "reserved")
        assert web.post("/api/v1/parts/lots/none/receive").status_code == 404
        assert web.get("/api/v1/parts/lots?state=in_transfer").json() == {"lots": [], "next_offset": None}


def test_a_dealers_key_sees_and_changes_its_own_parts_only() -> None:
    keys = {key_hash("near"): ["dealer:near"], key_hash("look"): ["read"]}
    store = served()
    (coming,) = (lot for lot in store.part_lots() if lot.source == "near")
    with client(store, keys=keys, headers={"X-API-Key": "near"}) as web:
        assert [level["dealer"] for level in web.get("/api/v1/parts/stock").json()["stock"]] == ["near"]
        assert web.get("/api/v1/parts/lots").json()["lots"] == []
        assert web.get("/api/v1/parts/stock?dealer=here").status_code == 403
        assert web.put("/api/v1/parts/stock/here/PUMP", json={"quantity": 1}, headers={"If-Match": "2"}).status_code == 403
        assert web.post(f"/api/v1/parts/lots/{coming.id}/receive").status_code == 404
    with client(store, keys=keys, headers={"X-API-Key": "look"}) as web:
        assert len(web.get("/api/v1/parts/stock").json()["stock"]) == 2
        assert web.put("/api/v1/parts/stock/here/PUMP", json={"quantity": 1}, headers={"If-Match": "2"}).status_code == 403


def test_the_forecast_tells_what_will_be_needed_and_a_dealer_its_own() -> None:
    store = served()
    store.register([(Vehicle(id="v1", home=SHANGHAI, chosen_dealer="near"), VaultEntry(vehicle="v1", vin="V"))])
    store.save_assessments([risk("v1", 0.5, day=NOW_NS // DAY_NS)])
    keys = {key_hash("near"): ["dealer:near"], key_hash("here"): ["dealer:here"], key_hash("look"): ["read"]}
    with client(store, keys=keys) as web:
        told = web.get("/api/v1/parts/forecast?days=30&level=0.8", headers={"X-API-Key": "look"}).json()
        assert (told["days"], told["level"]) == (30, 0.8)
        assert {(each["dealer"], each["part"], each["expected"], each["high"]) for each in told["demand"]} == {
            ("near", "PC-COOLANT", 0.5, 1),
            ("near", "PC-WATER-PUMP", 0.5, 1),
        }
        assert web.get("/api/v1/parts/forecast", headers={"X-API-Key": "near"}).json()["demand"] != []
        assert web.get("/api/v1/parts/forecast", headers={"X-API-Key": "here"}).json()["demand"] == []
        assert web.get("/api/v1/parts/forecast?days=0", headers={"X-API-Key": "look"}).status_code == 422
