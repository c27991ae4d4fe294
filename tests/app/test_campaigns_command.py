"""`pitcall campaigns`: segments, a preview and sending."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import cli
from domain.campaigns import Campaign, Invitation
from domain.consents import Consent, ConsentChannel, Purpose
from domain.errors import InputError
from domain.fleet import DEVELOPMENT_KEY, VaultEntry, Vehicle
from storage.database import open_store
from tests.notifier.owners.test_segments import CAMPAIGN
from web.campaigns import CampaignError


def test_a_campaign_is_previewed_and_sent_from_the_terminal(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    with open_store(url, key=DEVELOPMENT_KEY) as store:
        store.register([(Vehicle(id="v1"), VaultEntry(vehicle="v1", vin="V"))])
        store.add_consents([Consent(vehicle="v1", purpose=Purpose.INVITATION, channel=ConsentChannel.SMS, given=True, time_ns=1)])
        store.save_papers([CAMPAIGN])
    run = CliRunner()
    counted = run.invoke(cli, ["campaigns", "segments", "--database", url, "--json"])
    assert json.loads(counted.stdout)["segments"]["never"] == 1
    assert "check" in run.invoke(cli, ["campaigns", "list", "--database", url]).stdout
    shown = json.loads(run.invoke(cli, ["campaigns", "preview", "c", "--database", url, "--json"]).stdout)
    assert (shown["counts"], shown["vehicles"]) == ({"invited": 1}, ["v1"])
    wrong = run.invoke(cli, ["campaigns", "send", "c", "--preview", "x", "--database", url])
    assert isinstance(wrong.exception, CampaignError)
    sent = run.invoke(cli, ["campaigns", "send", "c", "--preview", shown["preview"], "--database", url])
    assert (sent.exit_code, sent.stdout.split()) == (0, ["sent", "1"])
    with open_store(url, key=DEVELOPMENT_KEY) as store:
        assert [each.vehicle for each in store.papers(Invitation)] == ["v1"]
        assert [event.channel for event in store.outbox_events()] == ["log"]
        assert store.papers(Campaign)[0].state == "sent"


@pytest.mark.parametrize("what", ["preview", "send"])
def test_a_campaign_that_is_not_there_is_named(tmp_path: Path, what: str) -> None:
    more = ["--preview", "x"] if what == "send" else []
    found = CliRunner().invoke(cli, ["campaigns", what, "none", "--database", f"sqlite:///{tmp_path / 'a.db'}", *more])
    assert isinstance(found.exception, InputError)
    assert "'none'" in str(found.exception)
