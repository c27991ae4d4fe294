import csv
from importlib.resources import files

import pytest

from domain.findings import Urgency
from dtc_knowledge.code_files import load_codes
from dtc_knowledge.code_table import is_maker_code
from tests.dtc_knowledge.builders import knowledge

CODES = load_codes()
READINESS = files("ingest.diagnostics") / "data" / "readiness_monitors.csv"


@pytest.mark.parametrize(
    ("code", "group", "component"),
    [
        ("P0303", "engine.ignition", "cylinder_3"),
        ("P0353", "engine.ignition", "coil_3"),
        ("P0128", "engine.cooling", "thermostat"),
        ("P0562", "electrical.12v", "supply"),
        ("P0AA6", "ev.isolation", "isolation"),
        ("U0121", "network", "abs"),
        ("SPN100/FMI1", "engine.lubrication", "oil_pressure"),
        ("SPN110/FMI0", "engine.cooling", "coolant_temperature"),
        ("SPN168/FMI1", "electrical.12v", "battery"),
        ("GB11", "ev.isolation", ""),
    ],
)
def test_a_code_groups_by_its_system(code: str, group: str, component: str) -> None:
    info = CODES.lookup(code)
    assert (info.group_key, info.system, info.component, info.known) == (group, group, component, True)


def test_cylinder_families_follow_the_numbering_of_the_standard() -> None:
    # SAE J2012: P0301..P0312 count cylinders in decimal; P0261, P0264 … step by three
    assert CODES.lookup("P0312").title.en == "Cylinder 12 misfire detected"
    assert CODES.lookup("P0264").title.en == "Injector circuit of cylinder 2 low"
    assert CODES.lookup("P0265").title.en == "Injector circuit of cylinder 2 high"
    assert CODES.lookup("P0362").title.en == "Ignition coil L (cylinder position 12) circuit"
    assert CODES.lookup("P0313").title.en == "Low fuel level: misfire detected"


@pytest.mark.parametrize("code", ["P1234", "P3000", "P3399", "U1113", "U2001", "B1325", "B2AAA", "C1221", "C2001"])
def test_a_makers_code_is_never_named_without_the_maker(code: str) -> None:
    info = CODES.lookup(code)
    assert is_maker_code(code)
    assert not info.known
    assert "Maker-specific" in info.title.en
    assert "厂家自定义" in info.title.zh
    assert info.group_key == f"code/{code}"


@pytest.mark.parametrize("code", ["P0F01", "P2FFF", "P3499", "P39FF", "U0999", "U3999", "B0099", "C0999"])
def test_a_standard_code_that_no_table_names_gets_generic_words(code: str) -> None:
    info = CODES.lookup(code)
    assert not is_maker_code(code)
    assert not info.known
    assert info.title.en.startswith("Standard ")
    assert info.group_key == f"code/{code}"


@pytest.mark.parametrize("written", ["P0117:16", "P0117-16", " p0117:16 "])
def test_a_failure_type_adds_its_words(written: str) -> None:
    info = CODES.lookup(written)
    assert info.title.en == "Coolant temperature sensor circuit low: circuit voltage below threshold"
    assert info.title.zh.endswith("：电压低于阈值")
    assert info.group_key == "engine.cooling"


def test_an_unknown_failure_type_is_still_told() -> None:
    assert CODES.lookup("P0117:EE").title.en.endswith("failure type EE")


@pytest.mark.parametrize(
    ("code", "urgency", "severe"),
    [
        ("SPN100/FMI1", Urgency.STOP, True),
        ("SPN100/FMI0", Urgency.SOON, False),  # pressure too high is not the dangerous side
        ("SPN100/FMI18", Urgency.TODAY, False),
        ("SPN100/FMI17", Urgency.SOON, False),
        ("SPN100/FMI3", Urgency.SOON, False),
        ("SPN100/FMI4", Urgency.SOON, False),
        ("SPN100/FMI5", Urgency.SOON, False),
        ("SPN110/FMI0", Urgency.STOP, True),
        ("SPN110/FMI1", Urgency.SOON, False),
        ("SPN117/FMI1", Urgency.STOP, True),
        ("SPN96/FMI1", Urgency.NEXT, False),  # an empty tank is no breakdown
        ("SPN1761/FMI18", Urgency.SOON, False),
        ("SPN102/FMI18", Urgency.SOON, False),
        ("SPN4364/FMI18", Urgency.SOON, False),
    ],
)
def test_a_failure_mode_is_as_urgent_as_its_parameter_allows(code: str, urgency: Urgency, severe: bool) -> None:
    info = CODES.lookup(code)
    assert (info.urgency, info.severe_fmi) == (urgency, severe)


def test_every_parameter_has_words_for_every_failure_mode() -> None:
    assert sorted(CODES.failure_modes) == list(range(32))
    for spn in CODES.parameters:
        for fmi in range(32):
            info = CODES.lookup(f"SPN{spn}/FMI{fmi}")
            assert info.known
            assert ":" in info.title.en
            assert "：" in info.title.zh


def test_an_unknown_parameter_is_composed_from_its_number_and_failure_mode() -> None:
    info = CODES.lookup("SPN829/FMI3")
    assert info.title.en == "Parameter SPN 829: voltage above normal or shorted high"
    assert info.urgency is Urgency.SOON
    assert not info.known
    assert CODES.lookup("SPN520192/FMI0").urgency <= Urgency.SOON


@pytest.mark.parametrize("text", ["", "hello", "SPN/FMI", "P03", "GB99", "SPN100"])
def test_anything_else_is_answered_too(text: str) -> None:
    info = CODES.lookup(text)
    assert not info.known
    assert info.urgency is Urgency.NEXT


def test_no_generic_table_names_a_makers_code() -> None:
    assert [code for code in CODES.codes if is_maker_code(code)] == []


def test_the_tables_are_as_large_as_promised() -> None:
    assert len(CODES.codes) >= 150
    assert len(CODES.parameters) >= 60
    assert {code[:2] for code in CODES.codes} >= {"P0", "P2", "U0", "C0"}
    assert knowledge().lookup("P0301") == CODES.lookup("P0301")


def test_every_self_test_that_readers_tell_of_is_known_or_says_nothing_of_single_codes() -> None:
    told = {row["name"] for row in csv.DictReader(READINESS.read_text(encoding="utf-8").splitlines())}
    assert set(CODES.monitors) <= told
    assert told - set(CODES.monitors) == {
        "components",
        "cold_start_aid",
        "nox_catalyst",
        "air_conditioning_refrigerant",
        "exhaust_gas_sensor_heater",
    }
    assert CODES.monitors["misfire"][:2] == ("P0300", "P0301")
