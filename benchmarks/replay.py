"""Replay, candump file to alerts, against what one would write without pitcall: a loop over frames with cantools and Python rules.

The peer reads lines by hand (faster than python-can's reader), decodes with `Message.decode` by a dictionary of identifiers
(cantools' fastest public way), keeps the last value of each signal, and evaluates each rule, compiled to a Python function, when
one of its inputs came. It leaves out what pitcall does besides: staleness, order, trouble codes, detectors, commits.
"""

from __future__ import annotations

import gzip
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cantools

from rules.expression import Boolean, Call, Dtc, Node, Number, Parameter, Signal
from rules.rule import Rule

Raised = set[tuple[str, int]]
"""(rule id, event time in microseconds)"""

_WORDS = {"and": " and ", "or": " or ", "==": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="} | {
    c: c for c in "+-*/"
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapped:
    """One DBC signal that rules read: its VSS path, and VSS value = physical * scale + offset."""

    path: str
    scale: float
    offset: float


def run(
    *,
    drive: Path,
    dbc: Path,
    mapping: Mapping[str, Mapped],
    rules: Sequence[Rule],
    replay: Callable[[Path], tuple[int, Raised]],
    folder: Path,
    rounds: int = 3,
    copies: int = 20,
    peer_copies: int = 1,
) -> dict[str, Any]:
    """Interleaved rounds of both; medians and their ratio per frame, and whether both raised the same.

    Args:
        drive: a candump recording. mapping: "MESSAGE.SIGNAL" -> VSS. rules: those judged by both.
        replay: pitcall's replay of a file: (frames, what it raised). folder: for the repeated recordings.
    """
    lines = read_lines(drive)
    large, small = folder / "large.log", folder / "small.log"
    large.write_text("".join(repeated(lines, copies)), encoding="ascii")
    small.write_text("".join(repeated(lines, peer_copies)), encoding="ascii")
    peer = PeerLoop(dbc, mapping, rules)
    replay(small)  # compile kernels, fill caches
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        frames, _raised = replay(large)
        ours.append(frames / (time.perf_counter() - began))
        began = time.perf_counter()
        peer_frames, peer_raised = peer.run(small)
        theirs.append(peer_frames / (time.perf_counter() - began))
    _, raised = replay(small)
    return {
        "frames_per_s": statistics.median(ours),
        "vs_loop": statistics.median(our / their for our, their in zip(ours, theirs, strict=True)),
        "loop_frames_per_s": statistics.median(theirs),
        "frames": frames,
        "rules": len(rules),
        "raised": len(raised),
        "differing_findings": len(raised ^ peer_raised),
    }


def read_lines(drive: Path) -> list[str]:
    """The lines of a candump recording, plain or gzip."""
    data = drive.read_bytes()
    return (gzip.decompress(data) if drive.suffix == ".gz" else data).decode("ascii").splitlines(keepends=True)


def repeated(lines: Sequence[str], copies: int) -> Iterator[str]:
    """The recording again and again, each copy ten minutes after the end of the one before."""
    stamps = [float(line[1 : line.index(")")]) for line in (lines[0], lines[-1])]
    period = round(stamps[1] - stamps[0]) + 600
    for copy in range(copies):
        for line in lines:
            end = line.index(")")
            yield f"({int(line[1 : end - 7]) + copy * period}{line[end - 7 :]}"


class PeerLoop:
    """The loop over frames."""

    def __init__(self, dbc: Path, mapping: Mapping[str, Mapped], rules: Sequence[Rule]) -> None:
        database: Any = cantools.database.load_file(dbc, strict=False)
        self._messages: dict[int, tuple[Any, str]] = {m.frame_id: (m, m.name + ".") for m in database.messages}
        self._mapping = mapping
        compiled = [_PeerRule(rule) for rule in rules]
        self._listeners = {p: [r for r in compiled if p in r.inputs] for p in {m.path for m in mapping.values()}}
        self._rules = compiled

    def run(self, log: Path) -> tuple[int, Raised]:
        """(frames, what was raised)."""
        values: dict[str, float] = {}
        raised: Raised = set()
        for rule in self._rules:
            rule.reset()
        count = 0
        last_us = 0
        with log.open(encoding="ascii") as stream:
            for line in stream:
                count += 1
                stamp, _bus, frame = line.split()
                name, _, data = frame.partition("#")
                known = self._messages.get(int(name, 16))
                time_us = int(stamp[1:-8]) * 1_000_000 + int(stamp[-7:-1])
                if time_us - last_us > 300_000_000:  # a new drive
                    values.clear()
                    for rule in self._rules:
                        rule.began_us = None
                last_us = time_us
                if known is None:
                    continue
                message, prefix = known
                touched: dict[str, _PeerRule] = {}
                decoded = message.decode(bytes.fromhex(data), decode_choices=False, scaling=True, allow_truncated=True)
                for signal, value in decoded.items():
                    mapped = self._mapping.get(prefix + signal)
                    if mapped is not None:
                        values[mapped.path] = value * mapped.scale + mapped.offset
                        for rule in self._listeners[mapped.path]:
                            touched[rule.id] = rule
                for rule in touched.values():
                    if rule.raises(values, time_us):
                        raised.add((rule.id, time_us))
        return count, raised


class _PeerRule:
    """A rule as plain Python: gate, condition, hold, clear."""

    def __init__(self, rule: Rule) -> None:
        self.id = rule.id
        self.inputs = {node.path for node in rule.inputs if isinstance(node, Signal)}
        self._when, self._clear = _function(rule.when, rule), _function(rule.clearing, rule)
        self._gate = None if rule.gate is None else _function(rule.gate, rule)
        self._hold_us, self._clear_hold_us = rule.hold_ns // 1000, rule.clear_hold_ns // 1000
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self.active = False
        self.began_us: int | None = None

    def raises(self, values: dict[str, float], time_us: int) -> bool:
        """Evaluate at this time; True where it raises now."""
        try:
            if self._gate is not None and not self._gate(values):
                self.began_us = None
                return False
            holds = (self._clear if self.active else self._when)(values)
        except (KeyError, ZeroDivisionError):
            return False
        if not holds:
            self.began_us = None
            return False
        if self.began_us is None:
            self.began_us = time_us
        if time_us - self.began_us < (self._clear_hold_us if self.active else self._hold_us):
            return False
        self.active, self.began_us = not self.active, None
        return self.active


def _function(node: Node, rule: Rule) -> Callable[[dict[str, float]], bool]:
    """The expression as a compiled Python function of the last values (of rules that stand in our own packs)."""
    function: Callable[[dict[str, float]], bool] = eval(f"lambda v: {_python(node, rule)}")  # noqa: S307
    return function


def _python(node: Node, rule: Rule) -> str:
    match node:
        case Number(value=value) | Boolean(value=value):
            return repr(value)
        case Parameter(name=name):
            return repr(rule.parameters[name])
        case Signal(path=path):
            return f"v[{path!r}]"
        case Dtc():
            raise ValueError("the peer reads no trouble codes")
        case Call(name="not", args=(only,)):
            return f"(not {_python(only, rule)})"
        case Call(name="neg", args=(only,)):
            return f"(-{_python(only, rule)})"
        case Call(name=name, args=args):
            words = [_python(arg, rule) for arg in args]
            if name == "clamp":
                return f"min(max({words[0]}, {words[1]}), {words[2]})"
            return f"({_WORDS[name].join(words)})" if name in _WORDS else f"{name}({', '.join(words)})"
    raise TypeError(type(node).__name__)
