"""How firmly an ECU holds a trouble code: one rule for all protocols."""

from __future__ import annotations

from enum import StrEnum

from domain.trouble_codes import CodeList, DtcReport, Protocol, StatusBit, TroubleCode


class CodeState(StrEnum):
    """What a report says of a code; the word is shown to users."""

    ACTIVE = "active"
    """The fault is there now."""
    CONFIRMED = "confirmed"
    """The fault was found often enough to be stored, and in this or the last driving cycle, or its lamp is still on."""
    PENDING = "pending"
    """Found once, not confirmed yet."""
    PERMANENT = "permanent"
    """Kept until the ECU itself has found the fault gone; no tool can clear it."""
    HISTORY = "history"
    """Was there, is not now."""
    CLEARED_UNVERIFIED = "cleared_unverified"
    """A tool cleared it, and the monitor that would find it again has not finished since."""
    NEVER_TESTED = "never_tested"
    """The monitor has not finished since the last clear, and nothing is known of the code: no fault."""

    @property
    def firm(self) -> bool:
        """It counts in full."""
        return self in (CodeState.ACTIVE, CodeState.CONFIRMED)


_BY_LIST = {
    CodeList.STORED: CodeState.CONFIRMED,
    CodeList.FREEZE_FRAME: CodeState.CONFIRMED,
    CodeList.PENDING: CodeState.PENDING,
    CodeList.PERMANENT: CodeState.PERMANENT,
    CodeList.ACTIVE: CodeState.ACTIVE,
    CodeList.PREVIOUSLY_ACTIVE: CodeState.HISTORY,
    CodeList.EMISSION: CodeState.CONFIRMED,
}
_LISTS_WITH_STATUS = (CodeList.UDS_BY_STATUS, CodeList.UDS_SUPPORTED, CodeList.SNAPSHOT, CodeList.EXTENDED_DATA)


def code_state(report: DtcReport, code: TroubleCode, *, known: bool = False) -> CodeState | None:
    """How the report holds the code; None where it says that there is no fault (tested and passed).

    Args:
        report: the report that lists the code.
        code: one of its codes.
        known: the code was held as a fault before. A code that is known and has not been tested since the last clear was
            cleared, not repaired.
    """
    if report.kind in _LISTS_WITH_STATUS:
        return _by_status(code.status, known=known)
    if report.kind is CodeList.FREEZE_FRAME and report.protocol is Protocol.J1939:
        return CodeState.HISTORY  # DM4 keeps the frame of a code after it has gone
    return _BY_LIST.get(report.kind)


def _by_status(status: int, *, known: bool) -> CodeState | None:
    """ISO 14229-1, annex D: only bit 0 says that the fault is there now."""
    if status & StatusBit.TEST_FAILED:
        return CodeState.ACTIVE
    if status & StatusBit.CONFIRMED:
        recent = status & (StatusBit.PENDING | StatusBit.WARNING_INDICATOR)
        return CodeState.CONFIRMED if recent else CodeState.HISTORY
    if status & StatusBit.PENDING:
        return CodeState.PENDING
    if status & StatusBit.WARNING_INDICATOR:
        return CodeState.CONFIRMED
    if status & StatusBit.NOT_COMPLETED_SINCE_CLEAR:
        return CodeState.CLEARED_UNVERIFIED if known else CodeState.NEVER_TESTED
    return None
