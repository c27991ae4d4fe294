"""`pitcall push run|list|attempts|replay`."""

from __future__ import annotations

import time
from pathlib import Path

import click

from app.options import DATABASE, FILE, JSON
from app.output import print_json, say
from domain.errors import InputError


@click.group()
def command() -> None:
    """The outbox of a database: pushes that must get through."""


@command.command()
@DATABASE
@click.option("--limit", default=1000, show_default=True, type=click.IntRange(1), help="At most so many pushes.")
@click.option(
    "--by-hand", type=FILE, default=Path("pushes.jsonl"), show_default=True, help="File for those that a person sees to."
)
@click.option("--config", type=FILE, metavar="FILE", help="The service's settings: its mail server, broker and routes.")
def run(database: str | None, limit: int, by_hand: Path, config: Path | None) -> None:
    """Deliver every push that is due now, signed by Standard Webhooks; what fails is tried again at its next time.

    Orders of dealers without an endpoint or address, and those that no dealer can take, are appended to the --by-hand file.

    Signing secrets come from PITCALL_SECRET_<NAME>, where NAME is the dealer's secret_name.
    """
    from app.pushing import deliver
    from app.settings import read_settings
    from app.settings_file import load_settings
    from app.stores import open_database

    settings = load_settings(config)
    with open_database(database, settings.common if config else read_settings()) as store:
        report = deliver(store, settings, hand_list=by_hand, now_ns=time.time_ns(), limit=limit)
    click.echo(report)


@command.command("list")
@DATABASE
@JSON
def list_(database: str | None, as_json: bool) -> None:
    """List pushes with their state, attempts and last error."""
    from app.settings import read_settings
    from app.stores import open_database

    with open_database(database, read_settings()) as store:
        events = store.outbox_events()
    rows = [
        {"id": e.id, "type": e.type, "subject": e.subject, "recipient": e.recipient, "channel": e.channel}
        | {"state": e.state, "attempts": e.attempts, "last_error": e.last_error}
        for e in events
    ]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo("{state:10} {type:16} {recipient:24} attempts {attempts:<3} {subject} {last_error}".format(**row))


@command.command()
@click.argument("identifier", metavar="ID")
@DATABASE
@JSON
def attempts(identifier: str, database: str | None, as_json: bool) -> None:
    """Tell of every attempt to deliver one push."""
    from app.settings import read_settings
    from app.stores import open_database
    from notifier.push.messages import rfc3339

    with open_database(database, read_settings()) as store:
        made = store.delivery_attempts(identifier)
    rows = [{"number": a.number, "time": rfc3339(a.time_ns), "state": a.state, "error": a.error} for a in made]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo("{number:3}  {time}  {state:10} {error}".format(**row).rstrip())
    if not rows:
        say("it was never attempted")


@command.command()
@click.argument("identifiers", metavar="[ID]...", nargs=-1)
@click.option("--since", metavar="TIME", help="All that were written at this time or after it (RFC 3339).")
@click.option("--all", "everything", is_flag=True, help="All that there are.")
@click.option("--recipient", metavar="ID", help="Of those, this dealer's only.")
@DATABASE
def replay(
    identifiers: tuple[str, ...], since: str | None, everything: bool, recipient: str | None, database: str | None
) -> None:
    """Send pushes again, delivered or not: by id, all since a time, or all.

    They keep their ids, by which a recipient that has them already knows them, and get their whole schedule anew.
    """
    from app.fleet import parse_start
    from app.settings import read_settings
    from app.stores import open_database

    if sum((bool(identifiers), since is not None, everything)) != 1:
        raise InputError("it is not said which pushes", mend="give ids, or --since TIME, or --all")
    with open_database(database, read_settings()) as store:
        written = store.outbox_written(parse_start(since) if since else 0)
        unknown = sorted(set(identifiers) - written.keys())
        if unknown:
            raise InputError(f"there is no push {unknown[0]}", mend="`pitcall push list` names them")
        chosen = identifiers or written
        count = store.send_again([name for name in chosen if recipient in (None, written[name])], time.time_ns())
    say(f"{count} pushes are due again; `pitcall push run` or the service delivers them")
