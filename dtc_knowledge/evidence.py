"""What is known of one vehicle at the moment of a diagnosis, taken from its open alerts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from domain.findings import Alert, AlertState, Evidence, SourceKind

PENDING_WEIGHT = 0.5
HISTORY_WEIGHT = 0.3
CONTEXT_WEIGHT = 0.8
MODEL_WEIGHT = 0.8


class Standing(StrEnum):
    """How firmly a code is reported."""

    ACTIVE = "active"
    PENDING = "pending"
    HISTORY = "history"
    """Permanent or history only, or no longer listed: not active now."""


_STANDING_WORDS = {
    "pending": Standing.PENDING,
    "permanent": Standing.HISTORY,
    "history": Standing.HISTORY,
    "cleared_unverified": Standing.HISTORY,
    "absent": Standing.HISTORY,
}
"""First word of the note of code evidence; every other word ("active", "stored", "confirmed") is a code in force."""
_WEIGHTS = {Standing.ACTIVE: 1.0, Standing.PENDING: PENDING_WEIGHT, Standing.HISTORY: HISTORY_WEIGHT}
_LAMPS = {"red_stop": "red_stop", "rsl": "red_stop", "amber_warning": "amber_warning", "awl": "amber_warning"} | {
    "protect": "protect",
    "pl": "protect",
    "malfunction": "malfunction",
    "mil": "malfunction",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Signs of one vehicle.

    Attributes:
        codes: trouble code -> weight, 0..1. findings: rule or model id -> weight. values: VSS path -> last measured value.
        first_ns: trouble code -> event time at which it first appeared, where known.
        absent: codes that are not there although their monitors have run to the end.
        own: the codes and ids that belong to the incident itself; the others are context. None: everything is its own.
    """

    codes: dict[str, float] = field(default_factory=dict)
    findings: dict[str, float] = field(default_factory=dict)
    values: dict[str, float] = field(default_factory=dict)
    first_ns: dict[str, int] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    own: frozenset[str] | None = None


def alert_codes(alert: Alert) -> tuple[str, ...]:
    """Codes reported by the vehicle that an alert rests on, without failure type, in its order.

    A rule's `codes` only name what it is related to; of those, only codes in its evidence were reported.
    """
    if alert.source.kind is SourceKind.DTC:
        codes = alert.codes or (alert.source.id,)
    else:
        words = (f"{item.signal} {item.note}" for item in alert.evidence if item.kind == "dtc")
        codes = tuple(code for said in words for code in _CODE.findall(said))
    return tuple(dict.fromkeys(base_code(code) for code in codes))


TESTED = "tested"
"""Kind of evidence whose note names codes and self-tests of an ECU that have run to their end without a fault."""
_CODE = re.compile(r"\b(?:[PCBU][0-3][0-9A-F]{3}|SPN\d+/FMI\d+|GB\d+)\b")


def base_code(code: str) -> str:
    """The code without failure type or reporting address ("P0117:16" -> "P0117", "SPN100/FMI1/SA0" -> "SPN100/FMI1")."""
    code = code.strip().upper()
    match = _CODE.match(code)
    return match[0] if match else code


def standing(alert: Alert) -> Standing:
    """How firmly the alert's code is reported: from the notes of its code evidence; active where nothing is said."""
    if alert.source.kind is not SourceKind.DTC:
        return Standing.ACTIVE
    firsts = [item.note.lower().replace(",", " ").split()[:1] for item in alert.evidence if item.kind == "dtc"]
    found = [_STANDING_WORDS.get(first[0], Standing.ACTIVE) if first else Standing.ACTIVE for first in firsts]
    if not found or Standing.ACTIVE in found:
        return Standing.ACTIVE
    return Standing.PENDING if Standing.PENDING in found else Standing.HISTORY


def lamp(item: Evidence) -> tuple[str, bool] | None:
    """(lamp, flashing) of lit-lamp evidence, None for anything else."""
    if item.kind != "lamp" or item.value == 0 or "off" in item.note.lower().split():
        return None
    name = _LAMPS.get(item.signal.lower().removesuffix("_lamp").replace(" ", "_"))
    return (name, "flash" in item.note.lower()) if name else None


