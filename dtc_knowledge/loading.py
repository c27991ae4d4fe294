"""Reads the whole fault knowledge: the shipped one, and what a maker adds in a folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from datafiles import read_csv
from domain.errors import DataFileError, InputError
from dtc_knowledge.code_files import load_codes
from dtc_knowledge.diagnosis import FaultKnowledge
from dtc_knowledge.files import read_knowledge
from dtc_knowledge.schema import SourceRow


def load_knowledge(folder: Path | None = None, extra: Path | None = None, region: str = "") -> FaultKnowledge:
    """The fault knowledge of `folder` (the shipped one by default) and of a maker's folder `extra`, for a region's prices.

    Raises:
        DataFileError: a file is not valid; it names file, line and mend.
        InputError: `extra` is not a folder.
    """
    root = folder or Path(__file__).parent
    if extra is None:
        codes = load_codes(root)
        return FaultKnowledge(codes, read_knowledge(root, codes))
    if not extra.is_dir():
        raise InputError(f"{extra} is not a folder", mend="name the folder that holds the maker's knowledge")
    makers = extra / "codes" / "makers"
    codes = load_codes(root, makers if makers.is_dir() else None)
    codes = replace(codes, sources=codes.sources | _own_sources(extra / "sources.csv", codes.sources))
    return FaultKnowledge(codes, read_knowledge(root, codes, extra, region))


def _own_sources(file: Path, shipped: dict[str, SourceRow]) -> dict[str, SourceRow]:
    own: dict[str, SourceRow] = {}
    for line, row in read_csv(file, SourceRow) if file.exists() else ():
        if row.id in shipped or row.id in own:
            raise DataFileError(f"source {row.id!r} stands twice", file=file, line=line, mend="give it an id of its own")
        own[row.id] = row
    return own
