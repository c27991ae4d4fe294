"""`pitcall keys`: a key is shown once, and its hash is all that is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.cli import cli
from domain.errors import InputError
from domain.fleet import DEVELOPMENT_KEY
from storage.database import open_store
from tests.storage import examples
from web.api.access import key_hash


@pytest.fixture
def url(tmp_path: Path) -> str:
    made = f"sqlite:///{tmp_path / 'keys.sqlite3'}"
    with open_store(made, key=DEVELOPMENT_KEY) as store:
        store.save_dealers([examples.dealer("SH-001")])
    return made


def keys(url: str, *words: str) -> Result:
    return CliRunner().invoke(cli, ["keys", *words, "--database", url], env={"PITCALL_PSEUDONYM_KEY": ""})


def made(url: str, *words: str) -> Any:
    result = keys(url, "add", *words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_key_is_shown_once_and_only_its_hash_is_stored(url: str, tmp_path: Path) -> None:
    document = made(url, "wall display", "--scope", "read", "--scope", "orders")
    with open_store(url, key=DEVELOPMENT_KEY) as store:
        found = store.api_key(key_hash(document["key"]))
    assert found is not None
    assert (found.name, found.scopes, found.hash[:12]) == ("wall display", ("read", "orders"), document["id"])
    listed = keys(url, "list")
    assert document["id"] in listed.stdout
    assert document["key"] not in listed.output
    assert not any(document["key"].encode() in file.read_bytes() for file in tmp_path.iterdir())


def test_the_key_alone_is_on_standard_output(url: str) -> None:
    result = keys(url, "add", "wall", "--scope", "read")
    (key,) = result.stdout.splitlines()
    with open_store(url, key=DEVELOPMENT_KEY) as store:
        assert store.api_key(key_hash(key)) is not None


def test_a_revoked_key_is_gone(url: str) -> None:
    one, other = made(url, "one", "--scope", "admin"), made(url, "other", "--scope", "admin")
    assert keys(url, "revoke", one["id"]).stdout == "revoked: one\n"
    assert [key["id"] for key in json.loads(keys(url, "list", "--json").stdout)] == [other["id"]]


@pytest.mark.parametrize("identifier", ["000000000000", "", "a"])
def test_what_is_not_one_key_is_not_revoked(url: str, identifier: str) -> None:
    made(url, "one", "--scope", "admin")
    result = keys(url, "revoke", identifier)
    assert isinstance(result.exception, InputError)
    assert len(json.loads(keys(url, "list", "--json").stdout)) == 1


def test_a_dealers_key_needs_its_dealer_and_stands_alone(url: str) -> None:
    assert made(url, "Garage", "--scope", "dealer:SH-001")["scopes"] == ["dealer:SH-001"]
    assert isinstance(keys(url, "add", "Garage", "--scope", "dealer:SH-404").exception, InputError)
    for scopes in (("dealer:SH-001", "read"), ("dealer:",), ("write",), ()):
        refused = keys(url, "add", "Garage", *(word for scope in scopes for word in ("--scope", scope)))
        assert refused.exit_code == 2, scopes
        assert "--scope" in refused.output
