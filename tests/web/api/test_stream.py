"""The event stream over a real server on a free port."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager

import httpx
import pytest
import uvicorn

from domain.records import Commit
from storage.memory_store import MemoryStore
from tests.web.report_examples import overheating, weak_battery
from tests.web.serving import NOW_NS
from web.api import create_app


@contextmanager
def server(served, **options):
    """The application on a free port of this machine; ends within seconds, open streams or not."""
    stop = threading.Event()
    chosen = {"open_access": True, "poll_s": 0.02, **options}
    app = create_app(lambda: served, metrics=str, clock=lambda: NOW_NS, stopping=stop.is_set, **chosen)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=3, ws="none")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not running.started and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    finally:
        stop.set()
        running.should_exit = True
        thread.join(10)
        assert not thread.is_alive()


def read(base, count, *, headers=None, query="", during=lambda: None):
    """So many events of the stream; `during` runs once it is open."""
    found, event = [], {}
    with httpx.stream("GET", f"{base}/api/v1/stream{query}", headers=headers, timeout=5, trust_env=False) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        for line in lines:
            if line.startswith(": connected"):
                during()
            name, _, value = line.partition(": ")
            if name in ("id", "event", "data"):
                event[name] = value
            if not line and "data" in event:
                found.append((int(event["id"]), event["event"], json.loads(event["data"])))
                if len(found) == count:
                    return found
            if not line:
                event = {}
    return found


@pytest.fixture
def filled():
    made = MemoryStore(clock=lambda: NOW_NS)
    made.commit(Commit(cases=(overheating(),)))
    made.commit(Commit(cases=(weak_battery(),)))
    return made


def test_the_stream_tells_every_change_from_now_on(filled):
    with server(filled) as base:
        before = filled.last_event_id()
        ((number, kind, data),) = read(base, 1, during=lambda: filled.acknowledge_alert("alert-battery"))
    assert number > before
    assert kind == "alert"
    assert (data["subject"], data["change"], data["state"]) == ("alert-battery", "acknowledged", "acknowledged")


def test_a_broken_stream_is_resumed_without_a_gap_and_without_doubles(filled):
    everything = [event.id for event in filled.events(0, 100)]
    assert len(everything) >= 4
    with server(filled) as base:
        first = read(base, 2, headers={"Last-Event-ID": "0"})
        rest = read(base, len(everything) - 2, headers={"Last-Event-ID": str(first[-1][0])})
        assert [number for number, _, _ in first + rest] == everything
        assert [n for n, _, _ in read(base, 1, query=f"?after={everything[-2]}")] == everything[-1:]


def test_a_backlog_longer_than_one_reading_comes_whole_and_in_order():
    from domain.live import EventKind, FeedEvent

    served = MemoryStore(clock=lambda: NOW_NS)
    for number in range(450):
        served.append_event(FeedEvent(kind=EventKind.PIPELINE, subject=str(number), vehicle="", body="{}"))
    with server(served) as base:
        found = read(base, 450, headers={"Last-Event-ID": "0"})
    assert [data["subject"] for _, _, data in found] == [str(number) for number in range(450)]
