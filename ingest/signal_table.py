"""Message specs compiled to flat tables: how to find a frame's message, where each signal's bits lie, and what they become."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.identifiers import Identifiers, identifiers
from ingest.message_spec import Match, MessageSpec, NumberKind, SignalSpec
from ingest.mux import BrokenBranch, broken_branches, first_bit, known_selector_values, unreachable
from ingest.windows import WINDOW_ROW, window_offsets, window_row

NO_LIMIT = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
_EXACT_FLOAT = 2**53


class Form(IntEnum):
    """In what type the raw values of a signal are kept."""

    UINT8 = 0
    UINT16 = 1
    UINT32 = 2
    UINT64 = 3
    INT8 = 4
    INT16 = 5
    INT32 = 6
    INT64 = 7
    FLOAT16 = 8
    FLOAT32 = 9
    FLOAT64 = 10
    OBJECT = 11
    """Integers of more than 64 bits: no column, worked out when asked for."""


FORM_TYPES: tuple[np.dtype[Any], ...] = tuple(np.dtype(form.name.lower()) for form in Form)
_FLOATS = {NumberKind.FLOAT16: Form.FLOAT16, NumberKind.FLOAT32: Form.FLOAT32, NumberKind.FLOAT64: Form.FLOAT64}

SIGNAL_ROW = np.dtype(
    [
        ("row", "i8"),
        ("form", "i8"),
        ("width", "i8"),
        ("column", "i8"),
        ("window", "i8"),
        ("up", "u8"),
        ("down", "u8"),
        ("big_endian", "?"),
        ("signed", "?"),
        ("by_hand", "?"),
        ("converted", "?"),
        ("parent", "i8"),
        ("end_bit", "i8"),
        ("mask", "u8"),
        ("raw_max", "u8"),
        ("first_range", "i8"),
        ("last_range", "i8"),
        ("scale", "f8"),
        ("offset", "f8"),
        ("path_scale", "f8"),
        ("path_offset", "f8"),
    ],
    align=True,
)
"""One signal for the kernels.

