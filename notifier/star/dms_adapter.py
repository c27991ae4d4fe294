"""Dealer-management systems: what they are sent instead of our documents, and what their answers mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Protocol

import pydantic

from domain.orders import Order
from notifier.orders.order_states import TABLES, OrderEvent, OrderState
from notifier.star.service_order import service_order
from notifier.star.star_table import answer_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class DmsAnswer:
    """What a system says of an order: statuses by entity. `version`: the one it has seen, None where it does not say."""

    order_id: str
    statuses: tuple[tuple[str, str], ...]
    version: int | None = None
    reason: str = ""


class DmsAdapter(Protocol):
    """Speaks one kind of system. Pure; how things are carried, signed and tried again is the webhook channel's."""

    content_type: str

    def outward(self, body: str) -> str:
        """The system's document for one of our pushes."""

    def inward(self, document: Mapping[str, Any]) -> DmsAnswer:
        """What a document of the system says; raises ValueError where it says nothing of an order."""


class StarAdapter:
    """A system that speaks STAR's JSON."""

    content_type = "application/json; charset=utf-8"

    def outward(self, body: str) -> str:
        """Its ServiceOrder."""
        return json.dumps(service_order(json.loads(body)["data"]), ensure_ascii=False, allow_nan=False, separators=(",", ":"))

    def inward(self, document: Mapping[str, Any]) -> DmsAnswer:
        """Of a ServiceOrder with its RepairOrder and appointment, each where given.

        Raises:
            ValueError: there is no id or no status in it, or something of another type.
        """
        said = _ServiceOrder.model_validate(document)
        slots = said.service_appointment.time_slots
        given = {
            "time_slot": slots[0].status if slots else None,
            "repair_order": said.repair_order.status,
            "service_order": said.status,
        }
        statuses = tuple((entity, status) for entity, status in given.items() if status)
        if not statuses:
            raise ValueError("no status is given")
        return DmsAnswer(order_id=said.service_order_id, statuses=statuses, version=said.document_version, reason=said.note)


class _Status(pydantic.BaseModel, frozen=True):
    """A RepairOrder or TimeSlot: what else stands in it is not ours to know."""

    status: str | None = None


class _Appointment(pydantic.BaseModel, frozen=True):
    time_slots: tuple[_Status, ...] = ()


class _ServiceOrder(pydantic.BaseModel, frozen=True):
    service_order_id: Annotated[str, pydantic.Field(min_length=1)]
    document_version: Annotated[int, pydantic.Field(ge=1, le=999_999_999, strict=True)] | None = None
    status: str | None = None
    note: str = ""
    repair_order: _Status = _Status()
    service_appointment: _Appointment = _Appointment()


def event_of(order: Order, answer: DmsAnswer) -> OrderEvent | None:
    """The event that an answer means for an order as it stands, None where its state allows none of those that it may mean.

    The finer word counts first: an appointment's, then the repair order's, then the service order's.
    """
    allowed = TABLES[order.kind][OrderState(order.state)]
    for entity, status in answer.statuses:
        for row in answer_rows():
            if (row.entity, row.status) == (entity, status) and row.event in allowed:
                return row.event
    return None


ADAPTERS: Mapping[str, DmsAdapter] = MappingProxyType({"star": StarAdapter()})
"""By the word in the dealer table's column `dms`."""
