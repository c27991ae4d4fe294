"""`/api/v1/kpis`."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from notifier.kpis.report import report_json
from web.api.access import OrderReader
from web.api.problems import Problem
from web.api.service import Served
from web.kpis import DEFAULT_WEEKS, MOST_WEEKS

router = APIRouter(prefix="/api/v1", tags=["orders"])


@router.get("/kpis")
def show_kpis(
    service: Served,
    caller: OrderReader,
    weeks: Annotated[int, Query(ge=1, le=MOST_WEEKS, description="so many, the running one included")] = DEFAULT_WEEKS,
    region: Annotated[str, Query(max_length=200, description="a region with all below it", examples=["cn/shanghai"])] = "",
    dealer: Annotated[str, Query(max_length=100, examples=["SH-014"])] = "",
) -> dict[str, Any]:
    """Key figures of the work, each with the number of cases and a 95 % interval: over the stretch and by week, of all, by region and
    by dealer; and how often each rule, model and code was right. A dealer's key is given the figures of that dealer.
    """
    if caller.dealer and dealer not in ("", caller.dealer):
        raise Problem(403, "other_dealer", f"This key is of dealer {caller.dealer!r} only.")
    sources = service.kpis.get(service.store, service.clock)
    document = report_json(
        sources.report(weeks=weeks, utc_offset_hours=service.utc_offset_hours, region=region, dealer=caller.dealer or dealer)
    )
    return document | {"sources": []} if caller.dealer else document
