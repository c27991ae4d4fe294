"""The shipped rules on 80 recorded trips of one healthy car (carOBD, github.com/eron93br/carOBD), where they lie beside the checkout."""

from __future__ import annotations

import io
import tarfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from app.kernels import compiler
from domain.findings import Transition
from domain.signals import SampleBatch
from domain.trouble_codes import dtc_batch
from rules.engine import RuleEngine
from rules.pack import load_rules
from rules.rule import Rule

ARCHIVE = Path(__file__).parents[3] / "shared" / "data" / "models" / "obd_carobd" / "trips.tar.xz"
pytestmark = pytest.mark.skipif(not ARCHIVE.exists(), reason="recordings of the real car are not beside this checkout")

PATH_OF = {
    "COOLANT_TEMPERATURE": "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature",
    "ENGINE_RPM": "Vehicle.Powertrain.CombustionEngine.Speed",
    "VEHICLE_SPEED": "Vehicle.Speed",
    "INTAKE_AIR_TEMP": "Vehicle.OBD.IntakeTemp",
    "LONG_TERM_FUEL_TRIM_BANK_1": "Vehicle.OBD.LongTermFuelTrim1",
    "SHORT_TERM_FUEL_TRIM_BANK_1": "Vehicle.OBD.ShortTermFuelTrim1",
    "FUEL_TANK": "Vehicle.Powertrain.FuelSystem.RelativeLevel",
    "CATALYST_TEMPERATURE_BANK1_SENSOR1": "Vehicle.OBD.Catalyst.Bank1.Temperature1",
    "CONTROL_MODULE_VOLTAGE": "Vehicle.LowVoltageBattery.CurrentVoltage",
    "DISTANCE_TRAVELED_WITH_MIL_ON": "Vehicle.OBD.DistanceWithMIL",
}


def trips() -> Iterator[tuple[str, SampleBatch]]:
    """Each trip by its name, one sample of each signal a second."""
    with tarfile.open(ARCHIVE) as archive:
        for member in sorted(archive.getmembers(), key=lambda each: each.name):
            file = archive.extractfile(member)
            if file is not None:
                yield member.name, read_trip(member.name, file.read())


def read_trip(name: str, content: bytes) -> SampleBatch:
    table = pd.read_csv(io.BytesIO(content), index_col=False, skipinitialspace=True, low_memory=False)
    table.columns = [column.split(" (")[0].strip() for column in table.columns]
    values = table[list(PATH_OF)].apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    seconds = np.maximum.accumulate(pd.to_numeric(table["ENGINE_RUN_TINE"], errors="coerce").ffill().fillna(0.0).to_numpy())
    rows, signals = np.nonzero(~np.isnan(values))
    return SampleBatch(
        vehicles=(name,),
        paths=tuple(PATH_OF.values()),
        time_ns=(seconds[rows] * 1e9).astype(np.int64),
        vehicle=np.zeros(len(rows), np.int32),
        signal=signals.astype(np.int32),
        value=values[rows, signals],
    )


def raised_by(rules: Sequence[Rule]) -> tuple[int, Counter[str]]:
    """How many trips were read, and how often each rule raises on them."""
    engine = RuleEngine(rules, jit=compiler())
    raised: Counter[str] = Counter()
    count = 0
    for _, samples in trips():
        count += 1
        findings = engine.evaluate(samples, dtc_batch(samples.vehicles, ()))
        raised.update(finding.source.id for finding in findings if finding.transition is Transition.RAISED)
    return count, raised


def test_the_shipped_rules_raise_nothing_wrong_on_a_healthy_car() -> None:
    rules = load_rules()
    (hot,) = (rule for rule in rules if rule.id == "coolant_hot")
    worse = replace(hot, id="coolant_hot_too_soon", parameters={"limit": 80.0, "clear": 70.0})
    count, raised = raised_by([*rules, worse])
    assert count == 80
    assert raised.pop(worse.id) > 40  # the trips are warm enough to raise something
    assert raised == {}
