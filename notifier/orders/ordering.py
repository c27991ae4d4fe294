"""From recommendation to service and rescue orders.

An order is made per incident. While it is open it absorbs further incidents of its vehicle that concern the same group or that one
of its incidents explains, and it always says what the latest recommendations of all its incidents say together. Until the vehicle
has come it absorbs other work that can wait, too (`_one_visit`). A vehicle has at most one open rescue order, whatever is wrong.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from domain.consents import Consent
from domain.findings import AlertState, Recommendation, Urgency
from domain.fleet import Dealer, Vehicle
from domain.orders import ManualReason, Order, OrderChange, OrderKind
from domain.records import OutboxEvent, VehicleCase
from notifier.dealers.dealer_choice import DealerNetwork
from notifier.dealers.dealer_needs import DealerDecision, DealerNeeds, DealerOutcome
from notifier.identity import order_id
from notifier.orders.combining import combine
from notifier.orders.consent_gate import CARE_GROUP, standing_consent
from notifier.orders.order_states import AWAITS_OWNER, UNCOMMITTED, OrderEvent, OrderState, is_open
from notifier.push.outbox import order_events

NOT_COME_YET = frozenset({*UNCOMMITTED, OrderState.OFFERED, OrderState.ACCEPTED, OrderState.SCHEDULED})
"""Work may still be added."""
JOINS_WITHIN_NS = {Urgency.NEXT: 60 * 86_400 * 1_000_000_000, Urgency.SOON: 7 * 86_400 * 1_000_000_000}
"""Work of this urgency joins a visit that is booked for within so long; more urgent work joins none."""
MOST_INCIDENTS = 12
"""Of an order, but for those that are open or most urgent."""


UNCONFIRMED = "unconfirmed"
"""Why a rescue waits: neither the driver nor an agent has said that help is needed."""


class OrderNeed(StrEnum):
    """Which orders a recommendation asks for, or why none."""

    NONE_MONITOR = "none_monitor"
    NONE_OWNER = "none_owner"
    """The owner can see to it."""
    NONE_REMOTE = "none_remote"
    """It is mended from afar."""
    ASK_PERSON = "ask_person"
    """A person looks at it before any dealer is asked."""
    SERVICE = "service"
    SERVICE_AND_RESCUE = "service_and_rescue"
    """The vehicle must not be driven: a rescue first, and the workshop gets it on a flat bed."""


def order_need(recommendation: Recommendation) -> OrderNeed:
    """Which orders this recommendation asks for."""
    if recommendation.urgency is Urgency.MONITOR:
        return OrderNeed.NONE_MONITOR
    if recommendation.review:
        return OrderNeed.ASK_PERSON
    if recommendation.drive == "no" or (recommendation.urgency is Urgency.STOP and recommendation.action == "roadside"):
        return OrderNeed.SERVICE_AND_RESCUE
    if recommendation.action == "owner":
        return OrderNeed.NONE_OWNER
    return OrderNeed.NONE_REMOTE if recommendation.action == "remote" else OrderNeed.SERVICE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """Where and when an order is decided, and what the vehicle's owner has agreed to."""

    vehicle: Vehicle
    network: DealerNetwork
    location: tuple[float, float] | None
    time_ns: int
    consents: tuple[Consent, ...]


def update_orders(
    case: VehicleCase,
    recommendation: Recommendation,
    vehicle: Vehicle,
    network: DealerNetwork,
    location: tuple[float, float] | None,
    time_ns: int,
    consents: Iterable[Consent] = (),
) -> tuple[VehicleCase, tuple[OutboxEvent, ...]]:
    """The case with this recommendation and the orders it asks for, and the pushes that tell of each changed order.

    A recommendation that changes nothing in an order leaves it and its version alone. One that asks for no order is kept, and the
    orders made before stand. Booked capacity is noted in `network`, nothing else outlives the call.

    Args:
        case: of one vehicle.
        recommendation: the latest for one incident.
        vehicle: of the case.
        network: the dealers, with what is booked.
        location: (latitude, longitude) WGS84 of the vehicle now; its home is taken where this is None.
        time_ns: event time.
        consents: all statements for the vehicle: an order for a purpose without a standing consent waits for its owner.
    """
    others = (known for known in case.recommendations if known.incident_id != recommendation.incident_id)
    case = replace(case, recommendations=tuple(sorted((*others, recommendation), key=lambda known: known.incident_id)))
    scene = _Scene(vehicle=vehicle, network=network, location=location or vehicle.home, time_ns=time_ns, consents=tuple(consents))
    match order_need(recommendation):
        case OrderNeed.SERVICE_AND_RESCUE:
            case, rescue = _update_order(case, recommendation, OrderKind.RESCUE, scene)
            case, service = _update_order(case, recommendation, OrderKind.SERVICE, scene)
            return case, (*rescue, *service)
        case OrderNeed.SERVICE | OrderNeed.ASK_PERSON:
            return _update_order(case, recommendation, OrderKind.SERVICE, scene)
        case _:
            return case, ()


