from __future__ import annotations

import dataclasses

from prometheus_client.parser import text_string_to_metric_families

from app.metrics import render_metrics
from domain.records import Commit
from storage.memory_store import MemoryStore
from tests.storage import examples

SECOND = 1_000_000_000


def scraped(store: MemoryStore, now_ns: int) -> dict[tuple[str, ...], float]:
    """What Prometheus reads: (name, label values) -> value."""
    families = text_string_to_metric_families(render_metrics(store, now_ns))
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def test_a_store_without_a_pipeline_says_that_it_never_reported() -> None:
    values = scraped(MemoryStore(), 5)
    assert values["pitcall_figures_age_seconds",] == float("inf")
    assert values["pitcall_broker_connected",] == 0
    assert values["pitcall_alerts_open", "critical"] == 0
    assert values["pitcall_outbox_age_seconds",] == 0
    assert ("pitcall_decode_share",) not in values


def test_figures_alerts_outbox_and_dead_letters_are_shown() -> None:
    store = MemoryStore(clock=lambda: 10 * SECOND)
    store.commit(examples.everything())
    store.save_figures(
        {
            "frames": 7,
            "lag_s": 0.25,
            "decode_share": 0.5,
            "anomalies": {"short_frame": 3},
            "connected": True,
            "reported_ns": SECOND,
        }
    )
    values = scraped(store, 12 * SECOND)
    assert values["pitcall_frames_total",] == 7
    assert values["pitcall_lag_seconds",] == 0.25
    assert values["pitcall_decode_share",] == 0.5
    assert values["pitcall_decode_anomalies", "short_frame"] == 3
    assert values["pitcall_broker_connected",] == 1
    assert values["pitcall_figures_age_seconds",] == 11
    assert values["pitcall_alerts_open", "critical"] == 1
    assert values["pitcall_dead_letters", "malformed_line"] == 1
    assert values["pitcall_outbox_events", "pending"] == 1
    assert values["pitcall_outbox_age_seconds",] == 2
    assert not any(name.endswith("_created") for name, *_ in values)


def test_a_delivered_push_is_no_longer_waiting() -> None:
    store = MemoryStore()
    store.commit(Commit(outbox=(examples.event(),)))
    store.record(dataclasses.replace(examples.event(), attempts=1, state="delivered"))
    values = scraped(store, 2**62)
    assert values["pitcall_outbox_events", "delivered"] == 1
    assert values["pitcall_outbox_age_seconds",] == 0
