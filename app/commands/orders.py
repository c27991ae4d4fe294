"""`pitcall orders list`."""

from __future__ import annotations

import click

from app.options import DATABASE, JSON
from app.output import print_json


@click.group()
def command() -> None:
    """The orders of a database."""


@command.command("list")
@DATABASE
@JSON
def list_(database: str | None, as_json: bool) -> None:
    """List service and rescue orders, oldest first."""
    from app.settings import read_settings
    from app.stores import open_database
    from domain.fleet import Vehicle
    from notifier.messages import order_json

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