def _update_order(
    case: VehicleCase, recommendation: Recommendation, kind: OrderKind, scene: _Scene
) -> tuple[VehicleCase, tuple[OutboxEvent, ...]]:
    related = _related_orders(case, recommendation, kind, scene)
    if not related:
        if any(order.kind is kind and recommendation.incident_id in order.incidents for order in case.orders):
            return case, ()  # answered by an order that has ended; only a new incident makes a new one
        return _store(case, None, _new_order(case, recommendation, kind, scene), scene)
    kept, *spare = related
    merged = [order for order in spare if order.state in UNCOMMITTED]
    incidents = _unique(
        kept.incidents, (recommendation.incident_id,), recommendation.merges, *(order.incidents for order in merged)
    )
    elsewhere = {incident for order in spare if order not in merged for incident in order.incidents}
    incidents = tuple(incident for incident in incidents if incident in kept.incidents or incident not in elsewhere)
    incidents = _without_old(incidents, case)
    withdrawn: list[OutboxEvent] = []
    for order in merged:
        case, events = _store(case, order, _cancelled(order, scene), scene)
        withdrawn += events
    case, events = _store(case, kept, _changed_order(case, kept, incidents, scene), scene)
    return case, (*events, *withdrawn)


def _without_old(incidents: tuple[str, ...], case: VehicleCase) -> tuple[str, ...]:
    """The incidents that an order goes on naming where its fault came and went for months: the first (the order's identity), those
    that are open, the latest ones, and the most urgent of each group, so that forgetting never makes an order less urgent.
    """
    if len(incidents) <= MOST_INCIDENTS:
        return incidents
    kept = {incidents[0], *incidents[-MOST_INCIDENTS:]}
    kept.update(alert.incident_id for alert in case.alerts if alert.state is not AlertState.RESOLVED)
    worst: dict[str, Recommendation] = {}
    for known in case.recommendations:
        if known.incident_id in incidents and (known.group_key not in worst or known.urgency > worst[known.group_key].urgency):
            worst[known.group_key] = known
    kept.update(known.incident_id for known in worst.values())
    return tuple(incident for incident in incidents if incident in kept)


def _related_orders(case: VehicleCase, recommendation: Recommendation, kind: OrderKind, scene: _Scene) -> list[Order]:
    """Open orders of this kind that answer the recommendation too: those that a dealer is bound to first, then the oldest.

    Where none does, the one visit that it can join.
    """
    wanted = {recommendation.incident_id, *recommendation.merges}
    found = []
    for order in case.orders:
        answered = [known for known in case.recommendations if known.incident_id in order.incidents]
        same = (
            kind is OrderKind.RESCUE
            or not wanted.isdisjoint(order.incidents)
            or recommendation.group_key in {order.group_key, *(known.group_key for known in answered)} - {CARE_GROUP}
            or any(recommendation.incident_id in known.merges for known in answered)
        )
        if order.kind is kind and is_open(order) and same:
            found.append(order)
    if not found and kind is OrderKind.SERVICE:
        visits = (order for order in case.orders if order.kind is kind and _one_visit(order, recommendation, scene))
        found = list(itertools.islice(visits, 1))
    return sorted(found, key=lambda order: (order.state in UNCOMMITTED, order.created_ns, order.id))


