"""Coolant temperature of a warmed-up engine: a thermostat that stays open on the cold side, a cooling fault on the hot side.

A thermostat holds the coolant near its rated temperature whatever the engine does; one that stays open lets the temperature
settle lower the harder the radiator is blown at, long before a trouble code (P0128) asks for it. Lost coolant, a tired pump or a
blocked radiator push it up under load.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain.findings import Severity, Text, Urgency
from models.artefact import Artefact
from models.baseline import Baseline
from models.feature_set import FeatureSet, Input, Settling
from models.residual_detector import NO_BASELINES, ResidualDetector, Shift, Wording

NAME = "coolant_residual"
_ENGINE = "Vehicle.Powertrain.CombustionEngine"

COOLANT = FeatureSet(
    target=Input(name="coolant_c", path=f"{_ENGINE}.EngineCoolant.Temperature", stale_after_s=10.0),
    inputs=(
        Input(name="engine_speed_rpm", path=f"{_ENGINE}.Speed", stale_after_s=5.0, smooth_s=60.0, required=True),
        Input(name="speed_kmh", path="Vehicle.Speed", stale_after_s=5.0, smooth_s=60.0, required=True),
        Input(name="load_percent", path="Vehicle.OBD.EngineLoad", stale_after_s=10.0, smooth_s=60.0),
        Input(name="torque_percent", path=f"{_ENGINE}.TorquePercent", stale_after_s=10.0, smooth_s=60.0),
        Input(name="manifold_kpa", path=f"{_ENGINE}.MAP", stale_after_s=10.0, smooth_s=60.0),
        Input(name="throttle_percent", path=f"{_ENGINE}.TPS", stale_after_s=10.0, smooth_s=60.0),
        Input(name="ambient_c", path="Vehicle.Exterior.AirTemperature", stale_after_s=120.0, smooth_s=60.0),
        Input(name="intake_c", path="Vehicle.OBD.IntakeTemp", stale_after_s=30.0, smooth_s=60.0),
    ),
    settling=Settling(running="engine_speed_rpm", running_above=400.0, base_s=300.0, per_unit_s=8.0, warm_at=85.0),
)
"""Units are those of the VSS catalogue; staleness allows for scan tools that poll one parameter after another."""

MEDIUM_FROM_K = 8.0
"""A colder engine is a matter of fuel and wear; from here on also of a cold cabin and a trouble code soon."""


class CoolantWords:
    """What to tell an owner about the coolant temperature."""

    group_key = "engine.cooling"

    def raised(self, shift: Shift) -> Wording:
        """Too cold or too hot."""
        return self._hot(shift) if shift.side > 0 else self._cold(shift)

    def cleared(self, shift: Shift) -> Wording:
        """Back to normal."""
        told = self.raised(shift)
        return Wording(
            severity=told.severity,
            urgency=told.urgency,
            title=told.title,
            explanation=Text(
                en=f"The coolant of the warmed-up engine is back at {shift.observed:.0f} °C, near the {shift.expected:.0f} °C"
                " that are normal for this vehicle.",
                zh=f"热机后的冷却液温度已回到 {shift.observed:.0f} °C，接近本车正常的 {shift.expected:.0f} °C。",
            ),
        )

    def _cold(self, shift: Shift) -> Wording:
        return Wording(
            severity=Severity.MEDIUM if -shift.by >= MEDIUM_FROM_K else Severity.LOW,
            urgency=Urgency.NEXT,
            title=Text(en="Engine runs too cold", zh="发动机工作温度偏低"),
            explanation=Text(
                en=f"The coolant of the warmed-up engine settled at {shift.observed:.0f} °C, where {shift.expected:.0f} °C are"
                f" expected for the way the vehicle was driven: about {-shift.by:.1f} K too cold over {_drives(shift.trips)}."
                " The usual cause is a thermostat that no longer closes, less often a coolant temperature sensor that reads low."
                " Driving on is safe; fuel use and wear go up and the heater gets weak.",
                zh=f"热机后冷却液温度稳定在 {shift.observed:.0f} °C，而按当时的行驶工况应为 {shift.expected:.0f} °C：最近"
                f" {shift.trips} 次行程平均偏低约 {-shift.by:.1f} °C。常见原因是节温器关闭不严（卡在开启位置），"
                "少数情况是冷却液温度传感器读数偏低。可以继续行驶，但油耗和磨损会增加，暖风也会变弱。",
            ),
        )

    def _hot(self, shift: Shift) -> Wording:
        return Wording(
            severity=Severity.MEDIUM,
            urgency=Urgency.SOON,
            title=Text(en="Engine runs hotter than usual", zh="发动机工作温度偏高"),
            explanation=Text(
                en=f"The coolant of the warmed-up engine stood at {shift.observed:.0f} °C, where {shift.expected:.0f} °C are"
                f" expected for the way the vehicle was driven: about {shift.by:.1f} K too hot over {_drives(shift.trips)}."
                " Possible causes are low coolant, a weak water pump, a fan that does not start, a blocked radiator or a"
                " thermostat that opens late. Check the coolant level with the engine cold, and have it looked at within days.",
                zh=f"热机后冷却液温度为 {shift.observed:.0f} °C，而按当时的行驶工况应为 {shift.expected:.0f} °C：最近"
                f" {shift.trips} 次行程平均偏高约 {shift.by:.1f} °C。可能原因有冷却液不足、水泵效率下降、冷却风扇不转、"
                "散热器堵塞或节温器开启过晚。请在冷车时检查冷却液液位，并在几天内到店检查。",
            ),
        )


def _drives(count: int) -> str:
    return "one drive" if count == 1 else f"{count} drives"


class CoolantDetector(ResidualDetector):
    """The residual detector of the coolant temperature; see `ResidualDetector`."""

    def __init__(self, artefact: Artefact, baselines: Mapping[str, Baseline] = NO_BASELINES) -> None:
        super().__init__(artefact, CoolantWords(), baselines)
