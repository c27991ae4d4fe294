"""`/healthz`, `/readyz` and `/metrics`: for supervisors and Prometheus, without a key and without anything about a vehicle."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from domain.errors import StorageError
from web.api.service import Served

router = APIRouter(tags=["health"])


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"description": "not ready; `checks` says why"}})
def readyz(service: Served) -> Response:
    """Whether requests can be served: the database answers, and every check of the service passes."""
    checks = {"database": _database(service)} | {name: check() for name, check in service.readiness.items()}
    ready = not any(checks.values())
    document = {"status": "ready" if ready else "not_ready", "checks": {name: said or "ok" for name, said in checks.items()}}
    return JSONResponse(document, 200 if ready else 503)


@router.get("/metrics")
def metrics(service: Served) -> Response:
    """Figures in Prometheus' text format."""
    return PlainTextResponse(service.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")


def _database(service: Served) -> str:
    try:
        service.store.dealers()
    except StorageError:
        return "the database cannot be used"
    return ""
