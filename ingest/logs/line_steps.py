"""The vocabulary in which text formats describe their lines.

A pattern is a tuple of steps; each step reads on from where the one before stopped. `line_reading.read_pattern` runs patterns
in plain Python, `line_kernel.scan_lines` compiled; both give the same. Blanks are spaces and tabs; the edge of a word or
number is the end of the line or a byte that is no letter, digit, underscore or point.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

BLANKS = b" \t"
BLANK = 32
"""As a separator: any number of spaces and tabs."""
TIGHT = 0
"""As a separator: nothing."""
MAX_STAMP_NS = 9_000_000_000_000_000_000
MAX_ID = 0x1FFF_FFFF
BUS_NAME_BYTES = 16
MAX_BYTES = 64
LEAST_PACKET_BYTES = 5
"""Of other protocols on a line: three header bytes, one of data, a checksum."""
FD_LENGTHS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64)
"""Data length code -> bytes (ISO 11898-1)."""


class Op(IntEnum):
    """Numbers of the steps in a compiled pattern."""

    GAP = 0
    LITERAL = 1
    STAMP = 2
    CLOCK = 3
    BUS = 4
    FIXED_BUS = 5
    ID = 6
    WAY = 7
    LENGTH = 8
    DATA = 9
    ALL_DATA = 10
    BASE64 = 11
    REST = 12
    END = 13
    FLAG = 14
    WORD = 15
    NUMBER = 16
    TRUTH = 17
    SEPARATOR = 18
    OPTIONAL = 19
    REMOTE_IF_EMPTY = 20
    ID_BYTES = 21
    BUS_DIGIT = 22
    EXTENDED = 23


class LengthKind(IntEnum):
    """What a length says."""

    CLASSIC = 0
    """A data length code of classic CAN: 9 to 15 mean 8."""
    BYTES = 1
    """Bytes, up to 64."""
    FD_CODE = 2
    """A data length code of CAN FD."""
    CODE_OR_BYTES = 3
    """Classic, or the number of bytes where it is above 15."""


class IdRule(IntEnum):
    """How an identifier says that it has 29 bits (above 0x7FF it always has)."""

    SUFFIX_X = 0
    MORE_THAN_FOUR_DIGITS = 1
    BY_VALUE = 2
    MENDED = 3
    """By value; a spreadsheet's 2.00E+06 is taken back to 2E6."""


class Step(NamedTuple):
    """One step: what to read, and up to three arguments (a literal counts as two)."""

    op: Op
    arguments: tuple[int | bytes, ...] = ()


Pattern = tuple[Step, ...]


def gap(least: int = 1) -> Step:
    """At least so many blanks."""
    return Step(Op.GAP, (least,))


def literal(text: bytes) -> Step:
    """These bytes, letters in any case."""
    return Step(Op.LITERAL, (text.lower(),))


def stamp(unit_ns: int, *, comma: bool = False) -> Step:
    """A decimal number of units of so many ns. `comma`: a comma may stand for the point."""
    return Step(Op.STAMP, (unit_ns, int(comma)))


def clock() -> Step:
    """Hours:minutes:seconds and milliseconds or a longer fraction after a colon, point or comma."""
    return Step(Op.CLOCK)


def bus(separator: int = BLANK, *, digits: bool = False) -> Step:
    """The name of a bus: up to the next blank, or up to the separator or a quote, without spaces at its end."""
    return Step(Op.BUS, (0 if separator == BLANK else separator, int(digits)))


def fixed_bus(name: bytes) -> Step:
    """The name of the bus where the line does not tell it (a later step may)."""
    return Step(Op.FIXED_BUS, (name,))


def bus_digit() -> Step:
    """The number of a bus, one digit, right before what follows."""
    return Step(Op.BUS_DIGIT)


def identifier(base: int = 16, rule: IdRule = IdRule.BY_VALUE, *, digits: int = 0) -> Step:
    """A CAN identifier; `digits` asks for so many, below zero for so many with the data right behind them."""
    return Step(Op.ID, (base, rule, digits))


def identifier_bytes() -> Step:
    """A 29-bit identifier as four bytes with blanks between, as diagnostic tools print it."""
    return Step(Op.ID_BYTES)


def extended() -> Step:
    """Nothing to read: the identifier has 29 bits."""
    return Step(Op.EXTENDED)


def way() -> Step:
    """A word that begins with R or I (received) or T or O (transmitted)."""
    return Step(Op.WAY)


def length(base: int = 10, kind: LengthKind = LengthKind.CLASSIC) -> Step:
    """The length of the data."""
    return Step(Op.LENGTH, (base, kind))


def data(separator: int = BLANK, *, lead: bool = True, base: int = 16) -> Step:
    """As many bytes as the length said, none of a remote frame. `lead`: the separator stands before the first one too."""
    return Step(Op.DATA, (separator, int(lead), base))


def all_data(separator: int = BLANK, *, lead: bool = True, base: int = 16) -> Step:
    """As many bytes as there are, at most 64; their number is the length. None of a remote frame."""
    return Step(Op.ALL_DATA, (separator, int(lead), base))


def base64_data() -> Step:
    """The data in base 64; its size is the length. Nothing of a remote frame."""
    return Step(Op.BASE64)


def rest(separator: int = BLANK) -> Step:
    """Whatever follows is for people; it begins with a blank, a quote or the separator."""
    return Step(Op.REST, (separator,))


def end() -> Step:
    """Nothing follows but blanks."""
    return Step(Op.END)


def flag(bits: int) -> Step:
    """Nothing to read: the frame has these bits of `FrameFlag`."""
    return Step(Op.FLAG, (bits,))


def word(separator: int = BLANK) -> Step:
    """Anything up to the next blank (at least a byte), or up to the separator (possibly nothing)."""
    return Step(Op.WORD, (0 if separator == BLANK else separator,))


def number(base: int = 10, most: int = 999_999_999) -> Step:
    """A number of at most `most`; kept for `remote_if_empty`."""
    return Step(Op.NUMBER, (base, most))


def truth(bits: int = 0) -> Step:
    """Yes or no, told by the first letter (1 t y x, 0 f n s, nothing); without bits of `FrameFlag` it means "29 bits"."""
    return Step(Op.TRUTH, (bits,))


def separator(byte: int) -> Step:
    """The byte between two fields, with spaces and quotes about it."""
    return Step(Op.SEPARATOR, (byte,))


def optional(steps: int) -> Step:
    """The next `steps` steps may be missing, all together; they must not change the frame before one of them fails."""
    return Step(Op.OPTIONAL, (steps,))


def remote_if_empty() -> Step:
    """Nothing to read: a length of 0 beside a data length code (the last number) above 0 is a remote frame."""
    return Step(Op.REMOTE_IF_EMPTY)
