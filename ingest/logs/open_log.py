"""Opens a recording by its content, never by its name: many formats are called .log or .txt."""

from __future__ import annotations

from pathlib import Path

from domain.errors import LogFileError
from domain.ports import Jit, no_jit
from ingest.logs.blf import Blf
from ingest.logs.bus_analyzers import CAR_BUS, MICROCHIP
from ingest.logs.busmaster import BUSMASTER
from ingest.logs.candump import Candump
from ingest.logs.crtd import CRTD
from ingest.logs.delimited import delimited_formats
from ingest.logs.gbt32960 import PacketLog
from ingest.logs.inflate import inflated
from ingest.logs.log_file import LogFile
from ingest.logs.log_format import LogFormat, SeekableFormat
from ingest.logs.mf4 import Mf4
from ingest.logs.obd_text import OBD_TEXT
from ingest.logs.parquet import Parquet
from ingest.logs.peak_trc import PEAK_TRC
from ingest.logs.vector_asc import VECTOR_ASC

FORMATS: tuple[LogFormat | SeekableFormat, ...] = (
    Blf(),
    Mf4(),
    Parquet(),
    Candump(),
    VECTOR_ASC,
    PEAK_TRC,
    BUSMASTER,
    CAR_BUS,
    MICROCHIP,
    *delimited_formats(),
    CRTD,
    PacketLog(),
    OBD_TEXT,
)
"""Every format that can be read; the first one that recognises a file reads it."""

_HEAD_BYTES = 1 << 16


def open_log(
    path: Path,
    *,
    vehicle: str,
    start_ns: int | None = None,
    dated: bool = True,
    boot_session: int = 0,
    batch_frames: int = 262_144,
    jit: Jit = no_jit,
) -> LogFile:
    """Open a recording, plain, gzip or zstd.

    The frames are `vehicle`'s; `boot_session` orders this drive among others of it. `start_ns` is the time of a stamp of
    zero in recordings without absolute time (default: the date that the recording itself names, else the epoch; `dated` False
    leaves such times as written, counting from the epoch). No batch has more than `batch_frames` frames.

    Raises:
        LogFileError: the file cannot be read, or is of no known format.
    """
    try:
        head = _head(path)
    except OSError as problem:
        raise LogFileError(
            f"cannot be read ({problem.strerror or problem})", file=path, mend="check the path and its permissions"
        ) from problem
    log_format = next((known for known in FORMATS if known.recognises(head)), None)
    if log_format is None and head.strip():
        names = ", ".join(known.name for known in FORMATS)
        raise LogFileError(
            "is not a recording of a known format",
            file=path,
            mend=f"give one of: {names} (plain, gzip or zstd); python-can's can_logconvert writes candump from others",
        )
    return LogFile(
        path,
        log_format,
        vehicle=vehicle,
        start_ns=start_ns,
        dated=dated,
        boot_session=boot_session,
        batch_frames=batch_frames,
        jit=jit,
    )


def _head(path: Path) -> bytes:
    with path.open("rb") as stored:
        packed = inflated(stored)
        return (stored if packed is None else packed).read(_HEAD_BYTES)
