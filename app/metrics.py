"""The service's figures in Prometheus' text format, all read from the database: whichever process is asked answers alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

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
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures([*_pipeline_metrics(store.figures(), now_ns), *_store_metrics(store, now_ns)]))
    return generate_latest(registry).decode()


class _Figures(Collector):
    """Hands out metrics that are there already."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        """All of them."""
        return self._metrics


def _pipeline_metrics(figures: dict[str, Any], now_ns: int) -> Iterator[Metric]:
    for name, text in _TOTALS.items():
        yield CounterMetricFamily(f"pitcall_{name}", text, value=figures.get(name) or 0)
    for name, (metric, text) in _GAUGES.items():
        if figures.get(name) is not None:
            yield GaugeMetricFamily(metric, text, value=figures[name])
    connected = "1 while the pipeline's subscription at the broker stands."
    yield GaugeMetricFamily("pitcall_broker_connected", connected, value=bool(figures.get("connected")))
    age_s = (now_ns - figures["reported_ns"]) / 1e9 if "reported_ns" in figures else float("inf")
    silence = "Since the pipeline process last reported; grows where it does not run."
    yield GaugeMetricFamily("pitcall_figures_age_seconds", silence, value=age_s)
    if figures.get("last_commit_ns"):
        last_s = figures["last_commit_ns"] / 1e9
        yield GaugeMetricFamily("pitcall_last_commit_timestamp_seconds", "Wall time of the last transaction.", value=last_s)
    shadow = {rule: counts.get("raised", 0) for rule, counts in (figures.get("shadow") or {}).items()}
    yield _labelled("pitcall_shadow_raised", "How often a shadow rule would have raised since the process began.", "rule", shadow)
    yield _labelled("pitcall_decode_anomalies", "Decode anomalies by kind.", "kind", figures.get("anomalies") or {})


def _store_metrics(store: MetricsStore, now_ns: int) -> Iterator[Metric]:
    severities = {severity.value: 0 for severity in Severity} | store.open_alert_counts()
    yield _labelled("pitcall_alerts_open", "Alerts that are not resolved.", "severity", severities)
    yield _labelled("pitcall_dead_letters", "Dead letters in the database.", "reason", store.dead_letter_counts())
    yield _labelled("pitcall_outbox_events", "Pushes by state.", "state", {"pending": 0} | store.outbox_counts())
    oldest_ns = store.oldest_pending_ns()
    age_s = max(0.0, (now_ns - oldest_ns) / 1e9) if oldest_ns else 0.0
    yield GaugeMetricFamily("pitcall_outbox_age_seconds", "Age of the oldest push that waits; 0 where none does.", value=age_s)


def _labelled(name: str, text: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=[label])
    for word, value in values.items():
        family.add_metric([word], value)
    return family
