"""Tries dead letters again: evaluated by themselves, apart from the vehicle's carried state, and marked late."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.composition import build_line, load_profiles
from domain.errors import InputError, LogFileError
from domain.findings import Finding
from domain.fleet import Vehicle
from domain.frames import FrameBatch
from domain.records import Commit, DeadLetter
from dtc_knowledge.diagnosis import FaultKnowledge
from ingest.logs import open_log
from ingest.wire.joining import RowJoin
from ingest.wire.sources import Sources
from pipeline.casework import Casework
from pipeline.frame_letters import record_of

if TYPE_CHECKING:  # SQLAlchemy takes a fifth of a second that a replay in memory need not wait
    from storage.sql_store import SqlStore


def replay_letters(
    store: SqlStore,
    identifiers: Sequence[str] = (),
    sources: Sources | None = None,
    knowledge: FaultKnowledge | None = None,
) -> tuple[int, int]:
    """(replayed, kept): letters that can be read now are evaluated in order of time and leave the store.

    A letter is a row (a candump line, or JSON), or a whole message of one of `sources`, whose device may be registered by now. Of a
    message of which some items still cannot be used the letter stays, with those alone. `knowledge`: None = as the environment names it.

    Raises:
        InputError: an identifier names no dead letter.
    """
    letters = {letter.id: letter for letter in store.dead_letters()}
    unknown = [identifier for identifier in identifiers if identifier not in letters]
    if unknown:
        raise InputError(f"there is no dead letter {unknown[0]}", mend="`pitcall dead-letters list` names them")
    chosen = [letters[identifier] for identifier in identifiers] if identifiers else list(letters.values())
    by_vehicle: dict[str, list[_Readable]] = {}
    for letter in sorted(chosen, key=lambda letter: letter.time_ns):
        readable = _readable(letter, sources)
        if readable is not None:
            by_vehicle.setdefault(readable.frames.vehicles[0], []).append(readable)
    for vehicle, those in by_vehicle.items():
        _evaluate(store, store.vehicle(vehicle) or Vehicle(id=vehicle), those, knowledge)
    done = sum(map(len, by_vehicle.values()))
    return done, len(chosen) - done


@dataclass(frozen=True, slots=True)
class _Readable:
    """A letter that can be read now; `rest` is what of it still cannot."""

    letter: DeadLetter
    frames: FrameBatch
    rest: DeadLetter | None = None


def _readable(letter: DeadLetter, sources: Sources | None) -> _Readable | None:
    read = sources.read_again(letter) if sources is not None else None
    if read is not None:
        if read.rows is None or not len(read.rows.rows):
            return None
        join = RowJoin()
        join.add(read.rows)
        return _Readable(letter, join.batch(), read.letter)
    frames = record_of(letter) or _frames(letter)
    return None if frames is None else _Readable(letter, frames)


def _frames(letter: DeadLetter) -> FrameBatch | None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "letter.log"
        file.write_bytes(letter.content.rstrip(b"\n") + b"\n")
        try:
            batches = [batch for batch in open_log(file, vehicle=letter.vehicle) if len(batch)]
        except LogFileError:
            return None
    return batches[0] if batches else None


def _evaluate(store: SqlStore, vehicle: Vehicle, readable: list[_Readable], knowledge: FaultKnowledge | None) -> None:
    parts = build_line([vehicle], profiles=load_profiles([vehicle]), knowledge=knowledge)
    casework = Casework(store=store, knowledge=parts.knowledge, policy=parts.policy, routing=parts.routing)
    findings: list[Finding] = []
    for each in sorted(readable, key=lambda each: int(each.frames.time_ns[0])):
        findings += parts.line.push(each.frames).findings
    findings += parts.line.close(vehicle.id).findings
    decided = casework.handle([replace(finding, late=True) for finding in findings])
    rests = tuple(each.rest for each in readable if each.rest is not None)
    store.commit(Commit(cases=decided.cases, outbox=decided.outbox, dead_letters=rests))
    for each in readable:
        store.delete_dead_letter(each.letter.id)
