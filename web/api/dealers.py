"""`/api/v1/dealers`: the network that orders are offered to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fastapi import APIRouter

from domain.fleet import Dealer
from notifier.dealers.dealer_row import DealerRow, iso_date
from notifier.push.messages import text_json
from web.api.access import Integrator, Reader
from web.api.problems import Problem
from web.api.service import Served

router = APIRouter(prefix="/api/v1/dealers", tags=["dealers"])


@router.get("")
def list_dealers(service: Served, _caller: Reader) -> dict[str, Any]:
    """All dealers; how they are reached and which secret they hold is not told."""
    return {"dealers": [_dealer_json(dealer) for dealer in service.store.dealers()]}


@router.get("/{dealer_id}")
def show_dealer(dealer_id: str, service: Served, _caller: Reader) -> dict[str, Any]:
    """One dealer."""
    for dealer in service.store.dealers():
        if dealer.id == dealer_id:
            return _dealer_json(dealer)
    raise Problem(404, "dealer_unknown", "There is no dealer of this id.")


@router.put("/{dealer_id}")
def put_dealer(dealer_id: str, request: DealerRow, service: Served, _caller: Integrator) -> dict[str, Any]:
    """Add or replace a dealer, in the words of the dealer table; counts may be objects (`{"PC-PUMP": 1}`), lists arrays of texts.

    Without an endpoint it keeps the one that it has. Orders that stand are not moved; choices from now on see it as it is here.
    """
    if request.id != dealer_id:
        raise Problem(422, "dealer_id", "The id in the body is not that of the address.")
    dealer = request.dealer()
    known = next((each for each in service.store.dealers() if each.id == dealer_id), None)
    if known is not None and not dealer.endpoint:
        dealer = replace(dealer, endpoint=known.endpoint, secret_name=dealer.secret_name or known.secret_name)
    service.store.save_dealers([dealer])
    return _dealer_json(dealer)


def _dealer_json(dealer: Dealer) -> dict[str, Any]:
    return {
        "id": dealer.id,
        "name": text_json(dealer.name),
        "location": {"lat": dealer.latitude, "lon": dealer.longitude, "crs": "WGS84"},
        "region": dealer.region,
        "brands": list(dealer.brands),
        "capabilities": list(dealer.capabilities),
        "tier": dealer.tier,
        "bays": dealer.bays or None,
        "technicians": dict(dealer.technicians),
        "capacity_per_day": dealer.capacity_per_day,
        "capacity_on": {iso_date(day): orders for day, orders in dealer.capacity_on},
        "labour_rate": dealer.labour_rate,
        "labour_rates": dict(dealer.labour_rates),
        "currency": dealer.currency,
        "stock": dict(dealer.stock),
        "opens_hour": dealer.opens_hour,
        "closes_hour": dealer.closes_hour,
        "hours": {str(day): [opens, closes] for day, opens, closes in dealer.hours},
        "utc_offset_hours": dealer.utc_offset_hours,
        "days_open": list(dealer.days_open),
        "holidays": [iso_date(day) for day in dealer.holidays],
        "loaners": dealer.loaners,
        "pick_up_km": dealer.pick_up_km,
        "acceptance": dealer.acceptance,
        "nps": dealer.nps,
    }
