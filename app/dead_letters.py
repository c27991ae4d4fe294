"""Tries dead letters again: evaluated by themselves, apart from the vehicle's carried state, and marked late."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.composition import build_line, load_profiles
from domain.errors import InputError, LogFileError
from domain.findings import Finding
from domain.fleet import Vehicle
from domain.frames import FrameBatch
from domain.records import Commit, DeadLetter
from ingest.logs import open_log
from pipeline.casework import Casework

if TYPE_CHECKING:  # SQLAlchemy takes a fifth of a second that a replay in memory need not wait
    from storage.sql_store import SqlStore


def replay_letters(store: SqlStore, identifiers: Sequence[str] = ()) -> tuple[int, int]:
    """(replayed, kept): letters whose content is a frame are evaluated in order of time and leave the store.

    Raises:
        InputError: an identifier names no dead letter.
    """
    letters = {letter.id: letter for letter in store.dead_letters()}
    unknown = [identifier for identifier in identifiers if identifier not in letters]
    if unknown:
        raise InputError(f"there is no dead letter {unknown[0]}", mend="`pitcall dead-letters list` names them")
    chosen = [letters[identifier] for identifier in identifiers] if identifiers else list(letters.values())
    by_vehicle: dict[str, list[tuple[DeadLetter, FrameBatch]]] = {}
    for letter in chosen:
        frames = _frames(letter)
        if frames is not None:
            by_vehicle.setdefault(letter.vehicle, []).append((letter, frames))
    for vehicle, readable in by_vehicle.items():
        _evaluate(store, store.vehicle(vehicle) or Vehicle(id=vehicle), readable)
    done = sum(map(len, by_vehicle.values()))
    return done, len(chosen) - done


def _frames(letter: DeadLetter) -> FrameBatch | None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "letter.log"
        file.write_bytes(letter.content.rstrip(b"\n") + b"\n")
        try:
            batches = [batch for batch in open_log(file, vehicle=letter.vehicle) if len(batch)]
        except LogFileError:
            return None
    return batches[0] if batches else None


def _evaluate(store: SqlStore, vehicle: Vehicle, readable: list[tuple[DeadLetter, FrameBatch]]) -> None:
    parts = build_line([vehicle], profiles=load_profiles([vehicle]))
    casework = Casework(store=store, knowledge=parts.knowledge)
    findings: list[Finding] = []
    for _, frames in sorted(readable, key=lambda pair: int(pair[1].time_ns[0])):
        findings += parts.line.push(frames).findings
    findings += parts.line.close(vehicle.id).findings
    decided = casework.handle([replace(finding, late=True) for finding in findings])
    store.commit(Commit(cases=decided.cases, outbox=decided.outbox))
    for letter, _ in readable:
        store.delete_dead_letter(letter.id)
