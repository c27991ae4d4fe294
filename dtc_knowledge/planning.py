"""From ranked causes to plan lines, workshop abilities, action and words for the driver."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from domain.findings import Part, PlanLine, Text, Urgency
from dtc_knowledge.matching import RankedCause
from dtc_knowledge.offers import Offers
from dtc_knowledge.pattern import Operation, Pattern, PatternCause

DIAGNOSE = "OP-DIAGNOSE"
DIAGNOSE_HV = "OP-DIAGNOSE-HV"
SURE = 0.8
"""From this probability on, the leading cause needs no separate diagnosis line."""
LIKELY = 0.25
"""Below this, the leading cause's repair waits for the diagnosis like the others."""
WORTH_QUOTING = 0.15
MOST_ALTERNATIVES = 2

_DRIVE = ("ok", "limited", "limp", "no")
_SAFETY = ("none", "low", "medium", "high")
_ADVICE = {
    Urgency.STOP: Text(
        en="Stop at the next safe place, switch off and call roadside assistance.",
        zh="请尽快在安全地点停车熄火，并联系道路救援。",
    ),
    Urgency.TODAY: Text(
        en="Drive gently and only a short way; have the vehicle seen within 24 hours.",
        zh="请平稳驾驶、尽量少开，并在 24 小时内到店检查。",
    ),
    Urgency.SOON: Text(en="Book a workshop visit within 7 days or 500 km.", zh="请在 7 天或 500 公里内预约到店检查。"),
    Urgency.NEXT: Text(en="Have it looked at during the next visit.", zh="可在下次保养时一并检查。"),
    Urgency.MONITOR: Text(en="No visit needed now; we keep watching it.", zh="暂不需要到店，我们会持续关注。"),
}
_SYSTEM_NEEDS = {
    "ev": "hv",
    "fuel_cell": "hv",
    "electrical": "electric",
    "network": "electric",
    "chassis": "chassis",
    "body": "body",
    "restraint": "body",
    "heavy": "truck",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """What to do with the vehicle: who acts, how far it may go, how dangerous it is."""

    action: str
    drive: str
    safety: str


def plan_lines(ranked: Sequence[tuple[RankedCause, float]], shop: Workshop, needs: Iterable[str]) -> tuple[PlanLine, ...]:
    """A diagnosis line where the cause is not sure, the leading cause's repair, and the next likely ones as options.

    A plan in force for the vehicle's model and region replaces a cause's usual repair, and says who pays.
    """
    chosen: dict[str, bool] = {}
    if not ranked or ranked[0][1] < SURE or not ranked[0][0].cause.repair:
        chosen[DIAGNOSE_HV if "hv" in needs else DIAGNOSE] = False
    if ranked:
        chosen |= dict.fromkeys(shop.repair(ranked[0][0].cause), ranked[0][1] < LIKELY)
    for cause, probability in ranked[1 : 1 + MOST_ALTERNATIVES]:
        if probability >= WORTH_QUOTING:
            for operation in shop.repair(cause.cause):
                chosen.setdefault(operation, True)
    ordered = sorted(chosen.items(), key=lambda item: item[1])
    payers = shop.payers([cause.cause for cause, _ in ranked[: 1 + MOST_ALTERNATIVES]])
    lines = (shop.line(number, operation, optional) for number, (operation, optional) in enumerate(ordered, 1))
    return tuple(replace(line, pay_type=payers.get(line.operation, line.pay_type)) for line in lines)


@dataclass(frozen=True, slots=True)
class Workshop:
    """Operations and parts by id, with the tables that a maker adds for a `model`."""

    operations: Mapping[str, Operation]
    parts: Mapping[str, Part]
    offers: Offers = field(default_factory=Offers)
    model: str = ""

    def repair(self, cause: PatternCause) -> tuple[str, ...]:
        """Operations of the plan in force for the cause, or else its usual repair."""
        plan = self.offers.plan_for(cause.id, self.model)
        return tuple(plan.operations.split()) if plan else cause.repair

    def payers(self, causes: Sequence[PatternCause]) -> dict[str, str]:
        """Operation -> who pays, of the plans in force for the causes; the first cause's plan decides."""
        plans = [plan for cause in reversed(causes) if (plan := self.offers.plan_for(cause.id, self.model))]
        return {operation: plan.pay_type for plan in plans for operation in plan.operations.split()}

    def remote(self, cause: PatternCause) -> bool:
        """Whether the plan in force for the cause needs no visit."""
        plan = self.offers.plan_for(cause.id, self.model)
        return plan is not None and plan.remote == "yes"

    def line(self, number: int, operation_id: str, optional: bool) -> PlanLine:
        """One line of a plan, with the operation's labour and parts."""
        operation = self.operations[operation_id]
        return PlanLine(
            line=number,
            operation=operation.id,
            description=operation.title,
            labour_hours=operation.hours,
            parts=tuple(
                self.offers.part(replace(self.parts[part], quantity=quantity), self.model) for part, quantity in operation.parts
            ),
            optional=optional,
        )

    def needs(self, lines: Iterable[PlanLine]) -> set[str]:
        """What a workshop must be able to do for the lines that are not optional."""
        return {need for line in lines if not line.optional for need in self.operations[line.operation].needs}


def system_need(system: str) -> str:
    """The ability that a system asks for where no pattern says it."""
    return _SYSTEM_NEEDS.get(system.partition(".")[0], "engine")


def handling(pattern: Pattern | None, urgency: Urgency) -> Handling:
    """The pattern's own handling where its urgency is reached; milder below it; a stop is always a stop."""
    if urgency is Urgency.STOP:
        return Handling(action="roadside", drive="no", safety=_at_least("medium", pattern))
    if pattern is not None and urgency >= pattern.urgency:
        return Handling(action=pattern.action, drive=pattern.drive, safety=pattern.safety)
    drive = {Urgency.TODAY: "limited"}.get(urgency, "ok")
    safety = {Urgency.TODAY: "medium", Urgency.SOON: "low"}.get(urgency, "none")
    if urgency is Urgency.MONITOR:
        return Handling(action="owner", drive=drive, safety=safety)
    mild = pattern is not None and pattern.action != "roadside"
    if pattern is not None and mild:
        drive = min(drive, pattern.drive, key=_DRIVE.index)
    return Handling(action=pattern.action if pattern is not None and mild else "dealer", drive=drive, safety=safety)


def _at_least(least: str, pattern: Pattern | None) -> str:
    return max(least, pattern.safety if pattern else "none", key=_SAFETY.index)


def advice(pattern: Pattern | None, urgency: Urgency) -> Text:
    """Plain words for the driver: what to do now, then what the pattern adds."""
    base = _ADVICE[urgency]
    if pattern is None:
        return base
    return Text(en=f"{base.en} {pattern.advice.en}", zh=f"{base.zh}{pattern.advice.zh}")
