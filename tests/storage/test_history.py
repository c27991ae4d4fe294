from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from domain.errors import StorageError
from domain.signals import SignalBatch, SignalGroup
from storage.history import SignalHistory

DAY = 86_400 * 1_000_000_000
NOON = 20_000 * DAY + DAY // 2
CAR, OTHER = "a7" + "0" * 62, "b1" + "0" * 62
SPEED, RPM = "Vehicle.Speed", "Vehicle.Powertrain.CombustionEngine.Speed"


def group(
    times: Sequence[int],
    values: Sequence[Sequence[float]],
    *,
    valid: Sequence[Sequence[bool]] | None = None,
    vehicle: Sequence[int] | None = None,
    message: str = "EMS5",
    names: tuple[str, ...] = ("VSPD", "N"),
    paths: tuple[str | None, ...] = (SPEED, RPM),
    source: int = -1,
) -> SignalGroup:
    n = len(times)
    return SignalGroup.of(
        message=message,
        bus="can0",
        profile="sedan",
        names=names,
        paths=paths,
        units=("km/h", "rpm"),
        frame=np.arange(n),
        time_ns=np.array(times, np.int64),
        vehicle=np.array([0] * n if vehicle is None else vehicle, np.int32),
        source=np.full(n, source, np.int16),
        values=np.array(values, np.float64).reshape(2, n),
        valid=np.ones((2, n), np.bool_) if valid is None else np.array(valid, np.bool_),
        priority=np.zeros(2, np.uint8),
        stale_after_ns=np.zeros(2, np.int64),
    )


def batch(*groups: SignalGroup, vehicles: tuple[str, ...] = (CAR, OTHER)) -> SignalBatch:
    return SignalBatch(vehicles=vehicles, groups=groups, anomalies={}, known_frames=0, unknown_frames=0)


def files(directory: Path) -> list[str]:
    return sorted(str(file.relative_to(directory)) for file in directory.rglob("*") if file.is_file())


def test_samples_are_read_back_exactly() -> None:
    @settings(max_examples=30, deadline=None)
    @given(
        values=arrays.arrays(np.float64, (2, 40), elements=st.floats(allow_nan=False)),
        valid=arrays.arrays(np.bool_, (2, 40)),
        cut=st.integers(0, 40),
    )
    def read_back(values: np.ndarray, valid: np.ndarray, cut: int) -> None:
        times = np.arange(NOON, NOON + 40)
        with TemporaryDirectory() as directory:
            with SignalHistory(Path(directory)) as history:
                for part in (slice(0, cut), slice(cut, 40)):
                    history.append(batch(group(times[part].tolist(), values[:, part].tolist(), valid=valid[:, part].tolist())))
            for row, path in enumerate((SPEED, RPM)):
                found_times, found_values = history.read(CAR, path, 0, 2**62)
                assert found_times.tolist() == times[valid[row]].tolist()
                assert found_values.tobytes() == values[row, valid[row]].tobytes()

    read_back()


def test_files_lie_by_date_bucket_and_message_with_unit_and_path(tmp_path: Path) -> None:
    with SignalHistory(tmp_path) as history:
        history.append(batch(group([NOON, NOON + 1], [[1, 2], [3, 4]])))
    (file,) = files(tmp_path)
    assert file.startswith(f"date=2024-10-04/bucket=a7/message=EMS5/part-{NOON}-")
    column = pq.read_schema(tmp_path / file).field("VSPD")
    assert column.metadata == {b"signal": b"VSPD", b"path": SPEED.encode(), b"unit": b"km/h"}
    assert "BYTE_STREAM_SPLIT" in pq.ParquetFile(tmp_path / file).metadata.row_group(0).column(3).encodings


def test_vehicles_and_days_are_kept_apart(tmp_path: Path) -> None:
    with SignalHistory(tmp_path) as history:
        history.append(batch(group([NOON, NOON, NOON + DAY], [[1, 2, 3], [0, 0, 0]], vehicle=[0, 1, 0])))
    assert [file.split("/message")[0] for file in files(tmp_path)] == [
        "date=2024-10-04/bucket=a7",
        "date=2024-10-04/bucket=b1",
        "date=2024-10-05/bucket=a7",
    ]
    assert history.read(CAR, SPEED, 0, 2**62)[1].tolist() == [1, 3]
    assert history.read(OTHER, SPEED, 0, 2**62)[1].tolist() == [2]


def test_two_vehicles_of_one_bucket_are_told_apart(tmp_path: Path) -> None:
    twin = "a7" + "f" * 62
    with SignalHistory(tmp_path) as history:
        history.append(batch(group([NOON, NOON], [[1, 2], [0, 0]], vehicle=[0, 1]), vehicles=(CAR, twin)))
    assert len(files(tmp_path)) == 1
    assert history.read(twin, SPEED, 0, 2**62)[1].tolist() == [2]


def test_the_start_of_a_window_is_in_it_and_its_end_is_not(tmp_path: Path) -> None:
    with SignalHistory(tmp_path) as history:
        history.append(batch(group([NOON, NOON + 1, NOON + 2], [[1, 2, 3], [0, 0, 0]])))
    assert history.read(CAR, SPEED, NOON + 1, NOON + 2)[1].tolist() == [2]


