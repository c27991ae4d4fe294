"""Two processes' stores over one database: nobody's change is lost, no push is given out twice, and the feed is in order."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from domain.live import EventKind, FeedEvent
from domain.records import Commit, VehicleCase
from storage.database import open_store
from tests.storage import examples
from tests.storage.databases import fresh_url
from tests.storage.examples import CAR, KEY

kinds = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


def together(*work: Callable[[], None]) -> None:
    failures: list[Exception] = []

    def guarded(run: Callable[[], None]) -> None:
        try:
            run()
        except Exception as problem:  # noqa: BLE001 - whatever it is, the test must say so
            failures.append(problem)

    threads = [threading.Thread(target=guarded, args=(run,)) for run in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@kinds
def test_people_and_pipeline_change_one_order_and_no_change_of_people_is_lost(kind: str, tmp_path: Path) -> None:
    url = fresh_url(kind, tmp_path)
    with open_store(url, key=KEY) as pipeline, open_store(url, key=KEY) as web:
        pipeline.commit(Commit(cases=(VehicleCase(vehicle=CAR, orders=(examples.order(),)),)))
        made: list[int] = []

        def decide() -> None:
            for number in range(60):
                (seen,) = pipeline.case(CAR).orders
                ours = dataclasses.replace(seen, version=seen.version + 1, incidents=(f"incident-{number}",))
                pipeline.commit(Commit(cases=(VehicleCase(vehicle=CAR, orders=(ours,)),)))

        def move() -> None:
            while len(made) < 30:
                (seen,) = web.orders()
                after = dataclasses.replace(seen, version=seen.version + 1, state=f"state-{len(made)}")
                if web.change_order(after, seen.version):
                    made.append(after.version)

        together(decide, move)
        history = dict(web.order_states("order-1"))
        assert [history[version] for version in made] == [f"state-{number}" for number in range(30)]
        (order,) = web.orders()
        assert (order.state, order.people_version) == ("state-29", made[-1])
        assert sorted(history) == list(range(1, order.version + 1))


@kinds
def test_two_workers_never_claim_the_same_push(kind: str, tmp_path: Path) -> None:
    url = fresh_url(kind, tmp_path)
    taken: list[str] = []
    with open_store(url, key=KEY) as one, open_store(url, key=KEY) as other:
        one.commit(Commit(outbox=tuple(examples.event(f"push-{number}") for number in range(90))))

        def claim(store: object) -> Callable[[], None]:
            def run() -> None:
                while events := store.claim_due(1, 7, until_ns=1000):  # type: ignore[attr-defined]
                    taken.extend(event.id for event in events)

            return run

        together(claim(one), claim(other))
    assert sorted(taken) == sorted(f"push-{number}" for number in range(90))


@kinds
def test_who_tails_the_feed_misses_nothing(kind: str, tmp_path: Path) -> None:
    url = fresh_url(kind, tmp_path)
    seen: list[int] = []
    with open_store(url, key=KEY) as one, open_store(url, key=KEY) as other, open_store(url, key=KEY) as reader:

        def write(store: object) -> Callable[[], None]:
            def run() -> None:
                for number in range(40):
                    store.append_event(  # type: ignore[attr-defined]
                        FeedEvent(kind=EventKind.PIPELINE, subject=f"{number}", vehicle="", body="{}")
                    )

            return run

        def tail() -> None:
            while len(seen) < 80:
                seen.extend(event.id for event in reader.events(seen[-1] if seen else 0, 3))

        together(write(one), write(other), tail)
        assert seen == [event.id for event in one.events(0, 1000)]
