"""UDS answers that tell trouble codes (ISO 14229-1, service 19), and clears (service 14)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from domain.trouble_codes import NOT_AVAILABLE, CodeList, DataRecord, FreezeValue, Monitors, TroubleCode
from ingest.diagnostics.obd import spelt
from ingest.diagnostics.tables import DataIdentifier

READ_REQUEST, CLEAR_REQUEST = 0x19, 0x14
READ_ANSWER, CLEAR_ANSWER, NEGATIVE_ANSWER = 0x59, 0x54, 0x7F
RESPONSE_PENDING = 0x78
ALL_CODES = 0xFFFFFF
_LETTER_GROUPS = (0x000000, 0x400000, 0x800000, 0xC00000)
"""Powertrain, chassis, body, network."""
_FIRST_GROUP = 0xFFFF00
"""Groups of functions, of emission-related codes, of all codes."""

MALFORMED = "uds_answer_malformed"

J2012_FORMATS = (0, 4)
"""Format identifiers whose third byte is a failure type of SAE J2012-DA."""
ISO_14229_FORMAT, J1939_FORMAT = 1, 2
COUNT_REPORTS, MASK_REPORTS, SEVERITY_REPORTS = (0x01, 0x07), (0x02, 0x0A, 0x15), (0x08, 0x09)
SNAPSHOT_LIST, SNAPSHOT, EXTENDED_DATA, WWH_BY_MASK, WWH_PERMANENT = 0x03, 0x04, 0x06, 0x42, 0x55
KNOWN_REPORTS = frozenset(
    {*COUNT_REPORTS, *MASK_REPORTS, *SEVERITY_REPORTS, SNAPSHOT_LIST, SNAPSHOT, EXTENDED_DATA, WWH_BY_MASK, WWH_PERMANENT}
)
_KINDS = {
    0x0A: CodeList.UDS_SUPPORTED,
    0x15: CodeList.PERMANENT,
    SNAPSHOT_LIST: CodeList.SNAPSHOT,
    SNAPSHOT: CodeList.SNAPSHOT,
    EXTENDED_DATA: CodeList.EXTENDED_DATA,
    WWH_PERMANENT: CodeList.PERMANENT,
}
_VIN = re.compile(rb"(?=[0-9A-HJ-NPR-Z]*[0-9])[A-HJ-NPR-Z0-9]{17}")

Identifiers = Mapping[int, DataIdentifier]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A whole answer to service 19. `complete`: it lists every code that the request asked for."""

    kind: CodeList
    codes: tuple[TroubleCode, ...] = ()
    complete: bool = False
    availability: int = NOT_AVAILABLE
    code_format: int = NOT_AVAILABLE
    monitors: Monitors | None = None
    records: tuple[DataRecord, ...] = ()
    freeze: tuple[FreezeValue, ...] = field(default=())


def read_answer(payload: bytes, code_format: int, identifiers: Identifiers, anomalies: Counter[str]) -> Answer | None:
    """The answer `59 …`; None where its report is not among `KNOWN_REPORTS` or (counted) it is cut off.

    Args:
        payload: the whole message.
        code_format: the ECU's format identifier where an earlier answer told it, 0 (SAE J2012) where none did.
        identifiers: the data identifiers whose length is known, to take snapshots apart.
        anomalies: counts of what was odd.
    """
    report = payload[1] if len(payload) > 1 else -1
    if report not in KNOWN_REPORTS:
        anomalies[MALFORMED] += report < 0
        return None
    try:
        if report in COUNT_REPORTS:
            return _count(payload)
        if report == SNAPSHOT_LIST:
            return _snapshot_list(payload, code_format, anomalies)
        if report in (SNAPSHOT, EXTENDED_DATA):
            return _of_one_code(payload, code_format, identifiers)
        return _list(payload, report, code_format, anomalies)
    except IndexError:
        anomalies[MALFORMED] += 1
        return None


def trouble_code(raw: bytes, code_format: int, status: int = 0, severity: int = -1, unit: int = -1) -> TroubleCode:
    """The code in three bytes; only the format tells what the third one means."""
    if code_format == J1939_FORMAT:
        spn, fmi = raw[0] | raw[1] << 8 | (raw[2] & 0xE0) << 11, raw[2] & 0x1F
        name, failure_type = f"SPN{spn}/FMI{fmi}", NOT_AVAILABLE
    else:
        spn = fmi = NOT_AVAILABLE
        is_spelt = code_format in (*J2012_FORMATS, ISO_14229_FORMAT)
        name = spelt(raw) if is_spelt else raw.hex().upper()
        failure_type = raw[2] if code_format in J2012_FORMATS else NOT_AVAILABLE
    return TroubleCode(
        code=name,
        spn=spn,
        fmi=fmi,
        failure_type=failure_type,
        status=status,
        raw=raw,
        severity=severity,
        functional_unit=unit,
    )


