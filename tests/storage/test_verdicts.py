"""Every store keeps silences and labels alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain.repairs import RepairOutcome, RepairResult
from domain.silences import AlertLabel, Silence, Verdict
from storage.database import open_store
from storage.memory_store import MemoryStore
from tests.storage.databases import fresh_url
from tests.storage.examples import KEY

FIRST = Silence(id="b", starts_ns=1, ends_ns=10, author="a", reason="r", created_ns=1, source="x*")
SECOND = replace(FIRST, id="a", ends_ns=20, vehicle="v1")


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgresql"])
def test_silences_and_labels_are_kept_and_found(kind: str, tmp_path: Path) -> None:
    with MemoryStore() if kind == "memory" else open_store(fresh_url(kind, tmp_path), key=KEY) as store:
        for silence in (SECOND, FIRST):
            store.save_silence(silence)
        assert store.silences() == (FIRST, SECOND)
        assert store.silences(ending_after_ns=10) == (SECOND,)
        ended = replace(SECOND, ended_by="b", ended_ns=5)
        store.save_silence(ended)
        assert (store.silence("a"), store.silence("none")) == (ended, None)
        verdicts = [
            AlertLabel(alert=alert, verdict=Verdict.CONFIRMED, author="a", note="", created_ns=at_ns)
            for alert, at_ns in (("x", 2), ("y", 1), ("x", 1))
        ]
        for label in (*verdicts, verdicts[0]):
            store.label_alert(label)
        assert store.labels() == (verdicts[2], verdicts[0], verdicts[1])
        assert store.labels("y") == (verdicts[1],)


@pytest.mark.parametrize("kind", ["memory", "sqlite", "postgresql"])
def test_what_repairs_found_is_kept(kind: str, tmp_path: Path) -> None:
    first = RepairOutcome(order="b", result=RepairResult.FOUND, pattern="p", cause="c", author="d", note="", created_ns=1)
    later = replace(first, created_ns=2, result=RepairResult.NO_FAULT, pattern="", cause="")
    other = replace(first, order="a", created_ns=9)
    with MemoryStore() if kind == "memory" else open_store(fresh_url(kind, tmp_path), key=KEY) as store:
        for outcome in (later, first, other, first):
            store.save_outcome(outcome)
        assert store.outcomes() == (other, first, later)
