"""A progress bar on stderr over the bytes of files, where a person looks on."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

OnBytes = Callable[[int, int], None]
"""Told the number of the file and the bytes of it that are done."""


@contextlib.contextmanager
def bytes_bar(files: Sequence[Path], *, shown: bool | None = None) -> Iterator[OnBytes]:
    """Shown by default where stderr is a terminal; the bar vanishes at the end."""
    if not (sys.stderr.isatty() if shown is None else shown):
        yield lambda _number, _bytes_done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    sizes = [file.stat().st_size if file.is_file() else 0 for file in files]
    done = [0] * len(sizes)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=sum(sizes))

        def show(number: int, bytes_done: int) -> None:
            done[number] = bytes_done  # several files may be read at the same time
            bar.update(task, completed=sum(done), description=files[number].name)

        yield show


@contextlib.contextmanager
def steps_bar(total: int, what: str, *, shown: bool | None = None) -> Iterator[Callable[[int], None]]:
    """Told how many of `total` steps are done; shown by default where stderr is a terminal."""
    if not (sys.stderr.isatty() if shown is None else shown):
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)
