"""STAR's words for our states, and our events for STAR's words: two tables, read from files beside this one.

Words of the STAR open JSON API (2026): ServiceOrder OPEN, DISPATCHED, IN_PROGRESS, ON_HOLD, COMPLETED, CANCELLED; RepairOrder OPEN,
ESTIMATE, APPROVED, WARRANTY_HOLD, READY_TO_BILL, CLOSED, VOIDED; TimeSlot TENTATIVE, RESERVED, CONFIRMED, RELEASED. The words for
transport are our own already.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from typing import Annotated, Literal, TypeVar

import pydantic

from datafiles import read_csv
from domain.orders import OrderKind
from notifier.orders.order_states import OrderEvent, OrderState

ServiceOrderStatus = Literal["OPEN", "DISPATCHED", "IN_PROGRESS", "ON_HOLD", "COMPLETED", "CANCELLED"]
RepairOrderStatus = Literal["OPEN", "ESTIMATE", "APPROVED", "WARRANTY_HOLD", "READY_TO_BILL", "CLOSED", "VOIDED"]
TimeSlotStatus = Literal["TENTATIVE", "RESERVED", "CONFIRMED", "RELEASED"]
Row = TypeVar("Row", bound=pydantic.BaseModel)
Source = Annotated[str, pydantic.Field(min_length=1)]
ALERT_STATUS = {"open": "ACTIVE", "acknowledged": "ACKNOWLEDGED", "resolved": "RESOLVED"}
"""VehicleAlert's words for the states of our alerts."""


class StarRow(pydantic.BaseModel, extra="forbid", frozen=True):
    """What STAR calls a state. `repair_order` is "" before there is one, `time_slot` where there is no appointment."""

    kind: OrderKind
    state: OrderState
    service_order: ServiceOrderStatus
    repair_order: RepairOrderStatus | Literal[""] = ""
    time_slot: TimeSlotStatus | Literal[""] = ""
    source: Source


class AnswerRow(pydantic.BaseModel, extra="forbid", frozen=True):
    """An event that a status means, where the order's state allows it; rows above go first."""

    entity: Literal["service_order", "repair_order", "time_slot"]
    status: str
    event: OrderEvent
    source: Source


@cache
def star_rows() -> dict[tuple[OrderKind, OrderState], StarRow]:
    """By kind and state."""
    return {(row.kind, row.state): row for row in _read("states.csv", StarRow)}


@cache
def answer_rows() -> tuple[AnswerRow, ...]:
    """In the order of the file."""
    return tuple(_read("answers.csv", AnswerRow))


def _read(name: str, row_type: type[Row]) -> list[Row]:
    with as_file(files("notifier").joinpath("star", name)) as file:
        return [row for _, row in read_csv(file, row_type)]
