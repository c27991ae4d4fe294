"""What the API and the pages ask of a store; `storage.sql_store.SqlStore` and `storage.memory_store.MemoryStore` give it."""

# ruff: noqa: D102 - the names and types are the contract; the stores describe them

from __future__ import annotations

from typing import Protocol

from domain.findings import Alert, Order
from domain.fleet import Dealer, Vehicle
from domain.records import Commit, VehicleCase


class WebStore(Protocol):
    """The database as the web process sees it. Its methods block, and may be called from several threads at once."""

    def close(self) -> None: ...

    def vehicle(self, vehicle: str) -> Vehicle | None: ...

    def vehicles(self) -> tuple[Vehicle, ...]: ...

    def dealers(self) -> tuple[Dealer, ...]: ...

    def case(self, vehicle: str) -> VehicleCase: ...

    def alerts(self) -> tuple[Alert, ...]: ...

    def orders(self) -> tuple[Order, ...]: ...

    def order_states(self, order: str) -> tuple[tuple[int, str], ...]: ...

    def commit(self, changes: Commit) -> None: ...
