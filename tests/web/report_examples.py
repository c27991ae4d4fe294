"""Replays made by hand, as real as records by hand can be."""

from __future__ import annotations

import numpy as np

from domain.findings import (
    Alert,
    AlertState,
    Cause,
    Check,
    Evidence,
    Part,
    PlanLine,
    Recommendation,
    Severity,
    Source,
    SourceKind,
    Text,
    Urgency,
)
from domain.fleet import Dealer, Vehicle
from domain.orders import DealerChoice, Order, OrderKind
from domain.records import VehicleCase
from web.report.model import DriveSummary, ReplayReport, Series

SECOND = 1_000_000_000
START = 1_772_352_000 * SECOND  # 2026-03-01 08:00:00 UTC
SEDAN = "a7c31f0e5b9d4286" * 4
VAN = "3e90d1b7aa4c5f62" * 4
COOLANT = "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature"
SPEED = "Vehicle.Speed"
RPM = "Vehicle.Powertrain.CombustionEngine.Speed"
BATTERY = "Vehicle.LowVoltageBattery.CurrentVoltage"

VEHICLES = (
    Vehicle(id=SEDAN, brand="Aurora", model="A3 1.5T", year=2021, powertrain="petrol", profile="aurora_a3"),
    Vehicle(id=VAN, brand="Kestrel", model="Cargo", year=2019, powertrain="diesel"),
)
DEALER = Dealer(
    id="SH-014",
    name=Text(en="Pudong Aurora Service Centre", zh="浦东奥罗拉服务中心"),
    latitude=31.23,
    longitude=121.54,
    labour_rate="180.00",
    stock=(("COOL-THERM-01", 4),),
)


def series(seed: int = 4) -> dict[tuple[str, str], Series]:
    """A sedan that overheats in its last minutes, and a van with a tired battery, both at 10 Hz or less."""
    rng = np.random.default_rng(seed)
    seconds = np.arange(0, 1500, 0.1)
    speed = np.clip(52 + 26 * np.sin(seconds / 70) + 9 * np.sin(seconds / 11) + rng.normal(0, 0.6, len(seconds)), 0, None)
    warm = 90 - 62 * np.exp(-seconds / 230) + 1.1 * np.sin(seconds / 31)
    hot = np.clip(seconds - 1130, 0, None)
    coolant = np.round(warm + 31 * (1 - np.exp(-hot / 150)), 1)
    times = (START + seconds * SECOND).astype(np.int64)
    parked = np.concatenate((np.arange(0, 240, 1.0), np.arange(420, 900, 1.0)))
    volts = (
        12.31
        - 2.9 * np.exp(-(((parked - 428) / 2.2) ** 2))
        + 1.6 / (1 + np.exp(-(parked - 436)))
        + rng.normal(0, 0.02, len(parked))
    )
    slow = slice(None, None, 10)
    return {
        (SEDAN, COOLANT): (times[slow], coolant[slow]),
        (SEDAN, SPEED): (times, speed),
        (SEDAN, RPM): (times, 780 + speed * 31 + rng.normal(0, 15, len(speed))),
        (VAN, BATTERY): ((START + 7200 * SECOND + parked * SECOND).astype(np.int64), volts),
    }


def at(seconds: float) -> int:
    return START + int(seconds * SECOND)


