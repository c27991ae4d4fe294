"""`pitcall replay --alert`: a stored alert is found again in the recordings of its car, and in no others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import cli
from domain.errors import InputError

SAMPLES = Path(__file__).parents[2] / "sample_can_logs"
LOG, OTHER = SAMPLES / "faulty_petrol_overheating.log.gz", SAMPLES / "faulty_petrol_thermostat.log.gz"
VIN = "LTESTPTR9T0000005"


def replay(log: Path, url: str, *words: str, vin: str = VIN) -> Result:
    profile = str(SAMPLES / "profiles" / "demo_petrol.yaml")
    return CliRunner().invoke(
        cli, ["replay", str(log), "--vin", vin, "--profile", profile, "--database", url, "--json", *words], catch_exceptions=False
    )


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[str]]:
    """A database with the replay of one drive, and its alerts."""
    url = f"sqlite:///{tmp_path_factory.mktemp('replay') / 'pitcall.db'}"
    done = replay(LOG, url)
    return url, [alert["id"] for alert in json.loads(done.stdout)["alerts"]]


def test_an_alert_is_found_again_with_its_id(stored: tuple[str, list[str]]) -> None:
    url, alerts = stored
    done = replay(LOG, url, "--alert", alerts[0])
    document = json.loads(done.stdout)
    assert (done.exit_code, document["alert"], document["reproduced"], document["differing"]) == (0, alerts[0], True, [])
    assert document["replayed"]["id"] == alerts[0]


def test_an_alert_is_not_found_in_another_recording(stored: tuple[str, list[str]]) -> None:
    url, alerts = stored
    done = replay(OTHER, url, "--alert", alerts[0])
    assert (done.exit_code, json.loads(done.stdout)["reproduced"]) == (1, False)


def test_recordings_of_another_car_and_unknown_alerts_are_refused(stored: tuple[str, list[str]]) -> None:
    url, alerts = stored
    with pytest.raises(InputError, match="of the alert's vehicle"):
        replay(LOG, url, "--alert", alerts[0], vin="LTESTPTR0T0000006")
    with pytest.raises(InputError, match="no alert 'nonsense'"):
        replay(LOG, url, "--alert", "nonsense")
