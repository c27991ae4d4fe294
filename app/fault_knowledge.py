"""The fault knowledge as the settings name it: the shipped one, and what a maker adds in a folder of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from app.settings import Settings, read_settings
from domain.care import Reading
from domain.errors import InputError
from domain.fleet import Vehicle, pseudonym
from domain.records import VehicleCase
from domain.repairs import cause_counts
from dtc_knowledge.diagnosis import FaultKnowledge
from dtc_knowledge.loading import load_knowledge
from dtc_knowledge.maintenance import MaintenancePlans, shipped_plans, shipped_readings, verify


def fault_knowledge(extra: Path | None = None, settings: Settings | None = None) -> FaultKnowledge:
    """The shipped knowledge with that of `extra`, or else of the folder that the settings (without any: the environment) name.

    Raises:
        InputError: the folder is none, or a file in it is not valid.
    """
    settings = settings or read_settings()
    return load_knowledge(extra=extra or settings.knowledge, region=settings.region)


def maintenance_plans(
    knowledge: FaultKnowledge, extra: Path | None = None, settings: Settings | None = None, further: Sequence[Path] = ()
) -> MaintenancePlans:
    """The shipped maintenance plans, those in `maintenance/` of the same folder, and those of further folders, checked against the knowledge.

    Raises:
        InputError: a file is not valid.
    """
    folder = extra or (settings or read_settings()).knowledge
    plans = shipped_plans([*_own_plans(folder), *further])
    verify(plans, knowledge.files.operations, knowledge.files.parts)
    return replace(plans, offers=knowledge.files.offers)


def condition_readings(settings: Settings | None = None) -> tuple[Reading, ...]:
    """The signals that tell of the condition of parts: the shipped ones and those of the maker's folder.

    Raises:
        InputError: a file is not valid.
    """
    return shipped_readings(_own_plans((settings or read_settings()).knowledge))


def _own_plans(folder: Path | None) -> list[Path]:
    return [folder / "maintenance"] if folder is not None and (folder / "maintenance").is_dir() else []


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


def stored_case(vin: str, database: str | None, knowledge: FaultKnowledge) -> tuple[Vehicle, VehicleCase, FaultKnowledge]:
    """The car with this VIN, all that the database knows of it, and the knowledge as the repairs reported there have moved it.

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
        return vehicle, store.case(name), knowledge.calibrated(cause_counts(store.outcomes()))
