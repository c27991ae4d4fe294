"""Maintenance plans and care reminders: what is to be done how often, how a vehicle is used, and what is due when.

A day is a whole number of days since 1970-01-01 (UTC). Wear is counted in shares of an interval: 0 = just done, 1 = due.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.findings import PlanLine, Text, Urgency


class Quantity(StrEnum):
    """What uses up an interval; the value names the unit."""

    DISTANCE = "distance_km"
    TIME = "days"
    ENGINE = "engine_h"
    ENERGY = "energy_kwh"
    """Taken from the traction battery."""
    OIL_WEAR = "oil_wear_rev"
    """Engine revolutions, each weighted by what the oil's temperature does to it."""
    BRAKE_WORK = "brake_mj"
    """Energy that the friction brakes took, in MJ per tonne of vehicle."""
    CONDITION = "condition"
    """What a sensor or another sign of wear tells of the part itself: a share, not a sum."""


class Use(StrEnum):
    """How hard a vehicle is used."""

    NORMAL = "normal"
    SEVERE = "severe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Whichever is reached first: (quantity, limit in its unit), at least one."""

    limits: tuple[tuple[Quantity, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CareItem:
    """One thing to be done.

    Attributes:
        id: stable. system: group of the vehicle. work: the plan line (number 1). completed_by: further operations that do it too.
        late_urgency: of the recommendation once it is overdue. needs: what a workshop must be able to do.
        advice: plain words for the owner. own: names of the vehicle's own values that tell of it (`OwnValue.name`).
    """

    id: str
    title: Text
    system: str
    work: PlanLine
    advice: Text
    completed_by: tuple[str, ...] = ()
    late_urgency: Urgency = Urgency.SOON
    needs: tuple[str, ...] = ()
    own: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledItem:
    """An item in a schedule.

    Attributes:
        normal, severe: intervals by use. measured: instead of both while `Quantity` values of condition (oil wear, brake work) come
            from the vehicle; None where nothing is measured. sensed: instead of all others while a sensor tells of the part, so far
            as the interval goes even then; None where a sign of wear can only make it due earlier. first: the first interval of a new vehicle, None = as the others.
        sources: where the figures are known from.
    """

    item: CareItem
    normal: Interval
    severe: Interval
    measured: Interval | None = None
    sensed: Interval | None = None
    first: Interval | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Everything to be done to one kind of vehicle. `daily_km`: what to expect before the vehicle's own use is known."""

    id: str
    title: Text
    items: tuple[ScheduledItem, ...]
    daily_km: float = 40.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """Something asked of many vehicles at once.

    Attributes:
        from_day, until_day: when it is asked; what has not been done by then expires. For a yearly one, `repeats` is the year that
            they belong to and part of the reminder's identity, else 0.
        urgent: due from the first day (a recall), not only when it ends.
    """

    item: CareItem
    from_day: int
    until_day: int
    repeats: int = 0
    urgent: bool = False


class OwnKind(StrEnum):
    """What a value that the vehicle sends is."""

    OWN = "own"
    """Worked out by the vehicle, which knows its maker's plan: it wins over the schedule."""
    CONDITION = "condition"
    """The condition of a part, by a sensor or another sign of wear; always a share."""


class ReadingField(StrEnum):
    """What a reading tells: the rest in km, in days, or as a share."""

    KM = "km"
    DAYS = "days"
    SHARE = "share"


class Statistic(StrEnum):
    """Which value of a day counts."""

    LAST = "last"
    MAX = "max"
    REST = "rest"
    """The last one that came first after a silence of four hours: of a vehicle at rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A signal that tells of the condition of a part, in a straight line from `new` to `worn`.

    Attributes:
        name: the vehicle's own value that it gives ("service", "air_filter"). path: VSS. source: where the figures are known from.
        new, worn: value of a new part and of one that is due, in the signal's unit. low, high: what is outside is no measurement.
    """

    name: str
    path: str
    kind: OwnKind
    field: ReadingField
    statistic: Statistic
    new: float
    worn: float
    low: float
    high: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnValue:
    """What the vehicle itself says, whichever of these it sends; `name` is "service", "engine_oil_life", "brake_pads" and so on."""

    name: str
    remaining_km: float | None = None
    remaining_days: float | None = None
    remaining_share: float | None = None
    kind: OwnKind = OwnKind.OWN


@dataclass(frozen=True, slots=True, kw_only=True)
class DayUsage:
    """One vehicle's use on one day: sums, but for the odometer (its last value) and what the vehicle says itself.

    Attributes:
        odometer_km: None where none came. trips, short_trips: ended on that day; short is under 8 km.
        idle_s: engine or drive on, standing still. driving_s: moving. extreme_s: driving below -10 or above 35 °C.
        towing_km, dusty_km: part of `distance_km`.
    """

    day: int
    distance_km: float = 0.0
    engine_h: float = 0.0
    energy_kwh: float = 0.0
    oil_wear_rev: float = 0.0
    brake_mj: float = 0.0
    odometer_km: float | None = None
    trips: int = 0
    short_trips: int = 0
    driving_s: float = 0.0
    idle_s: float = 0.0
    extreme_s: float = 0.0
    towing_km: float = 0.0
    dusty_km: float = 0.0
    own_values: tuple[OwnValue, ...] = ()

    def amount(self, quantity: Quantity) -> float:
        """What this day adds to a quantity; a day is a day."""
        match quantity:
            case Quantity.DISTANCE:
                return self.distance_km
            case Quantity.ENGINE:
                return self.engine_h
            case Quantity.ENERGY:
                return self.energy_kwh
            case Quantity.OIL_WEAR:
                return self.oil_wear_rev
            case Quantity.BRAKE_WORK:
                return self.brake_mj
            case Quantity.CONDITION:
                return 0.0
        return 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownService:
    """An earlier service that the owner or a workshop book tells of at enrolment."""

    item: str
    day: int
    odometer_km: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """From when on a vehicle is looked after.

    Attributes:
        first_used_day: of the new vehicle, None where unknown. use: "severe" where it is known to be (taxi, delivery); None = found
            from the data. history: services done before.
    """

    vehicle: str
    day: int
    odometer_km: float | None = None
    first_used_day: int | None = None
    use: Use | None = None
    history: tuple[KnownService, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """An item was done. `id` is stable (order and operation), so that telling it again changes nothing."""

    id: str
    vehicle: str
    item: str
    day: int


class ReminderState(StrEnum):
    """Life of a reminder; the last four end it."""

    DUE_SOON = "due_soon"
    DUE = "due"
    OVERDUE = "overdue"
    SNOOZED = "snoozed"
    DONE = "done"
    DECLINED = "declined"
    EXPIRED = "expired"
    """A campaign ended."""
    WITHDRAWN = "withdrawn"
    """No schedule asks for it any more, or the vehicle itself no longer says so."""


ENDED_REMINDERS = frozenset({ReminderState.DONE, ReminderState.DECLINED, ReminderState.EXPIRED, ReminderState.WITHDRAWN})


class ReminderReason(StrEnum):
    """Why a reminder stands where it stands."""

    FORECAST = "forecast"
    """It will be due within the lead time at this vehicle's own use."""
    VISIT = "visit"
    """It would be due soon after a visit that is to be made anyway."""
    OWN_VALUE = "own_value"
    """The vehicle says so."""
    CONDITION = "condition"
    """The condition of the part says so."""
    REACHED = "reached"
    CAMPAIGN = "campaign"
    COMPLETED = "completed"
    RESET = "reset"
    """The vehicle's own value was set back in a workshop."""
    PERSON = "person"


class Basis(StrEnum):
    """What a due day is worked out from."""

    SCHEDULE = "schedule"
    MEASURED = "measured"
    """Wear worked out from how the vehicle was used."""
    CONDITION = "condition"
    """A sensor or another sign of wear of the part."""
    OWN_VALUE = "own_value"
    """The vehicle's own service value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueForecast:
    """When an item will be due at this vehicle's own use. `quantity` is what will be reached first; low and high bound 80 %."""

    day: int
    low: int
    high: int
    quantity: Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """One item of one vehicle, once per interval; `id` is a function of vehicle, item and cycle.

    Attributes:
        cycle: how many times the item was done or declined since enrolment (of a campaign: its year or 0).
        opened_day, changed_day: of this reminder and of its state. first_forecast: when it opened, kept to be compared with what came.
        forecast: of its last change of state. due_day: when it became due, None before. used: share of the interval that is used up.
        use: the vehicle's use. snoozed_until: day on which it comes back. basis: of the forecast.
    """

    id: str
    vehicle: str
    item: str
    cycle: int
    state: ReminderState
    reason: ReminderReason
    title: Text
    opened_day: int
    changed_day: int
    first_forecast: DueForecast
    forecast: DueForecast
    used: float
    use: Use
    due_day: int | None = None
    snoozed_until: int | None = None
    basis: Basis = Basis.SCHEDULE

    @property
    def is_open(self) -> bool:
        """Whether something is still to be done."""
        return self.state not in ENDED_REMINDERS


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemCare:
    """How far one item of one vehicle is used up.

    Attributes:
        since_day: the day after which it was last done (or taken as done). done: of an item that was done under our eyes.
        used: (quantity, share). own_day: when the vehicle last said something of it; condition_day: when a sensor of the part did.
        completion: id of the last one.
    """

    item: str
    cycle: int
    since_day: int
    used: tuple[tuple[Quantity, float], ...]
    done: bool = False
    own_day: int | None = None
    condition_day: int | None = None
    completion: str = ""
    quiet_until: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CareState:
    """All that reminders need of one vehicle's past: bounded, whatever its age.

    Attributes:
        day: the last one that was looked at, whole. odometer_km: the last one known. window: the latest days on which the vehicle
            was used, oldest first. use: as found (with hysteresis). items: by item id. reminders: the open ones, by id.
        settled: ids of ended reminders of campaigns that still run.
    """

    vehicle: str
    enrolled_day: int
    day: int
    odometer_km: float | None = None
    window: tuple[DayUsage, ...] = ()
    use: Use = Use.NORMAL
    items: tuple[ItemCare, ...] = ()
    reminders: tuple[Reminder, ...] = ()
    settled: tuple[str, ...] = ()
