"""A file that appears as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from domain.errors import StorageError


class WholeFile:
    """Write to `half`; it becomes the file itself at the end, if all went well, and vanishes if not (also at Ctrl-C)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.half = path.with_name(f".{path.name}.{os.getpid()}.partial")

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Within this the file is written to.

        Raises:
            StorageError: it cannot be.
        """
        try:
            yield
        except OSError as problem:
            raise StorageError(
                f"{self._path} cannot be written ({problem.strerror or problem}); check the folder and its disk space"
            ) from problem

    @contextlib.contextmanager
    def making(self) -> Iterator[None]:
        """Within this the file is opened; nothing stays of it where that fails."""
        try:
            with self.writing():
                yield
        except BaseException:
            self.half.unlink(missing_ok=True)
            raise

    @contextlib.contextmanager
    def finishing(self, *, good: bool) -> Iterator[None]:
        """Within this the file is closed.

        Raises:
            StorageError: it was `good`, but cannot be completed.
        """
        try:
            if good:
                with self.writing():
                    yield
                    self.half.replace(self._path)
            else:
                with contextlib.suppress(OSError):
                    yield
        finally:
            self.half.unlink(missing_ok=True)
