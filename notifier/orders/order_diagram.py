"""The life cycle of orders as a picture: a Mermaid state diagram made from the table itself."""

from __future__ import annotations

from domain.orders import OrderKind
from notifier.orders.order_states import TABLES, OrderEvent, OrderState


def mermaid(kind: OrderKind) -> str:
    """One line per pair of states, naming the events between them; cancelling, possible nearly everywhere, is a note."""
    table = TABLES[kind]
    lines = ["stateDiagram-v2", f"    [*] --> {next(iter(table)).value}"]
    for state, events in table.items():
        by_target: dict[OrderState, list[str]] = {}
        for event, target in events.items():
            if event is not OrderEvent.CANCEL:
                by_target.setdefault(target, []).append(event.value)
        lines += [f"    {state.value} --> {target.value}: {', '.join(names)}" for target, names in by_target.items()]
        if not events:
            lines.append(f"    {state.value} --> [*]")
    kept = ", ".join(state.value for state, events in table.items() if events and OrderEvent.CANCEL not in events)
    lines += [f"    note left of {OrderState.CANCELLED.value}", f"        cancel: from any state but {kept}", "    end note"]
    return "\n".join(lines)