def _one_visit(order: Order, recommendation: Recommendation, scene: _Scene) -> bool:
    """Whether the vehicle need not come twice: both can wait, nobody has to look at either first, the owner has agreed to both or is
    asked about both, the dealer can do both, and the visit is near enough. Care joins whatever visit there is; care that nobody is bound to joins whatever turns up.
    """
    there, dealer = order.recommendation, _dealer(order, scene)
    able = dealer is not None and set(recommendation.capabilities) <= set(dealer.capabilities)
    able = able or order.state in (OrderState.DRAFT, OrderState.PROPOSED)  # which still wait for their dealer
    agreed = standing_consent(order.kind, recommendation.group_key, scene.consents, scene.time_ns).agrees
    if agreed == (order.state == OrderState.PROPOSED):
        return False
    if order.state not in NOT_COME_YET or there.review or recommendation.review or not able:
        return False
    free_care = order.group_key == CARE_GROUP and order.state in UNCOMMITTED
    if recommendation.urgency not in JOINS_WITHIN_NS or free_care:
        return free_care
    if there.urgency not in JOINS_WITHIN_NS and recommendation.group_key != CARE_GROUP:
        return False
    bound = order.state not in UNCOMMITTED and bool(order.slots)
    return not bound or order.slots[0][0] - scene.time_ns <= JOINS_WITHIN_NS[recommendation.urgency]


def _new_order(case: VehicleCase, recommendation: Recommendation, kind: OrderKind, scene: _Scene) -> Order:
    incidents = _unique((recommendation.incident_id,), recommendation.merges)
    order = Order(
        id=order_id(recommendation.incident_id, kind),
        kind=kind,
        version=1,
        state=OrderState.DRAFT.value,
        vehicle=scene.vehicle.id,
        group_key=recommendation.group_key,
        incidents=incidents,
        recommendation=combine(incidents, case.recommendations),
        created_ns=scene.time_ns,
        updated_ns=scene.time_ns,
        choice=None,
        location=scene.location,
    )
    return _dispatched(replace(order, transport=_transport(order)), scene)


def _changed_order(case: VehicleCase, order: Order, incidents: tuple[str, ...], scene: _Scene) -> Order:
    """The order with these incidents and what is recommended for them now: the very same order where nothing of weight changed."""
    after = replace(order, incidents=incidents, recommendation=combine(incidents, case.recommendations))
    after = replace(after, transport=_transport(after))
    if _content(after) == _content(order):
        return order
    location = scene.location or order.location
    after = replace(
        after,
        version=order.version + 1,
        updated_ns=max(scene.time_ns, order.updated_ns),
        location=location,
        change=OrderChange(reason="contents"),
    )
    if order.state in UNCOMMITTED and (
        order.choice is None or dealer_needs(after, scene.vehicle) != dealer_needs(order, scene.vehicle)
    ):
        scene.network.hold(order, -1)
        return _dispatched(after, scene)
    return after


def _content(order: Order) -> tuple[object, ...]:
    """What makes a new version when it changes. Probabilities wander with every trip and are left out."""
    recommendation = order.recommendation
    content = (
        order.incidents,
        order.transport,
        recommendation.urgency,
        recommendation.action,
        recommendation.drive,
        recommendation.review,
    )
    if order.kind is OrderKind.RESCUE:
        return content
    return (*content, recommendation.plan, tuple(cause.id for cause in recommendation.causes), recommendation.capabilities)


def _transport(order: Order) -> str:
    return "FLAT_BED" if _is_towed(order) else order.transport


def _is_towed(order: Order) -> bool:
    return order.kind is OrderKind.RESCUE or order_need(order.recommendation) is OrderNeed.SERVICE_AND_RESCUE


def with_decision(order: Order, decision: DealerDecision) -> Order:
    """The order with the dealer, appointments and transport decided for it (none where nobody is able)."""
    transport = "FLAT_BED" if _is_towed(order) else decision.transport or order.wish or "DROP_OFF"
    return replace(order, choice=decision.choice, slots=decision.slots, transport=transport)


def _dispatched(order: Order, scene: _Scene) -> Order:
    """The order with a dealer chosen and booked for it, or left to a person, or a draft that waits to be placed with others."""
    if order.recommendation.review and order.choice is None:
        return _given_up(order, ManualReason.REVIEW)
    waits_for = _waits_for(order, scene)
    if order.state != OrderState.DISPATCHING and waits_for:
        if order.state == OrderState.MANUAL:
            return order  # whoever sees to it asks the owner
        return replace(order, state=AWAITS_OWNER[order.kind].value, change=_system(OrderEvent.PROPOSE, waits_for))
    may_wait = order.kind is OrderKind.SERVICE and order.recommendation.urgency in scene.network.routing.waiting
    if may_wait and order.state == OrderState.DRAFT:
        return order
    needs = replace(dealer_needs(order, scene.vehicle), time_ns=scene.time_ns, location=order.location)
    decision = scene.network.decide(needs)
    order = with_decision(order, decision)
    if decision.choice is None:
        return _given_up(order, manual_reason(decision))
    change = _system(OrderEvent.DISPATCH, decision.outcome.value)
    order = replace(order, state=OrderState.DISPATCHING.value, manual=None, change=change)
    scene.network.hold(order)
    return order


