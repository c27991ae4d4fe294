"""The retry schedule, and one round of delivery."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import DeliveryError
from domain.fleet import Dealer
from domain.records import Commit, OutboxEvent
from notifier.channels.log_file import LogFileChannel
from notifier.channels.memory import MemoryChannel
from notifier.push.delivery import deliver_due
from notifier.push.outbox import CRITICAL_SCHEDULE_S, JITTER, SCHEDULE_S, cancelled, delivered, is_critical, next_attempt
from storage.memory_store import MemoryStore

NOW = 1_750_000_000 * 10**9


def event(identity: str = "evt_1", recipient: str = "d1", priority: str = "P2", channel: str = "memory") -> OutboxEvent:
    body = json.dumps({"id": identity, "data": {"priority": priority}})
    return OutboxEvent(id=identity, type="order.created", subject="o1", recipient=recipient, channel=channel, body=body)


@dataclass
class ListOutbox:
    """The port over a plain dictionary."""

    events: dict[str, OutboxEvent] = field(default_factory=dict)

    def due(self, now_ns: int, limit: int) -> tuple[OutboxEvent, ...]:
        waiting = [one for one in self.events.values() if one.state == "pending" and one.due_ns <= now_ns]
        return tuple(sorted(waiting, key=lambda one: one.due_ns)[:limit])

    def record(self, event: OutboxEvent) -> None:
        self.events[event.id] = event


def outbox(*events: OutboxEvent) -> ListOutbox:
    return ListOutbox({one.id: one for one in events})


@pytest.mark.parametrize(("critical", "schedule"), [(False, SCHEDULE_S), (True, CRITICAL_SCHEDULE_S)])
def test_attempts_follow_the_schedule_and_then_the_event_has_failed(critical: bool, schedule: tuple[int, ...]) -> None:
    now, one, waits = NOW, event(), [0.0]
    while (one := next_attempt(one, now, critical, error="answered 500")).state == "pending":
        waits.append((one.due_ns - now) / 1e9)
        now = one.due_ns
    assert (one.state, one.attempts, one.last_error) == ("failed", len(schedule), "answered 500")
    assert len(waits) == len(schedule)
    for wait, planned in zip(waits, schedule, strict=True):
        assert planned <= wait <= planned * (1 + JITTER)


def test_the_schedule_lasts_three_days_and_the_critical_one_minutes() -> None:
    assert sum(SCHEDULE_S) == 75 * 3600 + 35 * 60 + 5
    assert sum(CRITICAL_SCHEDULE_S) < 8 * 60


def test_jitter_differs_between_events_but_not_between_runs() -> None:
    dues = {next_attempt(replace(event(f"evt_{number}"), attempts=2), NOW, False).due_ns for number in range(50)}
    assert len(dues) == 50
    assert next_attempt(event(), NOW, False) == next_attempt(event(), NOW, False)


def test_a_recipient_s_wish_to_wait_is_honoured_within_a_day() -> None:
    assert next_attempt(event(), NOW, False, retry_after_s=120.0).due_ns == NOW + 120 * 10**9
    assert next_attempt(event(), NOW, False, retry_after_s=1e9).due_ns == NOW + 24 * 3600 * 10**9
    assert next_attempt(event(), NOW, False, retry_after_s=0.0).due_ns >= NOW + 5 * 10**9


def test_only_p0_is_critical() -> None:
    assert is_critical(event(priority="P0"))
    assert not is_critical(event(priority="P1"))
    assert not is_critical(replace(event(), body='{"data": null}'))


def test_a_round_delivers_what_is_due_critical_ones_first() -> None:
    box = outbox(event("a"), event("b", priority="P0"), replace(event("later"), due_ns=NOW + 1))
    channel = MemoryChannel()
    report = deliver_due(box, {"memory": channel}, {}, NOW, 10)
    assert [one.id for one in channel.taken] == ["b", "a"]
    assert (report.attempted, report.delivered, report.retried) == (2, 2, 0)
    assert {identity: one.state for identity, one in box.events.items()} == {
        "a": "delivered",
        "b": "delivered",
        "later": "pending",
    }


def test_what_does_not_get_through_is_tried_again_and_its_recipient_spared_for_the_round() -> None:
    box = outbox(event("a"), event("b"), event("c", recipient="d2"))
    channel = MemoryChannel(problems=[DeliveryError("answered 500"), DeliveryError("answered 500")])
    report = deliver_due(box, {"memory": channel}, {}, NOW, 10)
    assert sorted(identity for identity, _ in channel.attempts) == ["a", "c"]
    assert sorted(report.errors) == [("a", "answered 500"), ("c", "answered 500")]
    assert report.retried == 2
    assert box.events["b"].attempts == 0
    assert box.due(NOW, 10) == (box.events["b"],)
    deliver_due(box, {"memory": channel}, {}, NOW + 10 * 10**9, 10)
    assert {one.state for one in box.events.values()} == {"delivered"}


def test_a_crash_between_attempt_and_record_repeats_the_same_event_id() -> None:
    channel = MemoryChannel()
    for _ in range(2):  # the second round starts from the box as it was before the first
        deliver_due(outbox(event("a")), {"memory": channel}, {}, NOW, 10)
    assert [identity for identity, _ in channel.attempts] == ["a", "a"]
    assert len(channel.taken) == 1


def test_an_event_fails_for_good_after_its_last_attempt() -> None:
    box = outbox(replace(event("a", priority="P0"), attempts=len(CRITICAL_SCHEDULE_S) - 1))
    report = deliver_due(box, {"memory": MemoryChannel(problems=[DeliveryError("answered 500")])}, {}, NOW, 10)
    assert (report.failed, box.events["a"].state) == (1, "failed")
    assert box.due(NOW * 2, 10) == ()


def test_a_recipient_that_is_gone_gets_nothing_more() -> None:
    box = outbox(event("a"), event("b"), event("c", recipient="d2"))
    channel = MemoryChannel(problems=[DeliveryError("answered 410", gone=True)])
    box.record(replace(box.events["c"], due_ns=NOW + 1))
    report = deliver_due(box, {"memory": channel}, {}, NOW, 10)
    assert (report.attempted, report.cancelled, report.gone) == (1, 2, ("d1",))
    assert [box.events[name].state for name in "abc"] == ["cancelled", "cancelled", "pending"]
    assert len(channel.attempts) == 1


def test_an_unknown_channel_is_a_problem_that_is_told_and_tried_again() -> None:
    box = outbox(event("a", channel="pigeon"))
    report = deliver_due(box, {}, {}, NOW, 10)
    assert report.errors == (("a", "there is no channel 'pigeon'"),)
    assert box.events["a"].state == "pending"


def test_a_slow_recipient_does_not_hold_up_the_others() -> None:
    class Sleepy(MemoryChannel):
        def deliver(self, event: OutboxEvent, dealer: Dealer | None, attempt_ns: int) -> None:
            time.sleep(0.2)
            super().deliver(event, dealer, attempt_ns)

    channel, box = Sleepy(), outbox(*(event(f"e{number}", recipient=f"d{number}") for number in range(6)))
    began = time.monotonic()
    assert deliver_due(box, {"memory": channel}, {}, NOW, 10).delivered == 6
    assert time.monotonic() - began < 0.8


def test_the_log_channel_writes_a_line_an_event(tmp_path: Path) -> None:
    file = tmp_path / "orders.jsonl"
    assert (
        deliver_due(
            outbox(event("a", channel="log"), event("b", channel="log")), {"log": LogFileChannel(file)}, {}, NOW, 10
        ).delivered
        == 2
    )
    assert [json.loads(line)["event"]["id"] for line in file.read_text(encoding="utf-8").splitlines()] == ["a", "b"]
    report = deliver_due(outbox(event("a", channel="log")), {"log": LogFileChannel(tmp_path)}, {}, NOW, 10)
    assert report.retried == 1


STEPS = st.lists(
    st.tuples(st.sampled_from(["write", "take", "fail", "refuse", "wait"]), st.integers(0, 2), st.integers(0, 1)), max_size=40
)


@settings(max_examples=150, deadline=None)
@given(STEPS)
def test_versions_reach_a_recipient_in_order_and_nobody_waits_for_another(steps: list[tuple[str, int, int]]) -> None:
    """Whatever is written, taken, refused and tried again: per order and recipient versions only grow, and one alone never waits."""
    clock = [NOW]
    store = MemoryStore(clock=lambda: clock[0])
    versions: dict[str, int] = {}
    came: dict[tuple[str, str], list[int]] = {}
    for word, order, dealer in steps:
        subject, recipient = f"order-{order}", f"dealer-{dealer}"
        if word == "write":
            versions[subject] = version = versions.get(subject, 0) + 1
            made = replace(event(f"{subject}-{version}-{recipient}", recipient=recipient), subject=subject, version=version)
            store.commit(Commit(outbox=(made,)))
        elif word == "wait":
            clock[0] += 3600 * 10**9
        waiting = [one for one in store.outbox_events() if one.state == "pending"]
        due = store.due(clock[0], 99)
        for one in due:
            mine = [other.version for other in waiting if (other.subject, other.recipient) == (one.subject, one.recipient)]
            assert one.version == min(mine), "the earliest of its order and recipient"
        alone = {one.id for one in waiting if one.due_ns <= clock[0] and one.version == 1}
        assert alone <= {one.id for one in due}, "what has none before it waits for nobody"
        for claimed in store.claim_due(clock[0], 1, clock[0] + 1) if word in ("take", "fail", "refuse") else ():
            if word == "take":
                came.setdefault((claimed.subject, claimed.recipient), []).append(claimed.version)
                store.record(delivered(claimed))
            else:
                store.record(next_attempt(claimed, clock[0], False) if word == "fail" else cancelled(claimed, "gone"))
    assert all(sorted(order) == order for order in came.values())
