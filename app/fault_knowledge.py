"""The fault knowledge as the settings name it: the shipped one, and what a maker adds in a folder of its own."""

from __future__ import annotations

from pathlib import Path

from app.settings import Settings, read_settings
from domain.errors import InputError
from domain.fleet import Vehicle, pseudonym
from domain.records import VehicleCase
from dtc_knowledge.diagnosis import FaultKnowledge
from dtc_knowledge.graph import load_knowledge


def fault_knowledge(extra: Path | None = None, settings: Settings | None = None) -> FaultKnowledge:
    """The shipped knowledge with that of `extra`, or else of the folder that the settings (without any: the environment) name.

    Raises:
        InputError: the folder is none, or a file in it is not valid.
    """
    settings = settings or read_settings()
    return load_knowledge(extra=extra or settings.knowledge, region=settings.region)


def of_maker(knowledge: FaultKnowledge, maker: str) -> FaultKnowledge:
    """The knowledge with the names that a maker gives to the codes of its own range.

    Raises:
        InputError: no table names this maker.
    """
    makers = knowledge.codes.makers
    if maker.lower() not in makers:
        known = ", ".join(sorted(makers)) or "none; put codes/makers/MAKER.csv in a folder and name it with --knowledge"
        raise InputError(f"no table of codes for maker {maker!r}", mend=f"makers with a table: {known}")
    return knowledge.of_maker(maker)


def stored_case(vin: str, database: str | None) -> tuple[Vehicle, VehicleCase]:
    """The car with this VIN, and all that the database knows of it.

    Raises:
        InputError: no database is named, or the car is not in it.
    """
    from app.stores import open_database

    settings = read_settings()
    with open_database(database, settings) as store:
        name = pseudonym(settings.pseudonym_key, vin.strip().upper())
        vehicle = store.vehicle(name)
        if vehicle is None:
            raise InputError(
                "no car with this VIN is registered", mend="pitcall vehicles import FILE.csv, or check the VIN and the key"
            )
        return vehicle, store.case(name)
