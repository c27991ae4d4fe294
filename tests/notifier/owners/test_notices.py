"""Who is told what of an order, by which way and when."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.consents import Consent, ConsentChannel, Purpose
from domain.errors import DataFileError
from domain.findings import Urgency
from domain.notices import NoticeKind, owner_recipient, vehicle_of_recipient
from domain.orders import Order, OrderKind
from domain.owners import LinkPurpose, Owner
from notifier.orders.order_states import SERVICE, OrderState
from notifier.orders.ordering import NOT_COME_YET
from notifier.owners.notice_words import SHIPPED, load_notice_words, shipped_notice_words
from notifier.owners.notices import HOUR_NS, Notice, NoticeOutcome, Reader, kind_at, loud_ns, order_notice
from notifier.owners.quoting import sign_off, with_quote
from tests.notifier.builders import WEDNESDAY_10_UTC_NS, dealer, recommendation, vehicle
from tests.notifier.owners.test_quoting import _order, _quote

NOW = WEDNESDAY_10_UTC_NS  # 18 o'clock in China
WAYS = {ConsentChannel.EMAIL: "email", ConsentChannel.SMS: "apprise"}


def given_to(channel: ConsentChannel, purpose: Purpose = Purpose.SERVICE, **more: object) -> Consent:
    fields = {"vehicle": "v1", "purpose": purpose, "channel": channel, "given": True, "time_ns": 1} | more
    return Consent(**fields)  # type: ignore[arg-type]


def reader(*consents: Consent, **wishes: object) -> Reader:
    return Reader(vehicle=vehicle(), owner=Owner(vehicle="v1", **wishes), consents=consents, ways=WAYS)  # type: ignore[arg-type]


def tell(kind: NoticeKind, order: Order, to: Reader, now_ns: int = NOW) -> Notice:
    return order_notice(
        kind,
        order,
        to,
        shipped_notice_words()[kind],
        dealer=dealer(),
        quote=_quote(order) if order.quote else None,
        address_of=lambda link: f"https://x.example/o/{link.id}",
        now_ns=now_ns,
    )


def quoted() -> Order:
    before = _order()
    return with_quote(before, _quote(before), time_ns=10, actor="d1").order


def test_a_quote_is_told_by_the_best_way_that_was_agreed_to() -> None:
    told = tell(NoticeKind.QUOTE_READY, quoted(), reader(given_to(ConsentChannel.EMAIL), given_to(ConsentChannel.SMS)))
    assert told.outcome is NoticeOutcome.SENT
    (event,) = told.outbox
    assert (event.channel, event.type, event.recipient) == ("apprise", "notice.quote_ready", owner_recipient("v1"))
    assert told.link is not None
    assert (told.link.purpose, told.link.order, told.link.version) == (LinkPurpose.QUOTE, "o1", 1)
    said = json.loads(event.body)["data"]
    assert said["title"] == {"en": "BYD Han: the quote is ready", "zh": "BYD Han：维修报价已出"}
    assert "1084.80 CNY" in said["text"]["zh"]
    assert said["text"]["en"].endswith(f"https://x.example/o/{told.link.id}")


@pytest.mark.parametrize(
    ("consents", "outcome"),
    [
        ((), NoticeOutcome.NO_OWNER),
        ((given_to(ConsentChannel.ORDER),), NoticeOutcome.NO_CONSENT),
        ((given_to(ConsentChannel.EMAIL, Purpose.INVITATION),), NoticeOutcome.NO_CONSENT),
        ((given_to(ConsentChannel.EMAIL), given_to(ConsentChannel.EMAIL, given=False, time_ns=2)), NoticeOutcome.NO_CONSENT),
        ((given_to(ConsentChannel.EMAIL, until_ns=NOW),), NoticeOutcome.NO_CONSENT),
        ((given_to(ConsentChannel.PHONE),), NoticeOutcome.CALL),
        ((given_to(ConsentChannel.APP),), NoticeOutcome.SENT),
    ],
)
def test_nobody_is_told_who_has_not_agreed(consents: tuple[Consent, ...], outcome: NoticeOutcome) -> None:
    told = tell(NoticeKind.QUOTE_READY, quoted(), reader(*consents))
    assert told.outcome is outcome
    assert bool(told.outbox) == (outcome is NoticeOutcome.SENT)
    assert (told.call is not None) == (outcome is NoticeOutcome.CALL)
    if told.outbox:
        assert told.outbox[0].channel == "log"  # no way to an app is set up: a person sees to it


def test_a_rating_takes_a_consent_of_its_own() -> None:
    order = replace(_order(), state="settled")
    assert tell(NoticeKind.RATING, order, reader(given_to(ConsentChannel.EMAIL))).outcome is NoticeOutcome.NO_CONSENT
    agreed = reader(given_to(ConsentChannel.EMAIL, Purpose.SURVEY))
    assert tell(NoticeKind.RATING, order, agreed).outcome is NoticeOutcome.SENT


@pytest.mark.parametrize("state", list(SERVICE))
@pytest.mark.parametrize("kind", [kind for kind in NoticeKind if kind is not NoticeKind.INVITATION])
def test_no_driver_of_a_car_that_must_stop_is_sent_a_link(state: OrderState, kind: NoticeKind) -> None:
    stop = replace(_order(state.value), recommendation=recommendation(urgency=Urgency.STOP))
    told = tell(kind, stop, reader(given_to(ConsentChannel.EMAIL), given_to(ConsentChannel.EMAIL, Purpose.SURVEY)))
    under_way = state in NOT_COME_YET and kind not in (NoticeKind.RATING, NoticeKind.FOLLOW_UP)
    assert (told.outcome is NoticeOutcome.DRIVING) == under_way
    assert bool(told.outbox) != under_way


def test_a_rescue_is_told_by_other_ways() -> None:
    rescue = replace(_order(), kind=OrderKind.RESCUE)
    assert all(kind_at(rescue, state.value) is None for state in OrderState)


def test_the_same_is_told_once_and_another_quote_again() -> None:
    agreed = reader(given_to(ConsentChannel.EMAIL))
    first = tell(NoticeKind.QUOTE_READY, quoted(), agreed).outbox[0]
    assert tell(NoticeKind.QUOTE_READY, quoted(), agreed, NOW + HOUR_NS).outbox[0].id == first.id
    before = _order()
    second = with_quote(before, _quote(before, 2), time_ns=10, actor="d1").order
    assert tell(NoticeKind.QUOTE_READY, second, agreed).outbox[0].id != first.id


def test_a_follow_up_names_what_was_declined() -> None:
    order = quoted()
    signed = sign_off(order, _quote(order), {1}, time_ns=20, wall_ns=21, actor="owner").order
    told = tell(NoticeKind.FOLLOW_UP, signed, reader(given_to(ConsentChannel.EMAIL)))
    assert "You declined: hose." in json.loads(told.outbox[0].body)["data"]["text"]["en"]
    assert told.link is not None
    assert (told.link.purpose, told.link.order) == (LinkPurpose.BOOK, "")


def test_a_sentence_with_what_is_not_known_is_left_out() -> None:
    words = shipped_notice_words()[NoticeKind.BOOKED]
    _, text = words.filled({"link": recommendation().advice})
    assert "{" not in text.en
    assert text.en.startswith("Look at it")


@given(
    hour=st.integers(0, 24 * 60 - 1),
    begin=st.integers(0, 24),
    end=st.integers(0, 24),
    offset=st.sampled_from((-5.0, 0.0, 5.5, 8.0)),
)
def test_no_message_goes_out_in_quiet_hours_nor_later_than_their_end(hour: int, begin: int, end: int, offset: float) -> None:
    owner = Owner(vehicle="v", quiet_from_hour=begin, quiet_to_hour=end, utc_offset_hours=offset)
    now_ns = 1000 * 24 * HOUR_NS + hour * 60 * 1_000_000_000

    def quiet(time_ns: int) -> bool:
        minute = (time_ns + round(offset * HOUR_NS)) // 60_000_000_000 % 1440
        if begin <= end:
            return begin * 60 <= minute < end * 60
        return minute >= begin * 60 or minute < end * 60

    loud = loud_ns(now_ns, owner)
    whole_day = (end - begin) % 24 == 0 and begin != end
    if whole_day:
        return
    assert not quiet(loud)
    assert (loud == now_ns) == (not quiet(now_ns))
    assert all(quiet(time_ns) for time_ns in range(now_ns, loud, 600_000_000_000))


def test_the_recipient_names_the_vehicle_and_nothing_else() -> None:
    assert vehicle_of_recipient(owner_recipient("v1")) == "v1"
    assert vehicle_of_recipient("SH-014") is None


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("  rating:", "  ratings:", "rating"),
        ("{car} is ready", "{plate} is ready", "plate"),
        ("link: rate", "link: nothing", "link"),
    ],
)
def test_wrong_words_are_refused_by_name(tmp_path: Path, before: str, after: str, what: str) -> None:
    file = tmp_path / "notices.yaml"
    file.write_text(SHIPPED.read_text(encoding="utf-8").replace(before, after), encoding="utf-8")
    with pytest.raises(DataFileError, match=what):
        load_notice_words(file)
