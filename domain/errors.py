"""The one tree of errors.

    PitcallError
    ├── InputError            what a user gave us cannot be used: names file, line and mend; exit status 2
    │   ├── LogFileError      a recording
    │   ├── DbcFileError      a signal database (DBC)
    │   ├── RuleError         a rule pack
    │   └── DataFileError     profiles, knowledge, vehicles, dealers, manifests
    ├── StorageError          the database cannot be reached, is locked, or is of another version
    ├── KernelError           a compiled kernel could not be built (the numpy fallback is used instead)
    ├── RoadError             a road service did not answer (ways are estimated instead)
    └── DeliveryError         a push did not get through (it is tried again)

Errors are wrapped at the edge with `raise … from`. A malformed frame or message is never an exception: it is a
`domain.records.DeadLetter`, counted and kept.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path


class PitcallError(Exception):
    """Root of every error that pitcall raises on purpose."""


class InputError(PitcallError):
    """Something given to us cannot be used.

    Args:
        what: what is wrong, in one clause.
        file: the file it stands in.
        line: 1-based line in that file.
        mend: what to do about it, in one clause.
    """

    def __init__(self, what: str, *, file: Path | str | None = None, line: int | None = None, mend: str = "") -> None:
        self.what, self.file, self.line, self.mend = what, file, line, mend
        super().__init__(what, file, line, mend)

    def __reduce__(self) -> tuple[object, ...]:
        """As it was made, so that it passes from one process to another."""
        return partial(type(self), self.what, file=self.file, line=self.line, mend=self.mend), ()

    def __str__(self) -> str:
        """One line: `FILE:LINE: what; mend`."""
        place = "" if self.file is None else f"{self.file}: " if self.line is None else f"{self.file}:{self.line}: "
        return f"{place}{self.what}{'; ' + self.mend if self.mend else ''}".replace("\n", " ")


class LogFileError(InputError):
    """A recording that cannot be read at all."""


class DbcFileError(InputError):
    """A signal database that cannot be loaded."""


class RuleError(InputError):
    """A rule that cannot be compiled."""


class DataFileError(InputError):
    """A profile, knowledge, vehicle, dealer or manifest file that is not valid."""


class StorageError(PitcallError):
    """The database cannot be used; the message names it without its password and says what to do."""


class KernelError(PitcallError):
    """A kernel could not be compiled."""


class RoadError(PitcallError):
    """A road service did not answer, or with something else than ways."""


class DeliveryError(PitcallError):
    """A push was not accepted; the outbox tries again.

    Args:
        what: why, in one clause, without the recipient's address or personal data.
        retry_after_s: the recipient asked not to be tried again before that many seconds.
        gone: the recipient wants no more pushes at all (HTTP 410): not tried again.
        void: this push is of no use any more, others to the same recipient are: not tried again.
    """

    def __init__(self, what: str, *, retry_after_s: float | None = None, gone: bool = False, void: bool = False) -> None:
        self.what, self.retry_after_s, self.gone, self.void = what, retry_after_s, gone, void
        super().__init__(what)
