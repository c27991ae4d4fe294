"""OBD-II polling answers (SAE J1979 service 01 on CAN, ISO 15765-4): one or several PIDs in a single frame, or in many frames.

Which bytes belong to which PID depends on the PIDs before them, so answers are cut up here; the layouts of the single PIDs
are ordinary message definitions (`Match.OBD_ANSWER`) of a profile.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frames import NOT_CAN, FrameBatch, FrameFlag
from domain.signals import SignalGroup
from ingest.message_spec import Match, MessageSpec
from ingest.obd_layout import AnswerLayout, cut_answer, layout_of
from ingest.obd_pids import Responder, pid_lengths, responders
from ingest.profiles import Profile
from ingest.transport.payloads import Addressing, PayloadReader

ANSWER = 0x41
"""Service byte of a service 01 answer."""
UNKNOWN_PID = "obd_unknown_pid"
SHORT_ANSWER = "obd_short_answer"
NOT_AVAILABLE = "not_available"
_PID_AT = 2
"""Length and service stand before the first PID of a single frame."""
_SPOILT = -1
_MASKS = np.array([256**size - 1 for size in range(8)] + [2**64 - 1] * 64, np.uint64)
"""Bytes of data -> mask of the word that holds them."""
_STATE_FORMAT = 1
_UNUSABLE = np.uint8(FrameFlag.REMOTE | FrameFlag.ERROR | NOT_CAN)
_TICK = np.uint8(FrameFlag.TICK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the answers of a batch gave. `frames`: int64, rows that held or completed an answer with a known PID."""

    groups: tuple[SignalGroup, ...]
    anomalies: Mapping[tuple[str, str], int]
    frames: NDArray[np.int64]


_NOTHING = Answers(groups=(), anomalies={}, frames=np.empty(0, np.int64))


