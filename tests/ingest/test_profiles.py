"""Vehicle profiles: shipped ones, files, mapping to VSS, and errors that name file, line and the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.errors import DataFileError, DbcFileError
from domain.vss import catalogue
from ingest.message_spec import Match
from ingest.profiles import dbc_profile, load_profile, shipped_profiles

DBC = """VERSION ""

BO_ 291 ENGINE_1: 8 X
 SG_ EngineSpeed : 0|16@1+ (0.25,0) [0|0] "rpm" X
 SG_ CoolantF : 16|16@1+ (1,0) [0|0] "degF" X
"""
PROFILE = """id: demo
title: {en: Demo car, zh: 演示车}
powertrain: petrol
buses: {can0: [car.dbc]}
signals:
  - {dbc: ENGINE_1.EngineSpeed, vss: Vehicle.Powertrain.CombustionEngine.Speed, priority: 2, stale_after_s: 1.5}
  - dbc: ENGINE_1.CoolantF
    vss: Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature
    unit: {scale: 0.5, offset: -17.5}
"""


def write(folder: Path, profile: str = PROFILE, dbc: str = DBC) -> Path:
    (folder / "car.dbc").write_text(dbc)
    path = folder / "demo.yaml"
    path.write_text(profile, encoding="utf-8")
    return path


def test_a_profile_maps_dbc_signals_to_vss(tmp_path: Path) -> None:
    profile = load_profile(str(write(tmp_path)))
    assert (profile.id, profile.powertrain, profile.title.zh) == ("demo", "petrol", "演示车")
    (message,) = profile.messages
    speed, coolant = message.signals
    assert message.bus == "can0"
    assert (speed.path, speed.priority, speed.stale_after_s) == ("Vehicle.Powertrain.CombustionEngine.Speed", 2, 1.5)
    assert (coolant.path_unit_scale, coolant.path_unit_offset, coolant.priority) == (0.5, -17.5, 0)


@pytest.mark.parametrize("name", ["demo.yaml", "demo"])
def test_a_profile_is_found_from_a_given_directory(tmp_path: Path, name: str) -> None:
    write(tmp_path)
    assert load_profile(name, relative_to=tmp_path).id == "demo"


PACKETS_ONLY = {"gbt32960", "hj1239"}


@pytest.mark.parametrize("name", shipped_profiles())
def test_every_shipped_profile_maps_to_the_catalogue(name: str) -> None:
    profile = load_profile(name)
    paths = {signal.path for message in profile.messages for signal in message.signals if signal.path}
    assert profile.id == name
    assert bool(paths) == (name not in PACKETS_ONLY)
    assert paths <= set(catalogue())


def test_the_generic_profile_knows_obd_and_j1939() -> None:
    assert shipped_profiles() == ("gbt32960", "generic", "hj1239", "j1939", "obd2")
    messages = load_profile("generic").messages
    assert {m.origin for m in messages} == {"obd2", "j1939"}
    assert {m.match for m in messages} == {Match.OBD_ANSWER, Match.PGN}


def test_further_dbc_files_are_added_by_bus(tmp_path: Path) -> None:
    write(tmp_path)
    profile = load_profile("obd2", extra_dbc=[("can1", tmp_path / "car.dbc")])
    assert [(m.name, m.bus) for m in profile.messages if m.origin == "car.dbc"] == [("ENGINE_1", "can1")]
    assert [m.name for m in dbc_profile([("*", tmp_path / "car.dbc")]).messages] == ["ENGINE_1"]


def test_the_version_changes_with_whatever_shapes_decoding(tmp_path: Path) -> None:
    def version(profile: str = PROFILE, dbc: str = DBC) -> str:
        return load_profile(str(write(tmp_path, profile, dbc))).version

    versions = {version(), version(PROFILE.replace("1.5", "1.6")), version(dbc=DBC.replace("0.25", "0.5"))}
    assert len(versions) == 3
    assert version() == version()


@pytest.mark.parametrize(
    ("wrong", "right", "message"),
    [
        (
            "EngineSpeed",
            "EngineSped",
            r"demo\.yaml:6: unknown DBC signal 'ENGINE_1\.EngineSped'; did you mean 'ENGINE_1\.EngineSpeed'\?",
        ),
        (
            "CombustionEngine.Speed",
            "CombustionEngine.Sped",
            r"demo\.yaml:6: unknown VSS path .*; did you mean '.*CombustionEngine\.Speed'\?",
        ),
        ("[car.dbc]", "[cra.dbc]", r"demo\.yaml:4: DBC file 'cra\.dbc' does not exist; give its path"),
        ("priority", "prioritty", r"demo\.yaml:6: .*"),
        ("ENGINE_1.CoolantF", "ENGINE_1.EngineSpeed", r"demo\.yaml:7: ENGINE_1\.EngineSpeed is mapped twice; keep one"),
        ("powertrain: petrol", "powertrain: petrol\nbuiltin: [obd3]", r"demo\.yaml:4: builtin"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_mend(tmp_path: Path, wrong: str, right: str, message: str) -> None:
    path = write(tmp_path, PROFILE.replace(wrong, right, 1))
    with pytest.raises(DataFileError, match=message):
        load_profile(str(path))


def test_an_unknown_profile_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match=r"unknown profile 'genric'; did you mean 'generic'\?"):
        load_profile("genric")
    with pytest.raises(
        DataFileError, match=r"unknown profile 'zzz'; give a profile file, or one of: gbt32960, generic, hj1239, j1939, obd2"
    ):
        load_profile("zzz", relative_to=tmp_path)


def test_a_broken_dbc_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, dbc=DBC.replace("(0.25,0)", "(0.25,0"))
    with pytest.raises(DbcFileError, match=r"car\.dbc:4"):
        load_profile(str(path))
