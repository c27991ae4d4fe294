"""The health of a vehicle's systems and its risks, on its page and in the API."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.storage.test_predictions import RISK
from tests.web.pages.test_pages import shown, text
from tests.web.report_examples import SEDAN
from tests.web.serving import client, store


def served():
    made = store()
    risk = replace(RISK, vehicle=SEDAN, group_key="electrical.12v", probability=0.7)
    made.save_assessments([risk, replace(risk, model="m2", champion=False, probability=0.99)])
    return made


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            (
                "Health by system",
                "Engine cooling",
                "Low-voltage supply",
                "12 V battery: 70 % likely to fail within 31 days, in 5 to 60 days",
            ),
        ),
        ("zh", ("各系统健康度", "发动机冷却系统", "12V蓄电池：70%的概率在31天内失效，若失效约在5至60天内")),
    ],
)
def test_the_page_shows_scores_reasons_and_risks(language, words):
    with client(served()) as web:
        page = web.get(f"/vehicles/{SEDAN}").text
    shown(page, language)
    for word in words:
        assert word in text(page, language)


def test_the_api_tells_them_with_contributions_that_sum_to_the_score():
    with client(served()) as web:
        told = web.get(f"/api/v1/vehicles/{SEDAN}").json()
    assert {each["system"] for each in told["health"]} >= {"electrical.12v", "engine.cooling"}
    for each in told["health"]:
        assert sum(matter["points"] for matter in each["matters"]) == pytest.approx(100 - each["score"], abs=0.2)
    (risk,) = told["risks"]
    assert risk["model"] == "m1"
    assert risk["base"] + sum(part["contribution"] for part in risk["contributions"]) == pytest.approx(risk["score"])
    assert risk["remaining_days"] == {"low": 5.0, "likely": 20.0, "high": 60.0}
