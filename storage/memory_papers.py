"""Papers in a dictionary: the same as `storage.sql_papers.SqlPapers`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TypeVar, cast

from domain.live import FeedEvent
from domain.papers import Paper
from domain.records import OutboxEvent
from storage.grouped import Grouped
from storage.memory_views import MemoryViews

P = TypeVar("P", bound=Paper)


class MemoryPapers(MemoryViews):
    """What is written around orders and owners."""

    def __init__(self, clock: Callable[[], int]) -> None:
        super().__init__(clock)
        self._papers: dict[type[Paper], Grouped[Paper]] = {}
        self._papers_of: dict[type[Paper], Grouped[Paper]] = {}

    def save_papers(self, papers: Iterable[Paper]) -> None:
        """Add or replace."""
        for paper in papers:
            self._papers.setdefault(type(paper), Grouped(lambda known: str(known.state))).put(paper.id, paper)
            self._papers_of.setdefault(type(paper), Grouped(lambda known: known.order)).put(paper.id, paper)

    def change_paper(
        self,
        before: Paper | None,
        after: Paper,
        *,
        beside: Iterable[Paper] = (),
        outbox: Iterable[OutboxEvent] = (),
        events: Iterable[FeedEvent] = (),
    ) -> bool:
        """Put `after` in the place of `before`, and write what goes with it; False where it is not as it was seen."""
        if self.paper(type(after), after.id) != before:
            return False
        self.save_papers([after, *beside])
        self._write_outbox(outbox)
        self._append_events(events)
        return True

    def paper(self, kind: type[P], identifier: str) -> P | None:
        """One paper."""
        known = self._papers.get(kind)
        return None if known is None else cast("P | None", known.get(identifier))

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
        if kind not in self._papers:
            return ()
        states = None if state is None else {state} if isinstance(state, str) else set(state)
        looked_at = self._papers[kind].values(states) if order is None else self._papers_of[kind].values(order)
        found = [
            paper
            for paper in cast("list[P]", list(looked_at))
            if (vehicle is None or paper.vehicle == vehicle)
            and (states is None or str(paper.state) in states)
            and (due_by_ns is None or paper.due_ns <= due_by_ns)
        ]
        found.sort(key=lambda paper: (paper.created_ns, paper.id), reverse=newest_first)
        return tuple(found[offset:] if limit is None else found[offset : offset + limit])
