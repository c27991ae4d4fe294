"""Alembic's migration scripts, run by `storage.database.open_store`."""
