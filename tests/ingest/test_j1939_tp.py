"""Passive J1939 transport protocol."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from ingest.transport.j1939_tp import MAX_SESSIONS, TransportListener

DM1 = 65226
ENGINE, BRAKES, TOOL, ALL = 0x00, 0x0B, 0xF9, 0xFF
MS = 1_000_000


class Bus:
    """Says things to a listener, 50 ms apart unless told otherwise."""

    def __init__(self) -> None:
        self.listener = TransportListener(frozenset({DM1}))
        self.anomalies: Counter[str] = Counter()
        self.time_ms = 0
        self.heard: list[bytes] = []

    def manage(self, source: int, destination: int, data: bytes, after_ms: int = 50) -> None:
        self.time_ms += after_ms
        self.listener.manage(("can0", source, destination), self.time_ms * MS, data, self.anomalies)

    def announce(self, source: int, size: int, destination: int = ALL, pgn: int = DM1, after_ms: int = 50) -> None:
        control = 32 if destination == ALL else 16
        data = bytes([control, size & 0xFF, size >> 8, -(-size // 7), 0xFF]) + pgn.to_bytes(3, "little")
        self.manage(source, destination, data, after_ms)

    def packet(self, source: int, payload: bytes, number: int, destination: int = ALL, after_ms: int = 50) -> None:
        self.time_ms += after_ms
        data = bytes([number]) + payload[(number - 1) * 7 : number * 7].ljust(7, b"\xff")
        done = self.listener.transfer(("can0", source, destination), self.time_ms * MS, data, self.anomalies)
        if done is not None:
            assert done[0] == DM1
            self.heard.append(done[1])


@given(st.binary(min_size=9, max_size=1785))
def test_a_broadcast_is_heard_whole(payload: bytes) -> None:
    bus = Bus()
    bus.announce(ENGINE, len(payload))
    for number in range(1, -(-len(payload) // 7) + 1):
        bus.packet(ENGINE, payload, number)
    assert bus.heard == [payload]
    assert not bus.anomalies
    assert not bus.listener.sessions


def test_interleaved_senders_are_kept_apart() -> None:
    bus, one, two = Bus(), bytes(range(14)), bytes(range(100, 114))
    bus.announce(ENGINE, 14)
    bus.announce(BRAKES, 14)
    for number in (1, 2):
        bus.packet(ENGINE, one, number)
        bus.packet(BRAKES, two, number)
    assert bus.heard == [one, two]


def test_a_missing_broadcast_packet_aborts_and_the_rest_is_let_go() -> None:
    bus, payload = Bus(), bytes(26)
    bus.announce(ENGINE, 26)
    for number in (1, 3, 4, 2):
        bus.packet(ENGINE, payload, number)
    assert bus.heard == []
    assert bus.anomalies == {"j1939_tp_sequence_gap": 1}


def test_a_new_announcement_ends_the_message_under_way() -> None:
    bus, payload = Bus(), bytes(range(14))
    bus.announce(ENGINE, 14)
    bus.packet(ENGINE, payload, 1)
    bus.announce(ENGINE, 14)
    bus.packet(ENGINE, payload, 1)
    bus.packet(ENGINE, payload, 2)
    assert bus.heard == [payload]
    assert bus.anomalies == {"j1939_tp_restarted": 1}


def test_an_announcement_of_another_group_ends_the_message_under_way() -> None:
    bus, payload = Bus(), bytes(range(14))
    bus.announce(ENGINE, 14)
    bus.announce(ENGINE, 14, pgn=65251)
    bus.packet(ENGINE, payload, 1)
    bus.packet(ENGINE, payload, 2)
    assert bus.heard == []
    assert bus.anomalies == {"j1939_tp_restarted": 1}


def test_silence_of_more_than_750_ms_ends_a_broadcast() -> None:
    for after_ms, heard, anomalies in ((750, 1, {}), (751, 0, {"j1939_tp_timeout": 1})):
        bus, payload = Bus(), bytes(14)
        bus.announce(ENGINE, 14)
        bus.packet(ENGINE, payload, 1)
        bus.packet(ENGINE, payload, 2, after_ms=after_ms)
        assert (len(bus.heard), bus.anomalies) == (heard, anomalies)


def test_silence_of_more_than_1250_ms_ends_a_connection() -> None:
    for after_ms, heard in ((1250, 1), (1251, 0)):
        bus, payload = Bus(), bytes(14)
        bus.announce(ENGINE, 14, TOOL)
        bus.packet(ENGINE, payload, 1, TOOL)
        bus.packet(ENGINE, payload, 2, TOOL, after_ms=after_ms)
        assert len(bus.heard) == heard


def test_a_receiver_that_holds_the_connection_open_keeps_it_alive() -> None:
    bus, payload = Bus(), bytes(14)
    hold = bytes([17, 0, 1, 0xFF, 0xFF]) + DM1.to_bytes(3, "little")
    bus.announce(ENGINE, 14, TOOL)
    for _ in range(3):
        bus.manage(TOOL, ENGINE, hold, after_ms=1000)
    bus.packet(ENGINE, payload, 1, TOOL, after_ms=1000)
    bus.packet(ENGINE, payload, 2, TOOL)
    assert bus.heard == [payload]


def test_packets_asked_for_again_complete_a_connection() -> None:
    bus, payload = Bus(), bytes(range(21))
    bus.announce(ENGINE, 21, TOOL)
    for number in (1, 3, 2):
        bus.packet(ENGINE, payload, number, TOOL)
    assert bus.heard == [payload]
    assert not bus.anomalies


def test_either_side_may_abort_a_connection() -> None:
    abort = bytes([255, 1, 0xFF, 0xFF, 0xFF]) + DM1.to_bytes(3, "little")
    for source, destination in ((ENGINE, TOOL), (TOOL, ENGINE)):
        bus, payload = Bus(), bytes(14)
        bus.announce(ENGINE, 14, TOOL)
        bus.manage(source, destination, abort)
        bus.packet(ENGINE, payload, 1, TOOL)
        assert bus.anomalies == {"j1939_tp_aborted": 1}
        assert not bus.listener.sessions


def test_an_acknowledged_message_that_was_not_heard_whole_is_counted() -> None:
    bus = Bus()
    bus.announce(ENGINE, 14, TOOL)
    bus.packet(ENGINE, bytes(14), 2, TOOL)
    bus.manage(TOOL, ENGINE, bytes([19, 14, 0, 2, 0xFF]) + DM1.to_bytes(3, "little"))
    assert bus.anomalies == {"j1939_tp_incomplete": 1}
    assert not bus.listener.sessions


def test_other_groups_are_not_kept() -> None:
    bus = Bus()
    bus.announce(ENGINE, 14, pgn=65251)
    bus.packet(ENGINE, bytes(14), 1)
    assert not bus.listener.sessions
    assert not bus.anomalies


def test_announcements_that_contradict_themselves_are_malformed() -> None:
    dm1 = DM1.to_bytes(3, "little")
    bus = Bus()
    bus.manage(ENGINE, ALL, bytes([32, 14, 0, 3, 0xFF]) + dm1)  # 14 bytes are two packets
    bus.manage(ENGINE, ALL, bytes([32, 8, 0, 2, 0xFF]) + dm1)  # fits a single frame
    bus.manage(ENGINE, ALL, bytes([32, 0xFF, 0xFF, 0xFF, 0xFF]) + dm1)  # more than 255 packets hold
    bus.manage(ENGINE, TOOL, bytes([32, 14, 0, 2, 0xFF]) + dm1)  # a broadcast to one
    bus.manage(ENGINE, ALL, bytes([32, 14, 0]))
    assert bus.anomalies == {"j1939_tp_malformed": 5}
    assert not bus.listener.sessions


def test_a_packet_number_out_of_range_ends_the_message() -> None:
    for number in (0, 3):
        bus = Bus()
        bus.announce(ENGINE, 14, TOOL)
        bus.packet(ENGINE, bytes(14), number, TOOL)
        assert bus.anomalies == {"j1939_tp_malformed": 1}


def test_a_flood_of_announcements_does_not_grow_the_state_without_bound() -> None:
    bus = Bus()
    for source in range(MAX_SESSIONS + 10):
        bus.announce(source, 1785)
    assert len(bus.listener.sessions) == MAX_SESSIONS
    assert bus.anomalies == {"j1939_tp_crowded_out": 10}
    assert ("can0", 0, ALL) not in bus.listener.sessions


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=8)), max_size=40))
def test_no_frame_whatsoever_raises(frames: list[tuple[bool, bytes]]) -> None:
    bus = Bus()
    bus.announce(ENGINE, 1785)
    for managing, data in frames:
        if managing:
            bus.manage(ENGINE, ALL, data)
        else:
            bus.listener.transfer(("can0", ENGINE, ALL), bus.time_ms * MS, data, bus.anomalies)
