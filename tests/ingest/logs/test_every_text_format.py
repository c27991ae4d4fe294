"""What holds for every format of text lines: recognised by content, the same however cut and parsed, nothing lost, no surprise."""

from __future__ import annotations

import gzip
import os
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kernels import lazy_jit
from domain.ports import no_jit
from ingest.logs.line_cutter import MAX_LINE_BYTES
from ingest.logs.line_scanner import KernelScanner
from ingest.logs.log_format import Block
from ingest.logs.open_log import FORMATS
from tests.ingest.logs.reading import (
    COLUMNS,
    as_seen,
    assert_equal_blocks,
    events,
    format_of,
    line_formats,
    malformed,
    read_blocks,
    whole,
)  # fmt: skip
from tests.ingest.logs.samples import MORE_TEXTS, TEXTS

NAMES = sorted(TEXTS)
LONG = os.environ.get("PITCALL_LONG_TESTS") == "1"


def test_every_registered_format_has_a_text_here() -> None:
    assert {known.name for known in line_formats()} == set(TEXTS)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_known_by_its_content(name: str) -> None:
    head = TEXTS[name].encode()
    assert next(known.name for known in FORMATS if known.recognises(head)) == name


@pytest.mark.parametrize("name", NAMES)
def test_a_byte_order_mark_changes_nothing(name: str) -> None:
    text = TEXTS[name].encode()
    assert next(known.name for known in FORMATS if known.recognises(b"\xef\xbb\xbf" + text)) == name
    marked = read_blocks(format_of(name), b"\xef\xbb\xbf" + text)
    assert_equal_blocks(marked, read_blocks(format_of(name), text))


@pytest.mark.parametrize("name", NAMES)
def test_line_ends_of_windows_change_nothing(name: str) -> None:
    text = TEXTS[name].encode()
    windows = text.replace(b"\r", b"\r\n") if b"\n" not in text else text.replace(b"\n", b"\r\n")
    one, other = read_blocks(format_of(name), text), read_blocks(format_of(name), windows)
    assert as_seen(one) == as_seen(other)
    assert malformed(one) == malformed(other)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("jit", [lazy_jit, no_jit], ids=["kernel", "plain"])
def test_blocks_of_any_size_hold_the_same_frames(name: str, jit: object) -> None:
    text = TEXTS[name].encode()
    at_once = read_blocks(format_of(name), text, jit=jit)  # type: ignore[arg-type]  # one of two jits
    assert sum(len(block.time_ns) for block in at_once)
    for block_bytes in (1, 7, 64, 1000):
        cut = read_blocks(format_of(name), text, block_bytes=block_bytes, jit=jit)  # type: ignore[arg-type]  # one of two jits
        assert as_seen(cut) == as_seen(at_once)
        assert (malformed(cut), events(cut)) == (malformed(at_once), events(at_once))


@pytest.mark.parametrize("name", NAMES)
def test_the_kernel_without_a_compiler_gives_what_the_plain_reading_gives(name: str) -> None:
    text = TEXTS[name].encode()
    log_format = format_of(name)
    session = log_format.begin(text)
    scanner = KernelScanner(session.patterns, session.control, no_jit)
    plain = read_blocks(log_format, text)[0]
    heeded = []

    def heed(line: bytes, _number: int, frames_before: int) -> object:
        before = session.patterns
        heeded.append(session.heed(line, frames_before))
        return None if session.patterns is before else session.patterns

    piece = scanner.read(text, heed)  # type: ignore[arg-type]  # gives patterns or None
    assert len(heeded) == sum(line.strip()[:1] != b"" and line.strip()[0] in session.control for line in text.splitlines())
    for column in COLUMNS[1:]:
        np.testing.assert_array_equal(getattr(piece, column), getattr(plain, column), err_msg=column)


@st.composite
def spoiled(draw: st.DrawFn, texts: list[bytes]) -> bytes:
    """A text of a format, some of its lines, with bytes changed, put in or left out."""
    lines = draw(st.sampled_from(texts)).splitlines(keepends=True)
    header = draw(st.integers(0, min(12, len(lines))))
    chosen = lines[:header] + draw(st.lists(st.sampled_from(lines), max_size=5))
    text = bytearray(b"".join(chosen))
    for _ in range(draw(st.integers(0, 5))):
        at = draw(st.integers(0, len(text)))
        change = draw(st.sampled_from(["put", "drop", "set"]))
        byte = draw(st.sampled_from(b" \t\r\n()[]#.,;:-+=/\"'0189AEFafgRTXxd_") | st.integers(0, 255))
        if change == "put":
            text.insert(at, byte)
        elif at < len(text):
            text[at : at + 1] = b"" if change == "drop" else bytes([byte])
    return bytes(text)


