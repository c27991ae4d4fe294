"""OBD-II freeze frames (SAE J1979 service 02): single answers gathered into the snapshot that belongs to one code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from domain.trouble_codes import FreezeValue, StatusBit, TroubleCode
from domain.vss import catalogue
from ingest.builtin import PidSignal
from ingest.diagnostics.obd import MALFORMED, trouble_code

GATHER_NS = 5_000_000_000
"""Answers within this time of a frame's first one belong together."""
CAUSING_CODE_PID = 0x02

UNKNOWN_PID = "freeze_frame_unknown_pid"
WITHOUT_CODE = "freeze_frame_without_code"
CROWDED_OUT = "freeze_frame_crowded_out"
MAX_GATHERINGS = 64
"""Under way at once in one vehicle; a flood of answers ends the oldest."""

Key = tuple[str, int, int]
"""(bus name, answering CAN id, freeze frame number)."""
Signals = dict[int, tuple[PidSignal, ...]]


@dataclass(slots=True, kw_only=True)
class Gathering:
    """A freeze frame being read. `code`: the causing code's two bytes, None while not asked for, 0000 where none is stored."""

    opened_ns: int
    code: bytes | None = None
    values: dict[str, FreezeValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeFrame:
    """A whole freeze frame of one responder: the code that caused it and the values kept, in the order they came."""

    bus: str
    source: int
    code: TroubleCode
    values: tuple[FreezeValue, ...]


def signals_by_pid(pids: Sequence[PidSignal]) -> Signals:
    """The values of each PID."""
    return {number: tuple(s for s in pids if s.pid == number) for number in {s.pid for s in pids}}


class FreezeFrameCollector:
    """Gathers the freeze frames of one vehicle's responders.

    A frame is whole when its causing code (PID 02) is told again, when `GATHER_NS` have passed since its first answer,
    or at the end of the drive. What comes before the causing code is kept too, for testers ask in any order.
    """

    __slots__ = ("gatherings",)

    def __init__(self) -> None:
        self.gatherings: dict[Key, Gathering] = {}

    def receive(
        self, bus: str, source: int, time_ns: int, payload: bytes, signals: Signals, anomalies: Counter[str]
    ) -> list[FreezeFrame]:
        """Take a whole answer `42 (PID, frame number, data)…`; gives the frames that it brings to an end."""
        whole: list[FreezeFrame] = []
        for pid, number, data in _answers(payload, signals, anomalies):
            key = (bus, source, number)
            gathering = self.gatherings.get(key)
            if pid == CAUSING_CODE_PID and gathering and gathering.code is not None:
                whole += self._close(key, anomalies)
                gathering = None
            if gathering is None:
                if len(self.gatherings) >= MAX_GATHERINGS:
                    anomalies[CROWDED_OUT] += 1
                    whole += self._close(min(self.gatherings, key=lambda k: (self.gatherings[k].opened_ns, k)), anomalies)
                gathering = self.gatherings[key] = Gathering(opened_ns=time_ns)
            if pid == CAUSING_CODE_PID:
                gathering.code = data
            for signal in signals.get(pid, ()):
                value = freeze_value(signal, data)
                if value is not None:
                    gathering.values[value.signal] = value
        return whole

    def next_deadline_ns(self) -> int | None:
        """When the oldest frame under way ends by itself."""
        return min((g.opened_ns + GATHER_NS for g in self.gatherings.values()), default=None)

    def close_due(self, time_ns: int, anomalies: Counter[str]) -> list[FreezeFrame]:
        """The frames that are whole at this event time."""
        due = [key for key, g in self.gatherings.items() if g.opened_ns + GATHER_NS <= time_ns]
        return [frame for key in due for frame in self._close(key, anomalies)]

    def close_all(self, anomalies: Counter[str]) -> list[FreezeFrame]:
        """The frames under way, whole or not (a tick came)."""
        return [frame for key in list(self.gatherings) for frame in self._close(key, anomalies)]

    def _close(self, key: Key, anomalies: Counter[str]) -> list[FreezeFrame]:
        gathering = self.gatherings.pop(key)
        if gathering.code is None:
            anomalies[WITHOUT_CODE] += 1
        if not gathering.code or not any(gathering.code):
            return []
        bus, source, _ = key
        code = trouble_code(gathering.code, StatusBit.FAILED_SINCE_CLEAR)
        return [FreezeFrame(bus=bus, source=source, code=code, values=tuple(gathering.values.values()))]

    def dump(self) -> list[list[object]]:
        """The frames under way as plain values, for `load`."""
        return [
            [
                *key,
                g.opened_ns,
                None if g.code is None else g.code.hex(),
                [[v.signal, v.value, v.unit] for v in g.values.values()],
            ]
            for key, g in self.gatherings.items()
        ]

    def load(self, rows: list[tuple[str, int, int, int, str | None, list[tuple[str, float, str]]]]) -> None:
        """Set the frames under way from what `dump` gave."""
        self.gatherings = {
            (bus, source, number): Gathering(
                opened_ns=opened_ns,
                code=None if code is None else bytes.fromhex(code),
                values={signal: FreezeValue(signal=signal, value=value, unit=unit) for signal, value, unit in values},
            )
            for bus, source, number, opened_ns, code, values in rows
        }


def _answers(payload: bytes, signals: Signals, anomalies: Counter[str]) -> Iterator[tuple[int, int, bytes]]:
    """(PID, frame number, data) of each PID answered; ends at a PID whose length no table tells."""
    at = 1
    while at < len(payload):
        pid = payload[at]
        size = _data_bytes(pid, signals)
        if size is None:
            anomalies[UNKNOWN_PID] += 1
            return
        if len(payload) < at + 2 + size:
            anomalies[MALFORMED] += 1
            return
        yield pid, payload[at + 1], payload[at + 2 : at + 2 + size]
        at += 2 + size


def _data_bytes(pid: int, signals: Signals) -> int | None:
    if pid == CAUSING_CODE_PID:
        return 2
    if pid % 0x20 == 0:
        return 4  # bitmap of supported PIDs
    return signals[pid][0].data_bytes if pid in signals else None


def freeze_value(signal: PidSignal, data: bytes) -> FreezeValue | None:
    """The value under its VSS path and unit; None where the data do not hold it."""
    value = signal.decode(data)
    if value is None:
        return None
    if not signal.path:
        return FreezeValue(signal=f"PID 0x{signal.pid:02X} {signal.name}", value=value, unit=signal.unit)
    return FreezeValue(signal=signal.path, value=value * signal.path_scale, unit=catalogue()[signal.path].unit)
