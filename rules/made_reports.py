"""The reports of ECUs that a rule test asks for, made from the spans of time that it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from domain.trouble_codes import (
    CodeList,
    DtcBatch,
    DtcReport,
    FreezeValue,
    Lamps,
    Monitors,
    Protocol,
    StatusBit,
    TroubleCode,
    dtc_batch,
)
from rules.report_words import LAMPS, STATUSES

ECU, TRUCK_ECU = 0x7E8, 0x00
Spans = tuple[tuple[int, int], ...]
"""(start, end) in ns, the end excluded."""

_OBD_LISTS = {"": CodeList.STORED, "confirmed": CodeList.STORED, "pending": CodeList.PENDING, "permanent": CodeList.PERMANENT}
_BITS = {"active": StatusBit.TEST_FAILED, "history": StatusBit.CONFIRMED}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCourse:
    """What ECUs report over a test.

    Attributes:
        codes: (code, status word or "") -> when it is listed. silent: when no list of codes comes. lamps: lamp -> when it is lit. monitors: name -> when it has finished.
        freeze: (code, VSS path) -> value, told at the begin.
    """

    codes: Mapping[tuple[str, str], Spans]
    silent: Spans
    lamps: Mapping[str, Spans]
    monitors: Mapping[str, Spans]
    freeze: Mapping[tuple[str, str], float]


def parse_code(text: str) -> tuple[str, str]:
    """`P0301` or `P0301 pending` as (code, status).

    Raises:
        ValueError: no such status.
    """
    code, _, status = text.strip().partition(" ")
    if status and status not in STATUSES:
        raise ValueError(f"{status!r} is no status of a code; write one of {', '.join(STATUSES)}")
    return code.upper(), status


def parse_lamp(text: str) -> str:
    """The name of a lamp.

    Raises:
        ValueError: no such lamp.
    """
    if text not in LAMPS:
        raise ValueError(f"{text!r} is no lamp; write one of {', '.join(LAMPS)}")
    return text


def made_reports(course: ReportCourse, vehicles: tuple[str, ...], end_ns: int, interval_ns: int) -> DtcBatch:
    """Every list, lamp and monitor that the course names, told whole at every interval."""
    reports: list[DtcReport] = []
    for time_ns in range(0, end_ns, interval_ns):
        if not _within(course.silent, time_ns):
            reports += _code_lists(course.codes, time_ns)
        if course.lamps:
            lit = {name: int(_within(course.lamps.get(name, ()), time_ns)) for name in LAMPS}
            reports.append(_report(time_ns, CodeList.ACTIVE, (), Protocol.J1939, lamps=Lamps(**lit)))
        if course.monitors:
            done = [name for name, spans in course.monitors.items() if _within(spans, time_ns)]
            waits = tuple(name for name in course.monitors if name not in done)
            monitors = Monitors(complete=tuple(done), incomplete=waits)
            reports.append(_report(time_ns, CodeList.STATUS, (), Protocol.OBD, monitors=monitors))
    for (code, path), value in course.freeze.items():
        frozen = FreezeValue(signal=path, value=value, unit="")
        reports.append(_report(0, CodeList.FREEZE_FRAME, (TroubleCode(code=code),), Protocol.OBD, freeze=(frozen,)))
    return dtc_batch(vehicles, reports)


def _code_lists(codes: Mapping[tuple[str, str], Spans], time_ns: int) -> Iterator[DtcReport]:
    """One complete list of each kind that any of the codes is in."""
    for kind in dict.fromkeys(_OBD_LISTS.get(status, CodeList.UDS_BY_STATUS) for _, status in codes):
        listed: dict[str, int] = {}
        for (code, status), spans in codes.items():
            if _OBD_LISTS.get(status, CodeList.UDS_BY_STATUS) is kind and _within(spans, time_ns):
                bit = 0 if kind is not CodeList.UDS_BY_STATUS else _BITS.get(status) or StatusBit[status.upper()]
                listed[code] = listed.get(code, 0) | bit
        protocol = Protocol.UDS if kind is CodeList.UDS_BY_STATUS else Protocol.OBD
        yield _report(time_ns, kind, [TroubleCode(code=code, status=bits) for code, bits in listed.items()], protocol)


def _report(
    time_ns: int,
    kind: CodeList,
    codes: Sequence[TroubleCode],
    protocol: Protocol,
    *,
    lamps: Lamps | None = None,
    monitors: Monitors | None = None,
    freeze: tuple[FreezeValue, ...] = (),
) -> DtcReport:
    return DtcReport(
        time_ns=time_ns,
        vehicle=0,
        bus="",
        source=TRUCK_ECU if protocol is Protocol.J1939 else ECU,
        protocol=protocol,
        kind=kind,
        complete=kind not in (CodeList.STATUS, CodeList.FREEZE_FRAME),
        codes=tuple(codes),
        lamps=lamps,
        monitors=monitors,
        freeze=freeze,
    )


def _within(spans: Spans, time_ns: int) -> bool:
    return any(start <= time_ns < end for start, end in spans)
