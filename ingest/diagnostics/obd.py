"""OBD-II answers that list trouble codes (SAE J1979 services 03, 07 and 0A on CAN, SAE J2012 code format)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from domain.trouble_codes import CodeList, StatusBit, TroubleCode

FREEZE_FRAME_ANSWER = 0x42
NEGATIVE_ANSWER = 0x7F
LISTS = {
    0x43: (CodeList.STORED, StatusBit.CONFIRMED),
    0x47: (CodeList.PENDING, StatusBit.PENDING),
    0x4A: (CodeList.PERMANENT, StatusBit.CONFIRMED),
}
"""Answering service byte -> list and what it says of each code."""
REQUESTS = frozenset({0x02, 0x03, 0x07, 0x0A})
"""Services whose negative answers are counted."""

TRUNCATED = "obd_code_list_truncated"
LENGTH_MISMATCH = "obd_code_list_length_mismatch"
MALFORMED = "obd_answer_malformed"
NEGATIVE = "obd_negative_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeListAnswer:
    """One answer to service 03, 07 or 0A. `complete` is False where fewer codes came than announced."""

    kind: CodeList
    complete: bool
    codes: tuple[TroubleCode, ...]


def trouble_code(pair: bytes, status: StatusBit) -> TroubleCode:
    """The code in two bytes: letter and first digit in the top nibble, then three hexadecimal digits."""
    letter = "PCBU"[pair[0] >> 6]
    return TroubleCode(code=f"{letter}{pair[0] >> 4 & 3}{pair[0] & 15:X}{pair[1]:02X}", status=int(status), raw=pair)


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
