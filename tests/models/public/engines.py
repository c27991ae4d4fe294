"""Small engines that run to failure, laid out as C-MAPSS is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from models.public.turbofan import SENSORS, SETTINGS, Histories

ALTITUDES = (0.0, 20.0, 42.0)


def engines(count: int, seed: int, *, first: int = 1, wear: float = 3.0) -> Histories:
    """Engines of 60 to 119 cycles whose sensors drift by `wear` deviations towards the end; each flight in one of three conditions."""
    rng = np.random.default_rng(seed)
    lives = rng.integers(60, 120, count)
    engine, cycle = np.repeat(np.arange(first, first + count), lives), np.concatenate([np.arange(1, n + 1) for n in lives])
    left = np.repeat(lives, lives) - cycle
    condition = rng.integers(0, 3, len(engine))
    drift = wear * np.exp(-left / 30.0)[:, None] * np.linspace(-1.0, 1.0, len(SENSORS))
    sensors = 500.0 + 100.0 * condition[:, None] + drift + rng.normal(0.0, 1.0, (len(engine), len(SENSORS)))
    altitude = np.array(ALTITUDES)[condition] + rng.normal(0.0, 0.002, len(engine))
    return Histories(
        engine=engine, cycle=cycle, settings=np.column_stack([altitude, np.zeros(len(engine))]), sensors=sensors.round(4)
    )


def first_cycles(histories: Histories, share: float) -> tuple[Histories, list[int]]:
    """Each engine's first share of cycles, and how many cycles it had left."""
    keep, left = np.zeros(len(histories), np.bool_), []
    for span in histories.spans():
        length = span.stop - span.start
        kept = int(length * share)
        keep[span.start : span.start + kept] = True
        left.append(length - kept)
    return histories.rows(keep), left


def write(file: Path, histories: Histories) -> None:
    """As train_FD001.csv.gz and test_FD001.csv.gz lie."""
    table = pd.DataFrame({"unit_id": histories.engine, "cycle": histories.cycle})
    table[list(SETTINGS)] = histories.settings
    table[list(SENSORS)] = histories.sensors
    table.to_csv(file, index=False)
