"""Replay, candump file to alerts, against what one would write without pitcall (`FrameLoop`): how fast, and whether both find the same."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.frame_loop import Change, FrameLoop

SECOND_NS = 1_000_000_000
PAUSE_NS = 600 * SECOND_NS
"""Between two drives of a recording."""

Replay = Callable[[Path], tuple[int, float, list[Change]]]
"""pitcall's replay of a file: (frames, CPU seconds, changes of mind of rules)."""


def run(*, log: Path, loop: FrameLoop, replay: Replay, rounds: int) -> dict[str, Any]:
    """Interleaved rounds of both over the whole file; medians and their ratio per frame, and whether both found the same.

    Both are warm: kernels are compiled, rules loaded and databases read before. What counts is CPU time, since other work on the
    machine is no matter of either; both run in one thread. The loop is a hundred times slower, so pitcall runs three times a round.
    """
    frames, _, changes = replay(log)
    ours: list[float] = []
    theirs: list[float] = []
    ratios: list[float] = []
    for _ in range(rounds):
        rates = [frames / replay(log)[1] for _ in range(3)]
        began = time.process_time()
        _, loop_changes = loop.run(log)
        theirs.append(frames / (time.process_time() - began))
        ours.append(statistics.median(rates))
        ratios.append(ours[-1] / theirs[-1])
    common = {change for change in changes if change[0] not in loop.left_out}
    return {
        "frames_per_s": statistics.median(ours),
        "vs_loop": statistics.median(ratios),
        "loop_frames_per_s": statistics.median(theirs),
        "frames": frames,
        "rules": loop.rules,
        "rules_not_in_loop": len(loop.left_out),
        "findings": len(changes),
        "differing_findings": len(common ^ set(loop_changes)),
    }


def write_recording(file: Path, drives: Sequence[str | None], *, minutes: float, rate: float) -> None:
    """A candump recording of drives of one petrol car, one after the other, each with a fault (None = healthy)."""
    from simulator.candump_writer import candump_text
    from simulator.drive import simulate_drive
    from simulator.drive_spec import FIRST_START_NS, DriveSpec

    start_ns = FIRST_START_NS
    with file.open("w", encoding="ascii") as stream:
        for number, fault in enumerate(drives):
            spec = DriveSpec(
                vin="LSVBENCH000000001",
                fault=fault,
                seed=number,
                start_ns=start_ns,
                duration_s=60.0 * minutes,
                ambient_celsius=10.0,
                rate=rate,
            )
            frames = simulate_drive(spec).frames
            stream.write(candump_text(frames))
            start_ns = int(frames.time_ns[-1]) // SECOND_NS * SECOND_NS + PAUSE_NS
