"""`pitcall dispatch plan`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from app.options import DATABASE, FILE, JSON
from app.output import print_json

SHOWN = 20
"""Moves listed for people; `--json` has all."""


@click.group()
def command() -> None:
    """Placing orders that can wait together, by min-cost flow over dealers and days."""


@command.command()
@click.option("--what-if", is_flag=True, help="Ask about every order that no dealer has accepted, not only about drafts.")
@click.option("--policy", type=FILE, help="A routing policy to try.  [default: the shipped one]")
@DATABASE
@JSON
def plan(what_if: bool, policy: Path | None, database: str | None, as_json: bool) -> None:
    """Show what the optimiser would change and gain; nothing is written, and confirmed appointments never move."""
    from app.dispatching import dispatch_plan
    from app.settings import read_settings
    from app.stores import open_database
    from notifier.dealers.routing_policy import SHIPPED, Routing, load_routing_policy

    routing = Routing(policy=load_routing_policy(policy or SHIPPED))
    with open_database(database, read_settings()) as store:
        document = dispatch_plan(store, routing, time.time_ns(), what_if=what_if)
    if as_json:
        print_json(document)
    else:
        _show(document)


def _show(document: dict[str, Any]) -> None:
    confirmed = document["confirmed"]
    click.echo(f"{document['orders']} orders that can wait; {confirmed} confirmed appointments stay as they are")
    for name, key, unit in (("placed", "placed", ""), ("mean way", "mean_km", " km"), ("mean wait", "mean_wait_days", " days")):
        now, planned = (_words(document[key][when], unit) for when in ("now", "planned"))
        click.echo(f"  {name:10} {now:>12} -> {planned}")
    if document["mean_km_gain"] is not None:
        click.echo(
            f"  ways are {document['mean_km_gain']:.1%} shorter" + (", proven optimal" if document["proven_optimal"] else "")
        )
    for move in document["moves"][:SHOWN]:
        click.echo(f"{move['order'][:12]}  {move['priority']}  {_place(move['from'])}  ->  {_place(move['to'])}")
    if len(document["moves"]) > SHOWN:
        click.echo(f"… and {len(document['moves']) - SHOWN} more")


def _words(value: float | None, unit: str) -> str:
    return "-" if value is None else f"{value:g}{unit}"


def _place(place: dict[str, Any] | None) -> str:
    return "nobody" if place is None else f"{place['dealer']} ({place['distance_km']:.1f} km, {(place['start'] or '')[:10]})"
