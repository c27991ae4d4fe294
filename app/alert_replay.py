"""A stored alert, reproduced from the recordings of its vehicle: `pitcall replay --alert`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.fleet import FleetChoice
from app.replaying import replay_drives
from app.rule_files import SHIPPED, RuleFiles
from domain.errors import InputError
from domain.findings import Alert
from notifier.push.messages import alert_json
from storage.memory_store import MemoryStore

NOT_COMPARED = frozenset({"state", "updated", "standing", "occurrences", "evidence"})
"""What goes on after an alert has opened: more of it may have been recorded by now than is replayed, and people act on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertReplay:
    """The alert as stored and as replayed (None: it was not found again), and the members that differ."""

    stored: Alert
    replayed: Alert | None
    differing: tuple[str, ...]

    def document(self) -> dict[str, Any]:
        """The `replay --alert --json` document."""
        return {
            "alert": self.stored.id,
            "reproduced": self.replayed is not None,
            "differing": list(self.differing),
            "stored": alert_json(self.stored),
            "replayed": None if self.replayed is None else alert_json(self.replayed),
        }


def replay_alert(
    stored: Alert,
    choice: FleetChoice,
    *,
    extra_dbc: tuple[tuple[str, Path], ...] = (),
    baselines: Path | None = None,
    rule_files: RuleFiles = SHIPPED,
    batch_frames: int = 262_144,
) -> AlertReplay:
    """Replay the drives of the alert's vehicle in memory and look for the alert.

    Raises:
        InputError: none of the drives is of its vehicle, or a file is not valid.
    """
    drives = tuple(drive for drive in choice.drives if drive.vehicle.id == stored.vehicle)
    if not drives:
        raise InputError("none of these recordings is of the alert's vehicle", mend="give the recordings and the VIN of that car")
    own = replace(choice, drives=drives)
    store = MemoryStore()
    replay_drives(own, store, extra_dbc=extra_dbc, baselines=baselines, rule_files=rule_files, batch_frames=batch_frames)
    found = store.alert(stored.id)
    if found is None:
        return AlertReplay(stored=stored, replayed=None, differing=())
    before, after = alert_json(stored), alert_json(found)
    differing = tuple(name for name in before if name not in NOT_COMPARED and before[name] != after.get(name))
    return AlertReplay(stored=stored, replayed=found, differing=differing)
