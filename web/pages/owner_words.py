"""The words of the owner's page, in English and Chinese."""

from __future__ import annotations

from domain.findings import Text


def _texts(words: dict[str, tuple[str, str]]) -> dict[str, Text]:
    return {key: Text(en=en, zh=zh) for key, (en, zh) in words.items()}


LABELS = _texts(
    {
        "your_car": ("Your car", "您的爱车"),
        "visit": ("Your visit", "进店服务"),
        "workshop": ("Workshop", "维修站"),
        "appointment": ("Appointment", "预约时间"),
        "proposed_times": ("Possible times", "可选时间"),
        "transport": ("Transport", "送修方式"),
        "adviser": ("Your adviser", "专属顾问"),
        "so_far": ("So far", "进度"),
        "why": ("What we noticed", "我们发现"),
        "stand": ("Do not drive on", "请勿继续行驶"),
        "stand_about": (
            "Stop where it is safe, leave the car if there is smoke or a smell of burning, and call for help. Nothing on this page has to be done now.",
            "请在安全处停车；如有烟雾或焦糊味，请立即离开车辆并呼救。现在无需在本页操作。",
        ),
        "work": ("Work and prices", "项目与价格"),
        "estimate_basis": (
            "An estimate from the plan, before tax; the workshop's quote follows.",
            "按方案估算的税前价格，以维修站报价为准。",
        ),
        "quote_basis": (
            "The workshop's quote, version {}. Prices in {}; tax {} %.",
            "维修站报价（第 {} 版），币种 {}，税率 {} %。",
        ),
        "item": ("Work", "项目"),
        "labour": ("Labour", "工时费"),
        "parts": ("Parts", "配件"),
        "list_price": ("list price {}", "指导价 {}"),
        "off": ("Reduced by", "优惠"),
        "covered": ("Borne by others", "由他方承担"),
        "tax": ("Tax", "税费"),
        "you_pay": ("You pay", "您需支付"),
        "optional": ("not necessary", "非必要"),
        "total": ("Total, without what is not necessary", "合计（不含非必要项目）"),
        "agreed_total": ("You agreed to", "您已同意"),
        "sign": ("Your answer", "您的答复"),
        "sign_about": (
            "Answer every line. Only what you accept is done; a changed price is asked anew.",
            "请逐项答复。仅施工您同意的项目；价格如有变动将重新征求您的意见。",
        ),
        "accept": ("accept", "同意"),
        "decline": ("decline", "不同意"),
        "accepted": ("accepted", "已同意"),
        "declined": ("declined", "已拒绝"),
        "send_answer": ("Send the answer", "提交答复"),
        "video": ("Watch the video", "查看视频"),
        "needed": ("needed", "必要"),
        "needs_word": (
            "What is declined and needed stays wrong with the car; we will ask again.",
            "未施工的必要项目，故障依然存在，我们会再次提醒您。",
        ),
        "agree": ("May we ask a workshop?", "是否为您联系维修站？"),
        "agree_about": (
            "Only the visit is agreed to; the work is quoted line by line before it is done.",
            "仅确认进店；施工前将逐项报价并征得您的同意。",
        ),
        "agree_yes": ("Yes, go ahead", "同意"),
        "agree_no": ("No, thank you", "暂不需要"),
        "slot": ("Choose a time", "选择时间"),
        "slot_about": ("Times are those of the workshop.", "以维修站当地时间为准。"),
        "book_slot": ("Book this time", "预约该时间"),
        "questions": ("Questions", "咨询"),
        "question": ("Your question to the workshop", "向维修站提问"),
        "send_question": ("Ask", "提交"),
        "waits": ("waits for an answer", "等待答复"),
        "answer": ("Answer", "答复"),
        "complain": ("Something went wrong?", "有不满意的地方？"),
        "complaint": ("Your complaint", "投诉内容"),
        "send_complaint": ("Send the complaint", "提交投诉"),
        "rate": ("How was it?", "本次服务如何？"),
        "stars": ("Stars", "星级"),
        "nps": ("Would you recommend us? 0 = never, 10 = certainly", "您愿意推荐我们吗？0 = 绝不，10 = 一定"),
        "comment": ("In your words", "您的评价"),
        "send_rating": ("Send", "提交"),
        "rated": ("Thank you: {} of 5 stars.", "感谢您的评价：{} 星（满分 5 星）。"),
        "book": ("Ask for a visit", "预约进店"),
        "book_about": ("Somebody calls or writes back with a time.", "我们会尽快联系您确认时间。"),
        "wish": ("What is it about, and when would it suit you?", "请说明需求及方便的时间"),
        "send_booking": ("Ask for a visit", "提交预约"),
        "booking_waits": ("Your wish has arrived. We come back to you.", "您的预约需求已收到，我们会尽快联系您。"),
        "link_ends": (
            "This page is behind a link made for you; it ends on {}. It shows no name and no VIN.",
            "本页由您的专属链接打开，有效期至 {}；不显示姓名和 VIN。",
        ),
        "bad_link": ("This link opens nothing", "链接无效"),
        "bad_link_do": (
            "It has ended, was replaced by a newer one, or was not copied whole. Ask your workshop or adviser for another.",
            "链接已过期、已被新链接取代或复制不完整。请向维修站或您的顾问索取新链接。",
        ),
        "not_done": ("That was not done", "未能提交"),
        "not_done_do": (
            "Something has changed meanwhile, or a field was left out. Go back, look again and repeat it.",
            "内容可能已变更，或有未填项。请返回页面查看后重试。",
        ),
        "go_back": ("Back to the page", "返回"),
    }
)

