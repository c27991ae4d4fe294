"""The words of the pages of rescues and statements, in English and Chinese."""

from __future__ import annotations

from domain.findings import Text


def _texts(words: dict[str, tuple[str, str]]) -> dict[str, Text]:
    return {key: Text(en=en, zh=zh) for key, (en, zh) in words.items()}


LABELS = _texts(
    {
        "title": ("Rescues", "道路救援"),
        "no_ecall": (
            "This is no eCall: no emergency service is told. Who is hurt or in danger dials the emergency number.",
            "本服务不是紧急呼叫（eCall），不会通知急救或警方。如有人员受伤或处于危险之中，请拨打紧急电话。",
        ),
        "none": ("No vehicle waits for help", "暂无待救援车辆"),
        "none_do": ("A vehicle that must stop appears here at once.", "须立即停车的车辆会即时显示在此。"),
        "waits": (
            "Ring the driver: is everybody safe, is help needed, and where?",
            "请致电驾驶员：人员是否安全、是否需要救援、车辆在何处？",
        ),
        "confirmed": ("Confirmed by", "确认人"),
        "driver": ("the driver, at the display", "驾驶员（车机）"),
        "agent": ("an agent", "客服"),
        "partner": ("Partner", "救援方"),
        "expected": ("Expected", "预计到达"),
        "tow_to": ("Goes to", "拖往"),
        "place": ("Place", "位置"),
        "within": ("within {} m, {}", "误差约 {} 米，{}"),
        "car": ("Replacement car", "代步车"),
        "latitude": ("Latitude, as told", "纬度（口述）"),
        "longitude": ("Longitude, as told", "经度（口述）"),
        "place_about": ("Without a place the vehicle's latest one is used, if it is fresh.", "未填写时使用车辆最新的有效位置。"),
        "basis": ("The place may be used because", "使用位置的依据"),
        "standing": ("the owner's statement says so", "车主已有授权"),
        "consent": ("the driver agrees", "驾驶员同意"),
        "contract": ("of a contract", "合同约定"),
        "vital_interest": ("somebody is in danger", "保护生命安全"),
        "wants_car": ("A replacement car is wanted", "需要代步车"),
        "send": ("Send help", "派出救援"),
        "no_help": ("No help needed", "无需救援"),
        "may_not": ("This key may look, not send.", "该密钥仅可查看。"),
    }
)
BASES = ("", "consent", "vital_interest")
CARS = _texts(
    {
        "not_asked": ("not asked", "未询问"),
        "wanted": ("wanted", "需要"),
        "arranged": ("arranged", "已安排"),
        "not_needed": ("not needed", "不需要"),
    }
)
STATEMENT = _texts(
    {
        "title": ("Settlement statement", "结算单"),
        "of_quote": ("For the quote of version {}. Prices in {}; tax {} %.", "对应报价第 {} 版，币种 {}，税率 {} %。"),
        "no_quote": ("Without a quote. Prices in {}; tax {} %.", "无报价，币种 {}，税率 {} %。"),
        "labour": ("Labour", "工时费"),
        "adjusted": ("Off", "优惠"),
        "covered": ("Borne by others", "他方承担"),
        "tax": ("Tax", "税额"),
        "due": ("Owner pays", "车主支付"),
        "total": ("Total", "合计"),
        "agreed": ("As signed", "签字金额"),
        "equal": ("Equal to what was signed.", "与签字金额一致。"),
        "differences": ("What differs from what was signed, and why", "与签字金额的差异及原因"),
        "agreed_was": ("agreed", "签字"),
        "charged": ("charged", "实收"),
        "paid_by": ("Who pays", "付款方"),
        "open": ("Open", "未付"),
        "owner": ("Owner", "车主"),
        "maker": ("Maker (warranty, goodwill)", "厂家（质保、善意索赔）"),
        "contract": ("Contract", "合同方"),
        "dealer": ("Workshop", "维修站"),
        "elsewhere": ("Payments are made elsewhere; this page only notes them.", "付款在其他系统完成，本页仅作记录。"),
    }
)
