"""Damaged DBC files: what is mended, where that is said, and that the meaning is the file's."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import DbcFileError
from domain.frames import EXTENDED_ID
from ingest.descriptions import Description, MendKind, load_description
from ingest.message_spec import MessageSpec, NumberKind

GOOD = 'VERSION ""\n\nNS_ :\n\tCM_\n\tVAL_\n\nBS_:\n\nBU_: ECU\n\nBO_ 291 ENGINE: 8 ECU\n SG_ Speed : 0|16@1+ (0.25,0) [0|8000] "rpm" ECU\n'
AFTER = GOOD.count("\n") + 1
"""Line of what a test puts behind it."""
MESSAGE = 'BO_ 292 {name}: 8 X\n SG_ {signal} : 0|8@1+ ({scale},0) [0|255] "{unit}" {receiver}\n'
PLAIN = {"name": "BODY", "signal": "Door", "scale": "1", "unit": "", "receiver": "X"}


def load(folder: Path, text: str) -> Description:
    path = folder / "car.dbc"
    path.write_bytes(text.encode("cp1252"))
    return load_description(path)


def mended(description: Description) -> list[tuple[int, MendKind]]:
    return [(mend.line, mend.kind) for mend in description.mends]


def body(folder: Path, **odd: str) -> tuple[MessageSpec, list[tuple[int, MendKind]]]:
    """The second message, with odd parts in place of plain ones."""
    description = load(folder, GOOD + MESSAGE.format(**(PLAIN | odd)) + 'CM_ "the end";\n')
    return description.messages[1], mended(description)


def test_a_good_file_is_taken_as_it_is(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD).mends == ()


@pytest.mark.parametrize("name", ["5_SEC", "2017_5", "FILTER", "Größe", "Oil-P", "1"])
def test_names_that_the_format_forbids_stay_as_the_file_has_them(tmp_path: Path, name: str) -> None:
    message, mends = body(tmp_path, name=name, signal=name)
    assert (message.name, message.signals[0].name) == (name, name)
    assert mends == [(AFTER, MendKind.NAME), (AFTER + 1, MendKind.NAME)]


def test_a_selector_with_a_forbidden_name_still_selects(tmp_path: Path) -> None:
    text = (
        'BO_ 292 MUX: 8 X\n SG_ 1st M : 0|8@1+ (1,0) [0|0] "" X\n SG_ 2nd m3 : 8|8@1+ (1,0) [0|0] "" X\n'
        "SG_MUL_VAL_ 292 2nd 1st 3-5;\n"
    )
    selector, child = load(tmp_path, GOOD + text).messages[1].signals
    assert (selector.name, child.name, child.mux_parent, child.mux_ranges) == ("1st", "2nd", "1st", ((3, 5),))


@pytest.mark.parametrize(("written", "scale"), [(".25", 0.25), ("-.5", -0.5), ("+.5e1", 5.0)])
def test_numbers_without_a_leading_zero_are_read(tmp_path: Path, written: str, scale: float) -> None:
    message, mends = body(tmp_path, scale=written)
    assert message.signals[0].scale == scale
    assert mends == [(AFTER + 1, MendKind.NUMBER)]


def test_quotation_marks_inside_a_unit_belong_to_it(tmp_path: Path) -> None:
    message, mends = body(tmp_path, unit='5" bar')
    assert message.signals[0].unit == '5" bar'
    assert mends == [(AFTER + 1, MendKind.QUOTES)]


@pytest.mark.parametrize("receiver", ["", "A B", "2ND", "A, VERSION"])
def test_receivers_have_no_part_in_decoding(tmp_path: Path, receiver: str) -> None:
    message, mends = body(tmp_path, receiver=receiver)
    assert message.signals[0].name == "Door"
    assert mends == [(AFTER + 1, MendKind.RECEIVERS)]


def test_29_bit_identifiers_without_the_flag_keep_what_refers_to_them(tmp_path: Path) -> None:
    text = (
        'BO_ 416940273 LONG: 8 X\n SG_ F : 0|32@1- (1,0) [0|0] "" X\nVAL_ 416940273 F 1 "on" ;\nSIG_VALTYPE_ 416940273 F : 1;\n'
    )
    description = load(tmp_path, GOOD + text)
    message = description.messages[1]
    assert message.can_id == 416940273 | EXTENDED_ID
    assert (message.signals[0].kind, message.signals[0].choices) == (NumberKind.FLOAT32, ((1, "on"),))
    assert mended(description) == [(AFTER, MendKind.EXTENDED_ID_WITHOUT_FLAG)]


def test_a_message_with_no_possible_identifier_is_left_out(tmp_path: Path) -> None:
    description = load(tmp_path, GOOD + MESSAGE.format(**PLAIN).replace("292", "1075054137"))
    assert [message.name for message in description.messages] == ["ENGINE"]
    assert mended(description) == [(AFTER, MendKind.MESSAGE)]
    assert "0x40140639" in description.mends[0].what


def test_a_file_that_breaks_off_in_a_signal_says_so(tmp_path: Path) -> None:
    description = load(tmp_path, GOOD + "BO_ 292 CUT: 8 X\n SG_ Door : 0|8@1+ (1,")
    assert [len(message.signals) for message in description.messages] == [1, 0]
    assert mended(description) == [(AFTER + 1, MendKind.SIGNAL)]


DETAILS = {
    'CM_ SG_ 291 "no signal";': MendKind.COMMENT,
    'CM_ 291 "no kind";': MendKind.COMMENT,
    'CM_ "not closed"': MendKind.COMMENT,
    'CM_ SG_ 291 Speed "he said "stop" twice";': MendKind.COMMENT,
    'CM_ SG_ 291 Speed "an inch is 1"";': MendKind.COMMENT,
    'VAL_ 291 Absent 1 "on" ;': MendKind.VALUE_TABLE_WITHOUT_SIGNAL,
    'VAL_ 999 Speed 1 "on" ;': MendKind.VALUE_TABLE_WITHOUT_SIGNAL,
    'VAL_ 291 Speed 0x1 "on" ;': MendKind.VALUE_TABLE,
    "SIG_VALTYPE_ 291 Absent : 1;": MendKind.FLOAT_TYPE,
    "SIG_VALTYPE_ 291 Speed : 9": MendKind.MISSING_SEMICOLON,
    'BA_ "Undefined" BO_ 291 1;': MendKind.ATTRIBUTE,
    "SG_MUL_VAL_ 291 Speed Sel 1-x;": MendKind.MULTIPLEXING,
    "and now for something completely different": MendKind.STATEMENT,
}


@pytest.mark.parametrize("line", DETAILS)
def test_what_cannot_be_used_is_left_out_and_spoils_nothing_else(tmp_path: Path, line: str) -> None:
    description = load(tmp_path, GOOD + line + "\n" + MESSAGE.format(**PLAIN) + 'VAL_ 292 Door 1 "open" ;\n')
    assert [message.name for message in description.messages] == ["ENGINE", "BODY"]
    assert description.messages[1].signals[0].choices == ((1, "open"),)
    assert mended(description) == [(AFTER, DETAILS[line])]


@pytest.mark.parametrize(
    ("table", "choices", "kind"),
    [
        ('0 "a "b" c" 1 "d";', ((0, 'a "b" c'), (1, "d")), MendKind.QUOTES),
        ('0 "off" 1 "on"', ((0, "off"), (1, "on")), MendKind.MISSING_SEMICOLON),
        ('0.0 "off" 1.0 "on" ;', ((0, "off"), (1, "on")), MendKind.NUMBER),
    ],
)
def test_value_tables_are_read_in_spite_of_small_faults(
    tmp_path: Path, table: str, choices: tuple[tuple[int, str], ...], kind: MendKind
) -> None:
    description = load(tmp_path, GOOD + f"VAL_ 291 Speed {table}\n" + MESSAGE.format(**PLAIN))
    assert description.messages[0].signals[0].choices == choices
    assert mended(description) == [(AFTER, kind)]


def test_selector_values_too_many_to_count_out_stay_a_range(tmp_path: Path) -> None:
    text = (
        'BO_ 292 MUX: 8 X\n SG_ Sel M : 0|32@1+ (1,0) [0|0] "" X\n SG_ A m0 : 32|8@1+ (1,0) [0|0] "" X\n'
        "SG_MUL_VAL_ 292 A Sel 0-4000000000;\n"
    )
    description = load(tmp_path, GOOD + text)
    assert description.messages[1].signals[1].mux_ranges == ((0, 4_000_000_000),)
    assert mended(description) == [(AFTER + 3, MendKind.WIDE_RANGE)]


def test_messages_longer_than_any_transport_carries_are_left_out_before_they_fill_the_memory(tmp_path: Path) -> None:
    description = load(tmp_path, GOOD + "BO_ 292 LONG: 999999999 X\n")
    assert [message.name for message in description.messages] == ["ENGINE"]
    assert mended(description) == [(AFTER, MendKind.MESSAGE)]


def test_signals_of_impossible_length_are_left_out(tmp_path: Path) -> None:
    description = load(tmp_path, GOOD + 'BO_ 292 M: 8 X\n SG_ A : 0|9999999@1+ (1,0) [0|0] "" X\n')
    assert [message.signals for message in description.messages[1:]] == [()]
    assert mended(description) == [(AFTER + 1, MendKind.SIGNAL)]


def test_signals_that_no_number_holds_are_left_out(tmp_path: Path) -> None:
    description = load(tmp_path, GOOD + 'BO_ 292 TEXT: 255 X\n SG_ A : 0|2000@1+ (0.1,0) [0|0] "" X\n')
    assert [message.signals for message in description.messages[1:]] == [()]
    assert mended(description) == [(AFTER, MendKind.SIGNAL)]


def test_details_between_the_signals_of_a_message_do_not_part_them(tmp_path: Path) -> None:
    text = 'BO_ 292 M: 8 X\n SG_ A : 0|8@1+ (1,0) [0|0] "" X\nVAL_ 292 A 1 "on" ;\n SG_ B : 8|8@1+ (.5,0) [0|0] "" X\n'
    description = load(tmp_path, GOOD + text)
    assert [(s.name, s.scale, s.choices) for s in description.messages[1].signals] == [("A", 1.0, ((1, "on"),)), ("B", 0.5, ())]
    assert mended(description) == [(AFTER + 3, MendKind.NUMBER)]


def test_an_attribute_given_by_its_word_counts_by_its_number(tmp_path: Path) -> None:
    text = (
        'BO_ 2566843904 ET1: 8 X\n SG_ Coolant : 0|8@1+ (1,-40) [-40|210] "" X\n'
        'BA_DEF_ BO_ "VFrameFormat" ENUM "StandardCAN","ExtendedCAN","reserved","J1939PG";\n'
        'BA_ "VFrameFormat" BO_ 2566843904 "J1939PG";\nCM_ 1 "spoilt";\n'
    )
    assert load(tmp_path, GOOD + text).messages[1].can_id == 0xFEEE


def test_the_later_of_two_messages_with_one_identifier_counts_and_that_is_said(tmp_path: Path) -> None:
    description = load(tmp_path, GOOD + MESSAGE.format(**PLAIN).replace("292", "291"))
    assert [message.name for message in description.messages] == ["BODY"]
    assert mended(description) == [(AFTER - 2, MendKind.DUPLICATE_MESSAGE)]


@pytest.mark.parametrize(("encoding", "unit"), [("utf-8", "°C"), ("gb18030", "摄氏度"), ("cp1252", "°C"), ("utf-8-sig", "°C")])
def test_units_are_read_in_the_encoding_they_were_written_in(tmp_path: Path, encoding: str, unit: str) -> None:
    path = tmp_path / "car.dbc"
    path.write_bytes((GOOD + MESSAGE.format(**(PLAIN | {"unit": unit}))).encode(encoding))
    description = load_description(path)
    assert description.messages[1].signals[0].unit == unit
    kinds = {"utf-8": [MendKind.ENCODING], "gb18030": [MendKind.ENCODING], "utf-8-sig": [MendKind.BYTE_ORDER_MARK]}
    assert [mend.kind for mend in description.mends] == kinds.get(encoding, [])


def test_a_mend_says_file_line_and_what() -> None:
    from ingest.descriptions import Mend

    mend = Mend(file="car.dbc", line=7, kind=MendKind.NUMBER, what="Speed: .25 written out")
    assert str(mend) == "car.dbc:7: Speed: .25 written out"


RICH = GOOD + (
    'BO_ 292 MUX: 8 X\n SG_ Sel M : 0|8@1+ (1,0) [0|0] "" X\n SG_ A m1 : 8|32@1- (0.1,0) [0|0] "V" X\n\n'
    'CM_ SG_ 291 Speed "of the engine";\nBA_DEF_ BO_ "VFrameFormat" ENUM "StandardCAN","J1939PG";\nBA_DEF_DEF_ "VFrameFormat" "StandardCAN";\n'
    'BA_ "VFrameFormat" BO_ 291 0;\nVAL_ 292 Sel 1 "one" 2 "two" ;\nSIG_VALTYPE_ 292 A : 1;\nSG_MUL_VAL_ 292 A Sel 1-1, 3-4;\n'
)


@given(
    st.lists(st.tuples(st.integers(0, len(RICH)), st.integers(0, 3), st.text('"; 0|@+-():,.\n_SGBOx9', max_size=3)), max_size=4)
)
def test_however_damaged_a_file_is_loaded_or_refused_in_one_line(cuts: list[tuple[int, int, str]]) -> None:
    from tests.ingest.random_dbc import dbc_file

    text = RICH
    for at, length, put in cuts:
        text = text[:at] + put + text[at + length :]
    try:
        description = load_description(dbc_file(text))
    except DbcFileError as refusal:
        told = [str(refusal)]
    else:
        told = [str(mend) for mend in description.mends]
    assert not any("\n" in line for line in told)
