"""Papers (`domain.papers`) in the database."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, select
from sqlalchemy.sql.elements import ColumnElement

from domain.live import FeedEvent
from domain.papers import PAPER_KINDS, Paper
from domain.records import OutboxEvent
from storage import schema
from storage.record_json import to_json
from storage.sql_base import first, insert, parse, replace_rows, transaction
from storage.sql_outbox import SqlOutbox

P = TypeVar("P", bound=Paper)
_TABLE = schema.paper


class SqlPapers(SqlOutbox):
    """Asked by order, vehicle, state and due time; changed by comparing with what was seen."""

    def save_papers(self, papers: Iterable[Paper]) -> None:
        """Add or replace."""
        with transaction(self._writes) as connection:
            write_papers(connection, papers)

    def change_paper(
        self,
        before: Paper | None,
        after: Paper,
        *,
        beside: Iterable[Paper] = (),
        outbox: Iterable[OutboxEvent] = (),
        events: Iterable[FeedEvent] = (),
    ) -> bool:
        """Put `after` in the place of `before`, and write what goes with it, in one transaction.

        Args:
            before: as it was seen; None = there is none yet. beside: further papers, added or replaced. events: for the
                feed.

        Returns:
            False where it is not as it was seen; nothing is stored then.
        """
        with transaction(self._writes) as connection:
            row = paper_row(after)
            if before is None:
                absent = insert(connection, _TABLE).values(row).on_conflict_do_nothing(index_elements=["kind", "id"])
                # what was inserted, not how many rows: PostgreSQL's driver does not always say
                if connection.execute(absent.returning(_TABLE.c.id)).scalar() is None:
                    return False
            else:
                found = connection.execute(_one(row["kind"], after.id).with_for_update()).mappings().first()
                if found is None or found["document"] != to_json(before):
                    return False
                replace_rows(connection, _TABLE, [row])
            write_papers(connection, beside)
            self._write_pushes(connection, outbox)
            self._append_events(connection, events)
        return True

    def paper(self, kind: type[P], identifier: str) -> P | None:
        """One paper."""
        return first(parse(kind, self._fetch(_one(PAPER_KINDS[kind], identifier))))

    def papers(
        self,
        kind: type[P],
        *,
        order: str | None = None,
        vehicle: str | None = None,
        state: str | Collection[str] | None = None,
        due_by_ns: int | None = None,
        newest_first: bool = False,
        limit: int | None = None,
        offset: int = 0,
    ) -> tuple[P, ...]:
        """Papers of one kind by (created_ns, id); `due_by_ns`: those due then or before."""
        wanted: list[ColumnElement[bool]] = [_TABLE.c.kind == PAPER_KINDS[kind]]
        wanted += [_TABLE.c.order == order] if order is not None else []
        wanted += [_TABLE.c.vehicle == vehicle] if vehicle is not None else []
        wanted += [_TABLE.c.due_ns <= due_by_ns] if due_by_ns is not None else []
        if state is not None:
            wanted.append(_TABLE.c.state.in_([state] if isinstance(state, str) else sorted(state)))
        sequence = (_TABLE.c.created_ns, _TABLE.c.id)
        ordered = [column.desc() for column in sequence] if newest_first else sequence
        query = select(_TABLE.c.document).where(*wanted).order_by(*ordered).limit(limit).offset(offset)
        return parse(kind, self._fetch(query))


def _one(kind: str, identifier: str) -> Select[Any]:
    return select(_TABLE.c.document).where(_TABLE.c.kind == kind, _TABLE.c.id == identifier)


def paper_row(paper: Paper) -> dict[str, Any]:
    """Row of `paper`."""
    return {
        "kind": PAPER_KINDS[type(paper)],
        "id": paper.id,
        "order": paper.order,
        "vehicle": paper.vehicle,
        "state": str(paper.state),
        "due_ns": paper.due_ns,
        "created_ns": paper.created_ns,
        "document": to_json(paper),
    }


def write_papers(connection: Connection, papers: Iterable[Paper]) -> None:
    """Add or replace within a transaction."""
    replace_rows(connection, _TABLE, [paper_row(paper) for paper in papers])
