"""Short ways to make rules, samples and reports for tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from domain.frames import TickKind
from domain.signals import TICK_SIGNAL, SampleBatch
from domain.trouble_codes import CodeList, DtcBatch, DtcReport, Lamps, Monitors, Protocol, TroubleCode, dtc_batch
from rules.pack import load_rules
from rules.rule import Rule

SECOND = 1_000_000_000
SPEED = "Vehicle.Speed"
ENGINE = "Vehicle.Powertrain.CombustionEngine.Speed"
COOLANT = "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature"
VOLTAGE = "Vehicle.LowVoltageBattery.CurrentVoltage"
CHARGING = "Vehicle.Powertrain.TractionBattery.Charging.IsCharging"
AIR = "Vehicle.Exterior.AirTemperature"
LATITUDE, LONGITUDE = "Vehicle.CurrentLocation.Latitude", "Vehicle.CurrentLocation.Longitude"
PATHS = (SPEED, ENGINE, COOLANT, VOLTAGE, CHARGING, AIR, LATITUDE, LONGITUDE)
END = "end"
TIMER = "timer"

Sample = tuple[str, float, str, float]
"""(vehicle, time in s, path or END or TIMER, value)."""


def rule_dict(**changes: Any) -> dict[str, Any]:
    """A rule as written in a pack."""
    return {
        "id": "hot",
        "version": 1,
        "status": "active",
        "system": "engine.cooling",
        "severity": "high",
        "urgency": "TODAY",
        "when": "EngineCoolant.Temperature > limit",
        "for": "10 s",
        "parameters": {"limit": {"value": 100, "unit": "celsius"}},
        "title": {"en": "Hot", "zh": "过热"},
        "explanation": {"en": "{EngineCoolant.Temperature:.0f} °C", "zh": "{EngineCoolant.Temperature:.0f} 度"},
        "source": ["a test"],
        "owner": "tests",
        **changes,
    }


def write_pack(folder: Path, *rules: Mapping[str, Any], name: str = "pack.yaml") -> Path:
    """A pack file of these rules."""
    file = folder / name
    file.write_text(yaml.safe_dump([dict(rule) for rule in rules], allow_unicode=True, sort_keys=False), encoding="utf-8")
    return file


def rules_of(folder: Path, *rules: Mapping[str, Any]) -> tuple[Rule, ...]:
    return load_rules([write_pack(folder, *rules)])


def samples(rows: Iterable[Sample]) -> SampleBatch:
    """A batch in the order that stages see: by vehicle, then time (stable)."""
    rows = list(rows)
    vehicles = tuple(dict.fromkeys(row[0] for row in rows))
    ordered = sorted(rows, key=lambda row: (vehicles.index(row[0]), row[1]))
    ticks = {END: float(TickKind.END_OF_DRIVE), TIMER: float(TickKind.TIMER)}
    return SampleBatch(
        vehicles=vehicles,
        paths=PATHS,
        time_ns=np.array([round(row[1] * SECOND) for row in ordered], np.int64),
        vehicle=np.array([vehicles.index(row[0]) for row in ordered], np.int32),
        signal=np.array([TICK_SIGNAL if row[2] in ticks else PATHS.index(row[2]) for row in ordered], np.int32),
        value=np.array([ticks.get(row[2], row[3]) for row in ordered], np.float64),
    )


def obd(
    time_s: float, *codes: str, kind: CodeList = CodeList.STORED, source: int = 0x7E8, complete: bool = True, **more: Any
) -> DtcReport:
    """An OBD list of these codes."""
    return DtcReport(
        time_ns=round(time_s * SECOND),
        vehicle=0,
        bus="can0",
        source=source,
        protocol=Protocol.OBD,
        kind=kind,
        complete=complete,
        codes=tuple(TroubleCode(code=code) for code in codes),
        **more,
    )


def dm1(
    time_s: float, *codes: tuple[int, int] | tuple[int, int, int], red: int = 0, amber: int = 0, protect: int = 0, source: int = 0
) -> DtcReport:
    """A DM1 with codes (SPN, FMI[, occurrence])."""
    return DtcReport(
        time_ns=round(time_s * SECOND),
        vehicle=0,
        bus="can0",
        source=source,
        protocol=Protocol.J1939,
        kind=CodeList.ACTIVE,
        complete=True,
        codes=tuple(
            TroubleCode(code=f"SPN{code[0]}/FMI{code[1]}", spn=code[0], fmi=code[1], occurrence=code[2] if len(code) > 2 else 1)
            for code in codes
        ),
        lamps=Lamps(malfunction=0, red_stop=red, amber_warning=amber, protect=protect),
    )


def uds(time_s: float, *codes: tuple[str, int], kind: CodeList = CodeList.UDS_BY_STATUS, **more: Any) -> DtcReport:
    """A UDS list of codes (code, status)."""
    listed = tuple(TroubleCode(code=code, status=status) for code, status in codes)
    return replace(obd(time_s), protocol=Protocol.UDS, kind=kind, codes=listed, **more)


def cleared(time_s: float, *, message: str = "14", source: int = 0x7E8, protocol: Protocol = Protocol.UDS) -> DtcReport:
    """A tool has cleared the ECU's codes."""
    return replace(obd(time_s, kind=CodeList.CLEARED, source=source), protocol=protocol, message=message)


def monitors(time_s: float, *, complete: bool) -> DtcReport:
    """The ECU's self-tests have all finished, or have not."""
    tests = Monitors(complete=("catalyst",), incomplete=() if complete else ("misfire",))
    return replace(obd(time_s, kind=CodeList.STATUS, complete=False), monitors=tests)


def reports(*items: DtcReport, vehicle: str = "car") -> DtcBatch:
    return dtc_batch((vehicle,), items)


def course(vehicle: str, path: str, values: Sequence[float], *, start: float = 0.0, step: float = 1.0) -> list[Sample]:
    """One value every `step` seconds."""
    return [(vehicle, start + number * step, path, value) for number, value in enumerate(values)]
