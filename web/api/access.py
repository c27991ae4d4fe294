"""Who may do what: API keys with scopes, browser sessions, and what is open where the service runs for its own machine only."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader

from web.api.problems import Problem

SESSION_COOKIE = "pitcall_session"
SESSION_NS = 12 * 3600 * 1_000_000_000
"""A browser signs in anew after half a day."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Scope(StrEnum):
    """What a key allows. `ADMIN` allows everything, and every scope allows reading."""

    READ = "read"
    ORDERS = "orders"
    """Acknowledge alerts and move orders on."""
    INTEGRATION = "integration"
    """Keep dealers, owners and consents as other systems know them."""
    ADMIN = "admin"


ROLES: Mapping[str, frozenset[Scope]] = MappingProxyType(
    {
        **{scope.value: frozenset({scope}) for scope in Scope},
        "analyst": frozenset({Scope.READ}),
        "operations": frozenset({Scope.READ, Scope.ORDERS}),
    }
)
"""What the words of a key stand for."""
DEALER_SCOPE = "dealer:"
"""`dealer:ID`, alone: read and answer the orders of this dealer, and nothing else."""
OWNER_SCOPE = "owner:"
"""`owner:VEHICLE`, alone: read this vehicle's orders and quotes, and sign quotes off; for an owner's app. Links need no key."""

KeyLookup = Callable[[str], Collection[str] | None]
"""Scopes of the key with this `key_hash`, None where there is no such key (or no longer)."""


def key_hash(key: str) -> str:
    """How a key is kept: SHA-256 as 64 hex digits. Keys are long and random, so they need no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks: `name` goes into an order's history, `scopes` say what is allowed.

    Attributes:
        dealer: whose orders alone, "" for no dealer. vehicle: of an owner, whose orders alone, "" for no owner.
    """

    name: str
    scopes: frozenset[Scope]
    dealer: str = ""
    vehicle: str = ""

    def may(self, scope: Scope) -> bool:
        """Whether the caller has this scope."""
        return scope in self.scopes or Scope.ADMIN in self.scopes or (scope is Scope.READ and bool(self.scopes))


@dataclass(frozen=True, slots=True)
class _Session:
    caller: Caller
    ends_ns: int


class Access:
    """Tells callers apart.

    Args:
        lookup: scopes of a stored key. fixed: key hash -> scopes of the keys in the settings.
        open_access: everybody on this machine may do everything, without a key; asked for by any other host name, nobody may.
        clock: wall time in ns.
    """

    def __init__(
        self, lookup: KeyLookup, *, fixed: Mapping[str, Collection[str]], open_access: bool, clock: Callable[[], int]
    ) -> None:
        self.open_access = open_access
        self._lookup, self._fixed, self._clock = lookup, dict(fixed), clock
        self._sessions: dict[str, _Session] = {}
        self._lock = threading.Lock()

    def caller(self, request: Request, key: str | None) -> Caller:
        """Who makes this request.

        Raises:
            Problem: 401 without a valid key or session, 403 for what another site made a browser send.
        """
        refuse_foreign_sites(request, loopback_only=self.open_access)
        found = self.by_key(key) if key is not None else self._by_session(request)
        if found is not None:
            return found
        if self.open_access and key is None:
            return Caller(name="operator", scopes=frozenset({Scope.ADMIN}))
        raise Problem(
            401, "unauthorised", "Give a valid API key in the X-API-Key header.", headers={"www-authenticate": "X-API-Key"}
        )

    def by_key(self, key: str) -> Caller | None:
        """The caller of a key, None where it is not valid."""
        hashed = key_hash(key)
        scopes = next((of for known, of in self._fixed.items() if hmac.compare_digest(known, hashed)), None)
        scopes = self._lookup(hashed) if scopes is None else scopes
        return _caller_of(f"key:{hashed[:8]}", scopes) if scopes else None

    def sign_in(self, caller: Caller) -> str:
        """A new session's token, for a cookie; sessions end with the process at the latest."""
        token, now = secrets.token_urlsafe(32), self._clock()
        with self._lock:
            self._sessions = {known: session for known, session in self._sessions.items() if session.ends_ns > now}
            self._sessions[key_hash(token)] = _Session(caller, now + SESSION_NS)
        return token

    def sign_out(self, token: str) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(key_hash(token), None)

    def _by_session(self, request: Request) -> Caller | None:
        token = request.cookies.get(SESSION_COOKIE)
        session = self._sessions.get(key_hash(token)) if token else None
        return session.caller if session and session.ends_ns > self._clock() else None


