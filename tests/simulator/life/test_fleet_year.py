"""Fleets over months: the same whatever is simulated beside, before or after, and honest about when a fault can show."""

from __future__ import annotations

import numpy as np
import pytest

from domain.errors import InputError
from domain.signals import TICK_SIGNAL, SampleBatch
from domain.vss import catalogue
from simulator.life import plan_fleet_year
from simulator.life.emission import signal_paths


def of_vehicle(batch: SampleBatch, vehicle: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    chosen = batch.vehicle == batch.vehicles.index(vehicle)
    return batch.time_ns[chosen], batch.signal[chosen], batch.value[chosen]


def equal(one: tuple[np.ndarray, ...], other: tuple[np.ndarray, ...]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_a_vehicle_is_the_same_in_a_larger_fleet_and_a_longer_run() -> None:
    small, large = plan_fleet_year(cars=3, days=40, seed=5), plan_fleet_year(cars=9, days=200, seed=5)
    assert small.vehicles == large.vehicles[:3]
    a, b = small.samples([2], first_day=0, days=40), large.samples([0, 2, 7], first_day=0, days=40)
    assert len(a) > 1000
    assert equal(of_vehicle(a, small.vehicles[2].id), of_vehicle(b, large.vehicles[2].id))


def test_the_samples_do_not_depend_on_the_cut_into_days() -> None:
    year = plan_fleet_year(cars=4, days=60, seed=6)
    whole = year.samples(range(4), first_day=3, days=50)
    parts = [year.samples(range(4), first_day=first, days=min(7, 53 - first)) for first in range(3, 53, 7)]
    for vehicle in whole.vehicles:
        pieces = [of_vehicle(part, vehicle) for part in parts]
        assert equal(of_vehicle(whole, vehicle), tuple(np.concatenate(column) for column in zip(*pieces, strict=True)))


def test_blocks_are_the_whole_fleet_in_order() -> None:
    year = plan_fleet_year(cars=5, days=56, seed=7)
    blocks = list(year.blocks(vehicles=2, days=28))
    assert [block.vehicles for block in blocks[::2]] == [tuple(v.id for v in year.vehicles[i : i + 2]) for i in (0, 2, 4)]
    assert sum(map(len, blocks)) == len(year.samples(range(5), days=56))


def test_another_seed_gives_another_fleet() -> None:
    one, other = plan_fleet_year(cars=2, days=28, seed=1), plan_fleet_year(cars=2, days=28, seed=2)
    assert one.vehicles != other.vehicles
    assert one.samples([0]).value.tolist() != other.samples([0]).value.tolist()


@pytest.mark.parametrize("seed", [1, 9])
def test_samples_are_in_order_known_and_closed_by_ticks(seed: int) -> None:
    year = plan_fleet_year(cars=12, days=28, seed=seed)
    batch = year.samples(range(12))
    same = np.diff(batch.vehicle) == 0
    assert (np.diff(batch.time_ns)[same] >= 0).all()
    assert set(signal_paths()) <= set(catalogue())
    assert np.isfinite(batch.value).all()
    ticks = batch.signal == TICK_SIGNAL
    assert ticks[np.append(np.flatnonzero(np.diff(batch.vehicle)), len(batch) - 1)].all()  # nothing is left open
    assert ticks.sum() >= sum(len(year.history(number).driven_days) for number in range(12))


def test_the_two_sets_refuse_each_others_seeds() -> None:
    with pytest.raises(InputError, match="use a seed from 9000"):
        plan_fleet_year(cars=1, seed=1, parameters="evaluation")
    with pytest.raises(InputError, match="development"):
        plan_fleet_year(cars=1, seed=9000)


def test_nothing_shows_before_the_onset() -> None:
    """The same cars without their faults send the same samples until the first onset, and others after it."""
    year, twin = plan_fleet_year(cars=40, days=365, seed=3), plan_fleet_year(cars=40, days=365, seed=3, faults=False)
    differing = 0
    for number in range(40):
        onsets = [
            fault.onset_s
            for fault in year.history(number).faults
            if fault.kind not in ("oil_overdue", "brake_pads_worn", "tyres_soft")
        ]
        if not onsets or differing >= 8:
            continue
        day = int(min(onsets) // 86_400)
        first = max(day - 40, 0)
        with_fault, without = year.samples([number], first_day=first, days=41), twin.samples([number], first_day=first, days=41)
        before = year.start_ns + round(min(onsets) * 1e9)
        a, b = (of_vehicle(batch, year.vehicles[number].id) for batch in (with_fault, without))
        assert equal(tuple(column[a[0] < before] for column in a), tuple(column[b[0] < before] for column in b))
        after = slice(day, min(day + 150, 365))
        later = [each.samples([number], first_day=after.start, days=after.stop - after.start) for each in (year, twin)]
        differing += later[0].value.tolist() != later[1].value.tolist()
    assert differing >= 8
