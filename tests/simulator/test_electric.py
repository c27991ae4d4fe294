import numpy as np
import pytest

from tests.simulator.drives import drive


def values(name, **fields):
    return drive("ev", **fields).trace.values[name]


def test_the_charge_falls_while_driving_by_the_energy_that_was_used():
    soc, volts, amperes = values("StateOfCharge"), values("PackVoltage"), values("PackCurrent")
    used_wh = (volts * amperes).sum() * 0.1 / 3600
    assert soc[-1] < soc[0] - 1.0
    assert (soc[0] - soc[-1]) / 100 * 165 * 0.95 * 370 == pytest.approx(used_wh, rel=0.06)
    assert 100 < used_wh / np.ptp(values("Odometer")) < 260


def test_braking_charges_the_battery():
    assert values("PackCurrent", cycle="city").min() < -15.0


def test_the_voltage_sags_under_load():
    volts, amperes = values("PackVoltage"), values("PackCurrent")
    slope = np.polyfit(amperes, volts, 1)[0]
    assert -0.15 < slope < -0.05


def test_a_sound_pack_spreads_a_few_millivolts_at_rest_and_names_cells_1_to_96():
    spread = values("CellVoltageMax") - values("CellVoltageMin")
    resting = np.abs(values("PackCurrent")) < 20
    assert spread[resting].min() > 0.004
    assert spread[resting].max() < 0.020
    assert spread.max() < 0.035
    for name in ("CellIdMin", "CellIdMax"):
        assert values(name).min() >= 1
        assert values(name).max() <= 96


def test_a_bad_cell_sinks_120_to_250_millivolts_and_is_named():
    faulty = drive("ev", fault="ev_cell_imbalance")
    trace = faulty.trace.values
    cell = int(faulty.labels[0].detail.removeprefix("cell "))
    late = (faulty.trace.time_s > 900) & (np.abs(trace["PackCurrent"]) < 20)
    depth = (trace["CellVoltageMax"] - trace["CellVoltageMin"])[late]
    assert depth.min() > 0.12
    assert depth.max() < 0.27
    assert set(trace["CellIdMin"][late]) == {cell}


def test_modules_add_up_to_the_pack():
    modules = sum(values(f"ModuleVoltage{number}") for number in range(8))
    assert np.abs(modules - values("PackVoltage")).max() < 0.5


def test_charging_fills_the_pack_with_the_key_off():
    fields = {"charge_s": 300.0, "duration_s": 900.0}
    charging = values("Charging", **fields) > 0
    assert values("StateOfCharge", **fields)[250 * 10] > values("StateOfCharge", **fields)[0] + 3.0
    assert values("PackCurrent", **fields)[charging].min() < -100.0
    assert not values("IgnitionOn", **fields)[charging].any()
    assert not values("VehicleSpeed", **fields)[charging].any()
    assert values("ChargeCurrent", **fields).max() == pytest.approx(-values("PackCurrent", **fields).min(), abs=1.0)


def test_the_converter_holds_the_12_volt_side_while_driving():
    volts, active = values("BatteryVoltage"), values("DcdcActive") > 0
    assert volts[active][50:].min() > 13.4
    assert volts.max() < 14.5


def test_temperatures_rise_from_ambient_and_stay_sane():
    for name, limit in (("MotorTemperature", 120), ("InverterTemperature", 90), ("DcdcTemperature", 80)):
        assert values(name, cycle="highway")[0] == pytest.approx(20.0, abs=2.0)
        assert 25.0 < values(name, cycle="highway").max() < limit
    assert (values("TemperatureMin") <= values("TemperatureAverage")).all()
    assert (values("TemperatureAverage") <= values("TemperatureMax")).all()


def test_the_vss_current_is_positive_when_charging():
    _, amperes = drive("ev", charge_s=300.0, duration_s=900.0).signals["Vehicle.Powertrain.TractionBattery.CurrentCurrent"]
    assert amperes.max() > 100.0
