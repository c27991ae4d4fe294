"""Keeps the signal history of live operation: the pipeline's step hands over what it decoded, a thread of its own writes it.

What waits is in memory only: a killed process loses the samples since the last flush. Charts then have a hole; alerts and orders
do not depend on it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from domain.errors import StorageError
from domain.signals import SignalBatch
from pipeline.line import Advance
from storage.history import SignalHistory

log = logging.getLogger(__name__)

MOST_VALUES = 16_000_000
"""Values that may wait to be written (128 MB); with a disk that is slower than the fleet the newest are dropped, not the step held up."""
TAKE_EVERY_S = 1.0


class HistoryWriter:
    """Observes a line. A context manager: entering it starts the thread, leaving it writes what still waits.

    Args:
        folder: of the history; made where it is missing. flush_s: samples are on disk so long after they were decoded.
        most_values: that may wait. monotonic: seconds.
    """

    def __init__(
        self,
        folder: Path,
        *,
        flush_s: float,
        most_values: int = MOST_VALUES,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._history = SignalHistory(folder, values_in_memory=most_values // 2, shared=True)
        self._flush_s, self._most_values, self._monotonic = flush_s, most_values, monotonic
        self._lock, self._ended = threading.Lock(), threading.Event()
        self._waiting: list[SignalBatch] = []
        self._values = 0
        self._flush_due_s = monotonic() + flush_s
        self._thread = threading.Thread(target=self._run, name="history")
        self._failing = False
        self.dropped = 0
        """Values that were not kept."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def observe(self, advance: Advance) -> None:
        """Take note of what the line decoded; costs the step next to nothing."""
        values = sum(group.cells for group in advance.signals.groups)
        if not values:
            return
        with self._lock:
            if self._values + values > self._most_values:
                self.dropped += values
                return
            self._waiting.append(advance.signals)
            self._values += values

    def work(self, *, flush: bool = False) -> None:
        """Take over what was observed, and write what is due (all of it where `flush`). One thread at a time.

        Raises:
            StorageError: a file cannot be written; its rows are kept for the next time, as far as memory allows.
        """
        with self._lock:
            batches, self._waiting = self._waiting, []
            self._values = 0
        if self._failing and self._history.values_waiting > self._most_values:
            self.dropped += sum(group.cells for batch in batches for group in batch.groups)
            batches = []
        for batch in batches:
            self._history.append(batch)
        if flush or self._monotonic() >= self._flush_due_s:
            self._flush_due_s = self._monotonic() + self._flush_s
            self._history.flush()

    def _run(self) -> None:
        last, told = False, 0
        while not last:
            last = self._ended.wait(min(TAKE_EVERY_S, self._flush_s))
            try:
                self.work(flush=last)
                self._failing = False
            except StorageError as problem:
                if not self._failing:
                    log.warning("the signal history has a hole: %s", problem)
                self._failing = True
            if self.dropped > told:
                log.warning("signals came faster than they could be written", extra={"fields": {"values_dropped": self.dropped}})
                told = self.dropped
