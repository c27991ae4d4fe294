"""Words of the health of a vehicle's systems."""

from __future__ import annotations

from functools import cache

from domain.findings import Text
from domain.risk import RiskAssessment
from dtc_knowledge.code_files import system_names
from models.risk.components import Component, load_components


def _text(en: str, zh: str) -> Text:
    return Text(en=en, zh=zh)


LABELS = {
    "title": _text("Health by system", "各系统健康度"),
    "system": _text("System", "系统"),
    "score": _text("Score of 100", "得分（满分100）"),
    "why": _text("What takes points", "扣分原因"),
    "sound": _text("nothing speaks against it", "无异常"),
    "risk": _text("{}: {:.0f} % likely to fail within {} days", "{}：{:.0f}%的概率在{}天内失效"),
    "remaining": _text(", in {:.0f} to {:.0f} days if it does", "，若失效约在{:.0f}至{:.0f}天内"),
}
KINDS = {
    "rule": _text("rule", "规则"),
    "model": _text("detector", "检测模型"),
    "dtc": _text("trouble code", "故障码"),
    "diagnosis": _text("diagnosis", "诊断"),
    "risk": _text("failure risk", "失效风险"),
}
_GOOD, _FAIR = 80.0, 50.0


def system_text(system: str) -> Text:
    """A system by its name, or as it is."""
    return system_names().get(system) or Text(en=system, zh=system)


def component_text(component: str) -> Text:
    """A component by its name, or as it is."""
    known = _components().get(component)
    return known.name if known else Text(en=component.replace("_", " "), zh=component)


def mood(score: float) -> str:
    """Style of a score."""
    return "good" if score >= _GOOD else "fair" if score >= _FAIR else "poor"


def risk_text(risk: RiskAssessment) -> Text:
    """How likely what is, and when."""
    name = component_text(risk.component)
    days = risk.gap_days + risk.horizon_days
    percent = 100.0 * risk.probability
    en, zh = LABELS["risk"].en.format(name.en, percent, days), LABELS["risk"].zh.format(name.zh, percent, days)
    if risk.remaining_days is not None:
        low, _, high = risk.remaining_days
        en, zh = en + LABELS["remaining"].en.format(low, high), zh + LABELS["remaining"].zh.format(low, high)
    return Text(en=en, zh=zh)


@cache
def _components() -> dict[str, Component]:
    return load_components()