@pytest.mark.parametrize("name", NAMES)
def test_the_kernel_agrees_with_the_plain_reading_on_spoiled_text(name: str) -> None:
    texts = [text.encode() for table in (TEXTS, MORE_TEXTS) for kind, text in table.items() if kind == name]

    @settings(max_examples=5000 if LONG else 60, deadline=None)
    @given(spoiled(texts), st.integers(1, 300))
    def agree(text: bytes, block_bytes: int) -> None:
        read = format_of(name)
        one = read_blocks(read, text, block_bytes=block_bytes, jit=lazy_jit)
        other = read_blocks(read, text, block_bytes=block_bytes, jit=no_jit)
        assert_equal_blocks(one, other)

    agree()


@pytest.mark.parametrize("name", NAMES)
def test_no_bytes_make_a_reader_fail_and_every_line_is_accounted_for(name: str) -> None:
    source = random.Random(name)
    good = TEXTS[name].encode()
    for _ in range(2000 if LONG else 30):
        text = bytearray(source.choice([source.randbytes(source.randint(0, 400)), good]))
        for _ in range(source.randint(0, 30)):
            at = source.randint(0, len(text))
            text[at : at + 1] = source.randbytes(source.randint(0, 3))
        blocks = read_blocks(format_of(name), bytes(text), block_bytes=source.choice([5, 100, 10_000]), jit=lazy_jit)
        assert all(line.content.strip(b" \t\r") for block in blocks for line in block.malformed)


@pytest.mark.parametrize("name", NAMES)
def test_a_line_of_rubbish_is_kept_with_its_number_and_stops_nothing(name: str) -> None:
    text = TEXTS[name].encode()
    separator = b"\n" if b"\n" in text else b"\r"
    lines = text.split(separator)
    place = len(lines) - 2
    lines.insert(place, b"\x00\xfe rubbish")
    spoilt, sound = read_blocks(format_of(name), separator.join(lines)), read_blocks(format_of(name), text)
    assert as_seen(spoilt) == as_seen(sound)
    assert (place + 1, b"\x00\xfe rubbish") in malformed(spoilt)
    assert len(malformed(spoilt)) == len(malformed(sound)) + 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("jit", [lazy_jit, no_jit], ids=["kernel", "plain"])
def test_a_line_without_end_takes_no_memory(name: str, jit: object) -> None:
    text = TEXTS[name].encode()
    end = text[-1:]
    endless = text + b"7" * (3 * MAX_LINE_BYTES) + end + text.splitlines(keepends=True)[-1]
    blocks: list[Block] = read_blocks(format_of(name), endless, block_bytes=5000, jit=jit)  # type: ignore[arg-type]  # one of two
    kept = [content for _, content in malformed(blocks) if content.startswith(b"777")]
    assert [len(content) for content in kept] == [4096]


@pytest.mark.parametrize("name", NAMES)
def test_a_packed_recording_is_read_as_the_plain_one(name: str, tmp_path: Path) -> None:
    path = tmp_path / "drive.txt"
    path.write_bytes(TEXTS[name].encode())
    packed = tmp_path / "packed.bin"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    (one, _), (other, log) = whole(path), whole(packed)
    assert one.can_id.tolist() == other.can_id.tolist()
    assert one.time_ns.tolist() == other.time_ns.tolist()
    assert log.bytes_done == log.bytes_total


def test_a_file_of_rubbish_is_counted_in_full_and_kept_in_part(tmp_path: Path) -> None:
    path = tmp_path / "drive.trc"
    path.write_bytes(b";$FILEVERSION=1.1\n" + b"x\n" * 30_000)
    batch, log = whole(path, jit=lazy_jit)
    assert len(batch) == 0
    assert log.anomalies == {"malformed_line": 30_000, "letters_not_kept": 30_000 - len(log.dead_letters), "empty_file": 1}
    assert 0 < len(log.dead_letters) <= 20_000
