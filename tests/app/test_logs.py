from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest

from app.logs import set_up_logs

VIN = "LTESTPTR9T0000005"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    stream = io.StringIO()
    set_up_logs("pipeline", "INFO", stream)
    yield stream
    root.handlers[:], root.level = before[0], before[1]
    root.setLevel(before[1])


def test_a_line_is_one_json_object_with_its_fields(lines: io.StringIO) -> None:
    logging.getLogger("app.x").info("two\nlines %d", 3, extra={"fields": {"role": "web"}})
    (line,) = lines.getvalue().splitlines()
    document = json.loads(line)
    assert (document["level"], document["process"], document["logger"]) == ("info", "pipeline", "app.x")
    assert (document["message"], document["role"]) == ("two\nlines 3", "web")
    assert document["time"].endswith("Z")


def test_vins_are_blotted_out_and_order_ids_are_not(lines: io.StringIO) -> None:
    logging.getLogger("x").warning(
        "vehicle %s order 3348f2300991bd7a8830d202cfb51b3b", VIN, extra={"fields": {"topic": f"a/{VIN}/b"}}
    )
    assert VIN not in lines.getvalue()
    assert "3348f2300991bd7a8830d202cfb51b3b" in lines.getvalue()


def test_an_error_says_where_and_what_kind_and_not_what_it_was_given(lines: io.StringIO) -> None:
    try:
        int("owner@example.com")
    except ValueError:
        logging.getLogger("x").exception("failed")
    document = json.loads(lines.getvalue())
    assert document["error"] == "ValueError"
    assert document["at"][-1].startswith("test_logs.py:")
    assert "owner@example.com" not in lines.getvalue()


def test_libraries_are_quiet(lines: io.StringIO) -> None:
    logging.getLogger("httpx").info("HTTP Request: POST http://dealer")
    logging.getLogger("apscheduler.executors").info("running")
    assert lines.getvalue() == ""
