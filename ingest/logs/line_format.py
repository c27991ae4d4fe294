"""Formats of text lines: what one describes about itself, and the reader that all of them share.

A format is a `LineFormat` with a function that makes a `Session`: the patterns of its lines (`line_steps`), how its headers
change them, which other lines are no damage, and its `Timeline`.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from domain.ports import Jit, no_jit
from ingest.logs.line_cutter import KEPT_BYTES, MOST_KEPT, UTF8_MARK, Rejoined, read_head, split_lines, whole_lines
from ingest.logs.line_reading import read_pattern
from ingest.logs.line_scanner import KernelScanner, OtherLine, Piece, PlainScanner, Scanner
from ingest.logs.line_steps import BLANKS, Pattern
from ingest.logs.log_format import Block, ByteStream, MalformedLine
from ingest.logs.timeline import Timeline

_SNIFF_BYTES, _SNIFF_LINES = 1 << 14, 60
QUIET = ""
"""What `explain` says of headers and comments: no damage, and not worth a count."""


@dataclass(slots=True)
class Session:
    """One recording being read. Formats with headers or events override `heed` and `explain`.

    Attributes:
        patterns: the lines that are frames; the first that fits reads a line.
        control: first bytes of lines that `heed` is to see. certain: a header of this format has been seen.
    """

    patterns: tuple[Pattern, ...]
    timeline: Timeline = field(default_factory=Timeline)
    control: bytes = b""
    certain: bool = False

    def heed(self, line: bytes, frames_before: int) -> bool:  # noqa: ARG002 -- for formats with control lines
        """Take a control line into account; False where it is none after all (then `explain` is asked)."""
        return False

    def explain(self, line: bytes) -> str | None:  # noqa: ARG002 -- for formats with events
        """Why a line is no frame: a kind of event to count, `QUIET`, or None where it is malformed."""
        return None

    def skipped_ns(self, line: bytes) -> int | None:  # noqa: ARG002 -- for formats with events
        """The stamp of an event line, where stamps count from the line before."""
        return None


@dataclass(frozen=True, slots=True)
class LineFormat:
    """A `log_format.LogFormat` of text lines. `begin` makes a session from the beginning of a file.

    `least_share`: so much of the first lines must be frames, for formats whose lines look like anything.
    """

    name: str
    begin: Callable[[bytes], Session]
    least_share: float = 0.0

    def recognises(self, head: bytes) -> bool:
        """A header of this format, or one good frame among the first lines: recordings may begin with rubbish."""
        head = head[:_SNIFF_BYTES].removeprefix(UTF8_MARK)
        session = self.begin(head)
        frames = others = 0
        for content in split_lines(head)[:_SNIFF_LINES]:
            line = content.rstrip(b" \t\r").lstrip(BLANKS)
            if not line:
                continue
            if line[0] in session.control:
                session.heed(line, 0)
            elif any(read_pattern(pattern, line) is not None for pattern in session.patterns):
                frames += 1
            else:
                others += 1
            if session.certain or (frames and not self.least_share):
                return True
        return frames > 0 and frames >= self.least_share * (frames + others)

    def blocks(self, stream: ByteStream, *, block_bytes: int, jit: Jit) -> Iterator[Block]:
        """Frames of about `block_bytes` of text at a time, cut at line ends."""
        head = read_head(stream)
        session = self.begin(head.removeprefix(UTF8_MARK))
        reader = _Reader(session, jit)
        for text in whole_lines(Rejoined(head, stream), block_bytes=block_bytes):
            yield reader.read(text)


class _Reader:
    """Turns pieces into blocks."""

    def __init__(self, session: Session, jit: Jit) -> None:
        self._session = session
        self._scanner: Scanner = (
            PlainScanner(session.patterns, session.control)
            if jit is no_jit
            else KernelScanner(session.patterns, session.control, jit)
        )
        self._counts: Counter[str] = Counter()
        self._refused: list[OtherLine] = []

    def read(self, text: bytes) -> Block:
        self._counts, self._refused = Counter(), []
        piece = self._scanner.read(text, self._heed)
        malformed, skipped = self._explain(piece)
        time_ns = self._session.timeline.place(piece.stamp_ns, skipped)
        self._counts["mended_id"] += piece.mended
        return Block(
            buses=piece.buses,
            time_ns=time_ns,
            bus=piece.bus,
            can_id=piece.can_id,
            length=piece.length,
            flags=piece.flags,
            payload=piece.payload,
            arena_offset=piece.arena_offset,
            arena=piece.arena,
            malformed=malformed,
            timeless=piece.timeless,
            start_ns=self._session.timeline.start_ns,
            anomalies=+self._counts,
        )

    def _heed(self, line: bytes, number: int, frames_before: int) -> tuple[Pattern, ...] | None:
        before = self._session.patterns
        if not self._session.heed(line, frames_before):
            self._refused.append(OtherLine(line=number, content=line, frames_before=frames_before))
        return None if self._session.patterns is before else self._session.patterns

    def _explain(self, piece: Piece) -> tuple[tuple[MalformedLine, ...], list[tuple[int, int]]]:
        """Count the lines that are no frames: (those that are malformed, the stamps of the others)."""
        malformed: list[MalformedLine] = []
        skipped: list[tuple[int, int]] = []
        for other in heapq.merge(piece.others, self._refused, key=lambda other: other.line):
            kind = self._session.explain(other.content.strip(b" \t\r"))
            if kind is None:
                if len(malformed) < MOST_KEPT:
                    malformed.append(MalformedLine(line=other.line, content=other.content[:KEPT_BYTES]))
                else:
                    self._counts["malformed_line"] += 1
                continue
            if kind != QUIET:
                self._counts[kind] += 1
            if (stamp := self._session.skipped_ns(other.content.strip(BLANKS))) is not None:
                skipped.append((other.frames_before, stamp))
        return tuple(malformed), skipped