width: bytes of a raw value. column: bytes of the columns before it, per frame. A raw value is `(word << up) >> down` of the eight
bytes of its `window` (number within the message), loaded in the signal's byte order. by_hand: values are worked out by numpy.
parent: number of the selector within the message, -1 without; present where the selector's whole part lies in one of `ranges[first_range:last_range]`. mask: bits of a raw value.
Then value = (raw * scale + offset) * path_scale + path_offset, the latter where `converted`.
"""

MESSAGE_ROW = np.dtype(
    [
        ("first_signal", "i8"),
        ("last_signal", "i8"),
        ("first_window", "i8"),
        ("last_window", "i8"),
        ("min_bytes", "i8"),
        ("frame_bytes", "i8"),
        ("fast", "?"),
        ("shown", "?"),
        ("certain", "?"),
        ("countable", "?"),
        ("by_pgn", "?"),
    ],
    align=True,
)
"""One message for the kernels. min_bytes: payload length that holds all signals. frame_bytes: raw columns, per frame. fast: the
kernel reads its signals. shown: some are given out. certain: a frame that is long enough gives every signal. countable: of such a
frame nothing but limits of raw values takes signals away, and its windows tell how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalLayout:
    """Where one signal lies and how it becomes a number.

    Attributes:
        row: row of the message's value matrix. end_bit: payload bits that must be there.
        byte_offset, shift: raw bits begin `shift` bits up in the 8-byte window at `byte_offset`, loaded in the signal's byte
            order; a negative shift reaches as many bits into the ninth byte.
        parent: position of the selector in `MessageLayout.signals`, -1 without. ranges: selector values under which it is present.
        exact: whole-number scaling that float64 would round before the end. form: the narrowest type for its raw values.
    """

    spec: SignalSpec
    row: int
    end_bit: int
    byte_offset: int
    shift: int
    parent: int
    ranges: tuple[tuple[int, int], ...]
    exact: bool
    form: Form

    @property
    def width(self) -> int:
        """Bytes of a raw value in its column."""
        return 0 if self.form is Form.OBJECT else FORM_TYPES[self.form].itemsize

    @property
    def converted(self) -> bool:
        """Whether the VSS path has another unit."""
        return bool(self.spec.path) and (self.spec.path_unit_scale, self.spec.path_unit_offset) != (1.0, 0.0)

    @property
    def in_one_window(self) -> bool:
        """Whether eight bytes hold all of it."""
        return self.spec.length <= 64 and 0 <= self.shift <= 64 - self.spec.length

    @property
    def by_hand(self) -> bool:
        """Whether its values are worked out by numpy: floating point on the bus, or arithmetic that float64 would round."""
        return self.exact or self.form > Form.INT64


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLayout:
    """One message: signals with selectors before what depends on them, and the columns of its `SignalGroup`.

    Attributes:
        rows: of the value matrix. shown: the first of them, which are given out (the rest are selectors needed inside).
        whole: every signal is wanted; then frames of a message without any signal are given out too, as cantools does.
        min_bytes: payload length that holds all signals. fast: the kernel can read it.
        broken: branches that strict decoding refuses. selectors: (position, known values) of each multiplexer.
        unreachable: rows that strict decoding never gives.
        windows: first bytes of those that the kernel reads, beginning with 0.
        by_row: signals by their row. columns: of each row, bytes per frame of the raw columns before its own.
    """

    spec: MessageSpec
    signals: tuple[SignalLayout, ...]
    by_row: tuple[SignalLayout, ...]
    columns: tuple[int, ...]
    rows: int
    shown: int
    whole: bool
    min_bytes: int
    fast: bool
    windows: tuple[int, ...]
    broken: tuple[BrokenBranch, ...]
    unreachable: tuple[int, ...]
    selectors: tuple[tuple[int, tuple[tuple[int, int], ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalTable:
    """The messages of one book (a DBC file, or a built-in set) and their signals.

    Attributes:
        plain: the kernels read all of it. shown: signals of each message that are given out. messages: MESSAGE_ROW[m].
        signals: SIGNAL_ROW[s], by message, selectors before what depends on them. windows: WINDOW_ROW[w], by message.
        further_windows: int64[m], how many each has besides the first. is_long: some have. ranges: float64[r, 2], inclusive.
    """

    bus: str
    layouts: tuple[MessageLayout, ...]
    ids: Identifiers
    plain: bool
    shown: tuple[int, ...]
    messages: NDArray[Any]
    signals: NDArray[Any]
    windows: NDArray[Any]
    further_windows: NDArray[np.int64]
    is_long: bool
    ranges: NDArray[np.float64]


def compile_book(messages: Sequence[MessageSpec], *, wanted: frozenset[str] | None = None) -> SignalTable:
    """Compile messages of one bus and origin; with `wanted`, only signals of these VSS paths and the selectors they hang on."""
    layouts = tuple(layout_message(message, wanted) for message in messages)
    rows = [signal for layout in layouts for signal in _signal_rows(layout)]
    ends = list(accumulate((len(signal.ranges) for layout in layouts for signal in layout.signals), initial=0))
    signals = np.array(rows, SIGNAL_ROW)
    signals["first_range"], signals["last_range"] = ends[:-1], ends[1:]
    windows = [row for layout in layouts for row in _window_rows(layout)]
    return SignalTable(
        bus=messages[0].bus if messages else "*",
        layouts=layouts,
        ids=identifiers(messages),
        plain=all(layout.fast and not any(s.by_hand for s in layout.signals) for layout in layouts),
        shown=tuple(layout.shown for layout in layouts),
        messages=np.array(list(_message_rows(layouts)), MESSAGE_ROW),
        signals=signals,
        windows=np.array(windows, WINDOW_ROW),
        further_windows=np.array([len(layout.windows) - 1 for layout in layouts], np.int64),
        is_long=any(len(layout.windows) > 1 for layout in layouts),
        ranges=np.array([r for layout in layouts for s in layout.signals for r in s.ranges], np.float64).reshape(-1, 2),
    )


def _message_rows(layouts: Sequence[MessageLayout]) -> Iterator[tuple[Any, ...]]:
    signals = windows = 0
    for layout in layouts:
        first_signal, first_window = signals, windows
        signals, windows = signals + len(layout.signals), windows + len(layout.windows)
        is_shown = layout.shown > 0 or (layout.whole and not layout.spec.signals and not layout.spec.undecodable)
        yield (
            first_signal, signals, first_window, windows, layout.min_bytes, sum(signal.width for signal in layout.signals), layout.fast,
            is_shown, _unconditional(layout), _is_countable(layout), layout.spec.match is Match.PGN,
        )  # fmt: skip


def _window_rows(layout: MessageLayout) -> Iterator[tuple[int, int, int, int]]:
    countable = _is_countable(layout)
    for offset in layout.windows:
        fields = ((s.shift, s.spec.length, int(raw_limit(s.spec))) for s in _limited(layout) if s.byte_offset == offset)
        yield window_row(offset, fields if countable else ())


def _signal_rows(layout: MessageLayout) -> Iterator[tuple[Any, ...]]:
    for s in layout.signals:
        spec = s.spec
        up, down = (64 - s.shift - spec.length, 64 - spec.length) if s.in_one_window else (0, 0)
        window = layout.windows.index(s.byte_offset) if layout.fast else 0
        yield (
            s.row, s.form, s.width, layout.columns[s.row], window, up, down, spec.big_endian, spec.kind is NumberKind.SIGNED,
            s.by_hand, s.converted, s.parent, s.end_bit, 2 ** min(spec.length, 64) - 1, raw_limit(spec), 0, 0,
            spec.scale, spec.offset, spec.path_unit_scale, spec.path_unit_offset,
        )  # fmt: skip


def layout_message(message: MessageSpec, wanted: frozenset[str] | None = None) -> MessageLayout:
    """Lay out one message; wanted signals first among the rows, then the selectors needed inside."""
    by_name = {signal.name: signal for signal in message.signals}
    shown = [s for s in message.signals if wanted is None or s.path in wanted]
    inner = {name for s in shown for name in _ancestors(s, by_name)} - {s.name for s in shown}
    rows = [*shown, *(s for s in message.signals if s.name in inner)]
    offsets = window_offsets(rows, message.length)
    # neighbours in the order read the same bytes
    ordered = sorted(enumerate(rows), key=lambda pair: (len(_ancestors(pair[1], by_name)), offsets[pair[0]]))
    position = {signal.name: number for number, (_, signal) in enumerate(ordered)}
    signals = tuple(_layout_signal(s, row, position.get(s.mux_parent, -1), offsets[row]) for row, s in ordered)
    by_row = tuple(sorted(signals, key=lambda s: s.row))
    lost = unreachable(message)
    known = ((n, known_selector_values(message, s.spec.name)) for n, s in enumerate(signals) if s.spec.is_selector)
    parents = (signals[s.parent] for s in signals if s.parent >= 0)
    fast = all(s.in_one_window for s in signals) and not any(p.by_hand for p in parents)
    return MessageLayout(
        spec=message,
        signals=signals,
        by_row=by_row,
        columns=_columns(by_row),
        rows=len(rows),
        shown=len(shown),
        whole=wanted is None,
        min_bytes=max([message.length, *(-(-s.end_bit // 8) for s in signals)]),
        fast=fast,
        windows=tuple(sorted({0, *(s.byte_offset for s in signals)})) if fast else (0,),
        broken=tuple(broken_branches(message)),
        unreachable=tuple(s.row for s in by_row[: len(shown)] if s.spec.name in lost),
        selectors=tuple((n, values) for n, values in known if values),
    )


def _layout_signal(signal: SignalSpec, row: int, parent: int, byte_offset: int) -> SignalLayout:
    first = first_bit(signal)
    end = first + signal.length
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
        form=_form(signal),
        exact=integer and not plain and signal.scale.is_integer() and greatest >= _EXACT_FLOAT,
    )


def _form(signal: SignalSpec) -> Form:
    if signal.length > 64:
        return Form.OBJECT
    if signal.kind in _FLOATS:
        return _FLOATS[signal.kind]
    size = next(n for n, bits in enumerate((8, 16, 32, 64)) if signal.length <= bits)
    return Form(size + 4 * (signal.kind is NumberKind.SIGNED))


def _columns(by_row: Sequence[SignalLayout]) -> tuple[int, ...]:
    """Widest first: then every column begins at a multiple of its own width."""
    order = sorted(by_row, key=lambda s: -s.width)
    begin = dict(zip((s.row for s in order), accumulate((s.width for s in order), initial=0), strict=False))
    return tuple(begin[s.row] for s in by_row)


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


def unit_of(signal: SignalSpec) -> str:
    """The VSS unit where it is mapped, else its own."""
    from domain.vss import catalogue

    known = catalogue().get(signal.path)
    return signal.unit if known is None else known.unit


def _unconditional(layout: MessageLayout) -> bool:
    """Whether every frame that is long enough gives every signal."""
    return all(s.parent < 0 and raw_limit(s.spec) == NO_LIMIT for s in layout.signals)


def _limited(layout: MessageLayout) -> list[SignalLayout]:
    """Signals whose raw values may be above their limit."""
    return [s for s in layout.signals if raw_limit(s.spec) < 2 ** min(s.spec.length, 64) - 1]


def _is_countable(layout: MessageLayout) -> bool:
    """Whether nothing but limits takes signals from a frame that is long enough, limits of fields that share no bits; and whether values tell.

    They do where NaN can mean nothing else.
    """
    limited = _limited(layout)
    used: set[int] = set()
    for signal in limited:
        bits = set(range(signal.end_bit - signal.spec.length, signal.end_bit))
        if signal.spec.big_endian or bits & used:
            return False
        used |= bits
    conditional = layout.broken or layout.selectors or layout.unreachable or any(s.parent >= 0 for s in layout.signals)
    return layout.fast and bool(limited) and not conditional and all(_is_never_nan(s) for s in layout.signals)


def _is_never_nan(signal: SignalLayout) -> bool:
    if signal.by_hand:
        return False
    spec = signal.spec
    greatest = 2.0**spec.length * abs(spec.scale) + abs(spec.offset)
    return math.isfinite(greatest * abs(spec.path_unit_scale) + abs(spec.path_unit_offset))
