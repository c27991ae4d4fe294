"""Features of turbofan histories: equal to an independent reference, blind to the future, and the same in every condition."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from models.public.turbofan import Histories, history_features, learn_conditions, remaining_cycles, same_engine
from tests.models.public.engines import engines, first_cycles

Floats = NDArray[np.float64]
Features = Callable[[Histories], Floats]


def reference(x: pd.DataFrame) -> Floats:
    """The features of one engine's standard sensors, written with pandas and polyfit."""

    def slope(window: Floats) -> float:
        return float(np.polyfit(np.arange(len(window)), window, 1)[0]) if len(window) > 1 else 0.0

    def rolling(window: int) -> pd.DataFrame:
        return x.rolling(window, min_periods=1).mean()

    ema, so_far = x.ewm(span=20).mean(), x.expanding().mean()
    own = so_far.iloc[np.minimum(np.arange(len(x)), 9)].set_axis(x.index)
    scatter = x.rolling(30, min_periods=1).std(ddof=0)
    slopes = x.rolling(30, min_periods=1).apply(slope, raw=True)
    parts = [x, rolling(5), rolling(10), rolling(30), slopes, ema, ema - own, so_far, scatter]
    return np.concatenate([part.to_numpy() for part in parts], axis=1)


def test_features_equal_those_of_pandas() -> None:
    fleet = engines(3, seed=1)
    conditions = learn_conditions(fleet)
    features = history_features(fleet, conditions)
    standard = conditions.standard(fleet)
    assert features.shape == (len(fleet), 127)
    for span in fleet.spans():
        np.testing.assert_allclose(features[span, :-1], reference(pd.DataFrame(standard[span])), rtol=0, atol=1e-6)
    assert features[:, -1].tolist() == fleet.cycle.tolist()


def sees_the_future(features: Features) -> bool:
    """Whether the features of early cycles change when later cycles are cut off."""
    fleet = engines(4, seed=2)
    early, _ = first_cycles(fleet, 0.6)
    known = np.isin(fleet.engine * 1000 + fleet.cycle, early.engine * 1000 + early.cycle)
    return not np.array_equal(features(fleet)[known], features(early))


def test_no_feature_sees_the_future() -> None:
    conditions = learn_conditions(engines(4, seed=3))
    assert not sees_the_future(lambda fleet: history_features(fleet, conditions))


def test_a_feature_that_sees_the_future_is_caught() -> None:
    def scaled_by_life(fleet: Histories) -> Floats:
        share = np.empty((len(fleet), 1))
        for span in fleet.spans():
            share[span, 0] = fleet.cycle[span] / fleet.cycle[span.stop - 1]
        return share

    assert sees_the_future(scaled_by_life)


def test_sensors_read_the_same_in_every_flight_condition() -> None:
    fleet = engines(20, seed=4, wear=0.0)
    standard = learn_conditions(fleet).standard(fleet)
    for altitude in (0.0, 20.0, 42.0):
        flown = np.abs(fleet.settings[:, 0] - altitude) < 1.0
        assert np.abs(standard[flown].mean(axis=0)).max() < 1e-9
        np.testing.assert_allclose(standard[flown].std(axis=0), 1.0)


def test_a_sensor_that_is_constant_says_nothing() -> None:
    fleet = engines(3, seed=5)
    fleet.sensors[:, 4] = 7.0
    features = history_features(fleet, learn_conditions(fleet))
    assert np.isfinite(features).all()
    assert (features[:, 4::14][:, :9] == 0.0).all()


def test_remaining_cycles_fall_to_nought_and_are_capped() -> None:
    fleet = engines(2, seed=6)
    left = remaining_cycles(fleet, 40.0)
    for span in fleet.spans():
        assert left[span][-3:].tolist() == [2.0, 1.0, 0.0]
        assert left[span][:-40].tolist() == [40.0] * (span.stop - span.start - 40)


@pytest.mark.parametrize("cut", [0.3, 1.0])
def test_an_engine_under_a_second_name_is_found(cut: float) -> None:
    fleet = engines(5, seed=7)
    other, _ = first_cycles(engines(5, seed=7, first=11), cut)
    assert same_engine(fleet) is None
    assert same_engine(fleet, engines(5, seed=8)) is None
    assert same_engine(fleet, other) == (1, 11)
    both = Histories(
        engine=np.concatenate([fleet.engine, other.engine]),
        cycle=np.concatenate([fleet.cycle, other.cycle]),
        settings=np.concatenate([fleet.settings, other.settings]),
        sensors=np.concatenate([fleet.sensors, other.sensors]),
    )
    assert same_engine(both) == (1, 11)
