"""How the live service routes orders and how long their steps may take, from its settings."""

from __future__ import annotations

import httpx

from app.settings_file import DispatchSection, ServiceSettings
from notifier.dealers.osrm import OsrmRoads
from notifier.dealers.routing_policy import SHIPPED, Routing, load_routing_policy
from notifier.dispatch.batch import CAN_WAIT
from notifier.orders import service_levels
from notifier.orders.service_levels import ServiceLevels, load_service_levels


def routing_of(dispatch: DispatchSection) -> Routing:
    """The routing of one process; a road service's connections last as long as the process.

    Raises:
        DataFileError: the policy file is not valid.
    """
    client = httpx.Client(base_url=dispatch.osrm_url, timeout=dispatch.osrm_timeout_s) if dispatch.osrm_url else None
    return Routing(
        policy=load_routing_policy(dispatch.policy or SHIPPED),
        roads=OsrmRoads(client) if client else None,
        waiting=CAN_WAIT if dispatch.batch_minutes else frozenset(),
    )


def service_levels_of(settings: ServiceSettings) -> ServiceLevels:
    """Those that the settings name, else what is shipped.

    Raises:
        DataFileError: the file is not valid.
    """
    return load_service_levels(settings.orders.service_levels or service_levels.SHIPPED)
