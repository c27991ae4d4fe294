"""Orders' histories for these tests, written as (day, event, state, dealer)."""

from __future__ import annotations

from collections.abc import Iterable

from domain.findings import Urgency
from domain.order_audit import AuditEntry
from domain.orders import Order, OrderKind
from tests.notifier.builders import recommendation

DAY_NS = 86_400_000_000_000
MONDAY_NS = 20_409 * DAY_NS
"""2025-11-17, a Monday at midnight UTC."""
Step = tuple[float, str, str, str]


def entries(order: str, steps: Iterable[Step], reason: str = "") -> list[AuditEntry]:
    made, before = [], ""
    for version, (day, event, state, dealer) in enumerate(steps, 1):
        made.append(
            AuditEntry(
                number=version,
                order=order,
                version=version,
                time_ns=MONDAY_NS + round(day * DAY_NS),
                event=event,
                actor="somebody",
                reason=reason,
                came_from=before,
                state=state,
                dealer=dealer,
                content="",
            )
        )
        before = state
    return made


def order(
    name: str,
    *,
    vehicle: str = "v1",
    group: str = "engine",
    day: float = 0,
    slot_day: float | None = None,
    kind: OrderKind = OrderKind.SERVICE,
    incidents: tuple[str, ...] = ("i1",),
) -> Order:
    slots = () if slot_day is None else ((MONDAY_NS + round(slot_day * DAY_NS), MONDAY_NS + round((slot_day + 0.04) * DAY_NS)),)
    return Order(
        id=name,
        kind=kind,
        version=1,
        state="draft",
        vehicle=vehicle,
        group_key=group,
        incidents=incidents,
        recommendation=recommendation(incidents[0], Urgency.SOON),
        created_ns=MONDAY_NS + round(day * DAY_NS),
        updated_ns=MONDAY_NS,
        choice=None,
        slots=slots,
    )


def repair(day: float, dealer: str = "A", *, rework: bool = False) -> list[Step]:
    """From the offer to the repair in three days."""
    return [
        (day, "dispatch", "dispatching", dealer),
        (day + 0.1, "offer", "offered", dealer),
        (day + 0.25, "accept", "accepted", dealer),
        (day + 0.3, "schedule", "scheduled", dealer),
        (day + 2, "check_in", "checked_in", dealer),
        (day + 2.5, "inspect", "quality_check", dealer),
        *([(day + 2.6, "rework", "in_progress", dealer)] if rework else []),
        (day + 3, "pass", "ready", dealer),
        (day + 3, "settle", "settled", dealer),
    ]
