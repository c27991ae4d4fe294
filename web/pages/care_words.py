"""Words of the pages on care, in English and Chinese."""

from __future__ import annotations

from domain.findings import Text


def _texts(words: dict[str, tuple[str, str]]) -> dict[str, Text]:
    return {key: Text(en=en, zh=zh) for key, (en, zh) in words.items()}


STATES = _texts(
    {
        "due_soon": ("due soon", "即将到期"),
        "due": ("due", "已到期"),
        "overdue": ("overdue", "已逾期"),
        "snoozed": ("put off", "已推迟"),
        "done": ("done", "已完成"),
        "declined": ("declined", "已拒绝"),
        "expired": ("expired", "已过期"),
        "withdrawn": ("withdrawn", "已撤回"),
    }
)
BASES = _texts(
    {
        "schedule": ("schedule", "保养计划"),
        "measured": ("worked out from use", "按使用情况计算"),
        "condition": ("a sensor or sign of wear", "传感器或磨损迹象"),
        "own_value": ("the vehicle's own value", "车辆自身数值"),
    }
)
USES = _texts({"normal": ("normal use", "正常使用"), "severe": ("severe use", "严苛使用")})
HARDSHIPS = _texts(
    {
        "declared": ("as enrolled", "登记为严苛使用"),
        "short_trips": ("mostly short trips", "多为短途"),
        "idling": ("much idling", "怠速过多"),
        "temperature": ("frost or heat", "严寒或高温"),
        "towing": ("towing", "拖挂"),
        "dust": ("dust", "多尘"),
    }
)
