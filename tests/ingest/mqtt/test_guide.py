"""The worked example of the guide is what the code writes and reads."""

from __future__ import annotations

import re
from pathlib import Path

from domain.frames import EXTENDED_ID, FrameFlag
from domain.messages import RawMessage
from ingest.mqtt.batching import parse_messages
from ingest.mqtt.frame_columns import Reason
from ingest.mqtt.payloads import encode_frames
from tests.ingest.mqtt.random_frames import Row, batch_of, rows_of

GUIDE = (Path(__file__).parents[3] / "docs" / "guides" / "mqtt.md").read_text()
START = 1_767_225_600_000_000_000
ROWS: list[Row] = [
    (START, "can0", 0x201, 0, bytes.fromhex("0bb81f4000000000"), 8),
    (START + 10_000_000, "can0", 0x18FEEE00 | EXTENDED_ID, 0, bytes.fromhex("7dffffff"), 4),
    (START + 20_000_000, "can1", 0x300, int(FrameFlag.FD), bytes(range(12)), 12),
]


def test_the_binary_example_is_what_the_encoder_writes() -> None:
    example = re.search(r"```\n(50434642.*?)```", GUIDE, re.DOTALL)
    assert example is not None
    written = "".join(re.split(r"  +", line)[0] for line in example[1].splitlines())
    assert bytes.fromhex(written) == encode_frames(batch_of(ROWS), boot_session=7, sequence=42)


def test_both_examples_say_the_same() -> None:
    example = re.search(r"```json\n(\{\"boot_session.*?)```", GUIDE, re.DOTALL)
    assert example is not None
    raw = RawMessage(topic="pitcall/v1/VIN/can", payload=example[1].encode(), received_ns=0, token=0)
    parsed = parse_messages([raw], pseudonym_of=str)
    assert rows_of(parsed.frames) == ROWS
    assert (parsed.frames.messages.boot_session[0], parsed.frames.messages.sequence[0]) == (7, 42)


def test_every_reason_is_named() -> None:
    assert [reason for reason in Reason if f"`{reason}`" not in GUIDE] == []
