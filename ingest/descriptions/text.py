"""Bytes of a description file -> its format and its text."""

from __future__ import annotations

import re
from pathlib import Path

from domain.errors import DbcFileError
from ingest.descriptions.mend import Mend, MendKind

_HIGH_BYTES = re.compile(rb"[\x80-\xff]+")
_UTF8_MARK = b"\xef\xbb\xbf"
_HEAD_BYTES = 4096


def description_text(content: bytes, path: Path) -> tuple[str, str, tuple[Mend, ...]]:
    """(format, text, mends). The format is told by the content, not by the file's name.

    DBC and SYM are written in Windows code page 1252 by custom, and read so unless they are UTF-8 or GB 18030 beyond doubt.

    Raises:
        DbcFileError: a diagnostic description (CDD, ODX), which says nothing of CAN messages.
    """
    mends: list[Mend] = []
    if content.startswith(_UTF8_MARK):
        content = content[len(_UTF8_MARK) :]
        mends.append(Mend(file=path.name, line=1, kind=MendKind.BYTE_ORDER_MARK, what="byte order mark passed over"))
    form = _format(content, path)
    if form in ("kcd", "arxml"):
        return form, content.decode("utf-8", errors="replace"), tuple(mends)
    encoding = _encoding(content)
    if encoding != "cp1252" and not mends:
        mends.append(Mend(file=path.name, line=0, kind=MendKind.ENCODING, what=f"read as {encoding}"))
    text = content.decode(encoding, errors="replace")
    return form, text.replace("\r\n", "\n").replace("\r", "\n"), tuple(mends)


def _format(content: bytes, path: Path) -> str:
    head = content[:_HEAD_BYTES].lstrip()
    if head.startswith(b"<"):
        if b"AUTOSAR" in head or path.suffix.lower() == ".arxml":
            return "arxml"
        if b"NetworkDefinition" in head or path.suffix.lower() == ".kcd":
            return "kcd"
        raise DbcFileError(
            "is XML, but no network description",
            file=path,
            mend="give a DBC, KCD, SYM or ARXML file (CDD and ODX say nothing of signals)",
        )
    if re.match(rb"FormatVersion\s*=", head) or (path.suffix.lower() == ".sym" and b"BO_ " not in content):
        return "sym"
    return "dbc"


def _encoding(content: bytes) -> str:
    runs = _HIGH_BYTES.findall(content)
    if not runs:
        return "cp1252"
    for encoding in ("utf-8", "gb18030"):
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        # a degree sign alone is valid GB 18030 with the letter after it; Chinese words are runs of pairs
        if encoding == "utf-8" or (all(len(run) % 2 == 0 for run in runs) and max(map(len, runs)) >= 4):
            return encoding
    return "cp1252"
