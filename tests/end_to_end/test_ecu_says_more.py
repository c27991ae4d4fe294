"""What a control unit says besides its codes goes from the frames to the diagnosis: self-tests, alarm levels, lamps."""

from __future__ import annotations

from pathlib import Path

from app.fleet import FleetChoice
from app.replaying import replay_drives
from domain.findings import Alert, Recommendation
from domain.fleet import Vehicle
from pipeline.replay import Drive
from storage.memory_store import MemoryStore
from tests.ingest.gbt32960.test_codes import alarm, packet


def replayed(log: Path, text: str, powertrain: str) -> tuple[dict[str, Alert], dict[str, Recommendation]]:
    log.write_text(text, encoding="ascii")
    choice = FleetChoice(drives=(Drive(log=log, vehicle=Vehicle(id="car", powertrain=powertrain)),), registered=(), dealers=())
    (case,) = replay_drives(choice, MemoryStore()).cases
    return {a.source.id: a for a in case.alerts}, {r.alerts[0]: r for r in case.recommendations if r.alerts}


def evidence(alert: Alert, kind: str) -> list[str]:
    return [item.note for item in alert.evidence if item.kind == kind]


def test_finished_self_tests_reach_the_alert_and_the_diagnosis(tmp_path: Path) -> None:
    # misfire, fuel system and components finished; catalyst supported and finished, oxygen sensor supported and not
    readiness = "(1.0) can0 7E8#0641010007212000\n"
    code = "(2.0) can0 7E8#0443010301000000\n"
    alerts, _ = replayed(tmp_path / "a.log", readiness + code, "petrol")
    (tested,) = evidence(alerts["P0301"], "tested")
    assert {"misfire", "catalyst"} <= set(tested.split(", "))
    assert "oxygen_sensor" not in tested.split(", ")


def test_the_level_of_a_packet_reaches_the_urgency(tmp_path: Path) -> None:
    def urgency(level: int) -> str:
        line = packet(alarm(1 << 6, level)).hex().upper()
        alerts, told = replayed(tmp_path / f"{level}.txt", line + "\n", "ev")
        return told[alerts["GB6"].id].urgency.name

    assert [urgency(level) for level in (1, 3)] == ["SOON", "TODAY"]


def test_the_lamp_of_a_truck_reaches_the_urgency(tmp_path: Path) -> None:
    def urgency(lamps: str) -> str:
        alerts, told = replayed(tmp_path / f"{lamps}.log", f"(1.0) can0 18FECA00#{lamps}FF60000301FFFF\n", "truck")
        (alert,) = alerts.values()
        return told[alert.id].urgency.name

    assert urgency("00") != "STOP"
    assert urgency("10") == "STOP"
