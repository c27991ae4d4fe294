"""Gathers what the owner's page shows behind a link: the warning in plain words, where the visit stands, what it costs, what may be done."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from domain.findings import Urgency
from domain.fleet import Dealer, Vehicle
from domain.media import Attachment
from domain.orders import Order
from domain.owners import LinkPurpose, Owner, OwnerLink, Rating
from domain.quotes import Quote, QuoteLine
from domain.tickets import Ticket, TicketKind
from notifier.orders.order_states import OrderState
from notifier.orders.ordering import NOT_COME_YET
from notifier.owners.links import LinkVerdict, judge_link
from notifier.owners.pricing import Amounts, line_amounts, total_amounts
from notifier.owners.quoting import plan_lines
from web.api.owner_actions import CHOOSES_SLOT, RATED_STATES, slot_choices
from web.api.service import Service
from web.report import formats

TAX_UNKNOWN = "0"


class Deed(StrEnum):
    """What the owner may do on the page."""

    AGREE = "agree"
    SIGN = "sign"
    SLOT = "slot"
    ASK = "ask"
    RATE = "rate"
    COMPLAIN = "complain"
    BOOK = "book"


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedLine:
    """A line with what it comes to; `accepted` None while it was not answered."""

    line: QuoteLine
    amounts: Amounts
    accepted: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerPage:
    """All that the page shows.

    Attributes:
        order, dealer: None for a link about the vehicle alone, or while no dealer is chosen. quote: None = `lines` are an estimate from
            the plan, before tax. total: of lines that are not optional. agreed: what the accepted lines come to, None before the answer.
        times: proposed appointments, or the one that is booked, in the dealer's local time. is_booked: the latter.
        choices: (start in ns, local time) of the appointments that may be chosen.
        has_come: the vehicle is at the workshop or has been there: advice for the way there is over.
        must_stand: the vehicle must not be driven on: safety first, and nothing to do on this page.
    """

    token: str
    link: OwnerLink
    vehicle: Vehicle
    owner: Owner
    order: Order | None = None
    dealer: Dealer | None = None
    quote: Quote | None = None
    lines: tuple[PricedLine, ...] = ()
    total: Amounts | None = None
    agreed: Amounts | None = None
    states: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    is_booked: bool = False
    choices: tuple[tuple[int, str], ...] = ()
    has_come: bool = False
    must_stand: bool = False
    tickets: tuple[Ticket, ...] = ()
    media: tuple[Attachment, ...] = ()
    rating: Rating | None = None
    may: frozenset[Deed] = frozenset()


def opened(service: Service, token: str) -> tuple[OwnerLink | None, LinkVerdict]:
    """The link of a token and what it opens."""
    claim = service.links.claim(token)
    link = None if claim is None else service.store.paper(OwnerLink, claim.id)
    return link, judge_link(claim, link, service.clock())


def gather(service: Service, token: str, link: OwnerLink, verdict: LinkVerdict) -> OwnerPage | None:
    """The page behind a link that shows something; None where its order or vehicle is not there any more."""
    store = service.store
    vehicle = store.vehicle(link.vehicle)
    owner = store.paper(Owner, link.vehicle) or Owner(vehicle=link.vehicle)
    if vehicle is None:
        return None
    if not link.order:
        may = frozenset({Deed.BOOK}) if verdict is LinkVerdict.GOOD else frozenset()
        tickets = store.papers(Ticket, vehicle=link.vehicle, order="")
        own = tuple(each for each in tickets if each.kind is TicketKind.BOOKING)
        return OwnerPage(token=token, link=link, vehicle=vehicle, owner=owner, tickets=own, may=may)
    order = store.order(link.order)
    if order is None:
        return None
    dealer = next((each for each in store.dealers() if order.choice and each.id == order.choice.dealer), None)
    quote = None if order.quote is None else store.paper(Quote, f"{order.id}:{order.quote.version}")
    tickets = store.papers(Ticket, order=order.id)
    rating = store.paper(Rating, order.id)
    must_stand = order.recommendation.urgency is Urgency.STOP and order.state in NOT_COME_YET
    steps = [state for _, state in store.order_states(order.id)]
    return OwnerPage(
        token=token,
        link=link,
        vehicle=vehicle,
        owner=owner,
        order=order,
        dealer=dealer,
        quote=quote,
        lines=_lines(order, quote, dealer),
        total=_total(order, quote, dealer),
        agreed=_agreed(order, quote),
        states=tuple(state for number, state in enumerate(steps) if number == 0 or state != steps[number - 1]),
        times=tuple(formats.local_span(start, end, dealer.utc_offset_hours) for start, end in order.slots) if dealer else (),
        is_booked=order.state not in NOT_COME_YET or order.state == "scheduled",
        has_come=order.state not in NOT_COME_YET,
        choices=_choices(service, order, dealer) if link.purpose is LinkPurpose.VISIT else (),
        must_stand=must_stand,
        tickets=tuple(each for each in tickets if each.kind in (TicketKind.QUESTION, TicketKind.COMPLAINT)),
        media=store.papers(Attachment, order=order.id),
        rating=rating,
        may=frozenset() if must_stand else _deeds(order, link, verdict, rating),
    )


def _choices(service: Service, order: Order, dealer: Dealer | None) -> tuple[tuple[int, str], ...]:
    zone = dealer.utc_offset_hours if dealer else 0.0
    return tuple((start, formats.local_span(start, end, zone)) for start, end in slot_choices(service, order))


def _deeds(order: Order, link: OwnerLink, verdict: LinkVerdict, rating: Rating | None) -> frozenset[Deed]:
    deeds = {Deed.ASK, Deed.COMPLAIN}
    if verdict is LinkVerdict.GOOD:
        mark = order.quote
        if link.purpose is LinkPurpose.QUOTE and mark and mark.version == link.version and order.state == "quoted":
            deeds.add(Deed.SIGN)
        if link.purpose is LinkPurpose.VISIT and order.state == OrderState.PROPOSED:
            deeds.add(Deed.AGREE)
        if link.purpose is LinkPurpose.VISIT and order.state in CHOOSES_SLOT:
            deeds.add(Deed.SLOT)
        if link.purpose is LinkPurpose.RATE and rating is None and order.state in RATED_STATES:
            deeds.add(Deed.RATE)
    return frozenset(deeds)


def _lines(order: Order, quote: Quote | None, dealer: Dealer | None) -> tuple[PricedLine, ...]:
    if quote is None and dealer is None:
        return ()  # nobody's rates are known
    lines, tax_rate = (quote.lines, quote.tax_rate) if quote else (plan_lines(order, dealer), TAX_UNKNOWN)
    mark = order.quote
    answered = mark is not None and bool(mark.signed_by)
    return tuple(
        PricedLine(
            line=line,
            amounts=line_amounts(line, tax_rate),
            accepted=line.line in mark.accepted if mark is not None and answered else None,
        )
        for line in lines
    )


def _total(order: Order, quote: Quote | None, dealer: Dealer | None) -> Amounts | None:
    if quote is not None:
        return total_amounts(quote)
    if dealer is None:
        return None
    lines = plan_lines(order, dealer)
    estimate = Quote(
        order=order.id,
        version=0,
        vehicle=order.vehicle,
        currency=dealer.currency,
        tax_rate=TAX_UNKNOWN,
        lines=lines,
        author="",
        created_ns=0,
    )
    return total_amounts(estimate)


def _agreed(order: Order, quote: Quote | None) -> Amounts | None:
    mark = order.quote
    return total_amounts(quote, mark.accepted) if quote and mark and mark.signed_by else None


def money(amount: Decimal) -> str:
    """With thousands separated."""
    return f"{amount:,.2f}"
