"""What every wire format promises: its example is read, and whatever else comes is counted, located and kept."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.mqtt.batching import ParsedMessages
from ingest.wire.table import FORMATS
from tests.ingest.wire.examples import Example, examples
from tests.ingest.wire.reading import parse, raw, rows_of, sources_of

LONG = os.environ.get("PITCALL_LONG_TESTS") == "1"
EXAMPLES = {each.name: each for each in examples()}
every_example = pytest.mark.parametrize("name", EXAMPLES)


@every_example
def test_its_example_gives_the_expected_rows(name: str) -> None:
    example = EXAMPLES[name]
    sources = sources_of(example.source)
    parsed = parse(sources, raw(example.topic, example.payload))
    assert rows_of(parsed.frames) == [pytest.approx(row) if row[0] == "sample" else row for row in example.rows]
    assert not parsed.dead_letters
    assert {(kind, word): count for (_, kind, word), count in sources.take_oddities().items()} == example.oddities
    assert set(parsed.frames.vehicles) <= {"p-CAR", "p-VIN1"}


def test_every_format_has_an_example() -> None:
    assert {each.source.format.name for each in EXAMPLES.values()} == set(FORMATS)


@every_example
def test_many_messages_together_give_what_each_gives(name: str) -> None:
    example = EXAMPLES[name]
    messages = [raw(example.topic, example.payload, token=token) for token in range(1, 4)]
    parsed = parse(sources_of(example.source), *messages)
    assert len(parsed.frames) == 3 * len(example.rows)
    assert parsed.frames.messages.position.tolist() == [1, 2, 3]
    assert parsed.frames.index.tolist() == [*range(len(example.rows))] * 3


def accounted(example: Example, payload: bytes, topic: str = "") -> ParsedMessages:
    """Read something else in place of the example: the message is there with rows, a letter, or as one that says nothing."""
    parsed = parse(sources_of(example.source), raw(topic or example.topic, payload, token=7))
    tokens = [*parsed.frames.messages.position.tolist(), *parsed.dead_letter_tokens, *parsed.nothing_tokens]
    assert tokens == [7]
    for letter in parsed.dead_letters:
        assert letter.reason
        assert letter.detail
        assert letter.origin.startswith(example.source.format.name)
    return parsed


@every_example
@settings(max_examples=2000 if LONG else 40, deadline=None)
@given(payload=st.binary(max_size=200))
def test_random_bytes_never_raise(name: str, payload: bytes) -> None:
    accounted(EXAMPLES[name], payload)


@every_example
@pytest.mark.parametrize("seed", range(4))
def test_damaged_payloads_never_raise(name: str, seed: int) -> None:
    rng = random.Random(f"{name} {seed}")
    for _ in range(2000 if LONG else 50):
        accounted(EXAMPLES[name], damaged(EXAMPLES[name].payload, rng))


def damaged(payload: bytes, rng: random.Random) -> bytes:
    """Some bytes changed, cut, doubled or words swapped for ones of another kind."""
    for _ in range(rng.randint(1, 4)):
        at, end = sorted((rng.randrange(len(payload) + 1), rng.randrange(len(payload) + 1)))
        choice = rng.randrange(6)
        if choice == 0:
            payload = payload[:at] + rng.randbytes(rng.randint(1, 4)) + payload[at + rng.randint(0, 4) :]
        elif choice == 1:
            payload = payload[:at]
        elif choice == 2:
            payload = payload[:at] + payload[at:end] * 2 + payload[end:]
        elif choice == 3:
            payload = payload[:at] + payload[end:]
        else:
            new = rng.choice([b"null", b"[]", b"{}", b"-1", b"1e400", b'"x"', b"9" * 30, b"true", b'"\\ud800"', b'"NaN"'])
            payload = payload[:at] + new + payload[min(at + rng.randint(0, 8), len(payload)) :]
    return payload


@every_example
def test_an_unregistered_device_waits_in_a_dead_letter_until_it_is_registered(name: str) -> None:
    example = EXAMPLES[name]
    if "VIN1" in example.topic:
        pytest.skip("its topic names the vehicle")
    parsed = parse(sources_of(example.source, registered=lambda _: None), raw(example.topic, example.payload))
    letter = parsed.dead_letters[0]
    assert (letter.reason, letter.vehicle, len(parsed.frames)) == ("unknown_device", "", 0)
    assert "dev" not in letter.origin.removeprefix("wican")
    again = sources_of(example.source).read_again(letter)
    assert again is not None
    assert again.rows is not None
    assert again.rows.vehicle == "p-CAR"
    assert len(again.rows.rows) == len(example.rows)
