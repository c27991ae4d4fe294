"""Passive reassembly of SAE J1939-21 multi-packet messages: broadcast (BAM) and connection mode (RTS/CTS)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

BROADCAST = 0xFF
PACKET_BYTES = 7
MIN_MESSAGE_BYTES, MAX_MESSAGE_BYTES = 9, 1785
BROADCAST_TIMEOUT_NS = 750_000_000
"""T1 of SAE J1939-21."""
CONNECTION_TIMEOUT_NS = 1_250_000_000
"""T2 and T3 of SAE J1939-21."""

MAX_SESSIONS = 64
"""Under way at once in one vehicle; a flood of announcements drops the longest silent ones."""

RTS, CTS, END_OF_MESSAGE, BAM, ABORT = 16, 17, 19, 32, 255

SEQUENCE_GAP = "j1939_tp_sequence_gap"
TIMEOUT = "j1939_tp_timeout"
RESTARTED = "j1939_tp_restarted"
ABORTED = "j1939_tp_aborted"
INCOMPLETE = "j1939_tp_incomplete"
MALFORMED = "j1939_tp_malformed"
CROWDED_OUT = "j1939_tp_crowded_out"

Key = tuple[str, int, int]
"""(bus name, source address, destination address; 255 for a broadcast)."""


@dataclass(slots=True, kw_only=True)
class Session:
    """A message of `size` bytes under way; `received` has bit n-1 set for packet n, `time_ns` is the last frame's."""

    pgn: int
    size: int
    received: int
    time_ns: int
    data: bytearray

    @property
    def packets(self) -> int:
        """How many packets the message has."""
        return -(-self.size // PACKET_BYTES)


class TransportListener:
    """Reassembles the messages of some parameter groups, from all senders of one vehicle.

    A sender has at most one message under way per destination. Broadcast packets must come in order; in connection mode
    the receiver may ask for packets again, so there a message is complete when every packet has been seen.

    Args:
        pgns: the parameter groups wanted, None for all; transfers of others only end what the same sender had under way.
    """

    __slots__ = ("pgns", "sessions")

    def __init__(self, pgns: frozenset[int] | None) -> None:
        self.pgns = pgns
        self.sessions: dict[Key, Session] = {}

    def manage(self, key: Key, time_ns: int, frame: bytes, anomalies: Counter[str]) -> None:
        """Take a connection-management frame (TP.CM, PGN 60416) that `key`'s source sent to its destination."""
        if len(frame) < 8:
            anomalies[MALFORMED] += 1
            return
        bus, source, destination = key
        control, pgn = frame[0], int.from_bytes(frame[5:8], "little")
        if control in (BAM, RTS):
            self._open(key, time_ns, frame, pgn, anomalies)
        elif control in (CTS, END_OF_MESSAGE, ABORT):
            answered = self.sessions.get((bus, destination, source))
            if control == CTS and answered and answered.pgn == pgn:
                answered.time_ns = time_ns
            elif control == END_OF_MESSAGE and answered and answered.pgn == pgn:
                del self.sessions[bus, destination, source]
                anomalies[INCOMPLETE] += 1
            elif control == ABORT:
                self._abort(key, pgn, anomalies)
                self._abort((bus, destination, source), pgn, anomalies)

    def transfer(self, key: Key, time_ns: int, frame: bytes, anomalies: Counter[str]) -> tuple[int, bytes] | None:
        """Take a data frame (TP.DT, PGN 60160); gives (PGN, message) where it completes one."""
        session = self.sessions.get(key)
        if session is None:
            return None
        fault, number = "", frame[0] if frame else 0
        if _is_silent(key, session, time_ns):
            fault = TIMEOUT
        elif len(frame) < 8 or not 1 <= number <= session.packets:
            fault = MALFORMED
        elif key[2] == BROADCAST and number != session.received.bit_length() + 1:
            fault = SEQUENCE_GAP
        if fault:
            anomalies[fault] += 1
            del self.sessions[key]
            return None
        session.received |= 1 << (number - 1)
        session.time_ns = time_ns
        session.data[(number - 1) * PACKET_BYTES : number * PACKET_BYTES] = frame[1:8]
        if session.received != (1 << session.packets) - 1:
            return None
        del self.sessions[key]
        return session.pgn, bytes(session.data[: session.size])

    def _open(self, key: Key, time_ns: int, frame: bytes, pgn: int, anomalies: Counter[str]) -> None:
        if self.sessions.pop(key, None) is not None:
            anomalies[RESTARTED] += 1
        if self.pgns is not None and pgn not in self.pgns:
            return
        size = int.from_bytes(frame[1:3], "little")
        packets = -(-size // PACKET_BYTES)
        if (
            not MIN_MESSAGE_BYTES <= size <= MAX_MESSAGE_BYTES
            or frame[3] != packets
            or (frame[0] == BAM) != (key[2] == BROADCAST)
        ):
            anomalies[MALFORMED] += 1
            return
        if len(self.sessions) >= MAX_SESSIONS:
            del self.sessions[min(self.sessions, key=lambda k: (self.sessions[k].time_ns, k))]
            anomalies[CROWDED_OUT] += 1
        self.sessions[key] = Session(pgn=pgn, size=size, received=0, time_ns=time_ns, data=bytearray(packets * PACKET_BYTES))

    def _abort(self, key: Key, pgn: int, anomalies: Counter[str]) -> None:
        session = self.sessions.get(key)
        if session is not None and session.pgn == pgn:
            del self.sessions[key]
            anomalies[ABORTED] += 1

    def expire(self, time_ns: int, anomalies: Counter[str]) -> None:
        """Give up what has been silent for too long, so that a vehicle at rest keeps no state."""
        for key in [k for k, s in self.sessions.items() if _is_silent(k, s, time_ns)]:
            del self.sessions[key]
            anomalies[TIMEOUT] += 1

    def dump(self) -> list[list[str | int]]:
        """The sessions under way as plain values, for `load`."""
        return [
            [*key, s.pgn, s.size, s.received, s.time_ns, s.data[: s.received.bit_length() * PACKET_BYTES].hex()]
            for key, s in self.sessions.items()
        ]

    def load(self, rows: list[list[str | int]]) -> None:
        """Set the sessions from what `dump` gave."""
        self.sessions = {
            (str(bus), int(source), int(destination)): Session(
                pgn=int(pgn),
                size=int(size),
                received=int(received),
                time_ns=int(time_ns),
                data=bytearray.fromhex(str(data)).ljust(-(-int(size) // PACKET_BYTES) * PACKET_BYTES, b"\0"),
            )
            for bus, source, destination, pgn, size, received, time_ns, data in rows
        }


def _is_silent(key: Key, session: Session, time_ns: int) -> bool:
    """Whether the next frame is overdue."""
    return time_ns - session.time_ns > (BROADCAST_TIMEOUT_NS if key[2] == BROADCAST else CONNECTION_TIMEOUT_NS)
