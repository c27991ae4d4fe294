"""Multiplexing: which branches of a message exist, and which of them no strict decoder can unpack."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

from ingest.message_spec import MessageSpec, SignalSpec

ALWAYS = ((0, 0),)
"""Ranges of the root branch, which no selector guards."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenBranch:
    """Signals of one branch that overlap or run past the message: cantools unpacks no frame that takes this branch.

    Attributes:
        parent: selector signal, "" for the root branch (every frame). ranges: selector values, inclusive.
        reason: "overlapping_signals" or "overlong_signals".
    """

    parent: str
    ranges: tuple[tuple[int, int], ...]
    reason: str


def first_bit(signal: SignalSpec) -> int:
    """Where the signal begins, counted in its own byte order from the start of the payload."""
    return 8 * (signal.start // 8) + 7 - signal.start % 8 if signal.big_endian else signal.start


def broken_branches(message: MessageSpec) -> list[BrokenBranch]:
    """Branches that cantools cannot unpack: signals of one branch and one byte order share bits, or end past the declared length."""
    broken = [
        BrokenBranch(parent=signal.mux_parent, ranges=branch_ranges(signal), reason="overlong_signals")
        for signal in message.signals
        if first_bit(signal) + signal.length > 8 * message.length
    ]
    branches: dict[tuple[bool, str], list[tuple[int, int, tuple[tuple[int, int], ...]]]] = {}
    for signal in message.signals:
        begin = first_bit(signal)
        branch = branches.setdefault((signal.big_endian, signal.mux_parent), [])
        branch.append((begin, begin + signal.length, branch_ranges(signal)))
    for (_, parent), branch in branches.items():
        for (begin, end, ranges), (other_begin, other_end, other_ranges) in combinations(branch, 2):
            if begin < other_end and other_begin < end and (shared := _intersection(ranges, other_ranges)):
                broken.append(BrokenBranch(parent=parent, ranges=shared, reason="overlapping_signals"))
    return broken


def known_selector_values(message: MessageSpec, selector: str) -> tuple[tuple[int, int], ...]:
    """Selector values that lead somewhere: those of its children, and those its value table names. Empty: no multiplexer at all."""
    ranges = [r for child in message.signals if child.mux_parent == selector for r in child.mux_ranges]
    ranges += [(raw, raw) for signal in message.signals if signal.name == selector for raw, _ in signal.choices]
    return tuple(sorted(set(ranges)))


def branch_ranges(signal: SignalSpec) -> tuple[tuple[int, int], ...]:
    """Selector values under which the signal is present; `ALWAYS` without a selector."""
    return signal.mux_ranges if signal.mux_parent else ALWAYS


def _intersection(one: tuple[tuple[int, int], ...], other: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    overlaps = [(max(a, c), min(b, d)) for a, b in one for c, d in other]
    return tuple(sorted((low, high) for low, high in overlaps if low <= high))
