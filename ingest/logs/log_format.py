"""The contract of a log format: recognise a file by its content, and read it in blocks of bounded size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from domain.ports import Jit


class ByteStream(Protocol):
    """Where the bytes of a recording come from, decompressed."""

    def read(self, size: int, /) -> bytes: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class MalformedLine:
    """A line that is no frame: 1-based number and its bytes without the line end."""

    line: int
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedPart:
    """A part of a binary recording that cannot be used: byte offset (in the file, or in the object named), what it is, its first bytes."""

    offset: int
    detail: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Some frames of a file, in file order; columns as in `domain.frames.FrameBatch`.

    Attributes:
        buses: names that `bus` points into; a later block's names begin with those of the one before.
        malformed: lines of a text format that are no frames. damaged: parts of a binary format that cannot be used.
        timeless: frames that carry no stamp (they have the stamp of the frame before them).
        anomalies: kind -> count of anything else that was odd or passed over, such as "skipped_lin".
        start_ns: the moment of `time_ns` 0 where the recording itself tells it, in ns since the epoch (read as UTC where it
            names no zone); None where times count from the epoch, or from nobody knows when.
    """

    buses: tuple[str, ...]
    time_ns: NDArray[np.int64]
    bus: NDArray[np.uint8]
    can_id: NDArray[np.uint32]
    length: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    payload: NDArray[np.uint64]
    arena_offset: NDArray[np.int64]
    arena: NDArray[np.uint8]
    malformed: tuple[MalformedLine, ...] = ()
    damaged: tuple[DamagedPart, ...] = ()
    timeless: int = 0
    anomalies: Mapping[str, int] = field(default_factory=dict)
    start_ns: int | None = None


class LogFormat(Protocol):
    """One format of recordings, of text or bytes that are read from first to last."""

    @property
    def name(self) -> str: ...  # noqa: D102

    def recognises(self, head: bytes) -> bool:
        """Whether a file that begins with these bytes is of this format."""

    def blocks(self, stream: ByteStream, *, block_bytes: int, jit: Jit) -> Iterator[Block]:
        """Read the stream to its end, about `block_bytes` at a time."""


@runtime_checkable
class SeekableFormat(Protocol):
    """A format whose parts lie anywhere in the file, such as one with an index at its end."""

    @property
    def name(self) -> str: ...  # noqa: D102

    def recognises(self, head: bytes) -> bool:
        """Whether a file that begins with these bytes is of this format."""

    def blocks_at(self, stream: BinaryIO, *, block_bytes: int, jit: Jit) -> Iterator[Block]:
        """As `LogFormat.blocks`, from a stream that can seek (a compressed recording is unpacked to disk for it)."""
