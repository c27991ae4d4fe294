"""Reads the trouble codes of recordings in their total order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.kernels import compiler
from domain.trouble_codes import DtcBatch
from ingest.diagnostics import DiagnosticsReader
from ingest.diagnostics.as_json import report_lines
from ingest.gbt32960.codes import PACKET_CODES
from ingest.logs import ClockState, continuous_time, open_log
from pipeline.holdback import HoldBack

_NOBODY = "-"


def read_codes(
    logs: Sequence[Path], *, start_ns: int | None, every_message: bool = False, seen: Counter[str] | None = None
) -> Iterator[dict[str, Any]]:
    """The `dtc read --json` lines of each recording.

    Args:
        logs: the recordings.
        start_ns: time of the first record of logs without absolute time.
        every_message: messages without codes give lines too.
        seen: where what was odd or only counted is added up.

    Raises:
        LogFileError: a file cannot be read.
    """
    for path in logs:
        order, reader, clock = HoldBack(), DiagnosticsReader(packets=PACKET_CODES), ClockState()
        for logged in open_log(path, vehicle=_NOBODY, start_ns=start_ns, jit=compiler()):
            time_ns, clock = continuous_time(logged.time_ns, clock)
            batch = reader.read(order.push(replace(logged, time_ns=time_ns)).frames)
            yield from _lines(batch, every_message=every_message, seen=seen)
        yield from _lines(reader.read(order.close(_NOBODY).frames), every_message=every_message, seen=seen)


def _lines(batch: DtcBatch, *, every_message: bool, seen: Counter[str] | None) -> Iterator[dict[str, Any]]:
    if seen is not None:
        seen.update(batch.anomalies)
        seen.update(batch.counted)
    return report_lines(batch, every_message=every_message)
