"""Drives of one vehicle, replayed in several runs into one store."""

import pytest

from domain.errors import DataFileError
from storage.memory_store import MemoryStore
from tests.end_to_end.replays import SAMPLES, drives_of, fleet, replayed

DAY_S = 86_400


def log(folder, name, *starts_s):
    file = folder / name
    file.write_text("".join(f"({start + i / 10:.6f}) can0 123#0{i}\n" for start in starts_s for i in range(2)))
    return file


def test_a_drive_weeks_later_is_taken_whole(tmp_path):
    store = MemoryStore()
    replayed(drives_of(log(tmp_path, "first.log", 1_700_000_000)), store)
    later = replayed(drives_of(log(tmp_path, "second.log", 1_700_000_000 + 30 * DAY_S)), store)
    assert later.document()["dead_letters"] == 0
    assert store.dead_letters() == ()


def test_an_earlier_drive_is_refused_rather_than_called_late(tmp_path):
    store = MemoryStore()
    replayed(drives_of(log(tmp_path, "first.log", 1_700_000_000)), store)
    with pytest.raises(DataFileError, match=r"in order of time"):
        replayed(drives_of(log(tmp_path, "earlier.log", 1_600_000_000)), store)
    assert store.dead_letters() == ()


def test_split_recordings_of_one_drive_give_what_the_whole_gives(tmp_path):
    import gzip

    whole = SAMPLES / "faulty_petrol_overheating.log.gz"
    lines = gzip.decompress(whole.read_bytes()).splitlines(keepends=True)
    parts = []
    for number, start in enumerate(range(0, len(lines), 9_000)):
        parts.append(tmp_path / f"part_{number}.log")
        parts[-1].write_bytes(b"".join(lines[start : start + 9_000]))

    def alerts(*logs):
        choice = drives_of(*logs)
        profiled = [type(d)(log=d.log, vehicle=type(d.vehicle)(id=d.vehicle.id, profile=PROFILE)) for d in choice.drives]
        found = replayed(type(choice)(drives=tuple(profiled), registered=(), dealers=choice.dealers))
        return [(a.id, a.state, a.opened_ns) for case in found.cases for a in case.alerts]

    assert alerts(*parts) == alerts(whole) != []


PROFILE = str(SAMPLES / "profiles" / "demo_petrol.yaml")


def test_a_drive_replayed_again_adds_nothing():
    store = MemoryStore()
    first = replayed(fleet(SAMPLES / "manifest_faulty.csv"), store).document()
    again = replayed(fleet(SAMPLES / "manifest_faulty.csv"), store).document()
    assert (again["alerts"], again["orders"], again["frames"]) == (first["alerts"], first["orders"], first["frames"])
    assert again["frames_per_s"] == 0.0
