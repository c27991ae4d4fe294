"""The transport stage: frames of many vehicles become whole payloads, with can-isotp and pretty_j1939 as judges."""

from __future__ import annotations

import json
from collections import Counter

import isotp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pretty_j1939.describe import J1939TransportTracker

from domain.frames import EXTENDED_ID
from ingest.transport.payloads import Addressing, PayloadReader
from tests.ingest.diagnostic_frames import RECORDINGS, Record, frame_batch, record, recording, tick

TESTER, ENGINE = 0xF1, 0x10
ADDRESSES = {
    "normal": (isotp.Address(isotp.AddressingMode.Normal_11bits, rxid=0x7E8, txid=0x7E0), 0x7E0, Addressing.NORMAL, 0x7E0, -1),
    "normal 29": (
        isotp.Address(isotp.AddressingMode.NormalFixed_29bits, target_address=ENGINE, source_address=TESTER),
        0x18DA10F1 | EXTENDED_ID,
        Addressing.NORMAL,
        TESTER,
        -1,
    ),
    "extended": (
        isotp.Address(
            isotp.AddressingMode.Extended_11bits, rxid=0x612, txid=0x6F1, source_address=TESTER, target_address=0x12
        ),
        0x6F1,
        Addressing.EXTENDED,
        0x6F1,
        0x12,
    ),
    "mixed 11": (
        isotp.Address(isotp.AddressingMode.Mixed_11bits, rxid=0x742, txid=0x743, address_extension=0x99),
        0x743,
        Addressing.MIXED,
        0x743,
        0x99,
    ),
    "mixed 29": (
        isotp.Address(
            isotp.AddressingMode.Mixed_29bits, source_address=TESTER, target_address=ENGINE, address_extension=0x99
        ),
        0x18CE10F1 | EXTENDED_ID,
        Addressing.MIXED,
        TESTER,
        0x99,
    ),
}  # fmt: skip


def sent(address: isotp.Address, payload: bytes, frame_bytes: int) -> list[tuple[int, bytes]]:
    """(CAN id, data) in which can-isotp sends the payload to a receiver that lets it go on at once."""
    out: list[isotp.CanMessage] = []
    waiting: list[isotp.CanMessage] = []
    extension = address.get_rx_extension_byte()
    go_on = (b"" if extension is None else bytes([extension])) + bytes.fromhex("300000")

    def send(message: isotp.CanMessage) -> None:
        out.append(message)
        if message.data[len(address.get_tx_payload_prefix())] >> 4 == 1:
            rx = address.get_rx_arbitration_id()
            waiting.append(isotp.CanMessage(arbitration_id=rx, data=go_on, extended_id=message.is_extended_id))

    layer = isotp.TransportLayerLogic(
        rxfn=lambda timeout: waiting.pop() if waiting else None,
        txfn=send,
        address=address,
        params={"tx_data_length": frame_bytes, "can_fd": frame_bytes > 8, "tx_padding": 0xCC, "stmin": 0},
    )
    layer.send(payload)
    while layer.transmitting():
        layer.process(rx_timeout=0)
    return [(m.arbitration_id | (EXTENDED_ID if m.is_extended_id else 0), bytes(m.data)) for m in out]


@settings(max_examples=60, deadline=None)
@given(
    payload=st.binary(min_size=1, max_size=600),
    addressing=st.sampled_from(sorted(ADDRESSES)),
    frame_bytes=st.sampled_from([8, 8, 64]),
)
def test_every_addressing_is_heard_as_can_isotp_sends_it(payload: bytes, addressing: str, frame_bytes: int) -> None:
    address, can_id, kind, source, extension = ADDRESSES[addressing]
    reader = PayloadReader(isotp={can_id: kind})
    frames = [record(n / 1000, *frame) for n, frame in enumerate(sent(address, payload, frame_bytes))]
    (heard,) = reader.read(frame_batch(frames))
    assert (heard.data, heard.can_id, heard.source, heard.destination, heard.pgn) == (payload, can_id, source, extension, -1)
    assert heard.frame == len(frames) - 1
    assert not reader.anomalies


def test_one_id_carries_several_receivers_at_once_under_extended_addressing() -> None:
    reader = PayloadReader(isotp={0x6F1: Addressing.EXTENDED})
    frames = ["12 10 08 22 01 02 03 04", "40 10 08 22 A1 A2 A3 A4", "12 21 05 06 07", "40 21 A5 A6 A7"]
    heard = reader.read(frame_batch([record(n / 100, 0x6F1, data) for n, data in enumerate(frames)]))
    assert [(p.destination, p.data.hex()) for p in heard] == [(0x12, "2201020304050607"), (0x40, "22a1a2a3a4a5a6a7")]


