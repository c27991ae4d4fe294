import numpy as np
import pytest

from tests.simulator.drives import drive


def values(name, **fields):
    return drive(**fields).trace.values[name]


def moments(**fields):
    trace = drive(**fields).trace
    return trace.time_s, trace.values["EngineRunning"] > 0, trace.values["StarterEngaged"] > 0


@pytest.mark.parametrize("cycle", ["city", "mixed", "highway"])
def test_the_coolant_settles_between_85_and_95_degrees(cycle):
    coolant = values("CoolantTemperature", cycle=cycle, duration_s=1800.0)
    settled = coolant[13_000:17_000]  # the trailing minutes before parking
    assert settled.min() > 82.0
    assert settled.max() < 96.0
    assert 85.0 < settled.mean() < 92.0


def test_a_cold_engine_starts_at_ambient_and_warms_without_falling_back():
    coolant = values("CoolantTemperature", ambient_celsius=-5.0, cycle="city")
    assert coolant[0] == pytest.approx(-5.0, abs=0.5)
    minutes = coolant[::600]
    assert (np.diff(minutes[: int(np.argmax(minutes > 80))]) > -0.5).all()


def test_the_engine_turns_only_between_starting_and_key_off():
    speed = values("EngineSpeed")
    _, running, cranking = moments()
    assert (speed[~(running | cranking)] == 0).all()
    assert speed[running].min() > 500
    assert 200 < speed[cranking].mean() < 270


def test_cold_idle_is_faster_than_warm_idle():
    time_s, running, _ = moments(ambient_celsius=0.0, cycle="city")
    speed, road = (
        values("EngineSpeed", ambient_celsius=0.0, cycle="city"),
        values("VehicleSpeed", ambient_celsius=0.0, cycle="city"),
    )
    standing = running & (road == 0)
    first = standing & (time_s < time_s[running][0] + 15)
    assert np.median(speed[first]) > 950
    assert np.median(speed[standing & (time_s > 900)]) == pytest.approx(740, abs=30)


def test_a_sound_battery_rests_at_12_6_dips_while_cranking_and_is_charged_while_running():
    _, running, cranking = moments()
    volts = values("BatteryVoltage")
    before = np.arange(len(volts)) < np.argmax(cranking)
    assert volts[before].min() > 12.4
    assert volts[before].max() < 12.8
    assert 10.0 < volts[cranking].min() < 11.8
    assert 0.4 < cranking.sum() * 0.1 < 1.2
    assert volts[running].min() > 13.8
    assert volts[running].max() < 14.6


def test_a_weak_battery_rests_under_12_volts_and_cranks_deep_and_slowly():
    _, _, cranking = moments(fault="weak_12v_battery")
    volts = values("BatteryVoltage", fault="weak_12v_battery")
    assert volts[: int(np.argmax(cranking))].max() < 12.0
    assert volts[cranking].min() < 9.0
    assert cranking.sum() * 0.1 > 2.0
    assert values("EngineSpeed", fault="weak_12v_battery")[cranking].max() < 150


def test_oil_pressure_rises_with_speed_and_falls_as_the_oil_warms():
    _, running, _ = moments(cycle="city", duration_s=1800.0)
    speed, bar = values("EngineSpeed", cycle="city", duration_s=1800.0), values("OilPressure", cycle="city", duration_s=1800.0)
    late = running & (np.arange(len(bar)) > 12_000)
    assert bar[late & (speed > 1500)].mean() > 1.5 * bar[late & (speed < 800)].mean()
    idle = running & (speed < 900)
    assert bar[idle][:300].mean() > bar[idle][-300:].mean()
    assert bar[idle][-300:].min() > 1.0


def test_fuel_is_cut_on_the_overrun_and_a_city_drive_needs_6_to_11_litres_on_100_km():
    rate, cut = values("FuelRate", cycle="city", duration_s=1800.0), values("FuelCut", cycle="city", duration_s=1800.0)
    assert (rate[cut > 0] == 0).all()
    assert cut.any()
    litres = rate.sum() * 0.1 / 3600
    kilometres = np.ptp(values("Odometer", cycle="city", duration_s=1800.0))
    assert 6.0 < litres / kilometres * 100 < 11.0


def test_the_air_mass_agrees_with_speed_density():
    _, running, _ = moments()
    speed, pressure, air = values("EngineSpeed"), values("ManifoldPressure"), values("MassAirFlow")
    steady = running & (values("FuelCut") == 0)
    # ideal gas: 2.0 l every two turns, 40 °C in the manifold
    ideal = pressure * 2.0 * speed / 120 / (0.287 * 313)
    assert np.corrcoef(ideal[steady], air[steady])[0, 1] > 0.99
    assert 0.6 < np.median(air[steady] / ideal[steady]) < 1.1


def test_trims_stay_within_eight_percent_even_while_one_cylinder_misfires():
    for fault in (None, "misfire"):
        total = values("ShortTermFuelTrim", fault=fault) + values("LongTermFuelTrim", fault=fault)
        assert np.percentile(np.abs(total), 99) < 8.0


def test_only_the_labelled_cylinder_misfires_and_the_lamp_flashes():
    faulty = drive(fault="misfire")
    cylinder = int(faulty.labels[0].detail.removeprefix("cylinder "))
    for number in range(1, 5):
        worst = faulty.trace.values[f"MisfireCount{number}"].max()
        assert (worst > 40) if number == cylinder else (worst < 8)
    assert (faulty.trace.values["MilState"] == 2).any()
    assert not drive().trace.values["MilOn"].any()


def test_a_stuck_thermostat_lets_the_motorway_cool_the_engine():
    fields = {"fault": "thermostat_stuck_open", "cycle": "mixed", "duration_s": 1800.0}
    coolant, speed = values("CoolantTemperature", **fields), values("VehicleSpeed", **fields)
    late = np.arange(len(coolant)) > 9_000
    assert coolant[late].max() < 75.0
    healthy = values("CoolantTemperature", cycle="mixed", duration_s=1800.0)
    assert np.median(healthy[late] - coolant[late]) > 20.0
    assert (speed[late] > 90).any()


def test_an_engine_without_coolant_passes_118_degrees_and_steam_holds_it_under_135():
    coolant = values("CoolantTemperature", fault="overheating")
    assert 118.0 < coolant.max() < 135.0
    assert values("CoolantLevel", fault="overheating")[-1] < 20.0


def test_before_its_onset_a_fault_changes_nothing():
    faulty, sound = drive(fault="overheating"), drive()
    onset = round((faulty.labels[0].onset_ns - faulty.spec.start_ns) / 1e8)
    for name in ("CoolantTemperature", "EngineSpeed", "BatteryVoltage", "CoolantLevel"):
        assert np.array_equal(faulty.trace.values[name][: onset - 1], sound.trace.values[name][: onset - 1])


def test_gears_follow_the_road_speed():
    gear, road = values("CurrentGear", cycle="highway"), values("VehicleSpeed", cycle="highway")
    assert set(gear[road > 100]) == {6.0}
    assert gear[(road > 5) & (road < 15)].max() <= 2


def test_the_car_moves_as_far_on_the_map_as_on_the_odometer():
    trace = drive(cycle="highway").trace.values
    north = np.diff(trace["Latitude"]) * 111.32
    east = np.diff(trace["Longitude"]) * 111.32 * np.cos(np.radians(31.2))
    assert np.hypot(north, east).sum() == pytest.approx(np.ptp(trace["Odometer"]), rel=0.01)
