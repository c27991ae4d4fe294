"""A database of an earlier schema is upgraded when it is opened, with what is in it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, make_url, text

from storage.database import key_fingerprint, open_store
from storage.record_json import to_json
from tests.storage import examples
from tests.storage.databases import fresh_url
from tests.storage.examples import CAR, KEY

ROOT = Path(__file__).parents[2]


def make_first_schema(url: str) -> None:
    """A database as the first released schema made it, written by plain SQL: an order, an alert and two pushes."""
    driver = "postgresql+psycopg" if url.startswith("postgresql") else "sqlite"
    engine = create_engine(make_url(url).set(drivername=driver))
    config = Config()
    config.set_main_option("script_location", str(ROOT / "storage" / "migrations"))
    config.set_main_option("path_separator", "newline")
    order, alert = examples.order(), examples.alert()
    old_order = json.loads(to_json(order))
    del old_order["people_version"]
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        fingerprint = {"value": key_fingerprint(KEY)}
        connection.execute(text("INSERT INTO meta (name, value) VALUES ('key_fingerprint', :value)"), fingerprint)
        connection.execute(
            text(
                "INSERT INTO service_order (id, vehicle, kind, state, version, dealer, created_ns, updated_ns, document) "
                "VALUES ('order-1', :car, 'rescue', 'offered', 1, 'SH-001', :created, :created, :document)"
            ),
            {"car": CAR, "created": order.created_ns, "document": json.dumps(old_order)},
        )
        connection.execute(text("INSERT INTO order_history VALUES ('order-1', 1, 'offered', 5)"))
        connection.execute(
            text(
                "INSERT INTO alert (id, vehicle, incident_id, state, severity, urgency, source_id, opened_ns, updated_ns, document) "
                "VALUES ('alert-1', :car, 'i', 'open', 'critical', 4, 's', :opened, :opened, :document)"
            ),
            {"car": CAR, "opened": alert.opened_ns, "document": to_json(alert)},
        )
        for name, priority in (("calm", "P2"), ("urgent", "P0")):
            body = json.dumps({"data": {"priority": priority, "version": 3}})
            connection.execute(
                text("INSERT INTO outbox VALUES (:id, 't', 'order-1', 'SH-001', 'webhook', :body, 0, 0, 'pending', '')"),
                {"id": name, "body": body},
            )
        old_dealer = json.loads(to_json(examples.dealer()))
        connection.execute(text("INSERT INTO dealer VALUES ('SH-001', :document)"), {"document": json.dumps(old_dealer)})
        connection.execute(text("INSERT INTO outbox VALUES ('odd', 't', 'order-1', 'x', 'log', 'no JSON', 0, 0, 'pending', '')"))
    engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_of_the_first_schema_is_upgraded_with_what_is_in_it(kind: str, tmp_path: Path) -> None:
    url = fresh_url(kind, tmp_path)
    make_first_schema(url)
    for _ in range(2):
        with open_store(url, key=KEY) as store:
            assert store.case(CAR).orders == (examples.order(),)
            assert store.case(CAR).alerts == (examples.alert(),)
            assert store.order_states("order-1") == ((1, "offered"),)
            assert {event.id: event.version for event in store.outbox_events()} == {"calm": 3, "urgent": 3, "odd": 0}
            assert store.dealers() == (examples.dealer(),)
            assert [(level.part, level.quantity, level.version) for level in store.stock()] == [("THERMOSTAT-88C", 3, 1)]
            assert (store.events(0, 10), store.figures()) == ((), {})
            assert (store.model_versions(), store.assessments(), store.emerging_cases()) == ((), (), ())
    with open_store(url, key=KEY) as store:
        assert [event.id for event in store.claim_due(0, 1, until_ns=9)] == ["urgent"]
        assert store.change_order(examples.order(version=2, state="accepted"), 1)
        assert [event.subject for event in store.events(0, 10)] == ["order-1"]


def test_the_first_schema_stays_as_it_was_released(tmp_path: Path) -> None:
    make_first_schema(f"sqlite:///{tmp_path / 'a.db'}")
    with sqlite3.connect(tmp_path / "a.db") as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        columns = {row[1] for row in connection.execute("PRAGMA table_info(outbox)")}
    connection.close()
    assert "event" not in tables
    assert "critical" not in columns
