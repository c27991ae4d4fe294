"""One replay from the tables to its result: what `pitcall replay` and `pitcall demo` share."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.composition import Parts, build_line, load_profiles
from app.fleet import FleetChoice
from app.kernels import compiler
from app.line_tally import LineTally
from app.progress import bytes_bar
from app.rule_files import SHIPPED, RuleFiles
from app.series import SeriesRecorder
from domain.fleet import Dealer
from domain.records import VehicleCase
from domain.repairs import cause_counts
from notifier.push.messages import alert_json, order_json, recommendation_json
from pipeline.casework import Casework
from pipeline.line import Advance
from pipeline.replay import DriveDone, Observer, Replay
from storage.memory_store import MemoryStore

if TYPE_CHECKING:  # SQLAlchemy takes a fifth of a second that a replay in memory need not wait
    from storage.sql_store import SqlStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a replay did and found. `cases` are those of the drives' vehicles, as the store holds them now. `shadow`: what shadow rules would have done."""

    choice: FleetChoice
    done: tuple[DriveDone, ...]
    cases: tuple[VehicleCase, ...]
    dealers: tuple[Dealer, ...]
    parts: Parts
    shadow: dict[str, dict[str, int]]
    series: SeriesRecorder | None
    elapsed_s: float

    @property
    def frames(self) -> int:
        """Frames of all drives."""
        return sum(done.progress.frames for done in self.done)

    def document(self) -> dict[str, Any]:
        """The `replay --json` document."""
        vehicles = {vehicle.id: vehicle for vehicle in self.choice.vehicles}
        dealers = {dealer.id: dealer for dealer in self.dealers}
        progress = [done.progress for done in self.done]
        read = sum(done.progress.frames - done.resumed_at for done in self.done if done.first_ns is not None)
        return {
            "drives": len(self.done),
            "frames": self.frames,
            "signals": sum(p.signals for p in progress),
            "dtcs": sum(p.dtcs for p in progress),
            "alerts": [alert_json(alert) for case in self.cases for alert in case.alerts],
            "recommendations": [recommendation_json(item) for case in self.cases for item in case.recommendations],
            "orders": [
                order_json(order, case, vehicles[case.vehicle], dealers.get(order.choice.dealer) if order.choice else None)
                for case in self.cases
                for order in case.orders
            ],
            "shadow": self.shadow,
            "dead_letters": sum(p.dead_letters for p in progress),
            "elapsed_s": round(self.elapsed_s, 6),
            "frames_per_s": round(read / self.elapsed_s, 1),
        }


def replay_drives(
    choice: FleetChoice,
    store: MemoryStore | SqlStore,
    *,
    extra_dbc: Sequence[tuple[str, Path]] = (),
    baselines: Path | None = None,
    rule_files: RuleFiles = SHIPPED,
    with_series: bool = False,
    history: Path | None = None,
    batch_frames: int = 262_144,
    progress: bool = False,
) -> Replayed:
    """Replay the chosen drives into the store.

    Args:
        rule_files: the rules and their figures.
        with_series: keep what a report draws. history: folder of the signal history to append to.

    Raises:
        InputError: a file is not valid. StorageError: the database failed.
    """
    profiles = load_profiles(choice.vehicles, extra_dbc=extra_dbc)
    tally = LineTally()
    parts = build_line(
        choice.vehicles,
        profiles=profiles,
        baselines=baselines,
        rule_files=rule_files,
        on_shadow=tally.note_shadow,
        everything=with_series or history is not None,
    )
    if choice.registered:
        store.register(choice.registered)
    if choice.dealers:
        store.save_dealers(choice.dealers)
    knowledge = parts.knowledge.calibrated(cause_counts(store.outcomes()))
    series = SeriesRecorder() if with_series else None
    observers: list[Observer] = [series.observe] if series else []
    if history is not None:
        observers.append(_history_writer(history))
    began = time.perf_counter()
    with bytes_bar([drive.log for drive in choice.drives], shown=progress) as on_progress:
        replay = Replay(
            line=parts.line,
            casework=Casework(store=store, knowledge=knowledge, policy=parts.policy, routing=parts.routing),
            store=store,
            observers=observers,
            on_progress=on_progress,
            batch_frames=batch_frames,
            jit=compiler(),
        )
        done = tuple(replay.run(choice.drives))
    return Replayed(
        choice=choice,
        done=done,
        cases=tuple(store.case(vehicle.id) for vehicle in choice.vehicles),
        dealers=store.dealers(),
        parts=parts,
        shadow=tally.figures()["shadow"],
        series=series,
        elapsed_s=time.perf_counter() - began,
    )


def _history_writer(folder: Path) -> Observer:
    """Appends what was decoded to the signal history, on disk before the step is committed; a step done again writes the same files."""
    from storage.history import SignalHistory

    history = SignalHistory(folder)

    def write(advance: Advance) -> None:
        history.append(advance.signals)
        history.flush()

    return write
