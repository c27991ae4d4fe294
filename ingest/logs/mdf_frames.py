"""Records of an MDF 4 bus logging group -> frame columns (ASAM MDF bus logging: CAN_DataFrame, CAN_RemoteFrame, CAN_ErrorFrame)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from domain.frames import EXTENDED_ID, NO_ARENA, FrameFlag
from ingest.logs.binary import FD_LENGTH, MAX_STAMP_NS, first_bytes, records_at
from ingest.logs.mdf_blocks import Channel, ChannelGroup, Conversion

VLSD_GROUP = 1
"""Flag of a channel group that holds the variable content of a channel of another one."""
_VARIABLE, _MASTER, _VIRTUAL_MASTER, _VIRTUAL = 1, 2, 3, 6
_TIME = 1
_BIG_ENDIAN = (1, 3, 5)
_SIGNED = (2, 3)
_FLOAT = (4, 5)
_KIND = re.compile(r"(?:.*\.)?(CAN_DataFrame|CAN_RemoteFrame|CAN_ErrorFrame)(?:_\d+)?\.(\w+)")
_FOREIGN = re.compile(r"(CAN_OverloadFrame|LIN|FLX|ETH|MOST|KLINE|USB)", re.IGNORECASE)
Values = NDArray[np.int64] | NDArray[np.float64]
_FLAGS = {"CAN_DataFrame": FrameFlag(0), "CAN_RemoteFrame": FrameFlag.REMOTE, "CAN_ErrorFrame": FrameFlag.ERROR}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Frames of one data group: columns as in `Block`, `channel` still a number; `order` is the greatest time so far in their group."""

    order: NDArray[np.int64]
    time_ns: NDArray[np.int64]
    channel: NDArray[np.uint16]
    can_id: NDArray[np.uint32]
    length: NDArray[np.uint8]
    flags: NDArray[np.uint8]
    payload: NDArray[np.uint64]
    arena_offset: NDArray[np.int64]
    arena: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.time_ns)

    @staticmethod
    def none() -> Rows:
        """No frames."""
        kinds = (np.int64, np.int64, np.uint16, np.uint32, np.uint8, np.uint8, np.uint64, np.int64)
        columns = {name: np.empty(0, kind) for name, kind in zip(_COLUMNS, kinds, strict=True)}
        return Rows(arena=np.empty(0, np.uint8), **columns)

    def take(self, rows: NDArray[np.intp] | NDArray[np.bool_] | slice) -> Rows:
        """Only these rows; the arena is shared."""
        return Rows(arena=self.arena, **{name: getattr(self, name)[rows] for name in _COLUMNS})

    def packed(self) -> Rows:
        """The same with no more than its own bytes in the arena."""
        long = self.arena_offset != NO_ARENA
        if not long.any():
            return replace(self, arena=self.arena[:0])
        content = records_at(self.arena, self.arena_offset[long], np.dtype((np.uint8, 64)))
        offset = np.full(len(self), NO_ARENA, np.int64)
        offset[long] = 64 * np.arange(len(content))
        return replace(self, arena=content.ravel(), arena_offset=offset)


_COLUMNS = tuple(field.name for field in fields(Rows) if field.name != "arena")


def joined(parts: Sequence[Rows]) -> Rows:
    """One after the other."""
    if len(parts) == 1:
        return parts[0]
    columns = {name: [getattr(part, name) for part in parts] for name in _COLUMNS}
    base = 0
    for number, part in enumerate(parts):
        columns["arena_offset"][number] = np.where(part.arena_offset == NO_ARENA, NO_ARENA, part.arena_offset + base)
        base += len(part.arena)
    return Rows(
        arena=np.concatenate([part.arena for part in parts]), **{name: np.concatenate(some) for name, some in columns.items()}
    )


def skipped_kind(group: ChannelGroup) -> str:
    """The word under which records that are no CAN frames are counted."""
    for channel in group.channels:
        found = _FOREIGN.match(channel.name)
        if found:
            return f"skipped_{found[1].lower()}"
    return "skipped_measurement"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """One field of a record as numbers."""

    channel: Channel
    record_bytes: int

    def raw(self, records: NDArray[np.uint8], first: int) -> Values:
        """One value of each record (n, record bytes); `first` is the number of the first record, which virtual fields count."""
        channel = self.channel
        if channel.kind in (_VIRTUAL, _VIRTUAL_MASTER):
            return np.arange(first, first + len(records), dtype=np.int64)
        used = (channel.bit_offset + min(channel.bits, 64) + 7) // 8
        wide = np.zeros((len(records), 16), np.uint8)
        part = records[:, channel.byte_offset : channel.byte_offset + used]
        wide[:, :used] = part[:, ::-1] if channel.data_type in _BIG_ENDIAN else part
        halves = wide.view("<u8")
        value = halves[:, 0].copy()
        if channel.bit_offset:
            value >>= np.uint64(channel.bit_offset)
            if used > 8:
                value |= halves[:, 1] << np.uint64(64 - channel.bit_offset)
        if channel.bits < 64:
            value &= np.uint64((1 << channel.bits) - 1)
        if channel.data_type in _FLOAT:
            return _as_float(value, channel.bits)
        if channel.data_type in _SIGNED and 0 < channel.bits < 64:
            sign = np.uint64(1 << (channel.bits - 1))
            return ((value ^ sign) - sign).view(np.int64)
        return value.view(np.int64)

    def values(self, records: NDArray[np.uint8], first: int) -> Values:
        """After conversion."""
        return _converted(self.raw(records, first), self.channel.conversion)