def overheating() -> VehicleCase:
    cause = Cause(
        id="thermostat_stuck_closed",
        pattern="overheat_under_load",
        title=Text(en="Thermostat stuck closed", zh="节温器卡滞在关闭位置"),
        probability=0.58,
        explains=("coolant_overheat", "P0217"),
    )
    others = (
        Cause(
            id="pump",
            pattern="overheat_under_load",
            title=Text(en="Coolant pump worn", zh="水泵磨损"),
            probability=0.24,
            explains=("P0217",),
        ),
        Cause(
            id="level",
            pattern="overheat_under_load",
            title=Text(en="Coolant lost through a leak", zh="冷却液泄漏"),
            probability=0.18,
        ),
    )
    alerts = (
        Alert(
            id="alert-overheat",
            incident_id="incident-cooling",
            vehicle=SEDAN,
            source=Source(kind=SourceKind.RULE, id="coolant_overheat", version="9f31"),
            state=AlertState.OPEN,
            severity=Severity.CRITICAL,
            urgency=Urgency.STOP,
            group_key="engine.cooling/thermostat",
            title=Text(en="Engine is overheating", zh="发动机过热"),
            explanation=Text(
                en="Coolant stood above 115 °C for 10 s while the engine was under load.",
                zh="发动机带负荷运行时，冷却液温度高于 115 °C 持续 10 秒。",
            ),
            opened_ns=at(1304),
            updated_ns=at(1499),
            evidence=(
                Evidence(
                    kind="signal",
                    signal=COOLANT,
                    value=118.4,
                    unit="celsius",
                    threshold=115.0,
                    comparison=">",
                    duration_s=10.0,
                    window_start_ns=at(1294),
                    window_end_ns=at(1304),
                ),
                Evidence(
                    kind="signal", signal=SPEED, value=61.0, unit="km/h", threshold=20.0, comparison=">", window_start_ns=at(1294)
                ),
            ),
            location=(31.2304, 121.4737),
        ),
        Alert(
            id="alert-p0217",
            incident_id="incident-cooling",
            vehicle=SEDAN,
            source=Source(kind=SourceKind.DTC, id="P0217"),
            state=AlertState.RESOLVED,
            severity=Severity.HIGH,
            urgency=Urgency.TODAY,
            group_key="engine.cooling/thermostat",
            title=Text(en="Engine coolant over temperature condition", zh="发动机冷却液温度过高"),
            explanation=Text(
                en="The engine control unit reports P0217, confirmed, lamp on.",
                zh="发动机控制单元报告 P0217，已确认，故障灯点亮。",
            ),
            opened_ns=at(1331),
            updated_ns=at(1480),
            occurrences=6,
            evidence=(Evidence(kind="dtc", signal="P0217", note="confirmed, MIL on"),),
            codes=("P0217",),
        ),
    )
    recommendation = Recommendation(
        incident_id="incident-cooling",
        vehicle=SEDAN,
        group_key="engine.cooling/thermostat",
        time_ns=at(1331),
        title=Text(en="Engine overheating: coolant does not reach the radiator", zh="发动机过热：冷却液未流经散热器"),
        urgency=Urgency.STOP,
        urgency_reason=Text(
            en="Above 115 °C the cylinder head warps within minutes.", zh="温度超过 115 °C 时，缸盖可能在数分钟内变形。"
        ),
        action="roadside",
        drive="no",
        safety="high",
        advice=Text(
            en="Stop where it is safe, switch the engine off and do not open the coolant cap.",
            zh="请在安全处停车熄火，切勿打开冷却液盖。",
        ),
        causes=(cause, *others),
        checks=(
            Check(id="level", title=Text(en="Check the coolant level when cold", zh="冷车时检查冷却液液位"), minutes=5),
            Check(id="hoses", title=Text(en="Compare both radiator hoses by hand", zh="用手比较散热器上下水管温度"), minutes=10),
            Check(id="pump", title=Text(en="Measure the pump's delivery", zh="测量水泵流量"), minutes=25),
        ),
        plan=(
            PlanLine(
                line=1,
                operation="replace_thermostat",
                description=Text(en="Replace the thermostat and bleed the circuit", zh="更换节温器并排气"),
                labour_hours="1.4",
                parts=(
                    Part(number="COOL-THERM-01", name=Text(en="Thermostat, 88 °C", zh="节温器 88 °C"), price="168.00"),
                    Part(number="COOL-FLUID-5L", name=Text(en="Coolant, 5 L", zh="冷却液 5 升"), quantity=2, price="95.00"),
                ),
            ),
            PlanLine(
                line=2,
                operation="pressure_test",
                description=Text(en="Pressure-test the cooling system", zh="冷却系统压力测试"),
                labour_hours="0.4",
            ),
            PlanLine(
                line=3,
                operation="replace_pump",
                description=Text(en="Replace the coolant pump", zh="更换水泵"),
                labour_hours="2.1",
                parts=(Part(number="COOL-PUMP-07", name=Text(en="Coolant pump", zh="水泵"), price="640.00"),),
                optional=True,
            ),
        ),
        alerts=("alert-overheat", "alert-p0217"),
        codes=("P0217",),
    )
    order = Order(
        id="order-5d20c1f9ab37",
        kind=OrderKind.SERVICE,
        version=1,
        state="offered",
        vehicle=SEDAN,
        group_key="engine.cooling/thermostat",
        incidents=("incident-cooling",),
        recommendation=recommendation,
        created_ns=at(1331),
        updated_ns=at(1331),
        choice=DealerChoice(
            dealer="SH-014",
            distance_km=6.38,
            score=0.87,
            why=(
                Text(en="nearest able dealer (6.4 km)", zh="最近的可承接经销商（6.4 公里）"),
                Text(en="has the thermostat in stock", zh="节温器有现货"),
                Text(en="free today", zh="今日有空位"),
            ),
            rejected=(("brand", 3), ("too_far", 11), ("full", 1)),
        ),
        slots=((at(7200), at(10_800)), (at(93_600), at(97_200))),
        location=(31.2304, 121.4737),
        transport="FLAT_BED",
    )
    return VehicleCase(vehicle=SEDAN, alerts=alerts, recommendations=(recommendation,), orders=(order,))


