"""Makes models/artefacts/coolant_residual.json again: `.venv/bin/python -m tests.models.make_shipped_artefact`."""

from __future__ import annotations

from pathlib import Path

import models
from models.artefact import SHIPPED, save_artefact
from models.training import train_coolant
from tests.models.trips import simulated_trips

SEED, VEHICLES, TRIPS = 20260301, 24, 30


def main() -> None:
    """Train on a simulated petrol fleet."""
    trips = simulated_trips(SEED, vehicles=VEHICLES, trips=TRIPS)
    data = f"simulated petrol cars: {VEHICLES} vehicles of {TRIPS} drives, seed {SEED}, -15 to 38 °C, cold and warm starts"
    artefact = train_coolant(trips, data=data)
    save_artefact(Path(models.__file__).parent / "artefacts" / SHIPPED, artefact)
    print(artefact.version, artefact.limits, artefact.prior)


if __name__ == "__main__":
    main()
