"""What Alembic runs to migrate: on the connection and in the transaction that `storage.database` has opened. Configures no logging."""

from __future__ import annotations

from alembic import context

from storage.database import VERSION_TABLE
from storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
