"""Passive ISO-TP reassembly, with can-isotp as the sender."""

from __future__ import annotations

import json
from collections import Counter

import isotp
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.transport.isotp import MAX_TRANSFERS, NO_ADDRESS, IsoTpListener
from tests.ingest.diagnostic_frames import RECORDINGS, recording

KEY = ("can0", 0x7E8, NO_ADDRESS)
MS = 1_000_000
FIRST, SECOND, THIRD = (bytes.fromhex(text) for text in ("100E430601000200", "21030043008200C1", "22" + "00" * 7))


def hear(listener: IsoTpListener, *frames: bytes, start_ms: int = 0, step_ms: int = 10) -> tuple[list[bytes], Counter[str]]:
    anomalies: Counter[str] = Counter()
    answers = (listener.receive(KEY, (start_ms + n * step_ms) * MS, f, anomalies) for n, f in enumerate(frames))
    return [message for message in answers if message is not None], anomalies


def sent_by_can_isotp(payload: bytes, frame_bytes: int, padding: int | None) -> list[bytes]:
    """The frames in which can-isotp sends a payload to a receiver that lets it go on at once."""
    frames: list[bytes] = []
    go_on = isotp.CanMessage(arbitration_id=0x7E0, data=bytes.fromhex("300000"))
    waiting: list[isotp.CanMessage] = []

    def send(message: isotp.CanMessage) -> None:
        frames.append(bytes(message.data))
        if message.data[0] >> 4 == 1:
            waiting.append(go_on)

    layer = isotp.TransportLayerLogic(
        rxfn=lambda timeout: waiting.pop() if waiting else None,
        txfn=send,
        address=isotp.Address(rxid=0x7E0, txid=0x7E8),
        params={"tx_data_length": frame_bytes, "can_fd": frame_bytes > 8, "tx_padding": padding, "stmin": 0},
    )
    layer.send(payload)
    while layer.transmitting():
        layer.process(rx_timeout=0)
    return frames


@settings(max_examples=60, deadline=None)
@given(
    payload=st.binary(min_size=1, max_size=5000),
    frame_bytes=st.sampled_from([8, 8, 64]),
    padding=st.sampled_from([None, 0x00, 0x55, 0xAA, 0xCC]),
)
def test_whatever_can_isotp_sends_is_heard_whole(payload: bytes, frame_bytes: int, padding: int | None) -> None:
    messages, anomalies = hear(IsoTpListener(), *sent_by_can_isotp(payload, frame_bytes, padding))
    assert messages == [payload]
    assert not anomalies


def test_the_sequence_number_wraps_after_fifteen() -> None:
    payload = bytes(range(200)) + bytes(300)
    assert hear(IsoTpListener(), *sent_by_can_isotp(payload, 8, 0xCC))[0] == [payload]


def test_a_missing_frame_aborts_and_is_counted_once_and_the_rest_is_orphaned() -> None:
    messages, anomalies = hear(IsoTpListener(), FIRST, THIRD, SECOND)
    assert messages == []
    assert anomalies == {"isotp_sequence_gap": 1, "isotp_orphan_frame": 1}


def test_a_new_first_frame_replaces_the_message_under_way() -> None:
    messages, anomalies = hear(IsoTpListener(), FIRST, SECOND, FIRST, SECOND, THIRD)
    assert len(messages) == 1
    assert anomalies == {"isotp_restarted": 1}


def test_a_second_of_silence_is_allowed_and_more_is_a_timeout() -> None:
    assert len(hear(IsoTpListener(), FIRST, SECOND, THIRD, step_ms=1000)[0]) == 1
    messages, anomalies = hear(IsoTpListener(), FIRST, SECOND, step_ms=1001)
    assert messages == []
    assert anomalies == {"isotp_timeout": 1}


def test_flow_control_in_between_is_ignored() -> None:
    messages, anomalies = hear(IsoTpListener(), FIRST, bytes.fromhex("30000A"), SECOND, THIRD)
    assert [message[:2] for message in messages] == [b"\x43\x06"]
    assert not anomalies


def test_senders_are_kept_apart() -> None:
    listener, anomalies = IsoTpListener(), Counter[str]()
    other = ("can1", 0x7E8, NO_ADDRESS)
    for key in (KEY, other):
        listener.receive(key, 0, FIRST, anomalies)
    for key in (KEY, other):
        listener.receive(key, 1, SECOND, anomalies)
    assert [len(listener.receive(key, 2, THIRD, anomalies) or b"") for key in (KEY, other)] == [14, 14]
    assert not anomalies


def test_lengths_that_cannot_be_are_malformed() -> None:
    bad = ["00", "08 43 00 00 00 00 00 00", "05 43 01", "10 05 43 01 03 01 00 00", "10 00", "10", "40 00", ""]
    messages, anomalies = hear(IsoTpListener(), *(bytes.fromhex(text) for text in bad))
    assert messages == []
    assert anomalies == {"isotp_malformed_frame": len(bad)}


def test_a_message_of_gigabytes_is_refused() -> None:
    listener = IsoTpListener()
    assert hear(listener, bytes.fromhex("1000 FFFFFFFF 4300"))[1] == {"isotp_too_long": 1}
    assert not listener.transfers


def test_a_flood_of_first_frames_does_not_grow_the_state_without_bound() -> None:
    listener, anomalies = IsoTpListener(), Counter[str]()
    for can_id in range(MAX_TRANSFERS + 10):
        listener.receive(("can0", can_id, NO_ADDRESS), can_id, FIRST, anomalies)
    assert len(listener.transfers) == MAX_TRANSFERS
    assert anomalies == {"isotp_crowded_out": 10}
    assert ("can0", 9, NO_ADDRESS) not in listener.transfers


def test_a_frame_cut_short_in_the_middle_ends_the_message() -> None:
    messages, anomalies = hear(IsoTpListener(), FIRST, SECOND[:5], THIRD)
    assert messages == []
    assert anomalies == {"isotp_malformed_frame": 1, "isotp_orphan_frame": 1}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=8), st.sampled_from([FIRST, SECOND, THIRD])), max_size=30))
def test_no_frame_whatsoever_raises(frames: list[bytes]) -> None:
    hear(IsoTpListener(), *frames)


def test_a_listener_dumped_and_loaded_goes_on_where_it_was() -> None:
    before, after = IsoTpListener(), IsoTpListener()
    hear(before, FIRST, SECOND)
    after.load(before.dump())
    assert hear(after, THIRD, start_ms=30) == hear(before, THIRD, start_ms=30)
    assert not after.transfers


def test_a_recorded_scan_tool_session_is_heard_whole() -> None:
    frames = recording("taycan_obd_scanner", "CarScannerOBD.log")
    known = json.loads((RECORDINGS / "taycan_obd_scanner" / "EXPECT.json").read_text())["isotp"]
    listener, anomalies = IsoTpListener(), Counter[str]()
    services: Counter[str] = Counter()
    long_messages: list[bytes] = []
    for time_s, can_id, data, _ in frames:
        message = listener.receive(("RX0", can_id, NO_ADDRESS), round(time_s * 1e9), data, anomalies)
        if message is not None:
            services[f"{can_id & 0x1FFF_FFFF:X}:{message[0]:02X}"] += 1
            long_messages += [message] if len(message) > 7 else []
    assert services == known["services_by_id"]
    assert len(long_messages) == known["multi_frame_messages"]
    assert max(len(message) for message in long_messages) == known["longest_payload"]
    assert not anomalies
    assert not listener.transfers
