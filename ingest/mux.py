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


def unreachable(message: MessageSpec) -> frozenset[str]:
    """Signals that hang on one that is not marked as a multiplexer, or is not there: cantools never gives them."""
    by_name = {signal.name: signal for signal in message.signals}
    lost: set[str] = set()
    for signal in message.signals:
        above, seen = signal, {signal.name}
        while above.mux_parent:
            selector = by_name.get(above.mux_parent)
            if selector is None or not selector.is_selector or selector.name in seen:
                lost.add(signal.name)
                break
            seen.add(selector.name)
            above = selector
    return frozenset(lost)


def broken_branches(message: MessageSpec) -> list[BrokenBranch]:
    """Branches that cantools cannot unpack: signals of one branch and one byte order share bits, or end past the declared length."""
    lost = unreachable(message)
    signals = [signal for signal in message.signals if signal.name not in lost]
    broken = [
        BrokenBranch(parent=signal.mux_parent, ranges=branch_ranges(signal), reason="overlong_signals")
        for signal in signals
        if first_bit(signal) + signal.length > 8 * message.length
    ]
    branches: dict[tuple[bool, str], list[tuple[int, int, tuple[tuple[int, int], ...]]]] = {}
    for signal in signals:
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


_ANSWERS = frozenset(range(0x41, 0x4B)) | frozenset(range(0x50, 0x7F))
"""First bytes of positive answers: OBD-II services 01-0A (SAE J1979), UDS services (ISO 14229-1)."""
_DIAGNOSTIC_IDS = (range(0x600, 0x800), range(0x98DA_0000, 0x98DC_0000), range(0x97FC_0000, 0x9800_0000))
"""Where control units answer: 11-bit ids, normal fixed addressing (ISO 15765-2), and VW's 29-bit ids."""
_LONGEST_PREFIX = 1


def answer_prefix(message: MessageSpec) -> int | None:
    """Bytes before the service identifier where the message describes diagnostic answers, None where it does not.

    It does where its outermost selector is one of the first whole bytes, with the first byte of an answer among its values.
    """
    if not any(message.can_id in ids for ids in _DIAGNOSTIC_IDS):
        return None
    for signal in message.signals:
        at, rest = divmod(first_bit(signal), 8)
        if signal.is_selector and not signal.mux_parent and signal.length == 8 and not rest and at <= _LONGEST_PREFIX:
            values = known_selector_values(message, signal.name)
            if any(low <= answer <= high for low, high in values for answer in _ANSWERS):
                return at
    return None


def branch_ranges(signal: SignalSpec) -> tuple[tuple[int, int], ...]:
    """Selector values under which the signal is present; `ALWAYS` without a selector."""
    return signal.mux_ranges if signal.mux_parent else ALWAYS


def _intersection(one: tuple[tuple[int, int], ...], other: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    overlaps = [(max(a, c), min(b, d)) for a, b in one for c, d in other]
    return tuple(sorted((low, high) for low, high in overlaps if low <= high))
