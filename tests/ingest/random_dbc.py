"""Random DBC messages as text, odd ones included: overlaps, overlong signals, floats, multiplexers inside multiplexers."""

from __future__ import annotations

import functools
import hashlib
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

SCALES = ["1", "2", "0.5", "0.1", "-0.25", "0.0039", "1000"]
OFFSETS = ["0", "-40", "0.5", "-273.15", "3"]


@st.composite
def signal_line(draw: st.DrawFn, name: str, mux: str, message_bytes: int) -> tuple[str, str]:
    """(SG_ line, SIG_VALTYPE_ line or "")."""
    float_code = draw(st.sampled_from([0, 0, 0, 0, 0, 1, 2]))
    length = {1: 32, 2: 64}.get(float_code) or draw(st.integers(1, 64) | st.integers(1, 16))
    big = draw(st.booleans())
    # one in some runs past the end, which a lenient loader accepts
    room = 8 * message_bytes - length + draw(st.sampled_from([0, 0, 0, 9]))
    first = draw(st.integers(0, max(0, room)))
    start = 8 * (first // 8) + 7 - first % 8 if big else first
    sign = "-" if float_code else draw(st.sampled_from("+-"))
    scale, offset = draw(st.sampled_from(SCALES)), draw(st.sampled_from(OFFSETS))
    line = f' SG_ {name} {mux}: {start}|{length}@{0 if big else 1}{sign} ({scale},{offset}) [0|0] "" Vector__XXX'
    return line, f"SIG_VALTYPE_ 291 {name} : {float_code};" if float_code else ""


@st.composite
def dbc_text(draw: st.DrawFn) -> str:
    """One message, id 0x123."""
    message_bytes = draw(st.sampled_from([1, 2, 4, 8, 8, 8, 12, 64]))
    lines: list[str] = []
    extra: list[str] = []

    def add(name: str, mux: str = "") -> None:
        line, value_type = draw(signal_line(name, mux, message_bytes))
        lines.append(line)
        if value_type:
            extra.append(value_type)

    for number in range(draw(st.integers(0, 4))):
        add(f"Plain{number}")
    if draw(st.booleans()):
        scale = draw(st.sampled_from(["1", "1", "2", "0.5"]))
        start = draw(st.integers(0, 8 * message_bytes - 4))
        lines.append(f' SG_ Selector M : {start}|{draw(st.integers(1, 4))}@1+ ({scale},0) [0|0] "" Vector__XXX')
        for number in range(draw(st.integers(0, 4))):
            add(f"Child{number}", f"m{draw(st.integers(0, 4))} ")
        if draw(st.booleans()):
            inner_start = draw(st.integers(0, 8 * message_bytes - 2))
            lines.append(f' SG_ Inner m1M : {inner_start}|2@1+ (1,0) [0|0] "" Vector__XXX')
            extra.append("SG_MUL_VAL_ 291 Inner Selector 1-2;")
            extra += [f"SG_MUL_VAL_ 291 {line.split()[1]} Selector {line.split()[2][1:]}-{line.split()[2][1:]};"
                      for line in lines if line.split()[1].startswith("Child")]  # fmt: skip
            add("Deep", "m2 ")
            extra.append("SG_MUL_VAL_ 291 Deep Inner 0-0, 2-3;")
        if draw(st.booleans()):
            extra.append('VAL_ 291 Selector 0 "off" 7 "service" ;')
    head = ['VERSION ""', "", "NS_ :", "", "BS_:", "", "BU_:", "", f"BO_ 291 RANDOM: {message_bytes} Vector__XXX"]
    values = [line for line in extra if line.startswith("VAL_")]
    types = [line for line in extra if line.startswith("SIG_VALTYPE_")]
    muxes = [line for line in extra if line.startswith("SG_MUL_VAL_")]
    return "\n".join([*head, *lines, "", *values, *types, *muxes, ""])


@functools.cache
def _folder() -> Any:
    return tempfile.TemporaryDirectory()


def dbc_file(text: str) -> Path:
    """A file that holds this text, removed when the tests end."""
    path = Path(_folder().name) / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.dbc"
    path.write_text(text, encoding="ascii")
    return path
