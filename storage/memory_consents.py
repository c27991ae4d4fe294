"""What owners agreed to, in dictionaries: the same as `storage.sql_consents.SqlConsents`."""

from __future__ import annotations

from collections.abc import Iterable

from domain.consents import Consent


class MemoryConsents:
    """Statements are only ever added."""

    def __init__(self) -> None:
        self._consents: dict[str, dict[tuple[int, str, str], Consent]] = {}

    def add_consents(self, consents: Iterable[Consent]) -> None:
        """Add statements; doing it again changes nothing."""
        for each in consents:
            own = self._consents.setdefault(each.vehicle, {})
            own.setdefault((each.time_ns, each.purpose.value, each.channel.value), each)

    def consents(self, vehicle: str) -> tuple[Consent, ...]:
        """All statements for one vehicle, by (time_ns, purpose, channel)."""
        own = self._consents.get(vehicle, {})
        return tuple(own[key] for key in sorted(own))
