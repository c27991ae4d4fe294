"""Errors as problem documents (RFC 9457, `application/problem+json`)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from domain.errors import StorageError


class Problem(Exception):  # noqa: N818 - the name of the RFC
    """What went wrong, as the caller is told.

    Args:
        status: HTTP status. code: stable word for programs; the document's `type` is `urn:pitcall:problem:CODE`.
        detail: one sentence with what to do about it. more: further members of the document. headers: of the response.
    """

    def __init__(self, status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> None:
        self.status, self.code, self.detail, self.more, self.headers = status, code, detail, more, headers
        super().__init__(detail)


def problem_response(problem: Problem) -> JSONResponse:
    """The document of a problem."""
    document = {
        "type": f"urn:pitcall:problem:{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        **problem.more,
    }
    return JSONResponse(document, problem.status, headers=problem.headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    """Answer every error of the application as a problem document; what is in the database's message goes to the log only."""

    @app.exception_handler(Problem)
    def _ours(_request: Request, problem: Problem) -> JSONResponse:
        return problem_response(problem)

    @app.exception_handler(HTTPException)
    def _http(_request: Request, error: HTTPException) -> JSONResponse:
        code = HTTPStatus(error.status_code).name.lower()
        headers = dict(error.headers) if error.headers else None
        return problem_response(Problem(error.status_code, code, f"{error.detail}.", headers=headers))

    @app.exception_handler(RequestValidationError)
    def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        errors = [{"where": ".".join(str(part) for part in each["loc"]), "what": each["msg"]} for each in error.errors()]
        wrong = "; ".join(f"{each['where']}: {each['what']}" for each in errors)
        return problem_response(Problem(422, "invalid_request", wrong, errors=errors))

    @app.exception_handler(StorageError)
    def _storage(_request: Request, _error: StorageError) -> JSONResponse:
        return problem_response(
            Problem(503, "database_unavailable", "The database cannot be used now; try again.", headers={"retry-after": "5"})
        )
