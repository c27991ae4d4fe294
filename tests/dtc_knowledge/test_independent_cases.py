"""Cases written from published diagnostic practice, before the patterns were read: the knowledge must answer them.

Their words are regular expressions over the answer's, so that a case judges what is said and not how an entry is called.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from datafiles import load_yaml
from domain.fleet import Vehicle
from dtc_knowledge.evidence import Standing
from dtc_knowledge.explain import explain
from tests.dtc_knowledge.builders import knowledge

CASES = load_yaml(Path(__file__).parent / "data" / "independent_cases.yaml").data["cases"]


def answer(case: dict[str, Any]) -> dict[str, Any]:
    held = dict.fromkeys(case.get("pending", ()), Standing.PENDING) | dict.fromkeys(case.get("history", ()), Standing.HISTORY)
    vehicle = Vehicle(id="car", powertrain=case["powertrain"])
    named = [*case.get("codes", ()), *held]
    return explain(knowledge(), named, case.get("signals", {}), "en", case.get("absent", ()), held=held, vehicle=vehicle)


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_the_answer_is_what_published_practice_expects(case: dict[str, Any]) -> None:
    said = answer(case)
    assert re.search(case.get("fault", ""), said["title"] or "", re.IGNORECASE), said["title"]
    leading = " / ".join(cause["title"] for cause in said["causes"][:2])
    assert re.search(case.get("cause", ""), leading, re.IGNORECASE), leading
    assert said["urgency"] in case["urgency"], said["urgency_reason"]
    assert said["drive"] in case["drive"], said["drive"]


def test_the_cases_speak_of_every_kind_of_vehicle_and_name_their_sources() -> None:
    assert len(CASES) >= 60
    assert {case["powertrain"] for case in CASES} == {"petrol", "diesel", "hybrid", "ev", "truck"}
    assert all(len(case["source"]) > 10 for case in CASES)
    assert len({case["id"] for case in CASES}) == len(CASES)