class ObdAnswers:
    """Reads the answers to polled PIDs, whoever asked. Carries per vehicle the answers of several frames that are under way.

    Expects frames sorted by vehicle, then by the vehicle's total order. Groups are told apart by PID and by class of responder,
    so that an engine's value outranks the same PID of another ECU. With `wanted`, only signals of these VSS paths are given.
    """

    name = "obd_answers"

    def __init__(
        self, profiles: Mapping[str, Profile], profile_of: Callable[[str], str], *, wanted: frozenset[str] | None = None
    ) -> None:
        self._profile_of = profile_of
        self._books = {name: book for name, profile in profiles.items() if (book := _book(profile.messages, wanted))}
        self._lengths = pid_lengths()
        self._usual = np.zeros(256, np.int64)
        for pid, lengths in self._lengths.items():
            self._usual[pid] = lengths[0]
        self._responders = responders()
        ids = [can_id for responder in self._responders for can_id in responder.can_ids()]
        self._responder_of = {can_id: n for n, responder in enumerate(self._responders) for can_id in responder.can_ids()}
        self._payloads = PayloadReader(isotp=dict.fromkeys(ids, Addressing.NORMAL))
        self.version = hashlib.sha256(repr((_STATE_FORMAT, sorted(ids))).encode()).hexdigest()[:16]

    def read(self, frames: FrameBatch, *, limited: bool = True) -> Answers:
        """The values of these frames' answers. `limited`: raw values that mean "not available" are not valid, and counted."""
        if not self._books:
            return _NOTHING
        rows = self._candidates(frames)
        if not len(rows) and self._payloads.is_idle:
            return _NOTHING
        anomalies: Counter[tuple[str, str]] = Counter()
        parts = _Parts()
        self._single_frames(frames, rows, parts, anomalies)
        self._long_answers(frames, rows, parts, anomalies)
        row, pid, data, length = parts.columns()
        groups = tuple(self._groups(frames, row, pid, data, length, anomalies, limited=limited))
        return Answers(groups=groups, anomalies=anomalies, frames=row[np.diff(row, prepend=-1) != 0])

    def _candidates(self, frames: FrameBatch) -> NDArray[np.int64]:
        """Rows of responders' data frames, of vehicles whose profile knows PIDs."""
        answering = ((frames.can_id & np.uint32(0xFFFF_FFF8)) == 0x7E8) | (
            (frames.can_id & np.uint32(0xFFFF_FF00)) == 0x98DA_F100
        )
        rows: NDArray[np.int64] = np.flatnonzero(answering)
        if not len(rows):
            return rows
        polled = np.array([self._profile_of(vehicle) in self._books for vehicle in frames.vehicles], np.bool_)
        usable: NDArray[np.bool_] = ((frames.flags[rows] & _UNUSABLE) == 0) & polled[frames.vehicle[rows]]
        chosen: NDArray[np.int64] = rows[usable]
        return chosen

    def _single_frames(
        self, frames: FrameBatch, rows: NDArray[np.int64], parts: _Parts, anomalies: Counter[tuple[str, str]]
    ) -> None:
        payload, size = frames.payload[rows], frames.length[rows].astype(np.int64)
        said = (payload & np.uint64(0xFF)).astype(np.int64)
        escaped = (said == 0) & (size > 8)
        service = np.where(escaped, payload >> np.uint64(16), payload >> np.uint64(8)) & np.uint64(0xFF)
        answer = (service == ANSWER) & (escaped | ((said > _PID_AT) & (said < 8) & (said < size)))
        plain = self._plain(rows, payload >> np.uint64(16), np.where(answer & ~escaped, said - 1, 0), parts)
        for row in rows[answer & ~plain].tolist():
            frame = frames.payload_bytes(row)
            start, size_said = (2, frame[1]) if frame[0] == 0 else (1, frame[0])
            if size_said <= len(frame) - start:
                self._cut(row, frame[start + 1 : start + size_said], parts, anomalies)

    def _plain(
        self, rows: NDArray[np.int64], rest: NDArray[np.uint64], left: NDArray[np.int64], parts: _Parts
    ) -> NDArray[np.bool_]:
        """Which answers are PIDs of usual lengths to the last byte; they go to `parts`, all first PIDs, then all second ones.

        Args:
            rest: PID and what follows, little-endian load. left: how many bytes that is, 0 for frames that are no answer.
        """
        is_answer = left > 0
        steps = []
        while (left > 0).any():
            pid = (rest & np.uint64(0xFF)).astype(np.int64)
            size = self._usual[pid]
            fits = (left > 0) & (size > 0) & (size < left)
            steps.append((fits, pid, rest >> np.uint64(8), size))
            left = np.where(fits, left - 1 - size, np.where(left > 0, _SPOILT, left))
            rest = rest >> (8 * (1 + np.minimum(size, 6))).astype(np.uint64)
        plain: NDArray[np.bool_] = is_answer & (left == 0)
        for fits, pid, data, size in steps:
            mine = fits & plain
            parts.add_plain(rows[mine], pid[mine], data[mine] & _MASKS[size[mine]], size[mine])
        return plain

    def _long_answers(
        self, frames: FrameBatch, rows: NDArray[np.int64], parts: _Parts, anomalies: Counter[tuple[str, str]]
    ) -> None:
        kind = frames.payload[rows] >> np.uint64(4) & np.uint64(0xF)
        begins = (kind == 1) & ((frames.payload[rows] >> np.uint64(16) & np.uint64(0xFF)) == ANSWER)
        if self._payloads.is_idle and not begins.any():
            return
        several = rows[(kind == 1) | (kind == 2)]
        heard = np.union1d(several, np.flatnonzero(frames.flags & _TICK))
        for payload in self._payloads.read(frames.take(heard)):
            if payload.data[:1] == bytes([ANSWER]):
                self._cut(int(heard[payload.frame]), payload.data[1:], parts, anomalies)
        self._payloads.anomalies.clear()  # the diagnostics count what goes wrong in transport, of all services

    def _cut(self, row: int, answer: bytes, parts: _Parts, anomalies: Counter[tuple[str, str]]) -> None:
        found, unknown = cut_answer(answer, self._lengths)
        for pid, data in found:
            if len(data) < min(self._lengths[pid]):
                anomalies[f"OBD2_PID{pid:02X}", SHORT_ANSWER] += 1
            parts.add(row, pid, data)
        if unknown is not None:
            anomalies[f"OBD2_PID{unknown:02X}", UNKNOWN_PID] += 1

    def _groups(
        self,
        frames: FrameBatch,
        row: NDArray[np.int64],
        pid: NDArray[np.int64],
        data: NDArray[np.uint8],
        length: NDArray[np.int64],
        anomalies: Counter[tuple[str, str]],
        *,
        limited: bool,
    ) -> Iterator[SignalGroup]:
        senders, sender = np.unique(frames.can_id[row], return_inverse=True)
        responder = np.array([self._responder_of[one] for one in senders.tolist()] or [0], np.int64)[sender]
        profiles = sorted({self._profile_of(vehicle) for vehicle in frames.vehicles} & set(self._books))
        number_of = {name: number for number, name in enumerate(profiles)}
        profile = np.array([number_of.get(self._profile_of(vehicle), -1) for vehicle in frames.vehicles] or [-1], np.int64)
        key = (profile[frames.vehicle[row]] << 16) | pid << 8 | responder
        for one in np.flatnonzero(np.bincount(key)).tolist():
            layout = self._books[profiles[one >> 16]].get(one >> 8 & 0xFF)
            if layout is not None:
                mine = np.flatnonzero(key == one)
                name, whose = profiles[one >> 16], self._responders[one & 0xFF]
                yield _group(layout, name, whose, frames, row[mine], data[mine], length[mine], anomalies, limited=limited)

    def snapshot(self, vehicle: str) -> bytes | None:
        """The vehicle's answers under way; None where there are none."""
        return self._payloads.snapshot(vehicle)

    def restore(self, vehicle: str, state: bytes) -> None:
        """Set the vehicle's state from `snapshot` of the same version."""
        self._payloads.restore(vehicle, state)

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle's state."""
        self._payloads.forget(vehicle)


