"""Compiles what the pipeline will run, so that on a fresh machine the first cars need not wait for the compiler.

`python -m app.demo.warm_up FOLDER`: a short drive of each kind goes through the very stages of the service; the compiled kernels stay
in this user's cache. Where they are there already it takes about two seconds. The folder holds the cars' decode profiles.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from app.composition import build_line, load_profiles
from app.demo.cars import drive_spec, plan_cars
from app.demo.drives import encode_drive
from domain.fleet import Vehicle
from domain.messages import RawMessage
from ingest.mqtt.batching import parse_messages
from simulator.drive import simulate_drive
from simulator.drive_spec import FIRST_START_NS
from simulator.fleet_tables import PROFILES

BATCHES = 4


def main() -> None:
    """Drive three cars for three minutes each, live cut into messages, into nowhere."""
    folder = Path(sys.argv[1])
    cars = [car for car in plan_cars(9) if car.fault in {"weak_12v_battery", "ev_cell_imbalance", "red_stop_lamp"}]
    profiles = {kind: str(folder / name) if name.endswith(".yaml") else name for kind, name in PROFILES.items()}
    vehicles = [Vehicle(id=car.vin, powertrain=car.powertrain, profile=profiles[car.powertrain]) for car in cars]
    line = build_line(vehicles, profiles=load_profiles(vehicles)).line
    raw: list[RawMessage] = []
    for car in cars:
        spec = replace(drive_spec(car, 0, FIRST_START_NS), duration_s=180.0, charge_s=0.0, onset_s=0.0)
        for _, _, payload in encode_drive(simulate_drive(spec).frames, FIRST_START_NS, 6.0):
            raw.append(RawMessage(topic=f"pitcall/v1/{car.vin}/can", payload=payload, received_ns=0, token=len(raw)))
    for number in range(BATCHES):
        line.push(parse_messages(raw[number::BATCHES], pseudonym_of=lambda vin: vin).frames)
    for car in cars:
        line.close(car.vin)


if __name__ == "__main__":
    main()
