"""`pitcall dealers import`."""

from __future__ import annotations

from pathlib import Path

import click

from app.options import DATABASE, FILE


@click.group()
def command() -> None:
    """The dealer table of a database."""


@command.command("import")
@click.argument("file", type=FILE)
@DATABASE
def import_(file: Path, database: str | None) -> None:
    """Add or replace dealers from FILE (CSV)."""
    from app.settings import read_settings
    from app.stores import open_database
    from notifier.dealers.fleet_files import read_dealers

    dealers = read_dealers(file)
    with open_database(database, read_settings()) as store:
        store.save_dealers(dealers)
    click.echo(f"{len(dealers)} dealers imported")
