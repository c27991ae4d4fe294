"""The demonstration as a whole, short: broker, fleet, service and dealers as their own processes, and what is left of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PITCALL = (sys.executable, "-m", "app.cli", "demo", "--port", "0", "--json")
QUICK_FAULTS = ("--fault", "weak_12v_battery", "--fault", "misfire", "--fault", "red_stop_lamp")


def run(data: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        (*PITCALL, "--data", str(data), *words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    )


@pytest.mark.slow
def test_a_short_demonstration_finds_its_faults_and_gets_orders_accepted(tmp_path: Path) -> None:
    data = tmp_path / "demo"
    demo = run(data, "--headless", "--cars", "12", "--speed", "60", "--minutes", "0.25", *QUICK_FAULTS)
    out, story = demo.communicate(timeout=150)
    assert demo.returncode == 0, story
    document = json.loads(out)
    assert {fault["kind"] for fault in document["faults"]} == {"weak_12v_battery", "misfire", "red_stop_lamp"}
    assert all(fault["alert_id"] and fault["delay_s"] >= 0 for fault in document["faults"])
    assert document["false_alerts"] == 0
    assert document["orders"]["created"] == document["orders"]["delivered"] >= 4
    assert document["orders"]["accepted"] >= 1
    assert document["rescues"] >= 1
    assert document["signatures"]["verified"] > 0
    assert document["signatures"]["failed"] == 0
    assert "declined" in story
    assert "Rescue started" in story
    assert "LTEST" not in out + story, "a VIN was told"


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("PITCALL_LONG_TESTS"), reason="PITCALL_LONG_TESTS is not set: two minutes")
def test_within_two_minutes_five_orders_are_told_from_beginning_to_end(tmp_path: Path) -> None:
    demo = run(tmp_path / "demo", "--headless", "--cars", "60", "--minutes", "2")
    out, story = demo.communicate(timeout=400)
    assert demo.returncode == 0, story
    document = json.loads(out)
    kinds = ["alert_to_rating", "declined_twice", "rescue", "parts_hold", "merged_with_care"]
    assert [each["kind"] for each in document["stories"]] == kinds
    assert all(len(each["steps"]) >= 6 for each in document["stories"])
    assert document["first_alert_s"] <= 20
    assert document["first_order_s"] <= 30
    assert document["false_alerts"] == 0


@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_no_process_outlives_the_demonstration(tmp_path: Path, end: signal.Signals) -> None:
    data = tmp_path / "demo"
    with run(data, "--cars", "6", *QUICK_FAULTS) as demo:
        assert demo.stderr is not None
        said = ""
        while "sets off" not in said:
            said = demo.stderr.readline()
            assert said, "it ended before the fleet set off"
        children = descendants(demo.pid)
        assert len(children) >= 7
        demo.send_signal(end)
        demo.communicate(timeout=60)
    assert demo.returncode == (-end if end is signal.SIGKILL else 0)
    deadline = time.monotonic() + 20.0
    while (left := [pid for pid in children if alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []


def descendants(pid: int) -> list[int]:
    """All processes below this one."""
    children_of: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children_of.setdefault(int(fields[1]), []).append(int(entry.parent.name))
    found, waiting = list[int](), [pid]
    while waiting:
        below = children_of.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def alive(pid: int) -> bool:
    """Running and no zombie."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
