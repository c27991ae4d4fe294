"""The contract of a log format: recognise a file by its content, and read it in blocks of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

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
class Block:
    """Some frames of a file, in file order; columns as in `domain.frames.FrameBatch`.

    Attributes:
        buses: names that `bus` points into; a later block's names begin with those of the one before.
        timeless: frames that carry no stamp (they have the stamp of the frame before them).
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
    timeless: int = 0


class LogFormat(Protocol):
    """One format of recordings."""

    name: str

    def recognises(self, head: bytes) -> bool:
        """Whether a file that begins with these bytes is of this format."""

    def blocks(self, stream: ByteStream, *, block_bytes: int, jit: Jit) -> Iterator[Block]:
        """Read the stream to its end, about `block_bytes` at a time."""
