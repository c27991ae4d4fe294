"""An owner's own wish for a visit as a recommendation, so that it becomes an order by the same way as a reminder or an alert."""

from __future__ import annotations

from domain.findings import PlanLine, Recommendation, Text, Urgency
from domain.tickets import Ticket
from notifier.identity import care_incident_id
from notifier.orders.consent_gate import CARE_GROUP


def wished_visit(ticket: Ticket, time_ns: int) -> Recommendation:
    """What the owner asks for: the workshop looks at it and quotes what it finds.

    The owner's own words stay on the ticket: they may name what a dealer that has not accepted must not know.

    Args:
        time_ns: of the decision.
    """
    title = Text(en="Visit that the owner asks for", zh="车主预约进店")
    return Recommendation(
        incident_id=care_incident_id(ticket.id),
        vehicle=ticket.vehicle,
        group_key=CARE_GROUP,
        time_ns=time_ns,
        title=title,
        urgency=Urgency.NEXT,
        urgency_reason=Text(en="the owner has asked for it", zh="应车主要求"),
        action="dealer",
        drive="ok",
        safety="none",
        advice=Text(en="The owner's words stand on the ticket.", zh="车主的说明见待办事项。"),
        causes=(),
        checks=(),
        plan=(PlanLine(line=1, operation="inspect-as-asked", description=title, labour_hours="0.3"),),
        alerts=(),
    )
