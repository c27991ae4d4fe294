"""Names of standard codes put together from a vocabulary: component x place x kind of fault, in English and Chinese.

`codes/components.csv` and `codes/faults.csv` hold the words, `codes/runs.csv` says which numbers they belong to. The
standard numbers the faults of one component one after another ("circuit, range, low, high, intermittent"), and repeats
them for banks, cylinders and units; so a run names the first code, the component, the place and the faults in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from domain.codes import CodeInfo
from domain.errors import DataFileError
from domain.findings import Text
from dtc_knowledge.schema import ComponentRow, FaultRow, RunRow

_SERIES = re.compile(r"(c?)([0-9A-Z])\.\.([0-9A-Z]{1,2})")
_BANK = re.compile(r"b([1-4])(?:s([1-4]))?")
_CYLINDER = re.compile(r"c([0-9]{1,2})")
_UNIT = re.compile(r"[A-Z]|[0-9]{1,2}|[A-Z]/[A-Z]|[0-9]/[0-9]")
_POSITIONS = {
    "fl": Text(en="front left", zh="左前"),
    "fr": Text(en="front right", zh="右前"),
    "rl": Text(en="rear left", zh="左后"),
    "rr": Text(en="rear right", zh="右后"),
    "l": Text(en="left", zh="左侧"),
    "r": Text(en="right", zh="右侧"),
    "dr": Text(en="driver", zh="驾驶员侧"),
    "pa": Text(en="passenger", zh="乘客侧"),
    "r2l": Text(en="second row left", zh="第二排左侧"),
    "r2r": Text(en="second row right", zh="第二排右侧"),
}
_PHASES = "UVW"


def code_after(first: str, steps: int) -> str:
    """The code that many places after `first`.

    The older parts of the standard count in decimal (P0299 is followed by P0300); a number with a letter in its last three
    digits, or any of the electric-drive codes P0A to P0E, counts in hexadecimal.
    """
    number = first[2:]
    if number.isdigit():
        return f"{first[:2]}{int(number) + steps:03d}"
    return f"{first[:2]}{int(number, 16) + steps:03X}"


def places(written: str) -> list[str]:
    """The places that a run goes through: "c1..12" are twelve cylinders, "A..E" five units, anything else is one place.

    Raises:
        ValueError: a series whose end lies before its start, or a place with no meaning.
    """
    match = _SERIES.fullmatch(written)
    if match is None:
        place_words(written)
        return [written]
    prefix, first, last = match.groups()
    if first.isdigit() != last.isdigit() or (not last.isdigit() and len(last) > 1):
        raise ValueError(f"{written!r} is no series")
    if first.isdigit():
        series = [f"{prefix}{number}" for number in range(int(first), int(last) + 1)]
    else:
        series = [chr(letter) for letter in range(ord(first), ord(last) + 1)]
    if not series:
        raise ValueError(f"{written!r} ends before it starts")
    return series


@cache
def place_words(place: str) -> tuple[Text, Text]:
    """(unit, position) of a place such as "A b1" or "b2s1" or "c3": words that follow the component, words that end the title.

    Raises:
        ValueError: a word of it has no meaning.
    """
    unit_en, unit_zh, end_en, end_zh = "", "", [], []
    for word in place.split():
        if match := _BANK.fullmatch(word):
            sensor = match[2]
            end_en.append(f"bank {match[1]}" + (f" sensor {sensor}" if sensor else ""))
            end_zh.append(f"{match[1]} 列" + (f" {sensor} 号传感器" if sensor else ""))
        elif match := _CYLINDER.fullmatch(word):
            end_en.append(f"cylinder {match[1]}")
            end_zh.append(f"{match[1]} 缸")
        elif position := _POSITIONS.get(word):
            end_en.append(position.en)
            end_zh.append(position.zh)
        elif unit_en and word in _PHASES:
            end_en.append(f"phase {word}")
            end_zh.append(f"{word} 相")
        elif _UNIT.fullmatch(word):
            unit_en, unit_zh = f"{unit_en} {word}", f"{unit_zh.rstrip()} {word} "
        else:
            raise ValueError(f"{word!r} is no place")
    return Text(en=unit_en, zh=unit_zh), Text(en=", ".join(end_en), zh="，".join(end_zh))


def title(component: Text, place: str, fault: Text) -> Text:
    """The composed name: "NOx sensor circuit low, bank 1 sensor 2"."""
    unit, end = place_words(place)
    en = f"{component.en}{unit.en} {fault.en}".rstrip()
    zh = f"{component.zh}{unit.zh}{fault.zh}".rstrip()
    return Text(en=f"{en}, {end.en}" if end.en else en, zh=f"{zh}（{end.zh}）" if end.zh else zh)


def compose(run: RunRow, component: ComponentRow, faults: Mapping[str, FaultRow]) -> Iterator[CodeInfo]:
    """The codes of one run, in order.

    Raises:
        ValueError: the place has no meaning. KeyError: the fault is not in the vocabulary.
    """
    steps = 0
    for place in places(run.place):
        for fault in run.faults.split():
            yield CodeInfo(
                code=code_after(run.first, steps),
                title=title(component.text, place, faults[fault].text),
                system=component.system,
                component=component.id,
                group_key=component.system,
                severity=component.severity,
                urgency=component.urgency,
                source=run.source,
                category=component.category,
                confidence=run.confidence,
            )
            steps += 1


def compose_all(
    runs: Sequence[tuple[int, RunRow]], components: Mapping[str, ComponentRow], faults: Mapping[str, FaultRow], file: Path
) -> dict[str, CodeInfo]:
    """All codes of `runs.csv`, by code; the line of each run names the fault where something is wrong.

    Raises:
        DataFileError: a run names an unknown component or fault, a place with no meaning, or a code that another run names.
    """
    codes: dict[str, CodeInfo] = {}
    for line, run in runs:
        component = components.get(run.component)
        if component is None:
            raise DataFileError(f"unknown component {run.component!r}", file=file, line=line, mend="add it to components.csv")
        try:
            for info in compose(run, component, faults):
                if info.code in codes:
                    raise DataFileError(f"{info.code} stands here twice", file=file, line=line, mend="keep one of them")
                codes[info.code] = info
        except KeyError as problem:
            raise DataFileError(f"unknown fault {problem}", file=file, line=line, mend="add it to faults.csv") from problem
        except ValueError as problem:
            raise DataFileError(str(problem), file=file, line=line, mend="see dtc_knowledge/vocabulary.py") from problem
    return codes
