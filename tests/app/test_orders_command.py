"""`pitcall orders` and its commands."""

from __future__ import annotations

import dataclasses
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


@pytest.fixture
def visit(tmp_path: Path) -> str:
    """A service order that is offered."""
    url = f"sqlite:///{tmp_path / 'visit.sqlite3'}"
    order = dataclasses.replace(examples.order(), kind=OrderKind.SERVICE)
    with open_store(url, key=DEVELOPMENT_KEY) as store:
        store.save_dealers([examples.dealer()])
        store.commit(Commit(cases=(VehicleCase(vehicle=examples.CAR, orders=(order,)),)))
    return url


def test_an_order_is_shown_booked_moved_and_missed_from_the_terminal(visit: str) -> None:
    where = ("--database", visit)

    def told(*words: str) -> str:
        code, said = run(*words, *where)
        assert code == 0, said
        return said

    assert "may now: accept, decline" in told("show", "order")
    assert "accepted" in told("accept", "order", "--reason", "free", "--as", "Li")
    free = told("slots", "order", "--limit", "3").split()
    assert len(free) == 3
    assert f"{free[1][:16]}Z  CONFIRMED" in told("schedule", "order", "--slot", free[1])
    assert f"{free[2][:16]}Z  asked for instead" in told("suggest", "order", "--slot", free[2])
    assert "no_show" in told("miss", "order")
    document = json.loads(told("schedule", "order", "--slot", free[2], "--json"))
    assert document["order"]["data"]["slots"][0]["status"] == "CONFIRMED"
    assert "offered -> accepted" in told("history", "order")
    assert "accept by Li (free)" in told("history", "order")


def test_what_cannot_be_is_refused_in_one_line_that_says_what_can(visit: str) -> None:
    for words, clause in (
        (("settle", "order"), "allowed: accept, decline"),
        (("dispatch", "nothing"), "there is no order nothing"),
        (("schedule", "order", "--slot", "soon"), "--slot"),
    ):
        result = CliRunner().invoke(cli, ["orders", *words, "--database", visit])
        assert result.exit_code != 0
        assert clause in str(result.exception), words
