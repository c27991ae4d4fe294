"""What was done, from the orders that did it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from domain.care import Completion
from domain.orders import Order, OrderKind
from notifier.orders.order_states import OrderState

DONE_STATES = frozenset({OrderState.SETTLED, OrderState.CLOSED})
DAY_NS = 86_400 * 1_000_000_000


def completions_of(
    order: Order, states: Collection[str], items_of_operation: Mapping[str, Sequence[str]]
) -> tuple[Completion, ...]:
    """The care items that this order did, by id: none unless it was settled after work on it had begun.

    Args:
        order: as stored.
        states: every state that it went through.
        items_of_operation: operation -> ids of the items that it does.
    """
    worked = order.kind is OrderKind.SERVICE and order.state in DONE_STATES and OrderState.IN_PROGRESS in states
    if not worked:
        return ()
    lines = [line for line in order.recommendation.plan if not line.optional]
    items = sorted({item for line in lines for item in items_of_operation.get(line.operation, ())})
    day = order.updated_ns // DAY_NS
    return tuple(Completion(id=f"{order.id}:{item}", vehicle=order.vehicle, item=item, day=day) for item in items)
