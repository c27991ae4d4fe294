"""Which VSS path each DBC signal of ours maps to, from the profiles that the samples ship with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from datafiles import parse_yaml


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedSignal:
    """VSS value = value in the DBC's unit * scale + offset."""

    path: str
    scale: float
    offset: float


@cache
def mapped_signals(profile: str) -> dict[str, MappedSignal]:
    """`MESSAGE.Signal` -> VSS path and conversion, of a profile of ours by its id (an immutable resource, read once)."""
    resource = files("simulator").joinpath("templates", "profiles", f"{profile}.yaml")
    document = parse_yaml(resource.read_text(encoding="utf-8"), Path(f"{profile}.yaml"))
    mapped: dict[str, MappedSignal] = {}
    for entry in document.data["signals"]:
        unit = entry.get("unit", {})
        mapped[entry["dbc"]] = MappedSignal(path=entry["vss"], scale=unit.get("scale", 1.0), offset=unit.get("offset", 0.0))
    return mapped
