"""What owners agreed to, in the database."""

from __future__ import annotations

from collections.abc import Iterable

from domain.consents import Consent
from storage import schema
from storage.record_json import to_json
from storage.sql_base import SqlBase, insert_absent, transaction


class SqlConsents(SqlBase):
    """Statements are only ever added, so that it can be shown who agreed to what, and when."""

    def add_consents(self, consents: Iterable[Consent]) -> None:
        """Add statements; doing it again changes nothing."""
        rows = [consent_row(each) for each in consents]
        with transaction(self._writes) as connection:
            insert_absent(connection, schema.consent, rows)

    def consents(self, vehicle: str) -> tuple[Consent, ...]:
        """All statements for one vehicle, by (time_ns, purpose, channel)."""
        table = schema.consent.c
        order = (table.time_ns, table.purpose, table.channel)
        return self._documents(schema.consent, Consent, table.vehicle == vehicle, order=order)


def consent_row(consent: Consent) -> dict[str, object]:
    """The row of one statement."""
    return {
        "vehicle": consent.vehicle,
        "purpose": consent.purpose.value,
        "channel": consent.channel.value,
        "time_ns": consent.time_ns,
        "document": to_json(consent),
    }
