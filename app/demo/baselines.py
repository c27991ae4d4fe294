"""What is normal for the demonstration's petrol cars, learnt from their earlier life, so that the coolant detector works at once.

`python -m app.demo.baselines` makes the shipped table anew: 30 sound drives of each of the first 300 cars, in all weathers, through
the shipped detector. The table names cars by their pseudonym under the development key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path

from domain.fleet import DEVELOPMENT_KEY, pseudonym
from models.baseline import load_baselines, save_baselines

CARS, DRIVES = 300, 30
_TABLE = "baselines.csv"


def write_baselines(file: Path, vehicles: Mapping[str, str]) -> None:
    """The shipped baselines of these cars (VIN -> pseudonym in this run), in the form that the service loads."""
    with as_file(files("app.demo").joinpath(_TABLE)) as table:
        shipped = load_baselines(table)
    known = {vin: shipped.get(pseudonym(DEVELOPMENT_KEY, vin)) for vin in vehicles}
    save_baselines(file, {vehicles[vin]: baseline for vin, baseline in known.items() if baseline is not None})


def main() -> None:
    """Simulate the earlier life and write the table beside this file."""
    import numpy as np

    from app.demo.cars import drive_spec, plan_cars
    from app.simulated_trips import trip
    from domain.trouble_codes import dtc_batch
    from models.artefact import load_artefact
    from models.coolant_detector import CoolantDetector
    from simulator.drive import simulate_drive
    from simulator.drive_spec import FIRST_START_NS

    detector = CoolantDetector(load_artefact())
    rng = np.random.default_rng(20260301)
    day_ns = 86_400_000_000_000
    cars = {car.vin: car for car in (*plan_cars(CARS), *plan_cars(CARS, ()))}
    for car in (replace(car, fault=None) for car in cars.values() if car.powertrain == "petrol"):
        for day in range(DRIVES):
            spec = drive_spec(car, 1000 + day, FIRST_START_NS + day * day_ns)
            minutes, ambient = float(rng.uniform(20.0, 50.0)), round(float(rng.uniform(-10.0, 35.0)), 1)
            spec = replace(spec, duration_s=60.0 * minutes, ambient_celsius=ambient)
            detector.evaluate(trip(spec.vehicle, simulate_drive(spec).signals), dtc_batch((), ()))
    save_baselines(Path(__file__).with_name(_TABLE), detector.learnt_baselines())


if __name__ == "__main__":
    main()
