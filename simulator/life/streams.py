"""Random numbers: each topic of each vehicle has a stream of its own, so that nothing moves anything else."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Topic(IntEnum):
    """What a stream is for; `part` tells pages, kinds of faults or cities apart."""

    MAKEUP = 1
    WEATHER = 2
    USAGE = 3
    ABSENCE = 4
    FAULTS = 5
    MAINTENANCE = 6
    STARTING = 7
    TYRES = 8
    PAGE = 9
    FAULT_NOISE = 10
    DEVICE = 11
    ENGINE = 12
    PACK = 13
    BRAKES = 14


def stream(seed: int, number: int, topic: Topic, part: int = 0) -> np.random.Generator:
    """The stream of a topic of a vehicle (or city) by its number."""
    return np.random.default_rng([seed, number, int(topic), part])
