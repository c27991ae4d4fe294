"""A channel that appends each event as one JSON line to a file: for dealers without an endpoint, seen to by people."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from domain.errors import DeliveryError
from domain.fleet import Dealer
from domain.records import OutboxEvent


class LogFileChannel:
    """Appends `{"recipient", "event"}` lines; an event may stand there twice after a crash, with the same id."""

    def __init__(self, file: Path, name: str = "log") -> None:
        self.name = name
        self._file = file
        self._lock = threading.Lock()

    def deliver(self, event: OutboxEvent, dealer: Dealer | None, attempt_ns: int) -> None:  # noqa: ARG002 - the port's signature
        """Write the event to the end of the file.

        Raises:
            DeliveryError: the file cannot be written.
        """
        line = json.dumps({"recipient": event.recipient, "event": json.loads(event.body)}, ensure_ascii=False)
        try:
            with self._lock, self._file.open("a", encoding="utf-8") as stream:
                stream.write(line + "\n")
        except OSError as problem:
            raise DeliveryError(f"the log file cannot be written ({problem.strerror})") from problem
