"""Photos and videos as files named by their SHA-256, or in memory; both implement `domain.media.MediaStore`."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

from domain.errors import StorageError

_HASH = re.compile(r"[0-9a-f]{64}")


class MediaFolder:
    """Files `ab/abcdef…` in a folder. A file is there whole or not at all, and is read back only as it was written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, data: bytes) -> str:
        """Keep these bytes; gives their SHA-256.

        Raises:
            StorageError: the file cannot be written.
        """
        content = hashlib.sha256(data).hexdigest()
        file = self._file(content)
        if file.exists():
            return content
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            # a name of its own: two threads may be sent the same bytes at once
            handle, name = tempfile.mkstemp(dir=file.parent, prefix=".new-")
            try:
                with os.fdopen(handle, "wb") as stream:
                    stream.write(data)
                    stream.flush()
                    os.fsync(stream.fileno())
                Path(name).replace(file)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as problem:
            raise StorageError(f"a photo or video cannot be kept ({problem.strerror}); check the data folder") from problem
        return content

    def get(self, content: str) -> bytes | None:
        """The bytes of this SHA-256, None where there are none or they are not what they were.

        Raises:
            StorageError: the file cannot be read.
        """
        if not _HASH.fullmatch(content):
            return None
        try:
            data = self._file(content).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as problem:
            raise StorageError(f"a photo or video cannot be read ({problem.strerror}); check the data folder") from problem
        return data if hashlib.sha256(data).hexdigest() == content else None

    def _file(self, content: str) -> Path:
        return self._folder / content[:2] / content


class MemoryMedia:
    """The same in a dictionary."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def put(self, data: bytes) -> str:
        """Keep these bytes; gives their SHA-256."""
        content = hashlib.sha256(data).hexdigest()
        self._kept[content] = data
        return content

    def get(self, content: str) -> bytes | None:
        """The bytes of this SHA-256."""
        return self._kept.get(content)
