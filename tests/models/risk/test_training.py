"""A hazard learns wear, and nothing where there is nothing to learn; its figures come from vehicles and times that it never saw."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from domain.errors import InputError
from domain.findings import Text
from models.registry.sealed_file import seal, unseal
from models.risk.figures import figures
from models.risk.hazard import Hazard, TreeRecipe, hazard_of
from models.risk.lives import DAY_NS, FeatureRows, Lives
from models.risk.scoring import Asked, assess
from models.risk.training import Judged, RiskRecipe, train_risk
from tests.models.risk.fleets import BATTERY, START_NS, worn_fleet

QUICK = RiskRecipe(trees=TreeRecipe(trees=40, depth=3))


def trained(rows: FeatureRows, lives: Lives) -> tuple[Hazard, Judged]:
    return train_risk(rows, lives, BATTERY, QUICK)


@cache
def worn() -> tuple[FeatureRows, Lives, Hazard, Judged]:
    rows, lives = worn_fleet()
    return rows, lives, *trained(rows, lives)


@cache
def worn_figures() -> dict[str, Any]:
    return figures(worn()[3], replicates=60)


def test_wear_that_shows_is_found_in_time_and_pays() -> None:
    told = worn_figures()
    assert told["auc"] > 0.9
    assert told["recall"] >= 0.7
    assert told["brier_skill"] > 0.4
    assert told["saved_per_vehicle_month_ci"][0] > 0.0
    assert told["lead_days"] > 7.0


def test_intervals_of_remaining_life_hold_about_what_they_promise() -> None:
    assert 0.75 <= worn_figures()["coverage"] <= 1.0


def test_every_figure_lies_in_its_interval() -> None:
    told = worn_figures()
    for name in (name for name in told if f"{name}_ci" in told):
        low, high = told[f"{name}_ci"]
        assert low <= told[name] <= high, name


def test_shuffled_labels_teach_nothing() -> None:
    rows, lives = worn()[:2]
    order = np.random.default_rng(0).permutation(150)
    told = figures(trained(rows, replace(lives, vehicle=order[lives.vehicle]))[1], replicates=10)
    assert told["auc"] < 0.65
    assert told["brier_skill"] < 0.05


def test_a_feature_that_leaks_the_future_gives_itself_away() -> None:
    """Days until the failure, written into the noise: nothing honest is ever so good."""
    rows, lives = worn()[:2]
    left = np.full(len(rows.values), 400.0)
    for vehicle, begins, ends, failed in zip(lives.vehicle, lives.begins_ns, lives.ends_ns, lives.failed, strict=True):
        mine = (rows.vehicle == vehicle) & (rows.event_ns >= begins) & (rows.event_ns < ends)
        left[mine] = (ends - rows.event_ns[mine]) / DAY_NS if failed else 400.0
    leaking = replace(rows, values=np.column_stack([rows.values[:, :2], left]))
    honest, leaked = worn_figures(), figures(trained(leaking, lives)[1], replicates=10)
    assert leaked["auc"] > 0.995 > honest["auc"]
    assert leaked["brier"] < honest["brier"] / 2.0


def test_nothing_after_the_split_moves_the_model() -> None:
    """What happens later to the vehicles that are fitted on must not matter."""
    rows, lives, hazard, judged = worn()
    cut = judged.from_ns
    later = lives.ends_ns > cut
    other = replace(
        lives, ends_ns=np.where(later, lives.ends_ns.max(), lives.ends_ns), failed=np.where(later, False, lives.failed)
    )
    changed = replace(rows, values=np.where((rows.event_ns >= cut)[:, None], 0.0, rows.values))
    again, _ = trained(changed, other)
    np.testing.assert_array_equal(again.odds(rows.values[:200]), hazard.odds(rows.values[:200]))


def test_the_same_seed_gives_the_same_model() -> None:
    rows, lives, hazard, _ = worn()
    np.testing.assert_array_equal(trained(rows, lives)[0].odds(rows.values[:50]), hazard.odds(rows.values[:50]))


def test_too_few_failures_are_refused() -> None:
    rows, lives = worn_fleet(vehicles=12)
    with pytest.raises(InputError, match=r"only \d+ failures to learn from; give labels with at least 20"):
        trained(rows, lives)


def test_a_model_says_the_same_out_of_the_registry() -> None:
    rows, _, hazard, _ = worn()
    content, sha256 = seal(hazard.parts())
    read = hazard_of(unseal(content, sha256, "m"), "m")
    odds = hazard.odds(rows.values[:50])
    np.testing.assert_array_equal(read.odds(rows.values[:50]), odds)
    np.testing.assert_array_equal(read.risk(odds), hazard.risk(odds))
    assert read.windows == hazard.windows


def assessed(values: np.ndarray, capacity: int | None = None, workshops: tuple[str, ...] | None = None) -> Any:
    vehicles = [f"v{number}" for number in range(len(values))]
    asked = Asked(vehicles=vehicles, workshop=workshops or ("",) * len(values), values=values)
    names = {"rest_v": Text(en="rest voltage", zh="静置电压")}
    return assess(worn()[2], BATTERY, asked, day=3, model="m", champion=True, capacity=capacity, explain_all=True, names=names)


def test_contributions_sum_to_the_score_and_are_told_in_words() -> None:
    weak, sound = assessed(np.array([[10.9, 0.0, 0.0], [12.5, np.nan, 0.0]]))
    for each in (weak, sound):
        assert each.base + sum(part.contribution for part in each.contributions) == pytest.approx(each.score, abs=1e-9)
    assert weak.probability > 0.5 > sound.probability
    assert weak.contributions[0].feature == "rest_v"
    assert weak.reasons[0].en.startswith("rest voltage 10.9 (usually 12.")
    assert weak.reasons[0].zh.startswith("静置电压为10.9")
    assert (weak.act, sound.act) == (True, False)
    assert sound.remaining_days is None
    early, likely, late = weak.remaining_days
    assert worn()[2].windows.gap_days <= early < likely < late


def test_workshops_take_the_worst_first_and_no_more_than_they_can() -> None:
    values = np.column_stack([np.linspace(10.8, 11.2, 6), np.zeros((6, 2))])
    everywhere = assessed(values)
    assert all(each.act for each in everywhere)
    limited = assessed(values, capacity=1, workshops=("a", "a", "a", "b", "b", "b"))
    best = [max(part, key=lambda each: each.avoided_cost).vehicle for part in (limited[:3], limited[3:])]
    assert [each.vehicle for each in limited if each.act] == best
    assert not any(each.act for each in assessed(values, capacity=0))


def test_assessments_do_not_depend_on_who_else_is_asked() -> None:
    values = worn()[0].values[:40]
    together = assessed(values)
    alone = [assessed(values[number : number + 1])[0] for number in (0, 7, 39)]
    for number, each in zip((0, 7, 39), alone, strict=True):
        assert replace(each, vehicle=f"v{number}") == together[number]


def test_risks_too_small_to_matter_are_not_explained_unless_asked() -> None:
    asked = Asked(vehicles=("a", "b"), workshop=("", ""), values=np.array([[10.9, 0.0, 0.0], [12.5, 0.0, 0.0]]))
    weak, sound = assess(worn()[2], BATTERY, asked, day=3, model="m", champion=True, capacity=None)
    assert weak.contributions
    assert (sound.contributions, sound.reasons, sound.base) == ((), (), sound.score)


def test_nothing_is_known_of_a_vehicle_without_values() -> None:
    (blank,) = assessed(np.full((1, 3), np.nan))
    assert 0.0 <= blank.probability <= 1.0
    assert all(part.value is None for part in blank.contributions)


def test_decisions_begin_where_the_training_ended() -> None:
    judged = worn()[3]
    assert judged.asked.time_ns.min() >= judged.from_ns > START_NS
