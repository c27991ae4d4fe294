"""`pitcall orders show|slots`, and one command per event that a person brings about (`accept`, `schedule`, `suggest`).

They are the API's own handlers with the rights of operations: what they refuse is refused here in the same words.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from app.options import DATABASE, JSON
from app.output import print_json
from domain.errors import InputError
from domain.orders import Wish
from notifier.orders.order_states import OrderEvent

if TYPE_CHECKING:  # a picture of the life cycle need not wait for the whole API
    from storage.sql_store import SqlStore
    from web.api.service import Service

ELSEWHERE = frozenset(
    {
        OrderEvent.OFFER,
        OrderEvent.EXPIRE,
        OrderEvent.QUOTE,
        OrderEvent.APPROVE,
        OrderEvent.APPROVE_PARTLY,
        OrderEvent.REJECT,
    }
)
"""The service's own clock and delivery, and what a quote and its signature do."""
_MEANS = {
    OrderEvent.PROPOSE: "Ask the owner before any dealer hears of it.",
    OrderEvent.DISPATCH: "Send it to the best dealer, or to the one that is named.",
    OrderEvent.ACCEPT: "Take the offer, with its first appointment that is left or the one that is named.",
    OrderEvent.DECLINE: "Refuse the offer: the next dealer is asked.",
    OrderEvent.SCHEDULE: "Book the appointment that is held or named; also moves one, and books anew after a missed one.",
    OrderEvent.SUGGEST: "Ask for other appointments; what is agreed holds until the other side agrees.",
    OrderEvent.MISS: "The vehicle did not come.",
    OrderEvent.GIVE_UP: "Hand it to a person.",
    OrderEvent.CANCEL: "Nobody wants it any more.",
    OrderEvent.CHECK_IN: "The vehicle has come.",
    OrderEvent.DIAGNOSE: "The workshop looks for the cause.",
    OrderEvent.START: "The work begins.",
    OrderEvent.HOLD: "The work waits, such as for a part.",
    OrderEvent.RESUME: "The work goes on.",
    OrderEvent.INSPECT: "The work is done and is looked at.",
    OrderEvent.REWORK: "The inspection found something.",
    OrderEvent.PASS: "The inspection found nothing: the fault is mended.",
    OrderEvent.SETTLE: "The bill is paid.",
    OrderEvent.DEPART: "The rescue is on its way.",
    OrderEvent.ARRIVE: "The rescue is at the vehicle.",
    OrderEvent.TOW: "The vehicle is towed.",
    OrderEvent.DELIVER: "The vehicle is at the dealer.",
    OrderEvent.CLOSE: "All is done.",
}
_BOOKS = {OrderEvent.ACCEPT: 1, OrderEvent.SCHEDULE: 1, OrderEvent.SUGGEST: 3}
"""Events that name appointments, and how many."""
_ORDER = click.argument("identifier", metavar="ID")


@contextmanager
def _service(database: str | None) -> Iterator[tuple[Service, SqlStore]]:
    from app.own_service import own_service
    from app.settings import read_settings
    from app.stores import open_database
    from notifier.dealers.routing_policy import Routing, load_routing_policy
    from web.api.problems import Problem

    with open_database(database, read_settings()) as store:
        try:
            yield own_service(store, time.time_ns, Routing(policy=load_routing_policy())), store
        except Problem as problem:
            raise InputError(problem.detail.rstrip("."), mend=_mend(problem.more)) from problem


def _mend(more: dict[str, Any]) -> str:
    free = [slot["start"][:16] + "Z" for slot in more.get("free", ())]
    return f"free are {', '.join(free)}" if free else ""


def full_id(store: SqlStore, identifier: str) -> str:
    """The id of the one order that begins so.

    Raises:
        InputError: none or several do.
    """
    if store.order(identifier) is not None:
        return identifier
    named = [order.id for order in store.orders() if order.id.startswith(identifier)]
    if len(named) != 1:
        what = f"{len(named)} orders begin with {identifier}" if named else f"there is no order {identifier}"
        raise InputError(what, mend="`pitcall orders list` names them")
    return named[0]


