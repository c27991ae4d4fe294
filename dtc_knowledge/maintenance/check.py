"""Checks maintenance plans against the fault knowledge, and counts them for `pitcall knowledge check`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from domain.care import CareItem
from domain.errors import DataFileError
from domain.findings import Part, Text
from dtc_knowledge.maintenance.files import MaintenancePlans
from dtc_knowledge.pattern import Operation

ESTIMATE = "estimate"


def verify(plans: MaintenancePlans, operations: Mapping[str, Operation], parts: Mapping[str, Part]) -> None:
    """What only both sides together can tell.

    Raises:
        DataFileError: an item is done by an operation that nobody knows, or says something else of an operation or part than
            the fault knowledge does, so that a visit would count it differently whoever asks for it.
    """
    for item in plans.items.values():
        file, line = plans.places[item.id]
        for what, mend in _mistakes(item, operations, parts):
            raise DataFileError(f"item {item.id!r}: {what}", file=file, line=line, mend=mend)


def _mistakes(item: CareItem, operations: Mapping[str, Operation], parts: Mapping[str, Part]) -> Iterator[tuple[str, str]]:
    for operation in item.completed_by:
        if operation not in operations:
            yield f"unknown operation {operation!r} in completed_by", "take one of operations.yaml"
    known = operations.get(item.work.operation)
    if known is not None:
        if known.hours != item.work.labour_hours:
            yield f"{known.id} takes {known.hours} h in operations.yaml", "write the same hours"
        if dict(known.parts) != {part.number: part.quantity for part in item.work.parts}:
            yield f"{known.id} has other parts in operations.yaml", "write the same parts"
    for part in item.work.parts:
        if part.number not in parts:
            yield f"unknown part {part.number!r}", "add it to parts.yaml, so that prices and part numbers can be given"
        elif parts[part.number].price != part.price:
            yield f"part {part.number} costs {parts[part.number].price} in parts.yaml", "write the same price"


def count(plans: MaintenancePlans) -> dict[str, Any]:
    """How much there is, and what rests on an estimate of ours or is not translated."""
    scheduled = [each for _, schedule in plans.schedules for each in schedule.items]
    estimated = sum(ESTIMATE in each.sources for each in scheduled)
    return {
        "care_items": len(plans.items),
        "schedules": len(plans.schedules),
        "scheduled_items": len(scheduled),
        "by_condition": sum(each.measured is not None or each.sensed is not None for each in scheduled),
        "campaigns": len(plans.calls),
        "readings": len(plans.readings),
        "estimated_intervals": round(estimated / max(1, len(scheduled)), 4),
        "untranslated_care": sorted({name for name, text in _texts(plans) if text.zh.isascii() or text.en == text.zh}),
    }


def _texts(plans: MaintenancePlans) -> Iterator[tuple[str, Text]]:
    for item in plans.items.values():
        yield item.id, item.title
        yield f"{item.id}.advice", item.advice
        yield from ((part.number, part.name) for part in item.work.parts)
    yield from ((schedule.id, schedule.title) for _, schedule in plans.schedules)