def _caller_of(name: str, words: Collection[str]) -> Caller:
    """A dealer's or owner's scope takes away all others: who adds one wants less, not more. Words that are no scope allow nothing."""
    for word in words:
        if word.startswith(DEALER_SCOPE):
            dealer = word.removeprefix(DEALER_SCOPE)
            return Caller(name=f"dealer:{dealer}", scopes=frozenset(), dealer=dealer)
        if word.startswith(OWNER_SCOPE):
            return Caller(name="owner", scopes=frozenset(), vehicle=word.removeprefix(OWNER_SCOPE))
    return Caller(name=name, scopes=frozenset().union(*(ROLES.get(word, frozenset()) for word in words)))


def refuse_foreign_sites(request: Request, *, loopback_only: bool) -> None:
    """Refuse what another site makes a visitor's browser send: changes from a foreign origin, and names rebound to this machine.

    Raises:
        Problem: 403.
    """
    host = request.headers.get("host", "")
    if loopback_only and urlsplit(f"//{host}").hostname not in _LOOPBACK:
        raise Problem(403, "foreign_host", "Without API keys the service answers as localhost or 127.0.0.1 only.")
    origin = request.headers.get("origin")
    if request.method not in _SAFE_METHODS and origin is not None and urlsplit(origin).netloc != host:
        raise Problem(403, "foreign_origin", "Changes are taken from the service's own pages only.")


_KEY = APIKeyHeader(name="X-API-Key", auto_error=False, description="API key")


def _caller(request: Request, key: Annotated[str | None, Depends(_KEY)]) -> Caller:
    access: Access = request.app.state.access
    return access.caller(request, key)


def _needs(*scopes: Scope, or_dealer: bool = False, or_owner: bool = False) -> Callable[[Caller], Caller]:
    """Any of the scopes, or a dealer's or owner's key: whose orders these are the operation must ask then."""

    def check(caller: Annotated[Caller, Depends(_caller)]) -> Caller:
        of_party = (or_dealer and caller.dealer) or (or_owner and caller.vehicle)
        if not (of_party or any(caller.may(scope) for scope in scopes)):
            needed = scopes[0].value
            raise Problem(403, "scope_missing", f"This key lacks the scope {needed!r}.", needed=needed)
        return caller

    return check


Reader = Annotated[Caller, Depends(_needs(Scope.READ))]
Orderer = Annotated[Caller, Depends(_needs(Scope.ORDERS))]
Integrator = Annotated[Caller, Depends(_needs(Scope.ADMIN, Scope.INTEGRATION))]
OrdererOrIntegrator = Annotated[Caller, Depends(_needs(Scope.ORDERS, Scope.INTEGRATION))]
Administrator = Annotated[Caller, Depends(_needs(Scope.ADMIN))]
OrderReader = Annotated[Caller, Depends(_needs(Scope.READ, or_dealer=True))]
"""Reads orders; of a dealer's key its own only."""
OrderMover = Annotated[Caller, Depends(_needs(Scope.ORDERS, or_dealer=True))]
"""Moves orders on; of a dealer's key its own only."""
OrderViewer = Annotated[Caller, Depends(_needs(Scope.READ, or_dealer=True, or_owner=True))]
"""Reads orders; of a dealer's or owner's key its own only."""
QuoteSigner = Annotated[Caller, Depends(_needs(Scope.ORDERS, or_owner=True))]
"""Takes down an owner's answer; of an owner's key its own only."""
