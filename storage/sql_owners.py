"""A change of owner, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import update

from domain.consents import Consent
from domain.notices import owner_recipient
from domain.owners import Owner
from domain.papers import Paper
from storage import schema
from storage.sql_base import insert_absent, transaction
from storage.sql_consents import consent_row
from storage.sql_papers import SqlPapers, write_papers


class SqlOwners(SqlPapers):
    """What holds for the former owner ends all at once."""

    def change_owner(self, owner: Owner, papers: Iterable[Paper], consents: Iterable[Consent]) -> None:
        """Take the new owner's record, end `papers` of the former one, add statements, and forget whom the vault names.

        Messages to the former owner that have not gone out yet are cancelled.
        """
        outbox, vault = schema.outbox, schema.vault
        nobody = {"owner_name": "", "owner_phone": "", "owner_email": ""}
        unsent = (outbox.c.recipient == owner_recipient(owner.vehicle), outbox.c.state == "pending")
        with transaction(self._writes) as connection:
            connection.execute(update(vault).where(vault.c.vehicle == owner.vehicle).values(nobody))
            connection.execute(
                update(outbox).where(*unsent).values(state="cancelled", last_error="the vehicle has another owner")
            )
            insert_absent(connection, schema.consent, [consent_row(each) for each in consents])
            write_papers(connection, [owner, *papers])
