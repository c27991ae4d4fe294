"""Patterns run in plain Python with regular expressions: the reference of the kernel, and the fallback where none can run."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from domain.frames import FrameFlag
from ingest.logs.line_steps import (
    BLANK,
    BLANKS,
    BUS_NAME_BYTES,
    FD_LENGTHS,
    LEAST_PACKET_BYTES,
    MAX_BYTES,
    MAX_ID,
    MAX_STAMP_NS,
    IdRule,
    LengthKind,
    Op,
    Pattern,
)

_EDGE = rb"(?![0-9A-Za-z_.])"
_GAP = re.compile(rb"[ \t]*")
_NUMBER = (
    re.compile(rb"(-?)(\d{1,18})(?:\.(\d*))?" + _EDGE),
    re.compile(rb"(-?)(\d{1,18})(?:[.,](\d*))?(?![0-9A-Za-z_.,])"),
)
_CLOCK = re.compile(rb"(\d{1,3}):(\d{1,2}):(\d{1,2})(?:([:.,])(\d{1,9}))?+" + _EDGE)
_DIGITS = {16: rb"[0-9A-Fa-f]{1,8}", 10: rb"\d{1,10}"}
_ID = {
    (base, suffix): re.compile((rb"(%s)([xX]?)" if suffix else rb"(?:0[xX])?(%s)()") % digits + _EDGE)
    for base, digits in _DIGITS.items()
    for suffix in (False, True)
}
_EXACT_ID = {
    digits: re.compile(rb"([0-9A-Fa-f]{%d})()" % abs(digits) + (_EDGE if digits > 0 else b"")) for digits in (3, -3, 8, -8)
}
_MANGLED = re.compile(rb"([1-7])\.0+E\+0*(\d)" + _EDGE)
_ID_BYTES = re.compile(rb"[0-9A-Fa-f]{2}(?:[ \t]+[0-9A-Fa-f]{2}){3}" + _EDGE)
_WAY = re.compile(rb"([RrTtIiOo])[A-Za-z]*" + _EDGE)
_LENGTH = {16: re.compile(rb"[0-9A-Fa-f]{1,2}" + _EDGE), 10: re.compile(rb"\d{1,2}" + _EDGE)}
_WHOLE = {16: re.compile(rb"[0-9A-Fa-f]{1,9}" + _EDGE), 10: re.compile(rb"\d{1,9}" + _EDGE)}
_TRUTH = re.compile(rb"(?:([1tTyYxX])[A-Za-z]*|[0fFnNsS][A-Za-z]*|)" + _EDGE)
_SEPARATORS = {byte: re.compile(rb'"? *' + re.escape(bytes([byte])) + rb' *"?') for byte in b",;\t"}
_BYTE = {
    (True, 16): re.compile(rb"(?:0[xX])?([0-9A-Fa-f]{1,2})" + _EDGE),
    (True, 10): re.compile(rb"(?:0[xX])?(\d{1,3})" + _EDGE),
    (False, 16): re.compile(rb"([0-9A-Fa-f]{2})"),
}
_BASE64 = re.compile(rb"[A-Za-z0-9+/]*={0,2}")


@dataclass(slots=True)
class ReadFrame:
    """What has been read of a line. Each method is a step: where it stopped, -1 where the line is something else."""

    line: bytes
    at: int = 0
    stamp_ns: int | None = None
    bus_name: bytes = b""
    can_id: int = 0
    is_extended: bool = False
    size: int = 0
    flags: int = 0
    code: int = 0
    mended: int = 0
    content: bytearray = field(default_factory=bytearray)

    def _gap(self, least: int) -> int:
        match = _GAP.match(self.line, self.at)
        return match.end() if match is not None and match.end() - self.at >= least else -1

    def _literal(self, text: bytes) -> int:
        stop = self.at + len(text)
        return stop if self.line[self.at : stop].lower() == text else -1

    def _stamp(self, unit_ns: int, comma: int) -> int:
        match = _NUMBER[comma].match(self.line, self.at)
        if match is None or int(match[2]) > MAX_STAMP_NS // unit_ns - 1:
            return -1
        digits = len(str(unit_ns)) - 1
        value = int(match[2]) * unit_ns + int((match[3] or b"")[:digits].ljust(digits, b"0") or b"0")
        self.stamp_ns = -value if match[1] else value
        return match.end()

    def _clock(self) -> int:
        match = _CLOCK.match(self.line, self.at)
        if match is None or int(match[2]) > 59 or int(match[3]) > 59:
            return -1
        whole = (int(match[1]) * 60 + int(match[2])) * 60 + int(match[3])
        fraction = match[5] or b""
        if match[4] == b":":
            fraction = fraction.rjust(3, b"0")
        self.stamp_ns = whole * 1_000_000_000 + int(fraction.ljust(9, b"0"))
        return match.end()

    def _bus(self, separator: int, digits: int) -> int:
        stops = bytes([separator]) + b'"' if separator else BLANKS
        stop = self.at
        while stop < len(self.line) and self.line[stop] not in stops:
            stop += 1
        name = self.line[self.at : stop].rstrip(b" ")
        if not 0 < len(name) <= BUS_NAME_BYTES or (digits and not name.isdigit()):
            return -1
        self.bus_name = name
        return self.at + len(name)

    def _fixed_bus(self, name: bytes) -> int:
        self.bus_name = name
        return self.at

    def _bus_digit(self) -> int:
        digit = self.line[self.at : self.at + 1]
        if not digit.isdigit():
            return -1
        self.bus_name = digit
        return self.at + 1

    def _id(self, base: int, rule: int, digits: int) -> int:
        if rule == IdRule.MENDED and (match := _MANGLED.match(self.line, self.at)):
            self.can_id = int(match[1]) << 8 | 0xE0 | int(match[2])
            self.mended = 1
            return match.end()
        match = (_EXACT_ID[digits] if digits else _ID[base, rule == IdRule.SUFFIX_X]).match(self.line, self.at)
        if match is None or int(match[1], base) > MAX_ID:
            return -1
        self.can_id = int(match[1], base)
        many = rule == IdRule.MORE_THAN_FOUR_DIGITS and len(match[1]) > 4
        self.is_extended |= many or bool(match[2]) or abs(digits) == 8
        return match.end()

    def _id_bytes(self) -> int:
        match = _ID_BYTES.match(self.line, self.at)
        if match is None:
            return -1
        self.can_id = int.from_bytes(bytes.fromhex(match[0].decode()))
        self.is_extended = True
        return match.end() if self.can_id <= MAX_ID else -1

    def _extended(self) -> int:
        self.is_extended = True
        return self.at

    def _way(self) -> int:
        match = _WAY.match(self.line, self.at)
        if match is None:
            return -1
        if match[1] in b"TtOo":
            self.flags |= FrameFlag.TRANSMITTED
        return match.end()

    def _length(self, base: int, kind: int) -> int:
        match = _LENGTH[base].match(self.line, self.at)
        if match is None:
            return -1
        said = int(match[0], base)
        if said > (15 if kind in {LengthKind.CLASSIC, LengthKind.FD_CODE} else MAX_BYTES):
            return -1
        self.size = said
        if kind == LengthKind.FD_CODE:
            self.size = FD_LENGTHS[said]
        elif kind != LengthKind.BYTES and 8 < said <= 15:
            self.size = 8
        return match.end()

    def _data(self, separator: int, lead: int, base: int) -> int:
        if not self.flags & FrameFlag.REMOTE:
            for _ in range(self.size):
                if not self._take_byte(separator, base, separated=bool(lead) or len(self.content) > 0):
                    return -1
        return self.at

    def _all_data(self, separator: int, lead: int, base: int) -> int:
        if self.flags & FrameFlag.REMOTE:
            return self.at
        while self._take_byte(separator, base, separated=bool(lead) or len(self.content) > 0):
            pass
        self.size = len(self.content)
        least = LEAST_PACKET_BYTES if self.flags & FrameFlag.PACKET else 0
        return self.at if least <= self.size <= MAX_BYTES else -1

    def _take_byte(self, separator: int, base: int, *, separated: bool) -> bool:
        """Read one data byte and what stands before it."""
        began = self.at
        if separated and separator:
            self.at = self._gap(1) if separator == BLANK else self._separator(separator)
        match = _BYTE[bool(separator), base].match(self.line, self.at) if self.at >= 0 else None
        if match is None or int(match[1], base) > 255:
            self.at = began
            return False
        self.content.append(int(match[1], base))
        self.at = match.end()
        return True

    def _base64(self) -> int:
        match = _BASE64.match(self.line, self.at)
        if match is None or len(match[0]) % 4:
            return -1
        if self.flags & FrameFlag.REMOTE:
            return self.at if match.end() == self.at else -1
        self.content += base64.b64decode(match[0])
        self.size = len(self.content)
        return match.end() if self.size <= MAX_BYTES else -1

    def _rest(self, separator: int) -> int:
        ended = self.at == len(self.line) or self.line[self.at] in b' \t"' + bytes([separator])
        return len(self.line) if ended else -1

    def _end(self) -> int:
        return -1 if self.line[self.at :].strip(BLANKS) else len(self.line)

    def _flag(self, bits: int) -> int:
        self.flags |= bits
        return self.at

    def _word(self, separator: int) -> int:
        stops = bytes([separator]) if separator else BLANKS
        stop = self.at
        while stop < len(self.line) and self.line[stop] not in stops:
            stop += 1
        return stop if separator or stop > self.at else -1

    def _number(self, base: int, most: int) -> int:
        match = _WHOLE[base].match(self.line, self.at)
        if match is None or int(match[0], base) > most:
            return -1
        self.code = int(match[0], base)
        return match.end()

    def _truth(self, bits: int) -> int:
        match = _TRUTH.match(self.line, self.at)
        if match is None:
            return -1
        if match[1]:
            self.flags |= bits
            self.is_extended |= not bits
        return match.end()

    def _separator(self, byte: int) -> int:
        match = _SEPARATORS[byte].match(self.line, self.at)
        return -1 if match is None else match.end()

    def _optional(self, _steps: int) -> int:
        return self.at

    def _remote_if_empty(self) -> int:
        if self.size == 0 and self.code > 0:
            self.flags |= FrameFlag.REMOTE
            self.size = min(self.code, 8)
        return self.at


_READ: dict[Op, Callable[..., int]] = {op: getattr(ReadFrame, f"_{op.name.lower()}") for op in Op}


def read_pattern(pattern: Pattern, line: bytes) -> ReadFrame | None:
    """The frame that a line without surrounding blanks holds, None where the pattern does not fit it."""
    frame = ReadFrame(line)
    place, spare, spare_at = 0, -1, 0
    while place < len(pattern):
        step = pattern[place]
        if place == spare:
            spare = -1
        place += 1
        if step.op == Op.OPTIONAL:
            spare, spare_at = place + int(step.arguments[0]), frame.at
            continue
        frame.at = _READ[step.op](frame, *step.arguments)
        if frame.at < 0:
            if spare < 0:
                return None
            place, frame.at, spare = spare, spare_at, -1
    return frame
