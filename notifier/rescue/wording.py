"""The fixed words that a vehicle's display shows: a table, so that people can review and release them, never made up on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import pydantic

from datafiles import read_csv
from domain.errors import DataFileError
from domain.findings import Text

SHIPPED = Path(__file__).with_name("wording.csv")
ASKS = "propose"
"""Event at which the driver is told what to do and asked whether help is needed."""


class DriverAnswer(StrEnum):
    """What the display lets the driver say."""

    HELP = "help"
    NO_HELP = "no_help"
    CALL_ME = "call_me"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Words by their id, which tells whoever reviews them what was shown."""

    id: str
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """(order event, group prefix) -> words, and those of the answers."""

    notices: Mapping[tuple[str, str], Notice]
    answers: Mapping[DriverAnswer, Text]

    def notice(self, event: str, group_key: str) -> Notice:
        """The words for an event, of the narrowest group that has its own.

        Raises:
            KeyError: there are none for this event.
        """
        prefix = group_key.split("/", maxsplit=1)[0]
        while prefix:
            if (found := self.notices.get((event, prefix))) is not None:
                return found
            prefix = prefix.rpartition(".")[0]
        return self.notices[event, ""]


class _Row(pydantic.BaseModel):
    id: Annotated[str, pydantic.Field(pattern=r"^[a-z_.]+$")]
    event: str
    group: str = ""
    en: Annotated[str, pydantic.Field(min_length=1, max_length=400)]
    zh: Annotated[str, pydantic.Field(min_length=1, max_length=200)]
    source: str = ""
    reviewed: Annotated[str, pydantic.Field(min_length=1)]

    @pydantic.field_validator("en", "zh")
    @classmethod
    def _no_link(cls, words: str) -> str:
        if "://" in words or "www." in words.casefold():
            raise ValueError("a display shows no links: its reader may be driving")
        return words


NEEDED = ("propose", "dispatch", "accept", "depart", "update", "arrive", "tow", "give_up", "cancel")
"""Order events that the display tells of; each has words for any group."""


def load_wording(file: Path = SHIPPED) -> Wording:
    """Read the table.

    Raises:
        DataFileError: a row is not valid, an event or answer has no words, or has them twice.
    """
    notices: dict[tuple[str, str], Notice] = {}
    answers: dict[DriverAnswer, Text] = {}
    for line, row in read_csv(file, _Row):
        text = Text(en=row.en, zh=row.zh)
        if row.event == "answer":
            if row.id not in set(DriverAnswer):
                raise DataFileError(
                    f"answer {row.id!r} is not known", file=file, line=line, mend=f"take {', '.join(DriverAnswer)}"
                )
            answers[DriverAnswer(row.id)] = text
            continue
        if row.event not in NEEDED or (row.event, row.group) in notices:
            raise DataFileError(
                f"event {row.event!r} is not told, or has words for this group already",
                file=file,
                line=line,
                mend="see wording.csv",
            )
        notices[row.event, row.group] = Notice(id=row.id, text=text)
    missing = [event for event in NEEDED if (event, "") not in notices] + [
        each.value for each in DriverAnswer if each not in answers
    ]
    if missing:
        raise DataFileError(f"there are no words for {missing[0]!r}", file=file, line=1, mend="add a row without a group")
    return Wording(notices=notices, answers=answers)
