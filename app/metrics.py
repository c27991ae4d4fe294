"""The service's figures in Prometheus' text format, all read from the database: whichever process is asked answers alike."""

from __future__ import annotations

from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from domain.findings import Severity


class MetricsStore(Protocol):
    """What is asked of the store."""

    def figures(self) -> dict[str, Any]:
        """As last saved by the pipeline process."""

    def open_alert_counts(self) -> dict[str, int]:
        """Severity -> alerts."""

    def dead_letter_counts(self) -> dict[str, int]:
        """Reason -> dead letters."""

    def outbox_counts(self) -> dict[str, int]:
        """State -> pushes."""

    def oldest_pending_ns(self) -> int | None:
        """When the oldest waiting push was written."""


_TOTALS = {
    "messages": "Messages taken from the broker since the pipeline process began.",
    "frames": "CAN frames evaluated since the pipeline process began.",
    "duplicates": "Messages dropped because their sequence number was committed already.",
    "missing": "Messages missed in sequence gaps that were given up.",
    "late": "Frames behind their vehicle's watermark.",
    "alerts": "Alerts opened since the pipeline process began.",
    "commits": "Transactions since the pipeline process began.",
    "failures": "Steps whose transaction failed and was done again.",
}
_GAUGES = {
    "lag_s": ("pitcall_lag_seconds", "Age of the newest message when its step was committed."),
    "waiting": ("pitcall_messages_waiting", "Messages that wait for a missing one before them."),
    "vehicles": ("pitcall_vehicles_in_memory", "Vehicles whose state is in the pipeline's memory."),
    "decode_share": ("pitcall_decode_share", "Share of data frames that a signal table knows."),
}


def render_metrics(store: MetricsStore, now_ns: int) -> str:
    """The text that Prometheus scrapes; `now_ns` is wall time."""
    registry = CollectorRegistry()
    figures = store.figures()
    for name, text in _TOTALS.items():
        Counter(f"pitcall_{name}", text, registry=registry).inc(figures.get(name) or 0)
    for name, (metric, text) in _GAUGES.items():
        if figures.get(name) is not None:
            Gauge(metric, text, registry=registry).set(figures[name])
    connected = Gauge("pitcall_broker_connected", "1 while the pipeline's subscription at the broker stands.", registry=registry)
    connected.set(bool(figures.get("connected")))
    age = Gauge(
        "pitcall_figures_age_seconds", "Since the pipeline process last reported; grows where it does not run.", registry=registry
    )
    age.set((now_ns - figures["reported_ns"]) / 1e9 if "reported_ns" in figures else float("inf"))
    if figures.get("last_commit_ns"):
        stamp = Gauge("pitcall_last_commit_timestamp_seconds", "Wall time of the pipeline's last transaction.", registry=registry)
        stamp.set(figures["last_commit_ns"] / 1e9)
    _labelled(registry, "pitcall_decode_anomalies", "Decode anomalies by kind.", "kind", figures.get("anomalies") or {})
    severities = {severity.value: 0 for severity in Severity} | store.open_alert_counts()
    _labelled(registry, "pitcall_alerts_open", "Alerts that are not resolved.", "severity", severities)
    _labelled(registry, "pitcall_dead_letters", "Dead letters in the database.", "reason", store.dead_letter_counts())
    _labelled(registry, "pitcall_outbox_events", "Pushes by state.", "state", {"pending": 0} | store.outbox_counts())
    oldest_ns = store.oldest_pending_ns()
    age_s = Gauge("pitcall_outbox_age_seconds", "Age of the oldest push that waits; 0 where none does.", registry=registry)
    age_s.set(max(0.0, (now_ns - oldest_ns) / 1e9) if oldest_ns else 0.0)
    return generate_latest(registry).decode()


def _labelled(registry: CollectorRegistry, name: str, text: str, label: str, values: dict[str, int]) -> None:
    gauge = Gauge(name, text, [label], registry=registry)
    for word, value in values.items():
        gauge.labels(word).set(value)
