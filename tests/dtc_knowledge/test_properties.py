"""What must hold for any signs, not only for the worked examples."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.findings import Urgency
from domain.fleet import Vehicle
from domain.ports import CodeTable, Knowledge
from dtc_knowledge.evidence import Observation
from dtc_knowledge.matching import match_pattern, shares
from dtc_knowledge.pattern import Pattern, Role
from tests.dtc_knowledge.builders import CAR, EV, TRUCK, case, code_alert, knowledge

KNOWLEDGE = knowledge()
PATTERNS = sorted(KNOWLEDGE.files.patterns.values(), key=lambda pattern: pattern.id)
CODES = sorted({sign.code for pattern in PATTERNS for sign in pattern.signs if "*" not in sign.code})
some_codes = st.lists(st.sampled_from(CODES), min_size=1, max_size=8, unique=True)
vehicles = st.sampled_from([CAR, EV, TRUCK])


def seen(codes: list[str]) -> Observation:
    return Observation(codes=dict.fromkeys(codes, 1.0))


def signs_of(pattern: Pattern, *roles: Role) -> list[str]:
    return [sign.code.replace("*", "00") for sign in pattern.signs if sign.role in roles]


@given(pattern=st.sampled_from(PATTERNS), data=st.data())
def test_supporting_evidence_never_lowers_the_belief_in_a_pattern(pattern: Pattern, data: st.DataObject) -> None:
    for_it = signs_of(pattern, Role.REQUIRED, Role.TRIGGER, Role.SUPPORT)
    if not for_it or any(several.role is Role.AGAINST for several in pattern.several):
        return  # where more of the same speaks for another pattern, more is not always more
    base = data.draw(st.lists(st.sampled_from(CODES), max_size=5, unique=True)) + signs_of(pattern, Role.REQUIRED)
    before = match_pattern(pattern, seen(base))
    after = match_pattern(pattern, seen([*base, data.draw(st.sampled_from(for_it))]))
    assert before is None or (after is not None and after.belief >= before.belief)


@given(pattern=st.sampled_from(PATTERNS), data=st.data())
def test_evidence_that_only_supports_a_pattern_never_lowers_its_leading_cause(pattern: Pattern, data: st.DataObject) -> None:
    named = {sign for cause in pattern.causes for shift in cause.shifts for sign in shift.signs}
    triggers = [c for c in signs_of(pattern, Role.TRIGGER) if c in CODES]
    neutral = [
        c for c in signs_of(pattern, Role.SUPPORT) if c in CODES and c not in named and not any("*" in sign for sign in named)
    ]
    if not triggers or not neutral:
        return
    base = seen([data.draw(st.sampled_from(triggers))])
    more = Observation(codes={**base.codes, data.draw(st.sampled_from(neutral)): 1.0})
    first, second = match_pattern(pattern, base), match_pattern(pattern, more)
    assert first is not None
    assert second is not None
    lead_before = first.belief * max(shares(pattern, base))
    assert second.belief * max(shares(pattern, more)) >= lead_before


@given(pattern=st.sampled_from(PATTERNS), data=st.data())
def test_evidence_against_a_pattern_never_raises_it(pattern: Pattern, data: st.DataObject) -> None:
    against = [c for c in signs_of(pattern, Role.AGAINST) if c not in signs_of(pattern, Role.TRIGGER, Role.SUPPORT)]
    triggers = signs_of(pattern, Role.TRIGGER)
    if not against or not triggers:
        return
    base = [data.draw(st.sampled_from(triggers))]
    before = match_pattern(pattern, seen(base))
    after = match_pattern(pattern, seen([*base, data.draw(st.sampled_from(against))]))
    assert before is not None
    assert after is not None
    assert after.belief < before.belief


@settings(max_examples=50)
@given(codes=some_codes, vehicle=vehicles, data=st.data())
def test_the_order_of_evidence_does_not_matter(codes: list[str], vehicle: Vehicle, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(codes))
    one, other = (
        [code_alert(code, incident="one", at_s=sorted(codes).index(code)) for code in order] for order in (codes, shuffled)
    )
    ordered = case(*one), case(*other)
    answers = [KNOWLEDGE.diagnose(c, "one", vehicle) for c in ordered]
    assert answers[0] == answers[1]
    assert KNOWLEDGE.recommend(ordered[0], answers[0], vehicle, 1) == KNOWLEDGE.recommend(ordered[1], answers[1], vehicle, 1)


@settings(max_examples=100)
@given(codes=some_codes, vehicle=vehicles)
def test_every_answer_is_well_formed(codes: list[str], vehicle: Vehicle) -> None:
    alerts = case(*(code_alert(code, incident="one") for code in codes))
    diagnosis = KNOWLEDGE.diagnose(alerts, "one", vehicle)
    recommendation = KNOWLEDGE.recommend(alerts, diagnosis, vehicle, 1)
    probabilities = [cause.probability for cause in diagnosis.causes]
    assert probabilities == sorted(probabilities, reverse=True)
    assert not probabilities or abs(sum(probabilities) - 1) < 1e-3
    assert all(p == round(p, 4) for p in probabilities)
    assert set(diagnosis.unexplained) <= set(codes)
    assert recommendation.plan
    assert not recommendation.plan[0].optional
    assert recommendation.checks
    assert recommendation.capabilities
    assert recommendation.urgency_reason.en
    assert recommendation.urgency_reason.zh
    assert (recommendation.urgency is Urgency.STOP) == (recommendation.drive == "no")
    assert len({line.operation for line in recommendation.plan}) == len(recommendation.plan)


@settings(max_examples=50)
@given(codes=some_codes)
def test_a_code_alone_is_never_more_urgent_than_its_table_entry_or_its_pattern_says(codes: list[str]) -> None:
    code = codes[0]
    alerts = case(code_alert(code))
    diagnosis = KNOWLEDGE.diagnose(alerts, alerts.alerts[0].incident_id, CAR)
    urgency = KNOWLEDGE.recommend(alerts, diagnosis, CAR, 1).urgency
    decisive = [p.urgency for p in PATTERNS if code in p.decisive]
    assert urgency <= max([KNOWLEDGE.lookup(code).urgency, *decisive])


def test_the_knowledge_keeps_its_contracts() -> None:
    table: CodeTable = KNOWLEDGE.codes
    expert: Knowledge = KNOWLEDGE
    assert table.lookup("P0301").code == "P0301"
    assert expert.diagnose(case(), "none", CAR).incident_id == "none"
