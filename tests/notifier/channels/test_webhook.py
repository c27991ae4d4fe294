"""Webhooks against a real HTTP server that checks signatures, and the guard of endpoints."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook, WebhookVerificationError

from domain.errors import DeliveryError
from domain.fleet import Dealer
from domain.records import OutboxEvent
from notifier.channels.endpoint_guard import EndpointVerdict, judge
from notifier.channels.signatures import signatures
from notifier.channels.webhook import WebhookChannel
from tests.notifier.builders import dealer

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
BODY = json.dumps({"specversion": "1.0", "data": {"priority": "P2", "words": "节温器"}}, ensure_ascii=False)
EVENT = OutboxEvent(id="evt_1", type="order.created", subject="o1", recipient="d1", channel="webhook", body=BODY)


@dataclass
class Recipient:
    """A dealer's server: verifies what it gets and answers as it is told."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""

    def dealer(self, path: str = "/hook?x=1") -> Dealer:
        return dealer(endpoint=self.url + path)


@pytest.fixture
def recipient() -> Iterator[Recipient]:
    told = Recipient()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            told.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            time.sleep(told.delay_s)
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    told.url = f"http://localhost:{server.server_port}"
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def channel() -> Iterator[WebhookChannel]:
    made = WebhookChannel({"SECRET": SECRET}.__getitem__, allow_private=True, timeout_s=0.3)
    yield made
    made.close()


def test_a_recipient_can_verify_the_signature_with_the_standard_library_of_webhooks(
    recipient: Recipient, channel: WebhookChannel
) -> None:
    now = time.time_ns()
    channel.deliver(EVENT, recipient.dealer(), now)
    ((path, headers, body),) = recipient.requests
    assert (path, body, headers["host"]) == ("/hook?x=1", BODY.encode(), recipient.url.removeprefix("http://"))
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("evt_1", str(now // 10**9))
    assert headers["content-type"].startswith("application/cloudevents+json")
    assert Webhook(SECRET).verify(body, headers) == json.loads(BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body.replace(b"P2", b"P0"), headers)


def test_a_retry_has_the_same_id_and_its_own_timestamp(recipient: Recipient, channel: WebhookChannel) -> None:
    now = time.time_ns()
    for attempt_ns in (now, now + 5 * 10**9):
        channel.deliver(EVENT, recipient.dealer(), attempt_ns)
    first, second = (headers for _, headers, _ in recipient.requests)
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 5
    assert first["webhook-signature"] != second["webhook-signature"]


def failure(recipient: Recipient, channel: WebhookChannel) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        channel.deliver(EVENT, recipient.dealer(), time.time_ns())
    assert recipient.url not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("status", [200, 201, 299])
def test_any_2xx_is_success(recipient: Recipient, channel: WebhookChannel, status: int) -> None:
    recipient.status = status
    channel.deliver(EVENT, recipient.dealer(), time.time_ns())


@pytest.mark.parametrize("status", [302, 308, 400, 401, 404, 500])
def test_anything_else_is_a_failure_and_a_redirect_is_not_followed(
    recipient: Recipient, channel: WebhookChannel, status: int
) -> None:
    recipient.status, recipient.headers = status, {"location": recipient.url + "/elsewhere", "retry-after": "60"}
    problem = failure(recipient, channel)
    assert (problem.what, problem.gone, problem.retry_after_s) == (f"answered {status}", False, None)
    assert [path for path, _, _ in recipient.requests] == ["/hook?x=1"]


def test_410_means_gone(recipient: Recipient, channel: WebhookChannel) -> None:
    recipient.status = 410
    assert failure(recipient, channel).gone


@pytest.mark.parametrize("status", [429, 503])
def test_a_throttling_recipient_says_when_to_come_back(recipient: Recipient, channel: WebhookChannel, status: int) -> None:
    recipient.status, recipient.headers = status, {"retry-after": "60"}
    assert failure(recipient, channel).retry_after_s == 60.0
    recipient.headers = {"retry-after": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 100))}
    wait_s = failure(recipient, channel).retry_after_s
    assert wait_s is not None
    assert 95 < wait_s <= 100
    recipient.headers = {"retry-after": "soon"}
    assert failure(recipient, channel).retry_after_s is None


def test_a_recipient_that_does_not_answer_in_time_has_failed(recipient: Recipient, channel: WebhookChannel) -> None:
    recipient.delay_s = 0.6
    assert failure(recipient, channel).what == "did not answer in time"


def test_a_recipient_that_is_not_there_has_failed(channel: WebhookChannel) -> None:
    assert "could not be reached" in failure(Recipient(url="http://127.0.0.1:9"), channel).what


