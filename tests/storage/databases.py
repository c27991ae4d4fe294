"""Empty databases to test with: always an SQLite file, a PostgreSQL server where one is given."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

POSTGRESQL_URL = "PITCALL_TEST_POSTGRESQL_URL"
"""Environment variable that names a PostgreSQL database whose contents the tests may throw away."""


def fresh_url(kind: str, directory: Path) -> str:
    """URL of an empty database of this kind ("sqlite" or "postgresql"); skips the test where there is no server."""
    if kind == "sqlite":
        return f"sqlite:///{directory / 'pitcall.db'}"
    url = os.environ.get(POSTGRESQL_URL)
    if not url:
        pytest.skip(f"{POSTGRESQL_URL} names no database to test with")
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return url
