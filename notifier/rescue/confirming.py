"""Whose word sends help, and where to: decided purely, with a named outcome.

Nobody is sent out on a machine's word alone: the driver answers at the vehicle's display, or an agent has spoken with the driver. A
position is used only if it is fresh, and on a basis that is recorded with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from domain.consents import Consent, ConsentBasis, ConsentChannel, ConsentVerdict, Purpose, consent_verdict
from domain.live import VehicleSighting
from domain.orders import Order, OrderKind
from domain.rescue import ConfirmedBy, Position, PositionSource, ReplacementCar, Rescue
from notifier.orders.order_states import OrderState

WAITING = frozenset({OrderState.REQUESTED, OrderState.MANUAL})
"""A rescue that somebody may confirm."""
TELEMETRY_PRECISION_M = 10
"""Of a position in the vehicle's messages (estimate: satellite navigation in the open)."""
TOLD_PRECISION_M = 500
"""Of a position that was told in words, unless somebody says better."""


class ConfirmOutcome(StrEnum):
    """What became of a confirmation."""

    CONFIRMED = "confirmed"
    NOT_WAITING = "not_waiting"
    """It is no rescue, was confirmed before, or has ended."""
    POSITION_UNKNOWN = "position_unknown"
    """Nobody has said where the vehicle is, and what was heard of it is too old: an agent asks."""
    NO_BASIS = "no_basis"
    """The owner has not agreed to the use of the position, and nobody names another basis."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidPosition:
    """(latitude, longitude) WGS84 as the driver's display sent it or an agent was told it, with its precision."""

    location: tuple[float, float]
    precision_m: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """The outcome; `rescue` only where it is CONFIRMED."""

    outcome: ConfirmOutcome
    rescue: Rescue | None = None


def confirm(
    order: Order,
    *,
    by: ConfirmedBy,
    agent: str,
    said: SaidPosition | None,
    sighting: VehicleSighting | None,
    consents: Iterable[Consent],
    stated: ConsentBasis | None,
    now_ns: int,
    fresh_ns: int,
    replacement: ReplacementCar = ReplacementCar.NOT_ASKED,
) -> Confirmation:
    """Somebody says that this vehicle needs help.

    Args:
        agent: who it is, "" for the driver. said: where the vehicle is in their words, None where they say nothing of it.
        sighting: where the vehicle was last heard of. consents: all statements for the vehicle.
        stated: the basis that an agent names (what the driver agreed to on the telephone, or vital interest).
        now_ns: wall time. fresh_ns: a sighting that is older counts for nothing.
    """
    if order.kind is not OrderKind.RESCUE or order.state not in WAITING or order.rescue is not None:
        return Confirmation(outcome=ConfirmOutcome.NOT_WAITING)
    basis = _basis(by, consents, stated, now_ns)
    if basis is None:
        return Confirmation(outcome=ConfirmOutcome.NO_BASIS)
    position = _position(by, said, sighting, basis, now_ns, fresh_ns)
    if position is None:
        return Confirmation(outcome=ConfirmOutcome.POSITION_UNKNOWN)
    rescue = Rescue(confirmed_by=by, confirmed_ns=now_ns, position=position, agent=agent, replacement=replacement)
    return Confirmation(outcome=ConfirmOutcome.CONFIRMED, rescue=rescue)


def _basis(by: ConfirmedBy, consents: Iterable[Consent], stated: ConsentBasis | None, now_ns: int) -> ConsentBasis | None:
    """On which basis the position is used: asking for help where one is, is agreeing to it; else the owner's standing statement."""
    if stated is not None:
        return stated
    if by is ConfirmedBy.DRIVER:
        return ConsentBasis.CONSENT
    known = list(consents)
    match consent_verdict(known, Purpose.LOCATION, ConsentChannel.ORDER, now_ns):
        case ConsentVerdict.OPERATOR:
            return ConsentBasis.CONTRACT
        case ConsentVerdict.GIVEN:
            given = [each for each in known if (each.purpose, each.channel) == (Purpose.LOCATION, ConsentChannel.ORDER)]
            return max(given, key=lambda each: each.time_ns).basis
        case _:
            return None


def _position(
    by: ConfirmedBy,
    said: SaidPosition | None,
    sighting: VehicleSighting | None,
    basis: ConsentBasis,
    now_ns: int,
    fresh_ns: int,
) -> Position | None:
    if said is not None:
        source = PositionSource.DISPLAY if by is ConfirmedBy.DRIVER else PositionSource.AGENT
        return Position(location=said.location, precision_m=said.precision_m, time_ns=now_ns, source=source, basis=basis)
    if sighting is None or sighting.location is None or now_ns - sighting.received_ns > fresh_ns:
        return None
    return Position(
        location=sighting.location,
        precision_m=TELEMETRY_PRECISION_M,
        time_ns=sighting.received_ns,
        source=PositionSource.TELEMETRY,
        basis=basis,
    )
