"""J1939 diagnostic message 1, the active trouble codes (SAE J1939-73)."""

from __future__ import annotations

from collections import Counter

from domain.trouble_codes import Lamps, StatusBit, TroubleCode

DM1_PGN = 65226

MALFORMED = "dm1_malformed"
OLD_CONVERSION = "dm1_conversion_method_1"

_MIN_BYTES = 6
"""Two bytes of lamps and one code."""
_NO_SPN = 0x7FFFF
_LAMP_ON = 1


def active_codes(payload: bytes, anomalies: Counter[str]) -> tuple[Lamps, tuple[TroubleCode, ...]] | None:
    """Lamps and active codes of a whole DM1; None (counted) where it is too short to be one.

    SPN 0 with FMI 0 and SPN 524287 stand for "no code". A code sent with conversion method 1 is read in the layout of
    version 4 and counted, as only the maker knows which older layout was meant.
    """
    if len(payload) < _MIN_BYTES:
        anomalies[MALFORMED] += 1
        return None
    lamps = _lamps(payload[0], payload[1])
    status = StatusBit.TEST_FAILED | StatusBit.CONFIRMED
    if lamps.malfunction == _LAMP_ON:
        status |= StatusBit.WARNING_INDICATOR
    codes: list[TroubleCode] = []
    for at in range(2, len(payload) - 3, 4):
        code = _trouble_code(payload[at : at + 4], status)
        if code is not None:
            codes.append(code)
            anomalies[OLD_CONVERSION] += code.conversion
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


def _trouble_code(raw: bytes, status: StatusBit) -> TroubleCode | None:
    spn = raw[0] | raw[1] << 8 | (raw[2] & 0xE0) << 11
    fmi = raw[2] & 0x1F
    if spn == _NO_SPN or (spn, fmi) == (0, 0):
        return None
    return TroubleCode(
        code=f"SPN{spn}/FMI{fmi}",
        spn=spn,
        fmi=fmi,
        occurrence=raw[3] & 0x7F,
        conversion=raw[3] >> 7,
        status=int(status),
        raw=raw,
    )
