import numpy as np

from tests.simulator.drives import drive

WORKING_DAY = {"soak_celsius": 50.0, "odometer_km": 280_000.0}


def values(name, **fields):
    return drive("truck", **WORKING_DAY, **fields).trace.values[name]


def running(**fields):
    return values("EngineSpeed", **fields) > 500


def test_the_diesel_idles_at_600_and_cruises_at_1100_to_1500():
    speed, road = values("EngineSpeed", cycle="highway"), values("VehicleSpeed", cycle="highway")
    assert 590 < np.median(speed[running(cycle="highway") & (road == 0)]) < 620
    assert 1050 < np.median(speed[road > 75]) < 1500
    assert road.max() < 95


def test_the_coolant_settles_at_the_thermostat():
    late = values("CoolantTemperature", duration_s=1800.0)[12_000:17_000]
    assert late.min() > 78
    assert late.max() < 100


def test_24_volt_system():
    volts = values("BatteryVoltage")
    cranking = values("StarterMode") == 1
    assert 25.0 < volts[0] < 25.6
    assert 20.0 < volts[cranking].min() < 24.0
    assert volts[running()].min() > 27.6
    assert volts[running()].max() < 29.2


def test_oil_pressure_of_a_sound_engine_is_at_least_150_kpa_at_idle():
    settled = running() & (np.arange(len(running())) > 300)
    assert values("OilPressure")[settled].min() > 150
    assert values("OilPressure").max() < 600


def test_the_compressor_keeps_the_brake_air_between_cut_in_and_cut_out():
    pressure = values("AirPressure1", cycle="city")
    assert pressure.min() > 800
    assert 950 < pressure.max() < 1030


def test_a_loaded_truck_on_the_motorway_burns_20_to_45_litres_on_100_km():
    litres = values("FuelRate", cycle="highway", duration_s=1800.0).sum() * 0.1 / 3600
    assert 20 < litres / np.ptp(values("Odometer", cycle="highway", duration_s=1800.0)) * 100 < 45


def test_losing_oil_takes_pressure_and_level():
    fields = {"fault": "red_stop_lamp"}
    late = running(**fields) & (np.arange(len(running(**fields))) > 9_000)
    assert values("OilPressure", **fields)[late].max() < 70
    assert values("OilLevel", **fields)[late].max() < 15
