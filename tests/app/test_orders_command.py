"""`pitcall orders history|kpis|verify|diagram`."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import cli
from domain.fleet import DEVELOPMENT_KEY
from domain.orders import OrderKind
from domain.records import Commit, VehicleCase
from notifier.orders.order_diagram import mermaid
from storage.database import open_store
from tests.storage import examples

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "orders.md"


@pytest.fixture
def database(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'a.sqlite3'}"
    with open_store(url, key=DEVELOPMENT_KEY) as store:
        store.commit(Commit(cases=(VehicleCase(vehicle=examples.CAR, orders=(examples.order(),)),)))
        store.change_order(examples.order(version=2, state="accepted"), 1)
    return url


def run(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["orders", *words])
    return result.exit_code, result.stdout


def test_the_history_of_an_order_is_told_by_the_beginning_of_its_id(database: str) -> None:
    code, said = run("history", "order", "--database", database)
    assert code == 0
    first, second = (line.split() for line in said.splitlines())
    assert first[1:3] == ["v1", "offered"]
    assert second[1:5] == ["v2", "offered", "->", "accepted"]
    assert run("history", "none", "--database", database)[0] != 0


def test_a_chain_that_was_broken_is_told_and_exits_1(database: str) -> None:
    code, said = run("verify", "--database", database, "--json")
    assert (code, json.loads(said)["entries"]) == (0, 2)
    with sqlite3.connect(database.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE order_audit SET actor = 'nobody' WHERE number = 1")
    connection.close()
    code, said = run("verify", "--database", database)
    assert (code, "entry 1 of 2" in said) == (1, True)


def test_key_figures_are_told_in_lines_and_as_json(database: str) -> None:
    code, said = run("kpis", "--database", database, "--json")
    assert code == 0
    assert json.loads(said)["total"]["order_age"]["count"] == 1
    code, said = run("kpis", "--database", database, "--weeks", "1")
    assert (code, "order_age" in said) == (0, True)


@pytest.mark.parametrize("kind", OrderKind)
def test_the_pictures_in_the_guide_are_those_of_the_tables(kind: OrderKind) -> None:
    assert run("diagram", "--kind", kind.value) == (0, mermaid(kind) + "\n")
    assert f"```mermaid\n{mermaid(kind)}\n```" in GUIDE.read_text(encoding="utf-8")
