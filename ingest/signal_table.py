"""Message specs compiled to flat arrays: how to find a frame's message, and where each signal's bits lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from domain.frames import EXTENDED_ID
from ingest.message_spec import Match, MessageSpec, NumberKind, SignalSpec
from ingest.mux import ALWAYS, BrokenBranch, broken_branches, first_bit, known_selector_values

NO_LIMIT = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
EMPTY_SLOT = np.uint32(0xFFFF_FFFF)
_ALL_BITS = 0xFFFF_FFFF
_EXACT_FLOAT = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalLayout:
    """Where one signal lies and how it becomes a number.

    Attributes:
        row: row of the message's value matrix. end_bit: payload bits that must be there.
        byte_offset, shift: raw bits begin `shift` bits up in the 8-byte window at `byte_offset`, loaded in the signal's byte
            order; a negative shift reaches as many bits into the ninth byte.
        parent: position of the selector in `MessageLayout.signals`, -1 without. ranges: selector values under which it is present.
        exact: whole-number scaling that float64 would round before the end.
    """

    spec: SignalSpec
    row: int
    end_bit: int
    byte_offset: int
    shift: int
    parent: int
    ranges: tuple[tuple[int, int], ...]
    exact: bool

    @property
    def in_first_word(self) -> bool:
        """Whether the first eight bytes hold all of it and plain float64 arithmetic is exact enough."""
        integer = self.spec.kind in (NumberKind.UNSIGNED, NumberKind.SIGNED)
        return integer and self.end_bit <= 64 and not self.exact


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLayout:
    """One message: signals with selectors before what depends on them, and the columns of its `SignalGroup`.

    Attributes:
        shown: the first rows of the value matrix that are given out (the rest are selectors needed inside).
        min_bytes: payload length that holds all signals. fast: the kernel can decode it.
        converted: (row, scale, offset) of rows whose VSS unit is another.
        broken: branches that strict decoding refuses. selectors: (position, known values) of each multiplexer.
    """

    spec: MessageSpec
    signals: tuple[SignalLayout, ...]
    shown: int
    names: tuple[str, ...]
    paths: tuple[str | None, ...]
    units: tuple[str, ...]
    priority: NDArray[np.uint8]
    stale_after_ns: NDArray[np.int64]
    min_bytes: int
    fast: bool
    converted: tuple[tuple[int, float, float], ...]
    broken: tuple[BrokenBranch, ...]
    selectors: tuple[tuple[int, tuple[tuple[int, int], ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IdTable:
    """Identifier -> message number, for the kernel (`slots`, open addressing) and for numpy (`keys`, sorted)."""

    keys: NDArray[np.uint32]
    messages: NDArray[np.int32]
    slots: NDArray[np.uint32]
    slot_messages: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalTable:
    """The messages of one book (a DBC file, or a built-in set) and their signals as flat arrays.

    Attributes:
        standard: int32[2048], 11-bit identifier -> message number, -1 none. extended, groups: 29-bit identifiers and PGNs.
        masked: uint32[k, 3], rows of (mask, identifier, message number) for 29-bit identifiers with don't-care bits.
        by_pgn, always_complete (a long enough frame gives every signal), fast: bool[m]. min_bytes: int64[m]. signal_start: int64[m + 1], slices of the signal columns.
        up, down: uint64[s], a raw value is `(word << up) >> down`. big_endian, signed, narrow: bool[s].
        scale, offset: float64[s]. parent: int64[s], position within the message. end_bit: int64[s]. raw_max: uint64[s].
        range_start: int64[s + 1], slices of `ranges`, float64[r, 2].
    """

    bus: str
    layouts: tuple[MessageLayout, ...]
    standard: NDArray[np.int32]
    extended: IdTable
    groups: IdTable
    masked: NDArray[np.uint32]
    by_pgn: NDArray[np.bool_]
    min_bytes: NDArray[np.int64]
    always_complete: NDArray[np.bool_]
    most_signals: int
    fast: NDArray[np.bool_]
    signal_start: NDArray[np.int64]
    row: NDArray[np.int64]
    up: NDArray[np.uint64]
    down: NDArray[np.uint64]
    big_endian: NDArray[np.bool_]
    signed: NDArray[np.bool_]
    narrow: NDArray[np.bool_]
    scale: NDArray[np.float64]
    offset: NDArray[np.float64]
    parent: NDArray[np.int64]
    end_bit: NDArray[np.int64]
    raw_max: NDArray[np.uint64]
    range_start: NDArray[np.int64]
    ranges: NDArray[np.float64]


def compile_book(messages: Sequence[MessageSpec], *, wanted: frozenset[str] | None = None) -> SignalTable:
    """Compile messages of one bus and origin; with `wanted`, only signals of these VSS paths and the selectors they hang on."""
    layouts = tuple(layout_message(message, wanted) for message in messages)
    signals = [signal for layout in layouts for signal in layout.signals]
    fits = [signal.in_first_word for signal in signals]
    down = [64 - signal.spec.length if fit else 0 for signal, fit in zip(signals, fits, strict=True)]
    up = [64 - s.shift - s.spec.length if fit else 0 for s, fit in zip(signals, fits, strict=True)]
    return SignalTable(
        bus=messages[0].bus if messages else "*",
        layouts=layouts,
        standard=_standard_ids(messages),
        extended=id_table({m.can_id: n for n, m in enumerate(messages) if _is_extended(m) and m.can_id_mask == _ALL_BITS}),
        groups=id_table({m.can_id: n for n, m in enumerate(messages) if m.match is Match.PGN}),
        masked=_masked_ids(messages),
        by_pgn=np.array([m.match is Match.PGN for m in messages], np.bool_),
        min_bytes=np.array([layout.min_bytes for layout in layouts], np.int64),
        always_complete=np.array([_unconditional(layout) for layout in layouts], np.bool_),
        most_signals=max((len(layout.signals) for layout in layouts), default=0),
        fast=np.array([layout.fast for layout in layouts], np.bool_),
        signal_start=np.array([0, *accumulate(len(layout.signals) for layout in layouts)], np.int64),
        row=np.array([s.row for s in signals], np.int64),
        up=np.array(up, np.uint64),
        down=np.array(down, np.uint64),
        big_endian=np.array([s.spec.big_endian for s in signals], np.bool_),
        signed=np.array([s.spec.kind is NumberKind.SIGNED for s in signals], np.bool_),
        narrow=np.array([s.spec.length <= 31 for s in signals], np.bool_),
        scale=np.array([s.spec.scale for s in signals], np.float64),
        offset=np.array([s.spec.offset for s in signals], np.float64),
        parent=np.array([s.parent for s in signals], np.int64),
        end_bit=np.array([s.end_bit for s in signals], np.int64),
        raw_max=np.array([raw_limit(s.spec) for s in signals], np.uint64),
        range_start=np.array([0, *accumulate(len(s.ranges) for s in signals)], np.int64),
        ranges=np.array([r for s in signals for r in s.ranges], np.float64).reshape(-1, 2),
    )


def layout_message(message: MessageSpec, wanted: frozenset[str] | None = None) -> MessageLayout:
    """Lay out one message; wanted signals first among the rows, then the selectors needed inside."""
    by_name = {signal.name: signal for signal in message.signals}
    shown = [s for s in message.signals if wanted is None or s.path in wanted]
    inner = {name for s in shown for name in _ancestors(s, by_name)} - {s.name for s in shown}
    rows = [*shown, *(s for s in message.signals if s.name in inner)]
    ordered = sorted(rows, key=lambda s: len(_ancestors(s, by_name)))
    position = {signal.name: number for number, signal in enumerate(ordered)}
    signals = tuple(_layout_signal(s, rows.index(s), position.get(s.mux_parent, -1)) for s in ordered)
    known = ((n, known_selector_values(message, s.spec.name)) for n, s in enumerate(signals) if s.spec.is_selector)
    return MessageLayout(
        spec=message,
        signals=signals,
        shown=len(shown),
        names=tuple(s.name for s in shown),
        paths=tuple(s.path or None for s in shown),
        units=tuple(_unit(s) for s in shown),
        priority=np.array([s.priority for s in shown], np.uint8),
        stale_after_ns=np.array([round(s.stale_after_s * 1e9) for s in shown], np.int64),
        min_bytes=max([message.length, *(-(-s.end_bit // 8) for s in signals)]),
        fast=all(s.in_first_word for s in signals),
        converted=tuple(
            (s.row, s.spec.path_unit_scale, s.spec.path_unit_offset)
            for s in signals
            if s.spec.path and (s.spec.path_unit_scale, s.spec.path_unit_offset) != (1.0, 0.0)
        ),
        broken=tuple(broken_branches(message)),
        selectors=tuple((n, values) for n, values in known if values),
    )


def _layout_signal(signal: SignalSpec, row: int, parent: int) -> SignalLayout:
    first = first_bit(signal)
    end = first + signal.length
    byte_offset = 0 if end <= 64 else first // 8
    low = first - 8 * byte_offset
    integer = signal.kind in (NumberKind.UNSIGNED, NumberKind.SIGNED)
    plain = signal.scale == 1 and signal.offset == 0
    greatest = 2**signal.length * abs(signal.scale) + abs(signal.offset)
    return SignalLayout(
        spec=signal,
        row=row,
        end_bit=end,
        byte_offset=byte_offset,
        shift=64 - low - signal.length if signal.big_endian else low,
        parent=parent,
        ranges=signal.mux_ranges if parent >= 0 else (),
        exact=integer and not plain and signal.scale.is_integer() and greatest >= _EXACT_FLOAT,
    )


def raw_limit(signal: SignalSpec) -> np.uint64:
    """Greatest raw value that is a measurement; a selector is never judged by it."""
    return NO_LIMIT if signal.raw_valid_max is None or signal.is_selector else np.uint64(signal.raw_valid_max)


def _ancestors(signal: SignalSpec, by_name: dict[str, SignalSpec]) -> list[str]:
    """Selectors it hangs on, nearest first (a circle of selectors ends where it closes)."""
    chain: list[str] = []
    while signal.mux_parent in by_name and signal.mux_parent not in chain:
        chain.append(signal.mux_parent)
        signal = by_name[signal.mux_parent]
    return chain


def _unit(signal: SignalSpec) -> str:
    from domain.vss import catalogue

    known = catalogue().get(signal.path)
    return signal.unit if known is None else known.unit


def _unconditional(layout: MessageLayout) -> bool:
    """Whether every frame that is long enough gives every signal."""
    return all(s.parent < 0 and raw_limit(s.spec) == NO_LIMIT for s in layout.signals)


def _is_extended(message: MessageSpec) -> bool:
    return message.match is Match.EXACT and bool(message.can_id & EXTENDED_ID)


def _standard_ids(messages: Sequence[MessageSpec]) -> NDArray[np.int32]:
    """Exact identifiers win over masked ones; among equals the last message wins, as in cantools."""
    table = np.full(2048, -1, np.int32)
    exact_last = sorted(enumerate(messages), key=lambda pair: pair[1].can_id_mask == _ALL_BITS)
    for number, message in exact_last:
        if message.match is Match.EXACT and not message.can_id & EXTENDED_ID:
            matching = (np.arange(2048) & message.can_id_mask & 0x7FF) == message.can_id
            table[matching] = number
    return table


def _masked_ids(messages: Sequence[MessageSpec]) -> NDArray[np.uint32]:
    rows = [(m.can_id_mask, m.can_id, n) for n, m in enumerate(messages) if _is_extended(m) and m.can_id_mask != _ALL_BITS]
    return np.array(rows, np.uint32).reshape(-1, 3)


def id_table(numbers: dict[int, int]) -> IdTable:
    """A hash table at most half full (at least one empty slot ends every search) and the same as sorted keys."""
    size = 8
    while size < 2 * len(numbers) + 1:
        size *= 2
    slots, slot_messages = np.full(size, EMPTY_SLOT, np.uint32), np.full(size, -1, np.int32)
    for key, number in numbers.items():
        slot = (key * 0x9E3779B1 >> 15) & (size - 1)
        while slots[slot] != EMPTY_SLOT:
            slot = (slot + 1) & (size - 1)
        slots[slot], slot_messages[slot] = key, number
    ordered = sorted(numbers)
    return IdTable(
        keys=np.array(ordered, np.uint32),
        messages=np.array([numbers[key] for key in ordered], np.int32),
        slots=slots,
        slot_messages=slot_messages,
    )


__all__ = ["ALWAYS", "IdTable", "MessageLayout", "SignalLayout", "SignalTable", "compile_book", "id_table", "layout_message"]
