"""J1939 parameters and failure modes, GB/T 32960 alarm bits, failure types: complete, in both languages, quick to load."""

import csv
import time
import tracemalloc
from pathlib import Path

import pytest

from dtc_knowledge.code_files import load_codes

CODES = load_codes()


def test_at_least_600_parameters_are_named_in_both_languages() -> None:
    assert len(CODES.parameters) >= 600
    for row in CODES.parameters.values():
        assert row.en.isascii()
        assert not row.zh.isascii()
        assert row.system in CODES.systems
        assert "{" not in row.en + row.zh


@pytest.mark.parametrize(
    ("code", "en", "zh"),
    [
        ("SPN660/FMI5", "Injector of cylinder 10: current below normal or open circuit", "10 缸喷油器：电流过低或开路"),
        ("SPN1326/FMI31", "Misfire of cylinder 4: condition exists", "4 缸失火：该状态存在"),
        ("SPN2003/FMI9", "Messages of the controller at address 3: abnormal update rate", "地址 3 控制器的报文：更新速率异常"),
        (
            "SPN3224/FMI2",
            "Inlet NOx sensor, preliminary fault: erratic, intermittent or incorrect data",
            "入口氮氧化物传感器初步故障：数据不稳定、间断或不正确",
        ),
        (
            "SPN789/FMI1",
            "Wheel sensor axle 1 left: below the normal range (most severe level)",
            "一轴左轮速传感器：低于正常范围（最严重级）",
        ),
    ],
)
def test_a_parameter_and_a_failure_mode_make_a_name(code: str, en: str, zh: str) -> None:
    assert (CODES.lookup(code).title.en, CODES.lookup(code).title.zh) == (en, zh)


def test_no_parameter_of_the_makers_range_is_named() -> None:
    # SAE J1939-73: SPN 516096 to 524287 belong to makers
    assert all(spn < 516_096 for spn in CODES.parameters)


def test_parameter_names_are_told_apart() -> None:
    names = [row.en for row in CODES.parameters.values()]
    assert len(names) == len(set(names)), sorted({name for name in names if names.count(name) > 1})


def test_names_agree_with_the_parameters_that_we_decode() -> None:
    # an SPN that the decoder reads as a temperature, pressure or speed must be named so
    file = Path(__file__).parents[2] / "ingest" / "builtin_data" / "j1939_spns.csv"
    with file.open(encoding="utf-8", newline="") as stream:
        decoded = {int(row["spn"]): row["name"] for row in csv.DictReader(stream)}
    compared = 0
    for spn, name in decoded.items():
        row = CODES.parameters.get(spn)
        for quantity, words in (("Temperature", "temperature"), ("Pressure", "pressure"), ("Level", "level")):
            if spn == 95:  # a filter's pressure drop is called its restriction
                continue
            if row is not None and name.rstrip("0123456789").endswith(quantity):
                compared += 1
                assert words in row.en.lower(), (spn, name, row.en)
    assert compared > 80


def test_all_failure_modes_alarm_bits_and_failure_types_are_there() -> None:
    assert sorted(CODES.failure_modes) == list(range(32))
    assert sorted(CODES.alarm_bits) == list(range(28))
    assert {"00", "11", "16", "4B", "87", "88", "92", "98"} <= set(CODES.failure_types)


def test_the_tables_load_quickly_and_small() -> None:
    start = time.process_time()
    load_codes()
    assert time.process_time() - start < 1.0  # measured 0.05 s on an idle core
    tracemalloc.start()
    codes = load_codes()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 20_000_000
    assert codes.codes
