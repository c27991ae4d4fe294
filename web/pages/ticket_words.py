"""The words of the page of tickets, in English and Chinese."""

from __future__ import annotations

from domain.findings import Text


def _texts(words: dict[str, tuple[str, str]]) -> dict[str, Text]:
    return {key: Text(en=en, zh=zh) for key, (en, zh) in words.items()}


LABELS = _texts(
    {
        "title": ("Tickets", "待办事项"),
        "kind": ("Kind", "类型"),
        "about": ("About", "内容"),
        "due": ("Due", "截止时间"),
        "late": ("late", "已逾期"),
        "result": ("Result", "处理结果"),
        "answer": ("In words; questions are answered with it", "说明（咨询将以此答复车主）"),
        "close": ("Close", "完成"),
        "order_visit": ("Make it an order", "生成工单"),
        "none": ("Nothing waits for anybody", "暂无待办事项"),
        "none_do": (
            "Questions, complaints and wishes of owners come here, and calls that are to be made.",
            "车主的咨询、投诉和预约，以及需拨打的电话会显示在这里。",
        ),
        "may_not": ("Closing a ticket takes a key with the scope “orders”.", "处理待办需 orders 权限。"),
    }
)

KINDS = _texts(
    {
        "call": ("Call", "电话回访"),
        "question": ("Question", "咨询"),
        "complaint": ("Complaint", "投诉"),
        "booking": ("Wish for a visit", "预约"),
        "follow_up": ("Follow-up", "跟进"),
    }
)

RESULTS = _texts(
    {
        "reached": ("reached", "已联系上"),
        "not_reached": ("not reached", "未联系上"),
        "answered": ("answered", "已答复"),
        "settled": ("settled", "已解决"),
    }
)
"""Results that the page offers; the API takes any word."""
STATES = _texts({"open": ("open", "待处理"), "done": ("done", "已完成"), "cancelled": ("called off", "已取消")})
