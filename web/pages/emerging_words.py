"""Words of the page of emerging issues."""

from __future__ import annotations

from domain.emerging import EmergingCase, Group
from domain.findings import Text
from web.pages.health_words import component_text


def _text(en: str, zh: str) -> Text:
    return Text(en=en, zh=zh)


LABELS = {
    "title": _text("Emerging issues", "群发隐患"),
    "about": _text(
        "Causes that come more often in one group of vehicles than in others of the same model and age.",
        "同车型、同车龄中，某一群车辆明显高发的故障原因。",
    ),
    "none": _text("No group of vehicles stands out.", "没有哪一群车辆异常。"),
    "none_do": _text(
        "It is looked for every night, by build batch, software, region and supplier lot (columns of the vehicle table).",
        "每晚按生产批次、软件版本、地区和供应商批次（车辆表的列）自动排查。",
    ),
    "cause": _text("Cause", "原因"),
    "group": _text("Group", "车辆群"),
    "also": _text("about the same vehicles:", "车辆大致相同："),
    "failed": _text("Failed / in group", "已故障/全群"),
    "ratio": _text("Rate against others", "相对其他车辆"),
    "weeks": _text("Failures by week, the last 12", "近12周每周故障数"),
    "growth": _text("Growth", "增长"),
    "since": _text("Since", "起始"),
    "vehicles": _text("Vehicles", "车辆"),
    "closed": _text("closed", "已关闭"),
    "more": _text("and {} more", "等另外{}辆"),
    "between": _text("{}× ({} to {})", "{}倍（{}至{}）"),
    "evidence": _text("odds {} : 1", "胜算 {} : 1"),
}
_ATTRIBUTES = {
    "build_batch": _text("build batch", "生产批次"),
    "software": _text("software", "软件版本"),
    "region": _text("region", "地区"),
}
SHOWN = 5
"""Vehicles that are named."""


def group_text(group: Group) -> Text:
    """A group in words."""
    said = [(_attribute(name), value) for name, value in group]
    return Text(
        en=", ".join(f"{name.en} {value}" for name, value in said), zh="，".join(f"{name.zh}{value}" for name, value in said)
    )


def more_text(count: int) -> Text:
    """Vehicles that are not named."""
    return Text(en=LABELS["more"].en.format(count), zh=LABELS["more"].zh.format(count))


def ratio_text(case: EmergingCase) -> Text:
    """How much higher the rate is, with its interval."""
    low, likely, high = ("∞" if value == float("inf") else f"{value:.3g}" for value in case.ratio)
    words = LABELS["between"]
    return Text(en=words.en.format(likely, low, high), zh=words.zh.format(likely, low, high))


def evidence_text(case: EmergingCase) -> Text:
    """How much speaks for the group being worse."""
    odds = f"{10.0**case.evidence:,.0f}" if case.evidence < 6.0 else f"10^{case.evidence:.0f}"
    words = LABELS["evidence"]
    return Text(en=words.en.format(odds), zh=words.zh.format(odds))


def _attribute(name: str) -> Text:
    if name in _ATTRIBUTES:
        return _ATTRIBUTES[name]
    part = name.removeprefix("lot.")
    named = component_text(part)
    return Text(en=f"{named.en} lot", zh=f"{named.zh}供应商批次")
