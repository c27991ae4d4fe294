"""What was put right in a description file before it could be read: nothing is mended in silence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MendKind(StrEnum):
    """Why the file could not be taken as it is written, and what was done."""

    BYTE_ORDER_MARK = "byte_order_mark"
    ENCODING = "encoding"
    """Text in UTF-8 or GB 18030, where the format's custom is code page 1252."""
    EXTENDED_ID_WITHOUT_FLAG = "extended_id_without_flag"
    """An identifier of more than 11 bits without bit 31: taken as a 29-bit identifier."""
    NAME = "name"
    """A name that the format does not allow (a digit first, a keyword, a sign): kept as the file has it."""
    NUMBER = "number"
    QUOTES = "quotes"
    """A quotation mark inside a text, without a backslash."""
    MISSING_SEMICOLON = "missing_semicolon"
    SPACING = "spacing"
    RECEIVERS = "receivers"
    RANGE = "range"
    """Minimum or maximum is no number (it has no part in decoding)."""
    COMMENT = "comment"
    """A comment that names no message or signal, or is not closed: left out."""
    ATTRIBUTE = "attribute"
    """An attribute that is not defined, or whose value does not fit its definition: left out."""
    VALUE_TABLE = "value_table"
    """A value table that cannot be read: left out."""
    VALUE_TABLE_WITHOUT_SIGNAL = "value_table_without_signal"
    """The signal is not in the file (generators put another file before it): left out."""
    FLOAT_TYPE = "float_type"
    """A number type of a signal that is not in the file, or of a length that no such number has: left out."""
    MULTIPLEXING = "multiplexing"
    """Extended multiplexing that cannot be read: left out."""
    WIDE_RANGE = "wide_range"
    """A range of selector values too wide to be counted out one by one: kept as a range."""
    SIGNAL = "signal"
    """A signal without bits, with more than a number holds, or without a message: left out."""
    MESSAGE = "message"
    """A message whose identifier has more than 29 bits, or that no parser takes: left out with its signals."""
    STATEMENT = "statement"
    """Something that is no statement of the format: left out."""
    METADATA = "metadata"
    """Everything that has no part in decoding was left out, since something in it could not be read."""
    NAMESPACE = "namespace"
    """An ARXML namespace of no AUTOSAR release: read as AUTOSAR 4."""
    DUPLICATE_MESSAGE = "duplicate_message"
    """Two messages with one identifier: the last one counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """One thing put right.

    Attributes:
        file: its name without folders. line: 1-based, 0 where it is about the whole file.
        what: in a few words, with the name or number it is about.
    """

    file: str
    line: int
    kind: MendKind
    what: str

    def __str__(self) -> str:
        """`FILE:LINE: what`, for people."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.what}"
