"""`pitcall bench replay`: gives the benchmark a recording, its DBC, the rules and pitcall's replay."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.composition import Parts, build_line, load_profiles, stale_after_ns
from app.kernels import compiler
from app.rule_files import RuleFiles
from benchmarks.frame_loop import Change, FrameLoop, Mapped
from benchmarks.replay import run as run_benchmark
from benchmarks.replay import write_recording
from domain.errors import InputError
from domain.findings import SourceKind, Transition
from domain.fleet import Vehicle
from ingest.profiles import Profile
from pipeline.casework import Casework
from pipeline.line import Advance
from pipeline.replay import Drive, Replay
from storage.memory_store import MemoryStore

SAMPLES = Path(__file__).resolve().parents[1] / "sample_can_logs"
DRIVES = ("thermostat_stuck_open", "overheating", "weak_12v_battery", "misfire")


def run(*, rounds: int, minutes: float, rate: float, rule_paths: Sequence[Path] | None = None) -> dict[str, Any]:
    """The figures of `bench replay --json`.

    Args:
        minutes: of each of the recording's drives. rate: messages are sent this many times as often as the car's DBC says.
        rule_paths: rule packs, None = the shipped ones.

    Raises:
        InputError: the sample profile is not there.
    """
    profile_file = SAMPLES / "profiles" / "demo_petrol.yaml"
    if not profile_file.exists():
        raise InputError("the sample profiles are not there", file=profile_file, mend="run it from a checkout")
    vehicle = Vehicle(id="bench", powertrain="petrol", profile=str(profile_file))
    profiles = load_profiles([vehicle])
    changes: list[Change] = []

    def note(advance: Advance) -> None:
        changes.extend(
            (finding.source.id, finding.time_ns, finding.transition is Transition.RAISED)
            for finding in advance.findings
            if finding.source.kind is SourceKind.RULE
        )

    parts = build_line(
        [vehicle], profiles=profiles, rule_files=RuleFiles(paths=tuple(rule_paths) if rule_paths else None), observers=(note,)
    )
    profile = profiles[vehicle.profile]

    def replay(log: Path) -> tuple[int, float, list[Change]]:
        changes.clear()
        frames, seconds = _replay(parts, Drive(log=log, vehicle=vehicle))
        return frames, seconds, list(changes)

    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "drives.log"
        write_recording(log, DRIVES, minutes=minutes, rate=rate)
        loop = FrameLoop(SAMPLES / "dbc" / "petrol.dbc", _mapping(profile), parts.rules, stale_after_ns(profile))
        figures = run_benchmark(log=log, loop=loop, replay=replay, rounds=rounds)
    return figures | {"state_bytes_per_vehicle": parts.engine.state_bytes_per_vehicle}


def _replay(parts: Parts, drive: Drive) -> tuple[int, float]:
    """(frames, CPU seconds) from the file to committed alerts."""
    with MemoryStore() as store:
        casework = Casework(store=store, knowledge=parts.knowledge, policy=parts.policy, routing=parts.routing)
        runner = Replay(line=parts.line, casework=casework, store=store, jit=compiler())
        began = time.process_time()
        done = runner.run([drive])
        return done[0].progress.frames, time.process_time() - began


def _mapping(profile: Profile) -> dict[str, Mapped]:
    return {
        f"{message.name}.{signal.name}": Mapped(path=signal.path, scale=signal.path_unit_scale, offset=signal.path_unit_offset)
        for message in profile.messages
        for signal in message.signals
        if signal.path and message.origin.endswith(".dbc")
    }
