"""Reads the trouble codes of recordings in their total order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.kernels import compiler
from ingest.diagnostics import DiagnosticsReader
from ingest.diagnostics.as_json import report_lines
from ingest.logs import ClockState, continuous_time, open_log
from pipeline.holdback import HoldBack

_NOBODY = "-"


def read_codes(logs: Sequence[Path], *, start_ns: int | None) -> Iterator[dict[str, Any]]:
    """The `dtc read --json` lines of each recording.

    Raises:
        LogFileError: a file cannot be read.
    """
    for path in logs:
        order, reader, clock = HoldBack(), DiagnosticsReader(), ClockState()
        for logged in open_log(path, vehicle=_NOBODY, start_ns=start_ns, jit=compiler()):
            time_ns, clock = continuous_time(logged.time_ns, clock)
            yield from report_lines(reader.read(order.push(replace(logged, time_ns=time_ns)).frames))
        yield from report_lines(reader.read(order.close(_NOBODY).frames))