STATES = _texts(
    {
        "draft": ("We are planning a visit.", "正在安排服务。"),
        "proposed": ("We propose a visit and wait for your word.", "建议进店，等待您确认。"),
        "requested": ("Help is asked for.", "已请求救援。"),
        "dispatching": ("We are asking a workshop.", "正在联系维修站。"),
        "offered": ("A workshop is being asked.", "等待维修站确认。"),
        "manual": ("One of us is looking for a workshop.", "专员正在为您安排维修站。"),
        "accepted": ("The workshop has accepted.", "维修站已接单。"),
        "scheduled": ("The appointment is booked.", "已预约。"),
        "no_show": ("You did not come; choose another time.", "未按时到店，请重新选择时间。"),
        "checked_in": ("The car is at the workshop.", "车辆已到店。"),
        "diagnosing": ("The workshop is looking for the cause.", "维修站正在诊断。"),
        "quoted": ("The quote is ready.", "报价已出。"),
        "partially_approved": ("You have accepted a part of the work.", "您已同意部分项目。"),
        "approved": ("You have accepted the work.", "您已同意施工。"),
        "in_progress": ("The work is being done.", "正在维修。"),
        "on_hold": ("The work waits, mostly for a part.", "维修暂停，多为等待配件。"),
        "quality_check": ("The work is being inspected.", "正在质检。"),
        "ready": ("The car is ready.", "车辆可取。"),
        "settled": ("The car has been handed over and settled.", "已结算交车。"),
        "assigned": ("A recovery truck is assigned.", "已指派救援车。"),
        "en_route": ("Help is on its way.", "救援车已出发。"),
        "on_site": ("Help is there.", "救援人员已到达。"),
        "towing": ("The car is being towed.", "正在拖车。"),
        "delivered": ("The car has been brought to the workshop.", "车辆已送达维修站。"),
        "closed": ("This is over.", "服务已完成。"),
        "cancelled": ("This was called off.", "服务已取消。"),
    }
)
"""What each state of an order means to its owner."""

PAY_TYPES = _texts(
    {
        "customer": ("by you", "自费"),
        "warranty": ("warranty", "保修"),
        "goodwill": ("goodwill", "善意索赔"),
        "contract": ("maintenance contract", "保养套餐"),
        "internal": ("workshop", "维修站承担"),
    }
)
