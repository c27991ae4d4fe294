"""Description files: what is taken over, what is refused and where, and the cache."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from domain.errors import DbcFileError
from domain.frames import EXTENDED_ID
from ingest.descriptions import load_description
from ingest.message_spec import Match, MessageSpec, NumberKind

HEAD = 'VERSION ""\nNS_ :\nBS_:\nBU_:\n'


def load(tmp_path: Path, body: str, **options: object) -> dict[str, MessageSpec]:
    path = tmp_path / "car.dbc"
    path.write_text(HEAD + body, encoding="cp1252")
    return {spec.name: spec for spec in load_description(path, **options).messages}  # type: ignore[arg-type]  # options by name


def test_signals_are_taken_over_as_written(tmp_path: Path) -> None:
    body = """
BO_ 291 ENGINE: 8 X
 SG_ Speed : 7|16@0+ (0.25,0) [0|16000] "rpm" X
 SG_ Temp : 16|8@1- (1,-40) [0|0] "\xb0C" X
 SG_ Ratio : 32|32@1- (1,0) [0|0] "" X
SIG_VALTYPE_ 291 Ratio : 1;
VAL_ 291 Temp 0 "cold" 1 "warm" ;
"""
    message = load(tmp_path, body, bus="can1")["ENGINE"]
    assert (message.can_id, message.length, message.bus, message.origin, message.match) == (
        291,
        8,
        "can1",
        "car.dbc",
        Match.EXACT,
    )
    speed, temp, ratio = message.signals
    assert (speed.start, speed.length, speed.big_endian, speed.scale, speed.unit) == (7, 16, True, 0.25, "rpm")
    assert (temp.kind, temp.offset, temp.unit, temp.choices) == (NumberKind.SIGNED, -40.0, "\xb0C", ((0, "cold"), (1, "warm")))
    assert ratio.kind is NumberKind.FLOAT32


def test_29_bit_identifiers_carry_bit_31(tmp_path: Path) -> None:
    assert load(tmp_path, "\nBO_ 2147484672 LONG: 8 X\n")["LONG"].can_id == 1024 | EXTENDED_ID


J1939 = """
BO_ 2364540158 EEC1: 8 X
 SG_ EngineSpeed : 24|16@1+ (0.125,0) [0|8031.875] "rpm" X
BO_ 2565537790 RQST: 8 X
 SG_ Control : 0|8@1+ (1,0) [0|255] "" X
BO_ 2566843904 ET1: 8 X
 SG_ Coolant : 0|8@1+ (1,-40) [-40|210] "" X
BA_DEF_ BO_ "VFrameFormat" ENUM "StandardCAN","ExtendedCAN","reserved","J1939PG";
BA_DEF_DEF_ "VFrameFormat" "StandardCAN";
BA_ "VFrameFormat" BO_ 2566843904 3;
"""


def test_j1939_messages_match_by_parameter_group_and_know_what_is_not_available(tmp_path: Path) -> None:
    messages = load(tmp_path, J1939)
    assert {name: (spec.match, spec.can_id) for name, spec in messages.items()} == {
        "EEC1": (Match.PGN, 0xF004),  # named from the null address
        "RQST": (Match.PGN, 0xEA00),  # a destination address is no part of the group
        "ET1": (Match.PGN, 0xFEEE),  # declared J1939PG
    }
    assert messages["EEC1"].signals[0].raw_valid_max == 0xFAFF


def test_a_multiplexer_names_its_branches(tmp_path: Path) -> None:
    body = """
BO_ 291 MUX: 8 X
 SG_ Sel M : 0|8@1+ (1,0) [0|0] "" X
 SG_ One m1 : 8|8@1+ (1,0) [0|0] "" X
 SG_ Many m2 : 8|8@1+ (1,0) [0|0] "" X
SG_MUL_VAL_ 291 One Sel 1-1;
SG_MUL_VAL_ 291 Many Sel 2-4, 7-7;
"""
    one, many = (s for s in load(tmp_path, body)["MUX"].signals if s.mux_parent)
    assert (one.mux_parent, one.mux_ranges) == ("Sel", ((1, 1),))
    assert many.mux_ranges == ((2, 4), (7, 7))


@pytest.mark.parametrize(
    ("second", "reason"),
    [("4|8@1+", "overlapping_signals"), ("60|8@1+", "overlong_signals"), ("8|8@1+", ""), ("7|4@0+", "")],
)
def test_messages_that_cantools_cannot_decode_say_why(tmp_path: Path, second: str, reason: str) -> None:
    body = f'\nBO_ 291 M: 8 X\n SG_ A : 0|8@1+ (1,0) [0|0] "" X\n SG_ B : {second} (1,0) [0|0] "" X\n'
    assert load(tmp_path, body)["M"].undecodable == reason


def test_the_last_definition_of_an_identifier_counts(tmp_path: Path) -> None:
    assert list(load(tmp_path, "\nBO_ 291 FIRST: 8 X\n\nBO_ 291 LAST: 8 X\n")) == ["LAST"]


def test_a_file_without_a_readable_message_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DbcFileError, match=r"car\.dbc:5: is not a DBC that can be loaded: .*; correct the definition there"):
        load(tmp_path, 'BO_ 291 M 8 X\n SG_ A : 0|8@1+ (1,0) [0|0] "" X\n')


def test_a_file_that_is_no_dbc_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "car.dbc"
    path.write_bytes(b"\x00\x01\x02PNG")
    with pytest.raises(DbcFileError, match=r"car\.dbc"):
        load_description(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DbcFileError, match=r"absent\.dbc: cannot be read"):
        load_description(tmp_path / "absent.dbc")


BODY = '\nBO_ 291 M: 8 X\n SG_ S M : 0|8@1+ (1,0) [0|0] "km/h" X\n SG_ A m3 : 8|8@1- (0.1,-1) [0|0] "" X\nVAL_ 291 A 1 "on" ;\n'


def test_the_cache_gives_the_same_specs_and_is_used(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    fresh = load(tmp_path, BODY, cache=cache)
    (stored,) = cache.iterdir()
    assert load(tmp_path, BODY, cache=cache) == fresh == load(tmp_path, BODY)
    stored.write_text(stored.read_text().replace('"km/h"', '"mph"'))
    assert load(tmp_path, BODY, cache=cache)["M"].signals[0].unit == "mph"


@pytest.mark.parametrize("content", ["", "[]x", '[{"name": 1}]', '{"a": 1}'])
def test_a_spoiled_cache_is_made_anew(tmp_path: Path, content: str) -> None:
    cache = tmp_path / "cache"
    fresh = load(tmp_path, BODY, cache=cache)
    (stored,) = cache.iterdir()
    stored.write_text(content)
    assert load(tmp_path, BODY, cache=cache) == fresh


def test_a_changed_file_is_not_taken_from_the_cache(tmp_path: Path) -> None:
    load(tmp_path, BODY, cache=tmp_path)
    assert load(tmp_path, BODY.replace("km/h", "mph"), cache=tmp_path)["M"].signals[0].unit == "mph"


def test_without_a_writable_cache_there_is_none(tmp_path: Path) -> None:
    occupied = tmp_path / "occupied"
    occupied.write_text("a file, no directory")
    assert load(tmp_path, BODY, cache=occupied / "cache") == load(tmp_path, BODY)
    assert stat.S_ISREG(occupied.stat().st_mode)
