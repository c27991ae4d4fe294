"""Structured logs: one JSON object a line on stderr, without personal data.

What is logged are names, counts, durations and reasons. VINs, owners, payloads and addresses of dealers are never arguments of a log
call; as a second line of defence, whatever looks like a VIN is blotted out of every message.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

_VIN = re.compile(r"\b(?=[A-HJ-NPR-Z0-9]*[0-9])(?=[A-HJ-NPR-Z0-9]*[A-HJ-NPR-Z])[A-HJ-NPR-Z0-9]{17}\b")
_QUIET = ("apscheduler", "httpx", "httpcore", "uvicorn.access", "paho", "asyncio", "alembic")
"""Libraries that would name addresses, or say much at INFO."""


class JsonLines(logging.Formatter):
    """`{"time", "level", "process", "logger", "message", …}`; the fields of `extra={"fields": {…}}` stand beside them."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the message holds."""
        moment = datetime.fromtimestamp(record.created, UTC)
        document: dict[str, Any] = {
            "time": moment.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "process": self._process,
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            # the type and place, not the text: a library's error may quote what it was given
            document["error"] = record.exc_info[0].__name__
            document["at"] = _place(record)
        return _VIN.sub("[vin]", json.dumps(document, ensure_ascii=False, default=str))


def _place(record: logging.LogRecord) -> list[str]:
    trace = record.exc_info[2] if record.exc_info else None
    places = []
    while trace is not None:
        places.append(f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places[-5:]


def set_up_logs(process: str, level: str, stream: TextIO | None = None) -> None:
    """Send this process' logs to stderr as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
