"""`pitcall dtc search`: codes, parameters and alarm bits by their words, English or Chinese, with misspellings forgiven.

A small index of overlapping pieces: whole English words and their trigrams, single Chinese characters and their pairs.
A piece counts the more, the fewer names hold it.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from domain.findings import Text
from dtc_knowledge.code_table import CodeCatalogue

_WORDS = re.compile(r"[a-z0-9]+|[\u4e00-\u9fff]+")
_CODE = re.compile(r"[PCBU][0-3][0-9A-F]{0,3}|SPN\d+|GB\d+|FMI\d+")
_SYNONYMS = {
    "o2": "oxygen",
    "lambda": "oxygen",
    "cat": "catalytic",
    "catalyst": "catalytic",
    "maf": "flow",
    "map": "manifold",
    "ect": "coolant",
    "iat": "intake",
    "egr": "exhaust recirculation",
    "evap": "vapour",
    "def": "reductant",
    "adblue": "reductant",
    "urea": "reductant",
    "dpf": "particulate",
    "gpf": "particulate",
    "abs": "brake",
    "tcm": "transmission",
    "ecm": "engine control",
    "pcm": "engine control",
    "hv": "high voltage",
    "hybrid": "traction",
    "tire": "tyre",
    "vapor": "vapour",
}
_CHINESE_SYNONYMS = {
    "尿素": "还原剂",
    "电瓶": "蓄电池",
    "水温": "冷却液温度",
    "缺火": "失火",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that can be found. `kind`: "code", "spn", "fmi", "gb" or "failure_type"."""

    code: str
    kind: str
    title: Text
    system: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A search result; `score` is the share of the question's weight that the name answers, at most 1."""

    entry: Entry
    score: float


def entries(codes: CodeCatalogue) -> Iterator[Entry]:
    """Everything of the tables that has a name."""
    for info in codes.codes.values():
        yield Entry(code=info.code, kind="code", title=info.title, system=info.system)
    for spn, parameter in codes.parameters.items():
        yield Entry(code=f"SPN{spn}", kind="spn", title=parameter.text, system=parameter.system)
    for fmi, mode in codes.failure_modes.items():
        yield Entry(code=f"FMI{fmi}", kind="fmi", title=mode.text, system="")
    for info in codes.alarm_bits.values():
        yield Entry(code=info.code, kind="gb", title=info.title, system=info.system)
    for type_, row in codes.failure_types.items():
        yield Entry(code=f":{type_}", kind="failure_type", title=row.text, system="")


class SearchIndex:
    """Finds entries by words; built once, it answers in a few milliseconds."""

    def __init__(self, found: Iterable[Entry]) -> None:
        self.entries = list(found)
        self._holders: dict[str, list[int]] = defaultdict(list)
        self._sizes: list[int] = []
        for place, entry in enumerate(self.entries):
            pieces = set(_pieces(f"{entry.title.en} {entry.title.zh}"))
            self._sizes.append(len(pieces))
            for piece in pieces:
                self._holders[piece].append(place)

    def search(self, text: str, limit: int = 20) -> list[Hit]:
        """Best first, at most `limit`; ties by code. A code or the beginning of one finds codes that begin so."""
        written = text.strip().upper()
        if _CODE.fullmatch(written):
            same = [entry for entry in self.entries if entry.code.startswith(written)]
            same.sort(key=lambda entry: (len(entry.code), entry.code))
            return [Hit(entry=entry, score=1.0 if entry.code == written else 0.9) for entry in same[:limit]]
        wanted = self._weights(text)
        total = sum(wanted.values())
        scores: dict[int, float] = defaultdict(float)
        for piece, weight in wanted.items():
            for place in self._holders.get(piece, ()):
                scores[place] += weight
        good = [(place, score / total) for place, score in scores.items() if score >= 0.35 * total]
        good.sort(key=lambda hit: (-round(hit[1], 6), self._sizes[hit[0]], self.entries[hit[0]].code))
        return [Hit(entry=self.entries[place], score=round(score, 3)) for place, score in good[:limit]]

    def _weights(self, text: str) -> dict[str, float]:
        """Pieces of the question with their weights; a piece that no name holds weighs like the rarest."""
        count = len(self.entries)
        return {
            piece: math.log(1 + count / max(1, len(self._holders.get(piece, ())))) * (2.0 if piece[0] == "=" else 1.0)
            for piece in _pieces(text)
        }


def _canonical(text: str) -> str:
    """The words that the tables use, for abbreviations and other words of the trade."""
    words = " ".join(_SYNONYMS.get(word, word) for word in _WORDS.findall(text.lower()))
    for said, meant in _CHINESE_SYNONYMS.items():
        words = words.replace(said, meant)
    return words


def _pieces(text: str) -> Iterator[str]:
    """Whole words ("=coolant") and trigrams of English, characters and pairs of Chinese."""
    for word in _canonical(text).split():
        if word[0] >= "\u4e00":
            yield from word
            yield from (word[place : place + 2] for place in range(len(word) - 1))
            continue
        yield f"={word}"
        if len(word) > 3:
            padded = f"^{word}"
            yield from (padded[place : place + 3] for place in range(len(padded) - 2))


def search_document(codes: CodeCatalogue, text: str, lang: str, limit: int) -> dict[str, Any]:
    """The JSON document of `pitcall dtc search`."""
    hits = SearchIndex(entries(codes)).search(text, limit)
    return {
        "text": text,
        "found": [
            {
                "code": hit.entry.code,
                "kind": hit.entry.kind,
                "title": hit.entry.title.zh if lang == "zh" else hit.entry.title.en,
                "en": hit.entry.title.en,
                "zh": hit.entry.title.zh,
                "system": hit.entry.system,
                "score": hit.score,
            }
            for hit in hits
        ],
        "lang": lang,
    }
