"""`pitcall models`: a failure risk from training over promotion to its card, and what is refused."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner, Result

from app.cli import cli
from domain.errors import InputError
from tests.models.risk.fleets import worn_fleet


def rfc3339(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns / 1e9, UTC).isoformat()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Features and lives of a fleet in the documented form, and a registry with two versions."""
    made = tmp_path_factory.mktemp("registry")
    rows, lives = worn_fleet(vehicles=120)
    table = pd.DataFrame(rows.values, columns=list(rows.features))
    table["vehicle"] = [rows.vehicles[number] for number in rows.vehicle]
    for name, times in (("event_time", rows.event_ns), ("available_time", rows.available_ns)):
        table[name] = pd.to_datetime(times, utc=True)
    table.to_parquet(made / "features.parquet")
    with (made / "lives.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("vehicle", "component", "begins", "ends", "failed"))
        for vehicle, begins, ends, failed in zip(lives.vehicle, lives.begins_ns, lives.ends_ns, lives.failed, strict=True):
            writer.writerow((rows.vehicles[vehicle], "battery_12v", rfc3339(begins), rfc3339(ends), str(bool(failed)).lower()))
        writer.writerow(("vehicle-0", "alternator", rfc3339(0), rfc3339(1), "true"))
    for seed in (1, 2):
        result = models(made, "train", "--component", "battery_12v", *files(made), "--seed", seed)
        assert result.exit_code == 0, result.output
    return made


def files(folder: Path) -> tuple[object, ...]:
    return "--features", folder / "features.parquet", "--labels", folder / "lives.csv"


def models(folder: Path, command: str, *words: object) -> Result:
    where = ["--database", f"sqlite:///{folder / 'pitcall.db'}"]
    where += [] if command == "list" else ["--models", str(folder / "models")]
    return CliRunner().invoke(cli, ["models", command, *(str(word) for word in words), *where])


def refused(result: Result) -> str:
    """What `pitcall` says when it ends with status 2."""
    assert isinstance(result.exception, InputError), result.output
    return str(result.exception)


def listed(folder: Path) -> dict[int, dict[str, object]]:
    """The registry's versions by seed."""
    rows = json.loads(models(folder, "list", "--json").stdout)
    return {row["lineage"]["seed"]: row for row in rows if "lineage" in row}


def test_a_trained_model_is_in_shadow_with_its_lineage_and_figures(folder: Path) -> None:
    first = listed(folder)[1]
    assert first["changes"][0]["stage"] == "shadow"
    assert first["lineage"]["features"] == ["rest_v", "noise_a", "noise_b"]
    assert len(first["lineage"]["data_sha256"]) == 64
    assert first["figures"]["auc_low"] <= first["figures"]["auc"] <= first["figures"]["auc_high"]


def test_promotion_and_rollback_move_the_champion(folder: Path) -> None:
    for seed in (1, 2):
        result = models(folder, "promote", listed(folder)[seed]["id"], "--reason", "better")
        assert result.exit_code == 0, result.output
    assert [listed(folder)[seed]["stage"] for seed in (1, 2)] == ["retired", "active"]
    assert models(folder, "rollback", "risk.battery_12v", "--reason", "worse").exit_code == 0
    assert [listed(folder)[seed]["stage"] for seed in (1, 2)] == ["active", "retired"]
    result = models(folder, "rollback", "risk.battery_12v", "--reason", "again")
    assert "no version was active before" in refused(result)


def test_the_card_tells_data_figures_limits_and_life(folder: Path) -> None:
    card = models(folder, "report", listed(folder)[1]["id"]).stdout
    for part in ("## Made of", "120 vehicles", "| auc |", "## Limits", "| shadow | command line | trained |", "12V蓄电池"):
        assert part in card


def test_explanations_sum_to_the_score(folder: Path) -> None:
    words = ("--features", folder / "features.parquet", "--vehicle", "vehicle-7", "--json")
    found = json.loads(models(folder, "explain", listed(folder)[1]["id"], *words).stdout)
    total = found["base"] + sum(each["contribution"] for each in found["contributions"])
    assert total == pytest.approx(found["score"], abs=1e-9)
    assert found["reasons"][0].keys() == {"en", "zh"}


def test_a_registered_model_evaluates_to_the_figures_that_it_was_registered_with(folder: Path) -> None:
    version = listed(folder)[2]
    result = models(folder, "evaluate", "--model", version["id"], *files(folder), "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["auc"] == version["figures"]["auc"]
    assert told["cost_per_vehicle_month_ci"][1] == version["figures"]["cost_per_vehicle_month_high"]


def test_a_model_file_that_was_tampered_with_is_refused(folder: Path) -> None:
    version = listed(folder)[2]
    file = folder / "models" / f"{version['sha256']}.skops"
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    try:
        said = refused(models(folder, "promote", version["id"], "--reason", "r"))
        assert said.endswith("does not match the sha256 of the registry; restore the file or train the model again")
        assert listed(folder)[2]["stage"] != "active"
    finally:
        file.write_bytes(content)


def drop_times(folder: Path) -> tuple[Path, Path]:
    pd.read_parquet(folder / "features.parquet").drop(columns="available_time").to_parquet(folder / "short.parquet")
    return folder / "short.parquet", folder / "lives.csv"


def text_as_parquet(folder: Path) -> tuple[Path, Path]:
    return folder / "lives.csv", folder / "lives.csv"


def no_zone(folder: Path) -> tuple[Path, Path]:
    text = "vehicle,component,begins,ends,failed\nvehicle-0,battery_12v,2026-01-01T00:00:00,2026-02-01T00:00:00,true\n"
    (folder / "zone.csv").write_text(text, encoding="utf-8")
    return folder / "features.parquet", folder / "zone.csv"


def nobody(folder: Path) -> tuple[Path, Path]:
    (folder / "nobody.csv").write_text("vehicle,component,begins,ends,failed\n", encoding="utf-8")
    return folder / "features.parquet", folder / "nobody.csv"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (drop_times, "short.parquet: has no column 'available_time'"),
        (text_as_parquet, "lives.csv: cannot be read as Parquet"),
        (no_zone, "zone.csv:2: a time has no zone; write RFC 3339"),
        (nobody, "nobody.csv: tells of no life of battery_12v"),
    ],
)
def test_files_that_cannot_be_used_are_named(folder: Path, spoil: Callable[[Path], tuple[Path, Path]], said: str) -> None:
    features, labels = spoil(folder)
    result = models(folder, "train", "--component", "battery_12v", "--features", features, "--labels", labels)
    assert said in refused(result)


def test_an_unknown_component_and_an_unknown_version_are_named(folder: Path) -> None:
    result = models(folder, "train", "--component", "flux", *files(folder))
    assert "there is no component flux; known are battery_12v" in refused(result)
    assert "there is no version zzz" in refused(models(folder, "report", "zzz"))
