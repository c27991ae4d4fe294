"""`pitcall decode` without its words: logs -> the JSON document, and signals and frames as tables."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.composition import GENERIC
from app.kernels import cache_directory, compiler
from app.progress import bytes_bar
from ingest.bus_decoder import BusDecoder
from ingest.descriptions import Mend
from ingest.logs import open_log
from ingest.profiles import Profile, dbc_profile, load_profile
from ingest.summary import DecodeSummary

if TYPE_CHECKING:  # pyarrow takes a fifth of a second that a run without tables need not wait
    from storage.frame_file import FrameFile
    from storage.signal_file import SignalFile

_NOBODY = ""
_TOLD = 5
_BATCH_FRAMES = 131_072
"""Of a batch: some 100 MB of table at ten signals a frame."""


def decode_logs(
    logs: Sequence[Path],
    *,
    dbc: Sequence[tuple[str, Path]],
    profile: str | None,
    start_ns: int | None,
    strict: bool,
    out: Path | None = None,
    frames_out: Path | None = None,
    progress: bool | None = None,
    say: Callable[[str], None] = lambda _words: None,
) -> dict[str, Any]:
    """Decode recordings with description files, a profile, or (with neither) the built-in definitions.

    `say` is told what was mended in the description files.

    Args:
        out: table of the signals, Parquet or CSV by its name. frames_out: Parquet table of the frames.
        progress: show a bar on stderr; None: where it is a terminal.

    Raises:
        InputError: a file is not valid or cannot be read. StorageError: a table cannot be written.
    """
    jit = compiler()
    book = _profile(dbc, profile)
    tell_mends(book.mends, say)
    decoder = BusDecoder({book.id: book}, lambda _: book.id, jit=jit)
    summary = DecodeSummary()
    sources = [f"{bus}={file.name}" for bus, file in dbc]
    made_from = {"logs": [path.name for path in logs], "dbc": sources, "profile": book.id, "strict": strict}
    starts: list[int | None] = []
    with contextlib.ExitStack() as opened:
        table = opened.enter_context(_signal_file(out, made_from)) if out else None
        frame_table = opened.enter_context(_frame_file(frames_out, made_from)) if frames_out else None
        on_bytes = opened.enter_context(bytes_bar(logs, shown=progress))
        for number, path in enumerate(logs):
            log = open_log(path, vehicle=_NOBODY, start_ns=start_ns, dated=False, batch_frames=_BATCH_FRAMES, jit=jit)
            for frames in log:
                signals = decoder.decode_strict(frames) if strict else decoder.decode(frames)
                summary.add(frames, signals)
                if table is not None:
                    table.write(signals)
                if frame_table is not None:
                    frame_table.write(frames)
                on_bytes(number, log.bytes_done)
            decoder.forget(_NOBODY)
            starts.append(log.recorded_start_ns)
            summary.add_anomalies(log.anomalies)
    return summary.document() | {"start_time": _start_time(starts), "mended": _mended(book.mends)}


def _start_time(starts: Sequence[int | None]) -> str | None:
    """The date that the first recording names, from which its times count; None where it names none, or they count from 1970."""
    if not starts or starts[0] is None:
        return None
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=starts[0] // 1000)).isoformat().replace("+00:00", "Z")


def _mended(mends: Sequence[Mend]) -> dict[str, int]:
    """What was put right in the description files, counted by kind."""
    return dict(sorted(Counter(str(mend.kind) for mend in mends).items()))


def tell_mends(mends: Sequence[Mend], say: Callable[[str], None]) -> None:
    """One line for each thing put right, the first few of them."""
    for mend in mends[:_TOLD]:
        say(str(mend))
    if len(mends) > _TOLD:
        say(f"and {len(mends) - _TOLD} more mended")


def _signal_file(path: Path, made_from: dict[str, Any]) -> SignalFile:
    from storage.signal_file import SignalFile

    return SignalFile(path, made_from=made_from)


def _frame_file(path: Path, made_from: dict[str, Any]) -> FrameFile:
    from storage.frame_file import FrameFile

    return FrameFile(path, made_from=made_from)


def _profile(dbc: Sequence[tuple[str, Path]], profile: str | None) -> Profile:
    cache = cache_directory()
    return (
        dbc_profile(dbc, cache=cache) if dbc and profile is None else load_profile(profile or GENERIC, extra_dbc=dbc, cache=cache)
    )
