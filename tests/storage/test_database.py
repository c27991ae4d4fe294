from __future__ import annotations

import importlib.util
import logging
import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

import storage
from domain.errors import StorageError
from domain.records import Commit
from storage import schema
from storage.database import VERSION_TABLE, open_store
from tests.storage import examples
from tests.storage.databases import fresh_url
from tests.storage.examples import CAR, KEY, VIN


def url_of(file: Path) -> str:
    return f"sqlite:///{file}"


def test_a_relative_file_is_made_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    open_store("sqlite:///fleet.db", key=KEY).close()
    assert (tmp_path / "fleet.db").is_file()


def test_what_was_committed_is_there_after_opening_again(tmp_path: Path) -> None:
    with open_store(url_of(tmp_path / "a.db"), key=KEY) as store:
        store.commit(examples.everything())
    with open_store(url_of(tmp_path / "a.db"), key=KEY) as store:
        assert store.case(CAR) == examples.everything().cases[0]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_migrations_make_exactly_the_schema(kind: str, tmp_path: Path) -> None:
    with open_store(fresh_url(kind, tmp_path), key=KEY) as store, store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": True})
        assert compare_metadata(context, schema.metadata) == []


def test_commits_are_durable_and_readers_do_not_block(tmp_path: Path) -> None:
    with open_store(url_of(tmp_path / "a.db"), key=KEY) as store, store._writes.begin() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert store.orders() == ()  # while a write transaction is open


def test_opening_prints_nothing_and_leaves_logging_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    handlers, level = list(logging.getLogger().handlers), logging.getLogger().level
    open_store(url_of(tmp_path / "a.db"), key=KEY).close()
    assert capfd.readouterr() == ("", "")
    assert (logging.getLogger().handlers, logging.getLogger().level) == (handlers, level)
    assert logging.getLogger("alembic").level == logging.NOTSET


def refusal(url: str, key: bytes = KEY) -> str:
    with pytest.raises(StorageError) as caught:
        open_store(url, key=key)
    message = str(caught.value)
    assert "\n" not in message
    assert ";" in message  # the mend
    return message


def test_another_pseudonym_key_is_refused(tmp_path: Path) -> None:
    open_store(url_of(tmp_path / "a.db"), key=KEY).close()
    assert "another pseudonym key" in refusal(url_of(tmp_path / "a.db"), key=b"another key")
    open_store(url_of(tmp_path / "a.db"), key=KEY).close()


def test_the_key_cannot_be_read_from_the_database(tmp_path: Path) -> None:
    open_store(url_of(tmp_path / "a.db"), key=KEY).close()
    assert all(KEY not in file.read_bytes() for file in tmp_path.iterdir())


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    open_store(url_of(tmp_path / "a.db"), key=KEY).close()
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    connection.close()
    assert "newer schema 9999" in refusal(url_of(tmp_path / "a.db"))


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("CREATE TABLE alert (text)")
    assert "another program's table 'alert'" in refusal(url_of(tmp_path / "a.db"))
    assert [row[0] for row in connection.execute("SELECT name FROM sqlite_master")] == ["alert"]
    connection.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database " * 100)
    assert "file is not a database" in refusal(url_of(tmp_path / "notes.txt"))


def test_a_directory_that_is_missing_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "missing" / "a.db") in refusal(url_of(tmp_path / "missing" / "a.db"))


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://fleet:s3cret@127.0.0.1:1/pitcall", "pitcall on 127.0.0.1:1"),
        ("postgresql://127.0.0.1:1/pitcall?password=s3cret&user=fleet", "pitcall on 127.0.0.1:1"),
        ("mysql://fleet:s3cret@127.0.0.1/pitcall", "'mysql' are not supported"),
        ("fleet:s3cret", "cannot be understood"),
        ("postgresql://fleet:s3cret@127.0.0.1:port/pitcall", "cannot be understood"),
        ("sqlite://", "name a file"),
        ("sqlite:///:memory:", "name a file"),
        ("sqlite:///a.db?s3cret=1&timeout=soon", "a.db"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_without_its_password(url: str, words: str) -> None:
    message = refusal(url)
    assert words in message
    assert "s3cret" not in message


def test_personal_data_lies_in_the_vault_table_only(tmp_path: Path) -> None:
    with open_store(url_of(tmp_path / "a.db"), key=KEY) as store:
        store.register([(examples.vehicle(), examples.vault())])
        store.commit(examples.everything())
    connection = sqlite3.connect(tmp_path / "a.db")
    holding = {
        table
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        for row in connection.execute(f"SELECT * FROM {table}")
        if any(secret in str(row) for secret in (VIN, "王芳", "138 0000", "wang@example.com"))
    }
    connection.close()
    assert holding == {"vault"}


def test_a_failing_statement_shows_no_personal_data(tmp_path: Path) -> None:
    with open_store(url_of(tmp_path / "a.db"), key=KEY) as store:
        with store._writes.begin() as connection:
            connection.exec_driver_sql("DROP TABLE vault")
        with pytest.raises(StorageError) as caught:
            store.register([(examples.vehicle(), examples.vault())])
        causes = f"{caught.value} {caught.value.__cause__}"
        assert VIN not in causes
        assert "王芳" not in causes
        assert store.vehicle(CAR) is None  # the vehicle row went with it


def open_and_commit(url: str, barrier: object, failures: object) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    try:
        with open_store(url, key=KEY) as store:
            store.commit(examples.everything())
    except StorageError as problem:
        failures.put(str(problem))  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_processes_that_open_a_new_database_together_migrate_it_once(kind: str, tmp_path: Path) -> None:
    url = fresh_url(kind, tmp_path)
    context = multiprocessing.get_context("fork")
    barrier, failures = context.Barrier(4), context.SimpleQueue()
    processes = [context.Process(target=open_and_commit, args=(url, barrier, failures)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert failures.empty(), failures.get()
    with open_store(url, key=KEY) as store:
        assert store.orders() == examples.everything().cases[0].orders


def test_a_copy_installed_in_a_read_only_tree_migrates(tmp_path: Path) -> None:
    tree = tmp_path / "site"
    root = Path(storage.__file__).parents[1]
    for package in ("domain", "storage"):
        shutil.copytree(root / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    for folder, _, _ in os.walk(tree):
        Path(folder).chmod(0o555)
    code = "import storage.database as d; d.open_store('sqlite:///copy.db', key=b'k').close(); print(d.__file__)"
    try:
        run = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(tree)},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        for folder, _, _ in os.walk(tree):
            Path(folder).chmod(0o755)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.startswith(str(tree))


def test_a_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    assert importlib.util.find_spec("storage") is not None
    assert "install pitcall[postgresql]" in refusal("postgresql://fleet@127.0.0.1:1/pitcall")


def test_a_commit_of_nothing_is_fine(tmp_path: Path) -> None:
    with open_store(url_of(tmp_path / "a.db"), key=KEY) as store:
        store.commit(Commit())
