"""Silences, labels and outcomes of repairs in dictionaries: the same as `storage.sql_verdicts.SqlVerdicts`."""

from __future__ import annotations

from domain.repairs import RepairOutcome
from domain.silences import AlertLabel, Silence


class MemoryVerdicts:
    """What people say of alerts."""

    def __init__(self) -> None:
        self._silences: dict[str, Silence] = {}
        self._labels: dict[tuple[str, int], AlertLabel] = {}
        self._outcomes: dict[tuple[str, int], RepairOutcome] = {}

    def save_silence(self, silence: Silence) -> None:
        """Add a silence, or put one that was ended early in its place."""
        self._silences[silence.id] = silence

    def silence(self, identifier: str) -> Silence | None:
        """One silence."""
        return self._silences.get(identifier)

    def silences(self, *, ending_after_ns: int | None = None) -> tuple[Silence, ...]:
        """Silences by (ends_ns, id): all, or those that end after this time."""
        found = (each for each in self._silences.values() if ending_after_ns is None or each.ends_ns > ending_after_ns)
        return tuple(sorted(found, key=lambda each: (each.ends_ns, each.id)))

    def label_alert(self, label: AlertLabel) -> None:
        """Add a verdict on an alert; doing it again changes nothing."""
        self._labels.setdefault((label.alert, label.created_ns), label)

    def labels(self, alert: str | None = None) -> tuple[AlertLabel, ...]:
        """Verdicts by (alert, created_ns): all, or those on one alert."""
        return tuple(label for key, label in sorted(self._labels.items()) if alert in (None, label.alert))

    def save_outcome(self, outcome: RepairOutcome) -> None:
        """Add what a repair found; doing it again changes nothing."""
        self._outcomes.setdefault((outcome.order, outcome.created_ns), outcome)

    def outcomes(self) -> tuple[RepairOutcome, ...]:
        """What all repairs found, by (order, created_ns)."""
        return tuple(outcome for _, outcome in sorted(self._outcomes.items()))