@pytest.mark.parametrize(
    ("to", "words"),
    [
        (None, "no endpoint"),
        (dealer(endpoint=""), "no endpoint"),
        (dealer(secret_name="OTHER"), "no signing secret 'OTHER'"),
        (dealer(secret_name="EMPTY"), "'EMPTY' is not a valid"),
        (dealer(secret_name="SHORT"), "'SHORT' is not a valid"),
        (dealer(secret_name="NONSENSE"), "'NONSENSE' is not a valid"),
    ],
)
def test_what_is_missing_is_named(to: Dealer | None, words: str) -> None:
    secrets = {"SECRET": SECRET, "EMPTY": "whsec_", "SHORT": "whsec_AAAA", "NONSENSE": "whsec_$$$"}
    with pytest.raises(DeliveryError, match=words):
        WebhookChannel(secrets.__getitem__, resolver=lambda *_: ["93.184.215.14"]).deliver(EVENT, to, 0)


@pytest.mark.parametrize("length", [24, 64])
def test_keys_of_every_length_that_the_specification_allows_sign(recipient: Recipient, length: int) -> None:
    secret = "whsec_" + base64.b64encode(bytes(range(length))).decode().rstrip("=")
    WebhookChannel({"SECRET": secret}.__getitem__, allow_private=True).deliver(EVENT, recipient.dealer(), time.time_ns())
    ((_, headers, body),) = recipient.requests
    Webhook(secret).verify(body, headers)


def test_while_keys_rotate_either_of_them_verifies(recipient: Recipient) -> None:
    old, new = ("whsec_" + base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2))
    WebhookChannel({"SECRET": f"{new} {old}"}.__getitem__, allow_private=True).deliver(EVENT, recipient.dealer(), time.time_ns())
    ((_, headers, body),) = recipient.requests
    for secret in (old, new):
        Webhook(secret).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, headers)


@pytest.mark.parametrize("form", ["seed", "seed and public key"])
def test_an_ed25519_key_signs_so_that_its_public_key_verifies(recipient: Recipient, form: str) -> None:
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    public = private.public_key()
    kept = bytes(range(32)) + (b"" if form == "seed" else public.public_bytes_raw())
    secret = "whsk_" + base64.b64encode(kept).decode()
    WebhookChannel({"SECRET": secret}.__getitem__, allow_private=True).deliver(EVENT, recipient.dealer(), time.time_ns())
    ((_, headers, body),) = recipient.requests
    version, signature = headers["webhook-signature"].split(",")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    assert version == "v1a"
    public.verify(base64.b64decode(signature), signed)
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(signature), signed + b" ")


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of the specification's reference library."""
    secret, body = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", '{"test": 2432232314}'
    assert signatures(secret, "S", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_by_default_nothing_goes_to_a_private_address(recipient: Recipient) -> None:
    guarded = WebhookChannel({"SECRET": SECRET}.__getitem__)
    assert failure(recipient, guarded).what == EndpointVerdict.NOT_HTTPS
    assert recipient.requests == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
        "nonsense",
    ],
)
def test_addresses_that_are_not_public_are_refused_even_beside_a_public_one(address: str) -> None:
    judged = judge("https://dealer.example/hook", allow_private=False, resolver=lambda *_: ["93.184.215.14", address])
    assert judged.verdict is EndpointVerdict.PRIVATE


@pytest.mark.parametrize(
    ("url", "verdict"),
    [
        ("https://dealer.example/hook", EndpointVerdict.ALLOWED),
        ("https://dealer.example:8443/", EndpointVerdict.ALLOWED),
        ("http://dealer.example/", EndpointVerdict.NOT_HTTPS),
        ("https://dealer.example:22/", EndpointVerdict.PORT),
        ("https://dealer.example:99999/", EndpointVerdict.MALFORMED),
        ("https://user:word@dealer.example/", EndpointVerdict.MALFORMED),
        ("https:///hook", EndpointVerdict.MALFORMED),
        ("file:///etc/passwd", EndpointVerdict.MALFORMED),
        ("", EndpointVerdict.MALFORMED),
    ],
)
def test_endpoints_are_judged_by_scheme_port_and_form(url: str, verdict: EndpointVerdict) -> None:
    assert judge(url, allow_private=False, resolver=lambda *_: ["93.184.215.14"]).verdict is verdict


def test_the_connection_goes_to_the_address_that_was_judged() -> None:
    judged = judge("https://dealer.example:8443/hook?a=b", allow_private=False, resolver=lambda *_: ["2606:2800:21f::1"])
    assert judged.pinned_url == "https://[2606:2800:21f::1]:8443/hook?a=b"
    assert judged.host_header == "dealer.example:8443"


def test_a_host_that_does_not_resolve_is_named_so() -> None:
    def nowhere(host: str, port: int) -> list[str]:
        raise OSError

    assert judge("https://dealer.example/", allow_private=False, resolver=nowhere).verdict is EndpointVerdict.UNRESOLVED
