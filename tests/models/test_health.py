"""Health scores: what they fall by, and that their reasons account for all of it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.findings import Alert, AlertState, Source, SourceKind, Urgency
from models.health import LOSSES, champions, system_health
from tests.storage import examples
from tests.storage.test_predictions import RISK


def alert(number: int, urgency: Urgency, group: str = "engine.cooling", incident: str = "i1") -> Alert:
    return replace(examples.alert(f"a{number}"), urgency=urgency, group_key=group, incident_id=incident)


def test_a_vehicle_of_which_nothing_is_known_has_no_scores() -> None:
    assert system_health((), (), ()) == ()
    assert system_health([replace(alert(1, Urgency.STOP), state=AlertState.RESOLVED)], (), ()) == ()


def test_several_words_on_one_incident_are_one_matter() -> None:
    model = replace(alert(2, Urgency.TODAY), source=Source(kind=SourceKind.MODEL, id="coolant_residual"))
    diagnosis = replace(examples.recommendation("i1"), urgency=Urgency.SOON)
    (health,) = system_health([alert(1, Urgency.SOON), model], [diagnosis], ())
    assert health.system == "engine.cooling"
    assert health.score == pytest.approx(100.0 * (1.0 - LOSSES[Urgency.TODAY]))
    (matter,) = health.matters
    assert [reason.kind for reason in matter.reasons] == ["model", "rule", "diagnosis"]


def test_a_risk_joins_the_open_incident_of_its_group_and_stands_alone_otherwise() -> None:
    risk = replace(RISK, group_key="electrical.12v", probability=0.5)
    (alone,) = system_health((), (), [risk])
    assert alone.score == pytest.approx(70.0)
    assert alone.matters[0].reasons[0].kind == "risk"
    (joined,) = system_health([alert(1, Urgency.TODAY, "electrical.12v")], (), [risk])
    assert joined.score == pytest.approx(40.0)
    assert [reason.kind for reason in joined.matters[0].reasons] == ["rule", "risk"]


def test_systems_are_told_apart_and_the_worst_comes_first() -> None:
    found = system_health([alert(1, Urgency.NEXT, "chassis.brake/pads", "i1"), alert(2, Urgency.STOP, incident="i2")], (), ())
    assert [each.system for each in found] == ["engine.cooling", "chassis.brake"]


def test_an_unlikely_failure_takes_nothing_worth_telling() -> None:
    (health,) = system_health((), (), [replace(RISK, probability=0.001)])
    assert health.score > 99.9
    assert health.matters == ()


def test_the_latest_champion_of_each_component_speaks() -> None:
    shadow, later = replace(RISK, model="m2", champion=False, day=20_009), replace(RISK, model="m3", day=20_005, probability=0.1)
    tyre = replace(RISK, component="tyre", probability=0.2)
    assert champions([RISK, shadow, later, tyre]) == (tyre, later)


@given(st.lists(st.tuples(st.sampled_from(Urgency), st.integers(0, 4)), min_size=1, max_size=8))
def test_points_account_for_what_is_missing_and_more_trouble_never_helps(told: list[tuple[Urgency, int]]) -> None:
    alerts = [alert(number, urgency, incident=f"i{incident}") for number, (urgency, incident) in enumerate(told)]
    (health,) = system_health(alerts, (), ())
    assert 0.0 <= health.score <= 100.0
    assert sum(matter.points for matter in health.matters) == pytest.approx(100.0 - health.score)
    for number in range(len(alerts)):
        fewer = system_health(alerts[:number] + alerts[number + 1 :], (), ())
        assert not fewer or fewer[0].score >= health.score - 1e-9
