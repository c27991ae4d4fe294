"""How a frame's identifier leads to the number of its message: flat tables for the kernel and for numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from domain.frames import EXTENDED_ID
from ingest.message_spec import Match, MessageSpec

EMPTY_SLOT = np.uint32(0xFFFF_FFFF)
_ALL_BITS = 0xFFFF_FFFF
_PGNS = 1 << 18
_FIRST_BROADCAST_FORMAT = 240
"""SAE J1939-21: below it (PDU1) the next byte is a destination, from it on (PDU2) part of the PGN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdTable:
    """Identifier -> message number, for the kernel (`slots`, open addressing) and for numpy (`keys`, sorted)."""

    keys: NDArray[np.uint32]
    messages: NDArray[np.int32]
    slots: NDArray[np.uint32]
    slot_messages: NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifiers:
    """The identifiers of m messages; the message number m stands for "no message".

    Attributes:
        standard: int32[2048], 11-bit identifier -> message number. extended: 29-bit identifiers.
        groups: int32[262144], bits 8 to 25 of a 29-bit identifier -> message number by PGN, whatever the destination; int32[1] without PGNs.
        masked: uint32[k, 3], rows of (mask, identifier, message number) for 29-bit identifiers with don't-care bits.
    """

    none: int
    standard: NDArray[np.int32]
    extended: IdTable
    groups: NDArray[np.int32]
    masked: NDArray[np.uint32]


def identifiers(messages: Sequence[MessageSpec]) -> Identifiers:
    """Exact identifiers win over masked ones, these over PGNs; among equals the last message wins, as in cantools."""
    none = len(messages)
    exact = {m.can_id: n for n, m in enumerate(messages) if _is_extended(m) and m.can_id_mask == _ALL_BITS}
    masked = [(m.can_id_mask, m.can_id, n) for n, m in enumerate(messages) if _is_extended(m) and m.can_id_mask != _ALL_BITS]
    return Identifiers(
        none=none,
        standard=_standard_ids(messages, none),
        extended=id_table(exact, none),
        groups=_groups(messages, none),
        masked=np.array(masked, np.uint32).reshape(-1, 3),
    )


def _is_extended(message: MessageSpec) -> bool:
    return message.match is Match.EXACT and bool(message.can_id & EXTENDED_ID)


def _standard_ids(messages: Sequence[MessageSpec], none: int) -> NDArray[np.int32]:
    table = np.full(2048, none, np.int32)
    exact_last = sorted(enumerate(messages), key=lambda pair: pair[1].can_id_mask == _ALL_BITS)
    for number, message in exact_last:
        if message.match is Match.EXACT and not message.can_id & EXTENDED_ID:
            matching = (np.arange(2048) & message.can_id_mask & 0x7FF) == message.can_id
            table[matching] = number
    return table


def _groups(messages: Sequence[MessageSpec], none: int) -> NDArray[np.int32]:
    pgns = {m.can_id: number for number, m in enumerate(messages) if m.match is Match.PGN}
    table = np.full(_PGNS if pgns else 1, none, np.int32)
    for pgn, number in pgns.items():
        if pgn >> 8 & 0xFF >= _FIRST_BROADCAST_FORMAT:
            table[pgn] = number
        elif not pgn & 0xFF:  # the low byte of such an identifier is its destination, never part of a PGN
            table[pgn : pgn + 256] = number
    return table


def id_table(numbers: dict[int, int], none: int) -> IdTable:
    """A hash table at most half full (at least one empty slot ends every search) and the same as sorted keys."""
    size = 1
    while size < 2 * len(numbers) + 1:
        size *= 2
    slots, slot_messages = np.full(size, EMPTY_SLOT, np.uint32), np.full(size, none, np.int32)
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
