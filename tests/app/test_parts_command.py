"""`pitcall parts`: stock and lots from the terminal."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from app.cli import cli
from app.settings import read_settings
from app.stores import open_database
from domain.records import Commit, VehicleCase
from tests.notifier.parts.making import order_for, shop


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
