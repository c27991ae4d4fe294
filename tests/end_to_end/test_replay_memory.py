"""Memory of a replay does not grow with the recording. Runs only with PITCALL_LONG_TESTS=1."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.replay import write_recording

ROOT = Path(__file__).resolve().parents[2]
PROFILE = ROOT / "sample_can_logs" / "profiles" / "demo_petrol.yaml"


def peak_kb(log: Path) -> int:
    """The greatest memory of any child process so far, after one that replays this recording."""
    command = [
        sys.executable,
        "-m",
        "app.cli",
        "replay",
        str(log),
        "--vin",
        "LSVBENCH000000001",
        "--profile",
        str(PROFILE),
        "--json",
    ]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss


@pytest.mark.skipif(os.environ.get("PITCALL_LONG_TESTS") != "1", reason="takes a minute; set PITCALL_LONG_TESTS=1 to run it")
def test_hours_of_a_car_s_traffic_take_no_more_memory_than_minutes(tmp_path: Path) -> None:
    short, long = tmp_path / "short.log", tmp_path / "long.log"
    write_recording(short, [None, "overheating"], minutes=15, rate=10)
    write_recording(long, [None, "overheating"] * 5 + [None, "misfire"], minutes=15, rate=10)
    assert long.stat().st_size > 5 * short.stat().st_size
    before = peak_kb(short)
    assert peak_kb(long) < 1.1 * before
