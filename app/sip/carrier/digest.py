"""Digest authentication, the server's side (RFC 3261 section 22, RFC 7616, RFC 8760)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum

import msgspec
from aiosipua import AuthChallenge, AuthCredentials, parse_auth, stringify_auth

from app.sip.carrier.messages import Algorithm
from app.sip.syntax.address import MalformedError, parse_uri

REALM = "ringback"
MAX_NONCES = 10_000
"""The oldest nonces are forgotten beyond this; their users are told `stale=true`."""

_HASHES = {Algorithm.MD5: hashlib.md5, Algorithm.SHA_256: hashlib.sha256}


class Verdict(StrEnum):
    """What came of checking a request's credentials."""

    ACCEPTED = "accepted"
    MISSING = "missing"
    WRONG = "wrong"
    STALE = "stale"
    UNKNOWN_USER = "unknown user"
    MALFORMED = "malformed"


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict and who it is about.

    Attributes:
        verdict: Challenge again unless accepted, unknown user or malformed.
        user: User name in the credentials, empty when there are none.
        reason: For a malformed header, what is wrong with it, as a reason phrase.
    """

    verdict: Verdict
    user: str = ""
    reason: str = ""


class _Nonce:
    def __init__(self, issued: float) -> None:
        self.issued = issued
        self.count = 0


def digest_response(
    *, algorithm: Algorithm, user: str, realm: str, password: str, method: str, params: Mapping[str, str]
) -> str:
    """The response that is right for these credentials (RFC 7616 section 3.4.1, `qop=auth`)."""

    def h(text: str) -> str:
        return _HASHES[algorithm](_octets(text)).hexdigest()

    a1 = h(f"{user}:{realm}:{password}")
    a2 = h(f"{method}:{params['uri']}")
    return h(f"{a1}:{params['nonce']}:{params['nc']}:{params['cnonce']}:auth:{a2}")


class DigestGuard:
    """Challenges requests and checks the answers.

    Args:
        accounts: User to password.
        algorithms: Offered, the preferred one first.
        nonce_s: Lifetime of a nonce, seconds.
        clock: A clock that never goes back, seconds.
    """

    def __init__(
        self,
        accounts: Mapping[str, str],
        *,
        algorithms: Sequence[Algorithm],
        nonce_s: float,
        clock: Callable[[], float],
    ) -> None:
        self._accounts = accounts
        self._algorithms = tuple(algorithms)
        self._nonce_s = nonce_s
        self._clock = clock
        self._opaque = secrets.token_hex(8)
        self._nonces: dict[str, _Nonce] = {}

    def challenges(self, *, stale: bool, realm: str = REALM) -> list[str]:
        """Values for `WWW-Authenticate` or `Proxy-Authenticate`, one an algorithm, with a fresh nonce."""
        now = self._clock()
        # Insertion order is age, so the expired ones are in front
        while self._nonces:
            oldest = next(iter(self._nonces))
            if len(self._nonces) < MAX_NONCES and now - self._nonces[oldest].issued <= self._nonce_s:
                break
            del self._nonces[oldest]
        nonce = secrets.token_hex(16)
        self._nonces[nonce] = _Nonce(now)
        params = {"realm": realm, "nonce": nonce, "opaque": self._opaque, "qop": "auth"}
        if stale:
            params["stale"] = "true"
        return [
            stringify_auth(AuthChallenge(scheme="Digest", params={**params, "algorithm": algorithm.value}))
            for algorithm in self._algorithms
        ]

    def check(self, values: Sequence[str], method: str, uri: str, realm: str = REALM) -> Check:
        """Check the credentials of a request.

        Args:
            values: All values of `Authorization` or `Proxy-Authorization`.
            method: The request's method.
            uri: The Request-URI.
            realm: The realm of the challenge that they answer.
        """
        credentials = self._ours(values, realm)
        if credentials is None:
            return Check(verdict=Verdict.MISSING)
        params = {name.lower(): value for name, value in credentials.params.items()}
        user = params.get("username", "")
        reason = self._fault(params, uri)
        if reason:
            return Check(verdict=Verdict.MALFORMED, user=user, reason=reason)
        algorithm = _algorithm(params.get("algorithm", "MD5"))
        if algorithm not in self._algorithms:
            return Check(verdict=Verdict.WRONG, user=user)
        password = self._accounts.get(user)
        right = digest_response(
            algorithm=algorithm,
            user=user,
            realm=realm,
            password=password if password is not None else secrets.token_hex(),
            method=method,
            params=params,
        )
        same = hmac.compare_digest(_octets(right), _octets(params["response"].lower()))
        if password is None:
            return Check(verdict=Verdict.UNKNOWN_USER, user=user)
        if not same:
            return Check(verdict=Verdict.WRONG, user=user)
        return Check(verdict=self._use(params["nonce"], int(params["nc"], 16)), user=user)

    def _use(self, nonce: str, count: int) -> Verdict:
        """Accept a right answer once a nonce count; otherwise it was right but for an old nonce."""
        known = self._nonces.get(nonce)
        if known is None or self._clock() - known.issued > self._nonce_s or count <= known.count:
            return Verdict.STALE
        known.count = count
        return Verdict.ACCEPTED

    def _ours(self, values: Sequence[str], realm: str) -> AuthCredentials | None:
        """The Digest credentials for our realm; a client may send others along (RFC 3261 section 22.3)."""
        for value in values:
            credentials = parse_auth(value, credentials=True)
            if credentials.scheme.lower() == "digest" and credentials.params.get("realm") == realm:
                return credentials
        return None

    def _fault(self, params: Mapping[str, str], uri: str) -> str:
        for name in ("username", "nonce", "uri", "response", "cnonce", "nc"):
            if not params.get(name):
                return f"Digest credentials without {name}"
        if params.get("qop") != "auth":
            return "Digest credentials without qop=auth"
        if len(params["nc"]) != 8 or not set(params["nc"].lower()) <= set("0123456789abcdef"):
            return "Digest nc is not eight hex digits"
        if params.get("opaque", self._opaque) != self._opaque:
            return "Digest opaque is not the one sent"
        if _place(params["uri"]) != _place(uri):
            return "Digest uri differs from the Request-URI"
        return ""


def _octets(text: str) -> bytes:
    """As it came: octets that are not UTF-8 are surrogates in text."""
    return text.encode("utf-8", "surrogateescape")


def _place(text: str) -> tuple[str, str, int | None] | None:
    """What counts of a URI in credentials, None when it is not one."""
    try:
        uri = parse_uri(text)
    except MalformedError:
        return None
    return uri.user, uri.host, uri.port


def _algorithm(name: str) -> Algorithm | None:
    try:
        return Algorithm(name.upper())
    except ValueError:
        return None
