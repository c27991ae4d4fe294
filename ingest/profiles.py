"""Vehicle profiles: which DBC files describe a model's buses, and which of their signals carry which VSS name."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import pydantic

from datafiles import Document, load_yaml, validate
from domain.errors import DataFileError
from domain.findings import Text
from domain.vss import catalogue
from ingest.descriptions import Description, Mend, load_description
from ingest.message_spec import MessageSpec, SignalSpec

SHIPPED = Path(__file__).parent / "profiles"
"""Directory of the profiles that come with the product."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How the frames of one vehicle model are decoded.

    Attributes:
        version: content hash of everything that shapes decoding. powertrain: "petrol", "diesel", "ev" … or "" where unknown.
        messages: mapped message definitions; those with equal (bus, origin) form one book, and each book decodes by itself.
        mends: what was put right in the description files.
    """

    id: str
    version: str
    title: Text
    powertrain: str
    messages: tuple[MessageSpec, ...]
    mends: tuple[Mend, ...] = ()


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class _Unit(_Strict):
    scale: float = 1.0
    offset: float = 0.0


class _Mapping(_Strict):
    dbc: str = pydantic.Field(pattern=r"^[^.\s]+\.[^.\s]+$")
    vss: str
    unit: _Unit = _Unit()
    priority: int = pydantic.Field(default=0, ge=0, le=255)
    stale_after_s: float = pydantic.Field(default=5.0, gt=0)


class _Title(_Strict):
    en: str
    zh: str


class _File(_Strict):
    id: str = pydantic.Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    title: _Title
    powertrain: str = ""
    buses: dict[str, list[str]] = {}
    builtin: list[Literal["obd2", "j1939"]] = []
    signals: list[_Mapping] = []


def load_profile(
    name_or_path: str,
    *,
    relative_to: Path | None = None,
    extra_dbc: Sequence[tuple[str, Path]] = (),
    cache: Path | None = None,
) -> Profile:
    """A shipped profile by name, or a profile file by path (or by its name without `.yaml`), from `relative_to` or here.

    `extra_dbc` gives further (bus, DBC file) pairs, bus "*" = any; `cache` is a directory for parsed DBC files.

    Raises:
        DataFileError: unknown profile, DBC signal or VSS path, or an entry that is not valid; names file, line and nearest name.
        DbcFileError: a DBC file cannot be loaded.
    """
    document = load_yaml(_find(name_or_path, relative_to))
    content = validate(_File, document)
    descriptions = [
        _dbc_of(document, bus, number, file, cache) for bus, files in content.buses.items() for number, file in enumerate(files)
    ]
    descriptions += [load_description(path, bus=bus, cache=cache) for bus, path in extra_dbc]
    messages = [message for description in descriptions for message in description.messages]
    for builtin in content.builtin:
        messages += _builtin(builtin)
    mapped = _map_signals(messages, content.signals, document)
    return _profile(content.id, Text(en=content.title.en, zh=content.title.zh), content.powertrain, mapped, _mends(descriptions))


def dbc_profile(dbc_files: Sequence[tuple[str, Path]], *, cache: Path | None = None) -> Profile:
    """A profile of nothing but these (bus, DBC file) pairs, without VSS names; raises DbcFileError."""
    descriptions = [load_description(path, bus=bus, cache=cache) for bus, path in dbc_files]
    messages = tuple(message for description in descriptions for message in description.messages)
    return _profile("dbc", Text(en="DBC files only", zh="仅使用 DBC 文件"), "", messages, _mends(descriptions))


def shipped_profiles() -> tuple[str, ...]:
    """Names of the profiles that come with the product."""
    return tuple(sorted(file.stem for file in SHIPPED.glob("*.yaml")))


def _profile(name: str, title: Text, powertrain: str, messages: tuple[MessageSpec, ...], mends: tuple[Mend, ...]) -> Profile:
    version = hashlib.sha256(repr((name, messages)).encode()).hexdigest()[:16]
    return Profile(id=name, version=version, title=title, powertrain=powertrain, messages=messages, mends=mends)


def _mends(descriptions: Sequence[Description]) -> tuple[Mend, ...]:
    """Each once, though a file may stand on several buses."""
    return tuple(dict.fromkeys(mend for description in descriptions for mend in description.mends))


def _find(name_or_path: str, relative_to: Path | None) -> Path:
    shipped = SHIPPED / f"{name_or_path}.yaml"
    if name_or_path in shipped_profiles():
        return shipped
    base = relative_to or Path()
    for candidate in (base / name_or_path, base / f"{name_or_path}.yaml", base / "profiles" / f"{name_or_path}.yaml"):
        if candidate.is_file():
            return candidate
    near = difflib.get_close_matches(name_or_path, shipped_profiles(), n=1)
    known = ", ".join(shipped_profiles())
    mend = f"did you mean {near[0]!r}?" if near else f"give a profile file, or one of: {known}"
    raise DataFileError(f"unknown profile {name_or_path!r}", file=relative_to, mend=mend)


def _dbc_of(document: Document, bus: str, number: int, file: str, cache: Path | None) -> Description:
    path = document.file.parent / file
    if not path.is_file():
        line = document.line("buses", bus, number)
        raise DataFileError(
            f"DBC file {file!r} does not exist", file=document.file, line=line, mend="give its path from the profile's directory"
        )
    return load_description(path, bus=bus, cache=cache)


def _builtin(name: str) -> tuple[MessageSpec, ...]:
    from ingest.builtin import j1939_messages, obd2_messages

    messages = {"obd2": obd2_messages, "j1939": j1939_messages}[name]()
    return tuple(replace(message, origin=name) for message in messages)


def _map_signals(messages: list[MessageSpec], mappings: list[_Mapping], document: Document) -> tuple[MessageSpec, ...]:
    known = {f"{message.name}.{signal.name}" for message in messages for signal in message.signals}
    by_name: dict[str, _Mapping] = {}
    for number, mapping in enumerate(mappings):
        _check(mapping.dbc, known, "DBC signal", document, number, "dbc")
        _check(mapping.vss, catalogue(), "VSS path", document, number, "vss")
        if mapping.dbc in by_name:
            line = document.line("signals", number, "dbc")
            raise DataFileError(f"{mapping.dbc} is mapped twice", file=document.file, line=line, mend="keep one of the two lines")
        by_name[mapping.dbc] = mapping
    return tuple(
        replace(
            message, signals=tuple(_mapped(signal, by_name.get(f"{message.name}.{signal.name}")) for signal in message.signals)
        )
        for message in messages
    )


def _check(name: str, known: Collection[str], what: str, document: Document, number: int, field: str) -> None:
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1)
    raise DataFileError(
        f"unknown {what} {name!r}",
        file=document.file,
        line=document.line("signals", number, field),
        mend=f"did you mean {near[0]!r}?" if near else "remove the line or correct the name",
    )


def _mapped(signal: SignalSpec, mapping: _Mapping | None) -> SignalSpec:
    if mapping is None:
        return signal
    return replace(
        signal,
        path=mapping.vss,
        path_unit_scale=mapping.unit.scale,
        path_unit_offset=mapping.unit.offset,
        priority=mapping.priority,
        stale_after_s=mapping.stale_after_s,
    )
