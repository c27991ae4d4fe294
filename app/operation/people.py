"""Owners who are asked, drivers who confirm, and operations that see to what no machine can."""

from __future__ import annotations

from app.operation.agenda import Agenda, Course
from app.operation.desk import OPERATIONS, OWNER, Desk
from domain.consents import Consent, ConsentChannel, Purpose
from domain.fleet import Vehicle
from domain.orders import OrderKind
from notifier.dealers.working_hours import HOUR_NS
from notifier.orders.order_states import OrderEvent, OrderState
from simulator.operation.chance import Chance

_STANDING = (Purpose.SERVICE, Purpose.MAINTENANCE, Purpose.LOCATION, Purpose.RESCUE)
MOST_TRIES = 4
"""So often operations look for a workshop, a day apart, before they give the owner back a free hand."""


def standing_consents(vehicle: Vehicle, chance: Chance, time_ns: int) -> list[Consent]:
    """What an owner has stated at first: standing consent to all, or to being rescued alone."""
    agreed = _STANDING if chance.does("standing", vehicle.id) else (Purpose.RESCUE,)
    return [
        Consent(vehicle=vehicle.id, purpose=purpose, channel=ConsentChannel.ORDER, given=True, time_ns=time_ns)
        for purpose in agreed
    ]


class People:
    """Whom an order's pushes reach that no dealer gets."""

    def __init__(self, desk: Desk, agenda: Agenda, chance: Chance) -> None:
        self._desk, self._agenda, self._chance = desk, agenda, chance
        self._busy: set[str] = set()

    def told(self, order: str, state: str) -> None:
        """An order waits for the owner or for operations; each is seen to by one person at a time."""
        courses = {
            OrderState.PROPOSED: self._ask_owner,
            OrderState.REQUESTED: self._ask_driver,
            OrderState.MANUAL: self._see_to,
        }
        if state in courses and order not in self._busy:
            self._busy.add(order)
            self._agenda.begin(courses[OrderState(state)](order))

    def _ask_owner(self, order: str) -> Course:
        yield self._chance.takes_ns("agree", order)
        if self._desk.order(order).state == OrderState.MANUAL:  # the owner was too late, operations have it
            yield from self._see_to(order)
            return
        self._busy.discard(order)
        if self._desk.order(order).state != OrderState.PROPOSED:
            return
        if self._chance.does("agree_share", order):
            self._desk.move(order, OrderEvent.DISPATCH, OWNER, "the owner agrees")
        else:
            self._desk.move(order, OrderEvent.CANCEL, OWNER, "the owner does not want it")

    def _ask_driver(self, order: str) -> Course:
        yield self._chance.takes_ns("confirm", order)
        self._busy.discard(order)
        self._desk.confirm(order, OWNER)

    def _see_to(self, order: str) -> Course:
        for attempt in range(MOST_TRIES):
            yield self._chance.takes_ns("operations", order, attempt) if not attempt else 24 * HOUR_NS
            if self._desk.order(order).state != OrderState.MANUAL:
                break
            unconfirmed = self._desk.order(order).kind is OrderKind.RESCUE and self._desk.order(order).rescue is None
            if not (unconfirmed and self._desk.confirm(order, OPERATIONS)):
                self._desk.move(order, OrderEvent.DISPATCH, OPERATIONS, "a person looked for a workshop")
            if self._desk.order(order).state != OrderState.MANUAL:
                break
        else:
            self._desk.move(order, OrderEvent.CANCEL, OPERATIONS, "no workshop could be found; the owner was told")
        self._busy.discard(order)
