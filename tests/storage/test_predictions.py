"""Every store keeps models, risks and emerging cases alike."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from domain.emerging import EmergingCase, EmergingState
from domain.errors import DataFileError
from domain.findings import Text
from domain.model_versions import ModelReport, ModelStage, StageChange
from domain.risk import Contribution, RiskAssessment
from storage.database import open_store
from storage.memory_store import MemoryStore
from storage.model_files import ModelFiles
from storage.sql_store import SqlStore
from tests.models.registry.test_stages import version
from tests.storage.databases import fresh_url
from tests.storage.examples import KEY

KINDS = pytest.mark.parametrize("kind", ["memory", "sqlite", "postgresql"])
RISK = RiskAssessment(
    vehicle="v1",
    model="m1",
    component="battery_12v",
    group_key="electrical.low_voltage/battery",
    day=20_000,
    champion=True,
    probability=0.25,
    gap_days=3,
    horizon_days=28,
    remaining_days=(5.0, 20.0, 60.0),
    score=-1.1,
    base=-2.0,
    contributions=(Contribution(feature="crank_v", value=None, contribution=0.9),),
    reasons=(Text(en="low", zh="低"),),
    act=True,
    avoided_cost=12.5,
)
CASE = EmergingCase(
    id="c1",
    cause="worn_pump",
    title=Text(en="Worn pump", zh="水泵磨损"),
    group=(("lot.water_pump", "L7"),),
    state=EmergingState.OPEN,
    opened_ns=5,
    updated_ns=9,
    vehicles=("v1", "v2"),
    at_risk=20,
    expected=0.1,
    ratio=(2.0, 20.0, 90.0),
    evidence=3.5,
    weekly=(0, 1, 1),
    growth=None,
    also=((("build_batch", "B1"),),),
)


def opened(kind: str, folder: Path) -> MemoryStore | SqlStore:
    return MemoryStore() if kind == "memory" else open_store(fresh_url(kind, folder), key=KEY)


@KINDS
def test_versions_change_only_where_nobody_else_has_changed_them(kind: str, tmp_path: Path) -> None:
    first, second = version(1), replace(version(2), name="other")
    with opened(kind, tmp_path) as store:
        assert store.change_models((), (first, second))
        assert not store.change_models((), (first,))
        assert store.model_versions() == tuple(sorted((first, second), key=lambda each: each.id))
        assert store.model_versions("other") == (second,)
        change = StageChange(stage=ModelStage.ACTIVE, time_ns=7, actor="a", reason="r")
        moved = replace(first, changes=(*first.changes, change))
        assert store.change_models((first,), (moved,))
        assert not store.change_models((first,), (first,))
        assert store.model_versions(first.name) == (moved,)


@KINDS
def test_reports_and_risks_are_kept_and_found(kind: str, tmp_path: Path) -> None:
    with opened(kind, tmp_path) as store:
        for time_ns in (1, 2, 1):
            store.save_model_report(ModelReport(model="m1", kind="drift", time_ns=time_ns, body="{}"))
        assert [each.time_ns for each in store.model_reports("m1", "drift")] == [2, 1]
        assert len(store.model_reports("m1", "drift", limit=1)) == 1
        assert store.model_reports("m1", "live") == ()
        later, other = replace(RISK, day=20_001, probability=0.5), replace(RISK, model="m2")
        store.save_assessments([later, RISK, other, replace(RISK, vehicle="v2"), RISK])
        assert store.latest_assessments("v1") == (later, other)
        assert store.assessments(model="m2") == (other,)
        assert store.assessments(since_day=20_001) == (later,)
        assert store.delete_assessments(20_001) == 3
        assert store.assessments() == (later,)


@KINDS
def test_emerging_cases_are_kept_and_found(kind: str, tmp_path: Path) -> None:
    later = replace(CASE, id="c0", opened_ns=6)
    with opened(kind, tmp_path) as store:
        assert store.change_emerging((), (CASE, later))
        closed = replace(CASE, state=EmergingState.CLOSED, closed_by="a")
        assert store.change_emerging((CASE,), (closed,))
        assert not store.change_emerging((CASE,), (CASE,))
        assert store.emerging_cases() == (later, closed)
        assert store.emerging_case("c1") == closed
        assert store.emerging_case("none") is None


def test_files_of_models_lie_under_their_hash(tmp_path: Path) -> None:
    files = ModelFiles(tmp_path / "models")
    files.write(b"content", "ab")
    assert files.read("ab") == b"content"
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["ab.skops"]
    with pytest.raises(DataFileError, match=r"cd.skops: cannot be read \(No such file or directory\); restore"):
        files.read("cd")
