"""The objects inside a BLF recording: found by a kernel, read by numpy, all of a kind at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from domain.frames import NO_ARENA, FrameFlag
from domain.ports import Jit
from ingest.logs.binary import FD_LENGTH, MAX_STAMP_NS, first_bytes, records_at
from ingest.logs.blf_kernel import scan_objects
from ingest.logs.bus_numbers import BusNumbers
from ingest.logs.log_format import Block, DamagedPart

OBJECT = b"LOBJ"
_PADDING = bytes(128)
_SHOWN = 32
_TEN_MICROSECONDS = 1
_EXTENDED, _IDENTIFIER = np.uint32(0x8000_0000), np.uint32(0x1FFF_FFFF)
CAN_MESSAGE, CAN_ERROR, CAN_ERROR_EXT, CAN_MESSAGE2, CAN_FD_MESSAGE, CAN_FD_MESSAGE_64, CAN_FD_ERROR_64 = (
    1,
    2,
    73,
    86,
    100,
    101,
    104,
)

_HEADER = np.dtype({"names": ["resolution", "time"], "formats": ["<u4", "<u8"], "offsets": [16, 24], "itemsize": 32})


def _layout(size: int, **fields: tuple[str, int]) -> np.dtype[np.void]:
    return np.dtype(
        {
            "names": list(fields),
            "formats": [kind for kind, _ in fields.values()],
            "offsets": [offset for _, offset in fields.values()],
            "itemsize": size,
        }
    )


_CLASSIC = _layout(16, channel=("<u2", 0), flags=("u1", 2), dlc=("u1", 3), id=("<u4", 4), data=("<u8", 8))
_LAYOUTS = {
    CAN_MESSAGE: _CLASSIC,
    CAN_MESSAGE2: _CLASSIC,
    CAN_ERROR: _layout(4, channel=("<u2", 0)),
    CAN_ERROR_EXT: _layout(32, channel=("<u2", 0), dlc=("u1", 10), id=("<u4", 16), data=("<u8", 24)),
    CAN_FD_MESSAGE: _layout(
        20, channel=("<u2", 0), flags=("u1", 2), dlc=("u1", 3), id=("<u4", 4), fd=("u1", 13), valid=("u1", 14)
    ),
    CAN_FD_MESSAGE_64: _layout(
        40,
        channel=("u1", 0),
        dlc=("u1", 1),
        valid=("u1", 2),
        id=("<u4", 4),
        flags=("<u4", 12),
        direction=("u1", 34),
        more=("u1", 35),
    ),
    CAN_FD_ERROR_64: _layout(44, channel=("u1", 0), dlc=("u1", 1), valid=("u1", 2), id=("<u4", 12)),
}
"""Kind -> the fields used of its body; the item size is that of the fixed part, after which CAN FD kinds have their data."""
_KIND_NAMES = {
    3: "can_overload", 4: "can_statistic", 5: "application_trigger", 6: "environment", 7: "environment", 8: "environment",
    9: "environment", 11: "lin", 12: "lin", 13: "lin", 14: "lin", 15: "lin", 16: "lin", 17: "lin", 18: "lin", 19: "lin",
    20: "lin", 29: "flexray", 30: "flexray", 31: "can_driver_error", 40: "flexray", 41: "flexray", 44: "can_driver_error",
    45: "flexray", 46: "flexray", 47: "flexray", 48: "flexray", 49: "flexray", 50: "flexray", 54: "lin", 55: "lin", 57: "lin",
    58: "lin", 59: "lin", 60: "lin", 61: "lin", 65: "text", 66: "flexray", 71: "ethernet", 72: "system_variable",
    84: "can_driver_error", 92: "text", 96: "marker", 102: "ethernet", 103: "ethernet", 113: "ethernet", 114: "ethernet",
    115: "restore_point", 120: "ethernet", 121: "ethernet",
}  # fmt: skip


class ObjectReader:
    """Reads pieces of unpacked objects into blocks; carries the rest of an object that goes on in the next container."""

    def __init__(self, start_ns: int, jit: Jit) -> None:
        self._start_ns = start_ns
        self._scan = jit(scan_objects)
        self._body_bytes = np.full(256, -1, np.int64)
        for kind, layout in _LAYOUTS.items():
            self._body_bytes[kind] = layout.itemsize
        self._buses = BusNumbers()
        self._rest = b""
        self._rest_offset = 0

    def read(
        self, pieces: Sequence[tuple[int, bytes]], damaged: list[DamagedPart], truncated: bool, *, last: bool = False
    ) -> Block:
        """All whole objects of these (file offset, bytes); what `damaged` and `truncated` tell is passed on in the block."""
        content = b"".join((self._rest, *(piece for _, piece in pieces), _PADDING))
        size = len(content) - len(_PADDING)
        places = _Places(len(self._rest), self._rest_offset, pieces)
        data = np.frombuffer(content, np.uint8)
        most = size // 16 + 1
        start, length = np.empty(most, np.int64), np.empty(most, np.int64)
        head, kind = np.empty(most, np.int64), np.empty(most, np.int64)
        bad = np.empty((most, 2), np.int64)
        count, bad_count, used = self._scan(data, size, last, self._body_bytes, start, length, head, kind, bad)
        self._rest, self._rest_offset = content[used:size], places.of(used)[0]
        for begin, passed in bad[:bad_count].tolist():
            damaged.append(places.damaged(begin, f"{passed} bytes that are no whole object", content))
        columns = _Columns(data, start[:count], length[:count], head[:count], kind[:count])
        time_ns, good = columns.time_ns(self._start_ns)
        bus, known = self._buses.numbers(columns.channel)
        good &= known
        impossible = start[:count][columns.rows][~good].tolist()
        damaged += [places.damaged(begin, "a frame with an impossible stamp or channel", content) for begin in impossible]
        chosen: slice | NDArray[np.bool_] = slice(None) if good.all() else good
        return Block(
            buses=self._buses.names(),
            time_ns=time_ns[chosen],
            bus=bus[chosen],
            can_id=columns.can_id[chosen],
            length=columns.length[chosen],
            flags=columns.flags[chosen],
            payload=columns.payload[chosen],
            arena_offset=columns.arena_offset[chosen],
            arena=columns.arena,
            damaged=tuple(damaged),
            anomalies=_skipped(kind[:count], self._body_bytes) | ({"truncated_file": 1} if truncated else {}),
        )


def _skipped(kind: NDArray[np.int64], body_bytes: NDArray[np.int64]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    foreign = kind[body_bytes[np.minimum(kind, 255)] < 0]
    for number, count in zip(*np.unique(foreign, return_counts=True), strict=True) if len(foreign) else ():
        counts[f"skipped_{_KIND_NAMES.get(int(number), f'object_{number}')}"] += int(count)
    return dict(counts)


class _Places:
    """Where in the file unpacked bytes come from: (offset of their container, bytes into it)."""

    def __init__(self, rest: int, rest_offset: int, pieces: Sequence[tuple[int, bytes]]) -> None:
        sizes = [rest, *(len(piece) for _, piece in pieces)]
        self._starts = np.cumsum([0, *sizes[:-1]])
        self._offsets = [rest_offset, *(offset for offset, _ in pieces)]

    def of(self, position: int) -> tuple[int, int]:
        """Container and bytes into it."""
        number = int(np.searchsorted(self._starts, position, side="right")) - 1
        return self._offsets[number], position - int(self._starts[number])

    def damaged(self, position: int, what: str, content: bytes) -> DamagedPart:
        """Located by its container."""
        offset, inside = self.of(position)
        shown = content[position : position + _SHOWN]
        return DamagedPart(offset=offset, detail=f"{what}, {inside} bytes into the unpacked container", content=shown)


class _Columns:
    """The frame columns of the objects found; `rows` are those objects that are frames."""

    def __init__(
        self,
        data: NDArray[np.uint8],
        start: NDArray[np.int64],
        size: NDArray[np.int64],
        head: NDArray[np.int64],
        kind: NDArray[np.int64],
    ) -> None:
        frame = np.isin(kind, list(_LAYOUTS)) if len(kind) else np.empty(0, np.bool_)
        self.rows: slice | NDArray[np.intp] = slice(None) if frame.all() else np.flatnonzero(frame)
        start, size, head, kind = start[self.rows], size[self.rows], head[self.rows], kind[self.rows]
        count = len(start)
        self._header = records_at(data, start, _HEADER)
        self.channel = np.zeros(count, np.uint16)
        self.can_id, self.payload = np.zeros(count, np.uint32), np.zeros(count, np.uint64)
        self.length, self.flags = np.zeros(count, np.uint8), np.zeros(count, np.uint8)
        self.arena_offset, self.arena = np.full(count, NO_ARENA, np.int64), np.empty(0, np.uint8)
        for one in np.flatnonzero(np.bincount(kind, minlength=1)).tolist():
            rows = slice(None) if (kind == one).all() else np.flatnonzero(kind == one)
            self._fill(one, rows, data, start[rows], size[rows], head[rows])

    def time_ns(self, start_ns: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Stamps, and which of them can be."""
        stamp, coarse = self._header["time"], self._header["resolution"] == _TEN_MICROSECONDS
        good = stamp <= np.where(coarse, np.uint64((MAX_STAMP_NS - start_ns) // 10_000), np.uint64(MAX_STAMP_NS - start_ns))
        scaled = np.where(good, stamp, np.uint64(0)).astype(np.int64) * np.where(coarse, 10_000, 1)
        return scaled + start_ns, good

    def _fill(
        self,
        kind: int,
        rows: slice | NDArray[np.intp],
        data: NDArray[np.uint8],
        start: NDArray[np.int64],
        size: NDArray[np.int64],
        head: NDArray[np.int64],
    ) -> None:
        fields = records_at(data, start + head, _LAYOUTS[kind])
        self.channel[rows] = fields["channel"]
        if kind == CAN_ERROR:
            self.flags[rows] = FrameFlag.ERROR
            return
        identifier = fields["id"]
        self.can_id[rows] = identifier & _IDENTIFIER | (identifier & _EXTENDED)
        flags, length = _flags_and_length(kind, fields)
        self.flags[rows], self.length[rows] = flags, length
        carried = np.where(flags & np.uint8(FrameFlag.REMOTE), np.uint8(0), length)
        if "data" in (fields.dtype.names or ()):
            self.payload[rows] = first_bytes(fields["data"], carried)
        else:
            end = size
            if kind == CAN_FD_MESSAGE_64:  # other data may begin before the end of the object
                end = np.where(fields["more"] > 0, np.minimum(size, fields["more"]), size)
            fixed = head + _LAYOUTS[kind].itemsize
            self._fill_long(rows, data, start + fixed, carried, end - fixed)

    def _fill_long(
        self,
        rows: slice | NDArray[np.intp],
        data: NDArray[np.uint8],
        begin: NDArray[np.int64],
        carried: NDArray[np.uint8],
        there: NDArray[np.int64],
    ) -> None:
        """Data of 64 bytes; those that the object does not hold are zero (CANoe writes objects cut at their last byte but zero)."""
        content = records_at(data, begin, np.dtype((np.uint8, 64)))
        content[np.arange(64) >= np.minimum(carried, there)[:, np.newaxis]] = 0
        self.payload[rows] = content[:, :8].copy().view("<u8").ravel()
        long = carried > 8
        offset = np.full(len(begin), NO_ARENA, np.int64)
        offset[long] = len(self.arena) + 64 * np.arange(np.count_nonzero(long))
        self.arena_offset[rows] = offset
        self.arena = np.concatenate((self.arena, content[long].ravel()))


def _flags_and_length(kind: int, fields: NDArray[np.void]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    if kind in (CAN_MESSAGE, CAN_MESSAGE2):
        return _bits(fields["flags"], (0x80, FrameFlag.REMOTE), (0x01, FrameFlag.TRANSMITTED)), np.minimum(fields["dlc"], 8)
    if kind == CAN_ERROR_EXT:
        return np.full(len(fields), FrameFlag.ERROR, np.uint8), np.minimum(fields["dlc"], 8)
    if kind == CAN_FD_ERROR_64:
        return np.full(len(fields), FrameFlag.ERROR, np.uint8), np.minimum(fields["valid"], 64)
    if kind == CAN_FD_MESSAGE:
        flags = _bits(fields["flags"], (0x80, FrameFlag.REMOTE), (0x01, FrameFlag.TRANSMITTED)) | _bits(
            fields["fd"], (0x1, FrameFlag.FD)
        )
    else:
        flags = _bits(fields["flags"], (0x10, FrameFlag.REMOTE), (0x1000, FrameFlag.FD)) | _bits(
            fields["direction"], (0xFF, FrameFlag.TRANSMITTED)
        )
    remote = (flags & np.uint8(FrameFlag.REMOTE)) != 0
    return flags, np.where(remote, FD_LENGTH[fields["dlc"] & 0xF], np.minimum(fields["valid"], 64)).astype(np.uint8)


def _bits(source: NDArray[np.unsignedinteger], *pairs: tuple[int, FrameFlag]) -> NDArray[np.uint8]:
    flags = np.zeros(len(source), np.uint8)
    for mask, flag in pairs:
        flags |= np.where(source & mask, np.uint8(flag), np.uint8(0))
    return flags