def _book(messages: Sequence[MessageSpec], wanted: frozenset[str] | None) -> dict[int, AnswerLayout]:
    """PID -> layout, of the PIDs of which something is wanted."""
    layouts = {m.can_id: layout_of(m, wanted) for m in messages if m.match is Match.OBD_ANSWER}
    return {pid: layout for pid, layout in layouts.items() if layout.names}


def _group(
    layout: AnswerLayout,
    profile: str,
    responder: Responder,
    frames: FrameBatch,
    row: NDArray[np.int64],
    data: NDArray[np.uint8],
    length: NDArray[np.int64],
    anomalies: Counter[tuple[str, str]],
    *,
    limited: bool,
) -> SignalGroup:
    values, valid, unavailable = layout.decode(data, length, limited=limited)
    if unavailable:
        anomalies[layout.message, NOT_AVAILABLE] += unavailable
    return SignalGroup.of(
        message=layout.message,
        bus="*",
        profile=profile,
        names=layout.names,
        paths=layout.paths,
        units=layout.units,
        frame=row,
        time_ns=frames.time_ns[row],
        vehicle=frames.vehicle[row],
        source=np.full(len(row), -1, np.int16),
        values=values,
        valid=valid,
        priority=layout.priority + np.uint8(responder.rank),
        stale_after_ns=layout.stale_after_ns,
    )


class _Parts:
    """Answers to single PIDs as they are found: (row, PID, data bytes)."""

    def __init__(self) -> None:
        self._plain: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64], NDArray[np.int64]]] = []
        self._cut: list[tuple[int, int, bytes]] = []

    def add_plain(
        self, row: NDArray[np.int64], pid: NDArray[np.int64], data: NDArray[np.uint64], length: NDArray[np.int64]
    ) -> None:
        """Many at once, with at most five data bytes each (little-endian load)."""
        self._plain.append((row, pid, data, length))

    def add(self, row: int, pid: int, data: bytes) -> None:
        """One."""
        self._cut.append((row, pid, data))

    def columns(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8], NDArray[np.int64]]:
        """(row, PID, data zero-padded to equal width, data length), in order of the rows."""
        words = np.concatenate([np.empty(0, np.uint64), *(data for _, _, data, _ in self._plain)])
        longest = max((len(part) for _, _, part in self._cut), default=0)
        matrix = np.zeros((len(words) + len(self._cut), max(longest, 8)), np.uint8)
        matrix[: len(words), :8] = words.astype("<u8").view(np.uint8).reshape(-1, 8)
        for number, (_, _, part) in enumerate(self._cut, start=len(words)):
            matrix[number, : len(part)] = np.frombuffer(part, np.uint8)
        cut = ([r for r, _, _ in self._cut], [p for _, p, _ in self._cut], [len(part) for _, _, part in self._cut])
        row, pid, length = (
            np.concatenate([*(part[column] for part in self._plain), np.array(last, np.int64)])
            for column, last in zip((0, 1, 3), cut, strict=True)
        )
        order = np.argsort(row, kind="stable")
        return row[order], pid[order], matrix[order], length[order]
