"""A model card: what a version is made of, how good it is, and where not to trust it. Markdown, which reads as it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from domain.model_versions import ModelReport, ModelVersion
from models.risk.components import Component
from models.risk.hazard import Hazard

_LIMITS = (
    "Figures hold for vehicles like those of the data; the drift report says when vehicles in service are not.",
    "Repairs that nobody reports look like lives that go on: risks come out too low.",
    "Vehicles that were called in are cut short at the visit, since nobody knows what would have happened.",
    "Intervals of remaining life promise 90 % among vehicles that do fail within the model's reach, on average.",
    "Intervals of figures come from drawing vehicles anew; they do not tell of a fleet of another kind.",
    "The costs behind decisions are those of the table of components: set your own.",
)


def model_card(version: ModelVersion, hazard: Hazard, component: Component, reports: Sequence[ModelReport] = ()) -> str:
    """The card in Markdown."""
    windows, lineage = hazard.windows, version.lineage
    calibration = "none (it did not better the Brier score)" if hazard.slope == 1.0 else "Platt"
    lines = [
        f"# {version.name}",
        "",
        f"Version `{version.id}`, {version.stage.value}.",
        "",
        (
            f"Tells how likely the {component.name.en} ({component.name.zh}) of a vehicle is to fail within {windows.horizon_days} days, "
            f"after a gap of {windows.gap_days} days in which no visit can be booked; and where it is likely, in how many days."
        ),
        "",
        "## Made of",
        "",
        *_table(
            ("", ""),
            [
                ("data", lineage.data),
                ("hash of the data", f"`{lineage.data_sha256[:16]}`"),
                ("known until", _day(lineage.trained_until_ns)),
                ("features", f"{len(lineage.features)} (version {lineage.features_version or 'unknown'})"),
                ("program", lineage.code),
                ("seed", str(lineage.seed)),
                ("sha256 of the file", f"`{version.sha256}`"),
                ("calibration", calibration),
            ],
        ),
        "",
        "## Figures",
        "",
        "On vehicles that it was not fitted on, at times after those that it was fitted on; 95 % intervals from drawing vehicles anew.",
        "",
        *_table(("figure", "value", "95 % interval"), _figure_rows(dict(version.figures))),
        "",
        "## Decides",
        "",
        (
            f"A visit pays from a probability of {component.threshold:.3f}: it costs {component.visit:g} where nothing is found, "
            f"the planned repair {component.planned:g}, the breakdown {component.breakdown:g}."
        ),
        "",
        "## Limits",
        "",
        *(f"- {limit}" for limit in _LIMITS),
        "",
        "## Life",
        "",
        *_table(
            ("time", "stage", "by", "why"),
            [(_moment(each.time_ns), each.stage.value, each.actor, each.reason) for each in version.changes],
        ),
    ]
    if reports:
        lines += [
            "",
            "## Reports in service",
            "",
            *_table(("time", "kind", "report"), [(_moment(r.time_ns), r.kind, f"`{r.body}`") for r in reports]),
        ]
    return "\n".join([*lines, ""])


def _figure_rows(figures: dict[str, float]) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, value in figures.items():
        if name.endswith(("_low", "_high")):
            continue
        low, high = figures.get(f"{name}_low"), figures.get(f"{name}_high")
        rows.append((name, f"{value:.4g}", "" if low is None or high is None else f"{low:.4g} to {high:.4g}"))
    return rows


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    return [_row(header), _row(("---",) * len(header)), *(_row(row) for row in rows)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _day(time_ns: int) -> str:
    return _moment(time_ns)[:10]


def _moment(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d %H:%M")
