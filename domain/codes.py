"""What a trouble code by itself says, so that alerts can be grouped and titled without asking the fault graph."""

from __future__ import annotations

from dataclasses import dataclass

from domain.findings import Severity, Text, Urgency


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeInfo:
    """One code as a table names it.

    Attributes:
        code: as in `domain.trouble_codes.TroubleCode.code`. known: a table names it (False: generic words).
        system: "engine.cooling" … component: "thermostat" … or "". group_key: what alerts of it group by.
        severity, urgency: of the code alone, active and confirmed, before lamps and patterns.
        category: "sensor", "actuator", "control_unit", "circuit", "function", "mechanical", "network", or "".
        confidence: "high" where several lists agree on the name, "medium" where one says so, "" where unknown.
        severe_fmi: FMI 0/1 of this SPN is a stop-level condition (oil pressure, coolant, brake air …).
    """

    code: str
    title: Text
    system: str
    component: str
    group_key: str
    severity: Severity
    urgency: Urgency
    known: bool = True
    severe_fmi: bool = False
    source: str = ""
    category: str = ""
    confidence: str = ""
