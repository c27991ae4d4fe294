"""The words of an alert's desk, in English and Chinese."""

from __future__ import annotations

from domain.findings import Text


def _texts(words: dict[str, tuple[str, str]]) -> dict[str, Text]:
    return {key: Text(en=en, zh=zh) for key, (en, zh) in words.items()}


LABELS = _texts(
    {
        "desk": ("What people and policy say", "人工与策略"),
        "nothing_holds": ("Nothing holds this alert back.", "该告警未被抑制或静默。"),
        "silence": ("Silence", "静默"),
        "silence_about": (
            "No orders of what matches for a while. It hides and resolves nothing.",
            "在一段时间内不为匹配的告警下发工单；不会隐藏或消除告警。",
        ),
        "silence_button": ("Silence", "设为静默"),
        "silenced_until": ("Silenced until {} by {}: {}", "静默至 {}，操作人 {}：{}"),
        "end_silence": ("End the silence", "解除静默"),
        "how_long": ("For how long", "时长"),
        "which": ("Which alerts", "范围"),
        "reason": ("Reason", "原因"),
        "verdict": ("What it turned out to be", "核实结果"),
        "verdict_about": (
            "The alert stays as it is; verdicts measure the rules and train the models. The latest counts.",
            "告警本身不变；核实结果用于评估规则和训练模型，以最新一条为准。",
        ),
        "note": ("Note", "备注"),
        "save_verdict": ("Save", "保存"),
        "no_verdicts": ("Nobody has judged it yet.", "尚无人核实。"),
        "evidence": ("Evidence pack", "证据包"),
        "evidence_json": ("as JSON", "JSON 格式"),
        "source": ("Found by", "来源"),
        "version": ("Version", "版本"),
        "profile": ("Decoded by profile", "解码配置"),
        "window": ("Window of the recording", "数据窗口"),
        "codes_then": ("Trouble codes held then", "当时的故障码"),
        "none": ("none", "无"),
        "generic": ("generic", "通用"),
        "reproduce": ("Reproduce from recordings:", "用记录复现："),
        "may_not": ("Silencing and judging take a key with the scope “orders”.", "静默和核实需 orders 权限。"),
    }
)

HOLDS = _texts(
    {
        "inhibited": ("Held back: another alert explains it", "已抑制：由其他告警引起"),
        "silenced": ("Held back: silenced", "已静默"),
        "unconfirmed": ("Held back: it must be seen in more drives first", "待确认：需在更多行程中再次出现"),
    }
)

REMARKS = _texts(
    {
        "flapping": (
            "It comes and goes: one alert until it has been clear for a while.",
            "反复出现：合并为一条告警，稳定一段时间后恢复。",
        ),
        "old_data": (
            "Its data was old when it came: a person decides what is started.",
            "数据到达时已陈旧：由人工决定后续处理。",
        ),
        "recovered": ("Resolved: the recovery was measured.", "已恢复：由测量确认。"),
        "repaired": ("Resolved: the workshop confirmed the repair.", "已恢复：维修站已确认修复。"),
    }
)

SCOPES = _texts(
    {
        "alert": ("this kind of alert on this vehicle", "本车的此类告警"),
        "vehicle": ("every alert of this vehicle", "本车的全部告警"),
        "model": ("this kind of alert on every vehicle of the model", "同车型车辆的此类告警"),
    }
)

HOURS = {
    1: Text(en="1 hour", zh="1 小时"),
    8: Text(en="8 hours", zh="8 小时"),
    24: Text(en="1 day", zh="1 天"),
    168: Text(en="7 days", zh="7 天"),
    720: Text(en="30 days", zh="30 天"),
}
"""How long a silence may last, in hours."""

VERDICTS = _texts({"false_alarm": ("False alarm", "误报"), "confirmed": ("Confirmed", "属实")})
