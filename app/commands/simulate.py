"""`pitcall simulate`."""

from __future__ import annotations

from pathlib import Path

import click

from app.options import FILE


@click.command()
@click.option("--out", type=FILE, default=Path("simulated"), show_default=True, help="Folder to write to.")
@click.option("--vehicles", default=1, show_default=True, type=click.IntRange(1, 1000), help="How many.")
@click.option("--powertrain", default="mixed", show_default=True, type=click.Choice(["petrol", "ev", "truck", "mixed"]))
@click.option("--fault", "faults", multiple=True, help="A fault to develop; several are dealt out in turn.  [default: none]")
@click.option("--healthy", is_flag=True, help="A healthy vehicle follows each faulty one.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same bytes.")
@click.option("--minutes", default=20.0, show_default=True, type=click.FloatRange(3, 600), help="Length of a drive.")
@click.option("--samples", type=FILE, help="Make the sample recordings anew in this folder, and nothing else.")
def command(
    out: Path,
    vehicles: int,
    powertrain: str,
    faults: tuple[str, ...],
    healthy: bool,
    seed: int,
    minutes: float,
    samples: Path | None,
) -> None:
    """Vehicles with physics and developing faults -> candump logs, manifest, vehicle and dealer tables, DBCs, profiles.

    Faults: thermostat_stuck_open, overheating, weak_12v_battery, misfire (petrol); ev_cell_imbalance (ev); red_stop_lamp (truck).
    labels.csv tells which fault began when: it is for evaluation, pitcall itself never reads it.
    """
    from simulator.fleet import simulate_to_folder
    from simulator.write_samples import write_samples

    if samples is not None:
        write_samples(samples)
        click.echo(f"sample recordings written to {samples}")
        return
    drives = simulate_to_folder(
        out=out, vehicles=vehicles, powertrain=powertrain, faults=faults, seed=seed, minutes=minutes, healthy=healthy
    )
    frames = sum(len(drive.frames) for drive in drives)
    click.echo(f"{len(drives)} drives, {frames:,} frames written to {out}")
    click.echo(f"next: pitcall replay --manifest {out / 'manifest.csv'}")