def is_open(alert: Alert) -> bool:
    """Whether the alert still counts."""
    return alert.state is not AlertState.RESOLVED


def observe(
    own: Iterable[Alert], context: Iterable[Alert] = (), monitors: Mapping[str, tuple[str, ...]] | None = None
) -> Observation:
    """Signs of an incident's alerts, and more weakly of the vehicle's other open alerts.

    `monitors`: self-test of an ECU -> the codes that it would have reported.
    """
    seen = _Signs()
    for alert in sorted(own, key=lambda a: (a.updated_ns, a.id)):
        seen.add(alert, 1.0)
    own_keys = frozenset(seen.codes) | {plain_id(key) for key in seen.findings}
    for alert in sorted(context, key=lambda a: (a.updated_ns, a.id)):
        seen.add(alert, CONTEXT_WEIGHT)
    return Observation(
        codes=seen.codes,
        findings=seen.findings,
        values=seen.values,
        first_ns=seen.first_ns,
        absent=_absent(seen.tested, monitors or {}) - seen.codes.keys(),
        own=own_keys,
    )


_ELECTRIC_CODES = ("P0A", "P0B", "P0C", "P0D", "P0E", "GB")
_ELECTRIC_SIGNALS = ("Vehicle.Powertrain.TractionBattery.", "Vehicle.Powertrain.ElectricMotor.")


def _absent(tested: Iterable[str], monitors: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """The codes that would be there if the fault were: named themselves, or by the self-test that would report them."""
    return frozenset(code for name in tested for code in (monitors.get(name, ()) if name.islower() else (base_code(name),)))


def likely_powertrain(seen: Observation) -> str:
    """The powertrain that the signs speak of, for a vehicle of which nothing else is known."""
    if any(code.startswith(_ELECTRIC_CODES) for code in seen.codes) or any(s.startswith(_ELECTRIC_SIGNALS) for s in seen.values):
        return "ev"
    return "truck" if any(code.startswith("SPN") for code in seen.codes) else "petrol"


def plain_id(key: str) -> str:
    """The id of a rule or model without the direction of its deviation ("coolant_residual<" -> "coolant_residual")."""
    return key.rstrip("<>")


def _finding_keys(alert: Alert) -> tuple[str, ...]:
    """The id, and for a model that says in which direction it deviates also the id with "<" or ">"."""
    name = alert.source.id
    ways = {e.comparison[:1] for e in alert.evidence if e.kind == "model" and e.signal == name and e.comparison[:1] in ("<", ">")}
    return (name, *(name + way for way in sorted(ways)))


class _Signs:
    """Collects the strongest weight of every sign, and the latest value of every signal."""

    def __init__(self) -> None:
        self.codes: dict[str, float] = {}
        self.findings: dict[str, float] = {}
        self.values: dict[str, float] = {}
        self.first_ns: dict[str, int] = {}
        self.tested: set[str] = set()

    def add(self, alert: Alert, share: float) -> None:
        weight = share * _WEIGHTS[standing(alert)]
        for code in alert_codes(alert):
            self.codes[code] = max(weight, self.codes.get(code, 0.0))
            self.first_ns[code] = min(alert.opened_ns, self.first_ns.get(code, alert.opened_ns))
        self.tested.update(name for item in alert.evidence if item.kind == TESTED for name in item.note.split(", ") if name)
        if alert.source.kind is not SourceKind.DTC:
            firm = share if alert.source.kind is SourceKind.RULE else share * MODEL_WEIGHT
            for key in _finding_keys(alert):
                self.findings[key] = max(firm, self.findings.get(key, 0.0))
        own = share == 1.0
        for item in alert.evidence:
            if item.kind in ("signal", "freeze_frame") and item.value is not None and (own or item.signal not in self.values):
                self.values[item.signal] = item.value
