"""Mending what says where the bits lie: BO_ and SG_ lines of a DBC."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ingest.descriptions.dbc_statements import KEYWORDS
from ingest.descriptions.mend import MendKind

Note = Callable[[MendKind, str], None]
"""Told of every mend of the statement at hand."""

UNASSIGNED = "VECTOR__INDEPENDENT_SIG_MSG"
"""CANdb++ keeps signals of no message in it, under an identifier that is none."""
EXTENDED_FLAG = 0x8000_0000
LONGEST_MESSAGE_BYTES = 65_535
_LONGEST_SIGNAL_BITS = 8 * LONGEST_MESSAGE_BYTES
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_PLAIN_NUMBER = re.compile(r"[-+]?\d+\.?\d*([eE][+-]?\d+)?\Z", re.ASCII)
_MESSAGE = re.compile(r"\s*BO_\s+(\d{1,12})\s+([^\s:]+)\s*:\s*(\d{1,9})\s*(\S*)\s*\Z", re.ASCII)
_SIGNAL = re.compile(
    r"\s*SG_\s+(?P<name>[^\s:]+)(?:\s+(?P<mux>M|m\d*M?))?\s*:\s*(?P<start>\d{1,7})\s*\|\s*(?P<length>\d{1,7})\s*@\s*(?P<order>[01])\s*"
    rf"(?P<sign>[+-])\s*\(\s*(?P<scale>{_NUMBER})\s*,\s*(?P<offset>{_NUMBER})\s*\)\s*"
    r"(?:\[(?P<least>[^|\]]*)\|(?P<greatest>[^\]]*)\]\s*)?(?:\"(?P<unit>.*)\")?(?P<receivers>[^\"]*)\Z",
    re.ASCII,
)
_STRING = re.compile(r'(?:[^"\\]|\\.)*\Z', re.DOTALL)
_RECEIVERS = re.compile(r"\s*[A-Za-z_][A-Za-z0-9_]*(\s*,\s*[A-Za-z_][A-Za-z0-9_]*)*\s*\Z")
_NOBODY = "Vector__XXX"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLine:
    """A BO_ line that can be read. `identifier` as written, `mended` as it should be (with bit 31 where it has 29 bits)."""

    identifier: int
    mended: int
    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalLine:
    """An SG_ line that can be read."""

    name: str
    length: int
    text: str


class UnreadableLayoutError(Exception):
    """A message or signal whose place cannot be told: leaving it out would lose values without a word in the data."""


class Names:
    """Names that the format does not allow, each under another name while the file is parsed."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._stand_ins: dict[str, str] = {}

    def allowed(self, name: str, note: Note) -> str:
        """The name, or what stands in for it."""
        if _PLAIN_NAME.match(name) and name not in KEYWORDS:
            return name
        if name not in self._stand_ins:
            base = "_" + re.sub(r"[^A-Za-z0-9_]", "_", name)
            while base in self._text or base in self._stand_ins.values():
                base += "_"
            self._stand_ins[name] = base
        note(MendKind.NAME, f"the name {name!r} is none that the format allows: kept as it is")
        return self._stand_ins[name]

    def stand_in(self, name: str) -> str:
        """What stands in for a name in a reference to it."""
        return self._stand_ins.get(name, name)

    @property
    def originals(self) -> dict[str, str]:
        """Stand-in -> name as the file has it."""
        return {stand_in: name for name, stand_in in self._stand_ins.items()}


def mend_message(text: str, names: Names, note: Note) -> MessageLine | None:
    """None: the message must be left out (a note says why); raises UnreadableLayoutError."""
    found = _MESSAGE.match(text)
    if found is None:
        raise UnreadableLayoutError(f"no message can be read here: {clip(text)}")
    identifier, name, length, sender = int(found[1]), found[2], int(found[3]), found[4]
    mended = identifier
    if name != UNASSIGNED:
        if identifier & ~EXTENDED_FLAG > 0x1FFF_FFFF:
            note(MendKind.MESSAGE, f"message {name} left out: its identifier {identifier:#x} has more than 29 bits")
            return None
        if length > LONGEST_MESSAGE_BYTES:
            note(MendKind.MESSAGE, f"message {name} left out: {length} bytes are more than any transport carries")
            return None
        if 0x7FF < identifier < EXTENDED_FLAG:
            mended |= EXTENDED_FLAG
            note(MendKind.EXTENDED_ID_WITHOUT_FLAG, f"{name}: identifier {identifier:#x} taken as a 29-bit one")
    allowed = names.allowed(name, note)
    if not _PLAIN_NAME.match(sender) or sender in KEYWORDS:
        sender = _NOBODY
        note(MendKind.RECEIVERS, f"{name}: sender left out")
    return MessageLine(identifier=identifier, mended=mended, name=name, text=f"BO_ {mended} {allowed}: {length} {sender}")


def mend_signal(text: str, names: Names, note: Note) -> SignalLine | None:
    """None: the signal must be left out (a note says why); raises UnreadableLayoutError."""
    found = _SIGNAL.match(text)
    if found is None:
        raise UnreadableLayoutError(f"no signal can be read here: {clip(text)}")
    name, length, start = found["name"], int(found["length"]), int(found["start"])
    if not length or max(start, length) > _LONGEST_SIGNAL_BITS:
        note(MendKind.SIGNAL, f"signal {name} left out: {length} bits at {start}")
        return None
    allowed = names.allowed(name, note)
    mux = f" {found['mux']}" if found["mux"] else ""
    scale, offset = (_number(found[part], name, note) for part in ("scale", "offset"))
    mended = (
        f" SG_ {allowed}{mux} : {start}|{length}@{found['order']}{found['sign']} ({scale},{offset})"
        f' [{_limits(found, name, note)}] "{_unit(found["unit"], name, note)}" {_receivers(found["receivers"], name, note)}'
    )
    return SignalLine(name=name, length=length, text=mended)


def _number(text: str, name: str, note: Note) -> str:
    if _PLAIN_NUMBER.match(text):
        return text
    note(MendKind.NUMBER, f"{name}: {text} written out")
    return text.replace(".", "0.", 1)


def _limits(found: re.Match[str], name: str, note: Note) -> str:
    least, greatest = ((found[part] or "").strip() for part in ("least", "greatest"))
    if _PLAIN_NUMBER.match(least) and _PLAIN_NUMBER.match(greatest):
        return f"{least}|{greatest}"
    note(MendKind.RANGE, f"{name}: its range [{least}|{greatest}] left out")
    return "0|0"


def _unit(unit: str | None, name: str, note: Note) -> str:
    if unit is None:
        note(MendKind.QUOTES, f"{name}: no unit given")
        return ""
    if _STRING.match(unit):
        return unit
    note(MendKind.QUOTES, f"{name}: quotation mark inside its unit")
    return escaped(unit)


def _receivers(text: str, name: str, note: Note) -> str:
    if _RECEIVERS.match(text) and not KEYWORDS & set(re.findall(r"\w+", text)):
        return text.strip()
    words = [word for word in re.findall(r"\w+", text, re.ASCII) if _PLAIN_NAME.match(word) and word not in KEYWORDS]
    note(MendKind.RECEIVERS, f"{name}: receivers read as {', '.join(words) or 'nobody'}")
    return ",".join(words) or _NOBODY


def escaped(text: str) -> str:
    """Text that can stand between quotation marks."""
    return text.replace('\\"', '"').rstrip("\\").replace('"', '\\"')


def clip(text: str) -> str:
    """The beginning of a statement, for a message."""
    return " ".join(text.split())[:60]
