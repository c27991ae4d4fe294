"""Builds the stages: the one place that knows which implementation stands behind which contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.fault_knowledge import condition_readings, fault_knowledge
from app.kernels import cache_directory, compiler
from app.rule_files import SHIPPED, RuleFiles, RuleSet
from app.vehicle_directory import VehicleDirectory, VehicleTable
from domain.care import Reading
from domain.findings import Finding
from domain.fleet import Vehicle
from domain.ports import FindingStage
from domain.vss import catalogue
from dtc_knowledge.diagnosis import FaultKnowledge
from ingest.bus_decoder import BusDecoder
from ingest.diagnostics import DiagnosticsReader
from ingest.fusion import Fusion
from ingest.gbt32960.codes import PACKET_CODES
from ingest.profiles import Profile, load_profile
from ingest.records import SAMPLE_STALE_AFTER_NS
from models.artefact import load_artefact
from models.baseline import load_baselines
from models.coolant_detector import CoolantDetector
from models.trip.stage import TripDetectors
from notifier.alerts.alert_policy import AlertPolicy, load_alert_policy
from notifier.dealers.routing_policy import Routing, load_routing_policy
from notifier.reminders.usage_meter import UsageMeter
from pipeline.holdback import SECOND_NS, HoldBack
from pipeline.line import Line, Observer
from pipeline.whereabouts import Whereabouts
from rules.code_findings import CodeFindings
from rules.engine import RuleEngine
from rules.rule import Rule

GENERIC = "generic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A line and what it judges with."""

    line: Line
    profiles: Mapping[str, Profile]
    knowledge: FaultKnowledge
    rules: tuple[Rule, ...]
    engine: RuleEngine
    detectors: int
    codes: int
    whereabouts: Whereabouts
    policy: AlertPolicy
    routing: Routing


def build_line(
    vehicles: Sequence[Vehicle] | VehicleDirectory,
    *,
    profiles: Mapping[str, Profile],
    rule_files: RuleFiles = SHIPPED,
    baselines: Path | None = None,
    everything: bool = False,
    lateness_ns: int = SECOND_NS,
    observers: Sequence[Observer] = (),
    on_shadow: Callable[[Finding], None] | None = None,
    knowledge: FaultKnowledge | None = None,
    readings: Sequence[Reading] | None = None,
) -> Parts:
    """The line for these vehicles.

    Args:
        vehicles: all there will be, or a directory that is asked for each vehicle as it comes.
        profiles: profile name (`Vehicle.profile`, "" = generic) -> profile.
        rule_files: the rules and their figures. baselines: detectors' baselines of earlier drives.
        everything: decode every mapped signal (for the history), not only what rules and detectors need.
        lateness_ns: how far records may arrive out of order. observers: told of every step of the line.
        on_shadow: told what shadow rules find.
        knowledge: codes and patterns, None = those that the environment names. readings: signals that tell of the condition of parts, likewise.

    Raises:
        InputError: a rule, baseline or knowledge file is not valid.
    """
    rule_set = rule_files.read()
    knowledge = knowledge or fault_knowledge()
    codes = knowledge.codes
    directory = VehicleTable(vehicles, profiles) if isinstance(vehicles, Sequence) else vehicles

    def finders() -> tuple[RuleEngine, tuple[Detector, ...], CodeFindings]:
        return _engine(rule_set, directory, profiles, on_shadow), build_detectors(baselines), CodeFindings(codes)

    (engine, detectors, code_findings), (late_engine, late_detectors, late_code_findings) = finders(), finders()
    whereabouts, meter = Whereabouts(), UsageMeter(condition_readings() if readings is None else readings, jit=compiler())
    wanted = (
        None
        if everything
        else frozenset().union(engine.paths, whereabouts.paths, meter.paths, *(each.paths for each in detectors))
    )
    line = _line(
        ((engine, *detectors, code_findings), (late_engine, *late_detectors, late_code_findings)),
        directory,
        profiles,
        wanted=wanted,
        whereabouts=whereabouts,
        meter=meter,
        lateness_ns=lateness_ns,
        observers=observers,
    )
    return Parts(
        line=line,
        profiles=profiles,
        knowledge=knowledge,
        rules=rule_set.rules,
        engine=engine,
        detectors=len(detectors),
        codes=len(codes.codes) + len(codes.parameters),
        whereabouts=whereabouts,
        policy=load_alert_policy(),
        routing=Routing(policy=load_routing_policy()),
    )


