"""What a backtest report is made from."""

from __future__ import annotations

from dataclasses import dataclass

from domain.findings import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Alerts held against labels.

    Attributes:
        faults, found: how many there were, and how many an alert found. recall, precision: shares, None where they mean nothing.
        false_alarms: alerts that no fault explains. other: alerts of other systems on vehicles with a fault.
        delays_s: onset to alert, leads_s: alert to the fault's end; shortest first.
    """

    faults: int
    found: int
    recall: float | None
    precision: float | None
    false_alarms: int
    false_per_1000_days: float | None
    other: int
    delays_s: tuple[float, ...]
    leads_s: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SideFigures:
    """How many alerts, and how they stand against the labels (None: there are none)."""

    alerts: int
    judged: Judged | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """An alert that appears (no `old_ns`), disappears (no `new_ns`) or moves: event times at which the sides open it."""

    vehicle: str
    rule: str
    title: Text
    old_ns: int | None
    new_ns: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSide:
    """A rule on one side. `is_silent`: it is only counted there."""

    status: str
    is_silent: bool
    figures: SideFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFigures:
    """A rule on both sides, None where it does not stand there. `is_changed`: it decides otherwise."""

    id: str
    title: Text
    is_changed: bool
    vehicles: int
    old: RuleSide | None
    new: RuleSide | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepValueRow:
    """The figures at one value; `problem` says why there are none."""

    value: float
    figures: SideFigures | None
    problem: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    """One number of a rule over a range; `present` is how the rule is written."""

    rule: str
    title: Text
    parameter: str
    unit: str
    present: float
    rows: tuple[SweepValueRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestReport:
    """A backtest and what came of it.

    Attributes:
        drives: 0 for stored signals. notes: what a reader of the figures must know. old: None where nothing was compared with.
        changes: those that are none left out; `unchanged` counts them. rules: those that found anything; `quiet_rules` counts the others.
    """

    drives: int
    vehicles: int
    vehicle_days: int
    records: int
    notes: tuple[Text, ...]
    new: SideFigures
    old: SideFigures | None
    changes: tuple[ChangeRow, ...]
    unchanged: int
    rules: tuple[RuleFigures, ...]
    quiet_rules: int
    sweeps: tuple[SweepReport, ...]
    elapsed_s: float | None = None
