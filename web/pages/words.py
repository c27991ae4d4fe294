"""The pages' own words, in English and Chinese; those shared with the report stand in `web.report.words`."""

from __future__ import annotations

from domain.findings import Text


def _texts(words: dict[str, tuple[str, str]]) -> dict[str, Text]:
    return {key: Text(en=en, zh=zh) for key, (en, zh) in words.items()}


LABELS = _texts(
    {
        "title": ("Fleet operations", "车队运营"),
        "alert_title": ("Alert", "告警详情"),
        "alerts_title": ("All alerts", "全部告警"),
        "sign_in_title": ("Sign in", "登录"),
        "skip": ("To the content", "跳到正文"),
        "overview": ("Overview", "总览"),
        "live": ("live", "实时"),
        "connecting": ("connecting …", "连接中…"),
        "lost": ("connection lost – trying again", "连接中断，正在重连"),
        "as_of": ("as of", "更新于"),
        "must_stop": ("Must stop now", "须立即停车"),
        "none_must_stop": ("No car has to stop now.", "目前没有需要立即停车的车辆。"),
        "today_cars": ("need a workshop today", "需当日进店"),
        "soon_cars": ("within days", "需数日内处理"),
        "no_cars": ("No car is known yet", "尚无车辆数据"),
        "no_cars_do": (
            "Register the fleet with “pitcall vehicles import”, and start “pitcall serve” so that cars can report.",
            "请用 pitcall vehicles import 登记车队，并启动 pitcall serve 接收车辆数据。",
        ),
        "open_for": ("open for", "已持续"),
        "data_age": ("last data {} ago", "{}前有数据"),
        "never_heard": ("not heard of live", "无实时数据"),
        "next": ("Next", "下一步"),
        "unacknowledged": ("not acknowledged", "未确认"),
        "more": ("All alerts", "全部告警"),
        "others": ("{} more must stop:", "另有 {} 项须停车："),
        "funnel": ("Today, from alert to repair", "今日：从告警到修复"),
        "funnel_basis": ("orders made since midnight, local time", "自当地零点起的工单"),
        "alerts": ("Alerts", "告警"),
        "orders": ("Orders", "工单"),
        "owners_told": ("Owner reached", "已通知车主"),
        "told": ("Dealer told", "已通知经销商"),
        "accepted": ("Accepted", "已接单"),
        "booked": ("Booked", "已预约"),
        "repaired": ("Repaired", "已修复"),
        "confirmed": ("Confirmed", "已确认关闭"),
        "stuck": ("Stuck", "受阻"),
        "of_open": ("of all open orders:", "（全部未结工单）："),
        "nothing_stuck": ("Nothing is stuck.", "没有受阻的工单。"),
        "no_orders": (
            "No alerts and no orders today. They are counted here as they come.",
            "今日暂无告警和工单，出现后将在此统计。",
        ),
        "late": ("Not accepted in time", "超时未接单"),
        "none_late": ("Every order has been answered in time.", "所有工单均已按时响应。"),
        "waits": ("Waits", "已等待"),
        "reason": ("Reason", "原因"),
        "health": ("Data health", "数据健康"),
        "reporting": ("Cars reporting", "在线车辆"),
        "silent": ("Silent over 5 min", "静默超 5 分钟"),
        "decode_share": ("Frames decoded", "帧解码率"),
        "lag": ("Lag", "延迟"),
        "frames": ("Frames received", "已接收帧数"),
        "dead_letters": ("Unusable records", "无法使用的记录"),
        "pushes_waiting": ("Pushes waiting", "待推送"),
        "pushes_failed": ("Pushes failed", "推送失败"),
        "pipeline_silent": ("The pipeline has not reported for {}.", "处理管道已 {} 未上报。"),
        "not_connected": ("The pipeline is not connected to the broker.", "处理管道未连接到消息代理。"),
        "no_pipeline": (
            "The pipeline has not reported yet: start it with “pitcall serve”.",
            "处理管道尚未上报：请用 pitcall serve 启动。",
        ),
        "map": ("Where", "分布"),
        "map_about": ("Map of cars and dealers", "车辆与经销商分布图"),
        "no_map": (
            "No positions yet. Cars show up when they report one; dealers after “pitcall dealers import”.",
            "暂无位置信息。车辆上报位置后显示；经销商用 pitcall dealers import 导入。",
        ),
        "unplaced": ("without a position", "无位置"),
        "cars": ("cars", "辆车"),
        "dealer": ("Dealer", "经销商"),
        "car_ok": ("no alert", "无告警"),
        "map_credit": ("Coast lines: Natural Earth", "海岸线：Natural Earth"),
        "feed": ("Latest alerts", "最新告警"),
        "no_alerts": ("No alerts yet", "暂无告警"),
        "no_alerts_do": (
            "Alerts appear here as soon as a rule, detector or trouble code finds something.",
            "规则、检测模型或故障码发现异常后，告警会立即显示在这里。",
        ),
        "acknowledge": ("Acknowledge", "确认告警"),
        "acknowledged": ("Acknowledged: somebody is looking after it.", "已确认，正在跟进。"),
        "resolved": ("Resolved: the condition is over.", "已恢复，异常已消除。"),
        "timeline": ("Order timeline", "工单进度"),
        "version": ("version", "版本"),
        "no_history": (
            "No signals are kept for this alert; the evidence above is what decided.",
            "未保存该告警的信号历史，判断依据见上文。",
        ),
        "unknown_alert": ("There is no such alert", "没有该告警"),
        "unknown_alert_do": (
            "It may have been removed, or the address is incomplete.",
            "告警可能已被删除，或地址不完整。",
        ),
        "key": ("API key", "API 密钥"),
        "sign_in": ("Sign in", "登录"),
        "sign_out": ("Sign out", "退出"),
        "wrong_key": ("This key is not valid. Ask an administrator for one.", "密钥无效，请向管理员索取。"),
        "sign_in_about": (
            "This service is protected by API keys. An analyst's key shows the pages, acknowledging takes an operator's; a dealer's key opens the dealer portal.",
            "本服务由 API 密钥保护。分析员密钥可查看页面，确认告警需运营密钥；经销商密钥进入经销商门户。",
        ),
        "all": ("all", "全部"),
        "older": ("Older", "更早"),
        "newer": ("Newer", "更新"),
        "reminders_title": ("Care reminders", "保养提醒"),
        "vehicle_title": ("Vehicle", "车辆"),
        "unknown_vehicle": ("There is no such vehicle", "没有该车辆"),
        "unknown_vehicle_do": ("Nobody registered it, and nothing was heard of it.", "该车辆未登记，也没有数据。"),
        "care": ("Maintenance plan", "保养计划"),
        "care_item": ("Work", "保养项目"),
        "used_up": ("Used up", "已消耗"),
        "due_on": ("Due", "到期"),
        "due_since": ("since {}", "自 {} 起"),
        "goes_by": ("Goes by", "依据"),
        "not_yet": ("not yet", "未到期"),
        "weekly": ("{} km a week", "每周 {} 公里"),
        "looked_at": ("as of {}", "截至 {}"),
        "put_off": ("Put off for two weeks", "推迟两周"),
        "decline": ("Decline", "拒绝"),
        "no_care": ("No care is known of this vehicle yet", "暂无保养信息"),
        "no_care_do": (
            "“pitcall serve” looks at every vehicle with a known powertrain at night; days of use come from its drives.",
            "pitcall serve 每晚检查已知动力类型的车辆，使用数据来自其行程。",
        ),
        "no_reminders": ("Nothing is due", "没有到期的保养项目"),
        "open_alerts": ("Open alerts", "未恢复的告警"),
        "nothing_wrong": ("Nothing is wrong.", "没有异常。"),
        "ended_reminders": ("Ended reminders", "已结束的提醒"),
        "time_basis": ("Alert times are the vehicle's, in UTC.", "告警时间为车辆时间（UTC）。"),
    }
)

