"""Texts and evidence of trouble-code findings, in English and Chinese."""

from __future__ import annotations

from collections.abc import Sequence

from domain.code_state import CodeState
from domain.codes import CodeInfo
from domain.findings import Evidence, Finding, Source, SourceKind, Text, Transition
from domain.trouble_codes import NOT_AVAILABLE, DtcReport, Lamps, Protocol, TroubleCode
from rules.code_level import ON, RED_STOP_LAMP, Level, is_flashing

_STATES = {
    CodeState.ACTIVE: Text(en="active", zh="当前"),
    CodeState.CONFIRMED: Text(en="stored", zh="已存储"),
    CodeState.PENDING: Text(en="pending", zh="待定"),
    CodeState.PERMANENT: Text(en="permanent", zh="永久"),
    CodeState.HISTORY: Text(en="history", zh="历史"),
    CodeState.CLEARED_UNVERIFIED: Text(en="cleared but not verified", zh="已清除待验证"),
}
_LAMPS = {
    "red_stop": Text(en="red stop lamp", zh="红色停车灯"),
    "protect": Text(en="protect lamp", zh="保护灯"),
    "amber_warning": Text(en="amber warning lamp", zh="黄色警告灯"),
    "malfunction": Text(en="malfunction lamp", zh="故障指示灯"),
}

_SEVERITY_WORDS = ((0x80, "check at once"), (0x40, "check at next halt"), (0x20, "maintenance only"))
"""Bits of the severity byte (ISO 14229-1), the gravest first."""


def code_finding(
    *,
    vehicle: str,
    source_id: str,
    transition: Transition,
    time_ns: int,
    info: CodeInfo,
    level: Level,
    state: CodeState | None,
    report: DtcReport | None = None,
    code: TroubleCode | None = None,
    tested: Sequence[str] = (),
) -> Finding:
    """A finding about one trouble code, or about the red stop lamp where an ECU names none.

    `report` and `code`: what was told, None where the code was only missed. `state`: how the code is held now, None where
    it is not. `tested`: codes and self-tests of this ECU that have run to their end without a fault.
    """
    is_lamp = info is RED_STOP_LAMP
    named = Text(en=f"Trouble code {info.code}: {info.title.en}", zh=f"故障码 {info.code}：{info.title.zh}")
    return Finding(
        vehicle=vehicle,
        source=Source(kind=SourceKind.DTC, id=source_id),
        transition=transition,
        time_ns=time_ns,
        group_key=info.group_key,
        severity=level.severity,
        urgency=level.urgency,
        title=info.title if is_lamp else named,
        explanation=_lamp_explanation(transition, report) if is_lamp else _explanation(info, transition, state, report, code),
        evidence=_evidence(info.code, state, report, code, tested),
        codes=() if is_lamp else (info.code,),
    )


def _lamp_explanation(transition: Transition, report: DtcReport | None) -> Text:
    if transition is Transition.CLEARED or report is None:
        return Text(en="The red stop lamp is off, or has a trouble code now.", zh="红色停车灯已熄灭，或已有对应故障码。")
    ecu = _ecu(report)
    return Text(
        en=f"Control unit {ecu} lights the red stop lamp and reports no trouble code.",
        zh=f"控制单元 {ecu} 点亮红色停车灯，但未报告故障码。",
    )


