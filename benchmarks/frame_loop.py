"""What one would write without pitcall: a loop over the lines of a candump file, with cantools and rules in plain Python.

Lines are read by hand (faster than python-can's reader) and decoded with `Message.decode` by a dictionary of identifiers. Each value
wakes the rules that read it. Trouble codes come from OBD-II answers of the engine's control unit. All rules of the pack run, with
staleness, timers, windows and unknown values as docs/guides/rules.md says, so that the findings can be compared one by one. It leaves
out what pitcall does besides: records out of order, other diagnostic protocols, detectors, alerts, diagnoses, orders, commits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import cantools

from benchmarks.frame_loop_memory import Memory, length_ns, memory_of
from benchmarks.frame_loop_rule import LoopRule, Seen, UntoldError
from rules.features import Feature, features_of
from rules.functions import LASTING
from rules.rule import Rule

Change = tuple[str, int, bool]
"""(rule id, event time in ns, raised or cleared)."""

DRIVE_GAP_NS = 300_000_000_000
ENGINE_ANSWER = 0x7E8
STORED_CODES = 0x43
FOREVER = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """One DBC signal that rules read: its VSS path, and VSS value = physical * scale + offset."""

    path: str
    scale: float
    offset: float


class FrameLoop:
    """The loop over frames of one vehicle.

    Args:
        mapping: "MESSAGE.SIGNAL" -> VSS. stale_ns: VSS path -> how long a value may be used.

    Attributes:
        rules: how many it runs. left_out: ids of those that read what it does not know.
    """

    def __init__(self, dbc: Path, mapping: Mapping[str, Mapped], rules: Sequence[Rule], stale_ns: Mapping[str, int]) -> None:
        database: Any = cantools.database.load_file(dbc, strict=False)
        self._messages: dict[int, tuple[Any, str]] = {m.frame_id: (m, m.name + ".") for m in database.messages}
        self._mapping = {name: (m.path, m.scale, m.offset) for name, m in mapping.items()}
        self._rules: list[LoopRule] = []
        self.left_out: list[str] = []
        for rule in rules:
            try:
                self._rules.append(LoopRule(rule))
            except UntoldError:
                self.left_out.append(rule.id)
        told = [rule for rule in rules if rule.id not in self.left_out]
        features = features_of(told)
        self._memories = [(feature, memory_of(feature)) for feature in features]
        self._stale = _staleness(features, stale_ns)
        self.rules = len(self._rules)
        self._rules_of = _listeners(self._rules)
        self._memories_of: dict[str, list[tuple[Feature, Memory]]] = {}
        for feature, memory in self._memories:
            for name in feature.item.listens:
                self._memories_of.setdefault(name, []).append((feature, memory))
        self._patterns = [name.removeprefix("dtc:") for name in self._rules_of if name.startswith("dtc:")]

    def run(self, log: Path) -> tuple[int, list[Change]]:
        """(frames, changes of mind in order of time)."""
        for rule in self._rules:
            rule.begin(self._stale)
        for feature, memory in self._memories:
            memory.begin(feature, self._stale)
        seen: Seen = {}
        changes: list[Change] = []
        transfer = bytearray()
        count, last_ns = 0, None
        with log.open(encoding="ascii") as stream:
            for line in stream:
                count += 1
                stamp, _bus, frame = line.split()
                name, _, data = frame.partition("#")
                can_id = int(name, 16)
                now = int(stamp[1:-8]) * 1_000_000_000 + int(stamp[-7:-1]) * 1_000
                if last_ns is not None and now - last_ns >= DRIVE_GAP_NS:
                    changes += self._end_drive(last_ns + DRIVE_GAP_NS, seen)
                last_ns = now
                if can_id == ENGINE_ANSWER:
                    touched = self._codes(bytes.fromhex(data), transfer, now, seen)
                elif can_id in self._messages:
                    touched = self._decode(can_id, data, now, seen)
                else:
                    continue
                if touched:
                    changes += self._judge(touched, now, seen)
        if last_ns is not None:
            changes += self._end_drive(last_ns + DRIVE_GAP_NS, seen)
        return count, changes

    def _decode(self, can_id: int, data: str, now: int, seen: Seen) -> list[str]:
        message, prefix = self._messages[can_id]
        touched = []
        for signal, value in message.decode(bytes.fromhex(data), decode_choices=False, allow_truncated=True).items():
            mapped = self._mapping.get(prefix + signal)
            if mapped is not None:
                path, scale, offset = mapped
                seen[path] = (now, value * scale + offset)
                touched.append(path)
        return touched

    def _judge(self, touched: list[str], now: int, seen: Seen) -> Iterator[Change]:
        if self._memories:
            touched = self._remember(touched, now, seen)
        woken = {}
        for path in touched:
            for rule in self._rules_of.get(path, ()):
                woken[rule.id] = rule
        for rule in woken.values():
            if rule.changes(now, seen, came=True):
                yield rule.id, now, rule.active

    def _remember(self, touched: list[str], now: int, seen: Seen) -> list[str]:
        """Windows and other functions with memory, inner ones first; each is a value like any other."""
        came = dict.fromkeys(touched)
        woken = {feature.name: (feature, memory) for name in touched for feature, memory in self._memories_of.get(name, ())}
        while woken:
            name = min(woken, key=lambda name: woken[name][0].level)
            memory = woken.pop(name)[1]
            seen[name] = (now, memory.take(now, seen))
            came[name] = None
            woken |= {each.name: (each, inner) for each, inner in self._memories_of.get(name, ())}
        return list(came)

    def _codes(self, data: bytes, transfer: bytearray, now: int, seen: Seen) -> list[str]:
        """An ISO-TP frame of the engine's control unit; the answer to "stored codes" says which predicates hold."""
        kind = data[0] >> 4
        if kind == 0:
            answer = data[1 : 1 + data[0]]
        elif kind == 1:
            transfer[:] = data
            return []
        elif kind == 2 and transfer:
            transfer += data[1:]
            size = (transfer[0] & 0xF) << 8 | transfer[1]
            if len(transfer) < 2 + size:
                return []
            answer = bytes(transfer[2 : 2 + size])
            transfer.clear()
        else:
            return []
        if not answer or answer[0] != STORED_CODES:
            return []
        pairs = [answer[at : at + 2] for at in range(2, len(answer) - 1, 2)]
        codes = [f"{'PCBU'[a >> 6]}{a >> 4 & 3}{a & 15:X}{b:02X}" for a, b in pairs if a or b]
        for pattern in self._patterns:
            seen[f"dtc:{pattern}"] = (now, float(any(fnmatchcase(code, pattern) for code in codes)))
        return [f"dtc:{pattern}" for pattern in self._patterns]

    def _end_drive(self, now: int, seen: Seen) -> list[Change]:
        """Every rule is looked at once more, then timers stop."""
        changes = [(rule.id, now, rule.active) for rule in self._rules if rule.changes(now, seen, came=False)]
        for rule in self._rules:
            rule.end_drive()
        for _, memory in self._memories:
            memory.end_drive()
        return changes


def _listeners(rules: Sequence[LoopRule]) -> dict[str, list[LoopRule]]:
    listeners: dict[str, list[LoopRule]] = {}
    for rule in rules:
        for name in rule.listens:
            listeners.setdefault(name, []).append(rule)
    return listeners


def _staleness(features: Sequence[Feature], stale_ns: Mapping[str, int]) -> _Stale:
    known = _Stale(stale_ns)
    for feature in features:
        least = min((known[name] for name in feature.sources), default=FOREVER)
        if feature.call.name == "steady":
            least = length_ns(feature.call.args[1])
        known[feature.name] = FOREVER if feature.call.name in LASTING else least
    return known


class _Stale(dict[str, int]):
    """How long a value may be used; a list of trouble codes holds until the next one."""

    def __missing__(self, name: str) -> int:
        if name.startswith("dtc:"):
            return FOREVER
        raise KeyError(name)
