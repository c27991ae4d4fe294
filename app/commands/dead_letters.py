"""`pitcall dead-letters list|show|replay`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from app.options import DATABASE, FILE, JSON
from app.output import print_json, say
from domain.errors import InputError


@click.group()
def command() -> None:
    """Lines and frames that could not be used: nothing is dropped in silence."""


@command.command("list")
@DATABASE
@JSON
def list_(database: str | None, as_json: bool) -> None:
    """List dead letters with their reason and place."""
    from app.settings import read_settings
    from app.stores import open_database

    with open_database(database, read_settings()) as store:
        letters = store.dead_letters()
    if as_json:
        rows = [
            {"id": x.id, "origin": x.origin, "position": x.position, "reason": x.reason, "detail": x.detail, "vehicle": x.vehicle}
            for x in letters
        ]
        print_json(rows)
        return
    for letter in letters:
        click.echo(f"{letter.id}  {letter.origin}:{letter.position}  {letter.reason}: {letter.detail}")
    say(", ".join(f"{count} {reason}" for reason, count in Counter(x.reason for x in letters).items()) or "no dead letters")


@command.command()
@click.argument("identifier", metavar="ID")
@DATABASE
def show(identifier: str, database: str | None) -> None:
    """Print one dead letter whole."""
    from app.settings import read_settings
    from app.stores import open_database

    with open_database(database, read_settings()) as store:
        letter = store.dead_letter(identifier)
    if letter is None:
        raise InputError(f"there is no dead letter {identifier}", mend="`pitcall dead-letters list` names them")
    for name in ("id", "origin", "position", "reason", "detail", "vehicle", "time_ns"):
        click.echo(f"{name:9} {getattr(letter, name)}")
    click.echo(f"content   {letter.content!r}")


@command.command()
@click.argument("identifiers", metavar="[ID]...", nargs=-1)
@click.option("--config", type=FILE, metavar="FILE", help="Settings of the service: its [[sources]] and its database.")
@DATABASE
def replay(identifiers: tuple[str, ...], config: Path | None, database: str | None) -> None:
    """Try dead letters again (all of them without ID): those that can be read now are evaluated and leave the list.

    Messages of devices that have been registered meanwhile need the settings that say where they came from.
    """
    import time

    from app.dead_letters import replay_letters
    from app.fault_knowledge import fault_knowledge
    from app.settings import read_settings
    from app.settings_file import load_settings
    from app.sources import build_sources
    from app.stores import open_database

    service = load_settings(config)
    settings = service.common if config else read_settings()
    with open_database(database, settings) as store:
        sources = build_sources(service, store.vehicle_of_device, time.time_ns)
        done, kept = replay_letters(store, identifiers, sources, fault_knowledge(settings=settings))
    click.echo(f"{done} dead letters replayed, {kept} could still not be used")
