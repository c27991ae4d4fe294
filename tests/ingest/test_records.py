"""Values that a device decoded itself pass the decoder as signals under their VSS path."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from domain.frames import NO_ARENA, FrameBatch, FrameFlag, MessageTable
from domain.vss import catalogue, path_number
from ingest.records import UNKNOWN_PATH, record_groups


def samples(*pairs: tuple[str, float]) -> FrameBatch:
    """One second apart, of one vehicle."""
    n = len(pairs)
    return FrameBatch(
        vehicles=("v",),
        buses=("vss_json",),
        messages=MessageTable.single(),
        time_ns=np.arange(n, dtype=np.int64) * 1_000_000_000,
        vehicle=np.zeros(n, np.int32),
        bus=np.zeros(n, np.uint8),
        can_id=np.array([path_number(path) for path, _ in pairs], np.uint32),
        message=np.zeros(n, np.int32),
        index=np.arange(n, dtype=np.int64),
        length=np.full(n, 8, np.uint8),
        flags=np.full(n, FrameFlag.SAMPLE, np.uint8),
        payload=np.array([value for _, value in pairs]).view(np.uint64),
        arena_offset=np.full(n, NO_ARENA, np.int64),
        arena=np.empty(0, np.uint8),
    )


def test_every_path_has_a_number_of_its_own() -> None:
    assert len({path_number(path) for path in catalogue()}) == len(catalogue())


def test_values_of_one_path_make_one_group_and_not_a_number_is_not_valid() -> None:
    frames = samples(("Vehicle.Speed", 50.0), ("Vehicle.TraveledDistance", 7.5), ("Vehicle.Speed", np.nan))
    groups = {group.paths[0]: group for group in record_groups(frames, Counter())}
    speed = groups["Vehicle.Speed"]
    assert speed.frame.tolist() == [0, 2]
    assert speed.valid.tolist() == [[True, False]]
    assert speed.values[0, 0] == 50.0
    assert speed.units == ("km/h",)
    assert groups["Vehicle.TraveledDistance"].values.tolist() == [[7.5]]


def test_a_path_that_no_catalogue_knows_is_counted() -> None:
    frames = samples(("Vehicle.Speed", 50.0))
    strange = replace(frames, can_id=np.array([1], np.uint32))
    anomalies: Counter[tuple[str, str]] = Counter()
    assert list(record_groups(strange, anomalies)) == []
    assert anomalies == {("vss_json", UNKNOWN_PATH): 1}


def test_the_bytes_of_a_long_record_are_all_there() -> None:
    packet = bytes(range(256)) * 3
    frames = samples(("Vehicle.Speed", 0.0))
    long = replace(
        frames,
        flags=np.array([FrameFlag.PACKET], np.uint8),
        length=np.array([255], np.uint8),
        payload=np.array([len(packet)], np.uint64),
        arena_offset=np.zeros(1, np.int64),
        arena=np.frombuffer(packet, np.uint8),
    )
    assert long.payload_bytes(0) == packet
