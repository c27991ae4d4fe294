"""`pitcall parts stock|lots|receive|check`."""

from __future__ import annotations

import time
from pathlib import Path

import click

from app.options import DATABASE, FILE, JSON
from app.output import print_json
from domain.errors import InputError
from domain.parts import LotState


@click.group()
def command() -> None:
    """Parts at dealers: stock, what is kept for orders, and what is on its way."""


@command.command()
@click.option("--dealer", help="Of this dealer.")
@click.option("--part", help="Of this part.")
@DATABASE
@JSON
def stock(dealer: str | None, part: str | None, database: str | None, as_json: bool) -> None:
    """List the pieces on dealers' shelves, and how many of them are kept for orders."""
    from app.settings import read_settings
    from app.stores import open_database
    from notifier.parts.documents import stock_json

    with open_database(database, read_settings()) as store:
        levels = store.stock(dealer=dealer, part=part)
    if as_json:
        print_json([stock_json(level) for level in levels])
        return
    for level in levels:
        click.echo(f"{level.dealer:16} {level.part:32} {level.quantity:5} on the shelf  {level.reserved:5} kept for orders")


@command.command()
@click.option("--order", help="For this order; may be cut short.")
@click.option("--dealer", help="For orders of this dealer.")
@click.option(
    "--state", "states", multiple=True, type=click.Choice([state.value for state in LotState]), help="Several may be given."
)
@DATABASE
@JSON
def lots(order: str | None, dealer: str | None, states: tuple[str, ...], database: str | None, as_json: bool) -> None:
    """List what is kept for orders, fetched from other dealers and ordered from the supplier."""
    from app.settings import read_settings
    from app.stores import open_database
    from notifier.parts.documents import lot_json

    with open_database(database, read_settings()) as store:
        found = store.part_lots(dealer=dealer, state=[LotState(word) for word in states] or None)
    now_ns = time.time_ns()
    chosen = [lot_json(lot, now_ns) for lot in found if order is None or lot.order.startswith(order)]
    if as_json:
        print_json(chosen)
        return
    for lot in chosen:
        when = f"expected {lot['expected'][:16]}{' (late)' if lot['late'] else ''}" if lot["expected"] else ""
        click.echo(
            f"{lot['id'][:12]}  {lot['order'][:12]}  {lot['quantity']:3} x {lot['part']:28} {lot['state']:12} "
            f"from {lot['source']:12} for {lot['dealer']:12} {when}"
        )


@command.command()
@click.argument("identifier", metavar="ID")
@DATABASE
def receive(identifier: str, database: str | None) -> None:
    """Note that a lot has come to its order's dealer; the order goes on if it waited for nothing else. ID may be cut short."""
    from app.settings import read_settings
    from app.stores import open_database
    from notifier.parts.holds import receive_lot

    with open_database(database, read_settings()) as store:
        named = [lot for lot in store.part_lots() if lot.id.startswith(identifier)]
        if len(named) != 1:
            what = f"{len(named)} lots begin with {identifier}" if named else f"there is no lot {identifier}"
            raise InputError(what, mend="`pitcall parts lots` names them")
        if not receive_lot(store, named[0], time.time_ns()):
            raise InputError(
                f"lot {named[0].id[:12]} is {named[0].state.value}, not awaited", mend="`pitcall parts lots` shows all"
            )
        order = store.order(named[0].order)
    click.echo(f"received; order {named[0].order[:12]} is {order.state if order else 'gone'}")


@command.command()
@click.option("--supersessions", type=FILE, help="A table of one's own: part,successor,source.")
@click.option("--lead-times", type=FILE, help="A table of one's own: part,days,source.")
def check(supersessions: Path | None, lead_times: Path | None) -> None:
    """Read the tables of successors and lead times, the shipped ones and one's own, and say what is wrong."""
    from notifier.parts.supply import load_supply

    supply = load_supply(supersessions, lead_times)
    click.echo(f"{len(supply.successors)} parts have a successor, {len(supply.lead_days)} lead times")
