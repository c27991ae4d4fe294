"""Silences, labels and outcomes of repairs in the database: what people say of alerts and orders."""

from __future__ import annotations

from domain.repairs import RepairOutcome
from domain.silences import AlertLabel, Silence
from storage import schema
from storage.record_json import to_json
from storage.sql_base import SqlBase, first, insert_absent, replace_rows, transaction


class SqlVerdicts(SqlBase):
    """Nothing of it is ever deleted, so that it can be looked up who said what."""

    def save_silence(self, silence: Silence) -> None:
        """Add a silence, or put one that was ended early in its place."""
        row = {"id": silence.id, "ends_ns": silence.ends_ns, "document": to_json(silence)}
        with transaction(self._writes) as connection:
            replace_rows(connection, schema.silence, [row])

    def silence(self, identifier: str) -> Silence | None:
        """One silence."""
        return first(self._documents(schema.silence, Silence, schema.silence.c.id == identifier))

    def silences(self, *, ending_after_ns: int | None = None) -> tuple[Silence, ...]:
        """Silences by (ends_ns, id): all, or those that end after this time."""
        table = schema.silence.c
        wanted = () if ending_after_ns is None else (table.ends_ns > ending_after_ns,)
        return self._documents(schema.silence, Silence, *wanted, order=(table.ends_ns, table.id))

    def label_alert(self, label: AlertLabel) -> None:
        """Add a verdict on an alert; doing it again changes nothing."""
        row = {"alert": label.alert, "created_ns": label.created_ns, "document": to_json(label)}
        with transaction(self._writes) as connection:
            insert_absent(connection, schema.alert_label, [row])

    def labels(self, alert: str | None = None) -> tuple[AlertLabel, ...]:
        """Verdicts by (alert, created_ns): all, or those on one alert."""
        table = schema.alert_label.c
        wanted = () if alert is None else (table.alert == alert,)
        return self._documents(schema.alert_label, AlertLabel, *wanted, order=(table.alert, table.created_ns))

    def save_outcome(self, outcome: RepairOutcome) -> None:
        """Add what a repair found; doing it again changes nothing."""
        row = {"order_id": outcome.order, "created_ns": outcome.created_ns, "document": to_json(outcome)}
        with transaction(self._writes) as connection:
            insert_absent(connection, schema.repair_outcome, [row])

    def outcomes(self) -> tuple[RepairOutcome, ...]:
        """What all repairs found, by (order, created_ns)."""
        table = schema.repair_outcome.c
        return self._documents(schema.repair_outcome, RepairOutcome, order=(table.order_id, table.created_ns))
