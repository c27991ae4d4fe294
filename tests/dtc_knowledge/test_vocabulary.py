"""Standard codes put together from components, places and faults."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import DataFileError
from dtc_knowledge.code_files import load_codes
from dtc_knowledge.code_table import is_maker_code
from dtc_knowledge.schema import ComponentRow, FaultRow, RunRow
from dtc_knowledge.vocabulary import code_after, compose_all, place_words, places

CODES = load_codes()


# Read from two public lists each (python-OBD's table, Land Rover's and PSA's public lists); the words are ours.
@pytest.mark.parametrize(
    ("code", "en", "zh", "system", "category"),
    [
        (
            "P0056",
            "Oxygen sensor heater control circuit, bank 2 sensor 2",
            "氧传感器加热控制电路（2 列 2 号传感器）",
            "emission.oxygen_sensor",
            "circuit",
        ),
        ("P0272", "Cylinder 4 contribution or balance", "4 缸做功不均", "engine.fuel", "actuator"),
        ("P0768", "Shift solenoid D electrical fault", "换挡电磁阀 D 电气故障", "transmission", "actuator"),
        (
            "P2138",
            "Throttle or pedal position sensor D/E signals disagree",
            "节气门或踏板位置传感器 D/E 信号不一致",
            "engine.control",
            "sensor",
        ),
        ("P2347", "Knock level above limit, cylinder 12", "爆震强度超过限值（12 缸）", "engine.ignition", "function"),
        ("P2329", "Ignition coil secondary J circuit", "点火线圈次级 J 电路", "engine.ignition", "circuit"),
        (
            "P3452",
            "Deactivation or intake valve control circuit high, cylinder 7",
            "停缸或进气门控制电路电压高（7 缸）",
            "engine.control",
            "actuator",
        ),
        ("P0A2C", "Drive motor temperature sensor A circuit low", "驱动电机温度传感器 A 电路电压低", "ev.drive_unit", "sensor"),
        ("P0B8D", "Traction battery voltage sense Q circuit low", "动力电池电压采集 Q 电路电压低", "ev.battery", "sensor"),
        ("U0062", "Vehicle bus D minus line high", "车辆总线 D 负线电压高", "network", "network"),
        (
            "U0413",
            "Battery energy control module B sends invalid data",
            "电池能量控制模块 B 发来无效数据",
            "network",
            "control_unit",
        ),
        ("B0097", "Side crash sensor 2 fault, right", "侧面碰撞传感器 2 故障（右侧）", "restraint", "sensor"),
        ("C0018", "Brake inlet valve fault, rear left", "制动进油阀故障（左后）", "chassis.brake", "actuator"),
    ],
)
def test_a_code_is_named_from_component_place_and_fault(code: str, en: str, zh: str, system: str, category: str) -> None:
    info = CODES.lookup(code)
    assert (info.title.en, info.title.zh, info.system, info.category) == (en, zh, system, category)


def test_at_least_2500_standard_codes_are_named_in_every_family_in_both_languages() -> None:
    families = Counter(code[:2] for code in CODES.codes)
    assert len(CODES.codes) >= 2500
    assert set(families) == {"P0", "P2", "P3", "U0", "U3", "B0", "C0"}
    for info in CODES.codes.values():
        assert info.title.en.isascii()
        assert not info.title.zh.isascii()
        assert info.system in CODES.systems
        assert info.source in CODES.sources
        assert info.component
        assert info.category
        assert info.confidence in {"high", "medium"}


def test_no_code_of_a_makers_range_is_named() -> None:
    assert [code for code in CODES.codes if is_maker_code(code)] == []


def test_no_two_codes_have_the_same_name() -> None:
    titles = Counter(info.title for info in CODES.codes.values())
    assert [title.en for title, count in titles.items() if count > 1] == []


@given(st.integers(min_value=0, max_value=999), st.integers(min_value=0, max_value=40))
def test_decimal_numbers_go_on_in_decimal_across_the_tens(number: int, steps: int) -> None:
    if number + steps <= 999:
        assert code_after(f"P0{number:03d}", steps) == f"P0{number + steps:03d}"


@given(st.integers(min_value=0xA00, max_value=0xEFF), st.integers(min_value=0, max_value=40))
def test_electric_drive_codes_go_on_in_hexadecimal(number: int, steps: int) -> None:
    assert code_after(f"P0{number:03X}", steps) == f"P0{number + steps:03X}"


@pytest.mark.parametrize(
    ("written", "expected"), [("c1..3", ["c1", "c2", "c3"]), ("A..C", ["A", "B", "C"]), ("b1s2", ["b1s2"]), ("", [""])]
)
def test_a_series_stands_for_its_places(written: str, expected: list[str]) -> None:
    assert places(written) == expected


@pytest.mark.parametrize("written", ["c3..1", "A..9", "b9", "somewhere", "1..Q"])
def test_a_place_without_meaning_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"place|series|starts"):
        places(written)


def test_two_units_are_said_one_after_the_other() -> None:
    assert CODES.lookup("C0004").title.en == "Traction control valve B 2 fault"
    assert CODES.lookup("P0BF9").title.zh == "驱动电机相电流传感器 B 电路（W 相）"


def test_a_place_says_unit_bank_and_sensor() -> None:
    unit, end = place_words("A b2")
    assert (unit.en, end.en, end.zh) == (" A", "bank 2", "2 列")


def _component(name: str = "valve") -> dict[str, ComponentRow]:
    row = {"id": name, "en": "Valve", "zh": "阀", "system": "engine", "category": "actuator", "severity": "medium"}
    return {name: ComponentRow.model_validate({**row, "urgency": "SOON"})}


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ({"component": "valve", "faults": "gone"}, "unknown fault 'gone'"),
        ({"component": "pump", "faults": "low"}, "unknown component 'pump'"),
        ({"component": "valve", "faults": "low", "place": "nowhere"}, "no place"),
        ({"component": "valve", "faults": "low low"}, "P0001 stands here twice"),
    ],
)
def test_a_broken_run_is_named_with_its_line(run: dict[str, str], words: str) -> None:
    row = RunRow.model_validate({"first": "P0001", "source": "J2012", **run})
    other = RunRow.model_validate({"first": "P0004", "source": "J2012", "component": "valve", "faults": "low"})
    again = RunRow.model_validate({"first": "P0001", "source": "J2012", "component": "valve", "faults": "low"})
    faults = {"low": FaultRow(id="low", en="circuit low", zh="电路电压低")}
    rows = [(2, other), (7, row)] if "twice" not in words else [(2, other), (3, row), (7, again)]
    with pytest.raises(DataFileError, match=words) as raised:
        compose_all(rows, _component(), faults, Path("runs.csv"))
    assert "runs.csv:7" in str(raised.value)


def test_neighbouring_runs_do_not_overlap() -> None:
    codes = sorted(CODES.codes)
    assert all(a < b for a, b in pairwise(codes))


HEADER = "code,en,zh,system,component,severity,urgency,source\n"


def test_a_makers_table_names_its_codes_only_for_that_maker(tmp_path: Path) -> None:
    (tmp_path / "Acme.csv").write_text(
        HEADER + "P1345,Cam phaser noisy,相位器异响,engine.timing,phaser,low,NEXT,Acme manual\n", "utf-8"
    )
    codes = load_codes(makers=tmp_path)
    assert not codes.lookup("P1345").known
    named = codes.for_maker("ACME").lookup("P1345")
    assert (named.title.en, named.system, named.known, named.source) == ("Cam phaser noisy", "engine.timing", True, "Acme manual")
    assert not codes.for_maker("other").lookup("P1345").known
    assert codes.for_maker("acme").lookup("P0301") == codes.lookup("P0301")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("P0301,x,某,engine,,low,NEXT,m", "P0301 is a standard code"),
        ("P1345,x,某,engines,,low,NEXT,m", "unknown system 'engines'"),
        ("P1345,x,某,engine,,low,LATER,m", "urgency"),
        ("1345,x,某,engine,,low,NEXT,m", "code"),
        ("P1345,x,,engine,,low,NEXT,m", "zh"),
    ],
)
def test_a_mistake_in_a_makers_table_is_named_with_file_and_line(tmp_path: Path, row: str, words: str) -> None:
    (tmp_path / "acme.csv").write_text(HEADER + "P1000,x,某,engine,,low,NEXT,m\n" + row + "\n", "utf-8")
    with pytest.raises(DataFileError, match=words) as raised:
        load_codes(makers=tmp_path)
    assert "acme.csv:3" in str(raised.value)


def test_a_makers_code_named_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "acme.csv").write_text(HEADER + "P1000,x,某,engine,,low,NEXT,m\n" * 2, "utf-8")
    with pytest.raises(DataFileError, match="P1000 stands here twice"):
        load_codes(makers=tmp_path)
