"""What stands on an alert's page beside the alert: what holds it back, what people said of it, and what they may do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from domain.findings import Alert, AlertState
from domain.fleet import Vehicle
from domain.silences import AlertLabel, Silence
from domain.standing import Hold, Review
from web.api.evidence import held_codes, window
from web.api.ports import WebStore
from web.pages import desk_words


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldView:
    """Why the alert starts no order: the alert that explains it, or the silence (None where it is over or not known)."""

    kind: Hold
    parent: Alert | None = None
    silence: Silence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """All of it.

    Attributes:
        remarks: keys of `desk_words.REMARKS`. silences: those that concern the alert now, or will. verdicts: latest first.
        codes: trouble codes that were held when the alert opened. window_ns: of the signal history.
    """

    alert: Alert
    vehicle: Vehicle
    holds: tuple[HoldView, ...]
    remarks: tuple[str, ...]
    silences: tuple[Silence, ...]
    verdicts: tuple[AlertLabel, ...]
    codes: tuple[Alert, ...]
    window_ns: tuple[int, int]
    scopes: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Something may still come of it."""
        return self.alert.state is not AlertState.RESOLVED


def gather_desk(store: WebStore, alert: Alert, vehicle: Vehicle, now_ns: int) -> Desk:
    """What the page shows beside the alert; `now_ns` is wall time."""
    silences = [
        each
        for each in store.silences(ending_after_ns=now_ns)
        if each.ended_ns is None and each.matches(alert) and each.concerns(vehicle, max(now_ns, each.starts_ns))
    ]
    return Desk(
        alert=alert,
        vehicle=vehicle,
        holds=tuple(_holds(store, alert)),
        remarks=tuple(_remarks(alert)),
        silences=tuple(silences),
        verdicts=tuple(sorted(store.labels(alert.id), key=lambda label: label.created_ns, reverse=True)),
        codes=held_codes(store.case(alert.vehicle), alert),
        window_ns=window(alert),
        scopes=tuple(scope for scope in desk_words.SCOPES if scope != "model" or vehicle.model),
    )


def _holds(store: WebStore, alert: Alert) -> Iterator[HoldView]:
    standing = alert.standing
    for kind in standing.holds if alert.state is not AlertState.RESOLVED else ():
        yield HoldView(
            kind=kind,
            parent=store.alert(standing.inhibited_by) if kind is Hold.INHIBITED else None,
            silence=store.silence(standing.silenced_by) if kind is Hold.SILENCED else None,
        )


def _remarks(alert: Alert) -> Iterator[str]:
    if alert.standing.flapping and alert.state is not AlertState.RESOLVED:
        yield "flapping"
    if alert.standing.review is Review.OLD_DATA:
        yield "old_data"
    if alert.state is AlertState.RESOLVED and alert.standing.resolution:
        yield alert.standing.resolution.value
