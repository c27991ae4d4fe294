"""Whether, how and when the owner of a vehicle is told of an order: pure decisions with a named outcome.

A driver who may be under way with a car that must stop gets no message with a link: that is for the car's own display and the call
centre. Nothing goes out without the owner's consent for the purpose by that way, nor in quiet hours (it waits until they are over).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.consents import Consent, ConsentChannel, ConsentVerdict, Purpose, consent_verdict
from domain.findings import Text, Urgency
from domain.fleet import Dealer, Vehicle
from domain.notices import NoticeKind, owner_recipient
from domain.orders import Order, OrderKind
from domain.owners import LinkPurpose, Owner, OwnerLink
from domain.quotes import Quote
from domain.records import OutboxEvent
from domain.tickets import Ticket, TicketKind, ticket_id
from notifier.identity import event_id
from notifier.orders.consent_gate import purpose_of
from notifier.orders.ordering import NOT_COME_YET
from notifier.owners.links import new_link
from notifier.owners.notice_words import NoticeWords
from notifier.owners.pricing import total_amounts
from notifier.owners.quoting import declined_work
from notifier.push.messages import rfc3339, text_json

HOUR_NS = 3600 * 1_000_000_000
CALL_WITHIN_NS = 24 * HOUR_NS
BY_HAND = "log"
"""Channel of messages that no configured way takes: a person sees to them."""

_BY_STATE = {
    "proposed": NoticeKind.PROPOSED,
    "accepted": NoticeKind.ACCEPTED,
    "scheduled": NoticeKind.BOOKED,
    "quoted": NoticeKind.QUOTE_READY,
    "on_hold": NoticeKind.ON_HOLD,
    "ready": NoticeKind.READY,
    "settled": NoticeKind.RATING,
    "closed": NoticeKind.RATING,
}
"""What reaching a state tells the owner."""


class NoticeOutcome(StrEnum):
    """What becomes of a message."""

    NOTHING = "nothing"
    """There is nothing to tell."""
    SENT = "sent"
    CALL = "call"
    """The owner wants to be called: a task for the call centre."""
    DRIVING = "driving"
    """The driver may be under way with a car that must stop."""
    NO_OWNER = "no_owner"
    """A fleet's operator runs the vehicle: its own systems tell its drivers."""
    NO_CONSENT = "no_consent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What was decided, and what is written for it in one transaction."""

    outcome: NoticeOutcome
    outbox: tuple[OutboxEvent, ...] = ()
    link: OwnerLink | None = None
    call: Ticket | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """To whom it goes.

    Attributes:
        consents: all statements for the vehicle. ways: channel of the outbox by which an owner can be reached, by consent's channel.
    """

    vehicle: Vehicle
    owner: Owner
    consents: tuple[Consent, ...]
    ways: Mapping[ConsentChannel, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """How owners are told.

    Attributes:
        words: by kind. ways: channel of the outbox by the consent's channel. address_of: a link's address. clock: wall time in ns.
    """

    words: Mapping[NoticeKind, NoticeWords]
    ways: Mapping[ConsentChannel, str]
    address_of: Callable[[OwnerLink], str]
    clock: Callable[[], int]


def kind_at(order: Order, state: str) -> NoticeKind | None:
    """What the owner is told when the order comes into this state; None for nothing. A rescue is told by other ways."""
    return _BY_STATE.get(state) if order.kind is OrderKind.SERVICE else None


def may_be_driving(order: Order, kind: NoticeKind) -> bool:
    """Whether the car must stop and has not come yet, so that its driver must not be sent a link."""
    before_visit = kind not in (NoticeKind.RATING, NoticeKind.FOLLOW_UP)
    return before_visit and order.recommendation.urgency is Urgency.STOP and order.state in NOT_COME_YET


def order_notice(
    kind: NoticeKind,
    order: Order,
    reader: Reader,
    words: NoticeWords,
    *,
    dealer: Dealer | None,
    quote: Quote | None,
    address_of: Callable[[OwnerLink], str],
    now_ns: int,
) -> Notice:
    """A message about an order.

    Args:
        words: of the kind. dealer, quote: the order's, None where it has none. address_of: a link's address. now_ns: wall time.
    """
    if may_be_driving(order, kind):
        return Notice(outcome=NoticeOutcome.DRIVING)
    on_vehicle = words.link is LinkPurpose.BOOK
    link = new_link(
        words.link,
        vehicle=order.vehicle,
        order="" if on_vehicle else order.id,
        version=order.quote.version if words.link is LinkPurpose.QUOTE and order.quote else 0,
        now_ns=now_ns,
    )
    filled = words.filled(_order_words(order, reader, dealer, quote, address_of(link)))
    purpose = words.purpose or purpose_of(order.kind, order.group_key)
    return told(kind, filled, purpose, reader, about=order.id, number=_number(kind, order), link=link, now_ns=now_ns)


def told(
    kind: NoticeKind,
    filled: tuple[Text, Text],
    purpose: Purpose,
    reader: Reader,
    *,
    about: str,
    number: int,
    link: OwnerLink,
    now_ns: int,
) -> Notice:
    """The message by the owner's best way that was agreed to, or a call, or why not.

    Args:
        filled: title and text. about, number: of what it tells; the same are told once.
    """
    vehicle = reader.vehicle.id
    if not reader.consents:
        return Notice(outcome=NoticeOutcome.NO_OWNER)
    agreed = [way for way in reader.owner.channels if _agrees(reader.consents, purpose, way, now_ns)]
    if not agreed:
        if not _agrees(reader.consents, purpose, ConsentChannel.PHONE, now_ns):
            return Notice(outcome=NoticeOutcome.NO_CONSENT)
        call = Ticket(
            id=ticket_id(TicketKind.CALL, about, kind, str(number)),
            kind=TicketKind.CALL,
            vehicle=vehicle,
            order=link.order,
            reason=kind.value,
            text=filled[0].zh if reader.owner.language == "zh" else filled[0].en,
            author="system",
            created_ns=now_ns,
            due_ns=max(now_ns + CALL_WITHIN_NS, loud_ns(now_ns, reader.owner)),
        )
        return Notice(outcome=NoticeOutcome.CALL, call=call)
    channel = next((reader.ways[way] for way in agreed if way in reader.ways), BY_HAND)
    event = _event(kind, filled, vehicle, about, number, link, channel, loud_ns(now_ns, reader.owner), now_ns)
    return Notice(outcome=NoticeOutcome.SENT, outbox=(event,), link=link)


def loud_ns(now_ns: int, owner: Owner) -> int:
    """Now, or the end of the owner's quiet hours where now is in them."""
    begin, end = owner.quiet_from_hour, owner.quiet_to_hour
    local_ns = now_ns + round(owner.utc_offset_hours * HOUR_NS)
    of_day_ns = local_ns % (24 * HOUR_NS)
    hour = of_day_ns / HOUR_NS
    is_quiet = begin <= hour < end if begin <= end else hour >= begin or hour < end
    if not is_quiet:
        return now_ns
    return now_ns + (end * HOUR_NS - of_day_ns) % (24 * HOUR_NS)


def _agrees(consents: Iterable[Consent], purpose: Purpose, way: ConsentChannel, now_ns: int) -> bool:
    return consent_verdict(consents, purpose, way, now_ns) is ConsentVerdict.GIVEN


def _number(kind: NoticeKind, order: Order) -> int:
    """What makes a second message of the kind about the same order another one."""
    match kind:
        case NoticeKind.BOOKED | NoticeKind.REMINDER:
            return order.slots[0][0] if order.slots else 0
        case NoticeKind.QUOTE_READY | NoticeKind.FOLLOW_UP:
            return order.quote.version if order.quote else order.version
        case NoticeKind.ON_HOLD | NoticeKind.READY:
            return order.version
        case NoticeKind.ACCEPTED:
            return len(order.refused_by)
        case _:
            return 0


def _order_words(order: Order, reader: Reader, dealer: Dealer | None, quote: Quote | None, address: str) -> dict[str, Text]:
    words = {"car": car_name(reader.vehicle), "advice": order.recommendation.advice, "link": same_text(address)}
    if dealer is not None:
        words["dealer"] = dealer.name
        if order.slots:
            words["time"] = same_text(local_time(order.slots[0][0], dealer.utc_offset_hours))
    if quote is not None:
        words["total"] = same_text(f"{total_amounts(quote).due} {quote.currency}")
        declined = declined_work(order, quote)
        if declined:
            words["lines"] = Text(
                en=", ".join(line.description.en for line in declined), zh="、".join(line.description.zh for line in declined)
            )
    return words


def car_name(vehicle: Vehicle) -> Text:
    """Brand and model."""
    named = " ".join(filter(None, (vehicle.brand, vehicle.model)))
    return same_text(named) if named else Text(en="Your car", zh="您的爱车")


def local_time(time_ns: int, utc_offset_hours: float) -> str:
    """`2026-03-02 09:00` so many hours ahead of UTC."""
    return rfc3339(time_ns + round(utc_offset_hours * HOUR_NS))[:16].replace("T", " ")


def same_text(text: str) -> Text:
    """The same in both languages."""
    return Text(en=text, zh=text)


def _event(
    kind: NoticeKind,
    filled: tuple[Text, Text],
    vehicle: str,
    about: str,
    number: int,
    link: OwnerLink,
    channel: str,
    due_ns: int,
    now_ns: int,
) -> OutboxEvent:
    recipient, event_type = owner_recipient(vehicle), f"notice.{kind.value}"
    identity = event_id(about, number, recipient, event_type)
    title, text = filled
    body = {
        "specversion": "1.0",
        "id": identity,
        "source": "/pitcall/notices",
        "type": event_type,
        "subject": about,
        "time": rfc3339(now_ns),
        "datacontenttype": "application/json",
        "data": {
            "kind": kind.value,
            "order_id": link.order or None,
            "vehicle": vehicle,
            "title": text_json(title),
            "text": text_json(text),
        },
    }
    return OutboxEvent(
        id=identity,
        type=event_type,
        subject=about,
        recipient=recipient,
        channel=channel,
        body=json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")),
        due_ns=due_ns,
    )
