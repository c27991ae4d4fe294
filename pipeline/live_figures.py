"""What a step of live operation did, and the totals of all steps."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pipeline.sequencing import SECOND_NS

_SUMMED = ("messages", "frames", "duplicates", "gaps", "missing", "late", "dead_letters", "alerts", "closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """What one step did.

    Attributes:
        messages: taken. passed: went on to the line. duplicates: dropped. gaps, missing: given up, and messages missed in them.
        frames: evaluated. late: records behind their watermark. dead_letters: all, late ones too. alerts: opened.
        vehicles: touched. closed: drives that ended. committed: a transaction was made.
        failure: why the store failed, "" where it did not; the work is kept and done again by the next step.
    """

    messages: int = 0
    passed: int = 0
    duplicates: int = 0
    gaps: int = 0
    missing: int = 0
    frames: int = 0
    late: int = 0
    dead_letters: int = 0
    alerts: int = 0
    vehicles: int = 0
    closed: int = 0
    committed: bool = False
    failure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFigures:
    """Totals since the runner began, for `/metrics`.

    Attributes:
        waiting: messages behind a gap now. vehicles: in memory now. failures: steps whose commit failed.
        last_commit_ns: wall time, 0 before the first. lag_s: age of the newest message at the end of the last step that took some.
        connected: whether the receiver stands.
    """

    messages: int = 0
    frames: int = 0
    duplicates: int = 0
    gaps: int = 0
    missing: int = 0
    late: int = 0
    dead_letters: int = 0
    alerts: int = 0
    commits: int = 0
    failures: int = 0
    closed: int = 0
    waiting: int = 0
    vehicles: int = 0
    last_commit_ns: int = 0
    lag_s: float = 0.0
    connected: bool = False

    def after(
        self, report: StepReport, *, now_ns: int, newest_ns: int | None, waiting: int, vehicles: int, connected: bool
    ) -> LiveFigures:
        """The figures after one more step; `newest_ns` is when the newest message it took was received, None where it took none."""
        totals = {name: getattr(self, name) + getattr(report, name) for name in _SUMMED}
        return replace(
            self,
            **totals,
            commits=self.commits + report.committed,
            failures=self.failures + bool(report.failure),
            waiting=waiting,
            vehicles=vehicles,
            last_commit_ns=now_ns if report.committed else self.last_commit_ns,
            lag_s=self.lag_s if newest_ns is None else (now_ns - newest_ns) / SECOND_NS,
            connected=connected,
        )
