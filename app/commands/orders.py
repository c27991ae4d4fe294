"""`pitcall orders list|history|kpis|verify|diagram`, and what `order_moves` adds: show, slots and the events."""

from __future__ import annotations

from dataclasses import asdict

import click

from app.commands.order_moves import event_commands, full_id, show, slots
from app.options import DATABASE, JSON
from app.output import print_json
from domain.orders import OrderKind


@click.group()
def command() -> None:
    """The orders of a database, what became of them, and by whom."""


@command.command("list")
@DATABASE
@JSON
def list_(database: str | None, as_json: bool) -> None:
    """List service and rescue orders, oldest first."""
    from app.settings import read_settings
    from app.stores import open_database
    from domain.fleet import Vehicle
    from notifier.push.messages import order_json

    with open_database(database, read_settings()) as store:
        orders = store.orders()
        dealers = {dealer.id: dealer for dealer in store.dealers()}
        if as_json:
            print_json(
                [
                    order_json(
                        order,
                        store.case(order.vehicle),
                        store.vehicle(order.vehicle) or Vehicle(id=order.vehicle),
                        dealers.get(order.choice.dealer) if order.choice else None,
                    )
                    for order in orders
                ]
            )
            return
    for order in orders:
        dealer = f"{order.choice.dealer} ({order.choice.distance_km:.1f} km)" if order.choice else "no dealer found"
        urgency = order.recommendation.urgency
        title = order.recommendation.title.en
        click.echo(
            f"{order.id[:12]}  {urgency.priority} {order.kind:8} {order.state:12} {order.vehicle[:12]}  {dealer:32} {title}"
        )


@command.command()
@click.argument("identifier", metavar="ID")
@DATABASE
@JSON
def history(identifier: str, database: str | None, as_json: bool) -> None:
    """Tell who made what of an order, and why. ID may be cut short."""
    from app.settings import read_settings
    from app.stores import open_database
    from notifier.push.messages import rfc3339

    with open_database(database, read_settings()) as store:
        entries = store.order_audit(order=full_id(store, identifier))
    if as_json:
        print_json([asdict(entry) | {"time": rfc3339(entry.time_ns)} for entry in entries])
        return
    for entry in entries:
        moved = entry.state if entry.came_from in ("", entry.state) else f"{entry.came_from} -> {entry.state}"
        why = f" ({entry.reason})" if entry.reason else ""
        click.echo(f"{rfc3339(entry.time_ns)[:19]}Z  v{entry.version:<3} {moved:28} {entry.event} by {entry.actor}{why}")


@command.command()
@DATABASE
@click.option("--weeks", default=13, show_default=True, type=click.IntRange(1, 53), help="So many, the running one included.")
@click.option("--region", default="", help="Only this region with all below it, such as cn/shanghai.")
@click.option("--dealer", default="", help="Only this dealer.")
@click.option("--utc-offset", default=8.0, show_default=True, type=click.FloatRange(-12, 14), help="Hours; where weeks begin.")
@JSON
def kpis(database: str | None, weeks: int, region: str, dealer: str, utc_offset: float, as_json: bool) -> None:
    """Tell the key figures of the work, by week, region and dealer, and how often each rule, model and code was right."""
    import time

    from app.settings import read_settings
    from app.stores import open_database
    from notifier.kpis.report import report_json
    from notifier.kpis.sentences import report_lines
    from web.kpis import gather_kpis

    with open_database(database, read_settings()) as store:
        sources = gather_kpis(store, time.time_ns())
    report = sources.report(weeks=weeks, utc_offset_hours=utc_offset, region=region, dealer=dealer)
    if as_json:
        print_json(report_json(report))
        return
    for line in report_lines(report):
        click.echo(line)


@command.command()
@DATABASE
@JSON
def verify(database: str | None, as_json: bool) -> None:
    """Check that no change of any order was altered or taken out since it was made.

    Keep the last number and hash elsewhere: they show later that nothing was cut off at the end either.
    """
    from app.order_audit import verify_orders
    from app.settings import read_settings
    from app.stores import open_database

    with open_database(database, read_settings()) as store:
        verdict = verify_orders(store)
    if as_json:
        print_json(asdict(verdict))
    else:
        click.echo(verdict.sentence)
    if not verdict.whole:
        raise SystemExit(1)


@command.command()
@click.option("--kind", type=click.Choice([kind.value for kind in OrderKind]), default="service", show_default=True)
def diagram(kind: str) -> None:
    """Print the life cycle as a Mermaid state diagram, from the table that the service works by."""
    from notifier.orders.order_diagram import mermaid

    click.echo(mermaid(OrderKind(kind)))


for _each in (show, slots, *event_commands()):
    command.add_command(_each)
