"""The words of messages to owners, as validated data (`notices.yaml`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from datafiles import load_yaml, validate
from domain.consents import Purpose
from domain.errors import DataFileError
from domain.findings import Text
from domain.notices import NoticeKind
from domain.owners import LinkPurpose

SHIPPED = Path(__file__).with_name("notices.yaml")
WORDS = frozenset({"car", "dealer", "time", "advice", "total", "lines", "link", "offer", "about"})
"""What may be filled in."""
_GAP = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeWords:
    """One kind of message.

    Attributes:
        purpose: what the owner must have agreed to; None = that of the order. link: what its link is for.
        title, sentences: with gaps `{word}` of `WORDS`.
    """

    purpose: Purpose | None
    link: LinkPurpose
    title: Text
    sentences: tuple[Text, ...]

    def filled(self, words: Mapping[str, Text]) -> tuple[Text, Text]:
        """(title, text); a sentence whose words are not all known is left out, in the title a gap is left empty."""
        said = [sentence for sentence in self.sentences if _gaps(sentence) <= words.keys()]
        text = Text(
            en=" ".join(_fill(each.en, words, "en") for each in said), zh="".join(_fill(each.zh, words, "zh") for each in said)
        )
        return Text(en=_fill(self.title.en, words, "en"), zh=_fill(self.title.zh, words, "zh")), text


def _gaps(text: Text) -> set[str]:
    return {*_GAP.findall(text.en), *_GAP.findall(text.zh)}


def _fill(text: str, words: Mapping[str, Text], language: str) -> str:
    return _GAP.sub(lambda gap: str(getattr(words[gap[1]], language)) if gap[1] in words else "", text)


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid")
    en: Annotated[str, Field(min_length=1)]
    zh: Annotated[str, Field(min_length=1)]


class _Notice(BaseModel):
    model_config = ConfigDict(extra="forbid")
    purpose: Literal["work", "survey", "invitation"]
    link: LinkPurpose
    title: _Said
    text: Annotated[list[_Said], Field(min_length=1)]


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    source: Annotated[str, Field(min_length=1)]
    notices: dict[NoticeKind, _Notice]


def load_notice_words(file: Path) -> dict[NoticeKind, NoticeWords]:
    """The words of every kind of message.

    Raises:
        DataFileError: not valid, a kind is missing, or a gap is not one of `WORDS`; names file, line and mend.
    """
    read = validate(_File, load_yaml(file))
    if missing := [kind.value for kind in NoticeKind if kind not in read.notices]:
        raise DataFileError(f"no words for {', '.join(missing)}", file=file, mend="add them under notices")
    made = {
        kind: NoticeWords(
            purpose=None if notice.purpose == "work" else Purpose(notice.purpose),
            link=notice.link,
            title=_text(notice.title),
            sentences=tuple(map(_text, notice.text)),
        )
        for kind, notice in read.notices.items()
    }
    for kind, words in made.items():
        used = _gaps(words.title).union(*map(_gaps, words.sentences))
        if used - WORDS:
            raise DataFileError(
                f"{kind.value} has the gap {min(used - WORDS)!r}", file=file, mend=f"use one of {', '.join(sorted(WORDS))}"
            )
    return made


@cache
def shipped_notice_words() -> Mapping[NoticeKind, NoticeWords]:
    """The shipped words."""
    return load_notice_words(SHIPPED)


def _text(said: _Said) -> Text:
    return Text(en=said.en, zh=said.zh)
