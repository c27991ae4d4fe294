"""Lives of components from the database: what technicians found becomes the labels of failure risk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from domain.findings import Recommendation
from domain.orders import Order
from domain.repairs import RepairOutcome, RepairResult
from models.risk.components import Component
from models.risk.lives import FeatureRows, Lives


class LabelStore(Protocol):
    """What of the store tells of repairs."""

    # ruff: noqa: D102 - the stores describe them

    def recommendations(self) -> tuple[Recommendation, ...]: ...

    def orders(self) -> tuple[Order, ...]: ...

    def outcomes(self) -> tuple[RepairOutcome, ...]: ...


def lives_of(store: LabelStore, component: Component, rows: FeatureRows, now_ns: int) -> Lives:
    """Lives of one component of the vehicles that have features, from the first feature of each on.

    A life fails at the incident whose order was reported to be a failure of the component, and the next begins with the report. An order
    of its group without a report ends the life where it was made, and says nothing: what would have happened, nobody knows. A report of
    another cause, or of none, lets the life go on.
    """
    times = {each.incident_id: each.time_ns for each in store.recommendations()}
    latest = {outcome.order: outcome for outcome in store.outcomes()}  # by order and time, the last one counts
    events: dict[str, list[tuple[int, int | None, bool]]] = defaultdict(list)
    for order in store.orders():
        outcome = latest.get(order.id)
        begun_ns = min((times[incident] for incident in order.incidents if incident in times), default=order.created_ns)
        if outcome is not None and outcome.result is RepairResult.FOUND and component.fails_by(outcome.cause):
            events[order.vehicle].append((begun_ns, max(outcome.created_ns, begun_ns), True))
        elif outcome is None and order.group_key == component.group_key:
            events[order.vehicle].append((order.created_ns, None, False))
    return _lives(rows, events, now_ns)


def _lives(rows: FeatureRows, events: Mapping[str, Sequence[tuple[int, int | None, bool]]], now_ns: int) -> Lives:
    found: list[tuple[int, int, int, bool]] = []
    for number, name in enumerate(rows.vehicles):
        mine = rows.event_ns[rows.vehicle == number]
        begins: int | None = int(mine.min()) if len(mine) else None
        for ends_ns, next_ns, failed in sorted(events.get(name, ()), key=lambda event: event[0]):
            if begins is not None and begins <= ends_ns < now_ns:
                found.append((number, begins, ends_ns, failed))
                begins = next_ns
        if begins is not None and begins < now_ns:
            found.append((number, begins, now_ns, False))
    return Lives(
        vehicle=np.array([each[0] for each in found], np.int64),
        begins_ns=np.array([each[1] for each in found], np.int64),
        ends_ns=np.array([each[2] for each in found], np.int64),
        failed=np.array([each[3] for each in found], np.bool_),
    )
