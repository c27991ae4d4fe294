"""The report's own words, in English and Chinese; those of alerts, causes and plans come with the records."""

from __future__ import annotations

from domain.findings import Text


def _texts(words: dict[str, tuple[str, str]]) -> dict[str, Text]:
    return {key: Text(en=en, zh=zh) for key, (en, zh) in words.items()}


LABELS = _texts(
    {
        "title": ("Replay report", "回放报告"),
        "language": ("中文", "English"),
        "theme": ("Light or dark", "明暗切换"),
        "drives": ("Drives", "行程"),
        "alerts": ("Alerts", "告警"),
        "incidents": ("Incidents", "事件"),
        "orders": ("Orders", "工单"),
        "vehicle": ("Vehicle", "车辆"),
        "log": ("Recording", "记录文件"),
        "profile": ("Profile", "解码配置"),
        "generic": ("generic", "通用"),
        "start": ("Start", "开始"),
        "duration": ("Duration", "时长"),
        "frames": ("Frames", "帧数"),
        "signals": ("Signal samples", "信号采样"),
        "dtcs": ("DTC reports", "故障码报文"),
        "dead_letters": ("Unusable records", "无法使用的记录"),
        "urgency": ("Urgency", "紧急程度"),
        "alert": ("Alert", "告警"),
        "opened": ("Opened", "发生时间"),
        "source": ("Found by", "来源"),
        "state": ("State", "状态"),
        "severity": ("Severity", "严重程度"),
        "occurrences": ("Occurrences", "出现次数"),
        "late": ("late data", "迟到数据"),
        "advice": ("For the driver", "给驾驶员的建议"),
        "why_urgency": ("Why this urgency", "紧急程度的依据"),
        "signal": ("Signal", "信号"),
        "measured": ("Measured", "实测值"),
        "threshold": ("Threshold", "阈值"),
        "held": ("Held for", "持续时间"),
        "window": ("Window", "时间窗"),
        "causes": ("Probable causes", "可能原因"),
        "explains": ("explains", "可解释"),
        "more_signals": ("More signals", "更多信号"),
        "unexplained": ("No pattern explains this yet: diagnose first.", "尚无匹配的故障模式，请先诊断。"),
        "checks": ("Checks", "检查步骤"),
        "minutes": ("min", "分钟"),
        "plan": ("Maintenance plan", "维修方案"),
        "operation": ("Operation", "作业项目"),
        "labour": ("Labour", "工时"),
        "parts": ("Parts", "配件"),
        "parts_and_prices": ("Parts, price each", "配件及单价"),
        "pay_type": ("Paid by", "付费方式"),
        "optional": ("optional", "可选"),
        "hours": ("h", "小时"),
        "totals": ("Estimate", "估价"),
        "totals_basis": ("before tax, without optional lines", "税前，不含可选项目"),
        "total": ("Total", "合计"),
        "order": ("Order", "工单"),
        "service": ("Service order", "维修工单"),
        "rescue": ("Roadside rescue", "道路救援"),
        "dealer": ("Dealer", "经销商"),
        "no_dealer": ("No dealer is able to take it: a person decides.", "没有可承接的经销商，需人工处理。"),
        "why_dealer": ("Why this dealer", "选择理由"),
        "rejected": ("Others ruled out", "未选原因"),
        "slots": ("Proposed times", "可预约时间"),
        "local_time": ("dealer's local time", "经销商当地时间"),
        "transport": ("Transport", "送修方式"),
        "location": ("Location", "位置"),
        "answered_above": ("Answered by the order shown above:", "已由上文工单处理："),
        "monitor_only": ("No order: this is watched, nothing has to be done yet.", "暂不生成工单，继续观察即可。"),
        "nothing": ("Nothing found", "未发现异常"),
        "nothing_decoded": ("Nothing could be checked", "未能检查"),
        "not_decoded": (
            "No signal and no trouble code could be read from this recording, so nothing was checked in it. Name its vehicle profile or DBC.",
            "该记录中未能解码出任何信号或故障码，因此未做检查。请指定车辆解码配置或 DBC 文件。",
        ),
        "generated_from": ("Made by", "生成命令"),
        "elapsed": ("in", "用时"),
        "time_basis": (
            "Times are the vehicle's, in UTC; recordings without a date count from their start.",
            "时间均为车辆时间（UTC）；无日期的记录从起点计时。",
        ),
        "privacy": ("Vehicles are shown by pseudonym; no VIN and no owner data.", "车辆以假名显示，不含 VIN 和车主信息。"),
        "alert_window": ("alert", "告警"),
        "elapsed_axis": ("time since start", "自开始的时间"),
    }
)

URGENCIES = _texts(
    {
        "STOP": ("STOP", "立即停车"),
        "TODAY": ("TODAY", "当日处理"),
        "SOON": ("SOON", "尽快处理"),
        "NEXT": ("NEXT", "下次进店"),
        "MONITOR": ("MONITOR", "持续观察"),
    }
)

SEVERITIES = _texts(
    {
        "critical": ("critical", "危急"),
        "high": ("high", "高"),
        "medium": ("medium", "中"),
        "low": ("low", "低"),
        "info": ("info", "提示"),
    }
)

ALERT_STATES = _texts(
    {"open": ("open", "未恢复"), "acknowledged": ("acknowledged", "已确认"), "resolved": ("resolved", "已恢复")}
)

SOURCE_KINDS = _texts({"rule": ("rule", "规则"), "model": ("model", "模型"), "dtc": ("trouble code", "故障码")})

