from __future__ import annotations

import json
import math
from dataclasses import dataclass
from enum import Enum

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import StorageError
from domain.findings import Alert, Evidence, Finding, Recommendation, Urgency
from domain.fleet import Dealer, VaultEntry, Vehicle
from domain.orders import Order
from domain.records import Commit, DeadLetter, DriveProgress, OutboxEvent, SeenSequences, StageState, VehicleCase
from storage.record_json import from_json, to_json
from tests.storage import examples

RECORDS = (
    Alert,
    Recommendation,
    Order,
    Finding,
    Dealer,
    VaultEntry,
    Vehicle,
    DeadLetter,
    DriveProgress,
    OutboxEvent,
    StageState,
    SeenSequences,
    VehicleCase,
)


@pytest.mark.parametrize("record_type", RECORDS, ids=lambda record_type: record_type.__name__)
def test_any_record_comes_back_as_it_was(record_type: type) -> None:
    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.from_type(record_type))
    def comes_back(record: object) -> None:
        back = from_json(record_type, to_json(record))
        # repr tells NaN, -0.0, 1 and 1.0 apart, where == does not
        assert repr(back) == repr(record)

    comes_back()


def test_a_whole_commit_comes_back() -> None:
    assert from_json(Commit, to_json(examples.everything())) == examples.everything()


def test_text_is_json_that_any_reader_takes() -> None:
    evidence = Evidence(kind="model", signal="温度\x00\ud800", value=math.inf, threshold=math.nan, duration_s=-0.0)
    text = to_json(evidence)
    assert text.isascii()
    assert json.loads(text, parse_constant=pytest.fail)["value"] == "inf"
    assert repr(from_json(Evidence, text)) == repr(evidence)


def test_enums_are_written_in_words() -> None:
    document = json.loads(to_json(examples.alert()))
    assert document["urgency"] == "STOP"
    assert document["severity"] == "critical"


def test_a_field_added_later_takes_its_default_in_old_text() -> None:
    document = json.loads(to_json(examples.alert(occurrences=4)))
    del document["occurrences"], document["evidence"]
    back = from_json(Alert, json.dumps(document))
    assert (back.occurrences, back.evidence) == (1, ())


def test_a_field_of_a_later_version_is_passed_over() -> None:
    document = json.loads(to_json(examples.vehicle())) | {"colour": "red"}
    assert from_json(Vehicle, json.dumps(document)) == examples.vehicle()


def test_numpy_scalars_are_written_as_plain_numbers() -> None:
    evidence = Evidence(kind="signal", signal="x", value=np.float64(1.5), window_start_ns=np.int64(2**62), window_end_ns=None)  # type: ignore[arg-type]
    assert from_json(Evidence, to_json(evidence)) == Evidence(kind="signal", signal="x", value=1.5, window_start_ns=2**62)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"id":1}', '{"kind":"signal","signal":"x","value":"warm"}', "null"])
def test_text_that_holds_no_such_record_is_a_storage_error(text: str) -> None:
    with pytest.raises(StorageError, match="stored Evidence cannot be read"):
        from_json(Evidence, text)


class Colour(Enum):
    RED = (255, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Paint:
    colour: Colour
    layers: tuple[tuple[int, Colour], ...]
    primer: Colour | None = Colour.RED
    urgency: Urgency = Urgency.SOON


def test_nested_enums_tuples_and_options_come_back() -> None:
    paint = Paint(colour=Colour.RED, layers=((2, Colour.RED),), primer=None)
    assert from_json(Paint, to_json(paint)) == paint


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear:
    value: int | str


def test_a_type_without_a_lossless_form_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="no JSON form for a union"):
        to_json(Unclear(value=1))
