"""Which vehicles are driving, and whose drive is over because nothing comes any more."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class _Present:
    """`heard_ns`: last arrival. `tokens`: status messages to acknowledge when the drive's end is stored."""

    heard_ns: int
    offline: bool = False
    open: bool = False
    tokens: list[int] = field(default_factory=list)


class Presence:
    """Knows, per vehicle in memory, when it was last heard of. A drive is open from the first message until it is closed.

    Args:
        silent_after_ns: how long a vehicle may be silent before its drive is over.
        offline_after_ns: the same for one that says (or whose broker says for it) that it is offline; long enough for messages to
            arrive that the status has overtaken.
    """

    def __init__(self, *, silent_after_ns: int, offline_after_ns: int) -> None:
        self._silent_after_ns, self._offline_after_ns = silent_after_ns, offline_after_ns
        self._vehicles: dict[str, _Present] = {}

    def heard(self, vehicle: str, received_ns: int) -> bool:
        """A message of this vehicle; True where it opens a drive."""
        present = self._vehicles.get(vehicle)
        if present is None:
            present = self._vehicles[vehicle] = _Present(heard_ns=received_ns)
        present.heard_ns = max(present.heard_ns, received_ns)
        opens, present.open = not present.open, True
        return opens

    def restore(self, vehicle: str, now_ns: int) -> None:
        """A drive was open when the process stopped; its silence counts from now."""
        self._vehicles[vehicle] = _Present(heard_ns=now_ns, open=True)

    def status(self, vehicle: str, *, online: bool, token: int, now_ns: int) -> list[int]:
        """What a status message says; gives the tokens that need not wait for the end of a drive."""
        present = self._vehicles.get(vehicle)
        if present is None or not present.open:
            return [token]
        present.offline = not online
        if online:
            done, present.tokens = [*present.tokens, token], []
            return done
        present.heard_ns = max(present.heard_ns, now_ns)
        present.tokens.append(token)
        return []

    def over(self, now_ns: int) -> list[str]:
        """Vehicles with an open drive whose time is up, by name."""
        return sorted(
            vehicle
            for vehicle, present in self._vehicles.items()
            if present.open
            and now_ns - present.heard_ns >= (self._offline_after_ns if present.offline else self._silent_after_ns)
        )

    def close(self, vehicle: str) -> list[int]:
        """The drive is over; gives the tokens that are done with it."""
        present = self._vehicles[vehicle]
        present.open = present.offline = False
        done, present.tokens = present.tokens, []
        return done

    def idle(self, now_ns: int, after_ns: int) -> list[str]:
        """Vehicles not heard of for so long."""
        return [vehicle for vehicle, present in self._vehicles.items() if now_ns - present.heard_ns >= after_ns]

    def forget_closed(self, vehicle: str) -> None:
        """Drop a vehicle without an open drive; one with an open drive stays, since its end is still to come."""
        if not self._vehicles[vehicle].open:
            del self._vehicles[vehicle]
