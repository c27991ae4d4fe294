import pytest

from simulator.drive_spec import FAULTS
from simulator.fleet import plan_fleet, simulate_fleet
from tests.simulator.limits import broken_limits

KINDS = [(powertrain, fault) for powertrain, faults in FAULTS.items() for fault in faults]


@pytest.mark.parametrize("powertrain", FAULTS)
def test_twenty_healthy_drives_keep_every_limit(powertrain):
    # 27 minutes: long enough for the limit on a cold engine to be asked
    for drive in simulate_fleet(plan_fleet(vehicles=20, powertrain=powertrain, seed=11, minutes=27.0)):
        assert broken_limits(drive) == set(), drive.spec
        assert drive.labels == ()


@pytest.mark.parametrize(("powertrain", "fault"), KINDS)
def test_twenty_faulty_drives_break_the_limit_of_their_fault_and_no_other(powertrain, fault):
    for drive in simulate_fleet(plan_fleet(vehicles=20, powertrain=powertrain, faults=[fault], seed=23)):
        assert broken_limits(drive) == {fault}, drive.spec
        assert [label.kind for label in drive.labels] == [fault]
