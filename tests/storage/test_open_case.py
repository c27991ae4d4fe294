"""The open part of a case: every store gives the same, it is small however long the history, and decisions need no more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.findings import Alert, AlertState
from domain.open_case import ENDED_ALERTS, open_part, overlaid
from domain.records import Commit, VehicleCase
from storage.database import open_store
from tests.storage.databases import fresh_url
from tests.storage.examples import CAR, KEY, OTHER_CAR, SECOND, alert, order, recommendation

OPEN_ORDERS = ("draft", "offered", "manual")


def alert_of(number: int, incident: int, state: AlertState) -> Alert:
    return replace(alert(f"alert-{number:04}", opened_s=number // 3, state=state), incident_id=f"incident-{incident}")


def made(alerts: list[tuple[int, AlertState]], orders: list[tuple[str, list[int]]]) -> VehicleCase:
    """Alerts as (incident, state), orders as (state, incidents)."""
    incidents = sorted({incident for incident, _ in alerts} | {incident for _, named in orders for incident in named})
    return VehicleCase(
        vehicle=CAR,
        alerts=tuple(alert_of(number, incident, state) for number, (incident, state) in enumerate(alerts)),
        recommendations=tuple(recommendation(name) for name in sorted(f"incident-{incident}" for incident in incidents)),
        orders=tuple(
            replace(
                order(f"order-{number:03}", state=state, created_s=number), incidents=tuple(f"incident-{each}" for each in named)
            )
            for number, (state, named) in enumerate(orders)
        ),
    )


cases = st.builds(
    made,
    st.lists(st.tuples(st.integers(0, 12), st.sampled_from(AlertState)), max_size=60),
    st.lists(
        st.tuples(st.sampled_from([*OPEN_ORDERS, "completed"]), st.lists(st.integers(0, 12), min_size=1, max_size=4)), max_size=6
    ),
)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases)
def test_a_database_gives_the_open_part_of_what_it_holds(
    kind: str, case: VehicleCase, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder: Path = tmp_path_factory.mktemp("store")
    with open_store(fresh_url(kind, folder), key=KEY) as store:
        store.commit(Commit(cases=(case, replace(made([(1, AlertState.OPEN)], []), vehicle=OTHER_CAR, alerts=()))))
        assert store.open_case(CAR, OPEN_ORDERS) == open_part(store.case(CAR), OPEN_ORDERS)


@given(case=cases)
def test_it_is_a_part_of_itself_and_lies_back_on_the_whole(case: VehicleCase) -> None:
    part = open_part(case, OPEN_ORDERS)
    assert open_part(part, OPEN_ORDERS) == part
    assert overlaid(case, part) == case


@given(case=cases)
def test_nothing_that_is_open_is_left_out(case: VehicleCase) -> None:
    part = open_part(case, OPEN_ORDERS)
    assert {a for a in case.alerts if a.state is not AlertState.RESOLVED} <= set(part.alerts)
    assert {o for o in case.orders if o.state in OPEN_ORDERS} <= set(part.orders)
    open_incidents = {a.incident_id for a in part.alerts if a.state is not AlertState.RESOLVED}
    assert {r for r in case.recommendations if r.incident_id in open_incidents} <= set(part.recommendations)
    assert {o for o in case.orders if not open_incidents.isdisjoint(o.incidents)} <= set(part.orders)


def test_a_source_that_flaps_for_years_does_not_make_it_grow() -> None:
    flaps = [(0, AlertState.OPEN), *[(0, AlertState.RESOLVED)] * 2_000]
    part = open_part(made(flaps, [("offered", [0])]), OPEN_ORDERS)
    assert len(part.alerts) == 1 + ENDED_ALERTS
    assert part.alerts[-1].opened_ns == 2_000 // 3 * SECOND
