"""A process that simulates drives and cuts them into messages, so that publishing never waits for physics.

Each request is a JSON line {"car", "ordinal", "start_ns"}; each answer is a JSON line and after it, in one piece, the payloads that its
"sizes" measure.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from app.demo.cars import SECOND_NS, drive_spec, plan_cars
from domain.frames import FrameBatch
from ingest.mqtt.payloads import encode_frames
from simulator.drive import simulate_drive


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedDrive:
    """A drive as its car publishes it.

    Attributes:
        due_s: when each message is sent, seconds after the drive's start. frames: in each message.
        labels: (kind, onset_ns) of its faults: for the evaluation, never published.
    """

    car: int
    ordinal: int
    start_ns: int
    duration_s: float
    due_s: tuple[float, ...]
    frames: tuple[int, ...]
    payloads: tuple[bytes, ...]
    labels: tuple[tuple[str, int], ...]


def encode_drive(frames: FrameBatch, start_ns: int, window_s: float) -> list[tuple[float, int, bytes]]:
    """(due_s, frames, payload) of each message: `window_s` of data each; the drive's start is its boot session."""
    window_ns = round(window_s * SECOND_NS)
    number = (frames.time_ns - start_ns) // window_ns
    edges = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(frames)]
    messages = []
    for sequence, (first, last) in enumerate(itertools.pairwise(edges)):
        part = frames.take(slice(first, last))
        payload = encode_frames(part, boot_session=start_ns, sequence=sequence)
        messages.append((float(number[first] + 1) * window_s, last - first, payload))
    return messages


def main() -> None:
    """Answer requests until the input ends."""
    plan = json.loads(sys.stdin.readline())
    cars = plan_cars(plan["cars"], plan["faults"])
    answers = sys.stdout.buffer
    for line in sys.stdin:
        request = json.loads(line)
        drive = simulate_drive(drive_spec(cars[request["car"]], request["ordinal"], request["start_ns"]))
        messages = encode_drive(drive.frames, request["start_ns"], plan["window_s"])
        head = request | {
            "duration_s": drive.spec.duration_s,
            "due_s": [due for due, _, _ in messages],
            "frames": [frames for _, frames, _ in messages],
            "sizes": [len(payload) for _, _, payload in messages],
            "labels": [(label.kind, label.onset_ns) for label in drive.labels],
        }
        answers.write(json.dumps(head).encode() + b"\n")
        answers.write(b"".join(payload for _, _, payload in messages))
        answers.flush()


class DriveMaker:
    """The process from outside: ask for drives, get them later.

    Args:
        cars, faults: as for `plan_cars`. window_s: seconds of data a message. log: where its stderr goes.
        on_drive: told each drive in a thread of its own, in the order asked.
    """

    def __init__(
        self, *, cars: int, faults: Sequence[str], window_s: float, log: Path, on_drive: Callable[[EncodedDrive], None]
    ) -> None:
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app.demo.drives"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
            )
        self._on_drive = on_drive
        threading.Thread(target=self._read, name="drives", daemon=True).start()
        self._send({"cars": cars, "faults": list(faults), "window_s": window_s})

    def ask(self, car: int, ordinal: int, start_ns: int) -> None:
        """Ask for a drive."""
        self._send({"car": car, "ordinal": ordinal, "start_ns": start_ns})

    def stop(self) -> None:
        """End the process at once: what it was asked for is not needed any more."""
        self._process.kill()
        self._process.wait()

    def _send(self, line: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line).encode() + b"\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            head = json.loads(line)
            sizes = head.pop("sizes")
            payloads = [self._process.stdout.read(size) for size in sizes]
            self._on_drive(
                EncodedDrive(
                    car=head["car"],
                    ordinal=head["ordinal"],
                    start_ns=head["start_ns"],
                    duration_s=head["duration_s"],
                    due_s=tuple(head["due_s"]),
                    frames=tuple(head["frames"]),
                    payloads=tuple(payloads),
                    labels=tuple((kind, onset_ns) for kind, onset_ns in head["labels"]),
                )
            )


if __name__ == "__main__":
    main()