ACTIONS = _texts(
    {
        "dealer": ("See a dealer", "到店维修"),
        "roadside": ("Roadside rescue", "道路救援"),
        "remote": ("Can be solved remotely", "可远程处理"),
        "owner": ("The owner can do it", "车主可自行处理"),
    }
)

DRIVES = _texts(
    {
        "ok": ("fit to drive", "可正常行驶"),
        "limited": ("drive gently, short distances", "可谨慎短途行驶"),
        "limp": ("limp mode", "跛行模式"),
        "no": ("do not drive", "禁止行驶"),
    }
)

PAY_TYPES = _texts(
    {
        "customer": ("customer", "客户付费"),
        "warranty": ("warranty", "保修"),
        "goodwill": ("goodwill", "善意索赔"),
        "internal": ("internal", "内部"),
        "insurance": ("insurance", "保险"),
    }
)

TRANSPORTS = _texts(
    {
        "DROP_OFF": ("owner drives there", "车主自行送修"),
        "PICK_UP": ("picked up", "上门取车"),
        "FLAT_BED": ("flat-bed truck", "平板拖车"),
        "MOBILE": ("mobile service", "上门维修"),
        "LOANER": ("loaner car", "提供代步车"),
        "VALET": ("valet", "代客取送"),
        "WAIT_AT_DEALER": ("wait at the dealer", "到店等候"),
    }
)

REJECTIONS = _texts(
    {
        "too_far": ("too far", "距离过远"),
        "excluded": ("declined before", "此前已拒单"),
        "no_workshop": ("no workshop", "非维修站"),
        "brand": ("other brand", "品牌不符"),
        "capability": ("not equipped for it", "不具备维修能力"),
        "no_loaner": ("lends no cars", "无代步车"),
        "no_pick_up": ("does not fetch from there", "不提供该距离取送车"),
        "closed": ("not open in time", "营业时间不符"),
        "full": ("booked out", "已约满"),
    }
)

ORDER_STATES = _texts(
    {
        "draft": ("draft", "草稿"),
        "proposed": ("awaits release", "待审核"),
        "requested": ("rescue requested", "已请求救援"),
        "dispatching": ("being dispatched", "派单中"),
        "offered": ("offered", "待接单"),
        "manual": ("a person decides", "人工处理"),
        "accepted": ("accepted", "已接单"),
        "scheduled": ("scheduled", "已预约"),
        "no_show": ("no show", "未到店"),
        "checked_in": ("checked in", "已到店"),
        "diagnosing": ("diagnosing", "诊断中"),
        "quoted": ("quoted", "已报价"),
        "partially_approved": ("partly approved", "部分同意"),
        "approved": ("approved", "已同意"),
        "in_progress": ("in progress", "维修中"),
        "on_hold": ("on hold", "暂停"),
        "quality_check": ("quality check", "质检中"),
        "ready": ("ready", "待取车"),
        "settled": ("settled", "已结算"),
        "assigned": ("partner assigned", "已指派救援"),
        "en_route": ("on the way", "救援途中"),
        "on_site": ("on site", "已到现场"),
        "towing": ("towing", "拖车中"),
        "delivered": ("delivered", "已送达"),
        "closed": ("closed", "已关闭"),
        "cancelled": ("cancelled", "已取消"),
    }
)

LAMPS = _texts(
    {
        "malfunction": ("Malfunction indicator lamp", "故障指示灯"),
        "red_stop": ("Red stop lamp", "红色停车灯"),
        "amber_warning": ("Amber warning lamp", "黄色警告灯"),
        "protect": ("Protect lamp", "保护灯"),
    }
)

NOTES = _texts(
    {
        "on": ("on", "点亮"),
        "off": ("off", "熄灭"),
        "flashing": ("flashing", "闪烁"),
        "complete": ("complete", "已完成"),
        "incomplete": ("not finished", "未完成"),
        "active": ("active", "当前"),
        "stored": ("stored", "已存储"),
        "pending": ("pending", "待定"),
        "permanent": ("permanent", "永久"),
        "history": ("history", "历史"),
        "cleared_unverified": ("cleared but not verified", "已清除待验证"),
        "never_tested": ("never tested", "从未测试"),
        "absent": ("absent", "不存在"),
        "check at once": ("check at once", "立即检查"),
        "check at next halt": ("check at next halt", "下次停车时检查"),
        "maintenance only": ("maintenance only", "仅需保养"),
        "class only": ("class only", "仅有类别"),
        "parameter number not certain": ("parameter number not certain", "参数编号不确定"),
    }
)
_CONTROL_UNIT = "control unit "

UNITS = {"celsius": "°C", "percent": "%", "degrees": "°", "kOhm": "kΩ", "ratio": "", "unit": "", "l/h": "L/h"}
"""VSS unit names as people write them; any other is written as it is."""


def word(table: dict[str, Text], key: str) -> Text:
    """The word of a table, or the key itself where the table does not know it."""
    return table.get(key) or Text(en=key, zh=key)


def note(text: str) -> Text:
    """The parts of an evidence's note, each by its word; a control unit's own name stays as it is."""
    parts = [
        Text(en=part, zh=f"控制单元 {part.removeprefix(_CONTROL_UNIT)}") if part.startswith(_CONTROL_UNIT) else word(NOTES, part)
        for part in text.split(", ")
    ]
    return Text(en=", ".join(part.en for part in parts), zh="，".join(part.zh for part in parts))
