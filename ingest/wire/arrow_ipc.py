"""Arrow IPC (stream or file) from data gateways: CAN frames by columns, values in rows, or a column for each path.

| columns | a row is |
|---|---|
| `time_ns` or `time`, `id`, `data` (binary), maybe `bus`, `extended`, `fd` | a CAN frame |
| `time_ns` or `time`, `name`, `value` | a value |
| `time_ns` or `time`, then VSS paths or names of the source's table | as many values; null is none |

`time` is a timestamp column of any unit, `time_ns` whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.frames import FrameFlag
from ingest.mqtt.frame_columns import Reason, RefusedMessageError
from ingest.mqtt.payloads import MAX_FRAMES
from ingest.wire.documents import put_value, unusable
from ingest.wire.rows import Rows
from ingest.wire.wire_format import WireMessage

_ReadRow = Callable[[WireMessage, dict[str, list[Any]], int, int, Rows], None]
_FILE_MAGIC = b"ARROW1"


class ArrowIpc:
    """The format `arrow`."""

    name = "arrow"
    topic = "arrow/{device}"
    has_own_time = True

    def read(self, message: WireMessage, rows: Rows) -> None:
        """Every row of every record batch."""
        columns = _columns(message.payload)
        times = columns.pop("time_ns", None) or columns.pop("time", None)
        if times is None:
            raise unusable("no column time_ns or time")
        read: _ReadRow
        if {"id", "data"} <= columns.keys():
            read = _read_frame
        elif {"name", "value"} <= columns.keys():
            read = _read_value
        else:
            read = _read_wide
        for place, time_ns in message.items(times):
            with rows.item(place):
                if isinstance(time_ns, bool) or not isinstance(time_ns, int):
                    raise TypeError("a row without time")
                read(message, columns, place, time_ns, rows)


def _columns(payload: bytes) -> dict[str, list[Any]]:
    """Columns as Python values, timestamps in ns.

    Raises:
        RefusedMessageError: no Arrow, or more rows than a message may have.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        source = pa.BufferReader(payload)
        reader = pa.ipc.open_file(source) if payload.startswith(_FILE_MAGIC) else pa.ipc.open_stream(source)
        table = reader.read_all()
        table.validate(full=True)
        if table.num_rows > MAX_FRAMES or len(set(table.column_names)) != table.num_columns:
            raise RefusedMessageError(Reason.OVERSIZED, f"{table.num_rows} rows, or a column twice")
        columns = {}
        for name, column in zip(table.column_names, table.columns, strict=True):
            timestamp = pa.types.is_timestamp(column.type)
            column = pc.cast(column, pa.timestamp("ns", column.type.tz)).cast(pa.int64()) if timestamp else column
            columns[name] = column.to_pylist()
        return columns
    except (pa.ArrowException, OSError, OverflowError, MemoryError) as error:
        raise unusable("no Arrow IPC stream or file") from error


def _read_frame(_: WireMessage, columns: dict[str, list[Any]], row: int, time_ns: int, rows: Rows) -> None:
    can_id, data = columns["id"][row], columns["data"][row]
    if not isinstance(can_id, int) or not isinstance(data, bytes):
        raise TypeError("id is no number, or data are no bytes")
    bus = columns["bus"][row] if "bus" in columns else "0"
    extended = bool(columns["extended"][row]) if "extended" in columns else bool(can_id & 0x8000_0000 or can_id > 0x7FF)
    fd = bool(columns["fd"][row]) if "fd" in columns else len(data) > 8
    flags = FrameFlag.FD if fd else FrameFlag(0)
    rows.frame(time_ns, str(bus), can_id & 0x7FFF_FFFF, data, extended=extended, flags=flags)


def _read_value(message: WireMessage, columns: dict[str, list[Any]], row: int, time_ns: int, rows: Rows) -> None:
    put_value(rows, message.names, time_ns, str(columns["name"][row]), columns["value"][row])


def _read_wide(message: WireMessage, columns: dict[str, list[Any]], row: int, time_ns: int, rows: Rows) -> None:
    for name, column in columns.items():
        if column[row] is not None:
            put_value(rows, message.names, time_ns, name, column[row])