def _explanation(
    info: CodeInfo, transition: Transition, state: CodeState | None, report: DtcReport | None, reported: TroubleCode | None
) -> Text:
    code = info.code
    if transition is Transition.CLEARED or state is None:
        return Text(en=f"{code} ({info.title.en}) is no longer reported.", zh=f"控制单元不再报告 {code}（{info.title.zh}）。")
    if state is CodeState.CLEARED_UNVERIFIED:
        return Text(
            en=f"{code} ({info.title.en}) was cleared; the self-test that would find it again has not finished since.",
            zh=f"{code}（{info.title.zh}）已被清除，但相应的自检尚未完成，故障是否排除未经验证。",
        )
    words = _STATES[state]
    if report is None:
        return Text(
            en=f"{code} ({info.title.en}) is now only reported as {words.en}.",
            zh=f"{code}（{info.title.zh}）目前仅作为{words.zh}故障码报告。",
        )
    ecu = _ecu(report)
    lamps = lamps_on(report.lamps)
    shown_en = f" The {' and '.join(_LAMPS[lamp].en for lamp in lamps)} of this control unit is on." if lamps else ""
    shown_zh = f"该控制单元的{'、'.join(_LAMPS[lamp].zh for lamp in lamps)}点亮。" if lamps else ""
    frozen_en = " It has stored the conditions at that moment (freeze frame)." if report.freeze else ""
    frozen_zh = "并保存了故障发生时的冻结帧数据。" if report.freeze else ""
    unsure = reported is not None and reported.is_spn_assumed
    unsure_en = " It numbers its parameters in an older way, so the parameter may be another one." if unsure else ""
    unsure_zh = "该控制单元采用旧的参数编号方式，参数可能有误。" if unsure else ""
    return Text(
        en=f"Control unit {ecu} reports {code} ({info.title.en}) as {words.en}.{shown_en}{frozen_en}{unsure_en}",
        zh=f"控制单元 {ecu} 报告{words.zh}故障码 {code}（{info.title.zh}）。{shown_zh}{frozen_zh}{unsure_zh}",
    )


def _ecu(report: DtcReport) -> str:
    """An ECU as its protocol names it: a J1939 address in decimal, a CAN identifier in hexadecimal, the terminal of GB/T 32960."""
    if report.protocol is Protocol.GBT32960:
        return "GB/T 32960"
    return str(report.source) if report.protocol is Protocol.J1939 else f"{report.source & 0x1FFF_FFFF:X}"


def lamps_on(lamps: Lamps | None) -> tuple[str, ...]:
    """Names of the lamps that are on, the gravest first."""
    return () if lamps is None else tuple(name for name in _LAMPS if getattr(lamps, name) == ON)


def _evidence(
    name: str, state: CodeState | None, report: DtcReport | None, code: TroubleCode | None, tested: Sequence[str]
) -> tuple[Evidence, ...]:
    word = "absent" if state is None else _note_word(state)
    if report is None or code is None:
        return (Evidence(kind="dtc", signal=name, note=word),)
    count = float(code.occurrence) if code.occurrence not in (NOT_AVAILABLE, 127) else None
    at = report.time_ns
    items = [
        Evidence(
            kind="dtc",
            signal=name,
            value=count,
            unit="occurrences" if count is not None else "",
            window_start_ns=at,
            window_end_ns=at,
            note=f"{word}, control unit {_ecu(report)}{', parameter number not certain' if code.is_spn_assumed else ''}",
        )
    ]
    for lamp in lamps_on(report.lamps):
        flashing = report.lamps is not None and is_flashing(report.lamps, lamp)
        items.append(Evidence(kind="lamp", signal=lamp, value=1.0, note="flashing" if flashing else "on"))
    if code.severity > 0:
        items.append(Evidence(kind="severity", signal=name, value=float(code.severity), note=_severity_words(code.severity)))
    if code.level > 0:
        items.append(Evidence(kind="alarm_level", signal=name, value=float(code.level)))
    if tested:
        items.append(Evidence(kind="tested", signal=_ecu(report), note=", ".join(tested)))
    items += [Evidence(kind="freeze_frame", signal=v.signal, value=v.value, unit=v.unit) for v in report.freeze]
    return tuple(items)


def _severity_words(byte: int) -> str:
    return next((words for mask, words in _SEVERITY_WORDS if byte & mask), "class only")


def _note_word(state: CodeState) -> str:
    """The first word of a note, by which others tell how firmly the code is held."""
    return "stored" if state is CodeState.CONFIRMED else state.value
