"""Which codes a rule's `dtc(…)` sees as active."""

from __future__ import annotations

from dataclasses import replace

from domain.trouble_codes import CodeList, DtcReport, Protocol
from rules.active_codes import ActiveCodes
from tests.rules.making import cleared, dm1, obd, reports, uds


def seen(*items: DtcReport, pattern: str = "*") -> list[float]:
    """1 or 0 after each report that says something."""
    return ActiveCodes([pattern]).apply(reports(*items))[3].tolist()


def test_active_and_confirmed_codes_count_and_others_do_not() -> None:
    assert seen(uds(0, ("P0301", 0x2F)), uds(1, ("P0301", 0x28)), uds(2, ("P0301", 0x2C)), uds(3, ("P0301", 0x50))) == [
        1,
        0,
        1,
        0,
    ]
    silent = [obd(0, "P0301", kind=CodeList.PENDING), replace(dm1(1, (102, 3)), kind=CodeList.PREVIOUSLY_ACTIVE)]
    assert seen(*silent) == []


def test_a_partial_list_speaks_of_the_codes_that_it_names() -> None:
    partial = [replace(uds(t, codes), complete=False) for t, codes in ((1, ("P0302", 0x2F)), (2, ("P0301", 0x28)))]
    assert seen(uds(0, ("P0301", 0x2F)), *partial, pattern="P0301") == [1, 1, 0]
    assert seen(uds(0, ("P0301", 0x2F)), *partial, pattern="P0302") == [0, 1, 1]


def test_a_clear_ends_what_it_concerns() -> None:
    assert seen(obd(0, "P0301"), cleared(1)) == [1, 0]
    assert seen(obd(0, "P0301"), cleared(1, source=0x7E9)) == [1]
    assert seen(dm1(0, (102, 3)), cleared(1, message="DM11", source=255, protocol=Protocol.J1939)) == [1, 0]
    assert seen(dm1(0, (102, 3)), cleared(1, message="DM3", source=0, protocol=Protocol.J1939)) == [1]
    assert seen(cleared(0)) == []
