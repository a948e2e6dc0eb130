"""Authentication challenges and digest responses as text (RFC 7616, RFC 8760, RFC 3261 section 22)."""

from __future__ import annotations

import re

import msgspec

from app.sip.syntax.address import TOKEN, MalformedError
from app.sip.syntax.hashes import NAMES, has_sha512_256, hex_digest

_WORD = re.compile(TOKEN)
_VALUE = re.compile(r"\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s,\"]*))", re.DOTALL)
MOST_CHALLENGES = 16
"""Of one header; what asks for more ways to sign in than that makes no sense."""
_BETWEEN = re.compile(r"[\s,]*")
_CREDENTIALS = re.compile(r"[^\s,]*")
_AFTER_WORD = ("", " ", "\t", ",", "=")

STRENGTH = tuple(NAMES)
"""Hashes of digest algorithms that can be answered, the strongest first (RFC 8760 section 2.6)."""


class Challenge(msgspec.Struct, frozen=True, kw_only=True):
    """One challenge of a 401 or 407. Texts keep bytes that are not UTF-8 as surrogates.

    Attributes:
        scheme: Lower case: `digest`, `basic`.
        realm, nonce, opaque: As given, quotes and escapes taken off; opaque is None when not given.
        algorithm: As spelt there, `MD5` when none is named.
        algorithm_named: Whether one is.
        qop: Qualities of protection on offer, lower case.
        stale: Whether only the nonce was too old.
    """

    scheme: str
    realm: str = ""
    nonce: str = ""
    opaque: str | None = None
    algorithm: str = "MD5"
    algorithm_named: bool = False
    qop: tuple[str, ...] = ()
    stale: bool = False

    @property
    def hash_name(self) -> str:
        """The hash of its algorithm as `STRENGTH` spells it, empty when it can't be answered."""
        name = self.algorithm.upper().removesuffix("-SESS")
        if name not in STRENGTH or (name == "SHA-512-256" and not has_sha512_256()):
            return ""
        return name

    @property
    def usable(self) -> bool:
        """Whether a digest response can be made for it."""
        return self._is_known and bool(self.nonce)

    @property
    def lacks_nonce(self) -> bool:
        """Whether a nonce is all that is missing to make a digest response for it."""
        return self._is_known and not self.nonce

    @property
    def _is_known(self) -> bool:
        known = not self.qop or "auth" in self.qop or "auth-int" in self.qop
        return self.scheme == "digest" and bool(self.hash_name) and known


def parse_challenges(value: str) -> list[Challenge]:
    """The challenges of one header value; RFC 7235 section 4.1 allows several, separated by commas.

    Raises:
        MalformedError: It can't be read.
    """
    found: list[tuple[str, dict[str, str]]] = []
    at = 0
    while (at := _end(_BETWEEN, value, at)) < len(value) and len(found) < MOST_CHALLENGES:
        word = _WORD.match(value, at)
        if not word or value[word.end() : word.end() + 1] not in _AFTER_WORD:
            # Such as the token of Negotiate, which is of no use here
            end = _end(_CREDENTIALS, value, at)
            if not found or found[-1][1] or end == at:
                raise MalformedError("is not a challenge that can be read")
            at = end
        elif text := _VALUE.match(value, word.end()):
            if not found:
                raise MalformedError("is a challenge without a scheme")
            plain = text[2] if text[1] is None else re.sub(r"\\(.)", r"\1", text[1], flags=re.DOTALL)
            found[-1][1].setdefault(word[0].lower(), plain)
            at = text.end()
        else:
            found.append((word[0].lower(), {}))
            at = word.end()
    return [_challenge(scheme, params) for scheme, params in found]


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def _challenge(scheme: str, params: dict[str, str]) -> Challenge:
    return Challenge(
        scheme=scheme,
        realm=params.get("realm", ""),
        nonce=params.get("nonce", ""),
        opaque=params.get("opaque"),
        algorithm=params.get("algorithm") or "MD5",
        algorithm_named=bool(params.get("algorithm")),
        qop=tuple(word for word in re.split(r"[\s,]+", params.get("qop", "").lower()) if word),
        stale=params.get("stale", "").lower() == "true",
    )


def strongest(challenges: list[Challenge]) -> Challenge | None:
    """The challenge with the strongest algorithm that can be answered, None when there is none."""
    usable = [challenge for challenge in challenges if challenge.usable]
    return min(usable, key=lambda challenge: STRENGTH.index(challenge.hash_name), default=None)


def digest_response(
    challenge: Challenge,
    *,
    user: str,
    password: str,
    method: str,
    uri: str,
    body: bytes,
    nc: str,
    cnonce: str,
    qop: str,
) -> str:
    """The `response` of a digest (RFC 7616 section 3.4.1).

    Args:
        challenge: What is answered.
        user, password: The credentials.
        method, uri, body: Of the request.
        nc, cnonce: Nonce count, eight hex digits, and client nonce; used only with a qop.
        qop: `auth`, `auth-int`, or empty when the challenge names none.
    """
    name = challenge.hash_name

    def h(*parts: str) -> str:
        # What came as bytes that are not UTF-8 is hashed as it came
        return hex_digest(name, b":".join(part.encode("utf-8", "surrogateescape") for part in parts))

    ha1 = h(user, challenge.realm, password)
    if challenge.algorithm.upper().endswith("-SESS"):
        ha1 = h(ha1, challenge.nonce, cnonce)
    parts = [hex_digest(name, body)] if qop == "auth-int" else []
    ha2 = h(method, uri, *parts)
    if not qop:
        return h(ha1, challenge.nonce, ha2)
    return h(ha1, challenge.nonce, nc, cnonce, qop, ha2)


def quoted(text: str) -> str:
    """Text as a quoted string (RFC 3261 section 25.1)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
