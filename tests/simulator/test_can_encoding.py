import cantools
import numpy as np
import pytest

from domain.frames import EXTENDED_ID
from simulator.can_encoding import load_dbc
from simulator.drive import POWERTRAINS, simulate_drive
from simulator.drive_spec import STEP_S, DriveSpec
from simulator.profile_paths import mapped_signals
from tests.simulator.drives import drive

SHORT = {"petrol": {"duration_s": 240.0}, "ev": {"duration_s": 300.0, "charge_s": 60.0}, "truck": {"duration_s": 240.0}}


def decoded(powertrain):
    """(message, time_s, {signal: value}) of every frame, by cantools."""
    simulated = drive(powertrain, **SHORT[powertrain])
    database = load_dbc(POWERTRAINS[powertrain].dbc)
    known = {m.frame_id | (EXTENDED_ID if m.is_extended_frame else 0): m for m in database.messages}
    frames = simulated.frames
    for row in range(len(frames)):
        message = known.get(int(frames.can_id[row]))
        if message is not None:
            yield message, int(frames.time_ns[row]), message.decode(frames.payload_bytes(row), decode_choices=False)


@pytest.mark.parametrize("powertrain", SHORT)
def test_cantools_reads_back_what_the_physics_said_to_within_the_resolution(powertrain):
    simulated = drive(powertrain, **SHORT[powertrain])
    seen = set()
    for message, time_ns, values in decoded(powertrain):
        # sent in the step of the physics that holds its time, but for a frame that had to wait for the bus
        step = int((time_ns - simulated.spec.start_ns) / 1e9 / STEP_S)
        for signal in message.signals:
            if signal.name not in values or signal.is_multiplexer or signal.name not in simulated.trace.values:
                continue
            if signal.byte_order == "little_endian" and signal.length < 4 and powertrain == "truck":
                limit = signal.scale * 1.01
            else:
                limit = signal.scale * 0.501
            truth = simulated.trace.values[signal.name][step]
            low = signal.minimum if signal.minimum is not None else -np.inf
            high = signal.maximum if signal.maximum is not None else np.inf
            assert values[signal.name] == pytest.approx(np.clip(truth, low, high), abs=limit), (message.name, signal.name)
            seen.add(f"{message.name}.{signal.name}")
    every = {
        f"{m.name}.{s.name}" for m in load_dbc(POWERTRAINS[powertrain].dbc).messages for s in m.signals if not s.is_multiplexer
    }
    assert seen == every


@pytest.mark.parametrize("powertrain", SHORT)
def test_the_signals_of_a_drive_are_what_cantools_finds_under_their_vss_paths(powertrain):
    simulated = drive(powertrain, **SHORT[powertrain])
    mapped = mapped_signals(POWERTRAINS[powertrain].profile)
    found = {entry.path: ([], []) for entry in mapped.values()}
    for message, time_ns, values in decoded(powertrain):
        for name, value in values.items():
            entry = mapped.get(f"{message.name}.{name}")
            if entry is not None:
                found[entry.path][0].append(time_ns)
                found[entry.path][1].append(value * entry.scale + entry.offset)
    assert set(simulated.signals) == set(found)
    for path, (time_ns, values) in simulated.signals.items():
        assert time_ns.tolist() == found[path][0], path
        assert values == pytest.approx(np.array(found[path][1]), abs=1e-7), path


@pytest.mark.parametrize("powertrain", SHORT)
def test_frames_stand_in_order_of_time_and_never_overlap_on_the_bus(powertrain):
    frames = drive(powertrain, **SHORT[powertrain]).frames
    assert np.diff(frames.time_ns).min() >= 250_000
    assert (frames.time_ns % 1000 == 0).all()
    assert frames.index.tolist() == list(range(len(frames)))
    assert 20 < len(frames) / SHORT[powertrain]["duration_s"] < 60


def test_no_step_of_the_supply_voltage_is_missed_so_that_a_cranking_dip_is_seen():
    simulated = drive(**SHORT["petrol"])
    time_ns, volts = simulated.signals["Vehicle.LowVoltageBattery.CurrentVoltage"]
    steps = ((time_ns - simulated.spec.start_ns) / 1e9 / STEP_S).astype(int)
    assert (np.diff(steps) == 1).all()
    assert volts.min() == pytest.approx(simulated.trace.values["BatteryVoltage"].min(), abs=0.006)


def test_unused_bytes_of_the_truck_are_sent_as_not_available_and_of_the_cars_as_zero():
    truck, ids = drive("truck", **SHORT["truck"]).frames, 0x18FEEE00 | EXTENDED_ID
    row = int(np.argmax(truck.can_id == ids))  # ET1: bytes 5 to 8 are not measured
    assert truck.payload_bytes(row)[4:] == b"\xff\xff\xff\xff"
    car = drive(**SHORT["petrol"]).frames
    assert car.payload_bytes(int(np.argmax(car.can_id == 0xD0)))[6:7] != b"\xff"


def test_a_value_that_is_not_known_is_sent_as_ones_and_left_out_of_the_signals():
    from simulator.can_encoding import encode_trace
    from simulator.drive_spec import Trace

    database = cantools.database.load_string(
        'VERSION ""\nBS_:\nBU_: A\nBO_ 5 M: 8 A\n SG_ X : 0|16@1+ (0.5,0) [0|32127.5] "" A\n'
        'BA_DEF_ BO_ "GenMsgCycleTime" INT 0 60000;\nBA_DEF_DEF_ "GenMsgCycleTime" 100;\nBA_ "GenMsgCycleTime" BO_ 5 100;\n',
        "dbc",
    )
    x = np.full(100, 7.0)
    x[50:] = np.nan
    trace = Trace(time_s=np.arange(100) * STEP_S, values={"X": x}, asleep_s=10.0)
    encoded = encode_trace(trace, database, np.random.default_rng(1), not_available=True)
    raw = encoded.frames.payload & np.uint64(0xFFFF)
    assert set(raw.tolist()) == {14, 0xFFFF}
    rows, values = encoded.carried["M.X"]
    assert set(values.tolist()) == {7.0}
    assert (raw[rows] == 14).all()


def test_the_same_spec_gives_the_same_bytes_and_another_seed_gives_others():
    spec = DriveSpec(vin="LTESTPTR1T0000001", duration_s=200.0, seed=5)
    one, two = simulate_drive(spec).frames, simulate_drive(spec).frames
    other = simulate_drive(DriveSpec(vin="LTESTPTR1T0000001", duration_s=200.0, seed=6)).frames
    for column in ("time_ns", "can_id", "payload"):
        assert np.array_equal(getattr(one, column), getattr(two, column))
    assert len(other) != len(one) or not np.array_equal(one.payload, other.payload)


def test_a_drive_is_known_by_its_pseudonym_only():
    simulated = drive()
    assert simulated.frames.vehicles == (simulated.spec.vehicle,)
    assert simulated.spec.vin not in simulated.frames.vehicles[0]


def test_at_ten_times_the_rate_each_message_comes_ten_times_as_often_with_the_same_physics():
    plain, fast = (drive("petrol", **SHORT["petrol"], rate=rate) for rate in (1.0, 10.0))
    for message in load_dbc("petrol.dbc").messages:
        few, many = (int(np.count_nonzero(each.frames.can_id == message.frame_id)) for each in (plain, fast))
        assert many == pytest.approx(10 * few, abs=20)
    assert np.array_equal(plain.trace.values["VehicleSpeed"], fast.trace.values["VehicleSpeed"])
