"""The tables: columns to ask by, and beside them each record whole as JSON (`storage.record_json`).

`vault` is the only table that holds personal data; every other one knows a vehicle by its pseudonym.
The DDL that is run stands in `storage/migrations/versions`; a test holds both equal.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import TEXT
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

Word = Text().with_variant(TEXT(collation="C"), "postgresql")
"""Ids and names: compared by code point, as Python and SQLite do, so that every database answers in the same order."""


class PrintableText(TypeDecorator[str]):
    """Text that any database takes: what no UTF-8 text may hold (NUL, lone surrogates of odd file names) is written as an escape."""

    impl = Word
    cache_ok = True

    def process_bind_param(self, value: Any | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Escape on the way in."""
        if value is None:
            return None
        return str(value).encode("utf-8", "backslashreplace").decode("utf-8").replace("\x00", "\\x00")


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

meta = Table("meta", metadata, Column("name", Word, primary_key=True), Column("value", Text, nullable=False))

vehicle = Table(
    "vehicle",
    metadata,
    Column("id", Word, primary_key=True),
    Column("brand", Word, nullable=False),
    Column("model", Word, nullable=False),
    Column("year", Integer, nullable=False),
    Column("profile", Word, nullable=False),
    Column("document", Text, nullable=False),
)

vault = Table(
    "vault",
    metadata,
    Column("vehicle", Word, ForeignKey("vehicle.id"), primary_key=True),
    Column("vin", Word, nullable=False),
    Column("owner_name", Word, nullable=False),
    Column("owner_phone", Word, nullable=False),
    Column("owner_email", Word, nullable=False),
)

device = Table(
    "device",
    metadata,
    Column("id", Word, primary_key=True),
    Column("vehicle", Word, ForeignKey("vehicle.id"), nullable=False, index=True),
)
"""Pseudonym of a device id -> vehicle."""

dealer = Table("dealer", metadata, Column("id", Word, primary_key=True), Column("document", Text, nullable=False))

