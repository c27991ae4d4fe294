"""Alarms and fault lists of packets -> trouble-code reports.

GB/T 32960 alarm flags become the codes "GB0" … "GB27"; the numbers in the four fault lists, which are the maker's, become "GBB-0000000A"
(energy storage), "GBM-…" (motor), "GBE-…" (engine) and "GBO-…" (others). The report is complete, so that a flag or fault that is gone
clears its code, unless a number of faults is told as abnormal. A flag's level is its own where it is told (2025), else the packet's
highest; a fault's level is the packet's highest where no flag is set that it could belong to.

A truck's list (HJ 1239) holds codes of the protocol that the vehicle speaks: SPN and FMI, or letter codes.
"""

from __future__ import annotations

from collections import Counter
from functools import cache

from domain.trouble_codes import NOT_AVAILABLE, CodeList, DtcReport, Protocol, TroubleCode
from ingest.gbt32960.decode import walk_packet
from ingest.gbt32960.layout import Part, dialects
from ingest.gbt32960.rows import BUS, TRUCK_BUS
from ingest.gbt32960.walk import Codes, Finds

FAULT_PREFIXES = {"BatteryFaults": "GBB", "MotorFaults": "GBM", "EngineFaults": "GBE", "OtherFaults": "GBO"}
KNOWN_FLAGS = {"2016": 19, "2025": 28}
HIGHEST_LEVEL = 4
RESERVED_FLAGS = "reserved_alarm_flags"
FLAGS_NOT_VALID = "alarm_flags_not_valid"
EMPTY_CODE = "empty_code"
_ALL_FLAGS = 0xFFFF_FFFF
_LETTERS = "PCBU"
_J1939, _ISO_27145 = 2, 1


def alarm_reports(data: bytes, time_ns: int, vehicle: int, row: int, anomalies: Counter[str]) -> list[DtcReport]:
    """The reports of one packet on the bus "gbt32960"; none where it has no alarm unit. Oddities are counted."""
    return _reports(data, BUS, time_ns, vehicle, row, anomalies)


def truck_reports(data: bytes, time_ns: int, vehicle: int, row: int, anomalies: Counter[str]) -> list[DtcReport]:
    """The reports of one packet on the bus "hj1239"; none where it has no OBD unit. Oddities are counted."""
    return _reports(data, TRUCK_BUS, time_ns, vehicle, row, anomalies)


PACKET_CODES = {BUS: alarm_reports, TRUCK_BUS: truck_reports}
"""Name of a protocol (the bus of `domain.frames.FrameFlag.PACKET` rows) -> what reads its packets."""


def _reports(data: bytes, bus: str, time_ns: int, vehicle: int, row: int, anomalies: Counter[str]) -> list[DtcReport]:
    found = walk_packet(data, bus)
    if found is None:
        return []
    read = _truck_lists if found.dialect.name == "hj1239" else _alarms
    return [
        DtcReport(
            time_ns=time_ns,
            vehicle=vehicle,
            bus=bus,
            source=0,
            protocol=protocol,
            kind=CodeList.ACTIVE,
            complete=complete,
            codes=codes,
            frame=row,
            message=message,
        )
        for protocol, codes, complete, message in read(data, found, anomalies)
    ]


_Told = tuple[Protocol, tuple[TroubleCode, ...], bool, str]
"""(protocol, codes, whether they are all, words)."""


def _alarms(data: bytes, found: Finds, anomalies: Counter[str]) -> list[_Told]:
    part = _part(found.dialect.name, ".Alarm")
    told: list[_Told] = []
    for at in found.part_at[part.index]:
        lists = [codes for codes in found.codes if at < codes.at][: len(FAULT_PREFIXES) + 1]
        complete = all(codes.count >= 0 for codes in lists) and len(lists) >= len(FAULT_PREFIXES)
        level = data[at] if data[at] <= HIGHEST_LEVEL else NOT_AVAILABLE
        raw = data[at + 1 : at + part.size]
        flags = int.from_bytes(raw, "big")
        if flags == _ALL_FLAGS:
            anomalies[FLAGS_NOT_VALID] += 1
            flags, complete = 0, False
        codes = [*_flags(flags, raw, found.dialect.name, level, _own_levels(data, lists), anomalies)] if flags else []
        codes += _faults(data, lists, NOT_AVAILABLE if flags else level)
        told.append((Protocol.GBT32960, tuple(codes), complete, "alarm"))
    return told


