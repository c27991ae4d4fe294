"""Many small cars in one event loop: each publishes at QoS 1, loses its connection without a word, and returns."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from domain.frames import FrameBatch
from ingest.mqtt.payloads import encode_frames
from tests.end_to_end.live_drives import SECOND_NS, frames_of_drive, sample_fleet

BEGIN_NS = 1_780_000_000 * SECOND_NS


def _text(words: str | bytes) -> bytes:
    content = words.encode() if isinstance(words, str) else words
    return len(content).to_bytes(2, "big") + content


def _packet(kind: int, body: bytes) -> bytes:
    head, size = bytearray([kind]), len(body)
    while size > 127:
        head.append(size & 127 | 128)
        size >>= 7
    head.append(size)
    return bytes(head) + body


def _few_frames() -> FrameBatch:
    return frames_of_drive(sample_fleet().drives[0]).take(slice(0, 10))


@dataclass(eq=False)
class StormCar:
    """A car with numbered messages. `acknowledged`: those that the broker has taken charge of. `dropped`: lost connections."""

    vin: str
    chance: random.Random
    messages: int
    drops: int
    acknowledged: set[int] = field(default_factory=set)
    dropped: int = 0

    def payload(self, number: int) -> bytes:
        frames = _few_frames()
        times = BEGIN_NS + number * SECOND_NS + np.arange(len(frames), dtype=np.int64) * 1_000_000
        return encode_frames(replace(frames, time_ns=times), boot_session=1, sequence=number)

    async def drive(self, port: int, over_s: float) -> None:
        """Until every message is acknowledged; what is not is sent again under its number after each return."""
        drop_before = sorted(self.chance.sample(range(1, self.messages), self.drops))
        while len(self.acknowledged) < self.messages or self.dropped < self.drops:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._connection(port, over_s, drop_before)
            await asyncio.sleep(self.chance.uniform(0, 0.3))

    async def _connection(self, port: int, over_s: float, drop_before: list[int]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        will = _text(f"pitcall/v1/{self.vin}/status") + _text(b'{"status":"offline"}')
        writer.write(_packet(0x10, _text("MQTT") + b"\x04\x0e\x00\x3c" + _text(self.vin) + will))  # clean, with a will at QoS 1
        await reader.readexactly(4)
        answers = asyncio.create_task(self._note_answers(reader))
        try:
            for number in range(self.messages):
                if number in self.acknowledged:
                    continue
                if drop_before and number >= drop_before[0]:
                    drop_before.pop(0)
                    self.dropped += 1
                    writer.transport.abort()
                    return
                writer.write(
                    _packet(0x32, _text(f"pitcall/v1/{self.vin}/can") + (number + 1).to_bytes(2, "big") + self.payload(number))
                )
                await asyncio.sleep(self.chance.uniform(0, 2 * over_s / self.messages))
            for _ in range(100):
                if len(self.acknowledged) == self.messages:
                    break
                await asyncio.sleep(0.05)
            writer.write(b"\xe0\x00")
            await writer.drain()
        finally:
            answers.cancel()
            writer.close()

    async def _note_answers(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                answer = await reader.readexactly(4)
                assert answer[:2] == b"\x40\x02"
                self.acknowledged.add(int.from_bytes(answer[2:], "big") - 1)


async def drive_all(cars: Sequence[StormCar], port: int, *, over_s: float) -> None:
    """All at once."""
    async with asyncio.timeout(60):
        await asyncio.gather(*(car.drive(port, over_s) for car in cars))
