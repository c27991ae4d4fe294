"""`pitcall parts stock|lots|receive|check|forecast`."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

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


@command.command()
@click.option("--days", type=click.IntRange(1, 365), default=30, show_default=True, help="How far to look ahead.")
@click.option(
    "--level", type=click.FloatRange(0.5, 0.999), default=0.9, show_default=True, help="Probability that each interval holds."
)
@click.option("--dealer", help="Of this dealer.")
@click.option("--out", type=FILE, help="Write a table (CSV) there.")
@DATABASE
@JSON
def forecast(days: int, level: float, dealer: str | None, out: Path | None, database: str | None, as_json: bool) -> None:
    """Say how many pieces each dealer will need, from predicted failures and due maintenance."""
    from app.fault_knowledge import fault_knowledge, maintenance_plans
    from app.settings import read_settings
    from app.stores import open_database
    from notifier.parts.demand import demand_json
    from notifier.parts.planning import forecast_demand

    settings = read_settings()
    plans = maintenance_plans(fault_knowledge(settings=settings), settings=settings)
    with open_database(database, settings) as store:
        found = forecast_demand(store, plans.schedule, horizon_days=days, level=level, now_ns=time.time_ns())
    rows = [demand_json(each) for each in found if dealer in (None, each.dealer)]
    if out is not None:
        _write_table(out, rows)
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo(
            f"{row['dealer']:16} {row['part']:32} {row['low']:4} to {row['high']:4}  expected {row['expected']:8.2f}"
            f"  available {row['available']:4}  short {row['short']:4}"
        )


def _write_table(file: Path, rows: list[dict[str, Any]]) -> None:
    names = ("dealer", "part", "expected", "low", "high", "needs", "available", "short")
    try:
        with file.open("w", encoding="utf-8", newline="") as stream:
            table = csv.DictWriter(stream, names)
            table.writeheader()
            table.writerows(rows)
    except OSError as problem:
        raise InputError(f"cannot be written ({problem.strerror})", file=file, mend="name another file with --out") from problem
