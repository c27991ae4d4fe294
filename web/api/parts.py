"""`/api/v1/parts`: stock at dealers, and what is kept, fetched and ordered for which order."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, Field

from domain.parts import LotState, PartLot, StockLevel
from notifier.parts.demand import HORIZONS, demand_json
from notifier.parts.documents import lot_json, stock_json
from notifier.parts.holds import receive_lot
from notifier.parts.planning import forecast_demand
from web.api.access import Caller, OrderMover, OrderReader
from web.api.orders import seen_version
from web.api.paging import Limit, Offset, page
from web.api.problems import Problem
from web.api.service import Served

router = APIRouter(prefix="/api/v1/parts", tags=["parts"])
Name = Annotated[str, Field(max_length=64)]


class CountRequest(BaseModel, extra="forbid", json_schema_extra={"examples": [{"quantity": 4}]}):
    """How many pieces lie on the shelf, those kept for orders among them."""

    quantity: Annotated[int, Field(ge=0, le=1_000_000)]


@router.get("/stock")
def list_stock(
    service: Served,
    caller: OrderReader,
    dealer: str | None = None,
    part: str | None = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> dict[str, Any]:
    """Pieces on shelves by dealer and part. A dealer's key is given that dealer's own."""
    found = service.store.stock(dealer=_own(caller, dealer), part=part)[offset : offset + limit + 1]
    return page("stock", found, [stock_json(level) for level in found], limit=limit, offset=offset)


@router.put(
    "/stock/{dealer_id}/{part}",
    responses={
        404: {"description": "no such dealer"},
        412: {"description": "changed meanwhile; `version` is the one to look at"},
    },
)
def count_stock(
    dealer_id: str,
    part: Annotated[str, Field(max_length=64)],
    request: CountRequest,
    service: Served,
    response: Response,
    caller: OrderMover,
    if_match: Annotated[str | None, Header(description="the version that was seen, 0 for a part that was never there")] = None,
) -> dict[str, Any]:
    """Note a count. It fails where stock was kept, used or counted since the version that was seen."""
    _own(caller, dealer_id)
    expected = seen_version(if_match)
    if all(dealer.id != dealer_id for dealer in service.store.dealers()):
        raise Problem(404, "dealer_unknown", "There is no dealer of this id.")
    if not service.store.count_stock(dealer_id, part, request.quantity, expected):
        (level,) = service.store.stock(dealer=dealer_id, part=part) or (StockLevel(dealer=dealer_id, part=part),)
        raise Problem(
            412, "version_conflict", f"The stock has changed meanwhile: look at version {level.version}.", version=level.version
        )
    (level,) = service.store.stock(dealer=dealer_id, part=part)
    response.headers["ETag"] = f'"{level.version}"'
    return stock_json(level)


@router.get("/lots")
def list_lots(
    service: Served,
    caller: OrderReader,
    order: str | None = None,
    dealer: str | None = None,
    state: Annotated[list[LotState] | None, Query()] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> dict[str, Any]:
    """What is kept for orders and where it comes from: those on a shelf first, then by the time at which they are expected."""
    found = service.store.part_lots(order=order, dealer=_own(caller, dealer), state=state, limit=limit + 1, offset=offset)
    now_ns = service.clock()
    return page("lots", found, [lot_json(lot, now_ns) for lot in found], limit=limit, offset=offset)


@router.post(
    "/lots/{lot_id}/receive",
    responses={404: {"description": "no such lot"}, 409: {"description": "it is not awaited (any more)"}},
)
def receive(lot_id: str, service: Served, caller: OrderMover) -> dict[str, Any]:
    """The pieces have come to the order's dealer: they are kept there, and an order that waited for nothing else goes on."""
    lot = service.store.part_lot(lot_id)
    if lot is None or caller.dealer not in ("", lot.dealer):
        raise Problem(404, "lot_unknown", "There is no lot of this id.")
    if not receive_lot(service.store, lot, service.clock()):
        raise Problem(409, "lot_not_awaited", "The pieces are not awaited (any more).", state=_now(service, lot).state.value)
    return lot_json(_now(service, lot), service.clock())


@router.get("/forecast")
def show_forecast(
    service: Served,
    caller: OrderReader,
    days: Annotated[int, Query(ge=HORIZONS[0], le=HORIZONS[1])] = 30,
    level: Annotated[float, Query(ge=0.5, le=0.999)] = 0.9,
    dealer: str | None = None,
) -> dict[str, Any]:
    """Pieces that each dealer will need within so many days, with an interval, from predicted failures and due maintenance."""
    wanted = _own(caller, dealer)
    found = forecast_demand(service.store, service.schedule_of, horizon_days=days, level=level, now_ns=service.clock())
    return {
        "days": days,
        "level": level,
        "demand": [demand_json(each) for each in found if wanted in (None, each.dealer)],
    }


def _now(service: Served, lot: PartLot) -> PartLot:
    return service.store.part_lot(lot.id) or lot


def _own(caller: Caller, dealer: str | None) -> str | None:
    """The dealer whose parts are asked for; of a dealer's key its own only."""
    if caller.dealer and dealer not in (None, caller.dealer):
        raise Problem(403, "other_dealer", f"This key is of dealer {caller.dealer!r} only.")
    return caller.dealer or dealer
