"""Words of the dealer's portal, in both languages."""

from __future__ import annotations

from domain.findings import Text


def _texts(words: dict[str, tuple[str, str]]) -> dict[str, Text]:
    return {key: Text(en=en, zh=zh) for key, (en, zh) in words.items()}


LABELS = _texts(
    {
        "portal": ("Dealer portal", "经销商门户"),
        "offers": ("Offers", "待接工单"),
        "offers_none": ("No offers now.", "暂无待接工单。"),
        "to_book": ("To be booked", "待预约"),
        "today": ("Today", "今日到店"),
        "today_none": ("Nobody is booked for today.", "今日暂无预约。"),
        "later": ("Later", "后续预约"),
        "times": ("Proposed times", "可选时间"),
        "time": ("Appointment", "预约时间"),
        "work": ("Work asked for", "作业内容"),
        "causes": ("Likely causes", "可能原因"),
        "codes": ("Trouble codes", "故障码"),
        "transport": ("Comes by", "到店方式"),
        "reason": ("Reason (optional)", "原因（选填）"),
        "choose": ("Choose a time", "选择时间"),
        "quote": ("Give a quote", "填写报价"),
        "quote_again": ("Change the quote", "修改报价"),
        "quote_about": (
            "Before tax, per line. The owner accepts or declines each line.",
            "不含税，逐项填写。车主将逐项确认或拒绝。",
        ),
        "hours": ("Hours", "工时"),
        "rate": ("Rate per hour", "工时单价"),
        "price": ("Price per piece", "单价"),
        "tax_rate": ("Tax rate", "税率"),
        "note": ("Note (optional)", "备注（选填）"),
        "send_quote": ("Send the quote", "提交报价"),
        "outcome": ("What was found", "维修结论"),
        "outcome_about": ("It labels the alert, and makes the next ones better.", "结论将用于校正告警，改进后续诊断。"),
        "cause": ("Which cause", "哪项原因"),
        "send_outcome": ("Report it", "提交结论"),
        "more_steps": ("Other steps", "其他操作"),
        "not_done": ("That was not possible", "操作未成功"),
        "not_done_do": (
            "The order has changed meanwhile, or something is missing in the form. Look at it again.",
            "工单状态已变化，或表单填写不完整，请返回重试。",
        ),
        "go_back": ("Back to the portal", "返回门户"),
        "key_about": ("Shown are the orders of this dealer only.", "仅显示本经销商的工单。"),
    }
)

STEPS = _texts(
    {
        "accept": ("Accept", "接单"),
        "check_in": ("Vehicle is here", "车辆到店"),
        "miss": ("Did not come", "未到店"),
        "schedule": ("Book", "确认预约"),
        "diagnose": ("Begin diagnosis", "开始诊断"),
        "start": ("Begin the work", "开始维修"),
        "inspect": ("Inspect", "质检"),
        "pass": ("Inspection passed", "质检合格"),
        "rework": ("Needs rework", "返工"),
        "hold": ("Put on hold", "暂停维修"),
        "resume": ("Go on", "继续维修"),
        "settle": ("Paid and handed over", "结算交车"),
        "depart": ("On the way", "已出发"),
        "arrive": ("Arrived", "已到达"),
        "tow": ("Towing", "开始拖车"),
        "deliver": ("Delivered", "已送达"),
        "decline": ("Decline", "拒单"),
        "close": ("Close", "关闭工单"),
    }
)
"""Steps that a dealer takes on the page by one button, the usual ones of a state before the others; a quote and an outcome have forms."""

RESULTS = _texts(
    {
        "found": ("As expected: one of the causes", "与诊断一致"),
        "other_cause": ("Another cause", "其他原因"),
        "no_fault": ("No fault found", "未发现故障"),
    }
)
