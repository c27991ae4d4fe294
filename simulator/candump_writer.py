"""Writes frames as candump -L text, plain or gzip; equal frames give equal files."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

from domain.frames import EXTENDED_ID, FrameBatch


def candump_text(frames: FrameBatch) -> str:
    """One line a frame: `(seconds.microseconds) bus ID#DATA`."""
    lines = []
    columns = (frames.time_ns.tolist(), frames.bus.tolist(), frames.can_id.tolist())
    for row, (time_ns, bus, can_id) in enumerate(zip(*columns, strict=True)):
        seconds, rest = divmod(time_ns, 1_000_000_000)
        name = f"{can_id & 0x1FFF_FFFF:08X}" if can_id & EXTENDED_ID else f"{can_id:03X}"
        data = frames.payload_bytes(row).hex().upper()
        lines.append(f"({seconds:010d}.{rest // 1000:06d}) {frames.buses[bus]} {name}#{data}\n")
    return "".join(lines)


def write_candump(frames: FrameBatch, file: Path) -> None:
    """Write the frames; a name that ends in .gz is compressed, without a time stamp in its header."""
    text = candump_text(frames).encode("ascii")
    if file.suffix != ".gz":
        file.write_bytes(text)
        return
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=packed, mtime=0) as stream:
        stream.write(text)
    file.write_bytes(packed.getvalue())
