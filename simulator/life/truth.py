"""What is known of the truth: one record for each fault and each part that wore out unnoticed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from simulator.life.faults import NEVER, Episode


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRecord:
    """One row of faults.csv; times in seconds since day 0, `NEVER` where they do not come.

    Attributes:
        onset_s: nothing shows before. detectable_s: from when on it counts as detectable. failed_s: when the part failed.
        repaired_s: when it was as new again. sudden: no warning was possible. place: cylinder, wheel or cell, 0 = none.
    """

    kind: str
    family: str
    component: str
    group_key: str
    onset_s: float
    detectable_s: float
    failed_s: float
    repaired_s: float
    sudden: bool = False
    place: int = 0
    lot: str = ""

    @property
    def outcome(self) -> str:
        """One of "failed", "repaired" (before it failed) or "open"."""
        return "failed" if self.failed_s < NEVER else "repaired" if self.repaired_s < NEVER else "open"

    def until(self, end_s: float) -> FaultRecord:
        """As it is known at `end_s`."""
        failed_s = self.failed_s if self.failed_s < end_s else NEVER
        return replace(self, failed_s=failed_s, repaired_s=self.repaired_s if self.repaired_s < end_s else NEVER)


def record_of(episode: Episode) -> FaultRecord:
    """The record of a fault."""
    return FaultRecord(
        kind=episode.kind.kind,
        family=episode.kind.family,
        component=episode.kind.component,
        group_key=episode.kind.group_key,
        onset_s=episode.onset_s,
        detectable_s=min(episode.detectable_s, episode.repaired_s),
        failed_s=episode.failed_s,
        repaired_s=episode.repaired_s,
        sudden=episode.sudden,
        place=episode.place,
        lot=episode.lot,
    )
