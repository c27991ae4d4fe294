"""The signal history of live operation: written beside the step, read by another process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.history_writer import HistoryWriter
from domain.signals import SignalBatch
from pipeline.line import Advance
from storage.history import SignalHistory
from tests.storage.test_history import CAR, DAY, NOON, OTHER, RPM, SPEED, batch, files, group


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def advance(signals: SignalBatch) -> Advance:
    """Only what the writer looks at."""
    made = object.__new__(Advance)
    object.__setattr__(made, "signals", signals)
    return made


def samples(first: int, count: int = 10) -> Advance:
    times = list(range(NOON + first, NOON + first + count))
    return advance(batch(group(times, [[float(t - NOON) for t in times], [0.0] * count])))


def test_samples_are_on_disk_once_their_time_is_up_and_another_reader_finds_them(tmp_path: Path) -> None:
    clock = Clock()
    writer = HistoryWriter(tmp_path, flush_s=30.0, monotonic=clock)
    writer.observe(samples(0))
    writer.work()
    assert files(tmp_path) == []
    clock.now_s = 31.0
    writer.observe(samples(10))
    writer.work()
    assert SignalHistory(tmp_path).read(CAR, SPEED, 0, 2**62)[1].tolist() == [float(n) for n in range(20)]


def test_leaving_writes_what_waits(tmp_path: Path) -> None:
    with HistoryWriter(tmp_path, flush_s=3600.0) as writer:
        for first in range(0, 100, 10):
            writer.observe(samples(first))
    assert len(files(tmp_path)) == 1
    assert len(SignalHistory(tmp_path).read(CAR, RPM, 0, 2**62)[0]) == 100


def test_vehicles_share_files_and_are_told_apart(tmp_path: Path) -> None:
    with HistoryWriter(tmp_path, flush_s=3600.0) as writer:
        writer.observe(advance(batch(group([NOON, NOON + 1, NOON + 2], [[1, 2, 3], [0, 0, 0]], vehicle=[0, 1, 0]))))
    (file,) = files(tmp_path)
    assert file.startswith(f"date=2024-10-04/bucket=all/message=EMS5/part-{NOON}-{NOON + 2}-")
    history = SignalHistory(tmp_path)
    assert history.read(CAR, SPEED, 0, 2**62)[1].tolist() == [1, 3]
    assert history.read(OTHER, SPEED, 0, 2**62)[1].tolist() == [2]
    assert history.read(CAR, SPEED, NOON + 2, NOON + 3)[1].tolist() == [3]
    assert len(history.read(CAR, SPEED, NOON + 3, NOON + 9)[1]) == 0


def test_a_step_that_was_done_again_is_kept_once(tmp_path: Path) -> None:
    with HistoryWriter(tmp_path, flush_s=3600.0) as writer:
        writer.observe(samples(0))
        writer.observe(samples(0))
    assert len(SignalHistory(tmp_path).read(CAR, SPEED, 0, 2**62)[0]) == 10


def test_where_the_disk_is_too_slow_the_newest_are_dropped_and_counted(tmp_path: Path) -> None:
    writer = HistoryWriter(tmp_path, flush_s=3600.0, most_values=50)
    for first in (0, 10, 20):
        writer.observe(samples(first))  # 20 values each
    writer.work(flush=True)
    assert writer.dropped == 20
    assert len(SignalHistory(tmp_path).read(CAR, SPEED, 0, 2**62)[0]) == 20


def test_a_folder_that_cannot_be_written_does_not_end_the_writer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    blocked = tmp_path / "history"
    blocked.write_text("a file where the folder should be")
    with HistoryWriter(blocked, flush_s=0.01) as writer:
        writer.observe(samples(0))
    assert "has a hole" in caplog.text
    assert writer.dropped == 0


def test_old_days_are_dropped_whole(tmp_path: Path) -> None:
    with SignalHistory(tmp_path, shared=True) as history:
        history.append(batch(group([NOON, NOON + DAY, NOON + 2 * DAY], [[1, 2, 3], [0, 0, 0]])))
    assert history.delete_before(NOON + DAY) == 1
    assert history.read(CAR, SPEED, 0, 2**62)[1].tolist() == [2, 3]
    assert SignalHistory(tmp_path / "none").delete_before(NOON) == 0


def test_samples_of_random_vehicles_come_back_from_shared_files(tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    names = tuple(f"{number:02x}" + "0" * 62 for number in range(40))
    vehicle = random.integers(0, len(names), 3_000)
    values = random.normal(size=(2, 3_000))
    times = NOON + np.arange(3_000)
    with HistoryWriter(tmp_path, flush_s=3600.0) as writer:
        for part in np.split(np.arange(3_000), 12):
            signals = group(times[part].tolist(), values[:, part].tolist(), vehicle=vehicle[part].tolist())
            writer.observe(advance(batch(signals, vehicles=names)))
    history = SignalHistory(tmp_path)
    for number in (0, 7, 39):
        found = history.read(names[number], SPEED, 0, 2**62)
        assert found[0].tolist() == times[vehicle == number].tolist()
        assert found[1].tolist() == values[0, vehicle == number].tolist()
