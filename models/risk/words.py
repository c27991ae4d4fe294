"""Why a risk is what it is, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from domain.findings import Text
from domain.risk import Contribution

REASONS = 3
_LEAST = 0.05
"""Log-odds that are worth a word."""


def reasons(contributions: Sequence[Contribution], usual: Mapping[str, float], names: Mapping[str, Text]) -> tuple[Text, ...]:
    """The strongest contributions that raise the risk, in order; where none does, the strongest that lowers it.

    Args:
        contributions: the greatest first. usual: medians by feature. names: words for features; others go by their own names.
    """
    ranked = sorted(contributions, key=lambda each: -each.contribution)
    raising = [each for each in ranked if each.contribution >= _LEAST][:REASONS]
    return tuple(_said(each, usual.get(each.feature, math.nan), names) for each in raising or ranked[-1:])


def _said(each: Contribution, usual: float, names: Mapping[str, Text]) -> Text:
    name = names.get(each.feature) or Text(en=each.feature.replace("_", " "), zh=each.feature)
    raises = each.contribution > 0.0
    en, zh = ("raises", "升高") if raises else ("lowers", "降低")
    if each.value is None:
        return Text(en=f"{name.en} is unknown, which {en} the risk", zh=f"{name.zh}未知，使风险{zh}")
    said = "" if math.isnan(usual) else f" (usually {usual:.3g})"
    said_zh = "" if math.isnan(usual) else f"（通常为{usual:.3g}）"
    return Text(en=f"{name.en} {each.value:.3g}{said} {en} the risk", zh=f"{name.zh}为{each.value:.3g}{said_zh}，使风险{zh}")
