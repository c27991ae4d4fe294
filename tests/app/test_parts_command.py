"""`pitcall parts`: stock and lots from the terminal."""

from __future__ import annotations

import csv
import json
import time
from pathlib import Path

from click.testing import CliRunner, Result

from app.cli import cli
from app.settings import read_settings
from app.stores import open_database
from domain.fleet import VaultEntry, Vehicle
from domain.records import Commit, VehicleCase
from notifier.parts.supply import DAY_NS
from tests.notifier.parts.making import order_for, shop
from tests.notifier.parts.test_demand import risk


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, ["parts", *words])


def test_what_is_kept_is_listed_and_what_comes_is_received(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'p.db'}"
    with open_database(url, read_settings({})) as store:
        store.save_dealers([shop("here", 0, PUMP=1)])
        store.commit(Commit(cases=(VehicleCase(vehicle="v1", orders=(order_for({"PUMP": 2}),)),)))
    (level,) = json.loads(run("stock", "--database", url, "--json").stdout)
    assert (level["quantity"], level["reserved"]) == (1, 1)
    assert "1 kept for orders" in run("stock", "--database", url).stdout
    (lot,) = json.loads(run("lots", "--state", "on_order", "--order", "order", "--database", url, "--json").stdout)
    assert "from supplier" in run("lots", "--database", url).stdout
    assert "order order-1 is accepted" in run("receive", lot["id"][:8], "--database", url).stdout
    assert run("receive", lot["id"], "--database", url).exception is not None
    assert run("receive", "zz", "--database", url).exception is not None


def test_tables_of_ones_own_are_checked(tmp_path: Path) -> None:
    table = tmp_path / "s.csv"
    table.write_text("part,successor,source\nA,B,bulletin\n", encoding="utf-8")
    assert "1 parts have a successor" in run("check", "--supersessions", str(table)).stdout
    table.write_text("part,successor,source\nA,A,bulletin\n", encoding="utf-8")
    assert "s.csv:2" in str(run("check", "--supersessions", str(table)).exception)


def test_a_forecast_is_printed_and_written_as_a_table(tmp_path: Path) -> None:
    url, out = f"sqlite:///{tmp_path / 'p.db'}", tmp_path / "demand.csv"
    with open_database(url, read_settings({})) as store:
        store.save_dealers([shop("here", 0)])
        store.register([(Vehicle(id="v1", chosen_dealer="here"), VaultEntry(vehicle="v1", vin="V"))])
        store.save_assessments([risk("v1", 0.5, day=time.time_ns() // DAY_NS)])
    told = json.loads(run("forecast", "--days", "30", "--out", str(out), "--database", url, "--json").stdout)
    assert [(row["part"], row["high"], row["short"]) for row in told] == [("PC-COOLANT", 1, 1), ("PC-WATER-PUMP", 1, 1)]
    with out.open(encoding="utf-8") as stream:
        assert [row["part"] for row in csv.DictReader(stream)] == ["PC-COOLANT", "PC-WATER-PUMP"]
    assert "0 to    1" in run("forecast", "--dealer", "here", "--database", url).stdout
    assert run("forecast", "--out", str(tmp_path / "no" / "x.csv"), "--database", url).exception is not None
