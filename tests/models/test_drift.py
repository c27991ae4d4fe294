"""Drift is seen where it is, and not where samples merely scatter."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from models.drift import EVERYWHERE, discoveries, drift, psi

FEATURES = ("a", "b", "c")
REGIONS = ("north", "south")


def fleet(seed: int, vehicles: int = 400) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(vehicles, 3))
    values[rng.random(values.shape) < 0.1] = np.nan
    return values, [REGIONS[number % 2] for number in range(vehicles)]


def drifted(new: np.ndarray, regions: list[str]) -> set[tuple[str, str]]:
    found = drift(FEATURES, *fleet(1), new, regions)
    return {(each.region, each.feature) for each in found if each.drifted}


def test_fleets_of_one_kind_do_not_drift() -> None:
    found = [each for seed in range(10) for each in drift(FEATURES, *fleet(seed), *fleet(seed + 1000))]
    assert len(found) == 90
    assert not any(each.drifted for each in found)


@pytest.mark.parametrize("vehicles", [30, 35])
def test_small_samples_that_scatter_do_not_drift(vehicles: int) -> None:
    """Their index is far over the customary limit by chance alone."""
    found = [each for seed in range(2, 12) for each in drift(FEATURES, *fleet(1), *fleet(seed, vehicles))]
    assert any(each.psi > 0.25 for each in found)
    assert not any(each.drifted for each in found)


def test_a_shifted_feature_is_named_where_it_shifted() -> None:
    values, regions = fleet(2)
    values[1::2, 1] += 1.5
    assert {("south", "b")} <= drifted(values, regions) <= {("south", "b"), (EVERYWHERE, "b")}


def test_a_sensor_that_goes_missing_is_drift() -> None:
    values, regions = fleet(2)
    values[:, 2] = np.nan
    assert drifted(values, regions) == {(EVERYWHERE, "c"), ("north", "c"), ("south", "c")}


def test_regions_with_few_vehicles_are_not_judged() -> None:
    values, _ = fleet(2, 60)
    assert {each.region for each in drift(FEATURES, *fleet(1), values, ["north"] * 50 + ["south"] * 10)} == {EVERYWHERE, "north"}


def test_the_index_is_that_of_its_formula_and_zero_for_equal_shares() -> None:
    old, new = np.array([[9, 19, 29]]), np.array([[19, 19, 19]])
    p, q = (old[0] + 0.5) / 58.5, (new[0] + 0.5) / 58.5
    assert psi(old, new)[0] == pytest.approx(sum((b - a) * np.log(b / a) for a, b in zip(p, q, strict=True)))
    assert psi(old, old)[0] == 0.0


def test_discoveries_are_those_of_scipy() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        values = rng.random(30) ** rng.integers(1, 6)
        np.testing.assert_array_equal(discoveries(values, 0.05), false_discovery_control(values) <= 0.05)
    assert not len(discoveries(np.empty(0), 0.05))
