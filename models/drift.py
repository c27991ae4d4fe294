"""Whether vehicles in service still look like those that a model was trained on.

Of each feature (and of the risk that the model tells) the population stability index is compared with what sampling alone would give
(a bootstrap of both samples from the pooled shares), and the distributions by Kolmogorov and Smirnov, with the false discovery rate held
over all features and regions (Benjamini and Hochberg). A feature has drifted where both say so; samples hold one row per vehicle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ks_2samp

Floats = NDArray[np.float64]

BINS = 10
LOOK, ACT = 0.1, 0.25
"""Customary limits of the index."""
NULL_SHARE = 0.999
REPLICATES = 400
DISCOVERY_RATE = 0.01
LEAST_VEHICLES = 30
EVERYWHERE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureDrift:
    """One feature in one region (`EVERYWHERE`: all).

    Attributes:
        psi: index, with missing values as a bin of their own. psi_null: what sampling alone stays under.
        p_value: of Kolmogorov and Smirnov, 1 where too few values are known. drifted: both say so, beyond `ACT`. look: beyond `LOOK`.
    """

    region: str
    feature: str
    vehicles: int
    psi: float
    psi_null: float
    p_value: float
    look: bool = False
    drifted: bool = False


def drift(
    features: Sequence[str],
    reference: Floats,
    reference_regions: Sequence[str],
    current: Floats,
    regions: Sequence[str],
    *,
    seed: int = 0,
) -> tuple[FeatureDrift, ...]:
    """Every feature everywhere and in each region with enough vehicles on both sides, by (region, feature).

    Args:
        reference, current: [vehicles, features], each with the regions of its vehicles.
    """
    rng = np.random.default_rng(seed)
    before, now = np.array(reference_regions, dtype=object), np.array(regions, dtype=object)
    found: list[FeatureDrift] = []
    for region in sorted({EVERYWHERE, *regions}):
        old = reference if region == EVERYWHERE else reference[before == region]
        new = current if region == EVERYWHERE else current[now == region]
        if min(len(old), len(new)) < LEAST_VEHICLES:
            continue
        found += [_compared(region, name, old[:, place], new[:, place], rng) for place, name in enumerate(features)]
    certain = discoveries(np.array([each.p_value for each in found]), DISCOVERY_RATE)
    return tuple(
        replace(
            each,
            look=bool(sure) and each.psi > max(LOOK, each.psi_null),
            drifted=bool(sure) and each.psi > max(ACT, each.psi_null),
        )
        for each, sure in zip(found, certain, strict=True)
    )


def _compared(region: str, name: str, old: Floats, new: Floats, rng: np.random.Generator) -> FeatureDrift:
    known_old, known_new = old[~np.isnan(old)], new[~np.isnan(new)]
    edges = np.unique(np.quantile(known_old, np.arange(1, BINS) / BINS)) if len(known_old) else np.empty(0)
    counts = [np.append(np.bincount(np.searchsorted(edges, known, "right"), minlength=len(edges) + 1), len(whole) - len(known))
              for known, whole in ((known_old, old), (known_new, new))]  # fmt: skip
    pooled = (counts[0] + counts[1]) / (len(old) + len(new))
    null = psi(rng.multinomial(len(old), pooled, REPLICATES), rng.multinomial(len(new), pooled, REPLICATES))
    tested = min(len(known_old), len(known_new)) >= LEAST_VEHICLES
    p_value = float(ks_2samp(known_old, known_new, method="asymp").pvalue) if tested else _missing_p(counts, len(old), len(new))
    return FeatureDrift(
        region=region,
        feature=name,
        vehicles=len(new),
        psi=float(psi(counts[0][None], counts[1][None])[0]),
        psi_null=float(np.quantile(null, NULL_SHARE)),
        p_value=p_value,
    )


def _missing_p(counts: Sequence[NDArray[np.int64]], old: int, new: int) -> float:
    """Where too few values are known to compare them: whether as many are missing as were."""
    from scipy.stats import fisher_exact

    table = np.array([[counts[0][-1], old - counts[0][-1]], [counts[1][-1], new - counts[1][-1]]])
    return float(fisher_exact(table).pvalue)


def psi(old: NDArray[np.int64], new: NDArray[np.int64]) -> Floats:
    """Population stability index of counts [samples, bins]; half a vehicle is added to each bin, so that empty ones stay finite."""
    p = (old + 0.5) / (old + 0.5).sum(axis=1, keepdims=True)
    q = (new + 0.5) / (new + 0.5).sum(axis=1, keepdims=True)
    return np.asarray(((q - p) * np.log(q / p)).sum(axis=1), np.float64)


def discoveries(p_values: Floats, rate: float) -> NDArray[np.bool_]:
    """Which are discoveries at this false discovery rate (Benjamini and Hochberg 1995)."""
    count = len(p_values)
    order = np.argsort(p_values)
    passed = np.flatnonzero(p_values[order] <= rate * np.arange(1, count + 1) / max(1, count))
    found = np.zeros(count, np.bool_)
    if len(passed):
        found[order[: passed[-1] + 1]] = True
    return found