def weak_battery() -> VehicleCase:
    alert = Alert(
        id="alert-battery",
        incident_id="incident-battery",
        vehicle=VAN,
        source=Source(kind=SourceKind.MODEL, id="cranking_voltage"),
        state=AlertState.OPEN,
        severity=Severity.MEDIUM,
        urgency=Urgency.MONITOR,
        group_key="electrical.battery",
        title=Text(en="12 V battery is getting weak", zh="12 V 蓄电池性能下降"),
        explanation=Text(
            en="Voltage fell to 9.4 V while cranking; 10.6 V is usual for this vehicle.",
            zh="起动时电压降至 9.4 V，该车通常为 10.6 V。",
        ),
        opened_ns=at(7200 + 430),
        updated_ns=at(7200 + 430),
        evidence=(
            Evidence(
                kind="model",
                signal=BATTERY,
                value=9.41,
                unit="V",
                threshold=9.6,
                comparison="<",
                duration_s=0.8,
                window_start_ns=at(7626),
                window_end_ns=at(7634),
            ),
        ),
    )
    return VehicleCase(vehicle=VAN, alerts=(alert,))


def drives() -> tuple[DriveSummary, ...]:
    return (
        DriveSummary(
            vehicle=SEDAN,
            log="overheat_2026-03-01.log",
            profile="aurora_a3",
            start_ns=START,
            end_ns=at(1500),
            frames=1_204_331,
            signals=3_118_204,
            dtcs=6,
        ),
        DriveSummary(
            vehicle=VAN,
            log="van_morning.log.gz",
            start_ns=at(7200),
            end_ns=at(8100),
            frames=88_120,
            signals=204_566,
            dead_letters=2,
        ),
    )


def faulty() -> ReplayReport:
    """Two drives, two incidents, one order."""
    return ReplayReport(
        drives=drives(),
        cases=(weak_battery(), overheating()),
        vehicles=VEHICLES,
        dealers=(DEALER,),
        series=series(),
        rules=14,
        detectors=1,
        codes=1210,
        generated_from="pitcall replay overheat_2026-03-01.log van_morning.log.gz --manifest drives.csv --report report.html",
        elapsed_s=2.41,
    )


def healthy() -> ReplayReport:
    """Two drives in which nothing was found."""
    return ReplayReport(
        drives=drives(),
        vehicles=VEHICLES,
        rules=14,
        detectors=1,
        codes=1210,
        generated_from="pitcall replay healthy.log",
        elapsed_s=1.2,
    )


def undecoded() -> ReplayReport:
    """An undated drive that no profile decodes."""
    drive = DriveSummary(vehicle=SEDAN, log="unknown.log", start_ns=0, end_ns=62 * SECOND, frames=5_000)
    return ReplayReport(drives=(drive,), rules=14, detectors=1, codes=1210)
