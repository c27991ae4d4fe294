"""Health, problems and what does not change the answer."""

from __future__ import annotations

from domain.errors import StorageError
from storage.memory_store import MemoryStore
from tests.web.serving import client


class Broken(MemoryStore):
    """A store whose database is gone."""

    def dealers(self):
        raise StorageError("the database failed (password=hunter2)")

    def alerts(self, **_):
        return self.dealers()


def test_a_service_is_ready_when_its_database_and_every_check_say_so():
    with client() as web:
        assert web.get("/readyz").json() == {"status": "ready", "checks": {"database": "ok"}}
    with client(readiness={"pipeline": lambda: "has not started yet", "other": lambda: ""}) as web:
        answer = web.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["checks"] == {"database": "ok", "pipeline": "has not started yet", "other": "ok"}


def test_a_database_that_fails_is_a_problem_without_its_words():
    with client(Broken()) as web:
        assert web.get("/healthz").status_code == 200
        assert web.get("/readyz").status_code == 503
        answer = web.get("/api/v1/alerts")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.headers["content-type"] == "application/problem+json"
        assert "hunter2" not in answer.text


def test_unknown_addresses_and_methods_are_problems():
    with client() as web:
        for method, path, status in (
            ("GET", "/nothing", 404),
            ("DELETE", "/api/v1/alerts", 405),
            ("GET", "/static/../words.py", 404),
        ):
            answer = web.request(method, path)
            assert answer.status_code == status
            assert answer.headers["content-type"] == "application/problem+json"


def test_metrics_are_given_as_prometheus_reads_them():
    with client() as web:
        answer = web.get("/metrics")
        assert answer.text == "pitcall_alerts 3\n"
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


def test_the_description_of_the_api_names_every_address():
    with client() as web:
        paths = set(web.get("/api/v1/openapi.json").json()["paths"])
        assert {"/api/v1/alerts", "/api/v1/orders/{order_id}/transitions", "/api/v1/stream", "/readyz"} <= paths
        assert "/" not in paths