@click.command()
@_ORDER
@DATABASE
@JSON
def show(identifier: str, database: str | None, as_json: bool) -> None:
    """Tell where an order stands, its dealer and appointments, and what may be done with it now. ID may be cut short."""
    from fastapi import Response

    from web.api.orders import order_answer, stored_order

    with _service(database) as (service, store):
        answer = order_answer(service, stored_order(service, full_id(store, identifier)), Response())
    if as_json:
        print_json(answer)
    else:
        _tell(answer)


@click.command()
@_ORDER
@click.option("--limit", default=12, show_default=True, type=click.IntRange(1, 50), help="At most so many.")
@DATABASE
@JSON
def slots(identifier: str, limit: int, database: str | None, as_json: bool) -> None:
    """List the next appointments that an order can have at its dealer; `schedule --slot` takes one."""
    from web.api.orders import free_slots

    with _service(database) as (service, store):
        found = free_slots(full_id(store, identifier), service, _operations("operator"), limit)
    if as_json:
        print_json(found)
        return
    for slot in found["slots"]:
        click.echo(slot["start"])


def _operations(actor: str) -> Any:
    from web.api.access import Caller, Scope

    return Caller(name=actor, scopes=frozenset({Scope.ADMIN}))


def event_commands() -> list[click.Command]:
    """One command per event."""
    return [_event_command(event) for event in OrderEvent if event not in ELSEWHERE]


def _event_command(event: OrderEvent) -> click.Command:
    @_ORDER
    @click.option("--reason", default="", help="Why; it stands in the order's history.")
    @click.option("--as", "actor", default="operator", show_default=True, help="Who does it; it stands in the order's history.")
    @DATABASE
    @JSON
    def run(identifier: str, database: str | None, as_json: bool, actor: str, reason: str, **more: Any) -> None:
        _move(event, identifier, database, as_json=as_json, actor=actor, reason=reason, more=more)

    decorated: Callable[..., None] = run
    if event is OrderEvent.DISPATCH:
        wishes = click.Choice([wish.value for wish in Wish], case_sensitive=False)
        decorated = click.option("--transport", type=wishes, help="What the dealer must offer, as the owner wants.")(decorated)
        decorated = click.option("--dealer", default="", help="This dealer, as the owner or a person wants.")(decorated)
    if event in _BOOKS:
        words = f"An appointment's begin, such as 2026-11-27T02:00:00Z; up to {_BOOKS[event]}."
        decorated = click.option("--slot", "slots", multiple=True, metavar="TIME", help=words)(decorated)
    return click.command(event.value.replace("_", "-"), help=f"{_MEANS[event]} ID may be cut short.")(decorated)


def _move(
    event: OrderEvent, identifier: str, database: str | None, *, as_json: bool, actor: str, reason: str, more: dict[str, Any]
) -> None:
    from fastapi import Response
    from pydantic import ValidationError

    from web.api.orders import TransitionRequest, move_order, stored_order

    try:
        request = TransitionRequest.model_validate({"event": event, "reason": reason, **more})
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"--{str(first['loc'][0]).rstrip('s')}: {first['msg']}", mend="write it as in --help") from error
    with _service(database) as (service, store):
        order = stored_order(service, full_id(store, identifier))
        seen = str(order.version)
        answer = move_order(order.id, request, service, Response(), _operations(actor), seen)
    if as_json:
        print_json(answer)
    else:
        _tell(answer)


def _tell(answer: dict[str, Any]) -> None:
    data = answer["order"]["data"]
    click.echo(f"{data['order_id']}  v{data['version']}  {data['priority']} {data['kind']}  {data['state']}")
    click.echo(f"  {data['title']['en']}")
    if data["desk"]:
        click.echo(f"  on the desk of {data['desk']['name']}: {data['desk']['reason']}")
    if data["dealer"]:
        click.echo(f"  at {data['dealer']['id']} ({data['dealer']['distance_km']:.1f} km), {data['transport']}")
    for slot in data["slots"]:
        click.echo(f"  {slot['start'][:16]}Z  {slot['status'] or 'proposed'}")
    for slot in data["suggested_slots"]:
        click.echo(f"  {slot['start'][:16]}Z  asked for instead")
    click.echo(f"  may now: {', '.join(word.replace('_', '-') for word in answer['allowed']) or 'nothing'}")
