"""Models, risks and emerging cases in the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, func, select

from domain.emerging import EmergingCase
from domain.model_versions import ModelReport, ModelVersion
from domain.risk import RiskAssessment
from storage import schema
from storage.record_json import to_json
from storage.sql_base import SqlBase, first, insert_absent, lock_documents, parse, replace_rows, transaction


class SqlPredictions(SqlBase):
    """Versions and reports are never deleted; risks are, when they are old."""

    def model_versions(self, name: str | None = None) -> tuple[ModelVersion, ...]:
        """Versions by id: all, or those of one model."""
        table = schema.model_version.c
        wanted = () if name is None else (table.name == name,)
        return self._documents(schema.model_version, ModelVersion, *wanted, order=(table.id,))

    def change_models(self, before: Sequence[ModelVersion], after: Sequence[ModelVersion]) -> bool:
        """Put `after` in place of `before` (and add what is new), unless somebody has changed those meanwhile; then False."""
        with transaction(self._writes) as connection:
            ids = {version.id for version in (*before, *after)}
            if lock_documents(connection, schema.model_version, ModelVersion, ids) != {each.id: each for each in before}:
                return False
            rows = [{"id": each.id, "name": each.name, "stage": each.stage.value, "document": to_json(each)} for each in after]
            replace_rows(connection, schema.model_version, rows)
        return True

    def save_model_report(self, report: ModelReport) -> None:
        """Add a report; doing it again changes nothing."""
        row = {"model": report.model, "kind": report.kind, "time_ns": report.time_ns, "document": to_json(report)}
        with transaction(self._writes) as connection:
            insert_absent(connection, schema.model_report, [row])

    def model_reports(self, model: str, kind: str, *, limit: int | None = None) -> tuple[ModelReport, ...]:
        """Reports of one kind, the latest first."""
        table = schema.model_report
        query = select(table.c.document).where(table.c.model == model, table.c.kind == kind)
        return parse(ModelReport, self._fetch(query.order_by(table.c.time_ns.desc()).limit(limit)))

    def save_assessments(self, assessments: Iterable[RiskAssessment]) -> None:
        """Add risks, or put them in the place of those of the same vehicle, model and day."""
        rows = [
            {
                "vehicle": each.vehicle,
                "model": each.model,
                "day": each.day,
                "probability": each.probability,
                "document": to_json(each),
            }
            for each in assessments
        ]
        with transaction(self._writes) as connection:
            replace_rows(connection, schema.risk_assessment, rows)

    def assessments(self, *, model: str | None = None, since_day: int | None = None) -> tuple[RiskAssessment, ...]:
        """Risks by (day, vehicle, model): all, or of one model, or from one day on."""
        table = schema.risk_assessment.c
        wanted = [] if model is None else [table.model == model]
        wanted += [] if since_day is None else [table.day >= since_day]
        return self._documents(schema.risk_assessment, RiskAssessment, *wanted, order=(table.day, table.vehicle, table.model))

    def latest_assessments(self, vehicle: str) -> tuple[RiskAssessment, ...]:
        """The latest risk of one vehicle by each model that was ever asked, by model."""
        table = schema.risk_assessment
        latest = (
            select(table.c.model, func.max(table.c.day).label("day"))
            .where(table.c.vehicle == vehicle)
            .group_by(table.c.model)
            .subquery()
        )
        query = (
            select(table.c.document)
            .join(latest, (table.c.model == latest.c.model) & (table.c.day == latest.c.day))
            .where(table.c.vehicle == vehicle)
            .order_by(table.c.model)
        )
        return parse(RiskAssessment, self._fetch(query))

    def delete_assessments(self, before_day: int) -> int:
        """Forget risks of days before this one; gives how many."""
        with transaction(self._writes) as connection:
            return connection.execute(delete(schema.risk_assessment).where(schema.risk_assessment.c.day < before_day)).rowcount

    def change_emerging(self, before: Sequence[EmergingCase], after: Sequence[EmergingCase]) -> bool:
        """Put `after` in place of `before` (and add what is new), unless somebody has changed those meanwhile; then False."""
        with transaction(self._writes) as connection:
            ids = {case.id for case in (*before, *after)}
            if lock_documents(connection, schema.emerging_case, EmergingCase, ids) != {each.id: each for each in before}:
                return False
            rows = [
                {"id": each.id, "state": each.state.value, "opened_ns": each.opened_ns, "document": to_json(each)}
                for each in after
            ]
            replace_rows(connection, schema.emerging_case, rows)
        return True

    def emerging_cases(self) -> tuple[EmergingCase, ...]:
        """All cases, the latest first."""
        table = schema.emerging_case.c
        return self._documents(schema.emerging_case, EmergingCase, order=(table.opened_ns.desc(), table.id))

    def emerging_case(self, identifier: str) -> EmergingCase | None:
        """One case."""
        return first(self._documents(schema.emerging_case, EmergingCase, schema.emerging_case.c.id == identifier))
