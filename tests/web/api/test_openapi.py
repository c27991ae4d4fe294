"""Requests made from the API's own description, sensible and odd ones: none of them ends in a server error."""

from __future__ import annotations

import os
import warnings
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.web.serving import NOW_NS, ORDER, client, store
from web.api import create_app

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of its own dependencies
    import schemathesis

EXAMPLES = 200 if os.environ.get("PITCALL_LONG_TESTS") else 5
STREAM = "/api/v1/stream"
"""Never ends; has tests of its own."""
SENT = ("method", "url", "params", "headers", "json", "content", "data")

SCHEMA = schemathesis.openapi.from_dict(create_app(store, metrics=lambda: "", clock=lambda: NOW_NS, open_access=True).openapi())
OPERATIONS = [each.ok() for each in SCHEMA.get_all_operations() if each.ok().path != STREAM]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.label)
def test_no_request_ends_in_a_server_error(operation: Any) -> None:
    with client() as web:

        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            for name, value in (case.path_parameters or {}).items():
                if name == "order_id" and len(str(value)) % 2:
                    case.path_parameters[name] = ORDER  # half of the requests find something
            request = case.as_transport_kwargs(base_url="http://127.0.0.1")
            sent = {name: request[name] for name in SENT if request.get(name) is not None}
            if isinstance(sent.get("data"), bytes):
                sent["content"] = sent.pop("data")
            answer = web.request(**sent)
            assert answer.status_code < 500, (request, answer.text)

        ask()
