"""Words of the page of key figures."""

from __future__ import annotations

from domain.findings import SourceKind, Text
from notifier.kpis.observations import Kpi


def _text(en: str, zh: str) -> Text:
    return Text(en=en, zh=zh)


LABELS = {
    "title": _text("Key figures", "关键指标"),
    "weeks": _text("Weeks", "周数"),
    "by_region": _text("By region", "按区域"),
    "by_dealer": _text("By dealer", "按门店"),
    "sources": _text("How often each source was right", "各告警来源的准确率"),
    "sources_about": _text(
        "By what technicians found. Confirmed: it was what we said. Other cause: something else was wrong.",
        "依据技师的维修结果。证实：与诊断一致；其他原因：另有故障。",
    ),
    "whole": _text("All", "全部"),
    "region": _text("Region", "区域"),
    "dealer": _text("Dealer", "门店"),
    "no_dealer": _text("without a dealer", "未分配门店"),
    "no_region": _text("without a region", "未分区域"),
    "source": _text("Source", "来源"),
    "confirmed": _text("Confirmed", "证实"),
    "other_cause": _text("Other cause", "其他原因"),
    "no_fault": _text("No fault", "未见故障"),
    "precision": _text("Precision", "准确率"),
    "interval": _text("95 % interval", "95% 置信区间"),
    "in_brackets": _text("in brackets: cases", "括号内为案例数"),
    "of": _text("{} cases", "{} 例"),
    "across": _text("weeks ago", "周前"),
    "none": _text("No figures yet", "暂无指标"),
    "none_do": _text(
        "They are made of orders, repairs, pushes and ratings, and appear as those come.",
        "指标来自工单、维修结果、推送和评分，产生后即显示。",
    ),
    "no_sources": _text("No repair has been reported yet.", "尚无维修结果。"),
}
KPIS = {
    Kpi.ACCEPTANCE_TIME: _text("Acceptance time", "接单时长"),
    Kpi.APPOINTMENT_LEAD: _text("Appointment lead time", "预约提前期"),
    Kpi.RETURN_TO_SHOP: _text("Return-to-shop rate", "回厂率"),
    Kpi.RETENTION: _text("Retention", "客户保持率"),
    Kpi.FIRST_TIME_FIX: _text("First-time fix", "一次修复率"),
    Kpi.NO_FAULT_FOUND: _text("No fault found", "未见故障率"),
    Kpi.DELIVERY_SUCCESS: _text("Delivery success", "推送成功率"),
    Kpi.NPS: _text("Net promoter score", "净推荐值"),
    Kpi.ORDER_AGE: _text("Age of open orders", "未结工单时长"),
}
KINDS = {
    SourceKind.RULE: _text("rule", "规则"),
    SourceKind.MODEL: _text("model", "模型"),
    SourceKind.DTC: _text("code", "故障码"),
}
