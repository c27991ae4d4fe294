"""Texts and evidence of trouble-code findings, in English and Chinese."""

from __future__ import annotations

from domain.codes import CodeInfo
from domain.findings import Evidence, Finding, Source, SourceKind, Text, Transition
from domain.trouble_codes import NOT_AVAILABLE, DtcReport, Lamps, Protocol, TroubleCode
from rules.code_level import ON, Level

_STANDING_ZH = {"active": "当前", "stored": "已存储", "pending": "待定", "permanent": "永久", "history": "历史"}
_LAMPS = {
    "red_stop": Text(en="red stop lamp", zh="红色停车灯"),
    "protect": Text(en="protect lamp", zh="保护灯"),
    "amber_warning": Text(en="amber warning lamp", zh="黄色警告灯"),
    "malfunction": Text(en="malfunction lamp", zh="故障指示灯"),
}


def code_finding(
    *,
    vehicle: str,
    source_id: str,
    transition: Transition,
    time_ns: int,
    info: CodeInfo,
    level: Level,
    standing: str,
    report: DtcReport | None = None,
    code: TroubleCode | None = None,
) -> Finding:
    """A finding about one trouble code. `report` and `code`: what was told, None where the code was only missed."""
    return Finding(
        vehicle=vehicle,
        source=Source(kind=SourceKind.DTC, id=source_id),
        transition=transition,
        time_ns=time_ns,
        group_key=info.group_key,
        severity=level.severity,
        urgency=level.urgency,
        title=Text(en=f"Trouble code {info.code}: {info.title.en}", zh=f"故障码 {info.code}：{info.title.zh}"),
        explanation=_explanation(info, transition, standing, report),
        evidence=_evidence(info.code, standing, report, code),
        codes=(info.code,),
    )


def _explanation(info: CodeInfo, transition: Transition, standing: str, report: DtcReport | None) -> Text:
    code = info.code
    if transition is Transition.CLEARED:
        return Text(en=f"{code} ({info.title.en}) is no longer reported.", zh=f"控制单元不再报告 {code}（{info.title.zh}）。")
    if report is None:
        return Text(
            en=f"{code} ({info.title.en}) is now only reported as {standing}.",
            zh=f"{code}（{info.title.zh}）目前仅作为{_STANDING_ZH[standing]}故障码报告。",
        )
    ecu = _ecu(report)
    lamps = lamps_on(report.lamps)
    shown_en = f" The {' and '.join(_LAMPS[lamp].en for lamp in lamps)} of this control unit is on." if lamps else ""
    shown_zh = f"该控制单元的{'、'.join(_LAMPS[lamp].zh for lamp in lamps)}点亮。" if lamps else ""
    frozen_en = " It has stored the conditions at that moment (freeze frame)." if report.freeze else ""
    frozen_zh = "并保存了故障发生时的冻结帧数据。" if report.freeze else ""
    return Text(
        en=f"Control unit {ecu} reports {code} ({info.title.en}) as {standing}.{shown_en}{frozen_en}",
        zh=f"控制单元 {ecu} 报告{_STANDING_ZH[standing]}故障码 {code}（{info.title.zh}）。{shown_zh}{frozen_zh}",
    )


def _ecu(report: DtcReport) -> str:
    """An ECU as its protocol names it: a J1939 address in decimal, a CAN identifier in hexadecimal, the terminal of GB/T 32960."""
    if report.protocol is Protocol.GBT32960:
        return "GB/T 32960"
    return str(report.source) if report.protocol is Protocol.J1939 else f"{report.source & 0x1FFF_FFFF:X}"


FLASHING = (0, 1)
"""Flash states slow and fast (SAE J1939-73); they mean nothing while the lamp is off."""


def lamps_on(lamps: Lamps | None) -> tuple[str, ...]:
    """Names of the lamps that are on, the gravest first."""
    return () if lamps is None else tuple(name for name in _LAMPS if getattr(lamps, name) == ON)


def _evidence(name: str, standing: str, report: DtcReport | None, code: TroubleCode | None) -> tuple[Evidence, ...]:
    if report is None or code is None:
        return (Evidence(kind="dtc", signal=name, note=standing or "absent"),)
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
            note=f"{standing}, control unit {_ecu(report)}",
        )
    ]
    for lamp in lamps_on(report.lamps):
        flashing = getattr(report.lamps, f"{lamp}_flash") in FLASHING
        items.append(Evidence(kind="lamp", signal=lamp, value=1.0, note="flashing" if flashing else "on"))
    items += [Evidence(kind="freeze_frame", signal=v.signal, value=v.value, unit=v.unit) for v in report.freeze]
    return tuple(items)
