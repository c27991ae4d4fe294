"""`pitcall demo`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.options import JSON
from app.output import print_json, say

if TYPE_CHECKING:
    from domain.findings import Text


@click.command()
@click.option("--cars", default=200, show_default=True, type=click.IntRange(1, 2000), help="Simulated cars.")
@click.option(
    "--speed", default=30.0, show_default=True, type=click.FloatRange(0.1, 120.0), help="How much faster than ours their time is."
)
@click.option(
    "--data", type=click.Path(path_type=Path), default=Path("data/demo"), show_default=True, help="Folder for all that it makes."
)
@click.option("--fault", "faults", multiple=True, help="Only these faults, one car each.  [default: all six]")
@click.option("--port", type=click.IntRange(0, 65535), help="Of the dashboard; 0 = any free one.  [default: 8080, headless: 0]")
@click.option("--headless", is_flag=True, help="End after --minutes and judge what was found: exit 1 if it was not all right.")
@click.option("--minutes", type=click.FloatRange(0.05), help="End after so long.  [default: with Ctrl-C, headless: 2]")
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="Language of the story.")
@JSON
def command(
    cars: int,
    speed: float,
    data: Path,
    faults: tuple[str, ...],
    port: int | None,
    headless: bool,
    minutes: float | None,
    lang: str,
    as_json: bool,
) -> None:
    """A simulated fleet, a broker, the service, dealers who answer, and a dashboard: the whole job, live, in fast motion."""
    try:
        from app.demo.cars import KINDS_OF_FAULT
        from app.demo.runner import DemoPlan, run_demo
        from domain.errors import InputError
    except KeyboardInterrupt:
        return  # nothing has been started yet

    unknown = [fault for fault in faults if fault not in KINDS_OF_FAULT]
    if unknown:
        raise InputError(f"unknown fault {unknown[0]!r}", mend=f"use {', '.join(KINDS_OF_FAULT)}")
    plan = DemoPlan(
        data=data,
        cars=cars,
        speed=speed,
        minutes=2.0 if headless and minutes is None else minutes,
        port=port if port is not None else 0 if headless else 8080,
        faults=faults or KINDS_OF_FAULT,
    )

    def tell(sentence: Text) -> None:
        words = getattr(sentence, lang)
        if as_json:
            say(words)
        else:
            click.echo(words)

    document = run_demo(plan, tell)
    if as_json:
        print_json(document)
    elif document:
        _print_result(document)
    if headless and not all_right(document):
        sys.exit(1)


def all_right(document: dict[str, Any]) -> bool:
    """Every fault was found, no sound car was accused, and no signature was wrong."""
    return (
        bool(document)
        and all(fault["alert_id"] for fault in document["faults"])
        and not document["false_alerts"]
        and not document["signatures"]["failed"]
    )


def _print_result(document: dict[str, Any]) -> None:
    faults, orders = document["faults"], document["orders"]
    found = sum(fault["alert_id"] is not None for fault in faults)
    click.echo(
        f"\n{found} of {len(faults)} faults found, {document['false_alerts']} false alerts;"
        f" {orders['created']} orders, {orders['delivered']} delivered, {orders['accepted']} accepted, {document['rescues']} rescues;"
        f" {document['signatures']['verified']} signatures verified, {document['signatures']['failed']} refused."
    )
    click.echo(f"{document['messages']:,} messages with {document['frames']:,} frames in {document['elapsed_s']:g} s.")