class Detector(FindingStage, Protocol):
    """A detector without labels; `paths` are the VSS paths that it reads."""

    paths: frozenset[str]


def build_detectors(baselines: Path | None = None) -> tuple[Detector, ...]:
    """The detectors that run beside the rules, with no vehicle's state; `baselines` of earlier drives.

    Raises:
        InputError: the baselines are not valid or belong to another model.
    """
    coolant = CoolantDetector(load_artefact(), load_baselines(baselines) if baselines else {})
    return coolant, TripDetectors(jit=compiler())


def build_rule_line(vehicles: Sequence[Vehicle], *, profiles: Mapping[str, Profile], rule_set: RuleSet) -> Line:
    """The line for these vehicles with nothing but these rules at its end, so that only what they read is decoded."""
    directory = VehicleTable(vehicles, profiles)
    own, late = (_engine(rule_set, directory, profiles) for _ in range(2))
    return _line(((own,), (late,)), directory, profiles, wanted=own.paths, whereabouts=Whereabouts())


def _engine(
    rule_set: RuleSet,
    directory: VehicleDirectory,
    profiles: Mapping[str, Profile],
    on_shadow: Callable[[Finding], None] | None = None,
) -> RuleEngine:
    staleness = {name: stale_after_ns(profile) for name, profile in profiles.items()}
    return RuleEngine(
        rule_set.rules,
        stale_after_of=lambda vehicle: staleness[directory.profile_of(vehicle)],
        powertrain_of=directory.powertrain_of,
        overrides_of=lambda vehicle: rule_set.overrides.of(directory.vehicle(vehicle)),
        cohort_of=lambda vehicle: rule_set.cohorts.of(directory.vehicle(vehicle).model),
        on_shadow=on_shadow,
        jit=compiler(),
    )


def _line(
    finders: tuple[Sequence[FindingStage], Sequence[FindingStage]],
    directory: VehicleDirectory,
    profiles: Mapping[str, Profile],
    *,
    wanted: frozenset[str] | None,
    whereabouts: Whereabouts,
    meter: UsageMeter | None = None,
    lateness_ns: int = SECOND_NS,
    observers: Sequence[Observer] = (),
) -> Line:
    """The stages in their order, around finders of their own and a second set of them for the late lane."""
    jit = compiler()
    fused = None if wanted is None else tuple(path for path in catalogue() if path in wanted)
    own, late = finders
    return Line(
        holdback=HoldBack(lateness_ns=lateness_ns),
        decoder=BusDecoder(profiles, directory.profile_of, jit=jit, wanted=wanted),
        fusion=Fusion(fused, jit=jit),
        diagnostics=DiagnosticsReader(packets=PACKET_CODES),
        whereabouts=whereabouts,
        finders=own,
        late=Line(
            holdback=HoldBack(lateness_ns=0),
            decoder=BusDecoder(profiles, directory.profile_of, jit=jit, wanted=wanted),
            fusion=Fusion(fused, jit=jit),
            diagnostics=DiagnosticsReader(packets=PACKET_CODES),
            whereabouts=Whereabouts(),
            finders=late,
        ),
        meter=meter,
        observers=observers,
    )


def load_profiles(vehicles: Sequence[Vehicle], *, extra_dbc: Sequence[tuple[str, Path]] = ()) -> dict[str, Profile]:
    """The profile of each vehicle under the name the vehicle gives it.

    Raises:
        DataFileError, DbcFileError: a profile or signal database is not valid.
    """
    names = {vehicle.profile for vehicle in vehicles} | {""}
    return {name: load_profile(name or GENERIC, extra_dbc=extra_dbc, cache=cache_directory()) for name in sorted(names)}


def stale_after_ns(profile: Profile) -> dict[str, int]:
    """How long each path's value may be used: the longest that any of the profile's sources of it allows.

    What the profile does not know comes from devices that decode themselves and from packets, every 10 to 30 seconds.
    """
    longest: dict[str, int] = {}
    for signal in (signal for message in profile.messages for signal in message.signals if signal.path):
        longest[signal.path] = max(longest.get(signal.path, 0), int(signal.stale_after_s * 1e9))
    return dict.fromkeys(catalogue(), SAMPLE_STALE_AFTER_NS) | longest
