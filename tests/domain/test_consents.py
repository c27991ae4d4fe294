"""The latest statement of a purpose and channel counts, until its end; a vehicle without any is an operator's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.consents import Consent, ConsentChannel, ConsentVerdict, Purpose, consent_verdict

SERVICE, ORDER = Purpose.SERVICE, ConsentChannel.ORDER


def said(given_: bool, time_ns: int = 1, *, until_ns: int | None = None, purpose: Purpose = SERVICE) -> Consent:
    return Consent(vehicle="v", purpose=purpose, channel=ORDER, given=given_, time_ns=time_ns, until_ns=until_ns)


def test_a_vehicle_without_any_statement_is_a_fleet_operators() -> None:
    verdict = consent_verdict((), SERVICE, ORDER, 1)
    assert (verdict, verdict.agrees) == (ConsentVerdict.OPERATOR, True)


def test_what_was_agreed_to_for_one_purpose_holds_for_no_other() -> None:
    consents = [said(True)]
    assert consent_verdict(consents, SERVICE, ORDER, 1) is ConsentVerdict.GIVEN
    assert consent_verdict(consents, Purpose.RESCUE, ORDER, 1) is ConsentVerdict.NOT_GIVEN
    assert consent_verdict(consents, SERVICE, ConsentChannel.EMAIL, 1) is ConsentVerdict.NOT_GIVEN


def test_a_consent_ends_and_counts_for_what_was_recorded_before_it_was_given() -> None:
    consents = [said(True, 50, until_ns=100)]
    assert consent_verdict(consents, SERVICE, ORDER, 7) is ConsentVerdict.GIVEN
    assert consent_verdict(consents, SERVICE, ORDER, 100) is ConsentVerdict.EXPIRED


def test_refused_and_withdrawn_are_told_apart() -> None:
    assert consent_verdict([said(False)], SERVICE, ORDER, 9) is ConsentVerdict.NOT_GIVEN
    assert consent_verdict([said(True, 1), said(False, 2)], SERVICE, ORDER, 9) is ConsentVerdict.WITHDRAWN


@given(st.lists(st.booleans(), min_size=1), st.randoms())
def test_only_the_latest_statement_counts_in_whatever_order_they_come(answers: list[bool], shuffle: object) -> None:
    consents = [said(answer, number) for number, answer in enumerate(answers)]
    shuffle.shuffle(consents)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert consent_verdict(consents, SERVICE, ORDER, 0).agrees == answers[-1]
