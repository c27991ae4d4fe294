"""People's requests to the API: its own handlers, called without a network between."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Response

from app.own_service import own_service
from domain.consents import ConsentBasis
from domain.orders import Order
from domain.repairs import RepairResult
from notifier.dealers.routing_policy import Routing
from notifier.orders.order_states import OrderEvent
from storage.memory_store import MemoryStore
from web.api.access import Caller, Scope
from web.api.orders import TransitionRequest, free_slots, move_order
from web.api.outcomes import OutcomeRequest, report_outcome
from web.api.parts import CountRequest, count_stock, receive
from web.api.problems import Problem
from web.api.quotes import QuoteRequest, SignOffRequest, make_quote, sign_quote
from web.api.rescues import ConfirmRequest, Place, confirm_rescue

OPERATIONS = Caller(name="operations", scopes=frozenset({Scope.ADMIN}))
OWNER = Caller(name="owner", scopes=frozenset({Scope.ORDERS}))
"""Whose word a call centre takes down."""


def workshop(dealer: str) -> Caller:
    """A dealer with its own key."""
    return Caller(name=f"dealer:{dealer}", scopes=frozenset(), dealer=dealer)


class Desk:
    """Moves orders as their state stands at that moment; what is not allowed (any more) is answered with False.

    Args:
        store: of the year. clock: simulated wall time.
    """

    def __init__(self, store: MemoryStore, clock: Callable[[], int], routing: Routing) -> None:
        self.store = store
        self._service = own_service(store, clock, routing)

    def order(self, order: str) -> Order:
        """The order as it stands."""
        found = self.store.order(order)
        assert found is not None
        return found

    def move(self, order: str, event: OrderEvent, caller: Caller, reason: str = "") -> bool:
        """One event."""
        return self._asked(
            lambda seen: move_order(
                order, TransitionRequest(event=event, reason=reason), self._service, Response(), caller, seen
            ),
            order,
        )

    def confirm(self, order: str, caller: Caller) -> bool:
        """An agent has spoken with the driver, who is where the vehicle is at home and agrees to the use of its place."""
        vehicle = self.store.vehicle(self.order(order).vehicle)
        home = vehicle.home if vehicle else None
        place = None if home is None else Place(lat=home[0], lon=home[1])
        asked = ConfirmRequest(location=place, basis=ConsentBasis.CONSENT)
        return self._asked(lambda _: confirm_rescue(order, asked, self._service, Response(), caller), order)

    def book(self, order: str, caller: Caller, *, anew: bool = False) -> bool:
        """The appointment that is held, else (or `anew`) the next one that is free."""
        if not anew and self.move(order, OrderEvent.SCHEDULE, caller):
            return True
        free = free_slots(order, self._service, caller, 1)["slots"]
        asked = {"event": OrderEvent.SCHEDULE, "slots": [slot["start"] for slot in free]}
        request = TransitionRequest.model_validate(asked)
        return bool(free) and self._asked(lambda seen: move_order(order, request, self._service, Response(), caller, seen), order)

    def quote(self, order: str, caller: Caller) -> bool:
        """The order's plan as a quote."""
        return self._asked(lambda seen: make_quote(order, QuoteRequest(), self._service, Response(), caller, seen), order)

    def sign(self, order: str, accepted: list[int]) -> bool:
        """The owner's answer to the latest quote."""
        mark = self.order(order).quote
        version = mark.version if mark else 0
        return self._asked(
            lambda _: sign_quote(order, version, SignOffRequest(accepted=accepted), self._service, Response(), OWNER), order
        )

    def report(self, order: str, result: RepairResult, cause: str, caller: Caller) -> bool:
        """What the repair found."""
        return self._asked(
            lambda _: report_outcome(order, OutcomeRequest(result=result, cause=cause), self._service, caller), order
        )

    def receive_parts(self, lot: str, caller: Caller) -> bool:
        """A lot has come."""
        try:
            receive(lot, self._service, caller)
        except Problem:
            return False
        return True

    def count(self, dealer: str, part: str, quantity: int, version: int) -> None:
        """Pieces on a shelf, restocked."""
        count_stock(dealer, part, CountRequest(quantity=quantity), self._service, Response(), workshop(dealer), f'"{version}"')

    def _asked(self, ask: Callable[[str], object], order: str) -> bool:
        try:
            ask(f'"{self.order(order).version}"')
        except Problem:
            return False
        return True
