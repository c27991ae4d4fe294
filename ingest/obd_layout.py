"""How an OBD-II answer is cut into PIDs, and how the data bytes of one PID become numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.vss import catalogue
from ingest.message_spec import MessageSpec, NumberKind, SignalSpec
from ingest.mux import first_bit

_MOST_BYTES = 512
"""A longer answer is none: six PIDs of at most 41 data bytes."""


def cut_answer(answer: bytes, lengths: Mapping[int, tuple[int, ...]]) -> tuple[list[tuple[int, bytes]], int | None]:
    """([(PID, data) …], PID that no table knows or None) of `PID data PID data …`, the bytes after the service byte.

    Of several readings (some PIDs have data of more than one length) the first that uses every byte counts, usual lengths
    first. Where none does, PIDs are taken as long as they are known and whole; a single PID that is cut short is given too.
    """
    if len(answer) > _MOST_BYTES:
        return [], None
    size_at = _whole_reading(answer, lengths)
    parts: list[tuple[int, bytes]] = []
    at = 0
    while at < len(answer):
        pid = answer[at]
        if pid not in lengths:
            return parts, pid
        size = size_at.get(at, lengths[pid][0])
        data = answer[at + 1 : at + 1 + size]
        if len(data) == size or at == 0:
            parts.append((pid, data))
        at += 1 + size
    return parts, None


def _whole_reading(answer: bytes, lengths: Mapping[int, tuple[int, ...]]) -> dict[int, int]:
    """Place of a PID -> length of its data, for places from which the rest can be read to the last byte; from the end backwards."""
    size_at: dict[int, int] = {}
    for at in range(len(answer) - 1, -1, -1):
        for size in lengths.get(answer[at], ()):
            behind = at + 1 + size
            if behind == len(answer) or behind in size_at:
                size_at[at] = size
                break
    return size_at


@dataclass(frozen=True, slots=True, kw_only=True)
class _Value:
    """One signal: its place in the data, what it hangs on (None: always there), and how it becomes a number."""

    spec: SignalSpec
    first: int
    condition: SignalSpec | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLayout:
    """The signals of one PID, and the columns of its groups."""

    message: str
    values: tuple[_Value, ...]
    names: tuple[str, ...]
    paths: tuple[str | None, ...]
    units: tuple[str, ...]
    priority: NDArray[np.uint8]
    stale_after_ns: NDArray[np.int64]

    def decode(
        self, data: NDArray[np.uint8], length: NDArray[np.int64], *, limited: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:
        """(values, valid, values not available) of n answers: matrices of (signal, answer); what is not valid is NaN.

        Args:
            data: uint8[n, w], data bytes, zero-padded. length: int64[n], how many there are. limited: apply `raw_valid_max`.
        """
        shape = (len(self.values), len(data))
        values, valid = np.full(shape, np.nan), np.zeros(shape, np.bool_)
        unavailable = 0
        for row, value in enumerate(self.values):
            spec = value.spec
            end = value.first + spec.length
            if end > data.shape[1] * 8:
                continue
            present = length * 8 >= end
            if value.condition is not None:
                present &= _holds(value.condition, spec.mux_ranges, data, length)
            raw = _bits(data, value.first, spec.length)
            if limited and spec.raw_valid_max is not None:
                too_great = present & (raw > spec.raw_valid_max)
                unavailable += int(np.count_nonzero(too_great))
                present &= ~too_great
            if spec.kind is NumberKind.SIGNED:
                raw -= (raw >> (spec.length - 1)) << spec.length
            physical = raw * spec.scale + spec.offset
            if spec.path:
                physical = physical * spec.path_unit_scale + spec.path_unit_offset
            values[row, present] = physical[present]
            valid[row] = present
        return values, valid, unavailable


def layout_of(message: MessageSpec, wanted: frozenset[str] | None) -> AnswerLayout:
    """The layout of a PID's definition; with `wanted`, of the signals of these VSS paths only."""
    by_name = {signal.name: signal for signal in message.signals}
    shown = [s for s in message.signals if not s.is_selector and (wanted is None or s.path in wanted)]
    known = catalogue()
    return AnswerLayout(
        message=message.name,
        values=tuple(_Value(spec=s, first=first_bit(s), condition=by_name.get(s.mux_parent)) for s in shown),
        names=tuple(s.name for s in shown),
        paths=tuple(s.path or None for s in shown),
        units=tuple(known[s.path].unit if s.path in known else s.unit for s in shown),
        priority=np.array([s.priority for s in shown], np.uint8),
        stale_after_ns=np.array([round(s.stale_after_s * 1e9) for s in shown], np.int64),
    )


def _bits(data: NDArray[np.uint8], first: int, size: int) -> NDArray[np.int64]:
    """The `size` (at most 32) bits from bit `first`, most significant bit of byte A = 0."""
    begin, end = first // 8, -(-(first + size) // 8)
    word = np.zeros(len(data), np.int64)
    for byte in range(begin, end):
        word = word << 8 | data[:, byte]
    return word >> (8 * end - first - size) & ((1 << size) - 1)


def _holds(
    condition: SignalSpec, ranges: tuple[tuple[int, int], ...], data: NDArray[np.uint8], length: NDArray[np.int64]
) -> NDArray[np.bool_]:
    first = first_bit(condition)
    number = _bits(data, first, condition.length)
    inside = np.zeros(len(data), np.bool_)
    for low, high in ranges:
        inside |= (number >= low) & (number <= high)
    return inside & (length * 8 >= first + condition.length)
