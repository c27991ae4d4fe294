"""Reports as the JSON lines of the command line."""

from __future__ import annotations

import json

from domain.frames import EXTENDED_ID
from ingest.diagnostics import report_lines
from tests.ingest.diagnostic_frames import read, record, tick


def test_an_obd_code_is_one_line_with_null_where_j1939_would_speak() -> None:
    (line,) = report_lines(read(record(1_700_000_000.5, 0x18DAF110 | EXTENDED_ID, "04 47 01 03 01")))
    assert line == {
        "time": "2023-11-14T22:13:20.500000Z",
        "protocol": "obd",
        "bus": "can0",
        "source": 0x98DAF110,
        "list": "pending",
        "code": "P0301",
        "state": "pending",
        "status": ["pending"],
        "spn": None,
        "fmi": None,
        "occurrence": None,
        "lamps": None,
        "ftb": None,
        "level": None,
        "raw": "0301",
        "message": "07",
        "name": None,
    }


def test_a_j1939_code_tells_numbers_and_lamps_and_an_unknown_count_is_null() -> None:
    (line,) = report_lines(read(record(0, 0x18FECA17 | EXTENDED_ID, "5C 7F 66 00 03 7F FF FF")))
    assert (line["protocol"], line["source"], line["list"], line["code"]) == ("j1939", 0x17, "active", "SPN102/FMI3")
    assert (line["spn"], line["fmi"], line["occurrence"]) == (102, 3, None)
    assert line["status"] == ["test_failed", "confirmed", "warning_indicator"]
    assert line["lamps"] == {
        "malfunction": "on",
        "red_stop": "on",
        "amber_warning": "not_available",
        "protect": "off",
        "malfunction_flash": "fast",
        "red_stop_flash": "none",
        "amber_warning_flash": "none",
        "protect_flash": "none",
    }


def test_an_empty_complete_list_gives_no_line() -> None:
    assert list(report_lines(read(record(0, 0x7E8, "02 43 00")))) == []


def test_each_code_of_a_report_has_its_line() -> None:
    lines = list(report_lines(read(record(0, 0x7E8, "06 4A 02 01 43 01 96"))))
    assert [(line["list"], line["code"]) for line in lines] == [("permanent", "P0143"), ("permanent", "P0196")]


def test_a_freeze_frame_shows_the_code_that_caused_it_with_its_values_and_is_valid_json() -> None:
    batch = read(record(0, 0x7E8, "05 42 02 00 03 01"), record(0.1, 0x7E8, "04 42 0D 00 32"), tick(1))
    (line,) = report_lines(batch)
    assert (line["list"], line["code"]) == ("freeze_frame", "P0301")
    assert line["freeze"] == [{"signal": "Vehicle.Speed", "value": 50.0, "unit": "km/h"}]
    assert json.loads(json.dumps(line, allow_nan=False)) == line
