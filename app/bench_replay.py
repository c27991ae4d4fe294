"""`pitcall bench replay`: gives the benchmark a drive, its DBC, the rules and pitcall's replay."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from app.composition import build_line, load_profiles
from app.fleet import FleetChoice
from app.replaying import replay_drives
from benchmarks.replay import Mapped, Raised
from benchmarks.replay import run as run_benchmark
from domain.errors import InputError
from domain.findings import SourceKind
from domain.fleet import Vehicle
from ingest.profiles import Profile
from pipeline.replay import Drive
from rules.expression import Signal
from storage.memory_store import MemoryStore

SAMPLES = Path(__file__).resolve().parents[1] / "sample_can_logs"


def run(*, rounds: int, copies: int) -> dict[str, Any]:
    """The figures of `bench replay --json`.

    Raises:
        InputError: the sample recordings are not there.
    """
    drive = SAMPLES / "faulty_petrol_overheating.log.gz"
    profile_file = SAMPLES / "profiles" / "demo_petrol.yaml"
    if not drive.exists():
        raise InputError("the sample recordings are not there", file=drive, mend="run it from a checkout")
    vehicle = Vehicle(id="bench", powertrain="petrol", profile=str(profile_file))
    profiles = load_profiles([vehicle])
    parts = build_line([vehicle], profiles=profiles)
    mapping = _mapping(profiles[vehicle.profile])
    paths = {mapped.path for mapped in mapping.values()}
    rules = [rule for rule in parts.rules if all(isinstance(node, Signal) and node.path in paths for node in rule.inputs)]
    chosen = {rule.id for rule in rules}

    def replay(log: Path) -> tuple[int, Raised]:
        choice = FleetChoice(drives=(Drive(log=log, vehicle=vehicle),), registered=(), dealers=())
        with MemoryStore() as store:
            replayed = replay_drives(choice, store)
        alerts = [a for case in replayed.cases for a in case.alerts if a.source.kind is SourceKind.RULE and a.source.id in chosen]
        return replayed.frames, {(alert.source.id, alert.opened_ns // 1000) for alert in alerts}

    with tempfile.TemporaryDirectory() as folder:
        figures = run_benchmark(
            drive=drive,
            dbc=SAMPLES / "dbc" / "petrol.dbc",
            mapping=mapping,
            rules=rules,
            replay=replay,
            folder=Path(folder),
            rounds=rounds,
            copies=copies,
        )
    return figures | {"state_bytes_per_vehicle": parts.engine.state_bytes_per_vehicle}


def _mapping(profile: Profile) -> dict[str, Mapped]:
    return {
        f"{message.name}.{signal.name}": Mapped(path=signal.path, scale=signal.path_unit_scale, offset=signal.path_unit_offset)
        for message in profile.messages
        for signal in message.signals
        if signal.path and message.origin.endswith(".dbc")
    }
