"""New rules for a running pipeline: read when a file changes or SIGHUP comes, and taken into use between two steps."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from types import FrameType

from app.composition import Parts
from app.rule_files import RuleFiles
from domain.errors import InputError

log = logging.getLogger(__name__)


class RuleWatch:
    """Looks at the files of the rules in a thread of its own.

    Rules that cannot be used change nothing: the mistake is logged once, with file, line and mend, and those in use stay.

    Args:
        build: the parts with these rules as they are now. use: takes them into use (`pipeline.live.LiveRunner.change_line`).
        every_s: how often to look, None = only when asked.
    """

    def __init__(
        self, files: RuleFiles, build: Callable[[], Parts], use: Callable[[Parts], None], *, every_s: float | None
    ) -> None:
        self._files, self._build, self._use, self._every_s = files, build, use, every_s
        self._asked = threading.Event()
        self._ended = False
        self._marks = files.marks()
        self._thread = threading.Thread(target=self._run, name="rules", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def ask(self) -> None:
        """Read the rules again, changed or not."""
        self._asked.set()

    def ask_on_hangup(self) -> None:
        """`ask` at every SIGHUP; for the main thread only."""

        def handle(_signal: int, _frame: FrameType | None) -> None:
            self.ask()

        signal.signal(signal.SIGHUP, handle)

    def stop(self) -> None:
        """End the thread; one that is reading rules at the moment is not waited for."""
        self._ended = True
        self._asked.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        while True:
            asked = self._asked.wait(self._every_s)
            if self._ended:
                return
            self._asked.clear()
            self.look(asked=asked)

    def look(self, *, asked: bool = False) -> bool:
        """Read the rules where a file has changed or where `asked`; gives whether they are in use now."""
        marks = self._files.marks()
        if marks == self._marks and not asked:
            return False
        self._marks = marks
        try:
            parts = self._build()
        except InputError as problem:
            log.error("the rules have changed and cannot be used, those before stay in use: %s", problem)  # noqa: TRY400 - said in one line that names file and mend
            return False
        self._use(parts)
        log.info("the rules have changed", extra={"fields": {"rules": len(parts.rules)}})
        return True
