"""An alert whose data is old never starts stop wording, a tow or a message to the owner by itself: it asks a person.

The vehicle may stand elsewhere, be repaired, or have been driven on for hours; telling its driver to stop would be wrong.
"""

from __future__ import annotations

from dataclasses import replace

from domain.findings import Alert, AlertState, Recommendation, Text, Urgency
from domain.records import VehicleCase
from domain.standing import Review

_ADVICE = Text(
    en="The data behind this warning was old when it arrived. A person checks how the vehicle is before anything is started.",
    zh="该告警所依据的数据到达时已过时，需由人工确认车辆现状后再处理。",
)


def reviewed(recommendation: Recommendation, case: VehicleCase) -> Recommendation:
    """The recommendation as it may go out: toned down and marked for a person where nothing recent stands behind it.

    One alert of the incident whose data came in time is enough to let it through. What asks for neither a stop, a tow nor the
    owner is let through anyway.
    """
    open_alerts = [
        alert
        for alert in case.alerts
        if alert.incident_id == recommendation.incident_id and alert.state is not AlertState.RESOLVED and not alert.standing.holds
    ]
    if not open_alerts or not all(_is_old(alert) for alert in open_alerts) or not _is_strong(recommendation):
        return recommendation
    return replace(
        recommendation,
        review=Review.OLD_DATA,
        urgency=min(recommendation.urgency, Urgency.TODAY),
        action="dealer",
        drive="limited" if recommendation.drive == "no" else recommendation.drive,
        urgency_reason=_ADVICE,
        advice=_ADVICE,
    )


def _is_old(alert: Alert) -> bool:
    return alert.standing.review is Review.OLD_DATA


def _is_strong(recommendation: Recommendation) -> bool:
    return (
        recommendation.urgency is Urgency.STOP or recommendation.drive == "no" or recommendation.action in ("roadside", "owner")
    )
