"""Signed webhooks by the Standard Webhooks specification."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx

from domain.errors import DeliveryError
from domain.fleet import Dealer
from domain.records import OutboxEvent
from notifier.channels.endpoint_guard import EndpointVerdict, JudgedEndpoint, Resolver, judge, resolve
from notifier.channels.signatures import signatures
from notifier.star.dms_adapter import ADAPTERS, DmsAdapter

TIMEOUT_S = 15.0
CLOUD_EVENT = "application/cloudevents+json; charset=utf-8"
THROTTLED = frozenset({429, 502, 503, 504})
"""Statuses whose `retry-after` is honoured."""


class WebhookChannel:
    """Posts an event's body, signed, to its dealer's endpoint; any 2xx answer is success.

    Redirects are failures and never followed; 410 means that the endpoint wants no more. Neither secrets nor endpoints appear in
    errors.

    Args:
        secret_of: the signing secrets (`notifier.channels.signatures`) by the name in `Dealer.secret_name`; raises KeyError where there is none.
        allow_private: also plain http and private addresses, for trials.
        timeout_s: for connecting and for each wait for the answer.
        resolver: host and port -> addresses.
        adapters: for dealers whose management system wants documents of its own (`Dealer.dms`); what is sent is what is signed.
        name: as events name it.
    """

    def __init__(
        self,
        secret_of: Callable[[str], str],
        *,
        allow_private: bool = False,
        timeout_s: float = TIMEOUT_S,
        resolver: Resolver = resolve,
        adapters: Mapping[str, DmsAdapter] = ADAPTERS,
        name: str = "webhook",
    ) -> None:
        self.name = name
        self._secret_of = secret_of
        self._allow_private = allow_private
        self._resolver, self._adapters = resolver, adapters
        # no proxies, credentials or certificates from the environment: the guarded address is the one connected to
        self._client = httpx.Client(follow_redirects=False, timeout=timeout_s, trust_env=False)

    def close(self) -> None:
        """Drop open connections."""
        self._client.close()

    def deliver(self, event: OutboxEvent, dealer: Dealer | None, attempt_ns: int) -> None:
        """Post the event; `attempt_ns` (wall time) is the signed timestamp.

        Raises:
            DeliveryError: it did not get through.
        """
        if dealer is None or not dealer.endpoint:
            raise DeliveryError("the recipient has no endpoint")
        body, content_type = event.body, CLOUD_EVENT
        if dealer.dms:
            adapter = self._adapters.get(dealer.dms)
            if adapter is None:
                raise DeliveryError(f"there is no adapter for systems of kind {dealer.dms!r}")
            body, content_type = adapter.outward(event.body), adapter.content_type
        endpoint = judge(dealer.endpoint, allow_private=self._allow_private, resolver=self._resolver)
        if endpoint.verdict is not EndpointVerdict.ALLOWED:
            raise DeliveryError(endpoint.verdict.value)
        headers = {"content-type": content_type, **self._signed_headers(event.id, body, dealer, attempt_ns)}
        status, answered = self._post(endpoint, body, headers)
        if 200 <= status < 300:
            return
        if status == httpx.codes.GONE:
            raise DeliveryError("answered 410: the endpoint is gone", gone=True)
        wait_s = _retry_after_s(answered.get("retry-after", ""), attempt_ns) if status in THROTTLED else None
        raise DeliveryError(f"answered {status}", retry_after_s=wait_s)

    def _signed_headers(self, identifier: str, body: str, dealer: Dealer, attempt_ns: int) -> dict[str, str]:
        seconds = attempt_ns // 1_000_000_000
        try:
            keys = self._secret_of(dealer.secret_name)
        except KeyError as problem:
            raise DeliveryError(f"there is no signing secret {dealer.secret_name!r}") from problem
        return {
            "user-agent": "pitcall",
            "webhook-id": identifier,
            "webhook-timestamp": str(seconds),
            "webhook-signature": signatures(keys, dealer.secret_name, identifier, seconds, body),
        }

    def _post(self, endpoint: JudgedEndpoint, body: str, headers: Mapping[str, str]) -> tuple[int, httpx.Headers]:
        """Status and headers of the answer; its body is not read, so a recipient cannot fill our memory."""
        try:
            with self._client.stream(
                "POST",
                endpoint.pinned_url,
                content=body.encode(),
                headers={"host": endpoint.host_header, **headers},
                extensions={"sni_hostname": endpoint.host},
            ) as answer:
                return answer.status_code, answer.headers
        except httpx.TimeoutException as problem:
            raise DeliveryError("did not answer in time") from problem
        except (httpx.HTTPError, httpx.InvalidURL) as problem:
            raise DeliveryError(f"could not be reached ({type(problem).__name__})") from problem


def _retry_after_s(value: str, attempt_ns: int) -> float | None:
    """Seconds from a `Retry-After` header, which holds seconds or a date; None where it holds neither."""
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, IndexError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(until.timestamp() - attempt_ns / 1e9, 0.0)
