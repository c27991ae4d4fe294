"""`pitcall bench NAME`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from app.options import FILE, JSON
from app.output import print_json


@click.group()
def command() -> None:
    """Ratios against named peers, from interleaved runs in one process group."""


@command.command()
@click.option("--frames", default=2_000_000, show_default=True, type=click.IntRange(1000), help="Frames per round.")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1), help="Interleaved rounds; medians count.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Write the frames per second as a bar chart (SVG).")
@JSON
def decode(frames: int, rounds: int, plot: Path | None, as_json: bool) -> None:
    """Decode all signals, one core, against cantools and asammdf's core."""
    from app.kernels import compiler
    from benchmarks.decode import chart, run

    figures = run(frames=frames, rounds=rounds, jit=compiler())
    if plot is not None:
        plot.write_text(chart(figures), encoding="utf-8")
    _show(figures, as_json)


@command.command()
@click.option("--frames", default=400_000, show_default=True, type=click.IntRange(1000), help="Frames per recording.")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1), help="Interleaved rounds; medians count.")
@JSON
def logs(frames: int, rounds: int, as_json: bool) -> None:
    """A recording to all signals, by format, against python-can's reader and cantools."""
    from app.kernels import compiler
    from benchmarks.logs import run

    _show(run(frames=frames, rounds=rounds, jit=compiler()), as_json)


@command.command()
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="Interleaved rounds; medians count.")
@click.option(
    "--minutes", default=15.0, show_default=True, type=click.FloatRange(3, 600), help="Length of each of the four drives."
)
@click.option(
    "--rate",
    default=10.0,
    show_default=True,
    type=click.FloatRange(1, 20),
    help="1 = 30 frames a second, 10 = the traffic of a car.",
)
@click.option("--rules", "rule_paths", multiple=True, type=FILE, help="A rule pack.  [default: the shipped ones]")
@JSON
def replay(rounds: int, minutes: float, rate: float, rule_paths: tuple[Path, ...], as_json: bool) -> None:
    """A candump file to alerts, with the shipped rules, against a loop over frames with cantools and Python rules."""
    from app.bench_replay import run

    _show(run(rounds=rounds, minutes=minutes, rate=rate, rule_paths=rule_paths or None), as_json)


@command.command()
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="Rounds; medians count.")
@click.option("--vehicles", default=100_000, show_default=True, type=click.IntRange(1), help="Of the fleet held in memory.")
@JSON
def rules(rounds: int, vehicles: int, as_json: bool) -> None:
    """Samples a second that one rule takes, by size of batch, and the state of the shipped rules per vehicle."""
    from app.kernels import compiler
    from benchmarks.rules import run
    from rules.pack import load_rules

    _show(run(load_rules(), rounds=rounds, vehicles=vehicles, jit=compiler()), as_json)


@command.command()
@click.option("--seeds", default=20, show_default=True, type=click.IntRange(1), help="How many fleets.")
@click.option("--first-seed", required=True, type=int, help="Seeds count up from it: take one that nothing was tuned on.")
@JSON
def detection(seeds: int, first_seed: int, as_json: bool) -> None:
    """Faults found, false alarms and delay on fresh simulated fleets, from log files to alerts."""
    from app.detection import detection as run

    _show(run(range(first_seed, first_seed + seeds)), as_json)


@command.command()
@click.option(
    "--seconds", default=30.0, show_default=True, type=click.FloatRange(1, 3600), help="Of each of the two measurements."
)
@click.option(
    "--receiver", default="both", show_default=True, type=click.Choice(["paho", "socket", "both"]), help="Which MQTT receiver."
)
@click.option(
    "--rate", type=click.FloatRange(1000), help="Frames per second of the latency run.  [default: half of what is reached]"
)
@click.option(
    "--lateness", default=0.0, show_default=True, type=click.FloatRange(0, 60), help="Seconds that every record is held back."
)
@JSON
def live(seconds: float, receiver: str, rate: float | None, lateness: float, as_json: bool) -> None:
    """Publisher, embedded broker and pipeline on this machine: sustained frames per second, then publish to stored alert."""
    from app.bench_live import ReceiverName, run

    names: dict[str, tuple[ReceiverName, ...]] = {"paho": ("paho",), "socket": ("socket",), "both": ("socket", "paho")}
    _show(run(seconds=seconds, receivers=names[receiver], rate=rate, lateness_s=lateness), as_json)


@command.command()
@click.option("--groups", default=500, show_default=True, type=click.IntRange(10), help="How many groups of 20 codes.")
@JSON
def knowledge(groups: int, as_json: bool) -> None:
    """Loading the fault knowledge and explaining groups of 20 codes: milliseconds and megabytes."""
    from app.bench_knowledge import run

    _show(run(groups=groups), as_json)


@command.command()
@click.option("--orders", default=10_000, show_default=True, type=click.IntRange(10), help="Orders in the batch.")
@click.option("--dealers", default=10_000, show_default=True, type=click.IntRange(1), help="Workshops.")
@click.option("--decisions", default=2_000, show_default=True, type=click.IntRange(100), help="Single decisions timed.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Write a map of both placements (SVG).")
@JSON
def dispatch(orders: int, dealers: int, decisions: int, plot: Path | None, as_json: bool) -> None:
    """One dealer choice, and a batch of orders placed by min-cost flow against each to the nearest dealer with room."""
    from benchmarks.dispatch import run
    from benchmarks.dispatch_map import dispatch_map

    if plot is not None:
        plot.write_text(dispatch_map(), encoding="utf-8")
    _show(run(orders=orders, dealers=dealers, decisions=decisions), as_json)


def _show(figures: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(figures)
        return
    for name, value in figures.items():
        if isinstance(value, dict):
            click.echo(name)
            for key, inner in value.items():
                click.echo(f"  {key:24} {_number(inner)}")
        else:
            click.echo(f"{name:26} {_number(value)}")


def _number(value: Any) -> str:
    return (
        f"{value:,.4g}"
        if isinstance(value, float) and value < 1000
        else f"{value:,.0f}"
        if isinstance(value, float)
        else str(value)
    )


@command.command()
@click.option("--days", default=60, show_default=True, type=click.IntRange(1), help="Days of each vehicle.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="Medians count.")
@JSON
def models(days: int, rounds: int, as_json: bool) -> None:
    """Vehicle-days a second through features and scores of the trip detectors, one core."""
    from app.kernels import compiler
    from benchmarks.models import run

    _show(run(days=days, rounds=rounds, jit=compiler()), as_json)
