"""OBD-II answers on CAN: code lists, status, tests, identification (SAE J1979, SAE J2012 code format)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from domain.trouble_codes import CodeList, Monitors, MonitorTest, StatusBit, TroubleCode
from ingest.diagnostics.tables import read_monitors, scalings

STATUS_ANSWER, FREEZE_FRAME_ANSWER, CLEAR_ANSWER = 0x41, 0x42, 0x44
TEST_ANSWER, IDENTIFICATION_ANSWER, NEGATIVE_ANSWER = 0x46, 0x49, 0x7F
LISTS = {
    0x43: (CodeList.STORED, StatusBit.CONFIRMED),
    0x47: (CodeList.PENDING, StatusBit.PENDING),
    0x4A: (CodeList.PERMANENT, StatusBit.CONFIRMED),
}
"""Answering service byte -> list and what it says of each code."""
REQUESTS = frozenset({0x02, 0x03, 0x07, 0x0A})
"""Services whose negative answers are counted."""
VIN_TYPE = 0x02

TRUNCATED = "obd_code_list_truncated"
LENGTH_MISMATCH = "obd_code_list_length_mismatch"
MALFORMED = "obd_answer_malformed"
NEGATIVE = "obd_negative_answer"
UNKNOWN_SCALING = "obd_test_unknown_scaling"

_STATUS_FIELDS = {
    0x21: (2, "distance_with_lamp_km"),
    0x30: (1, "warm_ups_since_clear"),
    0x31: (2, "distance_since_clear_km"),
    0x4D: (2, "minutes_with_lamp"),
    0x4E: (2, "minutes_since_clear"),
}
"""PID -> data bytes, field of `Monitors`."""
STATUS_PIDS = frozenset({0x01, *_STATUS_FIELDS})
_TEST_BYTES = 9
_VIN_BYTES = 17
_MAKER_LETTERS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeListAnswer:
    """One answer to service 03, 07 or 0A. `complete` is False where fewer codes came than announced."""

    kind: CodeList
    complete: bool
    codes: tuple[TroubleCode, ...]


def trouble_code(pair: bytes, status: StatusBit) -> TroubleCode:
    """The code in two bytes: letter and first digit in the top nibble, then three hexadecimal digits."""
    return TroubleCode(code=spelt(pair), status=int(status), raw=pair)


def spelt(pair: bytes) -> str:
    """Two bytes as "P0301" (SAE J2012)."""
    return f"{'PCBU'[pair[0] >> 6]}{pair[0] >> 4 & 3}{pair[0] & 15:X}{pair[1]:02X}"


def code_list(payload: bytes, anomalies: Counter[str]) -> CodeListAnswer | None:
    """The list in a whole answer `4x N code…`, N codes of two bytes; what follows them is padding and no code.

    0000 is an empty place. None (counted) where even the count is missing.
    """
    kind, status = LISTS[payload[0]]
    if len(payload) < 2:
        anomalies[MALFORMED] += 1
        return None
    end = 2 + 2 * payload[1]
    if len(payload) != end:
        anomalies[TRUNCATED if len(payload) < end else LENGTH_MISMATCH] += 1
    pairs = [payload[at : at + 2] for at in range(2, min(end, len(payload) - 1), 2)]
    return CodeListAnswer(
        kind=kind,
        complete=len(payload) >= end,
        codes=tuple(trouble_code(pair, status) for pair in pairs if any(pair)),
    )


def uncounted_code_list(payload: bytes) -> CodeListAnswer:
    """The list in an answer of K-line or J1850, `4x` and places of two bytes without a count; 0000 is an empty place.

    Such an answer holds at most three codes and more come in further answers, so absence from one means nothing.
    """
    kind, status = LISTS[payload[0]]
    pairs = [payload[at : at + 2] for at in range(1, len(payload) - 1, 2)]
    return CodeListAnswer(kind=kind, complete=False, codes=tuple(trouble_code(p, status) for p in pairs if any(p)))


def status(payload: bytes, anomalies: Counter[str]) -> Monitors | None:
    """What a whole answer `41 (PID data)…` tells of self-tests and clears; None where its first PID is another one.

    Reading ends at the first PID that is not among them, as its length is not known here.
    """
    told: Monitors | None = None
    at = 1
    while at < len(payload) and payload[at] in STATUS_PIDS:
        pid = payload[at]
        size, name = _STATUS_FIELDS.get(pid, (4, ""))
        data = payload[at + 1 : at + 1 + size]
        if len(data) < size:
            anomalies[MALFORMED] += 1
            break
        if pid == 0x01:
            told = _monitor_status(data, told or Monitors())
        else:
            told = _with_number(told or Monitors(), name, int.from_bytes(data, "big"))
        at += 1 + size
    return told


def _monitor_status(data: bytes, told: Monitors) -> Monitors:
    engine = "obd_compression" if data[1] & 0x08 else "obd_spark"
    known = read_monitors(data, "obd", engine)
    return replace(told, lamp_on=data[0] >> 7, code_count=data[0] & 0x7F, complete=known.complete, incomplete=known.incomplete)


def _with_number(told: Monitors, name: str, value: int) -> Monitors:
    number: dict[str, Any] = {name: value}
    return replace(told, **number)


def tests(payload: bytes, anomalies: Counter[str]) -> tuple[MonitorTest, ...]:
    """The results in a whole answer `46 (monitor, test, scaling, value, minimum, maximum)…`; bitmaps of monitors are left out."""
    return tuple(_tests(payload, anomalies))


def _tests(payload: bytes, anomalies: Counter[str]) -> Iterator[MonitorTest]:
    at = 1
    while at < len(payload):
        if payload[at] % 0x20 == 0:
            at += 5
            continue
        row = payload[at : at + _TEST_BYTES]
        if len(row) < _TEST_BYTES:
            anomalies[MALFORMED] += 1
            return
        scaling = scalings().get(row[2])
        numbers = [row[3:5], row[5:7], row[7:9]]
        if scaling is None:
            anomalies[UNKNOWN_SCALING] += 1
            value, minimum, maximum = (float(int.from_bytes(n, "big")) for n in numbers)
        else:
            value, minimum, maximum = (scaling.value(n) for n in numbers)
        unit = "" if scaling is None else scaling.unit
        yield MonitorTest(monitor=row[0], test=row[1], value=value, minimum=minimum, maximum=maximum, unit=unit)
        at += _TEST_BYTES


def masked_vin(payload: bytes, anomalies: Counter[str]) -> str | None:
    """The VIN in a whole answer `49 02 01 VIN`, all but the maker's three letters masked; None (counted) where it is none."""
    letters = payload[3 : 3 + _VIN_BYTES]
    if len(letters) < _VIN_BYTES or not letters.isalnum():
        anomalies[MALFORMED] += 1
        return None
    return letters[:_MAKER_LETTERS].decode("ascii") + "*" * (_VIN_BYTES - _MAKER_LETTERS)
