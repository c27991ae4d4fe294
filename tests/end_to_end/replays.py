"""Replays of the sample drives, as tests of the whole line need them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.fleet import FleetChoice, choose_fleet
from app.replaying import Replayed, replay_drives
from domain.fleet import DEVELOPMENT_KEY
from storage.memory_store import MemoryStore
from storage.sql_store import SqlStore

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "sample_can_logs"
RECORDINGS = ROOT.parent / "shared" / "data" / "recordings"

Document = dict[str, Any]


def fleet(manifest: Path) -> FleetChoice:
    return choose_fleet(
        [],
        key=DEVELOPMENT_KEY,
        vin=None,
        manifest=manifest,
        profile=None,
        start_ns=None,
        vehicle_table=None,
        dealer_table=None,
    )


def drives_of(*logs: Path, vin: str = "LPCTEST0000000001") -> FleetChoice:
    return choose_fleet(
        list(logs),
        key=DEVELOPMENT_KEY,
        vin=vin,
        manifest=None,
        profile=None,
        start_ns=None,
        vehicle_table=None,
        dealer_table=SAMPLES / "dealers.csv",
    )


def replayed(choice: FleetChoice, store: MemoryStore | SqlStore | None = None, *, batch_frames: int = 262_144) -> Replayed:
    return replay_drives(choice, store or MemoryStore(), batch_frames=batch_frames)


def without_wall_time(document: Document) -> Document:
    """What must be identical: everything but how fast it went."""
    return {name: value for name, value in document.items() if name not in {"elapsed_s", "frames_per_s"}}
