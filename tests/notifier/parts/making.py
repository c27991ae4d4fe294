"""Orders that need parts, and dealers that have some."""

from __future__ import annotations

from dataclasses import replace

from domain.findings import Part
from domain.fleet import Dealer
from domain.orders import DealerChoice, Order, OrderChange, OrderKind
from notifier.parts.supply import Supply
from tests.notifier.builders import SHANGHAI, dealer, plan_line, recommendation, text

SUPPLY = Supply(successors={"OLD": "NEW", "NEW": "NEWEST"}, lead_days={"*": 3, "SLOW": 30})


def order_for(
    parts: dict[str, int],
    *,
    at: str = "here",
    state: str = "accepted",
    identity: str = "order-1",
    version: int = 1,
    event: str = "accept",
) -> Order:
    """A service order that a dealer has taken."""
    lines = tuple(Part(number=number, name=text(number), quantity=pieces, price="1.00") for number, pieces in parts.items())
    return Order(
        id=identity,
        kind=OrderKind.SERVICE,
        version=version,
        state=state,
        vehicle="v1",
        group_key="engine.cooling/thermostat",
        incidents=("i1",),
        recommendation=recommendation(plan=(plan_line(parts=lines),)),
        created_ns=1,
        updated_ns=version,
        choice=DealerChoice(dealer=at, distance_km=1.0, score=0.0, why=()),
        location=SHANGHAI,
        change=OrderChange(event=event, actor=at),
    )


def moved(order: Order, state: str, event: str = "update") -> Order:
    return replace(
        order, state=state, version=order.version + 1, updated_ns=order.updated_ns + 1, change=OrderChange(event=event)
    )


def shop(identity: str, north_km: float, **stock: int) -> Dealer:
    return dealer(identity, north_km, stock=tuple(sorted(stock.items())))
