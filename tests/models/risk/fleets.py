"""A small fleet whose part wears at its own pace, shows it in one feature after a while, and fails; the other features say nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.risk.components import Component, load_components
from models.risk.lives import DAY_NS, FeatureRows, Lives

START_NS = 20_000 * DAY_NS
BATTERY: Component = load_components()["battery_12v"]


def shifted(rows: FeatureRows, vehicles: list[bool], feature: int, shift: float) -> FeatureRows:
    """One feature of some vehicles moved."""
    moved = rows.values.copy()
    moved[np.array(vehicles)[rows.vehicle], feature] += shift
    return replace(rows, values=moved)


def worn_fleet(vehicles: int = 150, days: int = 420, seed: int = 1) -> tuple[FeatureRows, Lives]:
    """Features each 3 days (known a day later) and lives; a new part begins two days after a failure."""
    rng = np.random.default_rng(seed)
    spells, rows = [], []
    for vehicle in range(vehicles):
        begins = 0.0
        offset = rng.normal(0.0, 0.3)
        day = np.arange(rng.uniform(0, 3), days, 3.0)
        wear = np.zeros(len(day))
        while begins < days:
            life = rng.exponential(420.0) + 40.0
            onset = begins + life - rng.uniform(30.0, 60.0)
            ends = min(begins + life, float(days))
            spells.append((vehicle, begins, ends, begins + life <= days))
            inside = (day >= begins) & (day < ends)
            wear[inside] = np.clip((day[inside] - onset) / 45.0, 0.0, 1.5)
            begins = begins + life + 2.0
        shown = 12.4 - 1.2 * wear + offset * 0.2 + rng.normal(0.0, 0.08, len(day))
        shown[rng.random(len(day)) < 0.05] = np.nan
        noise = rng.normal(size=(len(day), 2))
        rows.append(np.column_stack([np.full(len(day), vehicle), day, shown, noise]))
    table = np.vstack(rows)
    event = START_NS + (table[:, 1] * DAY_NS).astype(np.int64)
    names = tuple(f"vehicle-{number}" for number in range(vehicles))
    features = FeatureRows(
        vehicles=names,
        regions=tuple(("north", "south")[number % 2] for number in range(vehicles)),
        features=("rest_v", "noise_a", "noise_b"),
        vehicle=table[:, 0].astype(np.int64),
        event_ns=event,
        available_ns=event + DAY_NS,
        values=table[:, 2:],
    )
    spell = np.array(spells)
    return features, Lives(
        vehicle=spell[:, 0].astype(np.int64),
        begins_ns=START_NS + (spell[:, 1] * DAY_NS).astype(np.int64),
        ends_ns=START_NS + (spell[:, 2] * DAY_NS).astype(np.int64),
        failed=spell[:, 3].astype(np.bool_),
    )
