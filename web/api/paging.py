"""Paging of lists: `limit` and `offset` in the query, `next_offset` in the answer (null on the last page)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Query

T = TypeVar("T")
MOST = 500

Limit = Annotated[int, Query(ge=1, le=MOST, description="how many at most")]
Offset = Annotated[int, Query(ge=0, description="how many to pass over")]


def page(name: str, found: Sequence[T], documents: Sequence[Any], *, limit: int, offset: int) -> dict[str, Any]:
    """One page of a list. `found` was asked for with one more than `limit`, which tells whether there is another page."""
    return {name: list(documents[:limit]), "next_offset": offset + limit if len(found) > limit else None}
