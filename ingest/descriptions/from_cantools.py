"""What cantools has parsed (DBC, KCD, SYM, ARXML) -> message specs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from domain.frames import EXTENDED_ID
from ingest.message_spec import CONTAINER, Match, MessageSpec, NumberKind, SignalSpec, Transport
from ingest.mux import answer_prefix, broken_branches

if TYPE_CHECKING:
    from cantools.database.can import Database, Message, Signal

_FLOAT_KINDS = {16: NumberKind.FLOAT16, 32: NumberKind.FLOAT32, 64: NumberKind.FLOAT64}
_NULL_ADDRESS = 0xFE
"""SAE J1939-81: no controller sends from it, so an id that ends in it means "from any source address"."""
_J1939_VALID_MAX = {2: 2, 8: 0xFA, 16: 0xFAFF, 24: 0xFAFFFF, 32: 0xFAFFFFFF}
"""SAE J1939-71: greatest raw value of each length that is a measurement (above: parameter specific, error, not available)."""
_ANY_PRIORITY = EXTENDED_ID | 0x03FF_FFFF
_CLASSIC_BYTES = 8
LONGEST_SIGNAL_BITS = 1023
"""A longer one is a text, not a number: no float64 holds its values."""
_TRANSPORT_ATTRIBUTE = "TransportProtocolType"
"""Attribute by which CSS Electronics' DBC files say that a message is carried by ISO-TP ("ISOTP")."""

Names = Mapping[str, str]


def message_specs(
    database: Database, names: Names, wide: Mapping[tuple[int, str], tuple[tuple[int, int], ...]]
) -> tuple[MessageSpec, ...]:
    """The messages of a parsed file; where several share an identifier the last one counts, as in cantools.

    `names`: name as parsed -> name as the file has it. `wide`: (identifier, signal) -> selector values that were not counted out.
    """
    last = {(message.frame_id, message.is_extended_frame): message for message in database.messages}
    by_group = Counter(_pgn(message.frame_id) for message in last.values() if _is_j1939(message))
    specs = []
    for message in last.values():
        alone = by_group[_pgn(message.frame_id)] == 1
        specs.append(_message(message, names, wide, alone=alone))
    return tuple(specs)


def duplicates(database: Database) -> list[tuple[str, int]]:
    """(name, identifier) of messages that a later one with the same identifier replaces."""
    last = {(message.frame_id, message.is_extended_frame): message for message in database.messages}
    return [(m.name, m.frame_id) for m in database.messages if last[m.frame_id, m.is_extended_frame] is not m]


def without_number(database: Database) -> list[tuple[str, str, int]]:
    """(message, signal, bits) of signals that are left out because no number has so many bits."""
    return [(m.name, s.name, s.length) for m in database.messages for s in m.signals if not _is_number(s)]


def _is_number(signal: Signal) -> bool:
    return signal.length in _FLOAT_KINDS if signal.conversion.is_float else signal.length <= LONGEST_SIGNAL_BITS


def _is_j1939(message: Message) -> bool:
    return message.is_extended_frame and (message.protocol == "j1939" or message.frame_id & 0xFF == _NULL_ADDRESS)


def _message(
    message: Message, names: Names, wide: Mapping[tuple[int, str], tuple[tuple[int, int], ...]], *, alone: bool
) -> MessageSpec:
    """`alone`: no other message of the file has its parameter group (otherwise they are told apart by source and destination)."""
    identifier, j1939 = int(message.frame_id), _is_j1939(message)
    by_pgn = j1939 and (alone or identifier & 0xFF == _NULL_ADDRESS)
    signals = tuple(
        _signal(signal, names, wide.get((identifier, names.get(signal.name, signal.name))), j1939=j1939)
        for signal in message.signals
        if _is_number(signal)
    )
    spec = MessageSpec(
        name=names.get(message.name, message.name),
        can_id=_pgn(identifier) if by_pgn else identifier | (EXTENDED_ID if message.is_extended_frame else 0),
        match=Match.PGN if by_pgn else Match.EXACT,
        length=message.length,
        signals=signals,
        undecodable=CONTAINER if message.is_container else "",
    )
    if j1939 and not by_pgn:
        spec = replace(spec, can_id=spec.can_id & _ANY_PRIORITY, can_id_mask=_ANY_PRIORITY)
    root = next((branch for branch in broken_branches(spec) if not branch.parent), None)
    return _with_transport(replace(spec, undecodable=root.reason) if root else spec, message)


def _with_transport(spec: MessageSpec, message: Message) -> MessageSpec:
    """How a message that no classic frame can hold is carried, where the file or its layout tells."""
    if message.is_fd or message.is_container or spec.length <= _CLASSIC_BYTES:
        return spec
    if spec.match is Match.PGN:
        return replace(spec, transport=Transport.J1939)
    attributes = message.dbc.attributes if message.dbc else {}
    declared = str(attributes[_TRANSPORT_ATTRIBUTE].value).upper() if _TRANSPORT_ATTRIBUTE in attributes else ""
    prefix = answer_prefix(spec)
    if declared.startswith("ISOTP") or (not declared and prefix is not None):
        return replace(spec, transport=Transport.ISO_TP, prefix_bytes=prefix or 0)
    return spec


def _pgn(identifier: int) -> int:
    """SAE J1939-21: PDU1 (PF < 240) carries a destination in PS, which is no part of the parameter group number."""
    specific = identifier >> 8 & 0xFF if identifier >> 16 & 0xFF >= 240 else 0
    return identifier >> 8 & 0x3FF00 | specific


def _signal(signal: Signal, names: Names, wide: tuple[tuple[int, int], ...] | None, *, j1939: bool) -> SignalSpec:
    conversion = signal.conversion
    kind = NumberKind.SIGNED if signal.is_signed else NumberKind.UNSIGNED
    if conversion.is_float:
        kind = _FLOAT_KINDS[signal.length]
    return SignalSpec(
        name=names.get(signal.name, signal.name),
        start=signal.start,
        length=signal.length,
        big_endian=signal.byte_order == "big_endian",
        kind=kind,
        scale=float(conversion.scale),
        offset=float(conversion.offset),
        unit=signal.unit or "",
        mux_parent=names.get(signal.multiplexer_signal or "", signal.multiplexer_signal or ""),
        mux_ranges=wide or _ranges(signal.multiplexer_ids or ()),
        is_selector=bool(signal.is_multiplexer),
        raw_valid_max=_J1939_VALID_MAX.get(signal.length) if j1939 and kind is NumberKind.UNSIGNED else None,
        choices=tuple((int(raw), str(word)) for raw, word in (conversion.choices or {}).items()),
    )


def _ranges(numbers: Any) -> tuple[tuple[int, int], ...]:
    """Sorted numbers as inclusive ranges."""
    ranges: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return tuple(ranges)
