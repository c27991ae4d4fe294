"""Which ECU has which J1939 source address: address claims (SAE J1939-81, PGN 60928)."""

from __future__ import annotations

from collections import Counter

ADDRESS_CLAIM_PGN = 60928
CONTENTION_NS = 250_000_000
"""Two claims of one address within this time contend, and the lower NAME wins; later, the ECU at the address has changed."""
MAX_CLAIMS = 512
"""Two buses full of ECUs; a flood of claims drops the oldest."""

MALFORMED = "address_claim_malformed"
CROWDED_OUT = "address_claim_crowded_out"
CANNOT_CLAIM = 254
NO_NAME = -1


class AddressBook:
    """The NAMEs behind the source addresses of one vehicle's buses."""

    __slots__ = ("claims",)

    def __init__(self) -> None:
        self.claims: dict[tuple[str, int], tuple[int, int]] = {}
        """(bus, address) -> (NAME, time of the claim)."""

    def claim(self, bus: str, source: int, time_ns: int, frame: bytes, anomalies: Counter[str]) -> None:
        """Take an address claim; one from the null address (cannot claim) claims nothing."""
        if len(frame) < 8:
            anomalies[MALFORMED] += 1
            return
        if source >= CANNOT_CLAIM:
            return
        name = int.from_bytes(frame[:8], "little")
        held, since_ns = self.claims.get((bus, source), (NO_NAME, 0))
        if held not in (NO_NAME, name) and time_ns - since_ns <= CONTENTION_NS and held < name:
            return
        for address in [key for key, (other, _) in self.claims.items() if other == name and key[0] == bus]:
            del self.claims[address]
        while len(self.claims) >= MAX_CLAIMS:
            del self.claims[min(self.claims, key=lambda key: (self.claims[key][1], key))]
            anomalies[CROWDED_OUT] += 1
        self.claims[bus, source] = (name, time_ns)

    def name(self, bus: str, source: int) -> int:
        """The NAME at this address, -1 where none has claimed it."""
        return self.claims.get((bus, source), (NO_NAME, 0))[0]

    def dump(self) -> list[list[str | int]]:
        """The claims as plain values, for `load`."""
        return [[*key, *claim] for key, claim in self.claims.items()]

    def load(self, rows: list[tuple[str, int, int, int]]) -> None:
        """Set the claims from what `dump` gave."""
        self.claims = {(bus, source): (name, time_ns) for bus, source, name, time_ns in rows}