def _waits_for(order: Order, scene: _Scene) -> str:
    """Why the order goes to nobody yet, "" where it may go: nobody is sent out to rescue on a machine's word alone."""
    if order.kind is OrderKind.RESCUE:
        return UNCONFIRMED if order.rescue is None else ""
    said = standing_consent(order.kind, order.group_key, scene.consents, scene.time_ns)
    return "" if said.agrees else said.value


def manual_reason(decision: DealerDecision) -> ManualReason:
    """Why a person must see to an order for which no dealer was found."""
    return ManualReason.NO_LOCATION if decision.outcome is DealerOutcome.NO_LOCATION else ManualReason.NONE_ABLE


def _given_up(order: Order, reason: ManualReason) -> Order:
    return replace(order, state=OrderState.MANUAL.value, manual=reason, change=_system(OrderEvent.GIVE_UP, reason.value))


def dealer_needs(order: Order, vehicle: Vehicle) -> DealerNeeds:
    """What the order needs of a dealer, before place and time; who has refused it is not asked again."""
    recommendation = order.recommendation
    heavy = ("truck",) if vehicle.powertrain == "truck" else ()
    rescue = order.kind is OrderKind.RESCUE
    return DealerNeeds(
        kind=order.kind,
        urgency=recommendation.urgency,
        time_ns=0,
        location=None,
        brand=vehicle.brand,
        capabilities=("rescue", *heavy) if rescue else _unique(recommendation.capabilities, heavy),
        parts=parts_needed(order),
        preferred=vehicle.preferred_dealer,
        excluded=frozenset(order.refused_by),
        owner_choice=vehicle.chosen_dealer,
        last_service=vehicle.last_service_dealer,
        selling=vehicle.selling_dealer,
        region=vehicle.region,
        drivable=not _is_towed(order),
        wish=None if rescue or _is_towed(order) else order.wish,
    )


def parts_needed(order: Order) -> tuple[tuple[str, int], ...]:
    """(number, pieces) of all that is to be done: what the owner has signed for, before that the plan; a rescue fits none."""
    if order.quote is not None and order.quote.signed_by:
        return order.quote.parts
    parts: Counter[str] = Counter()
    for line in order.recommendation.plan:
        if not line.optional and order.kind is OrderKind.SERVICE:
            parts.update({part.number: part.quantity for part in line.parts})
    return tuple(sorted(parts.items()))


def _cancelled(order: Order, scene: _Scene) -> Order:
    """Another order answers its incidents from now on."""
    scene.network.hold(order, -1)
    time_ns = max(scene.time_ns, order.updated_ns)
    change = _system(OrderEvent.CANCEL, "merged")
    return replace(order, state=OrderState.CANCELLED.value, version=order.version + 1, updated_ns=time_ns, change=change)


def _system(event: OrderEvent, reason: str) -> OrderChange:
    return OrderChange(event=event.value, reason=reason)


def _store(case: VehicleCase, before: Order | None, after: Order, scene: _Scene) -> tuple[VehicleCase, tuple[OutboxEvent, ...]]:
    """The case with `after` in the place of `before`, and the pushes that tell of it."""
    if after is before:
        return case, ()
    others = (order for order in case.orders if order.id != after.id)
    case = replace(case, orders=tuple(sorted((*others, after), key=lambda order: (order.created_ns, order.id))))
    was_draft = before is not None and before.state == OrderState.DRAFT
    if after.state == OrderState.DRAFT or (was_draft and after.state == OrderState.CANCELLED):
        return case, ()  # nobody has been told of it
    dealer, former = _dealer(after, scene), None if before is None else _dealer(before, scene)
    lost = former if former is not None and (dealer is None or former.id != dealer.id) else None
    return case, order_events(after, case, scene.vehicle, dealer, withdrawn_from=lost)


def _dealer(order: Order, scene: _Scene) -> Dealer | None:
    return None if order.choice is None else scene.network.dealer(order.choice.dealer)


def _unique(*groups: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for group in groups for item in group))
