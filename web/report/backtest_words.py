"""The words of the backtest report, in English and Chinese."""

from __future__ import annotations

from domain.findings import Text


def _texts(words: dict[str, tuple[str, str]]) -> dict[str, Text]:
    return {key: Text(en=en, zh=zh) for key, (en, zh) in words.items()}


WORDS = _texts(
    {
        "title": ("Backtest report", "规则回测报告"),
        "vehicles": ("Vehicles", "车辆"),
        "days": ("Vehicle-days", "车日"),
        "records": ("Records", "记录数"),
        "stored": ("stored", "历史数据"),
        "old": ("Today", "现行规则"),
        "new": ("Tried", "待测规则"),
        "sides": ("Both sides", "总体对比"),
        "result": ("Result", "总体结果"),
        "better": ("better", "更好"),
        "worse": ("worse", "更差"),
        "alerts": ("Alerts", "告警数"),
        "faults": ("Faults known", "已知故障"),
        "found": ("Faults found", "检出故障"),
        "recall": ("Recall", "召回率"),
        "precision": ("Precision", "准确率"),
        "false_alarms": ("False alarms", "误报数"),
        "false_rate": ("False alarms per 1,000 vehicle-days", "每千车日误报数"),
        "other": ("Alerts of other systems on faulty vehicles", "故障车辆其他系统的告警"),
        "delay": ("Median delay after onset", "故障发生后的检出延迟（中位数）"),
        "lead": ("Median lead before the end", "故障结束前的提前量（中位数）"),
        "delay_title": ("Faults found so soon after onset", "故障发生后累计检出比例"),
        "delay_axis": ("seconds after onset", "故障发生后的秒数"),
        "lead_title": ("Faults found so long before their end", "故障结束前累计检出比例"),
        "lead_axis": ("seconds before the end", "距故障结束的秒数"),
        "delay_seconds": ("Median delay after onset, s", "检出延迟中位数，秒"),
        "lead_seconds": ("Median lead before the end, s", "提前量中位数，秒"),
        "right_title": ("Recall and precision", "召回率与准确率"),
        "changes": ("What changes", "变化"),
        "change": ("Change", "变化"),
        "unchanged": ("alerts stay as they are", "条告警不变"),
        "no_changes": ("Nothing changes.", "没有变化。"),
        "appears": ("appears", "新增"),
        "disappears": ("disappears", "消失"),
        "later": ("later", "推迟"),
        "earlier": ("earlier", "提前"),
        "rules": ("Rules that found anything", "有发现的规则"),
        "rule": ("Rule", "规则"),
        "status": ("Status", "状态"),
        "absent": ("not there", "不存在"),
        "changed": ("changed", "已修改"),
        "quiet": ("other rules found nothing.", "条其他规则没有发现。"),
        "silent": ("In brackets: only counted, raises nothing.", "括号内：仅计数，不产生告警。"),
        "sweeps": ("Sweeps", "参数扫描"),
        "value": ("Value", "取值"),
        "present": ("now", "现值"),
        "median_delay": ("Median delay", "延迟中位数"),
        "median_lead": ("Median lead", "提前量中位数"),
        "false_short": ("False per 1,000 days", "每千车日误报"),
        "own_group": (
            "A rule's figures are those of its own alerts against the faults of its group.",
            "单条规则的指标为其自身告警与所属系统故障的对比。",
        ),
        "basis": (
            "Times are the vehicle's, in UTC. A vehicle-day is a day on which a vehicle has records. Vehicles are shown by pseudonym.",
            "时间为车辆时间（UTC）。车日指车辆有记录的一天。车辆以假名显示。",
        ),
    }
)

RULE_STATUSES = _texts(
    {"draft": ("draft", "草稿"), "shadow": ("shadow", "影子"), "active": ("active", "生效"), "retired": ("retired", "停用")}
)