def _as_float(bits: NDArray[np.uint64], width: int) -> Values:
    if width == 64:
        return bits.view(np.float64)
    return bits.astype(np.uint32).view(np.float32).astype(np.float64) if width == 32 else bits.astype(np.float64)


def _whole(values: Values) -> NDArray[np.int64]:
    if values.dtype.kind in "iu":
        return values.astype(np.int64)
    return np.clip(np.nan_to_num(values, nan=0.0), -(2.0**62), 2.0**62).astype(np.int64)


def _converted(raw: Values, conversion: Conversion | None) -> Values:
    if conversion is None:
        return raw
    v = conversion.values
    number = raw.astype(np.float64)
    with np.errstate(all="ignore"):
        if conversion.kind == 1 and len(v) >= 2:
            return raw if v[:2] == (0.0, 1.0) else v[0] + v[1] * number
        if conversion.kind == 2 and len(v) >= 6:
            return (v[0] * number**2 + v[1] * number + v[2]) / (v[3] * number**2 + v[4] * number + v[5])
    if conversion.kind in (4, 5) and len(v) >= 2:
        keys, targets = np.array(v[: len(v) // 2 * 2 : 2]), np.array(v[1 : len(v) // 2 * 2 : 2])
        order = np.argsort(keys, kind="stable")
        keys, targets = keys[order], targets[order]
        if conversion.kind == 4:
            interpolated: Values = np.interp(number, keys, targets)
            return interpolated
        above = np.clip(np.searchsorted(keys, number), 0, len(keys) - 1)
        below = np.maximum(above - 1, 0)
        nearer: Values = np.where(np.abs(number - keys[below]) <= np.abs(keys[above] - number), targets[below], targets[above])
        return nearer
    if conversion.kind == 6 and len(v) >= 1:
        result = np.full(len(number), v[-1])
        for low, high, target in zip(v[0:-1:3], v[1:-1:3], v[2:-1:3], strict=False):
            result[(number >= low) & (number <= high)] = target
        return result
    return raw  # a text: what is meant is in the raw value


class FrameGroup:
    """A bus logging channel group.

    Attributes:
        variable: address of what the data bytes point to, 0 where they stand in the record.
    """

    def __init__(self, group: ChannelGroup, record_bytes: int) -> None:
        self.record_bytes = record_bytes
        self._read = 0
        self._greatest = np.iinfo(np.int64).min
        self._fields: dict[str, _Field] = {}
        kind = "CAN_DataFrame"
        for channel in group.channels:
            match = _KIND.fullmatch(channel.name)
            if match:
                kind = match[1]
            name = match[2] if match else "Time" if channel.kind in (_MASTER, _VIRTUAL_MASTER) and channel.sync == _TIME else ""
            if name and self._inside(channel, whole=name != "DataBytes"):
                self._fields.setdefault(name, _Field(channel=channel, record_bytes=record_bytes))
        self._flags = _FLAGS[kind]
        data = self._fields.get("DataBytes")
        self.variable = data.channel.data if data is not None and data.channel.kind == _VARIABLE else 0

    def _inside(self, channel: Channel, *, whole: bool) -> bool:
        if channel.kind in (_VIRTUAL, _VIRTUAL_MASTER):
            return True
        end = channel.byte_offset * 8 + channel.bit_offset + channel.bits
        return 0 < channel.bits <= (64 if whole else 1 << 16) and channel.bit_offset < 8 and end <= self.record_bytes * 8

    @staticmethod
    def is_one(group: ChannelGroup) -> bool:
        """Whether the group holds CAN frames."""
        return any(_KIND.fullmatch(channel.name) for channel in group.channels)

    def rows(
        self,
        data: NDArray[np.uint8],
        start: NDArray[np.int64],
        start_ns: int,
        variable: tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]] | None,
    ) -> tuple[Rows, NDArray[np.bool_]]:
        """Frames of the records that begin at these bytes of `data`, which reaches 64 bytes further than its records; and which are good.

        `variable`: (bytes, where the content of each record begins in them, its length) where the data bytes do not stand in
        the record.
        """
        records = self._records(data, start)
        first, self._read = self._read, self._read + len(start)

        def integers(name: str) -> NDArray[np.int64]:
            return _whole(self._fields[name].values(records, first)) if name in self._fields else np.zeros(len(start), np.int64)

        time_ns, good = self._time_ns(records, first, start_ns)
        identifier = integers("ID")
        extended = integers("IDE") != 0 if "IDE" in self._fields else (identifier & EXTENDED_ID) != 0
        number = identifier & 0x1FFF_FFFF
        if "IDE" not in self._fields:
            extended |= number > 0x7FF
        flags = np.full(len(start), int(self._flags), np.uint8)
        for name, flag in (("EDL", FrameFlag.FD), ("Dir", FrameFlag.TRANSMITTED)):
            if name in self._fields:
                raw = self._fields[name].raw(records, first) if name == "Dir" and not self._is_virtual(name) else integers(name)
                flags |= np.where(raw != 0, np.uint8(flag), np.uint8(0))
        length = self._lengths(integers, flags)
        if variable is not None:
            source, begin, there = variable
        else:
            source, begin = data, start + (self._fields["DataBytes"].channel.byte_offset if "DataBytes" in self._fields else 0)
            most = self._fields["DataBytes"].channel.bits // 8 if "DataBytes" in self._fields else 0
            there = np.full(len(start), most, np.int64)
        remote = (flags & np.uint8(FrameFlag.REMOTE)) != 0
        size: NDArray[np.uint8] = np.where(remote, length, np.minimum(length, there)).astype(np.uint8)
        payload, arena_offset, arena = _payload(source, begin, np.where(remote, 0, size).astype(np.uint8))
        channel = np.clip(integers("BusChannel"), 0, 0xFFFF).astype(np.uint16)
        can_id = (number | np.where(extended, EXTENDED_ID, 0)).astype(np.uint32)
        order = np.maximum(np.maximum.accumulate(time_ns), self._greatest)
        self._greatest = int(order[-1]) if len(order) else self._greatest
        rows = Rows(
            order=order, time_ns=time_ns, channel=channel, can_id=can_id, length=size, flags=flags, payload=payload, arena_offset=arena_offset, arena=arena,
        )  # fmt: skip
        return rows, good

    def positions(self, data: NDArray[np.uint8], start: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where the records say that their data bytes are, in the stream that `variable` names."""
        return _whole(self._fields["DataBytes"].raw(self._records(data, start), 0))

    def _records(self, data: NDArray[np.uint8], start: NDArray[np.int64]) -> NDArray[np.uint8]:
        if not self.record_bytes:
            return np.empty((len(start), 0), np.uint8)
        return records_at(data, start, np.dtype((np.uint8, self.record_bytes)))

    def _is_virtual(self, name: str) -> bool:
        return self._fields[name].channel.kind == _VIRTUAL

    def _lengths(self, integers: Callable[[str], NDArray[np.int64]], flags: NDArray[np.uint8]) -> NDArray[np.int64]:
        if "DataLength" in self._fields and not ("DLC" in self._fields and self._flags & FrameFlag.REMOTE):
            return np.clip(integers("DataLength"), 0, 64)
        if "DLC" in self._fields:
            code = FD_LENGTH[np.clip(integers("DLC"), 0, 15)].astype(np.int64)
            return np.where(flags & np.uint8(FrameFlag.FD), code, np.minimum(code, 8))
        return np.full(len(flags), 0 if self._flags else 64, np.int64)

    def _time_ns(self, records: NDArray[np.uint8], first: int, start_ns: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        if "Time" not in self._fields:
            return np.full(len(records), start_ns, np.int64), np.ones(len(records), np.bool_)
        field = self._fields["Time"]
        raw, conversion = field.raw(records, first), field.channel.conversion
        if conversion is None or (conversion.kind == 1 and len(conversion.values) >= 2):
            offset_s, factor_s = (0.0, 1.0) if conversion is None else conversion.values[:2]
            factor_ns = factor_s * 1e9
            # 1e-6 seconds are 1000 nanoseconds and not 999.9999999999999
            if math.isfinite(factor_ns) and abs(factor_ns - round(factor_ns)) < 1e-9 * abs(factor_ns):
                factor_ns = float(round(factor_ns))
            with np.errstate(all="ignore"):
                stamp = raw.astype(np.float64) * factor_ns + offset_s * 1e9
        else:
            with np.errstate(all="ignore"):
                stamp = _converted(raw, conversion).astype(np.float64) * 1e9
        good = np.abs(stamp) <= MAX_STAMP_NS - start_ns
        return np.rint(np.where(good, stamp, 0.0)).astype(np.int64) + start_ns, good


def _payload(
    source: NDArray[np.uint8], begin: NDArray[np.int64], length: NDArray[np.uint8]
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.uint8]]:
    """(first 8 bytes, arena offsets, arena) of contents of at most 64 bytes; `source` reaches 64 bytes further than they do."""
    payload = first_bytes(records_at(source, begin, np.dtype("<u8")), length)
    offset = np.full(len(begin), NO_ARENA, np.int64)
    long = np.flatnonzero(length > 8)
    if not len(long):
        return payload, offset, np.empty(0, np.uint8)
    content = records_at(source, begin[long], np.dtype((np.uint8, 64))).copy()
    content[np.arange(64) >= length[long, np.newaxis]] = 0
    offset[long] = 64 * np.arange(len(long))
    return payload, offset, content.ravel()
