"""Our own `dtc` topic: trouble-code reports of devices that read the ECUs themselves.

    {"time": "2026-01-01T00:00:00Z", "protocol": "obd", "list": "stored", "complete": true, "source": 2024,
     "codes": [{"code": "P0301", "status": ["confirmed"]}]}

The words are those of `pitcall dtc read --json`. A J1939 code may give `spn` and `fmi` instead of `code`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from domain.trouble_codes import NOT_AVAILABLE, CodeList, DtcReport, Lamps, Protocol, StatusBit, TroubleCode
from ingest.wire.documents import json_of, listing, mapping, trouble_code, whole
from ingest.wire.own_signals import number_message, record_time
from ingest.wire.rows import Rows
from ingest.wire.wire_format import WireMessage

_LISTS = {
    Protocol.OBD: CodeList.STORED,
    Protocol.UDS: CodeList.UDS_BY_STATUS,
    Protocol.J1939: CodeList.ACTIVE,
    Protocol.GBT32960: CodeList.ACTIVE,
}
_GIVEN_STATUS = {
    CodeList.STORED: StatusBit.CONFIRMED,
    CodeList.PERMANENT: StatusBit.CONFIRMED,
    CodeList.PENDING: StatusBit.PENDING,
}
_LAMP_STATES = ("off", "on", "error", "not_available")
_SPN_CODE = re.compile(r"SPN(\d{1,6})/FMI(\d{1,2})")
_MOST_CODES = 1024


class OwnTroubleCodes:
    """The format `dtc`."""

    name = "dtc"
    topic = "pitcall/v1/{vin}/dtc"
    has_own_time = False

    def read(self, message: WireMessage, rows: Rows) -> None:
        """Every report."""
        document = json_of(message.payload)
        if isinstance(document, list):
            document = {"reports": document}
        number_message(mapping(document), rows)
        reports = listing(document["reports"], "reports") if "reports" in document else [document]
        for place, report in message.items(reports):
            with rows.item(place):
                time_ns = record_time(mapping(report, "a report"), message.received_ns)
                rows.report(time_ns, _report(report, time_ns, rows.bus))


def _report(document: Mapping[str, Any], time_ns: int, bus: str) -> DtcReport:
    protocol = Protocol[_word(document.get("protocol", "obd"), "protocol")]
    kind = CodeList[_word(document["list"], "list")] if "list" in document else _LISTS[protocol]
    codes, complete = listing(document["codes"], "codes"), document.get("complete", False)
    if not isinstance(complete, bool) or len(codes) > _MOST_CODES:
        raise ValueError(f"complete is neither true nor false, or there are more than {_MOST_CODES} codes")
    source = whole(document.get("source", 0), "source")
    if source > 0xFFFF_FFFF:
        raise ValueError("source out of range")
    lamps = document.get("lamps")
    return DtcReport(
        time_ns=time_ns,
        vehicle=0,
        bus=bus,
        source=source,
        protocol=protocol,
        kind=kind,
        complete=complete,
        codes=tuple(_code(code, kind) for code in codes),
        lamps=None if lamps is None else _lamps(mapping(lamps, "lamps")),
    )


def _word(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{what} is not a word")
    return value.upper()


def _code(document: Any, kind: CodeList) -> TroubleCode:
    if isinstance(document, str):
        document = {"code": document}
    document = mapping(document, "a code")
    words = document.get("status")
    status = StatusBit(0) if words is not None else _GIVEN_STATUS.get(kind, StatusBit(0))
    for word in listing(words, "status") if words is not None else ():
        status |= StatusBit[_word(word, "a status bit")]
    text = document.get("code")
    spn_code = _SPN_CODE.fullmatch(text) if isinstance(text, str) else None
    if spn_code is not None or (text is None and "spn" in document):
        spn = int(spn_code[1]) if spn_code else whole(document["spn"], "spn")
        fmi = int(spn_code[2]) if spn_code else whole(document["fmi"], "fmi")
        if spn >= 1 << 19 or fmi > 31:
            raise ValueError("spn or fmi out of range")
        occurrence = NOT_AVAILABLE if document.get("occurrence") is None else whole(document["occurrence"], "occurrence") & 0x7F
        return TroubleCode(code=f"SPN{spn}/FMI{fmi}", spn=spn, fmi=fmi, occurrence=occurrence, status=int(status))
    if isinstance(text, str) and re.fullmatch(r"GB\d{1,2}", text):
        return TroubleCode(code=text, status=int(status))
    ftb = document.get("ftb")
    code = trouble_code(f"{text}-{ftb}" if isinstance(ftb, str) else text, status)
    if code is None:
        raise ValueError("a code that is none")
    return code


def _lamps(document: Mapping[str, Any]) -> Lamps:
    states = {
        name: _LAMP_STATES.index(document.get(name, "not_available"))
        for name in Lamps.__dataclass_fields__
        if "flash" not in name
    }
    return Lamps(**states)
