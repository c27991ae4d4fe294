"""`pitcall push run|list`."""

from __future__ import annotations

import time
from pathlib import Path

import click

from app.options import DATABASE, FILE, JSON
from app.output import print_json


@click.group()
def command() -> None:
    """The outbox of a database: pushes that must get through."""


@command.command()
@DATABASE
@click.option("--limit", default=1000, show_default=True, type=click.IntRange(1), help="At most so many pushes.")
@click.option(
    "--by-hand", type=FILE, default=Path("pushes.jsonl"), show_default=True, help="File for those that a person sees to."
)
def run(database: str | None, limit: int, by_hand: Path) -> None:
    """Deliver every push that is due now, signed by Standard Webhooks; what fails is tried again at its next time.

    Orders of dealers without an endpoint, and those that no dealer can take, are appended to the --by-hand file.

    Signing secrets come from PITCALL_SECRET_<NAME>, where NAME is the dealer's secret_name.
    """
    from app.pushing import deliver
    from app.settings import read_settings
    from app.stores import open_database

    settings = read_settings()
    with open_database(database, settings) as store:
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
