"""Files of trained models in one folder, named by the hash of their content."""

from __future__ import annotations

from pathlib import Path

from domain.errors import DataFileError
from storage.whole_file import WholeFile


class ModelFiles:
    """A folder that is made when the first file comes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, sha256: str) -> Path:
        """Where the file of this hash lies."""
        return self._folder / f"{sha256}.skops"

    def write(self, content: bytes, sha256: str) -> None:
        """Keep a file, whole or not at all.

        Raises:
            StorageError: it cannot be written.
        """
        file = WholeFile(self.path(sha256))
        with file.making():
            self._folder.mkdir(parents=True, exist_ok=True)
            file.half.write_bytes(content)
        with file.finishing(good=True):
            pass

    def read(self, sha256: str) -> bytes:
        """The content as it lies there; whether it is what it should be, its reader checks.

        Raises:
            DataFileError: there is no such file, or it cannot be read.
        """
        try:
            return self.path(sha256).read_bytes()
        except OSError as problem:
            mend = "restore the file or train the model again"
            raise DataFileError(f"cannot be read ({problem.strerror})", file=self.path(sha256), mend=mend) from problem
