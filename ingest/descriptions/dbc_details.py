"""Mending what a DBC says besides where the bits lie: value tables, number types, multiplexing, attributes, comments."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ingest.descriptions.dbc_layout import EXTENDED_FLAG, Names, Note, clip, escaped
from ingest.descriptions.mend import MendKind

_FLOAT_LENGTHS = frozenset({16, 32, 64})
_VALUES = re.compile(r"\s*VAL_\s+(\d+)\s+(\S+)\s+(.*?)\s*(;?)\s*\Z", re.DOTALL | re.ASCII)
_VALUES_OF_VARIABLE = re.compile(r"\s*VAL_\s+[A-Za-z_]", re.ASCII)
_PAIR = re.compile(r'([-+]?\d+)(\.0*)?\s*"(.*?)(?<!\\)"\s*(?=[-+]?\d+(?:\.0*)?\s*"|\Z)', re.DOTALL | re.ASCII)
_FLOAT_TYPE = re.compile(r"\s*SIG_VALTYPE_\s+(\d+)\s+(\S+?)\s*(:?)\s*(\d)\s*(;?)\s*\Z", re.ASCII)
_MULTIPLEXING = re.compile(r"\s*SG_MUL_VAL_\s+(\d+)\s+(\S+)\s+(\S+)\s+([-\d\s,]+?)\s*(;?)\s*\Z", re.ASCII)
_RANGE = re.compile(r"\s*(\d{1,20})(\s*)-(\s*)(\d{1,20})\s*\Z", re.ASCII)
_COMMENT = re.compile(
    r'\s*CM_\s*(?:SG_\s+\d+\s+[A-Za-z_]\w*\s*|BO_\s+\d+\s*|(?:BU_|EV_)\s+[A-Za-z_]\w*\s*)?"(?:[^"\\]|\\.)*"\s*;\s*\Z',
    re.DOTALL | re.ASCII,
)
_DEFINITION = re.compile(
    r'\s*BA_DEF_\s+(?:SG_|BO_|EV_|BU_)?\s*"(?P<name>[^"]*)"\s+(?P<type>INT|HEX|FLOAT|STRING|ENUM)\b(?P<rest>.*);\s*\Z', re.DOTALL
)
_ATTRIBUTE = re.compile(
    r'\s*BA_\s+"(?P<name>[^"]*)"\s+(?P<of>BO_\s+(?P<message>\d+)\s+|SG_\s+(?P<owner>\d+)\s+(?P<signal>\S+)\s+|(?:BU_|EV_)\s+[A-Za-z_]\w*\s+)?'
    r'(?P<value>[-+]?\d+\.?\d*(?:[eE][+-]?\d+)?|"(?:[^"\\]|\\.)*")\s*;\s*\Z',
    re.DOTALL | re.ASCII,
)
_DEFAULT = re.compile(
    r'\s*BA_DEF_DEF_\s+"(?P<name>[^"]*)"\s*(?P<value>[-+]?\d+\.?\d*(?:[eE][+-]?\d+)?|"(?:[^"\\]|\\.)*")\s*;\s*\Z', re.DOTALL
)
_LONGEST_TABLE = 200_000
"""Characters: a longer value table is taken for damage."""
WIDEST_RANGE = 65_536
"""Selector values that are counted out one by one; cantools keeps a list of them and a codec for each."""


@dataclass(slots=True, kw_only=True)
class Index:
    """What the file defines: message identifier as written -> its signals and their bits, and attributes.

    `identifiers`: as written -> as mended. `wide`: (identifier mended, signal) -> ranges too wide to be counted out.
    """

    names: Names
    signals: dict[int, dict[str, int]] = field(default_factory=dict)
    identifiers: dict[int, int] = field(default_factory=dict)
    attributes: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    wide: dict[tuple[int, str], tuple[tuple[int, int], ...]] = field(default_factory=dict)


def mend_values(text: str, index: Index, note: Note) -> str | None:
    """VAL_; None where it must be left out."""
    if _VALUES_OF_VARIABLE.match(text):
        return None  # of an environment variable: no part of any message
    found = _VALUES.match(text)
    if found is None:
        note(MendKind.VALUE_TABLE, f"left out: {clip(text)}")
        return None
    identifier, name, body = int(found[1]), found[2], found[3]
    if name not in index.signals.get(identifier, {}):
        note(MendKind.VALUE_TABLE_WITHOUT_SIGNAL, f"value table of {name} in {identifier} left out: there is no such signal")
        return None
    pairs = list(_PAIR.finditer(body)) if len(body) <= _LONGEST_TABLE else []
    if _PAIR.sub("", body).strip() or not pairs:
        note(MendKind.VALUE_TABLE, f"value table of {name} left out: {clip(body)}")
        return None
    if any('"' in pair[3].replace('\\"', "") for pair in pairs):
        note(MendKind.QUOTES, f"quotation mark inside the value table of {name}")
    if any(pair[2] for pair in pairs):
        note(MendKind.NUMBER, f"value table of {name}: whole numbers written with a point")
    _semicolon(found[4], f"value table of {name}", note)
    words = " ".join(f'{pair[1]} "{escaped(pair[3])}"' for pair in pairs)
    return f"VAL_ {index.identifiers[identifier]} {index.names.stand_in(name)} {words} ;"


def mend_float_type(text: str, index: Index, note: Note) -> str | None:
    """SIG_VALTYPE_; None where it must be left out."""
    found = _FLOAT_TYPE.match(text)
    if found is None:
        note(MendKind.FLOAT_TYPE, f"left out: {clip(text)}")
        return None
    identifier, name, kind = int(found[1]), found[2], found[4]
    length = index.signals.get(identifier, {}).get(name)
    if length is None or (kind in "12" and length not in _FLOAT_LENGTHS):
        reason = "there is no such signal" if length is None else f"no such number has {length} bits"
        note(MendKind.FLOAT_TYPE, f"number type of {name} left out: {reason}")
        return None
    if not found[3]:
        note(MendKind.SPACING, f"number type of {name}: colon put in")
    _semicolon(found[5], f"number type of {name}", note)
    return f"SIG_VALTYPE_ {index.identifiers[identifier]} {index.names.stand_in(name)} : {kind};"


def mend_multiplexing(text: str, index: Index, note: Note) -> str | None:
    """SG_MUL_VAL_; None where it must be left out."""
    found = _MULTIPLEXING.match(text)
    parts = [_RANGE.match(part) for part in found[4].split(",")] if found else [None]
    ranges = [(int(part[1]), int(part[4])) for part in parts if part]
    known = found is not None and int(found[1]) in index.identifiers
    if found is None or len(ranges) != len(parts) or not known:
        note(MendKind.MULTIPLEXING, f"left out: {clip(text)}")
        return None
    identifier, name, selector = index.identifiers[int(found[1])], found[2], found[3]
    if any(part[2] or part[3] for part in parts if part):
        note(MendKind.SPACING, f"multiplexing of {name}: spaces in a range")
    _semicolon(found[5], f"multiplexing of {name}", note)
    if sum(high - low + 1 for low, high in ranges) > WIDEST_RANGE:
        note(MendKind.WIDE_RANGE, f"multiplexing of {name}: its range is too wide to be counted out")
        index.wide[identifier & ~EXTENDED_FLAG, name] = tuple(ranges)
        ranges = [(low, low) for low, _ in ranges]
    words = ", ".join(f"{low}-{high}" for low, high in ranges)
    return f"SG_MUL_VAL_ {identifier} {index.names.stand_in(name)} {index.names.stand_in(selector)} {words};"


def mend_comment(text: str, note: Note) -> None:
    """CM_ has no part in decoding: it is left out, and told of where it is not right."""
    if not _COMMENT.match(text):
        note(MendKind.COMMENT, f"comment left out: {clip(text)}")


def mend_definition(text: str, index: Index, note: Note) -> str | None:
    """BA_DEF_; None where it must be left out."""
    found = _DEFINITION.match(text)
    if found is None:
        note(MendKind.ATTRIBUTE, f"left out: {clip(text)}")
        return None
    rest = found["rest"]
    numbers = rest.split()
    if found["type"] in ("INT", "HEX", "FLOAT") and len(numbers) == 1:
        note(MendKind.ATTRIBUTE, f"limits of {found['name']} left out")
        rest = ""
    choices = tuple(re.findall(r'"((?:[^"\\]|\\.)*)"', rest)) if found["type"] == "ENUM" else ()
    index.attributes[found["name"]] = (found["type"], choices)
    return text if rest == found["rest"] else text.replace(found["rest"], " ")


def mend_attribute(text: str, index: Index, note: Note) -> str | None:
    """BA_; None where it must be left out."""
    found = _ATTRIBUTE.match(text)
    kind, choices = index.attributes.get(found["name"], ("", ())) if found else ("", ())
    if found is None or not kind:
        reason = f"the attribute {found['name']} is not defined" if found else clip(text)
        note(MendKind.ATTRIBUTE, f"left out: {reason}")
        return None
    value = found["value"]
    if kind == "ENUM":
        word = value.strip('"')
        number = choices.index(word) if word in choices else int(float(word)) if re.fullmatch(r"[\d.]+", word) else -1
        if not 0 <= number < len(choices):
            note(MendKind.ATTRIBUTE, f"{found['name']} left out: {clip(value)} is none of its values")
            return None
        value = str(number)
    elif kind != "STRING" and not re.fullmatch(r'"?[-+]?\d+\.?\d*([eE][+-]?\d+)?"?', value):
        note(MendKind.ATTRIBUTE, f"{found['name']} left out: {clip(value)} is no number")
        return None
    of = found["of"] or ""
    if found["message"]:
        of = f"BO_ {index.identifiers.get(int(found['message']), found['message'])} "
    elif found["owner"]:
        of = f"SG_ {index.identifiers.get(int(found['owner']), found['owner'])} {index.names.stand_in(found['signal'])} "
    return f'BA_ "{found["name"]}" {of}{value};'


def mend_default(text: str, index: Index, note: Note) -> str | None:
    """BA_DEF_DEF_; None where it must be left out."""
    found = _DEFAULT.match(text)
    kind, _ = index.attributes.get(found["name"], ("", ())) if found else ("", ())
    value = found["value"] if found else ""
    number = re.fullmatch(r'"?[-+]?\d+\.?\d*([eE][+-]?\d+)?"?', value, re.ASCII)
    if not kind or (kind in ("INT", "HEX", "FLOAT") and not number):
        note(MendKind.ATTRIBUTE, f"default left out: {clip(text)}")
        return None
    return text


def _semicolon(found: str, of: str, note: Note) -> None:
    if not found:
        note(MendKind.MISSING_SEMICOLON, f"{of}: semicolon put in")
