"""Service levels: how long each step of an order may take and what is done when it takes longer; data, with a source each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from datafiles import load_yaml, validate
from domain.errors import DataFileError
from domain.findings import Urgency
from domain.fleet import Dealer
from domain.orders import Order
from notifier.dealers.working_hours import after_open_time
from notifier.orders.order_states import OrderState

SHIPPED = Path(__file__).with_name("service_levels.yaml")
_MINUTE_NS = 60_000_000_000
_EVERY_MINUTE = frozenset({Urgency.STOP, Urgency.TODAY})
"""Urgencies that wait for no opening hours."""


class Escalation(StrEnum):
    """What is done about an order that waits."""

    REMIND_DEALER = "remind_dealer"
    CALL_OWNER = "call_owner"
    """A task of the call centre."""
    TELL_OPERATIONS = "tell_operations"
    NEXT_DEALER = "next_dealer"
    """The offer expires, and the next dealer is asked."""
    GIVE_UP = "give_up"
    """A person takes over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An escalation at a share of the limit."""

    at: float
    do: Escalation


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLevel:
    """One clock: `minutes` by urgency, in the dealer's `opening_hours` or always, from the appointment's end or from the state's begin."""

    clock: str
    minutes: Mapping[Urgency, float]
    steps: tuple[Step, ...]
    opening_hours: bool
    from_appointment: bool

    def moment_ns(self, order: Order, dealer: Dealer | None, since_ns: int, share: float = 1.0) -> int:
        """When this share of the limit is over.

        Args:
            order: whose urgency and appointment count. dealer: the order's; without one every minute counts.
            since_ns: when the order came to where it stands.
        """
        start_ns = max(since_ns, order.slots[0][1]) if self.from_appointment and order.slots else since_ns
        urgency = max(order.recommendation.urgency, Urgency.NEXT)
        length_ns = round(self.minutes[urgency] * share * _MINUTE_NS)
        if dealer is None or not self.opening_hours or urgency in _EVERY_MINUTE:
            return start_ns + length_ns
        return after_open_time(dealer, start_ns, length_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLevels:
    """State -> its clock; a state without one waits for nobody."""

    by_state: Mapping[OrderState, ServiceLevel]

    def of(self, order: Order) -> ServiceLevel | None:
        """The clock that runs for this order."""
        return self.by_state.get(OrderState(order.state))

    def late_ns(self, order: Order, dealer: Dealer | None, since_ns: int) -> int | None:
        """When the order has stood too long where it stands since then, None where it waits for nobody."""
        level = self.of(order)
        return None if level is None else level.moment_ns(order, dealer, since_ns)


NO_LEVELS = ServiceLevels(by_state={})
"""Nothing is ever late."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")


_Minutes = Annotated[float, Field(gt=0, le=60 * 24 * 31)]


class _ByUrgency(_Entry):
    STOP: _Minutes
    TODAY: _Minutes
    SOON: _Minutes
    NEXT: _Minutes

    @model_validator(mode="after")
    def _urgent_first(self) -> _ByUrgency:
        if not self.STOP <= self.TODAY <= self.SOON <= self.NEXT:
            raise ValueError("what is more urgent may not take longer")
        return self


class _Step(_Entry):
    at: Annotated[float, Field(gt=0, le=10)]
    do: Escalation


class _Level(_Entry):
    clock: Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
    states: Annotated[list[OrderState], Field(min_length=1)]
    source: Annotated[str, Field(min_length=1)]
    runs: Literal["always", "opening_hours"]
    starts: Literal["state", "appointment"] = "state"
    minutes: _ByUrgency
    steps: Annotated[list[_Step], Field(min_length=1)]

    @model_validator(mode="after")
    def _in_order(self) -> _Level:
        shares, actions = [step.at for step in self.steps], [step.do for step in self.steps]
        if sorted(set(shares)) != shares or len(set(actions)) < len(actions):
            raise ValueError("steps come one after the other, and each is taken once")
        if Escalation.NEXT_DEALER in actions and self.states != [OrderState.OFFERED]:
            raise ValueError("only an offer can go to the next dealer")
        return self


class _Levels(_Entry):
    levels: list[_Level]


def load_service_levels(file: Path = SHIPPED) -> ServiceLevels:
    """Read service levels.

    Raises:
        DataFileError: the first problem, with its line.
    """
    document = load_yaml(file)
    by_state: dict[OrderState, ServiceLevel] = {}
    for row, entry in enumerate(validate(_Levels, document).levels):
        level = ServiceLevel(
            clock=entry.clock,
            minutes={urgency: getattr(entry.minutes, urgency.name) for urgency in Urgency if urgency is not Urgency.MONITOR},
            steps=tuple(Step(at=step.at, do=step.do) for step in entry.steps),
            opening_hours=entry.runs == "opening_hours",
            from_appointment=entry.starts == "appointment",
        )
        for state in entry.states:
            if state in by_state:
                line = document.line("levels", row)
                raise DataFileError(f"state {state.value!r} has two clocks", file=file, line=line, mend="leave it in one of them")
            by_state[state] = level
    return ServiceLevels(by_state=by_state)
