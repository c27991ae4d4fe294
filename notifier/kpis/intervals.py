"""95 % intervals of shares, medians and means, in the plain forms that hold for small numbers too."""

from __future__ import annotations

import math
from collections.abc import Sequence

Z = 1.959963984540054
"""The normal distribution's 97.5th percentile."""


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Wilson's score interval of a share; (0, 1) of nothing tried. Source: E. B. Wilson, JASA 22 (1927)."""
    if not trials:
        return 0.0, 1.0
    share, spread = successes / trials, Z * Z / trials
    middle = share + spread / 2
    half = Z * math.sqrt(share * (1 - share) / trials + spread / (4 * trials))
    low, high = (middle - half) / (1 + spread), (middle + half) / (1 + spread)
    return (0.0 if successes == 0 else low), (1.0 if successes == trials else high)


def median_interval(ordered: Sequence[float]) -> tuple[float, float]:
    """Of the median of these ascending values, by order statistics (no distribution assumed); the whole range of fewer than six.

    Source: Conover, Practical Nonparametric Statistics, section 3.2, in the normal approximation of the binomial.
    """
    count = len(ordered)
    half = Z * math.sqrt(count) / 2
    first, last = math.floor(count / 2 - half), math.ceil(count / 2 + half)
    return ordered[max(0, first)], ordered[min(count - 1, last)]


def mean_interval(values: Sequence[float], *, least: float, most: float) -> tuple[float, float]:
    """Of the mean, by the normal approximation, within what the values may be; all of that for a single value."""
    count = len(values)
    if count < 2:
        return least, most
    mean = sum(values) / count
    half = Z * math.sqrt(sum((value - mean) ** 2 for value in values) / (count - 1) / count)
    return max(least, mean - half), min(most, mean + half)
