"""The table of components: complete, sensible, and tied to the fault knowledge."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import dtc_knowledge
from domain.errors import DataFileError
from dtc_knowledge.code_files import load_codes, system_names
from dtc_knowledge.files import read_knowledge
from models.risk.components import load_components

HEADER = "component,group_key,en,zh,visit_cost,planned_cost,breakdown_cost,causes,source\n"


def test_a_visit_pays_from_the_threshold_on() -> None:
    for component in load_components().values():
        at = component.threshold
        assert 0.0 < at < 0.5
        assert component.avoided(np.array([at]))[0] == pytest.approx(0.0, abs=1e-9)
        assert component.avoided(np.array([at + 0.01]))[0] > 0.0


def test_groups_are_systems_and_causes_are_known() -> None:
    knowledge = read_knowledge(Path(dtc_knowledge.__file__).parent, load_codes())
    known = {each.id for pattern in knowledge.patterns.values() for each in pattern.causes}
    for component in load_components().values():
        assert component.group_key in system_names() or component.id == "air_compressor", component.id
        for pattern in component.causes:
            assert any(component.fails_by(cause) for cause in known), pattern


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a,g,A,A,1,2,3,,s\na,g,A,A,1,2,3,,s\n", ":3: component a stands there twice"),
        ("a,g,A,A,1,3,3,,s\n", ":2: the breakdown costs no more than the repair"),
        ("a,g,A,A,0,2,3,,s\n", ":2: column visit_cost"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, rows: str, said: str) -> None:
    (tmp_path / "c.csv").write_text(HEADER + rows, encoding="utf-8")
    with pytest.raises(DataFileError) as refused:
        load_components(tmp_path / "c.csv")
    assert said in str(refused.value)
