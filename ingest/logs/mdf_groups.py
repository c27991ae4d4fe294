"""The frames of one MDF 4 data group, in file order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ingest.logs.mdf_blocks import UNFINISHED_LAST_BLOCK, BlockReader, BrokenBlockError, ChannelGroup, DataGroup, Tree
from ingest.logs.mdf_data import DataStream
from ingest.logs.mdf_frames import VLSD_GROUP, FrameGroup, Rows, joined, skipped_kind
from ingest.logs.mdf_kernel import UNKNOWN, VARIABLE

_PADDING = bytes(64)
_MOST_RECORD_BYTES = 1 << 16
_MOST_SPAN = 1 << 26
_PIECES_TO_WAIT = 4
Variable = tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]


class FrameStream:
    """Iterates over the frames of a data group in pieces.

    Attributes:
        damaged: what could not be read since it was last emptied. anomalies: kind -> count of the same time.
    """

    def __init__(self, group: DataGroup, tree: Tree, blocks: BlockReader, piece_bytes: int, scan: Callable[..., Any]) -> None:
        self.damaged: list[BrokenBlockError] = []
        self.anomalies: Counter[str] = Counter()
        self._group = group
        self._start_ns = tree.start_ns if tree.start_ns <= 1 << 62 else 0
        self._blocks = blocks
        self._piece_bytes = piece_bytes
        self._scan = scan
        self._data = DataStream(blocks, group.data, open_ended=bool(tree.unfinalized & UNFINISHED_LAST_BLOCK))
        self._id_bytes = group.id_bytes if group.id_bytes in (1, 2, 4, 8) else 0
        self._groups = group.groups if self._id_bytes else group.groups[:1]
        self._record_bytes = np.array([self._size_of(inner) for inner in self._groups], np.int64)
        self._frames = {
            number: FrameGroup(inner, inner.data_bytes)
            for number, inner in enumerate(self._groups)
            if FrameGroup.is_one(inner) and not inner.flags & VLSD_GROUP
        }
        self._group_of = np.full(1 << 16, UNKNOWN, np.int16)
        for number, inner in enumerate(self._groups):
            if inner.record_id < len(self._group_of):
                self._group_of[inner.record_id] = number
        self._contents = _contents(self._groups, self._frames)
        self._side_streams: dict[int, DataStream] = {}

    def _size_of(self, group: ChannelGroup) -> int:
        if group.flags & VLSD_GROUP:
            return VARIABLE
        return group.data_bytes + (0 if self._data.values_only else group.invalidation_bytes)

    def __iter__(self) -> Iterator[Rows]:
        if self._id_bytes == 0 and (not self._record_bytes.size or not 0 < self._record_bytes[0] <= _MOST_RECORD_BYTES):
            self.damaged.append(BrokenBlockError(self._group.address, "records of impossible size"))
            return
        if (self._record_bytes > _MOST_RECORD_BYTES).any():
            self.damaged.append(BrokenBlockError(self._group.address, "records of impossible size"))
            return
        if not self._id_bytes:
            yield from self._sorted()
        else:
            yield from _in_time(self._unsorted()) if len(self._frames) > 1 else self._unsorted()
        self.damaged += self._data.damaged
        for stream in self._side_streams.values():
            self.damaged += stream.damaged
        self.anomalies["truncated_file"] += self._data.truncated

    def _sorted(self) -> Iterator[Rows]:
        """Records of one group, one after the other."""
        size = int(self._record_bytes[0])
        rest, end = b"", 0
        for position, piece in self._data.pieces(max(self._piece_bytes, size)):
            if position != end:  # after a gap: go on at the next whole record
                rest, piece = b"", piece[-position % size :]
            end = position + len(piece) if position == end else position + (-position % size) + len(piece)
            content = rest + piece
            count = len(content) // size
            rest = content[count * size :]
            data = np.frombuffer(content + _PADDING, np.uint8)
            yield self._rows(0, data, np.arange(count, dtype=np.int64) * size)
        self.anomalies["truncated_file"] += bool(rest)

    def _rows(self, number: int, data: NDArray[np.uint8], start: NDArray[np.int64], variable: Variable | None = None) -> Rows:
        group = self._frames.get(number)
        if group is None:
            self.anomalies[skipped_kind(self._groups[number])] += len(start)
            return Rows.none()
        if variable is None and group.variable:
            variable = self._aside(group, data, start)
        rows, good = group.rows(data, start, self._start_ns, variable)
        if not good.all():
            self.damaged.append(BrokenBlockError(self._group.address, f"{int((~good).sum())} records with impossible stamps"))
            rows = rows.take(good)
        return rows

    def _aside(self, group: FrameGroup, data: NDArray[np.uint8], start: NDArray[np.int64]) -> Variable:
        """Contents that lie in a data stream of their own, at the positions that the records give, after four bytes of length."""
        stream = self._side_streams.get(group.variable)
        if stream is None:
            stream = self._side_streams[group.variable] = DataStream(self._blocks, group.variable)
        place = group.positions(data, start)
        inside = (place >= 0) & (place < stream.size)
        low = int(place[inside].min()) if inside.any() else 0
        high = int(place[inside].max()) if inside.any() else 0
        inside &= place <= low + _MOST_SPAN
        content = np.frombuffer(stream.read(low, min(high - low, _MOST_SPAN) + 68) + _PADDING, np.uint8)
        begin = np.where(inside, place - low, 0)
        inside &= begin + 4 <= len(content) - len(_PADDING)
        begin = np.where(inside, begin, 0)
        there = np.zeros(len(begin), np.int64)
        for byte in range(4):
            there |= content[begin + byte].astype(np.int64) << (8 * byte)
        there = np.where(inside, np.minimum(there, len(content) - len(_PADDING) - begin - 4), 0)
        self._note_missing(int(np.count_nonzero(~inside)))
        return content, begin + 4, there

    def _note_missing(self, count: int) -> None:
        if count:
            self.damaged.append(BrokenBlockError(self._group.address, f"{count} frames whose data bytes are not there"))

    def _unsorted(self) -> Iterator[Rows]:
        """Records of several groups mixed; contents of variable size are records too, mostly just before those that point to them."""
        kept, rest, end = b"", b"", 0
        for position, piece in self._data.pieces(self._piece_bytes):
            if position != end:
                break
            end = position + len(piece)
            content = b"".join((kept, rest, piece))
            size = len(content)
            data = np.frombuffer(content + _PADDING, np.uint8)
            start, length, group, used, broken = self._records(data, len(kept), size)
            waiting = size - len(kept) < _PIECES_TO_WAIT * self._piece_bytes and not broken and end < self._data.size
            rows, cut = self._piece(data, len(kept), start, length, group, used, may_wait=waiting)
            yield rows
            if broken:
                self.damaged.append(BrokenBlockError(self._group.address, f"at byte {end - size + used} of its data: no record"))
                return
            first_kept = max(0, cut - self._piece_bytes)
            for one in self._contents.values():
                one.shift(first_kept)
            kept, rest = content[first_kept:cut], content[cut:]
        self.anomalies["truncated_file"] += bool(rest)

    def _records(
        self, data: NDArray[np.uint8], at: int, size: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int16], int, bool]:
        most = (size - at) // self._id_bytes + 1
        start, length = np.empty(most, np.int64), np.empty(most, np.int64)
        group = np.empty(most, np.int16)
        count, used, broken = self._scan(data, at, size, self._id_bytes, self._group_of, self._record_bytes, start, length, group)
        return start[:count], length[:count], group[:count], used, broken

    def _piece(
        self,
        data: NDArray[np.uint8],
        at: int,
        start: NDArray[np.int64],
        length: NDArray[np.int64],
        group: NDArray[np.int16],
        used: int,
        *,
        may_wait: bool,
    ) -> tuple[Rows, int]:
        """(frames in file order, where the next piece has to begin)."""
        of = {int(number): np.flatnonzero(group == number) for number in np.unique(group)}
        for number, one in self._contents.items():
            records = of.get(number, np.empty(0, np.intp))
            one.add(start[records], length[records])
        cut = used
        if may_wait:
            for number in of.keys() & self._frames.keys():
                source = self._contents.get(self._source_of(number))
                if source is not None:
                    place = self._frames[number].positions(data, start[of[number]])
                    ahead = np.flatnonzero(place >= source.end)
                    if len(ahead):
                        cut = min(cut, int(start[of[number][ahead[0]]]) - self._id_bytes)
        cut = max(cut, at)
        parts, order = [], []
        for number, records in of.items():
            begin = start[records[start[records] < cut]] if cut < used else start[records]
            source = self._contents.get(number)
            if source is not None:
                source.drop_from(cut)
            elif len(begin):
                rows, begin = self._found(number, data, begin)
                parts.append(rows)
                order.append(begin)
        if not parts:
            return Rows.none(), cut
        if len(parts) == 1:
            return parts[0], cut
        return joined(parts).take(np.argsort(np.concatenate(order), kind="stable")), cut

    def _source_of(self, number: int) -> int:
        address = self._frames[number].variable
        return next((n for n, inner in enumerate(self._groups) if address and inner.address == address), -1)

    def _found(self, number: int, data: NDArray[np.uint8], begin: NDArray[np.int64]) -> tuple[Rows, NDArray[np.int64]]:
        source = self._contents.get(self._source_of(number)) if number in self._frames else None
        variable = None
        if source is not None:
            place, there = source.find(self._frames[number].positions(data, begin))
            self._note_missing(int(np.count_nonzero(place < 0)))
            variable = data, np.maximum(place, 0), there
        rows = self._rows(number, data, begin, variable)
        return rows, begin if len(rows) == len(begin) else np.full(len(rows), begin[0] if len(begin) else 0)


def _in_time(pieces: Iterator[Rows]) -> Iterator[Rows]:
    """The rows by their order, as far as it reaches over the next piece: loggers write each group from a buffer of its own."""
    held = Rows.none()
    for rows in pieces:
        both = joined([held, rows])
        both = both.take(np.argsort(both.order, kind="stable"))
        yield both.take(slice(len(held)))
        held = both.take(slice(len(held), None)).packed()
    yield held


class _Contents:
    """The records of a group of variable size: where they lie, by their position in the stream of that group alone."""

    def __init__(self) -> None:
        self.end = 0
        self._position, self._begin, self._length = (np.empty(0, np.int64) for _ in range(3))

    def add(self, begin: NDArray[np.int64], length: NDArray[np.int64]) -> None:
        """Records that follow those known."""
        size = length + 4
        position = self.end + np.cumsum(size) - size
        self.end += int(size.sum())
        self._position = np.concatenate((self._position, position))
        self._begin = np.concatenate((self._begin, begin))
        self._length = np.concatenate((self._length, length))

    def drop_from(self, cut: int) -> None:
        """Forget the records from this byte on: they come again."""
        kept = int(np.searchsorted(self._begin - 4, cut))  # where their length stands: contents may be empty
        if kept < len(self._begin):
            self.end = int(self._position[kept])
            self._position, self._begin, self._length = self._position[:kept], self._begin[:kept], self._length[:kept]

    def shift(self, dropped: int) -> None:
        """The buffer has lost so many bytes in front."""
        first = int(np.searchsorted(self._begin, dropped))
        self._position, self._begin = self._position[first:], self._begin[first:] - dropped
        self._length = self._length[first:]

    def find(self, position: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(where the contents at these positions begin, -1 where there is none; their lengths)."""
        if not len(self._position):
            return np.full(len(position), -1, np.int64), np.zeros(len(position), np.int64)
        row = np.minimum(np.searchsorted(self._position, position), len(self._position) - 1)
        hit = self._position[row] == position
        return np.where(hit, self._begin[row], -1), np.where(hit, self._length[row], 0)


def _contents(groups: tuple[ChannelGroup, ...], frames: dict[int, FrameGroup]) -> dict[int, _Contents]:
    """Group number -> contents, of the groups of variable size that frames point to."""
    wanted = {group.variable for group in frames.values() if group.variable}
    return {number: _Contents() for number, inner in enumerate(groups) if inner.flags & VLSD_GROUP and inner.address in wanted}
