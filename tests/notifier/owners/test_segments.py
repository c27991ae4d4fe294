"""Recency, frequency and money, and whom a campaign invites."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from domain.campaigns import Campaign, Invitation, Segment
from domain.consents import Consent, ConsentChannel, Purpose
from domain.findings import Text
from domain.fleet import Vehicle
from domain.owners import Owner
from notifier.owners.inviting import Selection, select
from notifier.owners.quoting import sign_off
from notifier.owners.segments import COUNTED_DAYS, DAY_NS, Rfm, Visits, rfm, visits_of
from tests.notifier.owners.test_notices import quoted
from tests.notifier.owners.test_quoting import _quote

NOW = 20_000 * DAY_NS
VISITS = st.builds(
    lambda days, count, cents: (days, count, cents),
    st.none() | st.integers(0, 2000),
    st.integers(0, 12),
    st.integers(0, 10**6),
)


def made(values: list[tuple[int | None, int, int]]) -> list[Visits]:
    return [
        Visits(vehicle=f"v{number:03d}")
        if days is None
        else Visits(vehicle=f"v{number:03d}", last_ns=NOW - days * DAY_NS, count=count, spent=Decimal(cents) / 100)
        for number, (days, count, cents) in enumerate(values)
    ]


def test_visits_count_for_two_years_and_money_is_what_was_agreed_to() -> None:
    order = quoted()
    quote = _quote(order)
    signed = sign_off(order, quote, {1}, time_ns=NOW, wall_ns=NOW, actor="owner").order
    done = replace(signed, state="settled", updated_ns=NOW)
    old = replace(done, id="o2", updated_ns=NOW - (COUNTED_DAYS + 1) * DAY_NS)
    running = replace(done, id="o3", state="ready")
    (v1, v2) = visits_of(["v2", "v1"], [done, old, running], {quote.id: quote}, NOW)
    assert (v1.vehicle, v1.last_ns, v1.count, v1.spent) == ("v1", NOW, 1, Decimal("542.40"))
    assert v2 == Visits(vehicle="v2")


def test_owners_who_stayed_away_are_told_from_those_who_come() -> None:
    often = [(10, 9, 900_000), (20, 8, 800_000), (900, 7, 700_000), (950, 1, 100), (5, 1, 200), (None, 0, 0)]
    assert [each.segment for each in rfm(made(often), NOW)] == [
        Segment.CHAMPION,
        Segment.LOYAL,
        Segment.AT_RISK,
        Segment.LOST,
        Segment.NEW,
        Segment.NEVER,
    ]


@given(values=st.lists(VISITS, max_size=40))
def test_scores_follow_the_order_of_the_values(values: list[tuple[int | None, int, int]]) -> None:
    visits = made(values)
    scored = rfm(visits, NOW)
    assert [each.vehicle for each in scored] == [each.vehicle for each in visits]
    came = [each for each in scored if each.recency_days is not None]
    assert all(1 <= score <= 5 for each in came for score in each.scores)
    for one in came:
        for other in came:
            if one.money <= other.money:
                assert one.scores[2] <= other.scores[2]
            if one.frequency <= other.frequency:
                assert one.scores[1] <= other.scores[1]
            if (one.recency_days or 0) < (other.recency_days or 0):
                assert one.scores[0] >= other.scores[0]
    assert all((each.segment is Segment.NEVER) == (each.recency_days is None) for each in scored)


CAMPAIGN = Campaign(
    id="c",
    title=Text(en="check", zh="检测"),
    about=Text(en="a", zh="b"),
    segments=(),
    brands=(),
    models=(),
    benefit="",
    benefit_until_ns=0,
    cap_days=90,
    limit=10,
    author="a",
    created_ns=0,
)


def owners_select(
    campaign: Campaign, scored: list[Rfm], agreed: set[str], invitations: list[Invitation] | None = None
) -> Selection:
    vehicles = {each.vehicle: Vehicle(id=each.vehicle, brand="BYD", model="Han") for each in scored}

    def consents(vehicle: str) -> list[Consent]:
        given_by = vehicle in agreed
        return [Consent(vehicle=vehicle, purpose=Purpose.INVITATION, channel=ConsentChannel.SMS, given=given_by, time_ns=1)]

    return select(campaign, scored, vehicles, lambda vehicle: Owner(vehicle=vehicle), consents, invitations or [], NOW)


def test_a_campaign_invites_whom_it_means_who_agreed_and_was_not_invited_lately() -> None:
    scored = list(rfm(made([(10, 3, 500), (20, 3, 900), (30, 3, 100), (None, 0, 0), (40, 3, 50)]), NOW))
    agreed = {"v000", "v001", "v002", "v003"}
    lately = [Invitation(campaign="b", vehicle="v002", state="sent", created_ns=NOW - 89 * DAY_NS)]
    chosen = owners_select(CAMPAIGN, scored, agreed, lately)
    assert chosen.vehicles == ("v000", "v001", "v003")
    assert dict(chosen.counts) == {"invited": 3, "capped": 1, "no_consent": 1}
    never = owners_select(replace(CAMPAIGN, segments=(Segment.NEVER,)), scored, agreed)
    assert never.vehicles == ("v003",)
    assert owners_select(replace(CAMPAIGN, brands=("Lada",)), scored, agreed).vehicles == ()
    one = owners_select(replace(CAMPAIGN, limit=1), scored, agreed)
    assert (one.vehicles, dict(one.counts)["over_limit"]) == (("v001",), 3)
    assert one.mark != chosen.mark
    assert one.mark == owners_select(replace(CAMPAIGN, limit=1), scored, agreed).mark


@given(
    values=st.lists(VISITS, max_size=20),
    agreed=st.sets(st.integers(0, 19)),
    lately=st.lists(st.tuples(st.integers(0, 19), st.integers(0, 200)), max_size=10),
    limit=st.integers(0, 8),
)
def test_no_owner_is_invited_without_consent_or_over_a_cap(
    values: list[tuple[int | None, int, int]], agreed: set[int], lately: list[tuple[int, int]], limit: int
) -> None:
    scored = list(rfm(made(values), NOW))
    names = {f"v{number:03d}" for number in agreed}
    invitations = [
        Invitation(campaign="b", vehicle=f"v{number:03d}", state="sent", created_ns=NOW - days * DAY_NS)
        for number, days in lately
    ]
    chosen = owners_select(replace(CAMPAIGN, limit=limit), scored, names, invitations)
    assert len(chosen.vehicles) <= limit
    assert set(chosen.vehicles) <= names
    assert not set(chosen.vehicles) & {each.vehicle for each in invitations if each.created_ns > NOW - 90 * DAY_NS}
    assert sum(count for _, count in chosen.counts) == len(scored)
