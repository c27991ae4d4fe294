"""The parts of the live benchmark: what is patched into its messages, and the whole of it in short."""

import multiprocessing
import os
from dataclasses import replace
from pathlib import Path

import cantools
import numpy as np
import pytest

from app.bench_live import BEGIN_NS, COOLANT_120_C, COOLANT_BITS, COOLANT_FRAME, run
from benchmarks.live import FRAME_SPACING_NS, MESSAGE_NS, Plan, Sent, StoredAlert, Templates, latencies_s, overheated, ring
from domain.messages import RawMessage
from ingest.logs import open_log
from ingest.mqtt.batching import parse_messages
from ingest.mqtt.socket_receiver import PacketReader

SAMPLES = Path(__file__).resolve().parents[2] / "sample_can_logs"


@pytest.fixture(scope="module")
def frames():
    (logged,) = open_log(SAMPLES / "healthy_petrol_city.log.gz", vehicle="car")
    return logged.take(slice(0, 350))


def test_a_ring_holds_whole_messages_stamped_as_on_a_busy_bus(frames):
    messages = ring(frames)
    raw = [RawMessage(topic="pitcall/v1/A/can", payload=each, received_ns=0, token=n) for n, each in enumerate(messages)]
    parsed = parse_messages(raw, pseudonym_of=str).frames
    assert len(messages) == 3
    assert parsed.payload.tolist() == frames.payload[:300].tolist()
    assert np.diff(parsed.time_ns[:100]).tolist() == [FRAME_SPACING_NS] * 99


def test_patched_packets_are_read_back_with_their_own_topic_and_numbers(frames):
    templates = Templates(ring(frames), b"pitcall/v1/LPCBENCH000000000/can")
    stream = bytearray()
    for sequence in range(7):
        topic = f"pitcall/v1/LPCBENCH{sequence:09d}/can".encode()
        templates.put(stream, topic, 300 + sequence, 5, sequence, BEGIN_NS + sequence * MESSAGE_NS)
    publishes, others = PacketReader().feed(bytes(stream))
    assert not others
    assert [each.packet_id for each in publishes] == list(range(300, 307))
    raw = [RawMessage(topic=each.topic, payload=each.payload, received_ns=0, token=n) for n, each in enumerate(publishes)]
    parsed = parse_messages(raw, pseudonym_of=str)
    assert not parsed.dead_letters
    assert parsed.frames.vehicles == tuple(f"LPCBENCH{number:09d}" for number in range(7))
    assert parsed.frames.messages.boot_session.tolist() == [5] * 7
    assert parsed.frames.messages.sequence.tolist() == list(range(7))
    assert parsed.frames.time_ns[::100].tolist() == [BEGIN_NS + n * MESSAGE_NS for n in range(7)]


def test_an_overheated_car_says_120_degrees(frames):
    hot = overheated(frames, can_id=COOLANT_FRAME, mask=COOLANT_BITS, value=COOLANT_120_C)
    database = cantools.database.load_file(SAMPLES / "dbc" / "petrol.dbc")
    rows = np.flatnonzero(hot.can_id == COOLANT_FRAME)
    assert len(rows)
    for row in rows:
        before, after = (database.decode_message(COOLANT_FRAME, each.payload_bytes(row)) for each in (frames, hot))
        assert after == before | {"CoolantTemperature": pytest.approx(120.0)}
    others = hot.can_id != COOLANT_FRAME
    assert hot.payload[others].tolist() == frames.payload[others].tolist()


def test_latency_counts_from_the_message_that_holds_the_opening_frame():
    plan = Plan(
        host="",
        port=0,
        vins=("A", "B"),
        normal=(),
        faulty=(),
        begin_ns=BEGIN_NS,
        boot_session=1,
        seconds=1,
        messages_per_s=None,
        fault_at=(-1, 1),
    )
    sent_ns = np.array([[10, 20], [30, 40], [50, 60]], np.int64) * 1_000_000_000
    sent = Sent(rounds=3, acknowledged=6, began_ns=0, ended_ns=0, sent_ns=sent_ns)
    alert = StoredAlert(vehicle="b", opened_ns=BEGIN_NS + MESSAGE_NS + 3, seen_ns=42_500_000_000)
    assert latencies_s([alert], ["a", "b"], plan, sent).tolist() == [2.5]
    outside = replace(alert, opened_ns=BEGIN_NS + 3 * MESSAGE_NS)
    assert latencies_s([outside], ["a", "b"], plan, sent).tolist() == []


@pytest.mark.skipif(os.environ.get("PITCALL_LONG_TESTS") != "1", reason="takes a minute; set PITCALL_LONG_TESTS=1 to run it")
def test_a_short_run_loses_and_doubles_nothing_and_stores_every_provoked_alert_once():
    (figures,) = run(seconds=1, receivers=["socket"], rate=20_000, lateness_s=0.0).values()
    assert (figures["lost"], figures["doubled"], figures["alerts_missing"]) == (0, 0, 0)
    assert figures["alerts"] >= 1
    assert 0 < figures["p99_s"] < 10
    assert figures["frames_per_s"] > 10_000
    assert set(figures["cpu_s"]) == {"publisher", "broker", "pipeline"}
    assert not multiprocessing.active_children()
