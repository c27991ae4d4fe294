"""Life of cells: learnt from the training part alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.public.cell_life import FEATURES, Cells, cross_validate_cells, evaluate_parts, fit_cell_life


def cells(seed: int, noise: float = 0.03) -> Cells:
    """20 + 15 + 15 cells whose log life falls with the first feature, as the paper found."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(50, len(FEATURES)))
    life = 10.0 ** (2.9 - 0.2 * features[:, 0] + noise * rng.normal(size=50))
    return Cells(split=np.repeat([0, 1, 2], [20, 15, 15]), life=life.round(), features=features)


def test_the_law_of_the_training_cells_is_found_in_both_test_parts() -> None:
    figures = evaluate_parts(cells(seed=1))
    assert figures == evaluate_parts(cells(seed=1))
    for part in ("test1", "test2"):
        assert figures[part]["mape"] < 0.12
        assert figures[part]["cells"] == 15


def test_what_test_cells_lived_changes_no_prediction() -> None:
    fleet = cells(seed=2)
    other = fleet.life.copy()
    other[fleet.split == 1] *= 2.0
    one, two = evaluate_parts(fleet), evaluate_parts(replace(fleet, life=other))
    assert one["test2"] == two["test2"]
    assert one["test1"] != two["test1"]


def test_shuffled_lives_cannot_be_learnt() -> None:
    fleet = cells(seed=3)
    shuffled = replace(fleet, life=np.concatenate([np.random.default_rng(5).permutation(fleet.life[:20]), fleet.life[20:]]))
    # a constant misses by about this
    scatter = float(np.mean(np.abs(fleet.life[:20] / 10 ** np.log10(fleet.life[:20]).mean() - 1)))
    assert cross_validate_cells(shuffled, 2, seed=0) > 0.8 * scatter > 0.15
    assert cross_validate_cells(fleet, 2, seed=0) < 0.5 * scatter


def test_cells_worn_out_early_are_counted_apart() -> None:
    fleet = cells(seed=4)
    fleet.life[25] = 150.0
    figures = evaluate_parts(fleet)["test1"]
    model = fit_cell_life(fleet.features[:20], fleet.life[:20])
    error = np.abs(model.predict(fleet.features[20:35]) / fleet.life[20:35] - 1)
    assert figures["short_cells"] == 1
    assert figures["mape"] == pytest.approx(error.mean())
    assert figures["mape_without_short"] == pytest.approx(np.delete(error, 5).mean())
