"""`pitcall dead-letters list|show|replay`."""

from __future__ import annotations

from collections import Counter

import click

from app.options import DATABASE, JSON
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
@DATABASE
def replay(identifiers: tuple[str, ...], database: str | None) -> None:
    """Try dead letters again (all of them without ID): those that can be read now are evaluated and leave the list."""
    from app.dead_letters import replay_letters
    from app.settings import read_settings
    from app.stores import open_database

    with open_database(database, read_settings()) as store:
        done, kept = replay_letters(store, identifiers)
    click.echo(f"{done} dead letters replayed, {kept} could still not be used")
