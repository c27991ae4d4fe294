"""OVMS v3 modules: each metric is a topic, its value bare text (`ovms/USER/VEHICLE/metric/v/b/soc` with `78.5`), always retained."""

from __future__ import annotations

from ingest.wire.documents import put_value, unusable
from ingest.wire.rows import Rows
from ingest.wire.wire_format import WireMessage

_LONGEST = 4096


class Ovms:
    """The format `ovms`."""

    name = "ovms"
    topic = "ovms/{user}/{device}/metric/{metric#}"
    has_own_time = False

    def read(self, message: WireMessage, rows: Rows) -> None:
        """One metric, at its arrival."""
        if "metric" not in message.fields:
            raise unusable("the source's topic has no {metric#}")
        if len(message.payload) > _LONGEST:
            raise unusable("longer than a metric")
        name = message.fields["metric"].replace("/", ".")
        put_value(rows, message.names, message.received_ns, name, message.payload.decode().strip())
