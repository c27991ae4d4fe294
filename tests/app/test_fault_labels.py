"""The table of labels: what it may say, and what is told of a mistake."""

import pytest

from app.fault_labels import read_labels
from domain.errors import DataFileError
from domain.fleet import DEVELOPMENT_KEY, pseudonym
from tests.end_to_end.replays import SAMPLES

VIN = "LPCTEST0000000001"


def labels(tmp_path, text):
    file = tmp_path / "labels.csv"
    file.write_text(text, encoding="utf-8")
    return read_labels(file, DEVELOPMENT_KEY)


def test_a_fault_is_named_by_its_kind_or_by_the_group_of_its_alerts(tmp_path):
    rows = f"vin,kind,group_key,onset,end\n{VIN},overheating,,100,200.5\n{VIN},,brakes,2026-03-01T00:00:00Z,\n"
    by_kind, by_group = labels(tmp_path, rows)
    assert (by_kind.kind, by_kind.group_key, by_kind.onset_ns, by_kind.end_ns) == (
        "overheating", "engine.cooling", 100_000_000_000, 200_500_000_000,
    )  # fmt: skip
    assert (by_group.kind, by_group.group_key, by_group.end_ns) == ("brakes", "brakes", None)
    assert by_group.onset_ns == 1_772_323_200_000_000_000
    assert by_kind.vehicle == pseudonym(DEVELOPMENT_KEY, VIN)


def test_the_simulator_s_own_labels_are_such_a_table():
    known = read_labels(SAMPLES / "labels.csv", DEVELOPMENT_KEY)
    assert {fault.kind for fault in known} >= {"overheating", "misfire", "red_stop_lamp"}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (f"{VIN},gremlins,,5,", "labels.csv:2: nobody knows which alerts find 'gremlins'; fill group_key"),
        (f"{VIN},,,5,", "labels.csv:2: the row names no fault; fill group_key"),
        (f"{VIN},overheating,,,", "labels.csv:2: the row names no onset; fill onset"),
        (f"{VIN},overheating,,noon,", "labels.csv:2: column onset: Value error, 'noon' is no time; write RFC 3339"),
        (f"{VIN},overheating,,5,4", "labels.csv:2: the fault ends before it begins; correct onset or end"),
        (f"{VIN},overheating,,5e300,", "labels.csv:2: column onset"),
        (f"{VIN},overheating,,inf,", "labels.csv:2: column onset"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_its_mend(tmp_path, row, told):
    with pytest.raises(DataFileError) as problem:
        labels(tmp_path, f"vin,kind,group_key,onset,end\n{row}\n")
    assert told in str(problem.value)
    assert VIN not in str(problem.value)
