"""What the line asks of a vehicle: how to decode it and what drives it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from domain.fleet import Vehicle
from ingest.profiles import Profile

log = logging.getLogger(__name__)

GENERIC_NAME = ""
"""Profile name of a vehicle that names none, or that nobody has registered."""
REFRESH_NS = 10_000_000_000


class VehicleDirectory(Protocol):
    """Answers for every vehicle; an unknown one is decoded by the generic profile."""

    def vehicle(self, vehicle: str) -> Vehicle:
        """What is known of it: nothing but its id where it is not registered."""

    def profile_of(self, vehicle: str) -> str:
        """Name of the decode profile, one of those that are loaded."""

    def powertrain_of(self, vehicle: str) -> str:
        """Powertrain, "" where unknown."""


class VehicleTable:
    """A fixed list of vehicles."""

    def __init__(self, vehicles: Iterable[Vehicle], profiles: Mapping[str, Profile]) -> None:
        self._vehicles: dict[str, Vehicle] = {}
        self._profiles, self._powertrains = {}, {}
        for vehicle in vehicles:
            self._vehicles[vehicle.id] = vehicle
            self._profiles[vehicle.id] = vehicle.profile
            self._powertrains[vehicle.id] = vehicle.powertrain or profiles[vehicle.profile].powertrain

    def vehicle(self, vehicle: str) -> Vehicle:
        """As listed."""
        return self._vehicles.get(vehicle, Vehicle(id=vehicle))

    def profile_of(self, vehicle: str) -> str:
        """As listed."""
        return self._profiles.get(vehicle, GENERIC_NAME)

    def powertrain_of(self, vehicle: str) -> str:
        """As listed, else its profile's."""
        return self._powertrains.get(vehicle, "")


class StoredVehicles:
    """The vehicles of a store, looked up as they come and again every ten seconds, so that one registered later is picked up.

    A profile that was not there when the process started cannot be decoded by until it starts again; the vehicle is generic so long.
    """

    def __init__(
        self, vehicle: Callable[[str], Vehicle | None], profiles: Mapping[str, Profile], clock: Callable[[], int]
    ) -> None:
        self._vehicle, self._profiles, self._clock = vehicle, profiles, clock
        self._known: dict[str, tuple[int, Vehicle, str, str]] = {}
        self._missing: set[str] = set()

    def vehicle(self, vehicle: str) -> Vehicle:
        """As registered."""
        return self._look_up(vehicle)[1]

    def profile_of(self, vehicle: str) -> str:
        """As registered."""
        return self._look_up(vehicle)[2]

    def powertrain_of(self, vehicle: str) -> str:
        """As registered, else its profile's."""
        return self._look_up(vehicle)[3]

    def _look_up(self, name: str) -> tuple[int, Vehicle, str, str]:
        found = self._known.get(name)
        if found is None or self._clock() >= found[0]:
            found = self._known[name] = self._read(name)
        return found

    def _read(self, name: str) -> tuple[int, Vehicle, str, str]:
        vehicle = self._vehicle(name) or Vehicle(id=name)
        profile = vehicle.profile if vehicle.profile in self._profiles else GENERIC_NAME
        if profile != vehicle.profile and vehicle.profile not in self._missing:
            self._missing.add(vehicle.profile)
            log.warning(
                "profile %s is not loaded: restart to use it; its vehicles are decoded by the generic one", vehicle.profile
            )
        return self._clock() + REFRESH_NS, vehicle, profile, vehicle.powertrain or self._profiles[profile].powertrain
