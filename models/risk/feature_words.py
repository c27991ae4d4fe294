"""Words for the features that trip detectors give."""

from __future__ import annotations

from functools import cache

from domain.findings import Text
from models.trip.entries import shipped

DEVIATION = "_deviation"
AGE = "age_days"


@cache
def feature_names() -> dict[str, Text]:
    """Feature -> its name with its unit."""
    names = {AGE: Text(en="age in days", zh="车龄（天）")}
    for detector in shipped():
        what, where = detector.entry.what, detector.where
        en, zh = (what.en, what.zh) if where is None else (f"{what.en}, {where.en}", f"{what.zh}（{where.zh}）")
        unit = f"log {detector.entry.unit}".strip() if detector.entry.log else detector.entry.unit
        names[detector.id] = Text(en=f"{en} ({unit})", zh=f"{zh}（{unit}）") if unit else Text(en=en, zh=zh)
        names[f"{detector.id}{DEVIATION}"] = Text(
            en=f"{en}, deviation from what is expected of the vehicle in standard deviations",
            zh=f"{zh}相对该车预期的偏离（标准差）",
        )
    return names
