"""KCD, SYM and ARXML files, and the corners of DBC files: cantools decodes beside us."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.kernels import lazy_jit
from domain.errors import DbcFileError
from domain.frames import EXTENDED_ID
from domain.ports import Jit, no_jit
from ingest.decoder import Decoder
from ingest.descriptions import MendKind, load_description
from ingest.message_spec import CONTAINER, Match, MessageSpec, NumberKind
from tests.ingest.cantools_oracle import compare, profile
from tests.ingest.frames import F, frame_batch
from tests.ingest.random_dbc import dbc_file

JITS = pytest.mark.parametrize("jit", [lazy_jit, no_jit], ids=["kernels", "numpy"])

KCD = """<?xml version="1.0" encoding="UTF-8"?>
<NetworkDefinition xmlns="http://kayak.2codeornot2code.org/1.0">
  <Document name="car"/>
  <Bus name="Motor">
    <Message id="0x123" name="Engine" length="8">
      <Signal name="Speed" offset="0" length="16" endianess="big"><Value slope="0.25" unit="rpm" type="unsigned"/></Signal>
      <Signal name="Torque" offset="24" length="12"><Value slope="0.5" intercept="-100" unit="Nm" type="signed"/></Signal>
      <Signal name="Gear" offset="40" length="4"><LabelSet><Label name="park" value="0"/><Label name="drive" value="1"/></LabelSet></Signal>
    </Message>
    <Message id="0x18FF0012" name="Mux" length="8" format="extended">
      <Multiplex name="Page" offset="0" length="8">
        <MuxGroup count="0"><Signal name="A" offset="8" length="32"><Value type="single" unit="V"/></Signal></MuxGroup>
        <MuxGroup count="1"><Signal name="B" offset="8" length="8"/></MuxGroup>
      </Multiplex>
    </Message>
  </Bus>
</NetworkDefinition>
"""
SYM = """FormatVersion=6.0 // Do not edit this line!
Title="car"

{ENUMS}
Enum=Gear(0="park", 1="drive")

{SIGNALS}
Sig=Speed unsigned 16 -m /u:rpm /f:0.25
Sig=Position unsigned 4 /e:Gear

{SENDRECEIVE}