def cleared_codes(group: int, code_format: int) -> tuple[TroubleCode, ...]:
    """The single code that a clear of this group names; none where it is a group of codes (ISO 14229-1, annex D)."""
    if group in _LETTER_GROUPS or group >= _FIRST_GROUP:
        return ()
    return (trouble_code(group.to_bytes(3, "big"), code_format),)


def _count(payload: bytes) -> Answer:
    number = payload[4] << 8 | payload[5]
    return Answer(kind=CodeList.STATUS, availability=payload[2], code_format=payload[3], monitors=Monitors(code_count=number))


def _list(payload: bytes, report: int, code_format: int, anomalies: Counter[str]) -> Answer:
    """Rows of codes after a head that differs by report."""
    told_format = NOT_AVAILABLE
    if report == WWH_BY_MASK:
        availability, told_format, start, width = payload[3], payload[5], 6, 5
    elif report == WWH_PERMANENT:
        availability, told_format, start, width = payload[3], payload[4], 5, 4
    else:
        availability, start = payload[2], 3
        width = 6 if report in SEVERITY_REPORTS else 4
    form = code_format if told_format == NOT_AVAILABLE else told_format
    whole = (len(payload) - start) % width == 0
    anomalies[MALFORMED] += not whole
    rows = [payload[at : at + width] for at in range(start, len(payload) - width + 1, width)]
    return Answer(
        kind=_KINDS.get(report, CodeList.UDS_BY_STATUS),
        codes=tuple(_listed(row, form, availability) for row in rows if any(row[-4:-1])),
        complete=whole and report not in SEVERITY_REPORTS,
        availability=availability,
        code_format=told_format,
    )


def _listed(row: bytes, code_format: int, availability: int) -> TroubleCode:
    """A row `[severity [functional unit]] code status`; status bits that the ECU does not support mean nothing."""
    severity = row[0] if len(row) > 4 else NOT_AVAILABLE
    unit = row[1] if len(row) > 5 else NOT_AVAILABLE
    return trouble_code(row[-4:-1], code_format, row[-1] & availability, severity, unit)


def _snapshot_list(payload: bytes, code_format: int, anomalies: Counter[str]) -> Answer:
    rows = [payload[at : at + 4] for at in range(2, len(payload) - 3, 4)]
    anomalies[MALFORMED] += (len(payload) - 2) % 4 != 0
    codes = {row[:3]: trouble_code(row[:3], code_format) for row in rows}
    return Answer(
        kind=CodeList.SNAPSHOT,
        codes=tuple(codes.values()),
        records=tuple(DataRecord(number=row[3], data=row[:3]) for row in rows),
    )


def _of_one_code(payload: bytes, code_format: int, identifiers: Identifiers) -> Answer:
    status = payload[5]
    code = trouble_code(payload[2:5], code_format, status)
    rest = payload[6:]
    is_snapshot = payload[1] == SNAPSHOT
    if is_snapshot:
        records = tuple(_snapshots(rest, identifiers))
    else:
        records = (DataRecord(number=rest[0], data=rest[1:]),) if rest else ()
    return Answer(kind=CodeList.SNAPSHOT if is_snapshot else CodeList.EXTENDED_DATA, codes=(code,), records=records)


def _snapshots(rest: bytes, identifiers: Identifiers) -> Iterator[DataRecord]:
    """Records `number, count, (identifier, data)…`; the first identifier of unknown length ends what can be taken apart."""
    at = 0
    while at + 1 < len(rest):
        number, count = rest[at], rest[at + 1]
        at += 2
        for _ in range(count):
            head = rest[at : at + 2]
            did = int.from_bytes(head, "big") if len(head) == 2 else NOT_AVAILABLE
            known = identifiers.get(did)
            if known is None or len(rest) < at + 2 + known.length:
                yield DataRecord(number=number, data=without_vin(rest[at:]))
                return
            yield DataRecord(number=number, identifier=did, data=without_vin(rest[at + 2 : at + 2 + known.length]))
            at += 2 + known.length


def without_vin(data: bytes) -> bytes:
    """The same bytes, with what looks like a VIN masked."""
    return _VIN.sub(b"*" * 17, data)
