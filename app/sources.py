"""The foreign sources that the settings name, ready to read messages."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from domain.fleet import pseudonym
from ingest.wire.names import NameTable, shipped_names
from ingest.wire.sources import Resolve, Source, Sources, own_sources, source_of

if TYPE_CHECKING:
    from app.settings_file import ServiceSettings, SourceSection

VINS_REMEMBERED = 1 << 18
REFRESH_NS = 10_000_000_000


def build_sources(settings: ServiceSettings, vehicle_of_device: Resolve, clock: Callable[[], int]) -> Sources:
    """Our own topics and every `[[sources]]`.

    Raises:
        InputError: a name table or manifest is not valid.
    """
    named = [_source(section) for section in settings.sources]
    return Sources(
        [*own_sources(settings.broker.topic_prefix), *named],
        pseudonym_of=pseudonyms(settings.common.pseudonym_key),
        vehicle_of_device=Registrations(vehicle_of_device, clock),
    )


@functools.cache
def pseudonyms(key: bytes) -> Callable[[str], str]:
    """VIN or device id -> pseudonym, remembering those it has met."""
    return functools.lru_cache(maxsize=VINS_REMEMBERED)(functools.partial(pseudonym, key))


def _source(section: SourceSection) -> Source:
    names, signals = shipped_names(section.format), {}
    if section.manifest is not None:
        from ingest.wire.fleetwise_manifest import obd_names, read_manifest

        signals = dict(read_manifest(section.manifest))
        names = NameTable({**obd_names().meanings, **names.meanings})
    if section.names is not None:
        names = names.extended(section.names)
    return source_of(
        section.format,
        section.topic,
        names=names,
        signals=signals,
        devices=section.devices,
        buses=section.buses,
        trust_vin=section.trust_vin,
    )


class Registrations:
    """Asks the store for a device and remembers the answer for ten seconds, so that one registered later is picked up."""

    MOST = 1 << 18

    def __init__(self, ask: Resolve, clock: Callable[[], int]) -> None:
        self._ask, self._clock = ask, clock
        self._known: dict[str, tuple[int, str | None]] = {}

    def __call__(self, device: str) -> str | None:
        """The vehicle of a device's pseudonym."""
        found, now_ns = self._known.get(device), self._clock()
        if found is None or now_ns >= found[0]:
            if len(self._known) >= self.MOST:
                self._known.clear()
            found = self._known[device] = (now_ns + REFRESH_NS, self._ask(device))
        return found[1]
