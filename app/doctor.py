"""`pitcall doctor` without its words: what would be decoded from recordings, and what would decode more of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any

from app.composition import GENERIC
from app.kernels import cache_directory, compiler
from domain.errors import InputError
from domain.ports import no_jit
from ingest.logs import open_log
from ingest.message_spec import MessageSpec
from ingest.profiles import Profile, dbc_profile, load_profile
from ingest.traffic import Coverage, Definitions, Talker, Traffic, shares

BETTER_BY = 0.05
"""A suggestion must fit so much more of a bus's frames than what is there."""
MOST_SUGGESTIONS = 3
MOST_UNKNOWN = 8
TALKS = 0.01
"""Share of a bus's frames from which a protocol is worth a word."""

OnCandidate = Callable[[int, int], None]
"""Told (candidates looked at, candidates in all)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A signal database that might fit. `messages` is empty where it could not be loaded."""

    file: Path
    messages: tuple[MessageSpec, ...]


def examine(
    logs: Sequence[Path],
    *,
    dbc: Sequence[tuple[str, Path]],
    profile: str | None,
    candidates: Path | None,
    start_ns: int | None,
    on_candidate: OnCandidate | None = None,
) -> dict[str, Any]:
    """The document of `pitcall doctor --json`.

    Raises:
        InputError: a file is not valid or cannot be read.
    """
    book = _book(dbc, profile)
    tried = _candidates(candidates, on_candidate) if candidates is not None else ()
    return {
        "logs": [_examine_log(log, book, tried, start_ns) for log in logs],
        "environment": _environment(),
    }


def _book(dbc: Sequence[tuple[str, Path]], profile: str | None) -> Profile:
    cache = cache_directory()
    return (
        dbc_profile(dbc, cache=cache) if dbc and profile is None else load_profile(profile or GENERIC, extra_dbc=dbc, cache=cache)
    )


def _candidates(folder: Path, on_candidate: OnCandidate | None) -> tuple[Candidate, ...]:
    files = sorted(folder.rglob("*.dbc")) if folder.is_dir() else []
    if not files:
        raise InputError("holds no DBC file", file=folder, mend="name a folder with .dbc files in it")
    found = []
    for number, file in enumerate(files, start=1):
        try:
            messages = dbc_profile([("*", file)], cache=cache_directory()).messages
        except InputError:
            messages = ()
        found.append(Candidate(file=file, messages=messages))
        if on_candidate is not None:
            on_candidate(number, len(files))
    return tuple(found)


def _examine_log(path: Path, book: Profile, candidates: Iterable[Candidate], start_ns: int | None) -> dict[str, Any]:
    log = open_log(path, vehicle="", start_ns=start_ns, jit=compiler())
    traffic, frames, first_ns, last_ns = Traffic(), 0, None, None
    for batch in log:
        traffic.add(batch)
        frames += len(batch)
        least, most = int(batch.time_ns.min()), int(batch.time_ns.max())
        first_ns, last_ns = min(least, first_ns or least), max(most, last_ns or most)
    definitions = Definitions(book.messages)
    by_bus = {bus: tuple(group) for bus, group in groupby(traffic.talkers(), key=lambda talker: talker.bus)}
    return {
        "log": path.name,
        "frames": frames,
        "first_time_s": None if first_ns is None else first_ns / 1e9,
        "last_time_s": None if last_ns is None else last_ns / 1e9,
        "anomalies": {kind: count for kind, count in sorted(log.anomalies.items()) if count},
        "buses": {bus: _bus(talkers, definitions) for bus, talkers in by_bus.items()},
        "suggestions": [
            *_about_time(log.anomalies, first_ns),
            *(words for bus, talkers in by_bus.items() for words in _about_bus(bus, talkers, definitions, book, candidates)),
        ],
    }


def _bus(talkers: Sequence[Talker], definitions: Definitions) -> dict[str, Any]:
    coverage = definitions.coverage(talkers)
    unknown = [talker for talker in talkers if definitions.of(talker) is None]
    return {
        "frames": coverage.frames,
        "ids": coverage.ids,
        "known_frames": coverage.known_frames,
        "known_ids": coverage.known_ids,
        "known_share": coverage.known_share,
        "fitting_share": coverage.fitting_share,
        "looks_like": shares(talkers),
        "unknown": [
            {
                "id": _written(talker),
                "frames": talker.frames,
                "length": [talker.shortest, talker.longest],
                "looks_like": talker.looks_like,
                **({"pgn": talker.group} if talker.looks_like == "j1939" else {}),
            }
            for talker in unknown[:MOST_UNKNOWN]
        ],
    }


def _written(talker: Talker) -> str:
    return f"{talker.can_id & 0x1FFF_FFFF:08X}" if talker.is_extended else f"{talker.can_id:03X}"


def _about_time(anomalies: dict[str, int], first_ns: int | None) -> list[dict[str, str]]:
    words = []
    if anomalies.get("no_timestamp"):
        words.append(
            {"kind": "time", "words": "some frames carry no time: they count as sent with the frame before them", "option": ""}
        )
    if first_ns is not None and 0 <= first_ns < 365 * 86_400 * 10**9:
        words.append({"kind": "time", "words": "the recording has no absolute time", "option": "--start 2026-01-31T08:00:00Z"})
    return words


def _about_bus(
    bus: str, talkers: Sequence[Talker], definitions: Definitions, book: Profile, candidates: Iterable[Candidate]
) -> Iterable[dict[str, str]]:
    """What would decode more of this bus: built-in definitions for the protocols heard, then databases of the folder."""
    looks, now = shares(talkers), definitions.coverage(talkers)
    for kind, name, title in (("obd", "obd2", "OBD-II answers"), ("j1939", "j1939", "J1939 messages")):
        if looks.get(kind, 0.0) >= TALKS:
            gained = Definitions(load_profile(name).messages).coverage(talkers)
            if gained.known_frames > now.known_frames:
                share = f"{gained.known_share:.0%} of the frames, now {now.known_share:.0%}"
                yield {
                    "kind": "profile",
                    "words": f"{bus} carries {title}: built-in definitions know {share}",
                    "option": f"--profile {name}",
                }
    if looks.get("obd", 0.0) or looks.get("diagnostic", 0.0):
        yield {
            "kind": "codes",
            "words": f"{bus} carries diagnostic messages: trouble codes may be among them",
            "option": "pitcall dtc read",
        }
    used = {message.origin for message in book.messages}
    rated = sorted(
        _rated(talkers, [each for each in candidates if each.file.name not in used]), key=lambda pair: -pair[1].fitting_share
    )
    for candidate, coverage in rated[:MOST_SUGGESTIONS]:
        if coverage.fitting_share > now.fitting_share + BETTER_BY:
            share = f"{coverage.fitting_share:.0%} of the frames with the right length, now {now.fitting_share:.0%}"
            words = f"{candidate.file.name} defines {coverage.known_ids} of the {coverage.ids} identifiers on {bus} ({share})"
            yield {"kind": "dbc", "words": words, "option": f"--dbc {bus}={candidate.file}"}


def _rated(talkers: Sequence[Talker], candidates: Iterable[Candidate]) -> Iterable[tuple[Candidate, Coverage]]:
    for candidate in candidates:
        yield candidate, Definitions(candidate.messages).coverage(talkers)


def _environment() -> dict[str, Any]:
    cache = cache_directory()
    return {
        "kernels": "python" if compiler() is no_jit else "compiled",
        "cache": None if cache is None else str(cache),
        "mf4": find_spec("asammdf") is not None,
        "postgresql": find_spec("psycopg") is not None,
    }
