"""DBC text -> statements, however damaged: where each one begins and ends, so that a bad one spoils no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

KEYWORDS = frozenset({
    "BA_", "BA_DEF_", "BA_DEF_DEF_", "BA_DEF_DEF_REL_", "BA_DEF_REL_", "BA_DEF_SGTYPE_", "BA_REL_", "BA_SGTYPE_", "BO_",
    "BO_TX_BU_", "BS_", "BU_", "BU_BO_REL_", "BU_EV_REL_", "BU_SG_REL_", "CAT_", "CAT_DEF_", "CM_", "ENVVAR_DATA_",
    "EV_", "EV_DATA_", "FILTER", "NS_", "NS_DESC_", "SG_", "SG_MUL_VAL_", "SGTYPE_", "SGTYPE_VAL_", "SIG_GROUP_",
    "SIG_TYPE_REF_", "SIG_VALTYPE_", "SIGTYPE_VALTYPE_", "VAL_", "VAL_TABLE_", "VERSION",
})  # fmt: skip
"""Words that begin statements; none of them is allowed as a name."""
_ONE_LINE = frozenset({"BO_", "SG_", "BS_", "BU_", "VERSION", "NS_"})
"""Statements that end with their line; all others end with a semicolon."""
_FIRST_WORD = re.compile(r"\s*([A-Z_]+)(?=[\s:\"])")
_CERTAIN_START = re.compile(
    r"\s*(BO_\s+\d+\s+\S+\s*:|SG_\s+\S.*?:\s*\d+\s*\||CM_\s+(SG_|BO_|BU_|EV_|\")|VAL_\s+\d+\s|BA_\s+\"|BA_DEF|SIG_VALTYPE_\s|SG_MUL_VAL_\s)"
)
_NAME_SECTION_LINE = re.compile(r"\s*[A-Z_]*\s*$")

_NODES = re.compile(r"\s*[A-Za-z_][\w\s]*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement as written. `kind`: its first word, "" for text that begins no statement. `line`: where it begins, from 1."""

    kind: str
    text: str
    line: int

    @property
    def line_breaks(self) -> int:
        """How many it holds, so that what follows can keep its place."""
        return self.text.count("\n")


def statements(text: str) -> Iterator[Statement]:
    """Cut a DBC into statements. Empty lines, `//` lines and the list of new symbols (NS_) are passed over."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        kind = first_word(lines[at])
        if kind == "NS_":
            at += 1
            while at < len(lines) and _NAME_SECTION_LINE.match(lines[at]):
                at += 1
            continue
        end = at + 1
        if kind == "BU_":
            while end < len(lines) and _NODES.match(lines[end]) and not first_word(lines[end]):
                end += 1
        elif kind and kind not in _ONE_LINE:
            end = _end_of(lines, at)
        whole = "\n".join(lines[at:end])
        if whole.strip() and not whole.lstrip().startswith("//"):
            yield Statement(kind=kind, text=whole, line=at + 1)
        at = end


def first_word(line: str) -> str:
    """The keyword that a line begins with, "" where it begins with none."""
    found = _FIRST_WORD.match(line + " ")
    return found[1] if found and found[1] in KEYWORDS else ""


def _end_of(lines: list[str], start: int) -> int:
    """The line after the statement that begins at `start` and should end with a semicolon.

    A quotation mark too many must not swallow the rest of the file: a line that ends like a statement ends it, and so does
    a line after which another statement begins for certain.
    """
    quotes = 0
    for at in range(start, len(lines)):
        quotes += lines[at].count('"') - lines[at].count('\\"')
        stripped = lines[at].rstrip()
        if stripped.endswith(";") and (quotes % 2 == 0 or stripped.endswith(('";', '" ;'))):
            return at + 1
        following = lines[at + 1] if at + 1 < len(lines) else ""
        if _CERTAIN_START.match(following) or (quotes % 2 == 0 and first_word(following)):
            return at + 1
    return len(lines)