[Engine]
ID=123h
Len=8
Sig=Speed 0
Sig=Position 16
"""
ARXML = """<?xml version="1.0" encoding="UTF-8"?>
<AUTOSAR xmlns="http://autosar.org/schema/r4.0"><AR-PACKAGES>
<AR-PACKAGE><SHORT-NAME>Net</SHORT-NAME><ELEMENTS>
<CAN-CLUSTER><SHORT-NAME>C</SHORT-NAME><CAN-CLUSTER-VARIANTS><CAN-CLUSTER-CONDITIONAL><PHYSICAL-CHANNELS><CAN-PHYSICAL-CHANNEL>
<SHORT-NAME>P</SHORT-NAME><FRAME-TRIGGERINGS><CAN-FRAME-TRIGGERING><SHORT-NAME>T</SHORT-NAME>
<FRAME-REF DEST="CAN-FRAME">/Net/Engine</FRAME-REF><CAN-ADDRESSING-MODE>STANDARD</CAN-ADDRESSING-MODE><IDENTIFIER>291</IDENTIFIER>
</CAN-FRAME-TRIGGERING></FRAME-TRIGGERINGS></CAN-PHYSICAL-CHANNEL></PHYSICAL-CHANNELS></CAN-CLUSTER-CONDITIONAL></CAN-CLUSTER-VARIANTS></CAN-CLUSTER>
<CAN-FRAME><SHORT-NAME>Engine</SHORT-NAME><FRAME-LENGTH>8</FRAME-LENGTH><PDU-TO-FRAME-MAPPINGS><PDU-TO-FRAME-MAPPING>
<SHORT-NAME>M</SHORT-NAME><PDU-REF DEST="I-SIGNAL-I-PDU">/Net/Pdu</PDU-REF></PDU-TO-FRAME-MAPPING></PDU-TO-FRAME-MAPPINGS></CAN-FRAME>
<I-SIGNAL-I-PDU><SHORT-NAME>Pdu</SHORT-NAME><LENGTH>8</LENGTH><I-SIGNAL-TO-PDU-MAPPINGS>
<I-SIGNAL-TO-I-PDU-MAPPING><SHORT-NAME>S1</SHORT-NAME><I-SIGNAL-REF DEST="I-SIGNAL">/Net/speed</I-SIGNAL-REF>
<PACKING-BYTE-ORDER>MOST-SIGNIFICANT-BYTE-FIRST</PACKING-BYTE-ORDER><START-POSITION>7</START-POSITION></I-SIGNAL-TO-I-PDU-MAPPING>
<I-SIGNAL-TO-I-PDU-MAPPING><SHORT-NAME>S2</SHORT-NAME><I-SIGNAL-REF DEST="I-SIGNAL">/Net/count</I-SIGNAL-REF>
<PACKING-BYTE-ORDER>MOST-SIGNIFICANT-BYTE-LAST</PACKING-BYTE-ORDER><START-POSITION>32</START-POSITION></I-SIGNAL-TO-I-PDU-MAPPING>
</I-SIGNAL-TO-PDU-MAPPINGS></I-SIGNAL-I-PDU>
<I-SIGNAL><SHORT-NAME>speed</SHORT-NAME><LENGTH>16</LENGTH><SYSTEM-SIGNAL-REF DEST="SYSTEM-SIGNAL">/Net/Speed</SYSTEM-SIGNAL-REF></I-SIGNAL>
<I-SIGNAL><SHORT-NAME>count</SHORT-NAME><LENGTH>8</LENGTH><SYSTEM-SIGNAL-REF DEST="SYSTEM-SIGNAL">/Net/Count</SYSTEM-SIGNAL-REF></I-SIGNAL>
<SYSTEM-SIGNAL><SHORT-NAME>Speed</SHORT-NAME><PHYSICAL-PROPS><SW-DATA-DEF-PROPS-VARIANTS><SW-DATA-DEF-PROPS-CONDITIONAL>
<COMPU-METHOD-REF DEST="COMPU-METHOD">/Net/Scale</COMPU-METHOD-REF></SW-DATA-DEF-PROPS-CONDITIONAL></SW-DATA-DEF-PROPS-VARIANTS></PHYSICAL-PROPS></SYSTEM-SIGNAL>
<SYSTEM-SIGNAL><SHORT-NAME>Count</SHORT-NAME></SYSTEM-SIGNAL>
<COMPU-METHOD><SHORT-NAME>Scale</SHORT-NAME><CATEGORY>LINEAR</CATEGORY><COMPU-INTERNAL-TO-PHYS><COMPU-SCALES><COMPU-SCALE>
<COMPU-RATIONAL-COEFFS><COMPU-NUMERATOR><V>-40</V><V>1</V></COMPU-NUMERATOR><COMPU-DENOMINATOR><V>2</V></COMPU-DENOMINATOR></COMPU-RATIONAL-COEFFS>
</COMPU-SCALE></COMPU-SCALES></COMPU-INTERNAL-TO-PHYS></COMPU-METHOD>
</ELEMENTS></AR-PACKAGE></AR-PACKAGES></AUTOSAR>
"""
FORMATS = {"car.kcd": KCD, "car.sym": SYM, "car.arxml": ARXML}


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_other_formats_decode_as_in_cantools(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, name, FORMATS[name])
    assert load_description(path).mends == ()
    result = compare(path, [lazy_jit, no_jit], frames_per_message=60, seed=3)
    assert result.differing == []
    assert result.values > 100


@pytest.mark.parametrize("name", FORMATS)
def test_the_format_is_told_by_the_content(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, name, FORMATS[name])
    other = written(tmp_path, "network.txt", FORMATS[name])
    assert [m.signals for m in load_description(other).messages] == [m.signals for m in load_description(path).messages]


def test_signals_of_other_formats_are_taken_over_as_written(tmp_path: Path) -> None:
    engine, mux = load_description(written(tmp_path, "car.kcd", KCD)).messages
    assert (engine.can_id, mux.can_id) == (0x123, 0x18FF0012 | EXTENDED_ID)
    torque = next(s for s in engine.signals if s.name == "Torque")
    assert (torque.kind, torque.scale, torque.offset, torque.unit) == (NumberKind.SIGNED, 0.5, -100.0, "Nm")
    assert next(s for s in engine.signals if s.name == "Gear").choices == ((0, "park"), (1, "drive"))
    a = next(s for s in mux.signals if s.name == "A")
    assert (a.kind, a.mux_parent, a.mux_ranges) == (NumberKind.FLOAT32, "Page", ((0, 0),))


ARXML_FAULTS = {
    "a frame that is not there": ("/Net/Engine<", "/Net/Absent<", MendKind.MESSAGE, []),
    "no factor": ("<V>-40</V><V>1</V>", "<V>-40</V>", MendKind.SIGNAL, ["count"]),
    "no divisor": ("<V>2</V>", "", MendKind.SIGNAL, ["count"]),
    "no release of AUTOSAR": ("schema/r4.0", "schema/r4.9.9.9.9", MendKind.NAMESPACE, ["speed", "count"]),
}


@pytest.mark.parametrize("fault", ARXML_FAULTS)
def test_a_damaged_arxml_loses_no_more_than_what_is_damaged(tmp_path: Path, fault: str) -> None:
    good, bad, kind, signals = ARXML_FAULTS[fault]
    description = load_description(written(tmp_path, "car.arxml", ARXML.replace(good, bad)))
    assert [s.name for m in description.messages for s in m.signals] == signals
    (mend,) = description.mends
    assert mend.kind is kind
    assert mend.line > 0


def test_a_selector_without_bits_is_left_out_of_a_sym(tmp_path: Path) -> None:
    description = load_description(written(tmp_path, "car.sym", SYM.replace("Len=8\n", "Len=8\nMux=Page 0,0 0 -t\n")))
    assert [s.name for s in description.messages[0].signals] == ["Speed", "Position"]
    assert [mend.kind for mend in description.mends] == [MendKind.MULTIPLEXING]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("car.sym", SYM.replace("6.0", "5.0"), "Only SYM version 6.0 is supported"),
        ("car.arxml", ARXML.replace("AUTOSAR", "NOT-AUTOSAR"), "illegal root tag"),
        ("car.xml", "<diagnostics/>", "is XML, but no network description"),
        ("car.sym", SYM.replace('1="drive"', '1e999="drive"'), "is not a SYM that can be loaded: .*infinity"),
        ("car.kcd", KCD[:400], "is not a KCD that can be loaded"),
    ],
)
def test_what_cannot_be_loaded_is_refused_with_the_reason(tmp_path: Path, name: str, text: str, reason: str) -> None:
    with pytest.raises(DbcFileError, match=reason):
        load_description(written(tmp_path, name, text))


def decoder(messages: tuple[MessageSpec, ...], jit: Jit) -> Decoder:
    return Decoder({"p": profile(messages)}, lambda _vehicle: "p", jit=jit)


HEAD = 'VERSION ""\nNS_ :\nBS_:\nBU_:\n'
UNDECLARED = HEAD + (
    'BO_ 291 M: 8 X\n SG_ Sel m : 0|2@1+ (1,0) [0|0] "" X\n SG_ A m1 : 8|8@1+ (1,0) [0|0] "" X\n SG_ Plain : 16|8@1+ (1,0) [0|0] "" X\n'
    "SG_MUL_VAL_ 291 A Sel 1-1;\n"
)


@JITS
def test_a_selector_that_is_not_marked_as_one_selects_by_default_and_that_is_counted(jit: Jit) -> None:
    messages = load_description(dbc_file(UNDECLARED)).messages
    frames = frame_batch([F(291, b"\x01\x07\x09"), F(291, b"\x02\x07\x09")])
    strict, default = decoder(messages, jit).decode_strict(frames), decoder(messages, jit).decode(frames)
    at = strict.groups[0].names.index("A")
    assert strict.groups[0].valid[at].tolist() == [False, False]
    assert default.groups[0].values[at, default.groups[0].valid[at]].tolist() == [7.0]
    assert default.anomalies == strict.anomalies == {("M", "short_frame"): 2, ("M", "undeclared_mux"): 1}


@JITS
def test_container_frames_give_nothing_and_are_counted(jit: Jit) -> None:
    container = MessageSpec(name="BOX", can_id=0x101, signals=(), length=64, undecodable=CONTAINER)
    signals = decoder((container,), jit).decode(frame_batch([F(0x101, bytes(64)), F(0x101, bytes(12))]))
    assert (signals.groups, signals.known_frames) == ((), 2)
    assert signals.anomalies == {("BOX", "container"): 2}


@JITS
@pytest.mark.parametrize("raw", [0, 1, 2**53 + 1, 2**63, 2**64 - 1])
@pytest.mark.parametrize("order", ["0|64@1", "7|64@0"])
def test_64_bit_integers_are_given_whole(jit: Jit, raw: int, order: str) -> None:
    text = HEAD + f'BO_ 291 M: 8 X\n SG_ U : {order}+ (1,0) [0|0] "" X\n\nBO_ 292 N: 8 X\n SG_ S : {order}- (1,0) [0|0] "" X\n'
    data = raw.to_bytes(8, "little" if order.endswith("1") else "big")
    signals = decoder(load_description(dbc_file(text)).messages, jit).decode(frame_batch([F(291, data), F(292, data)]))
    unsigned, signed = (group.raw(0).tolist() for group in signals.groups)
    assert (unsigned, signed) == ([raw], [raw - 2**64 if raw >= 2**63 else raw])


GROUPS = HEAD + (
    'BO_ 2565804322 ONE: 8 X\n SG_ A : 0|8@1+ (1,0) [0|0] "" X\n\nBO_ 2565813026 TWO: 8 X\n SG_ B : 0|8@1+ (1,0) [0|0] "" X\n\n'
    'BA_DEF_ BO_ "VFrameFormat" ENUM "StandardCAN","ExtendedCAN","reserved","J1939PG";\nBA_DEF_DEF_ "VFrameFormat" "J1939PG";\n'
)


@JITS
def test_messages_of_one_parameter_group_are_told_apart_by_destination_and_source(jit: Jit) -> None:
    one, two = load_description(dbc_file(GROUPS)).messages
    assert (one.match, two.match) == (Match.EXACT, Match.EXACT)
    urgent = 0x8C00_0000 | (two.can_id & 0x03FF_FFFF)
    signals = decoder((one, two), jit).decode(frame_batch([F(0x98EF_1122, b"\x01"), F(urgent, b"\x02")]))
    assert {group.message: group.values[0].tolist() for group in signals.groups} == {"ONE": [1.0], "TWO": [2.0]}


@JITS
def test_several_files_of_one_bus_each_decode_by_themselves(tmp_path: Path, jit: Jit) -> None:
    first = load_description(written(tmp_path, "car.kcd", KCD), bus="can0").messages
    second = load_description(written(tmp_path, "car.sym", SYM), bus="can0").messages
    signals = decoder(first + second, jit).decode(frame_batch([F(0x123, bytes(8)), F(0x123, bytes(8), bus="can1")]))
    assert [(group.message, group.names[0], group.frame.tolist()) for group in signals.groups] == [
        ("Engine", "Speed", [0]),
        ("Engine", "Speed", [0]),
    ]
    assert signals.known_frames == 1
