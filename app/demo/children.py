"""Child processes of the demonstration: JSON lines in and out, and none of them outlives its parent.

A child reads its configuration as the first line of its standard input and ends when that input ends, which it does however the
parent ends.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

STOP_TIMEOUT_S = 8.0
OnReport = Callable[[Mapping[str, Any]], None]


class Child:
    """A running child: `python -m MODULE`, in a session of its own, so that Ctrl-C reaches the parent alone.

    Args:
        module: has a `main()` that works through a `Parent`. configuration: its first line, as JSON. log: where its stderr goes.
        on_report: told each JSON object that the child reports, in a thread of its own.
    """

    def __init__(self, module: str, configuration: Mapping[str, Any], *, log: Path, on_report: OnReport) -> None:
        with log.open("ab") as errors:
            self._process = subprocess.Popen(  # noqa: S603  # this interpreter with a module of ours
                [sys.executable, "-m", module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
                start_new_session=True,
            )
        self._on_report = on_report
        self._reader = threading.Thread(target=self._read, name=f"reports of {module}", daemon=True)
        self._reader.start()
        self.tell(configuration)

    @property
    def running(self) -> bool:
        """The process lives."""
        return self._process.poll() is None

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send a JSON object; nothing where the child has ended."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except (BrokenPipeError, ValueError):
            return

    def stop(self) -> None:
        """End it: by the end of its input, else by force; its last reports have been told when this returns."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(STOP_TIMEOUT_S)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._on_report(json.loads(line))


class Parent:
    """The child's side: configuration, commands, reports, and an event that is set when the parent has gone or wants an end."""

    def __init__(self) -> None:
        self.configuration: dict[str, Any] = json.loads(sys.stdin.readline())
        self.over = threading.Event()
        self._lock = threading.Lock()

    def listen(self, on_command: Callable[[Mapping[str, Any]], None]) -> None:
        """Hand further lines to `on_command`, in a thread of its own, until the input ends."""

        def read() -> None:
            try:
                for line in sys.stdin:
                    on_command(json.loads(line))
            finally:
                self.over.set()

        threading.Thread(target=read, name="commands", daemon=True).start()

    def report(self, **report: Any) -> None:
        """Tell the parent; from any thread."""
        try:
            with self._lock:
                sys.stdout.write(json.dumps(report) + "\n")
                sys.stdout.flush()
        except (BrokenPipeError, ValueError):
            self.over.set()
