"""Who looks at a page."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from web.api.access import Access, Caller, Scope
from web.api.problems import Problem


class SignInNeeded(Exception):  # noqa: N818 - it is no error: the browser is sent to the sign-in page
    """A page was asked for without a session."""


def _visitor(request: Request) -> Caller:
    access: Access = request.app.state.access
    try:
        visitor = access.caller(request, None)
    except Problem as problem:
        if problem.status == 401:
            raise SignInNeeded from problem
        raise
    if not visitor.may(Scope.READ):
        raise SignInNeeded
    return visitor


Visitor = Annotated[Caller, Depends(_visitor)]
