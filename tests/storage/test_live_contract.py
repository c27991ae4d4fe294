"""What every store promises to live operation, run over memory, an SQLite file and, where one is given, PostgreSQL."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from domain.findings import Alert, AlertState, Severity, SourceKind, Text, Urgency
from domain.fleet import Dealer, Vehicle
from domain.live import ApiKey, EventKind, FeedEvent, VehicleSighting
from domain.notices import owner_recipient
from domain.orders import Order
from domain.records import Commit, OutboxEvent, SeenSequences, VehicleCase
from domain.standing import Resolution
from storage.database import open_store
from storage.memory_store import MemoryStore
from storage.sql_store import SqlStore
from tests.storage import examples
from tests.storage.databases import fresh_url
from tests.storage.examples import CAR, KEY, OTHER_CAR, SECOND

AnyStore = MemoryStore | SqlStore


def newer_contents(
    stored: Order, ours: Order, _case: VehicleCase, _vehicle: Vehicle, dealer: Dealer | None
) -> tuple[Order, tuple[OutboxEvent, ...]]:
    """Lays what the pipeline recommends over what people made of the order, and tells the dealer."""
    after = dataclasses.replace(stored, recommendation=ours.recommendation, version=stored.version + 1)
    return after, (dataclasses.replace(examples.event("push-settled"), recipient=dealer.id if dealer else "nobody"),)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., AnyStore]:
    """Opens the store; twice gives two ways into the same data (memory: an empty one)."""
    clock = itertools.count(1_000).__next__
    if request.param == "memory":
        return lambda **options: MemoryStore(clock=clock, **options)
    url = fresh_url(request.param, tmp_path)
    return lambda **options: open_store(url, key=KEY, clock=clock, **options)


@pytest.fixture
def store(opened: Callable[..., AnyStore]) -> Iterator[AnyStore]:
    with opened() as one:
        yield one


def case_of(*, alerts: tuple[Alert, ...] = (), orders: tuple[Order, ...] = ()) -> Commit:
    return Commit(cases=(VehicleCase(vehicle=CAR, alerts=alerts, orders=orders),))


def feed(store: AnyStore) -> list[tuple[str, str, str]]:
    return [(event.kind.value, event.subject, json.loads(event.body).get("change", "")) for event in store.events(0, 100)]


def test_an_empty_store_has_no_events_figures_keys_or_vehicles(store: AnyStore) -> None:
    assert (store.events(0, 10), store.last_event_id(), store.figures(), store.api_key("x")) == ((), 0, {}, None)
    assert (store.vehicle_summaries(), store.oldest_pending_ns(), store.outbox_counts(), store.open_alert_counts()) == (
        (),
        None,
        {},
        {},
    )
    assert store.funnel() == dataclasses.replace(
        store.funnel(), alerts=0, incidents=0, orders=0, told=0, owners_told=0, reached=(), now=()
    )


def test_every_change_of_an_alert_is_told_once(store: AnyStore) -> None:
    opened = examples.alert()
    counted = dataclasses.replace(opened, occurrences=2, updated_ns=opened.updated_ns + 1)
    worse = dataclasses.replace(counted, severity=Severity.CRITICAL, title=Text(en="Worse", zh="更糟"))
    for alert in (opened, opened, counted, worse, dataclasses.replace(worse, state=AlertState.RESOLVED), worse):
        store.commit(case_of(alerts=(alert,)))
    changes = ["opened", "repeated", "changed", "resolved", "reopened"]
    assert feed(store) == [("alert", "alert-1", change) for change in changes]


def test_every_change_of_an_order_is_told_once(store: AnyStore) -> None:
    first = examples.order()
    grown = dataclasses.replace(first, version=2, incidents=("a", "b"))
    for order in (first, first, grown, dataclasses.replace(grown, version=3, state="cancelled")):
        store.commit(case_of(orders=(order,)))
    assert feed(store) == [("order", "order-1", change) for change in ("created", "updated", "state")]
    assert json.loads(store.events(2, 1)[0].body)["state_before"] == "offered"


def test_the_events_of_one_order_are_found(store: AnyStore) -> None:
    first = examples.order()
    store.commit(case_of(orders=(first,), alerts=(examples.alert(),)))
    store.commit(case_of(orders=(dataclasses.replace(first, version=2, state="accepted"),)))
    assert [json.loads(event.body)["state"] for event in store.events_of("order-1")] == [first.state, "accepted"]
    assert store.events_of("unknown") == ()


def test_the_mark_of_the_network_changes_with_dealers_and_orders_only(store: AnyStore) -> None:
    marks = [store.network_mark()]
    for change in (
        lambda: store.save_dealers([examples.dealer()]),
        lambda: store.save_dealers([dataclasses.replace(examples.dealer(), capacity_per_day=99)]),
        lambda: store.commit(case_of(orders=(examples.order(),))),
        lambda: store.change_order(examples.order(version=2, state="accepted"), 1),
    ):
        change()
        assert store.network_mark() not in marks
        marks.append(store.network_mark())
    store.save_dealers([dataclasses.replace(examples.dealer(), capacity_per_day=99)])
    store.commit(case_of(alerts=(examples.alert(),)))
    assert store.network_mark() == marks[-1]


def test_attempts_of_a_push_are_told(store: AnyStore) -> None:
    store.commit(Commit(outbox=(examples.event(),)))
    tried = dataclasses.replace(examples.event(), attempts=1, due_ns=9)
    store.record(tried)
    store.record(dataclasses.replace(tried, due_ns=5))  # no attempt
    store.record(dataclasses.replace(tried, attempts=2, state="delivered"))
    bodies = [json.loads(event.body) for event in store.events(0, 10)]
    assert [(body["state"], body["attempts"], body["order"]) for body in bodies] == [
        ("pending", 1, "order-1"),
        ("delivered", 2, "order-1"),
    ]


def test_the_feed_is_read_on_from_an_id_and_forgotten_by_time_without_using_ids_again(store: AnyStore) -> None:
    for number in range(5):
        store.append_event(FeedEvent(kind=EventKind.PIPELINE, subject=f"{number}", vehicle="", body="{}"))
    ids = [event.id for event in store.events(0, 100)]
    assert ids == sorted(set(ids))
    assert [event.subject for event in store.events(ids[1], 2)] == ["2", "3"]
    assert store.last_event_id() == ids[-1]
    times = [event.time_ns for event in store.events(0, 100)]
    assert store.delete_events(times[3]) == 3
    assert [event.subject for event in store.events(0, 100)] == ["3", "4"]
    store.delete_events(2**62)
    store.append_event(FeedEvent(kind=EventKind.PIPELINE, subject="later", vehicle="", body="{}"))
    assert store.events(ids[-1], 10)[0].subject == "later"


def test_events_say_nothing_of_owners_and_positions(store: AnyStore) -> None:
    store.register([(examples.vehicle(), examples.vault())])
    store.commit(examples.everything())
    text = " ".join(event.body for event in store.events(0, 100))
    assert not any(secret in text for secret in (examples.VIN, "王芳", "138", "31.2", "121.5"))


def test_an_acknowledged_alert_stays_so_until_it_is_resolved(store: AnyStore) -> None:
    store.commit(case_of(alerts=(examples.alert(),)))
    assert store.acknowledge_alert("alert-1")
    assert not store.acknowledge_alert("alert-1")
    assert not store.acknowledge_alert("unknown")
    store.commit(case_of(alerts=(examples.alert(occurrences=5),)))
    found = store.alert("alert-1")
    assert found is not None
    assert (found.state, found.occurrences) == (AlertState.ACKNOWLEDGED, 5)
    store.commit(case_of(alerts=(examples.alert(state=AlertState.RESOLVED),)))
    assert [alert.state for alert in store.alerts()] == [AlertState.RESOLVED]


def test_a_confirmed_repair_ends_the_open_alerts_of_its_incidents_for_good(store: AnyStore) -> None:
    ours = examples.alert()
    model = dataclasses.replace(ours, id="judged", source=dataclasses.replace(ours.source, kind=SourceKind.MODEL))
    store.commit(case_of(alerts=(ours, model), orders=(examples.order(version=1),)))
    mended = [ours.incident_id]
    assert not store.change_order(examples.order(version=9), 8, mended=mended)
    assert store.alerts(state=AlertState.RESOLVED) == ()
    assert store.change_order(examples.order(version=2, state="ready"), 1, mended=mended)
    found = {alert.id: (alert.state, alert.standing.resolution) for alert in store.alerts()}
    assert found == {
        ours.id: (AlertState.RESOLVED, Resolution.REPAIRED),
        "judged": (AlertState.OPEN, Resolution.NONE),
    }
    told = [json.loads(event.body) for event in store.events(0, 100) if event.subject == ours.id]
    assert told[-1]["change"] == "resolved"
    store.commit(case_of(alerts=(examples.alert(occurrences=5),)))
    assert found[ours.id] == ((kept := store.alert(ours.id)) and kept.state, Resolution.REPAIRED), "the pipeline saw it open"


def test_an_order_is_changed_only_from_the_version_that_was_seen(store: AnyStore) -> None:
    store.commit(case_of(orders=(examples.order(version=1),)))
    accepted = examples.order(version=2, state="accepted")
    assert store.change_order(accepted, 1, outbox=(examples.event("told"),))
    assert not store.change_order(examples.order(version=2, state="declined"), 1, outbox=(examples.event("not told"),))
    assert not store.change_order(examples.order("unknown", version=2), 1)
    found = store.order("order-1")
    assert found is not None
    assert (found.state, found.version, found.people_version) == ("accepted", 2, 2)
    assert store.order_states("order-1") == ((1, "offered"), (2, "accepted"))
    assert [event.id for event in store.outbox_events()] == ["told"]
    assert feed(store)[-1] == ("order", "order-1", "state")


@pytest.mark.parametrize("versions_ahead", [1, 2, 3])
def test_the_pipeline_does_not_overwrite_what_people_made_of_an_order(store: AnyStore, versions_ahead: int) -> None:
    seen = examples.order(version=1)
    store.commit(case_of(orders=(seen,)))
    assert store.change_order(dataclasses.replace(seen, version=2, state="accepted"), 1)
    stale = dataclasses.replace(seen, version=1 + versions_ahead, state="dispatching", incidents=("a", "b"))
    stale_push, other_push = examples.event("stale"), dataclasses.replace(examples.event("other"), subject="order-2")
    changes = case_of(alerts=(examples.alert(),), orders=(stale,))
    store.commit(dataclasses.replace(changes, outbox=(stale_push, other_push)))
    found = store.order("order-1")
    assert found is not None
    assert (found.state, found.version, found.incidents) == ("accepted", 2, seen.incidents)
    assert [event.id for event in store.outbox_events()] == ["other"]
    assert [alert.id for alert in store.alerts()] == ["alert-1"], "the rest of the commit is stored"


def test_what_the_pipeline_wanted_is_laid_over_what_people_made_of_it(opened: Callable[..., AnyStore]) -> None:
    with opened(settle=newer_contents) as store:
        store.save_dealers([examples.dealer()])
        seen = examples.order(version=1)
        store.commit(case_of(orders=(seen,)))
        assert store.change_order(dataclasses.replace(seen, version=2, state="accepted"), 1)
        urgent = dataclasses.replace(seen.recommendation, urgency=Urgency.TODAY)
        stale = dataclasses.replace(seen, version=2, recommendation=urgent)
        store.commit(dataclasses.replace(case_of(orders=(stale,)), outbox=(examples.event("stale"),)))
        found = store.order("order-1")
        assert found is not None
        assert (found.state, found.version, found.people_version) == ("accepted", 3, 2)
        assert found.recommendation.urgency is Urgency.TODAY
        assert [(event.id, event.recipient) for event in store.outbox_events()] == [("push-settled", "SH-001")]


def test_the_pipeline_goes_on_with_an_order_once_it_has_seen_what_people_did(store: AnyStore) -> None:
    store.commit(case_of(orders=(examples.order(version=1),)))
    store.change_order(examples.order(version=2, state="accepted"), 1)
    (seen,) = store.case(CAR).orders
    store.commit(case_of(orders=(dataclasses.replace(seen, version=3, incidents=("a", "b")),)))
    (found,) = store.orders()
    assert (found.version, found.state, found.incidents) == (3, "accepted", ("a", "b"))


def test_an_older_commit_done_again_does_not_turn_an_order_back(store: AnyStore) -> None:
    for version in (1, 2, 1):
        store.commit(case_of(orders=(examples.order(version=version),)))
    assert [order.version for order in store.orders()] == [2]


def urgent(identifier: str, *, due_ns: int) -> OutboxEvent:
    return dataclasses.replace(examples.event(identifier, due_ns=due_ns), body='{"data":{"priority":"P0"}}')


def test_claims_are_given_once_critical_ones_first_and_end_by_themselves(store: AnyStore) -> None:
    store.commit(Commit(outbox=(examples.event("b", due_ns=1), examples.event("c", due_ns=2), urgent("a", due_ns=5))))
    claimed = store.claim_due(5, 2, until_ns=100)
    assert [(event.id, event.due_ns) for event in claimed] == [("a", 5), ("b", 1)]
    assert [event.id for event in store.claim_due(5, 9, until_ns=100)] == ["c"]
    assert store.claim_due(99, 9, until_ns=200) == ()
    assert [event.id for event in store.claim_due(100, 9, until_ns=200, critical_only=True)] == ["a"]
    assert [event.id for event in store.claim_due(100, 9, until_ns=200)] == ["b", "c"]


def version_of(number: int, *, recipient: str = "SH-001", due_ns: int = 0) -> OutboxEvent:
    made = examples.event(f"{recipient}-v{number}", due_ns=due_ns)
    return dataclasses.replace(made, recipient=recipient, version=number)


def test_a_later_version_waits_until_the_earlier_one_is_delivered_or_dead(store: AnyStore) -> None:
    store.commit(Commit(outbox=(version_of(2), version_of(3), version_of(1), version_of(2, recipient="SH-002"))))
    now = 0

    def claimed() -> list[str]:
        nonlocal now
        now += 200
        return sorted(event.id for event in store.claim_due(now, 9, until_ns=now + 100))

    assert [event.id for event in store.due(0, 9)] == ["SH-001-v1", "SH-002-v2"]
    assert claimed() == ["SH-001-v1", "SH-002-v2"], "another recipient waits for nobody"
    store.record(dataclasses.replace(version_of(2, recipient="SH-002"), state="delivered"))
    store.record(dataclasses.replace(version_of(1), attempts=1, due_ns=10_000))
    assert claimed() == [], "the first one is tried again later, and the others wait for it"
    store.record(dataclasses.replace(version_of(1), state="failed", attempts=10))
    assert claimed() == ["SH-001-v2"]
    store.record(dataclasses.replace(version_of(2), state="cancelled", attempts=1))
    assert claimed() == ["SH-001-v3"]


def test_a_new_version_gives_one_that_waits_long_for_its_next_attempt_a_fresh_try(store: AnyStore) -> None:
    """So that nobody waits ten hours for news because the news before it found a dead endpoint."""
    store.commit(Commit(outbox=(version_of(1), version_of(1, recipient="SH-002"), examples.event("other"))))
    hour = 3600 * SECOND
    for recipient in ("SH-001", "SH-002"):
        store.record(dataclasses.replace(version_of(1, recipient=recipient), attempts=7, due_ns=10 * hour))
    store.commit(Commit(outbox=(version_of(2),)))
    again, other = (store_event(store, f"{recipient}-v1") for recipient in ("SH-001", "SH-002"))
    assert (again.attempts, again.due_ns < hour) == (0, True)
    assert (other.attempts, other.due_ns) == (7, 10 * hour)


def test_a_claim_is_not_cut_short_by_a_new_version(store: AnyStore) -> None:
    store.commit(Commit(outbox=(version_of(1),)))
    store.claim_due(5, 9, until_ns=30 * SECOND)
    store.commit(Commit(outbox=(version_of(2),)))
    assert store_event(store, "SH-001-v1").due_ns == 30 * SECOND


def test_notices_are_written_with_how_far_the_feed_was_read(store: AnyStore) -> None:
    assert store.notices_read() == -1
    for read in (4, 9):
        store.write_notices([examples.event(f"notice-{read}")], read)
        assert store.notices_read() == read
    assert {event.id for event in store.outbox_events()} == {"notice-4", "notice-9"}


def store_event(store: AnyStore, identifier: str) -> OutboxEvent:
    (found,) = (event for event in store.outbox_events() if event.id == identifier)
    return found


def test_a_released_claim_is_due_as_before_unless_it_has_ended(store: AnyStore) -> None:
    store.commit(Commit(outbox=(examples.event("a", due_ns=3), examples.event("b", due_ns=4))))
    claimed = store.claim_due(5, 9, until_ns=100)
    store.record(dataclasses.replace(claimed[1], attempts=1, due_ns=50))
    store.release(claimed, 100)
    assert [(event.id, event.due_ns) for event in store.outbox_events()] == [("a", 3), ("b", 50)]


def test_what_is_delivered_stays_delivered(store: AnyStore) -> None:
    store.commit(Commit(outbox=(examples.event(),)))
    store.record(dataclasses.replace(examples.event(), attempts=1, state="delivered"))
    store.record(dataclasses.replace(examples.event(), attempts=1, due_ns=9))
    assert [event.state for event in store.outbox_events()] == ["delivered"]


def test_alerts_and_orders_are_paged_and_chosen(store: AnyStore) -> None:
    severe = dataclasses.replace(examples.alert("d", opened_s=4), severity=Severity.LOW, state=AlertState.ACKNOWLEDGED)
    alerts = (*(examples.alert(name, opened_s=second) for second, name in enumerate("abc")), severe)
    orders = (examples.order("x", created_s=1), examples.order("y", created_s=2, state="accepted"))
    store.commit(case_of(alerts=alerts, orders=orders))
    assert [alert.id for alert in store.alerts(newest_first=True, limit=2, offset=1)] == ["c", "b"]
    assert [alert.id for alert in store.alerts(state=(AlertState.OPEN, AlertState.ACKNOWLEDGED), offset=2)] == ["c", "d"]
    assert [alert.id for alert in store.alerts(severity=Severity.LOW)] == ["d"]
    assert [alert.id for alert in store.alerts(severity=(Severity.LOW, Severity.CRITICAL), limit=1)] == ["a"]
    assert [order.id for order in store.orders(newest_first=True)] == ["y", "x"]
    assert [order.id for order in store.orders(state="accepted")] == ["y"]
    assert [order.id for order in store.orders(vehicle=CAR, dealer="SH-001", kind="rescue", limit=1)] == ["x"]
    assert (store.orders(vehicle=OTHER_CAR), store.orders(dealer=""), store.orders(kind="service")) == ((), (), ())


def test_a_vehicle_is_summed_up(store: AnyStore) -> None:
    store.register([(examples.vehicle(), examples.vault())])
    store.commit(case_of(alerts=(examples.alert("a"), examples.alert("b", state=AlertState.RESOLVED))))
    store.save_sightings([VehicleSighting(vehicle=OTHER_CAR, event_ns=5, received_ns=9, location=(31.0, 121.0))])
    store.save_sightings([VehicleSighting(vehicle=OTHER_CAR, event_ns=4, received_ns=10)])
    by_id = {summary.vehicle: summary for summary in store.vehicle_summaries()}
    assert list(by_id) == sorted((CAR, OTHER_CAR))
    car, other = by_id[CAR], by_id[OTHER_CAR]
    assert (car.registered, car.open_alerts, car.urgency, car.event_ns, car.location) == (True, 1, Urgency.STOP, None, None)
    assert (other.registered, other.open_alerts, other.urgency) == (False, 0, None)
    assert (other.event_ns, other.received_ns, other.location) == (5, 10, (31.0, 121.0))
    assert store.vehicle_summaries(limit=1, offset=1) == (by_id[max(by_id)],)
    assert (store.delete_sightings(10), store.delete_sightings(11)) == (0, 1)


def test_of_too_much_the_oldest_is_forgotten(store: AnyStore) -> None:
    sessions = [(CAR, boot) for boot in range(5)] + [(OTHER_CAR, 9)]
    store.commit(Commit(seen=tuple(SeenSequences(vehicle=car, boot_session=boot, ranges=((0, 3),)) for car, boot in sessions)))
    assert store.delete_old_sessions(2) == 3
    assert [seen.boot_session for seen in store.seen(CAR)] == [3, 4]
    assert [seen.boot_session for seen in store.seen(OTHER_CAR)] == [9]
    for number in range(4):
        store.commit(Commit(dead_letters=(examples.dead_letter(f"letter-{number}", position=9 - number),)))
    assert store.delete_old_dead_letters(3) == 1
    assert {letter.id for letter in store.dead_letters()} == {"letter-1", "letter-2", "letter-3"}
    assert (store.delete_old_dead_letters(3), store.delete_old_sessions(2)) == (0, 0)


def test_the_funnel_counts_how_far_orders_ever_came(store: AnyStore) -> None:
    store.commit(examples.everything())
    store.change_order(examples.order(version=2, state="accepted"), 1)
    store.commit(case_of(orders=(examples.order("order-2", created_s=300, state="manual"),)))
    store.record(dataclasses.replace(examples.event(), attempts=1, state="delivered"))
    counts = store.funnel()
    assert (counts.alerts, counts.incidents, counts.orders, counts.told, counts.owners_told) == (1, 1, 2, 1, 0)
    assert counts.reached == (("accepted", 1), ("manual", 1), ("offered", 1))
    assert counts.now == (("accepted", 1), ("manual", 1))
    later = store.funnel(since_ns=200 * SECOND)
    assert (later.alerts, later.orders, later.told, later.reached) == (0, 1, 0, (("manual", 1),))


def test_the_funnel_tells_owners_dealers_and_dashboards_apart(store: AnyStore) -> None:
    store.commit(case_of(orders=tuple(examples.order(name, created_s=300) for name in ("order-1", "order-2", "order-3"))))
    sent = (
        ("order-1", owner_recipient(CAR)),
        ("order-2", owner_recipient(CAR)),
        ("order-3", "route:screens"),
        ("order-1", "SH-001"),
    )
    pushes = [
        dataclasses.replace(examples.event(f"push-{number}"), subject=subject, recipient=recipient)
        for number, (subject, recipient) in enumerate(sent)
    ]
    store.commit(Commit(outbox=tuple(pushes)))
    for push in pushes:
        store.record(dataclasses.replace(push, attempts=1, state="delivered"))
    counts = store.funnel()
    assert (counts.orders, counts.owners_told, counts.told) == (3, 2, 1)


def test_counts_for_metrics(store: AnyStore) -> None:
    store.commit(examples.everything())
    store.commit(Commit(outbox=(examples.event("later", due_ns=7),)))
    assert store.open_alert_counts() == {"critical": 1}
    assert store.dead_letter_counts() == {"malformed_line": 1}
    assert store.outbox_counts() == {"pending": 2}
    oldest_ns = store.oldest_pending_ns()
    assert oldest_ns is not None
    assert 1_000 <= oldest_ns < 1_010
    store.record(dataclasses.replace(examples.event(), attempts=1, state="delivered"))
    assert (store.oldest_pending_ns() or 0) > oldest_ns


def test_figures_are_replaced(store: AnyStore) -> None:
    store.save_figures({"frames": 1})
    store.save_figures({"frames": 2, "lag_s": None})
    assert store.figures() == {"frames": 2, "lag_s": None}


def test_api_keys_are_found_by_their_hash_until_they_are_revoked(store: AnyStore) -> None:
    key = ApiKey(hash="ab" * 32, name="ops", scopes=("read", "orders"), created_ns=7)
    store.save_api_key(key)
    store.save_api_key(dataclasses.replace(key, hash="cd" * 32, name="another"))
    assert store.api_key("ab" * 32) == key
    assert [known.name for known in store.api_keys()] == ["another", "ops"]
    assert store.revoke("ab" * 32)
    assert not store.revoke("ab" * 32)
    assert store.api_key("ab" * 32) is None


def test_attempts_are_kept_and_a_push_is_sent_again_with_its_id(store: AnyStore) -> None:
    store.commit(Commit(outbox=(examples.event("evt-1"), examples.event("evt-2"))))
    assert set(store.outbox_written()) == {"evt-1", "evt-2"}
    assert store.outbox_written(2**62) == {}
    assert [(each.id, each.state) for each in store.push_results()] == [("evt-1", "pending"), ("evt-2", "pending")]
    assert store.push_results(2**62) == ()
    (first, *_) = store.claim_due(2**60, 1, until_ns=2**61)
    store.record(dataclasses.replace(first, attempts=1, state="pending", last_error="answered 500"))
    store.record(dataclasses.replace(first, attempts=2, state="delivered"))
    made = store.delivery_attempts(first.id)
    assert [(each.number, each.state, each.error) for each in made] == [(1, "pending", "answered 500"), (2, "delivered", "")]
    assert store.send_again([first.id, "unknown"], 7) == 1
    (again,) = [event for event in store.outbox_events() if event.id == first.id]
    assert (again.state, again.attempts, again.due_ns) == ("pending", 0, 7)
    store.record(dataclasses.replace(again, attempts=1, state="delivered"))
    assert [each.number for each in store.delivery_attempts(first.id)] == [1, 2, 3]
