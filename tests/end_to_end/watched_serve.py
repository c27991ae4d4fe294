"""`pitcall serve` whose pipeline process watches the order of each vehicle's records, and may die between commit and acknowledgement.

Run as `python -m tests.end_to_end.watched_serve serve …`. The folder PITCALL_TEST_WATCH holds what it tells: `violations`, a line
for each record out of its vehicle's order; `deaths`, a line for each death right after a commit. Waits before a restart are short.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import app.serve
from app.cli import main
from pipeline.line import Line
from storage.sql_store import SqlStore

WATCH = Path(os.environ.get("PITCALL_TEST_WATCH", ""))
DEATHS_WANTED = int(os.environ.get("PITCALL_TEST_DEATHS", "0"))
DIES_WITHIN = int(os.environ.get("PITCALL_TEST_DIES_WITHIN", "3"))
"""A process that is to die does so after one of its first so many commits that store sequence numbers."""


def note(name: str, words: str) -> None:
    with (WATCH / name).open("a", encoding="utf-8") as file:
        file.write(words + "\n")


def lines(watch: Path, name: str) -> list[str]:
    return (watch / name).read_text(encoding="utf-8").splitlines() if (watch / name).exists() else []


def watch_order() -> None:
    push = Line.push
    last: dict[str, tuple[int, int, int]] = defaultdict(lambda: (-1, -1, -1))

    def watched(self: Line, frames: Any) -> Any:
        table = frames.messages
        row = frames.message
        columns = (frames.vehicle, table.boot_session[row], table.sequence[row], frames.index)
        for number, boot, sequence, index in zip(*(column.tolist() for column in columns), strict=True):
            if sequence < 0:
                continue
            vehicle = frames.vehicles[number]
            if (boot, sequence, index) <= last[vehicle]:
                note("violations", f"{vehicle} {last[vehicle]} {(boot, sequence, index)}")
            last[vehicle] = (boot, sequence, index)
        return push(self, frames)

    forget = Line.forget

    def forgotten(self: Line, vehicle: str) -> None:
        last.pop(vehicle, None)  # its state is loaded from the store again, and with it where it stands
        forget(self, vehicle)

    Line.push, Line.forget = watched, forgotten  # type: ignore[method-assign]


def die_after_commits() -> None:
    commit = SqlStore.commit
    left = random.Random(os.getpid()).randint(1, DIES_WITHIN)

    def deadly(self: SqlStore, changes: Any) -> None:
        nonlocal left
        commit(self, changes)
        left -= bool(changes.seen)
        if left <= 0 and changes.seen and len(lines(WATCH, "deaths")) < DEATHS_WANTED:
            note("deaths", "after a commit")
            os.kill(os.getpid(), signal.SIGKILL)

    SqlStore.commit = deadly  # type: ignore[method-assign]


def run_watched_processes() -> None:
    """The supervisor runs this module where it would run `app.cli`."""
    supervise = app.serve.supervise

    def watched(commands: Any, stop: Any, **options: Any) -> int:
        replaced = {
            role: [__spec__.name if word == "app.cli" else word for word in command] for role, command in commands.items()
        }
        return supervise(replaced, stop, **options)

    app.serve.supervise = watched  # type: ignore[assignment]
    app.serve.LONGEST_BACKOFF_S = 0.5


if __name__ == "__main__":
    if "--only" not in sys.argv:
        run_watched_processes()
    elif "pipeline" in sys.argv:
        watch_order()
        if DEATHS_WANTED:
            die_after_commits()
    sys.exit(main())