def test_one_path_is_gathered_over_messages_by_time(tmp_path: Path) -> None:
    with SignalHistory(tmp_path) as history:
        history.append(
            batch(
                group([NOON + 1, NOON + 3], [[1, 3], [0, 0]]),
                group([NOON, NOON + 2], [[0, 2], [9, 9]], message="CCVS", names=("V", "X")),
            )
        )
    times, values = history.read(CAR, SPEED, 0, 2**62)
    assert (times - NOON).tolist() == [0, 1, 2, 3]
    assert values.tolist() == [0, 1, 2, 3]


def test_writing_the_same_rows_again_makes_the_same_file(tmp_path: Path) -> None:
    for _ in range(2):
        with SignalHistory(tmp_path) as history:
            history.append(batch(group([NOON, NOON + 1], [[1, 2], [3, 4]])))
    assert len(files(tmp_path)) == 1


def test_rows_that_stand_in_two_files_are_read_once(tmp_path: Path) -> None:
    whole = group([NOON, NOON + 1, NOON + 2], [[1, 1, 2], [0, 0, 0]])
    with SignalHistory(tmp_path) as history:
        history.append(batch(whole))
    with SignalHistory(tmp_path) as history:
        history.append(batch(group([NOON + 1, NOON + 2], [[1, 2], [0, 0]])))
    assert len(files(tmp_path)) == 2
    assert history.read(CAR, SPEED, 0, 2**62)[1].tolist() == [1, 1, 2]


def test_files_that_differ_only_in_a_hidden_value_have_different_names(tmp_path: Path) -> None:
    for value in (1.0, 1.5):
        with SignalHistory(tmp_path) as history:
            history.append(batch(group([NOON], [[value], [0]])))
    assert len(files(tmp_path)) == 2


def test_a_full_buffer_is_written_before_the_end(tmp_path: Path) -> None:
    history = SignalHistory(tmp_path, rows_per_file=10)
    for start in range(0, 25, 5):
        history.append(batch(group(range(NOON + start, NOON + start + 5), [[start] * 5, [0] * 5])))
    assert len(files(tmp_path)) == 2
    history.flush()
    history.flush()
    assert [pq.ParquetFile(tmp_path / file).metadata.num_rows for file in files(tmp_path)] == [10, 10, 5]


def test_memory_is_bounded_by_writing_the_fullest_buffer(tmp_path: Path) -> None:
    history = SignalHistory(tmp_path, values_in_memory=100)
    history.append(batch(group(range(NOON, NOON + 40), [[0] * 40] * 2), group([NOON], [[1], [1]], message="SMALL")))
    history.append(batch(group(range(NOON + 40, NOON + 60), [[0] * 20] * 2)))
    assert [file.split("/")[2] for file in files(tmp_path)] == ["message=EMS5"]


def test_later_changes_to_the_batch_do_not_reach_the_history(tmp_path: Path) -> None:
    taken = group([NOON], [[1], [2]])
    with SignalHistory(tmp_path) as history:
        history.append(batch(taken))
        taken.values[:] = 99
        taken.time_ns[:] = 0
    assert history.read(CAR, SPEED, 0, 2**62)[1].tolist() == [1]


def test_signals_named_like_our_columns_and_odd_messages_are_kept(tmp_path: Path) -> None:
    with SignalHistory(tmp_path) as history:
        history.append(batch(group([NOON], [[5], [6]], names=("source", "time_ns"), message="../Odd / name")))
    assert all(file.startswith("date=2024-10-04/bucket=a7/message=..%2FOdd%20%2F%20name/") for file in files(tmp_path))
    assert history.read(CAR, RPM, 0, 2**62)[1].tolist() == [6]


def test_a_signal_without_a_path_is_stored_and_not_found_by_one(tmp_path: Path) -> None:
    with SignalHistory(tmp_path) as history:
        history.append(batch(group([NOON], [[5], [6]], paths=(None, RPM))))
    assert pq.read_table(tmp_path / files(tmp_path)[0], partitioning=None).column("VSPD").to_pylist() == [5]
    assert len(history.read(CAR, "", 0, 2**62)[0]) == 0


def test_reading_before_anything_was_written_finds_nothing(tmp_path: Path) -> None:
    times, values = SignalHistory(tmp_path / "none").read(CAR, SPEED, 0, 2**62)
    assert (times.dtype, values.dtype, len(times)) == (np.int64, np.float64, 0)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    with SignalHistory(tmp_path) as history:
        history.append(batch(group([NOON], [[1], [2]])))
    file = tmp_path / files(tmp_path)[0]
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(StorageError, match=f"{file.name} is damaged; remove it"):
        history.read(CAR, SPEED, 0, 2**62)


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be written"), SignalHistory(tmp_path / "file") as history:
        history.append(batch(group([NOON], [[1], [2]])))


def test_wide_columns_are_compact(tmp_path: Path) -> None:
    n = 20_000
    rng = np.random.default_rng(3)
    speed = np.round(60 + np.cumsum(rng.normal(0, 0.05, n)), 2)
    with SignalHistory(tmp_path) as history:
        history.append(
            batch(group(range(NOON, NOON + n * 10_000_000, 10_000_000), [speed.tolist(), np.round(speed * 40).tolist()]))
        )
    size = sum((tmp_path / file).stat().st_size for file in files(tmp_path))
    assert size / (2 * n) < 3
