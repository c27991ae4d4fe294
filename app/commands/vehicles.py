"""`pitcall vehicles import`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from app.options import DATABASE, FILE


@click.group()
def command() -> None:
    """The vehicle table of a database."""


@command.command("import")
@click.argument("file", type=FILE)
@DATABASE
def import_(file: Path, database: str | None) -> None:
    """Add or replace vehicles and their owners from FILE (CSV).

    Profiles named by file are taken relative to FILE. VINs and owners go to the vault table; everywhere else a vehicle is its keyed pseudonym.
    """
    from app.fleet import profile_in
    from app.settings import read_settings
    from app.stores import open_database
    from notifier.dealers.fleet_files import read_vehicles

    settings = read_settings()
    vehicles = [
        (replace(vehicle, profile=profile_in(vehicle.profile, file.resolve().parent)), entry)
        for vehicle, entry in read_vehicles(file, settings.pseudonym_key)
    ]
    with open_database(database, settings) as store:
        store.register(vehicles)
    click.echo(f"{len(vehicles)} vehicles imported")