NEXT_ACTIONS = _texts(
    {
        "call_owner": ("Call the owner: stop safely. Nobody has been sent yet.", "致电车主安全停车，尚未安排救援。"),
        "find_dealer": ("No dealer can take it: find one by hand.", "无经销商可承接，请人工指派。"),
        "ask_owner": ("The order waits for the owner: get the owner's word.", "工单待车主确认，请联系车主。"),
        "await_dispatch": ("A dealer is being asked.", "正在派单。"),
        "await_answer": ("Wait for the dealer's answer.", "等待经销商接单。"),
        "call_dealer": ("Call the dealer: no answer in time.", "致电经销商：超时未响应。"),
        "confirm_stopped": ("Help is arranged: confirm that the car has stopped.", "已安排救助，请确认车辆已停。"),
        "await_arrival": ("Rescue is on its way.", "救援正在途中。"),
        "being_helped": ("In good hands: follow the order.", "正在处理，跟进工单即可。"),
        "follow_up": ("The order has ended, the alert has not: call the owner.", "工单已结束而告警未恢复，请联系车主。"),
    }
)

STUCK_REASONS = _texts(
    {
        "awaits_owner": ("the owner has not agreed", "车主尚未确认"),
        "review": ("to be looked at first", "待人工核实"),
        "no_dealer": ("no dealer is able", "无可承接经销商"),
        "not_offered": ("offer has not gone out", "派单未送达"),
        "not_accepted": ("dealer does not answer", "经销商未响应"),
        "not_booked": ("accepted, no date", "已接单未预约"),
        "no_show": ("car did not come", "车辆未到店"),
        "on_hold": ("on hold", "维修暂停"),
        "not_come": ("nobody says whether it came", "到店情况未反馈"),
        "not_quoted": ("not quoted", "尚未报价"),
        "not_signed": ("quote not signed off", "报价未确认"),
        "not_repaired": ("repair takes too long", "维修超时"),
        "not_collected": ("ready, not handed over", "待交车"),
        "not_helped": ("help does not move on", "救援无进展"),
    }
)

ESCALATIONS = _texts(
    {
        "remind_dealer": ("dealer reminded", "已提醒经销商"),
        "call_owner": ("call to the owner asked for", "已安排致电车主"),
        "tell_operations": ("operations told", "已通知运营"),
        "next_dealer": ("next dealer asked", "已改派"),
        "give_up": ("handed to a person", "已转人工"),
    }
)
