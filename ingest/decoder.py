"""Frames -> decoded signals, by each vehicle's profile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.frames import FrameBatch
from domain.ports import Jit, no_jit
from domain.signals import ReadyColumns, SignalBatch, SignalGroup, SignalLabels
from ingest import columns
from ingest.backends import KernelBackend, NumpyBackend
from ingest.carried import CarriedMessages, as_frames
from ingest.decoded import DecodedBook, Grouped, MessageColumns
from ingest.message_spec import CONTAINER, Transport
from ingest.profiles import Profile
from ingest.records import record_groups
from ingest.signal_table import MessageLayout, SignalLayout, SignalTable, compile_book, unit_of
from ingest.transport.payloads import NO_PGN

SHORT_FRAME = "short_frame"
UNKNOWN_MUX = "unknown_mux"
NOT_AVAILABLE = "not_available"
UNDECLARED_MUX = "undeclared_mux"
"""The signal's selector is not marked as one in the file: cantools never gives the signal."""
TRANSPORTED = "transported"
"""A J1939 group that came in several frames: strictly, frame by frame, there is none."""
DIFFERS_FROM_STRICT = frozenset(
    {UNKNOWN_MUX, NOT_AVAILABLE, UNDECLARED_MUX, TRANSPORTED, "overlapping_signals", "overlong_signals"}
)
"""Anomalies where the default gives something else than strict decoding; a short frame gives the same in both."""
_BY_NUMPY = NumpyBackend()
"""For messages longer than a frame: they are few, and longer than the kernels' columns say."""


