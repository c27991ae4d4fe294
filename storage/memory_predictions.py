"""Models, risks and emerging cases in dictionaries: the same as `storage.sql_predictions.SqlPredictions`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from domain.emerging import EmergingCase
from domain.model_versions import ModelReport, ModelVersion
from domain.risk import RiskAssessment


class _Named(Protocol):
    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=_Named)


class MemoryPredictions:
    """What models say, and which there are."""

    def __init__(self) -> None:
        self._models: dict[str, ModelVersion] = {}
        self._reports: dict[tuple[str, str, int], ModelReport] = {}
        self._risks: dict[tuple[int, str, str], RiskAssessment] = {}
        self._emerging: dict[str, EmergingCase] = {}

    def model_versions(self, name: str | None = None) -> tuple[ModelVersion, ...]:
        """Versions by id: all, or those of one model."""
        found = (each for each in self._models.values() if name is None or each.name == name)
        return tuple(sorted(found, key=lambda each: each.id))

    def change_models(self, before: Sequence[ModelVersion], after: Sequence[ModelVersion]) -> bool:
        """Put `after` in place of `before` (and add what is new), unless somebody has changed those meanwhile; then False."""
        return _exchange(self._models, before, after)

    def save_model_report(self, report: ModelReport) -> None:
        """Add a report; doing it again changes nothing."""
        self._reports.setdefault((report.model, report.kind, report.time_ns), report)

    def model_reports(self, model: str, kind: str, *, limit: int | None = None) -> tuple[ModelReport, ...]:
        """Reports of one kind, the latest first."""
        found = [each for key, each in self._reports.items() if key[:2] == (model, kind)]
        return tuple(sorted(found, key=lambda each: -each.time_ns)[:limit])

    def save_assessments(self, assessments: Iterable[RiskAssessment]) -> None:
        """Add risks, or put them in the place of those of the same vehicle, model and day."""
        self._risks.update({(each.day, each.vehicle, each.model): each for each in assessments})

    def assessments(self, *, model: str | None = None, since_day: int | None = None) -> tuple[RiskAssessment, ...]:
        """Risks by (day, vehicle, model): all, or of one model, or from one day on."""
        return tuple(
            each
            for _, each in sorted(self._risks.items())
            if (model is None or each.model == model) and (since_day is None or each.day >= since_day)
        )

    def latest_assessments(self, vehicle: str) -> tuple[RiskAssessment, ...]:
        """The latest risk of one vehicle by each model that was ever asked, by model."""
        latest = {each.model: each for key, each in sorted(self._risks.items()) if key[1] == vehicle}
        return tuple(latest[model] for model in sorted(latest))

    def delete_assessments(self, before_day: int) -> int:
        """Forget risks of days before this one; gives how many."""
        old = [key for key in self._risks if key[0] < before_day]
        for key in old:
            del self._risks[key]
        return len(old)

    def change_emerging(self, before: Sequence[EmergingCase], after: Sequence[EmergingCase]) -> bool:
        """Put `after` in place of `before` (and add what is new), unless somebody has changed those meanwhile; then False."""
        return _exchange(self._emerging, before, after)

    def emerging_cases(self) -> tuple[EmergingCase, ...]:
        """All cases, the latest first."""
        return tuple(sorted(self._emerging.values(), key=lambda each: (-each.opened_ns, each.id)))

    def emerging_case(self, identifier: str) -> EmergingCase | None:
        """One case."""
        return self._emerging.get(identifier)


def _exchange(kept: dict[str, R], before: Sequence[R], after: Sequence[R]) -> bool:
    ids = {each.id for each in (*before, *after)}
    if {name: kept[name] for name in ids & kept.keys()} != {each.id: each for each in before}:
        return False
    kept.update({each.id: each for each in after})
    return True
