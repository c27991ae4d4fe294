"""Strict decoding beside cantools: random frames of every message of a description file, and the values that differ."""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cantools
import numpy as np

from domain.findings import Text
from domain.frames import EXTENDED_ID
from domain.ports import Jit
from ingest.decoder import Decoder
from ingest.descriptions import load_description
from ingest.descriptions.dbc_repair import mend_dbc
from ingest.descriptions.text import description_text
from ingest.message_spec import MessageSpec, Transport
from ingest.profiles import Profile
from tests.ingest.frames import F, frame_batch

Values = dict[str, float]


@dataclass
class Comparison:
    """How many values cantools gave, and (message, signal, its value, ours) of those that differ."""

    values: int = 0
    differing: list[tuple[str, str, float | None, float | None]] = field(default_factory=list)


def oracle(path: Path) -> tuple[Any, dict[str, str]]:
    """The file as cantools loads it (mended first where it must be), and mended names -> the file's."""
    logging.getLogger("cantools").setLevel(logging.ERROR)
    try:
        return cantools.database.load_file(path, strict=False), {}
    except cantools.database.UnsupportedDatabaseFormatError:
        mended = mend_dbc(description_text(path.read_bytes(), path)[1], path)
        return cantools.database.load_string(mended.text(), "dbc", strict=False), mended.names


def profile(messages: tuple[MessageSpec, ...]) -> Profile:
    """A profile of these messages alone."""
    return Profile(id="p", version="1", title=Text(en="", zh=""), powertrain="", messages=messages)


def compare(path: Path, jits: list[Jit], *, frames_per_message: int, seed: int) -> Comparison:
    """Random frames (some short, some long, some full of ones and zeros) of every message that one frame can carry."""
    database, names = oracle(path)
    messages = load_description(path).messages
    carried = {spec.name for spec in messages if spec.transport is not Transport.FRAME}
    chance = random.Random(f"{seed} {path.name}")
    rows: list[F] = []
    expected: list[tuple[str, Values]] = []
    for message in database._frame_id_to_message.values():
        name = names.get(message.name, message.name)
        if name in carried or message.length > 255:
            continue
        for _ in range(frames_per_message):
            data = _payload(chance, message.length)
            rows.append(F(message.frame_id | (EXTENDED_ID if message.is_extended_frame else 0), data))
            expected.append((name, _by_cantools(message, data, names)))
    frames = frame_batch(rows)
    result = Comparison()
    for jit in jits if rows else []:
        got = _ours(Decoder({"p": profile(messages)}, lambda _vehicle: "p", jit=jit), frames)
        for (name, theirs), ours in zip(expected, got, strict=True):
            result.values += len(theirs)
            result.differing += [
                (name, signal, theirs.get(signal), ours.get(signal))
                for signal in theirs.keys() | ours.keys()
                if not _same(theirs.get(signal), ours.get(signal))
            ]
    return result


def _payload(chance: random.Random, length: int) -> bytes:
    kind = chance.random()
    if kind < 0.1:
        length = chance.randint(0, length)
    elif kind < 0.15:
        length = min(255, length + chance.randint(0, 4))
    if kind < 0.75:
        return chance.randbytes(length)
    return bytes(chance.choices((0, 0, 0, 1, 2, 3, 0x7F, 0x80, 0xFE, 0xFF), k=length))


def _by_cantools(message: Any, data: bytes, names: dict[str, str]) -> Values:
    try:
        found = message.decode(data, decode_choices=False, allow_truncated=True)
    except (cantools.database.DecodeError, ValueError, OverflowError):
        return {}
    return {names.get(name, name): float(value) for name, value in found.items()}


def _ours(decoder: Decoder, frames: Any) -> list[Values]:
    rows: list[Values] = [{} for _ in range(len(frames))]
    for group in decoder.decode_strict(frames).groups:
        for row, name in enumerate(group.names):
            for k in np.flatnonzero(group.valid[row]).tolist():
                rows[group.frame[k]][name] = float(group.values[row, k])
    return rows


def _same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return one == other or (one != one and other != other)