class Decoder:
    """Decodes batches of frames; what it carries from one to the next is the transfers under way of messages longer than a frame.

    Frames come sorted by vehicle, then by the vehicle's total order.

    Each book of a profile (DBC file on a bus, built-in set) decodes on its own, so that a frame may belong to several
    messages. With `wanted`, only signals of these VSS paths are decoded, and anomalies counted only in their messages.
    Results are worked out as far as they are asked for (`SignalGroup`), in buffers that are used again once nobody holds them,
    so one decoder serves one thread.
    """

    def __init__(
        self,
        profiles: Mapping[str, Profile],
        profile_of: Callable[[str], str],
        *,
        jit: Jit = no_jit,
        wanted: frozenset[str] | None = None,
    ) -> None:
        self._profile_of, self._wanted = profile_of, wanted
        self._books = {name: tuple(_books(name, _in_frames(profile), wanted)) for name, profile in profiles.items()}
        self._carried_books = {name: _carried_books(name, profile, wanted) for name, profile in profiles.items()}
        books = [book for by_prefix in self._carried_books.values() for book, _ in by_prefix]
        self._carried = CarriedMessages(m.spec for book in books for m in book.table.layouts if m.shown)
        self.name, self.version = "decoder", self._carried.version
        self._backend = NumpyBackend() if jit is no_jit else KernelBackend(jit)

    def decode(self, frames: FrameBatch) -> SignalBatch:
        """All that can be decoded: also complete signals of short frames, of overlapping layouts, and of unknown multiplexers.

        Raw values past a signal's valid maximum (J1939: error, not available) are not valid. Oddities are counted.
        """
        return self._decode(frames, strict=False)

    def decode_strict(self, frames: FrameBatch) -> SignalBatch:
        """What cantools gives with `load_file(strict=False)` and `decode(decode_choices=False, allow_truncated=True)`.

        A frame on which it raises gives nothing; no raw value is taken as not available. An ISO-TP answer is given to it whole, since
        no frame of one means anything; a J1939 group in several frames is not, since its frames are messages of their own.
        """
        return self._decode(frames, strict=True)

    def _decode(self, frames: FrameBatch, *, strict: bool) -> SignalBatch:
        groups: list[SignalGroup] = []
        anomalies: Counter[tuple[str, str]] = Counter()
        known: list[Grouped] = []
        for profile, vehicle_ok in self._vehicles_by_profile(frames):
            for book in self._books[profile]:
                bus_ok = np.array([book.table.bus in ("*", name) for name in frames.buses] or [False], np.bool_)
                if bus_ok.any():
                    grouped = self._backend.group(frames, vehicle_ok, bus_ok, book.table)
                    known.append(grouped)
                    groups += self._decode_book(frames, grouped, book, strict, anomalies)
        groups += self._decode_carried(frames, strict, anomalies, known)
        data_frames, known_frames = len(frames), _known_frames(known)
        if np.bitwise_or.reduce(frames.flags) & np.uint8(columns.NO_SIGNALS):  # most batches hold data frames alone
            groups += record_groups(frames, anomalies, wanted=self._wanted)
            data_frames = int(np.count_nonzero((frames.flags & np.uint8(columns.NO_SIGNALS)) == 0))
        return SignalBatch(
            vehicles=frames.vehicles,
            groups=tuple(groups),
            anomalies=dict(anomalies),
            known_frames=known_frames,
            unknown_frames=data_frames - known_frames,
        )

    def _vehicles_by_profile(self, frames: FrameBatch) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        names = [self._profile_of(vehicle) for vehicle in frames.vehicles]
        for name in sorted(set(names) & set(self._books)):
            yield name, np.array([other == name for other in names], np.bool_)

    def _decode_carried(
        self, frames: FrameBatch, strict: bool, anomalies: Counter[tuple[str, str]], known: list[Grouped]
    ) -> Iterator[SignalGroup]:
        """Messages that came in several frames; each has the place of the frame that completed it."""
        if not self._carried.wanted:
            return
        payloads, odd = self._carried.read(frames)
        if strict:
            payloads = [payload for payload in payloads if payload.pgn == NO_PGN]
        for kind, count in odd.items():
            anomalies["", kind] += count
        rows = np.array([payload.frame for payload in payloads], np.int64)
        by_group = np.array([payload.pgn != NO_PGN for payload in payloads], np.bool_)
        for profile, vehicle_ok in self._vehicles_by_profile(frames):
            for book, prefix_bytes in self._carried_books[profile]:
                bus_ok = np.array([book.table.bus in ("*", name) for name in frames.buses] or [False], np.bool_)
                known.append(_BY_NUMPY.group(frames, vehicle_ok, bus_ok, book.table))
                if payloads:
                    whole = as_frames(payloads, frames, prefix_bytes=prefix_bytes)
                    grouped = _BY_NUMPY.group(whole, vehicle_ok, bus_ok, book.table)
                    for group in self._decode_book(whole, grouped, book, strict, anomalies, by=_BY_NUMPY):
                        transported = int(np.count_nonzero(by_group[group.frame]))
                        if transported:
                            anomalies[group.message, TRANSPORTED] += transported
                        yield _ready(group, frame=rows[group.frame])

    def snapshot(self, vehicle: str) -> bytes | None:
        """The vehicle's transfers under way, None where there are none."""
        return self._carried.snapshot(vehicle)

    def restore(self, vehicle: str, state: bytes) -> None:
        """Set the vehicle's state from `snapshot`; raises ValueError for another format."""
        self._carried.restore(vehicle, state)

    def forget(self, vehicle: str) -> None:
        """Drop the vehicle's state."""
        self._carried.forget(vehicle)

    def _decode_book(
        self,
        frames: FrameBatch,
        grouped: Grouped,
        book: _Book,
        strict: bool,
        anomalies: Counter[tuple[str, str]],
        *,
        by: NumpyBackend | None = None,
    ) -> list[SignalGroup]:
        decoded, unavailable = (by or self._backend).decode(frames, grouped, book.table, limited=not strict)
        for number in grouped.short.nonzero()[0].tolist():
            if book.table.messages["shown"][number]:
                anomalies[book.labels[number].message, SHORT_FRAME] += int(grouped.short[number])
        for number, count in unavailable.items():
            if count:
                kind = book.not_available[number]
                anomalies[kind] = anomalies.get(kind, 0) + count
        for number in book.containers:
            if decoded.count(number):
                anomalies[book.labels[number].message, CONTAINER] += decoded.count(number)
        labels, numbers = book.labels, decoded.places.occurring.tolist()
        groups = [SignalGroup(labels[number], MessageColumns(decoded, number)) for number in numbers]
        if not book.doubtful:
            return groups
        settled = [
            _settle(group, number, decoded, book, strict, anomalies) for group, number in zip(groups, numbers, strict=True)
        ]
        return [group for group in settled if group is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Book:
    """A signal table and what its columns are called.

    Attributes:
        not_available: of each message, what its values above limits are counted as.
        doubtful: messages of which strict decoding may give less. containers: messages that are container frames.
    """

    table: SignalTable
    labels: tuple[SignalLabels, ...]
    not_available: tuple[tuple[str, str], ...]
    doubtful: frozenset[int]
    containers: tuple[int, ...]


def _known_frames(books: Sequence[Grouped]) -> int:
    """Frames that a message of any book matched."""
    if len(books) == 1:
        return books[0].known
    known = [grouped.message < len(grouped.short) for grouped in books]
    return int(np.count_nonzero(np.logical_or.reduce(known))) if known else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Failures:
    """Frames on which strict decoding raises (None: none), and how many for which reason; each frame counts once."""

    frames: NDArray[np.bool_] | None
    kinds: dict[str, int]


def _failures(decoded: DecodedBook, number: int) -> _Failures:
    layout, valid = decoded.table.layouts[number], decoded.valid(number)
    failed: NDArray[np.bool_] | None = None
    kinds: Counter[str] = Counter()

    def add(kind: str, frames: NDArray[np.bool_]) -> None:
        nonlocal failed
        fresh = frames if failed is None else frames & ~failed
        kinds[kind] += int(np.count_nonzero(fresh))
        failed = frames if failed is None else failed | frames

    def within(signal: SignalLayout, ranges: tuple[tuple[int, int], ...]) -> NDArray[np.bool_]:
        # selectors are compared in the units of their own message
        return columns.in_ranges(columns.physical(signal, decoded.raw(number, signal.row)), ranges)

    by_name = {signal.spec.name: signal for signal in layout.signals}
    for branch in layout.broken:
        if not branch.parent:
            add(branch.reason, np.ones(decoded.count(number), np.bool_))
        elif branch.parent in by_name:
            selector = by_name[branch.parent]
            add(branch.reason, valid[selector.row] & within(selector, branch.ranges))
    for position, known in layout.selectors:
        selector = layout.signals[position]
        add(UNKNOWN_MUX, valid[selector.row] & ~within(selector, known))
    return _Failures(frames=failed if failed is not None and failed.any() else None, kinds=dict(kinds))


def _settle(
    group: SignalGroup, number: int, decoded: DecodedBook, book: _Book, strict: bool, anomalies: Counter[tuple[str, str]]
) -> SignalGroup | None:
    """What strict decoding leaves of a group (None: nothing), or the group as it is; what strict decoding would leave out is counted."""
    if number not in book.doubtful:
        return group
    failed = _failures(decoded, number)
    for kind, count in failed.kinds.items():
        if count:
            anomalies[group.message, kind] += count
    if lost := list(book.table.layouts[number].unreachable):
        anomalies[group.message, UNDECLARED_MUX] += int(np.count_nonzero(group.valid[lost].any(axis=0)))
        group = _without(group, lost) if strict else group
    if strict and failed.frames is not None:
        group = _keep(group, ~failed.frames)
    return group if len(group) else None


def _keep(group: SignalGroup, frames: NDArray[np.bool_]) -> SignalGroup:
    kept = ReadyColumns(
        frame=group.frame[frames],
        time_ns=group.time_ns[frames],
        vehicle=group.vehicle[frames],
        source=group.source[frames],
        values=group.values[:, frames],
        valid=group.valid[:, frames],
        raws=tuple(group.raw(row)[frames] for row in range(len(group.names))),
    )
    return SignalGroup(group.labels, kept)


def _without(group: SignalGroup, rows: list[int]) -> SignalGroup:
    """The group with no value of these signals."""
    values, valid = group.values.copy(), group.valid.copy()
    values[rows], valid[rows] = np.nan, False
    return _ready(group, values=values, valid=valid)


def _ready(group: SignalGroup, **changed: NDArray[Any]) -> SignalGroup:
    """The group with some columns in place of its own."""
    own = {name: getattr(group, name) for name in ("frame", "time_ns", "vehicle", "source", "values", "valid")}
    raws = tuple(group.raw(row) for row in range(len(group.names)))
    return SignalGroup(group.labels, ReadyColumns(raws=raws, **(own | changed)))


def _labels(layout: MessageLayout, profile: str) -> SignalLabels:
    shown = [signal.spec for signal in layout.by_row[: layout.shown]]
    return SignalLabels(
        message=layout.spec.name,
        bus=layout.spec.bus,
        profile=profile,
        names=tuple(s.name for s in shown),
        paths=tuple(s.path or None for s in shown),
        units=tuple(unit_of(s) for s in shown),
        priority=np.array([s.priority for s in shown], np.uint8),
        stale_after_ns=np.array([round(s.stale_after_s * 1e9) for s in shown], np.int64),
    )


def _in_frames(profile: Profile) -> Profile:
    """What one frame may hold; a J1939 group counts, since its sender may leave out what does not fit."""
    return replace(profile, messages=tuple(m for m in profile.messages if m.transport is not Transport.ISO_TP))


def _carried_books(name: str, profile: Profile, wanted: frozenset[str] | None) -> tuple[tuple[_Book, int], ...]:
    """Books of what comes in several frames, each with the bytes that its messages count before the payload."""
    carried = [m for m in profile.messages if m.transport is not Transport.FRAME]
    return tuple(
        (book, prefix)
        for prefix in sorted({m.prefix_bytes for m in carried})
        for book in _books(name, replace(profile, messages=tuple(m for m in carried if m.prefix_bytes == prefix)), wanted)
    )


def _books(name: str, profile: Profile, wanted: frozenset[str] | None) -> Iterator[_Book]:
    """Messages of equal (bus, origin), in the profile's order of first appearance."""
    order = {key: number for number, key in enumerate(dict.fromkeys((m.bus, m.origin) for m in profile.messages))}
    ordered = sorted(profile.messages, key=lambda m: order[m.bus, m.origin])
    for _, messages in groupby(ordered, key=lambda m: order[m.bus, m.origin]):
        table = compile_book(tuple(messages), wanted=wanted)
        yield _Book(
            table=table,
            labels=tuple(_labels(layout, name) for layout in table.layouts),
            not_available=tuple((layout.spec.name, NOT_AVAILABLE) for layout in table.layouts),
            doubtful=frozenset(n for n, each in enumerate(table.layouts) if each.broken or each.selectors or each.unreachable),
            containers=tuple(n for n, layout in enumerate(table.layouts) if layout.spec.undecodable == CONTAINER),
        )