def transported(pgn: int, source: int, destination: int, payload: bytes, *, start_s: float = 0.0) -> list[Record]:
    """A BAM (destination 255) or an RTS transfer with the receiver's CTS and acknowledgement."""
    count = -(-len(payload) // 7)
    head = len(payload).to_bytes(2, "little")
    tail = pgn.to_bytes(3, "little")
    broadcast = destination == 0xFF
    to, back = destination << 8 | source, source << 8 | destination
    items = [(0x18EC0000 | to, bytes([32 if broadcast else 16]) + head + bytes([count, 0xFF]) + tail)]
    if not broadcast:
        items.append((0x18EC0000 | back, bytes([17, count, 1, 0xFF, 0xFF]) + tail))
    packets = (bytes([n + 1]) + payload[n * 7 : n * 7 + 7].ljust(7, b"\xff") for n in range(count))
    items += [(0x18EB0000 | to, packet) for packet in packets]
    if not broadcast:
        items.append((0x18EC0000 | back, bytes([19]) + head + bytes([count, 0xFF]) + tail))
    return [record(start_s + n / 100, can_id | EXTENDED_ID, data) for n, (can_id, data) in enumerate(items)]


@settings(max_examples=40, deadline=None)
@given(
    payloads=st.lists(st.binary(min_size=9, max_size=200), min_size=1, max_size=3),
    destination=st.sampled_from([0xFF, 0xF9]),
    pgn=st.sampled_from([65251, 65226]),
)
def test_interleaved_groups_are_heard_as_pretty_j1939_hears_them(payloads: list[bytes], destination: int, pgn: int) -> None:
    records = [r for source, payload in enumerate(payloads) for r in transported(pgn, source, destination, payload)]
    frames = frame_batch(records)
    heard = PayloadReader(pgns=None).read(frames)
    told: list[tuple[int, int, str]] = []
    judge = J1939TransportTracker(real_time=False)

    def note(data: bytes, source: int, group: int, **_: object) -> None:
        told.append((group, source, data.hex()))

    for row in range(len(frames)):
        judge.process(note, frames.payload_bytes(row), int(frames.can_id[row]) & 0x1FFF_FFFF)
    judge.cleanup(note)  # it tells a connection's message only at the end
    assert sorted((p.pgn, p.source, p.data.hex()) for p in heard) == sorted(told)
    assert len(heard) == len(payloads)
    assert {p.destination for p in heard} == {destination}


def test_a_message_begun_in_one_batch_ends_in_another_and_survives_a_restart() -> None:
    records = [*transported(65251, 0, 0xFF, bytes(30)), record(9, 0x7E8, "02 41 00"), tick(10)]
    whole = PayloadReader(isotp={0x7E8: Addressing.NORMAL}, pgns=None).read(frame_batch(records))
    assert [(p.pgn, len(p.data)) for p in whole] == [(65251, 30), (-1, 2)]
    for cut in range(1, len(records)):
        reader = PayloadReader(isotp={0x7E8: Addressing.NORMAL}, pgns=None)
        heard = reader.read(frame_batch(records[:cut]))
        state = reader.snapshot("car")
        reader = PayloadReader(isotp={0x7E8: Addressing.NORMAL}, pgns=None)
        if state is not None:
            reader.restore("car", state)
        heard += reader.read(frame_batch(records[cut:]))
        assert [(p.time_ns, p.pgn, p.data) for p in heard] == [(p.time_ns, p.pgn, p.data) for p in whole]
        assert reader.snapshot("car") is None


def test_what_is_not_wanted_is_left_alone() -> None:
    reader = PayloadReader(isotp={0x7E8: Addressing.NORMAL}, pgns=frozenset({65226}))
    assert not reader.read(frame_batch([*transported(65251, 0, 0xFF, bytes(30)), record(1, 0x7E9, "02 41 00")]))
    assert not reader.anomalies


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0x7E8, 0x6F1, 0x98DA10F1, 0x98ECFF00, 0x98EBFF00, 0x98EC00F9]), st.binary(max_size=64)))
)
def test_no_frame_whatsoever_raises(frames: list[tuple[int, bytes]]) -> None:
    ids = {0x7E8: Addressing.NORMAL, 0x6F1: Addressing.EXTENDED, 0x98DA10F1: Addressing.NORMAL}
    PayloadReader(isotp=ids, pgns=None).read(frame_batch([record(n, *frame) for n, frame in enumerate(frames)]))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("kenworth_truck", "KWTruck.txt.gz"),
        ("j1939_bam_block_attack", "BAM_Block_attack.txt.gz"),
        ("maxxforce_dm1_single", "candump-RTSMaxxForceResourceExhaustion.log.gz"),
        ("research_truck_normal", "normal.log.gz"),
    ],
)
def test_every_transfer_of_a_recorded_truck_is_heard(name: str, file: str) -> None:
    heard = PayloadReader(pgns=None).read(frame_batch(recording(name, file)))
    known = json.loads((RECORDINGS / name / "EXPECT.json").read_text())["j1939"]["transfers"]
    told = Counter(
        f"{'BAM' if p.destination == 255 else 'RTS'} pgn={p.pgn}(0x{p.pgn:X}) sa={p.source} bytes={len(p.data)} pk={-(-len(p.data) // 7)}"
        for p in heard
    )
    assert told == known