@cache
def _part(dialect: str, ending: str) -> Part:
    return next(part for part in dialects()[dialect].parts if part.message.endswith(ending))


def _flags(flags: int, raw: bytes, dialect: str, level: int, own: dict[int, int], anomalies: Counter[str]) -> list[TroubleCode]:
    known = KNOWN_FLAGS[dialect]
    if flags >> known:
        anomalies[RESERVED_FLAGS] += 1
    return [TroubleCode(code=f"GB{bit}", level=own.get(bit, level), raw=raw) for bit in range(known) if flags >> bit & 1]


def _own_levels(data: bytes, lists: list[Codes]) -> dict[int, int]:
    """Alarm bit -> level, where a packet of the 2025 edition tells them."""
    pairs = next((codes for codes in lists if codes.section.kind == "levels"), None)
    if pairs is None or pairs.count <= 0:
        return {}
    told = data[pairs.at : pairs.at + 2 * pairs.count]
    return {bit: level for bit, level in zip(told[::2], told[1::2], strict=True) if level <= HIGHEST_LEVEL}


def _faults(data: bytes, lists: list[Codes], level: int) -> list[TroubleCode]:
    return [
        TroubleCode(code=f"{FAULT_PREFIXES[codes.section.name]}-{raw.hex().upper()}", level=level, raw=raw)
        for codes in lists
        if codes.count > 0 and codes.section.name in FAULT_PREFIXES
        for raw in _raw_codes(data, codes)
    ]


def _raw_codes(data: bytes, codes: Codes) -> list[bytes]:
    end = codes.at + 4 * max(codes.count, 0)
    return [data[start : start + 4] for start in range(codes.at, end, 4)]


def _truck_lists(data: bytes, found: Finds, anomalies: Counter[str]) -> list[_Told]:
    part = _part(found.dialect.name, ".Obd")
    told: list[_Told] = []
    for codes in found.codes:
        kind = data[codes.at - codes.section.count_bytes - part.size]
        listed = [_truck_code(raw, kind) for raw in _raw_codes(data, codes)]
        if None in listed:
            anomalies[EMPTY_CODE] += listed.count(None)
        protocol = {_J1939: Protocol.J1939, _ISO_27145: Protocol.UDS}.get(kind, Protocol.OBD)
        told.append((protocol, tuple(code for code in listed if code is not None), codes.count >= 0, "remote OBD"))
    return told


def _truck_code(raw: bytes, kind: int) -> TroubleCode | None:
    """One code as its protocol packs it into 4 bytes; None for an empty one.

    SAE J1939-73: as in DM1. ISO 27145: three bytes and the status. ISO 15765: two bytes, at the begin or (others do it so) at the end.
    """
    if raw in (b"\0\0\0\0", b"\xff\xff\xff\xff"):
        return None
    if kind == _J1939:
        spn = raw[0] | raw[1] << 8 | (raw[2] >> 5) << 16
        return TroubleCode(
            code=f"SPN{spn}/FMI{raw[2] & 31}",
            spn=spn,
            fmi=raw[2] & 31,
            occurrence=raw[3] & 127,
            conversion=raw[3] >> 7,
            raw=raw,
            is_spn_assumed=raw[3] > 127,
        )
    high, low = raw[2:] if raw[:2] == b"\0\0" and kind != _ISO_27145 else raw[:2]
    code = f"{_LETTERS[high >> 6]}{high >> 4 & 3}{high & 15:X}{low:02X}"
    if kind == _ISO_27145:
        return TroubleCode(code=code, failure_type=raw[2], status=raw[3], raw=raw)
    return TroubleCode(code=code, raw=raw)
