"""Lines as can-utils' candump prints them, one or many in a message: what shell scripts and small gateways publish.

    (1600279140.020108) can0 2A0#480087182102F900

Lines without a stamp have the time of the arrival. Stamps since the beginning (`candump -t z`) are laid so that the last line has it.
"""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

from domain.ports import no_jit
from ingest.logs.candump import Candump
from ingest.logs.log_format import Block
from ingest.wire.documents import unusable
from ingest.wire.rows import Rows
from ingest.wire.wire_format import SECOND_NS, WireMessage

_ABSOLUTE_NS = 1_000_000_000 * SECOND_NS
"""Stamps before 2001 count from some beginning."""
_BLOCK_BYTES = 1 << 23


class CandumpText:
    """The format `candump`."""

    name = "candump"
    topic = "candump/{device}"
    has_own_time = False

    def read(self, message: WireMessage, rows: Rows) -> None:
        """All lines; a damaged one is refused by its number from 0."""
        lines = message.payload.rstrip(b"\0").splitlines()
        chosen = dict(message.items(lines))
        places = list(chosen)
        text = b"".join(line + b"\n" for line in chosen.values())
        if not text.strip():
            raise unusable("no lines")
        for block in Candump().blocks(BytesIO(text), block_bytes=_BLOCK_BYTES, jit=no_jit):
            for bad in block.malformed:
                rows.refused[places[bad.line - 1]] = "no candump line"
            if len(block.time_ns):
                rows.block(_timed(block, message.received_ns, rows))


def _timed(block: Block, received_ns: int, rows: Rows) -> Block:
    if block.timeless:
        rows.odd("no_stamp", count=block.timeless)
    last_ns = int(block.time_ns.max())
    if last_ns >= _ABSOLUTE_NS:
        return block
    if block.timeless < len(block.time_ns):
        rows.odd("relative_stamp", count=len(block.time_ns) - block.timeless)
    return replace(block, time_ns=block.time_ns + (received_ns - last_ns))
