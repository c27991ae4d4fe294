"""From finding to recommendation: records, one at a time, because they are few and precious."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from domain.standing import NOTHING_SPECIAL, Review, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """The same words in English and in Chinese."""

    en: str
    zh: str


class Severity(StrEnum):
    """How bad, of an alert; declared from worst to least."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class Urgency(IntEnum):
    """How soon; the name is the contract's word, greater is sooner."""

    MONITOR = 0
    NEXT = 1
    """At the next visit."""
    SOON = 2
    """Within 7 days or 500 km."""
    TODAY = 3
    """Within 24 hours, a short drive to a dealer."""
    STOP = 4
    """Stop safely now."""

    @property
    def priority(self) -> str:
        """P0 = STOP … P3 = NEXT; MONITOR makes no order and has none ("")."""
        return f"P{Urgency.STOP - self}" if self else ""


class SourceKind(StrEnum):
    """What found it."""

    RULE = "rule"
    MODEL = "model"
    DTC = "dtc"


class Transition(StrEnum):
    """What a finding says about its condition."""

    RAISED = "raised"
    REPEATED = "repeated"
    """Seen again within the episode (a counter, no new alert)."""
    CLEARED = "cleared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Rule, model or trouble code: `id` is stable, `version` is not part of any identity."""

    kind: SourceKind
    id: str
    version: str = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One measured reason.

    Attributes:
        kind: "signal", "dtc", "lamp", "monitor", "freeze_frame" or "model"; of codes also "severity" (UDS byte), "alarm_level"
            (GB/T 32960) and "tested": `note` names self-tests and codes of the control unit `signal` that ended without a fault.
        signal: VSS path, trouble code, name of a lamp, self-test or feature.
        value: measured, in `unit`. threshold: compared with, None where there is none.
        duration_s: how long it held. window_start_ns, window_end_ns: event times to look at.
        note: what a number cannot say (lamp state, code list).
    """

    kind: str
    signal: str
    value: float | None = None
    unit: str = ""
    threshold: float | None = None
    comparison: str = ""
    duration_s: float | None = None
    window_start_ns: int | None = None
    window_end_ns: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule, model or trouble code changed its mind about one vehicle at one event time.

    Attributes:
        vehicle: pseudonym. time_ns: event time.
        group_key: system and component ("engine.cooling/thermostat" style: `SYSTEM/COMPONENT` or `SYSTEM`); alerts group by it.
        codes: trouble codes concerned. received_ns: when the deciding record became available.
        late: found in the late lane. decided_ns: then the event time that the vehicle had reached when the deciding record came,
            so that decisions stand in one order however the records were cut; None = `time_ns`.
        location: (latitude, longitude) in degrees WGS84 at that time, where known.
        drive: how many drives of the vehicle had ended before, None where it is not known.
    """

    vehicle: str
    source: Source
    transition: Transition
    time_ns: int
    group_key: str
    severity: Severity
    urgency: Urgency
    title: Text
    explanation: Text
    evidence: tuple[Evidence, ...] = ()
    codes: tuple[str, ...] = ()
    late: bool = False
    decided_ns: int | None = None
    received_ns: int | None = None
    location: tuple[float, float] | None = None
    drive: int | None = None

    @property
    def order_ns(self) -> int:
        """Where it stands among its vehicle's decisions."""
        return self.time_ns if self.decided_ns is None else self.decided_ns


class AlertState(StrEnum):
    """Life of an alert."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One episode of one source on one vehicle; `id` is a function of vehicle, source id, group key and first event time.

    Attributes:
        opened_ns: first event time of the episode. updated_ns: last event time that changed it. occurrences: findings in the episode.
    """

    id: str
    incident_id: str
    vehicle: str
    source: Source
    state: AlertState
    severity: Severity
    urgency: Urgency
    group_key: str
    title: Text
    explanation: Text
    opened_ns: int
    updated_ns: int
    occurrences: int = 1
    evidence: tuple[Evidence, ...] = ()
    codes: tuple[str, ...] = ()
    location: tuple[float, float] | None = None
    late: bool = False
    standing: Standing = NOTHING_SPECIAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A possible root cause of an incident.

    Attributes:
        id: stable id in the knowledge. pattern: id of the pattern that suggested it, "" where none did.
        probability: 0..1 among the causes listed. explains: codes and source ids that it explains. sources: where that is known from.
    """

    id: str
    pattern: str
    title: Text
    probability: float
    explains: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A step that tells causes apart; `minutes` is indicative."""

    id: str
    title: Text
    minutes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What is probably wrong in one incident. `merges` names incidents of the same vehicle that this one explains."""

    incident_id: str
    system: str
    causes: tuple[Cause, ...]
    checks: tuple[Check, ...]
    patterns: tuple[str, ...] = ()
    unexplained: tuple[str, ...] = ()
    merges: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part needed; `number` is ours (a mapping to a maker's numbers is a dealer's matter), `price` a decimal string per piece."""

    number: str
    name: Text
    quantity: int = 1
    price: str = "0.00"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """One operation of a maintenance plan; `labour_hours` a decimal string in steps of 0.1 h.

    Attributes:
        covered_by: operations that do this one's work too. shares_parts: parts that other work of the visit uses anyway (the coolant
            after a pump) are not used again.
    """

    line: int
    operation: str
    description: Text
    labour_hours: str
    parts: tuple[Part, ...] = ()
    pay_type: str = "customer"
    optional: bool = False
    covered_by: tuple[str, ...] = ()
    shares_parts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """What to do about one incident.

    Attributes:
        action: "dealer", "roadside", "remote" or "owner". drive: "ok", "limited", "limp" or "no".
        safety: "none", "low", "medium" or "high". urgency_reason: why this urgency. advice: plain words for the driver.
        capabilities: what a dealer must be able to do ("hv", "truck", "engine" …).
        merges: incidents of the same vehicle that this one explains (`Diagnosis.merges`); one order answers them together.
        review: why a person decides on it; then urgency, action and words are no stronger than that allows.
    """

    incident_id: str
    vehicle: str
    group_key: str
    time_ns: int
    title: Text
    urgency: Urgency
    urgency_reason: Text
    action: str
    drive: str
    safety: str
    advice: Text
    causes: tuple[Cause, ...]
    checks: tuple[Check, ...]
    plan: tuple[PlanLine, ...]
    alerts: tuple[str, ...]
    codes: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    merges: tuple[str, ...] = ()
    review: Review = Review.NONE
