"""Parts in a running service: who keeps them for orders, and what is looked through by the clock."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from app.settings import Settings
from domain.errors import StorageError
from notifier.dealers.routing_policy import PLAIN_ROUTING, Routing
from notifier.parts.desk import StockDesk
from notifier.parts.holds import review_holds
from notifier.parts.supply import load_supply

if TYPE_CHECKING:
    from storage.sql_store import SqlStore

log = logging.getLogger(__name__)


def parts_desk(settings: Settings, routing: Routing = PLAIN_ROUTING) -> StockDesk:
    """The desk by the tables that the settings name.

    Raises:
        DataFileError: a table is not valid.
    """
    return StockDesk(supply=load_supply(settings.supersessions, settings.lead_times), routing=routing)


def hold_for_parts(store: SqlStore) -> None:
    """One look at the orders that wait for parts, or might."""
    try:
        tally = review_holds(store, time.time_ns())
    except StorageError as problem:
        log.warning("orders that wait for parts could not be looked through: %s", problem)
        return
    if tally.held or tally.resumed:
        log.info("orders wait for parts", extra={"fields": {"held": tally.held, "resumed": tally.resumed}})