alert = Table(
    "alert",
    metadata,
    Column("id", Word, primary_key=True),
    Column("vehicle", Word, nullable=False),
    Column("incident_id", Word, nullable=False, index=True),
    Column("state", Word, nullable=False),
    Column("severity", Word, nullable=False),
    Column("urgency", Integer, nullable=False),
    Column("source_id", Word, nullable=False),
    Column("opened_ns", BigInteger, nullable=False),
    Column("updated_ns", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    Index(None, "vehicle", "opened_ns", "id"),
    Index(None, "state", "opened_ns"),
)

recommendation = Table(
    "recommendation",
    metadata,
    Column("incident_id", Word, primary_key=True),
    Column("vehicle", Word, nullable=False, index=True),
    Column("urgency", Integer, nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
)

service_order = Table(
    "service_order",
    metadata,
    Column("id", Word, primary_key=True),
    Column("vehicle", Word, nullable=False),
    Column("kind", Word, nullable=False),
    Column("state", Word, nullable=False),
    Column("version", Integer, nullable=False),
    Column("dealer", Word, nullable=False, index=True),
    Column("created_ns", BigInteger, nullable=False),
    Column("updated_ns", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    Index(None, "vehicle", "created_ns", "id"),
    Index(None, "state", "created_ns"),
)

order_history = Table(
    "order_history",
    metadata,
    Column("order_id", Word, ForeignKey("service_order.id"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("state", Word, nullable=False),
    Column("time_ns", BigInteger, nullable=False),
)

order_audit = Table(
    "order_audit",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("order", Word, nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("event", Word, nullable=False),
    Column("actor", Word, nullable=False),
    Column("reason", Word, nullable=False),
    Column("came_from", Word, nullable=False),
    Column("state", Word, nullable=False),
    Column("dealer", Word, nullable=False),
    Column("content", Word, nullable=False),
    Column("hash", Word, nullable=False),
)

answered_request = Table(
    "answered_request",
    metadata,
    Column("caller", Word, primary_key=True),
    Column("key", Word, primary_key=True),
    Column("content", Word, nullable=False),
    Column("order", Word, nullable=False),
    Column("time_ns", BigInteger, nullable=False, index=True),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Word, primary_key=True),
    Column("type", Word, nullable=False),
    Column("subject", Word, nullable=False, index=True),
    Column("recipient", Word, nullable=False),
    Column("channel", Word, nullable=False),
    Column("body", PrintableText, nullable=False),
    Column("due_ns", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("state", Word, nullable=False),
    Column("last_error", PrintableText, nullable=False),
    Column("critical", Boolean, nullable=False, server_default=false()),
    Column("created_ns", BigInteger, nullable=False, server_default=text("0")),
    Column("version", BigInteger, nullable=False, server_default=text("0")),
    Index(None, "state", "due_ns", "id"),
)

delivery_attempt = Table(
    "delivery_attempt",
    metadata,
    Column("event", Word, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("time_ns", BigInteger, nullable=False),
    Column("state", Word, nullable=False),
    Column("error", PrintableText, nullable=False),
)

vehicle_state = Table(
    "vehicle_state",
    metadata,
    Column("vehicle", Word, primary_key=True),
    Column("stage", Word, primary_key=True),
    Column("version", Word, nullable=False),
    Column("state", LargeBinary, nullable=False),
)

seen_sequence = Table(
    "seen_sequence",
    metadata,
    Column("vehicle", Word, primary_key=True),
    Column("boot_session", BigInteger, primary_key=True),
    Column("document", Text, nullable=False),
)

drive_progress = Table(
    "drive_progress",
    metadata,
    Column("drive", PrintableText, primary_key=True),
    Column("vehicle", Word, nullable=False),
    Column("frames", BigInteger, nullable=False),
    Column("signals", BigInteger, nullable=False),
    Column("dtcs", BigInteger, nullable=False),
    Column("dead_letters", BigInteger, nullable=False),
    Column("finished", Boolean, nullable=False),
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("id", Word, primary_key=True),
    Column("origin", PrintableText, nullable=False),
    Column("position", BigInteger, nullable=False),
    Column("reason", PrintableText, nullable=False),
    Column("detail", PrintableText, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("vehicle", Word, nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("created_ns", BigInteger, nullable=False, index=True, server_default=text("0")),
    Index(None, "origin", "position"),
)

event = Table(
    "event",
    metadata,
    # SQLite numbers rows by itself only in a column declared INTEGER
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("time_ns", BigInteger, nullable=False, index=True),
    Column("kind", Word, nullable=False),
    Column("subject", Word, nullable=False, index=True),
    Column("vehicle", Word, nullable=False),
    Column("body", PrintableText, nullable=False),
    sqlite_autoincrement=True,
)

vehicle_sighting = Table(
    "vehicle_sighting",
    metadata,
    Column("vehicle", Word, primary_key=True),
    Column("event_ns", BigInteger, nullable=False),
    Column("received_ns", BigInteger, nullable=False, index=True),
    Column("latitude", Double, nullable=True),
    Column("longitude", Double, nullable=True),
)

figures = Table("figures", metadata, Column("name", Word, primary_key=True), Column("document", Text, nullable=False))

api_key = Table(
    "api_key",
    metadata,
    Column("hash", Word, primary_key=True),
    Column("name", Word, nullable=False),
    Column("document", Text, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
)

silence = Table(
    "silence",
    metadata,
    Column("id", Word, primary_key=True),
    Column("ends_ns", BigInteger, nullable=False, index=True),
    Column("document", Text, nullable=False),
)

alert_label = Table(
    "alert_label",
    metadata,
    Column("alert", Word, primary_key=True),
    Column("created_ns", BigInteger, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
)

repair_outcome = Table(
    "repair_outcome",
    metadata,
    Column("order_id", Word, primary_key=True),
    Column("created_ns", BigInteger, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
)

consent = Table(
    "consent",
    metadata,
    Column("vehicle", Word, primary_key=True),
    Column("purpose", Word, primary_key=True),
    Column("channel", Word, primary_key=True),
    Column("time_ns", BigInteger, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
)

paper = Table(
    "paper",
    metadata,
    Column("kind", Word, primary_key=True),
    Column("id", Word, primary_key=True),
    Column("order", Word, nullable=False),
    Column("vehicle", Word, nullable=False),
    Column("state", Word, nullable=False),
    Column("due_ns", BigInteger, nullable=False),
    Column("created_ns", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    Index(None, "kind", "order"),
    Index(None, "kind", "vehicle"),
    Index(None, "kind", "state", "due_ns"),
)

care_enrolment = Table(
    "care_enrolment", metadata, Column("vehicle", Word, primary_key=True), Column("document", Text, nullable=False)
)

care_state = Table(
    "care_state",
    metadata,
    Column("vehicle", Word, primary_key=True),
    Column("day", Integer, nullable=False),
    Column("document", Text, nullable=False),
)

daily_usage = Table(
    "daily_usage",
    metadata,
    Column("vehicle", Word, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("document", Text, nullable=False),
)

care_completion = Table(
    "care_completion",
    metadata,
    Column("id", Word, primary_key=True),
    Column("vehicle", Word, nullable=False),
    Column("day", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Index(None, "vehicle", "day"),
)

reminder = Table(
    "reminder",
    metadata,
    Column("id", Word, primary_key=True),
    Column("vehicle", Word, nullable=False),
    Column("item", Word, nullable=False),
    Column("state", Word, nullable=False),
    Column("opened_day", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Index(None, "vehicle", "opened_day", "id"),
    Index(None, "state", "opened_day"),
)

model_version = Table(
    "model_version",
    metadata,
    Column("id", Word, primary_key=True),
    Column("name", Word, nullable=False, index=True),
    Column("stage", Word, nullable=False),
    Column("document", Text, nullable=False),
)

model_report = Table(
    "model_report",
    metadata,
    Column("model", Word, primary_key=True),
    Column("kind", Word, primary_key=True),
    Column("time_ns", BigInteger, primary_key=True, autoincrement=False),
    Column("document", Text, nullable=False),
)

risk_assessment = Table(
    "risk_assessment",
    metadata,
    Column("vehicle", Word, primary_key=True),
    Column("model", Word, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("probability", Double, nullable=False),
    Column("document", Text, nullable=False),
    Index(None, "model", "day"),
    Index(None, "day"),
)

emerging_case = Table(
    "emerging_case",
    metadata,
    Column("id", Word, primary_key=True),
    Column("state", Word, nullable=False),
    Column("opened_ns", BigInteger, nullable=False, index=True),
    Column("document", Text, nullable=False),
)

part_stock = Table(
    "part_stock",
    metadata,
    Column("dealer", Word, primary_key=True),
    Column("part", Word, primary_key=True),
    Column("quantity", Integer, nullable=False),
    Column("reserved", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Index(None, "part", "dealer"),
)

part_lot = Table(
    "part_lot",
    metadata,
    Column("id", Word, primary_key=True),
    Column("order_id", Word, nullable=False, index=True),
    Column("dealer", Word, nullable=False),
    Column("state", Word, nullable=False),
    Column("eta_ns", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    Index(None, "state", "eta_ns"),
    Index(None, "dealer", "state"),
)
