"""Records as the stages above make them, for the storage tests."""

from __future__ import annotations

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
from domain.fleet import Dealer, VaultEntry, Vehicle, pseudonym
from domain.orders import DealerChoice, Order, OrderKind
from domain.records import Commit, DeadLetter, DriveProgress, OutboxEvent, SeenSequences, StageState, VehicleCase

KEY = b"a key for tests"
VIN = "LSVAA4182E2123456"
CAR = pseudonym(KEY, VIN)
OTHER_CAR = pseudonym(KEY, "LSVAA4182E2999999")
SECOND = 1_000_000_000


def vehicle(identifier: str = CAR) -> Vehicle:
    return Vehicle(
        id=identifier, brand="Aurora", model="A3", year=2021, powertrain="petrol", odometer_km=61_250.4, home=(31.2304, 121.4737)
    )


def vault(identifier: str = CAR, vin: str = VIN) -> VaultEntry:
    return VaultEntry(
        vehicle=identifier, vin=vin, owner_name="王芳", owner_phone="+86 138 0000 0000", owner_email="wang@example.com"
    )


def dealer(identifier: str = "SH-001") -> Dealer:
    return Dealer(
        id=identifier,
        name=Text(en="Pudong Service", zh="浦东服务中心"),
        latitude=31.22,
        longitude=121.54,
        brands=("Aurora",),
        capabilities=("engine", "body"),
        stock=(("THERMOSTAT-88C", 3),),
    )


def alert(
    identifier: str = "alert-1", *, opened_s: int = 100, state: AlertState = AlertState.OPEN, car: str = CAR, occurrences: int = 1
) -> Alert:
    return Alert(
        id=identifier,
        incident_id=f"incident-of-{identifier}",
        vehicle=car,
        source=Source(kind=SourceKind.RULE, id="coolant_overheat", version="3"),
        state=state,
        severity=Severity.CRITICAL,
        urgency=Urgency.STOP,
        group_key="engine.cooling",
        title=Text(en="Engine overheating", zh="发动机过热"),
        explanation=Text(en="Coolant at 118 °C for 12 s", zh="冷却液温度 118 °C 持续 12 秒"),
        opened_ns=opened_s * SECOND,
        updated_ns=opened_s * SECOND + 7,
        occurrences=occurrences,
        evidence=(
            Evidence(kind="signal", signal="Vehicle.Speed", value=118.2, unit="celsius", threshold=115.0, duration_s=12.0),
        ),
        codes=("P0217",),
        location=(31.2, 121.5),
    )


def recommendation(incident: str = "incident-of-alert-1", *, car: str = CAR) -> Recommendation:
    return Recommendation(
        incident_id=incident,
        vehicle=car,
        group_key="engine.cooling",
        time_ns=105 * SECOND,
        title=Text(en="Overheating", zh="过热"),
        urgency=Urgency.STOP,
        urgency_reason=Text(en="The engine is damaged within minutes", zh="几分钟内就会损坏发动机"),
        action="roadside",
        drive="no",
        safety="high",
        advice=Text(en="Stop safely", zh="请安全停车"),
        causes=(
            Cause(id="thermostat_stuck_closed", pattern="overheat", title=Text(en="Thermostat", zh="节温器"), probability=0.6),
        ),
        checks=(Check(id="level", title=Text(en="Check the level", zh="检查液位"), minutes=5),),
        plan=(
            PlanLine(
                line=1,
                operation="replace_thermostat",
                description=Text(en="Replace the thermostat", zh="更换节温器"),
                labour_hours="1.2",
                parts=(Part(number="THERMOSTAT-88C", name=Text(en="Thermostat", zh="节温器"), price="120.00"),),
            ),
        ),
        alerts=("alert-1",),
    )


def order(
    identifier: str = "order-1", *, version: int = 1, state: str = "offered", created_s: int = 110, car: str = CAR
) -> Order:
    return Order(
        id=identifier,
        kind=OrderKind.RESCUE,
        version=version,
        state=state,
        vehicle=car,
        group_key="engine.cooling",
        incidents=("incident-of-alert-1",),
        recommendation=recommendation(car=car),
        created_ns=created_s * SECOND,
        updated_ns=(created_s + version) * SECOND,
        choice=DealerChoice(
            dealer="SH-001", distance_km=4.2, score=0.91, why=(Text(en="nearest", zh="最近"),), rejected=(("brand", 3),)
        ),
        slots=((200 * SECOND, 260 * SECOND),),
        location=(31.2, 121.5),
        transport="FLAT_BED",
    )


def event(identifier: str = "push-1", *, due_ns: int = 0) -> OutboxEvent:
    return OutboxEvent(
        id=identifier,
        type="order.created",
        subject="order-1",
        recipient="SH-001",
        channel="webhook",
        body='{"order":"订单"}',
        due_ns=due_ns,
    )


def dead_letter(identifier: str = "letter-1", *, position: int = 7, origin: str = "drive.log") -> DeadLetter:
    return DeadLetter(
        id=identifier,
        origin=origin,
        position=position,
        reason="malformed_line",
        detail="no '#'",
        content=b"(1.0) can0 \x00\xff",
        vehicle=CAR,
    )


def everything() -> Commit:
    """One commit with something of each kind."""
    case = VehicleCase(vehicle=CAR, alerts=(alert(),), recommendations=(recommendation(),), orders=(order(),))
    return Commit(
        cases=(case,),
        states=(StageState(vehicle=CAR, stage="rules", version="v1", state=b"\x00\x01\xff"),),
        progress=(DriveProgress(drive="drive-1", vehicle=CAR, frames=500, signals=900, dtcs=1, dead_letters=1),),
        outbox=(event(),),
        dead_letters=(dead_letter(),),
        seen=(SeenSequences(vehicle=CAR, boot_session=3, ranges=((0, 41), (43, 50))),),
    )
