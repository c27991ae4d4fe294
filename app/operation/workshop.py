"""How workshops and rescue partners answer and work."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

from app.operation.agenda import Agenda, Course
from app.operation.desk import OWNER, Desk, workshop
from domain.fleet import Dealer
from domain.orders import Order, OrderKind
from domain.owners import Rating
from domain.parts import AWAITED
from domain.quotes import Quote
from domain.repairs import RepairResult
from notifier.dealers import working_hours
from notifier.dealers.working_hours import HOUR_NS
from notifier.orders.order_states import OrderEvent, OrderState
from simulator.operation.chance import Chance

_E = OrderEvent
POLL_NS = 2 * HOUR_NS
_LONG_VISIT_NS = 5 * 24 * HOUR_NS


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What the technician finds, and whether the fault comes back."""

    result: RepairResult
    cause: str = ""


class Workshops:
    """All workshops.

    Args:
        truth: what is found behind an order. settled: told of every order whose repair is over.
    """

    def __init__(
        self, desk: Desk, agenda: Agenda, chance: Chance, *, truth: Callable[[Order], Finding], settled: Callable[[Order], None]
    ) -> None:
        self._desk, self._agenda, self._chance = desk, agenda, chance
        self._truth, self._settled = truth, settled
        self._known: set[tuple[str, str]] = set()
        self._lots: set[str] = set()

    def offered(self, order: str, kind: OrderKind, dealer: Dealer) -> None:
        """An offer has come in; the same one is looked at once."""
        if (order, dealer.id) not in self._known:
            self._known.add((order, dealer.id))
            course = self._rescue if kind is OrderKind.RESCUE else self._service
            self._agenda.begin(course(order, dealer))

    def _service(self, order: str, dealer: Dealer) -> Course:
        """From the offer to the rating."""
        chance, desk, me, about = self._chance, self._desk, workshop(dealer.id), (order, dealer.id)
        yield self._in_hours(dealer, chance.takes_ns("answer", *about))
        if chance.does("silent", *about):
            return
        if chance.does("decline", *about):
            desk.move(order, _E.DECLINE, me, "full")
            return
        if not desk.move(order, _E.ACCEPT, me, "we have room"):
            return
        yield self._in_hours(dealer, chance.takes_ns("book", *about))
        if not desk.book(order, me):
            return
        self._await_parts(order)
        came = yield from self._arrival(order, dealer)
        if not came:
            return
        yield from self._repair(order, dealer)

    def _arrival(self, order: str, dealer: Dealer) -> Generator[int, None, bool]:
        """Until the car stands in the shop; False where its owner has cancelled."""
        chance, desk, me = self._chance, self._desk, workshop(dealer.id)
        yield self._until_slot(desk.order(order))
        if chance.does("cancel", order):
            desk.move(order, _E.CANCEL, OWNER, "the owner does not want it any more")
            return False
        for attempt in range(3):
            if not chance.does("no_show", order, attempt):
                break
            if not desk.move(order, _E.MISS, me, "nobody came"):
                return False
            yield self._in_hours(dealer, chance.takes_ns("rebook", order, attempt))
            if not desk.book(order, me, anew=True):
                return False
            yield self._until_slot(desk.order(order))
        return desk.move(order, _E.CHECK_IN, me)

    def _repair(self, order: str, dealer: Dealer) -> Course:
        chance, desk, me, about = self._chance, self._desk, workshop(dealer.id), (order, dealer.id)
        began_ns = self._agenda.clock()
        desk.move(order, _E.DIAGNOSE, me)
        yield self._in_hours(dealer, chance.takes_ns("diagnose", *about))
        yield self._in_hours(dealer, chance.takes_ns("quote", *about))
        if not desk.quote(order, me):
            return
        self._await_parts(order)
        yield self._in_hours(dealer, chance.takes_ns("sign", *about))
        accepted = self._accepted(order)
        if not desk.sign(order, accepted):
            return
        if accepted:
            yield from self._work(order, dealer)
        yield self._in_hours(dealer, chance.takes_ns("collect", *about))
        desk.move(order, _E.SETTLE, me)
        if accepted:
            self._settled(desk.order(order))
        yield from self._rating(order, dealer, late=self._agenda.clock() - began_ns > _LONG_VISIT_NS)
        desk.move(order, _E.CLOSE, me)

    def _work(self, order: str, dealer: Dealer) -> Course:
        """From the owner's word to the inspection that it passes."""
        chance, desk, me = self._chance, self._desk, workshop(dealer.id)
        yield HOUR_NS // 2
        self._await_parts(order)  # which are kept for what the owner has signed for
        while desk.order(order).state == OrderState.ON_HOLD:
            yield POLL_NS
            self._await_parts(order)
        desk.move(order, _E.START, me)
        planned_h = sum(float(line.labour_hours) for line in desk.order(order).recommendation.plan)
        yield self._in_hours(dealer, round(max(0.5, planned_h) * chance.factor("work", order) * HOUR_NS))
        found = self._truth(desk.order(order))
        desk.move(order, _E.INSPECT, me)
        if chance.does("rework", order):
            desk.move(order, _E.REWORK, me, "not as it should be")
            yield self._in_hours(dealer, HOUR_NS)
            desk.move(order, _E.INSPECT, me)
        desk.move(order, _E.PASS, me)
        if desk.order(order).recommendation.alerts and chance.does("report", order):
            desk.report(order, found.result, found.cause, me)

    def _rating(self, order: str, dealer: Dealer, *, late: bool) -> Course:
        chance = self._chance
        if not chance.does("rate", order):
            return
        yield chance.takes_ns("rate_after", order)
        bad = late or chance.does("rework", order)
        nps = min(10, max(0, round(chance.points("nps_bad" if bad else "nps_mean", order))))
        vehicle, now_ns = self._desk.order(order).vehicle, self._agenda.clock()
        stars = max(1, round(nps / 2))
        rating = Rating(order=order, vehicle=vehicle, dealer=dealer.id, stars=stars, nps=nps, comment="", created_ns=now_ns)
        self._desk.store.save_papers([rating])

    def _rescue(self, order: str, dealer: Dealer) -> Course:
        """Partners work around the clock."""
        chance, desk, me, about = self._chance, self._desk, workshop(dealer.id), (order, dealer.id)
        yield chance.takes_ns("confirm", *about)
        if chance.does("silent", *about):
            return
        if not desk.move(order, _E.ACCEPT, me, "the recovery truck is free"):
            return
        for habit, event in (("depart", _E.DEPART), ("arrive", _E.ARRIVE), ("on_site", None)):
            yield chance.takes_ns(habit, order)
            if event is not None:
                desk.move(order, event, me)
        if chance.does("mended_on_site", order):
            desk.move(order, _E.CLOSE, me, "mended on site")
            return
        desk.move(order, _E.TOW, me)
        yield chance.takes_ns("tow", order)
        desk.move(order, _E.DELIVER, me)
        desk.move(order, _E.CLOSE, me)

    def _accepted(self, order: str) -> list[int]:
        """Lines that the owner wants."""
        mark = self._desk.order(order).quote
        quote = self._desk.store.paper(Quote, f"{order}:{mark.version}") if mark else None
        lines = [line.line for line in quote.lines] if quote else []
        if self._chance.does("reject", order):
            return []
        return lines[:-1] if len(lines) > 1 and self._chance.does("partly", order) else lines

    def _await_parts(self, order: str) -> None:
        """Each lot that is on its way comes when it is expected."""
        for lot in self._desk.store.part_lots(order=order, state=AWAITED):
            if lot.id not in self._lots and lot.eta_ns is not None:
                self._lots.add(lot.id)
                self._agenda.begin(self._receipt(lot.id, lot.dealer), lot.eta_ns)

    def _receipt(self, lot: str, dealer: str) -> Course:
        self._desk.receive_parts(lot, workshop(dealer))
        yield from ()

    def _until_slot(self, order: Order) -> int:
        return max(0, order.slots[0][0] - self._agenda.clock()) if order.slots else HOUR_NS

    def _in_hours(self, dealer: Dealer, work_ns: int) -> int:
        """How long it takes to work for so long in opening hours from now on."""
        now_ns = self._agenda.clock()
        hour = (now_ns + working_hours.offset_ns(dealer)) // HOUR_NS
        left_ns = work_ns
        for open_hour in working_hours.hours_between(dealer, hour, hour + 24 * 60):
            start_ns = max(now_ns, working_hours.slot(dealer, open_hour)[0])
            room_ns = working_hours.slot(dealer, open_hour)[1] - start_ns
            if left_ns <= room_ns:
                return start_ns + left_ns - now_ns
            left_ns -= room_ns
        return work_ns
