"""J1939 diagnostic messages: lamps and trouble codes, freeze frames, readiness, clears (SAE J1939-73)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from domain.trouble_codes import CodeList, FreezeValue, Lamps, Monitors, StatusBit, TroubleCode
from ingest.diagnostics.tables import Role, read_dm4_values, read_monitors

OLD_CONVERSION = "dm1_conversion_method_1"

_MIN_BYTES = 6
"""Two bytes of lamps and one code."""
_NO_SPN = 0x7FFFF
_LAMP_ON = 1
_MAX_COUNT = 250

SpnLayout = Callable[[int, int], int | None]
"""(source address, NAME or -1) -> layout version 1, 2 or 3 of an ECU's codes of conversion method 1; None where not known."""

LISTS = {
    Role.ACTIVE: (CodeList.ACTIVE, StatusBit.TEST_FAILED | StatusBit.CONFIRMED),
    Role.PREVIOUSLY_ACTIVE: (CodeList.PREVIOUSLY_ACTIVE, StatusBit.CONFIRMED | StatusBit.FAILED_SINCE_CLEAR),
    Role.PENDING: (CodeList.PENDING, StatusBit.PENDING),
    Role.EMISSION: (CodeList.EMISSION, StatusBit.CONFIRMED | StatusBit.WARNING_INDICATOR),
    Role.PERMANENT: (CodeList.PERMANENT, StatusBit.CONFIRMED),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeFrame:
    """One frame of a DM4: the code that caused it and the values kept."""

    code: TroubleCode
    values: tuple[FreezeValue, ...]


def code_list(
    payload: bytes, role: Role, name: str, layout: int | None, anomalies: Counter[str]
) -> tuple[Lamps, tuple[TroubleCode, ...]] | None:
    """Lamps and codes of a whole message; None (counted) where it is too short to be one.

    SPN 0 with FMI 0 and SPN 524287 stand for "no code". A code sent with conversion method 1 is read in the ECU's `layout`;
    where that is None, in the layout of version 4, counted and marked, as only the maker knows which older one was meant.
    """
    if len(payload) < _MIN_BYTES:
        anomalies[f"{name.lower()}_malformed"] += 1
        return None
    lamps = _lamps(payload[0], payload[1])
    _, status = LISTS[role]
    if role is Role.ACTIVE and lamps.malfunction == _LAMP_ON:
        status |= StatusBit.WARNING_INDICATOR
    codes: list[TroubleCode] = []
    for at in range(2, len(payload) - 3, 4):
        code = trouble_code(payload[at : at + 4], status, layout)
        if code is not None:
            codes.append(code)
            anomalies[OLD_CONVERSION] += code.is_spn_assumed
    return lamps, tuple(codes)


def _lamps(states: int, flashes: int) -> Lamps:
    return Lamps(
        malfunction=states >> 6,
        red_stop=states >> 4 & 3,
        amber_warning=states >> 2 & 3,
        protect=states & 3,
        malfunction_flash=flashes >> 6,
        red_stop_flash=flashes >> 4 & 3,
        amber_warning_flash=flashes >> 2 & 3,
        protect_flash=flashes & 3,
    )


def trouble_code(raw: bytes, status: StatusBit, layout: int | None) -> TroubleCode | None:
    """The code in four bytes; None where they stand for no code."""
    fmi, conversion = raw[2] & 0x1F, raw[3] >> 7
    spn = raw[0] | raw[1] << 8 | (raw[2] & 0xE0) << 11
    if spn == _NO_SPN or (spn, fmi) == (0, 0):
        return None
    if conversion and layout == 1:
        spn = raw[0] << 11 | raw[1] << 3 | raw[2] >> 5
    elif conversion and layout == 2:
        spn = raw[1] << 11 | raw[0] << 3 | raw[2] >> 5
    return TroubleCode(
        code=f"SPN{spn}/FMI{fmi}",
        spn=spn,
        fmi=fmi,
        occurrence=raw[3] & 0x7F,
        conversion=conversion,
        status=int(status),
        raw=raw,
        is_spn_assumed=bool(conversion) and layout is None,
    )


def freeze_frames(payload: bytes, layout: int | None, anomalies: Counter[str]) -> list[FreezeFrame]:
    """The frames of a DM4: length, code (4 bytes), torque mode, then the values, as often as there are frames."""
    frames: list[FreezeFrame] = []
    at = 0
    while at < len(payload) and payload[at] not in (0, 0xFF):
        frame = payload[at + 1 : at + 1 + payload[at]]
        if len(frame) < payload[at] or len(frame) < 4:
            anomalies["dm4_malformed"] += 1
            break
        code = trouble_code(frame[:4], StatusBit.FAILED_SINCE_CLEAR, layout)
        if code is not None:
            frames.append(FreezeFrame(code=code, values=read_dm4_values(frame)))
        at += 1 + payload[at]
    return frames


def readiness(payload: bytes, anomalies: Counter[str]) -> Monitors | None:
    """Monitors and the number of active codes of a DM5; None (counted) where it is too short."""
    if len(payload) < 8:
        anomalies["dm5_malformed"] += 1
        return None
    count = payload[0] if payload[0] <= _MAX_COUNT else -1
    if payload[3:8] == b"\xff" * 5:
        return Monitors(code_count=count)
    return read_monitors(payload, "dm5", code_count=count)
