"""Digest authentication at the edge: every algorithm, whatever PJSIP was built with (RFC 7616, RFC 8760).

PJSIP is shown each challenge as a plain MD5 one with a nonce of ours, and what it answers is replaced by the
real answer on the way out. So it needs no real password, a Windows build answers SHA-256 too, and the digest
covers the Request-URI that really goes out.
"""

from __future__ import annotations

import itertools
import re
from collections import OrderedDict

import msgspec

from app.model.signalling import ChallengeFacts
from app.sip.engine.edge.transactions import Sent
from app.sip.syntax.challenge import Challenge, digest_response, quoted, strongest
from app.sip.syntax.head import Head
from app.sip.syntax.message import Header, Message, made
from app.sip.syntax.text import one_line

KEEP = 64
"""Challenges that can still be answered."""
CREDENTIALS = ("authorization", "proxy-authorization")
"""Names of the headers with a digest response, in lower case."""
INNER_PASSWORD = "edge"
"""What PJSIP answers with; it is replaced before anything leaves."""

_PARAM = re.compile(r"([a-z]+)=(?:\"([^\"]*)\"|([^,\s]*))")


class Authenticator:
    """Answers challenges for one account.

    Args:
        user: Digest user name.
        password: The secret, empty for none; shown in no repr.
        realm: The realm that it is for, `*` or empty for any.
    """

    def __init__(self, user: str, password: str, realm: str) -> None:
        self._user = user
        self._password = password
        self._realm = realm
        self._challenges: OrderedDict[str, Challenge] = OrderedDict()
        self._realms: OrderedDict[str, str] = OrderedDict()
        self._stale: dict[str, int] = {}
        self._numbers = itertools.count(1)

    def challenge(self, sent: Sent, head: Head) -> tuple[str, ChallengeFacts]:
        """What PJSIP is shown of a 401 or 407, empty where it must not answer, and the facts.

        It must not where nothing can be answered, where the realm is another one than the settings say, where
        the credentials were rejected (a challenge for the same realm that does not call the nonce stale, RFC
        7616 section 3.3), and where a fresh nonce is called stale again. PJSIP itself would go on for up to
        three fresh nonces of each algorithm: to a provider that looks like somebody guessing passwords.
        """
        chosen = strongest([one for one in head.challenges if self._is_ours(one)])
        tried = [self._challenges[nonce] for nonce in sent.nonces if nonce in self._challenges]
        again = [one for one in tried if any(one.realm == offered.realm for offered in head.challenges)]
        stale = bool(again) and any(offered.stale for offered in head.challenges)
        count = self._stale.get(sent.call_id, 0) + 1 if stale else 0
        self._stale[sent.call_id] = count
        while len(self._stale) > KEEP:
            del self._stale[next(iter(self._stale))]
        usable = strongest(list(head.challenges)) is not None
        facts = ChallengeFacts(
            schemes=tuple(dict.fromkeys(one_line(offered.scheme, 40) for offered in head.challenges)),
            algorithms=tuple(
                dict.fromkeys(
                    one_line(one.algorithm, 40) for one in head.challenges if one.scheme == "digest"
                )
            ),
            qop=tuple(dict.fromkeys(one_line(word, 40) for one in head.challenges for word in one.qop)),
            stale=count,
            answered=bool(tried),
            usable=usable,
            without_nonce=not usable and any(one.lacks_nonce for one in head.challenges),
        )
        if chosen is None or not self._password or (again and not stale) or count > 1:
            return "", facts
        return self._shown(chosen), facts

    def answer(self, message: Message) -> tuple[Message, tuple[str, ...]]:
        """A request of PJSIP with real digest responses, and the nonces of ours that it answers.

        Args:
            message: As it goes out, with its real Request-URI.
        """
        if not any(header.name in CREDENTIALS for header in message.headers):
            return message, ()
        nonces: list[str] = []
        headers: list[Header] = []
        for header in message.headers:
            if header.name not in CREDENTIALS:
                headers.append(header)
                continue
            given = {name: quoted_ or plain for name, quoted_, plain in _PARAM.findall(header.value)}
            challenge = self._challenges.get(given.get("nonce", ""))
            if challenge is not None:
                nonces.append(given["nonce"])
                name = "Authorization" if header.name == "authorization" else "Proxy-Authorization"
                headers.append(made(name, self._credentials(challenge, message, given)))
        return msgspec.structs.replace(message, headers=tuple(headers)), tuple(nonces)

    def _is_ours(self, challenge: Challenge) -> bool:
        return self._realm in ("", "*") or challenge.realm.casefold() == self._realm.casefold()

    def _shown(self, challenge: Challenge) -> str:
        number = next(self._numbers)
        nonce = f"nonce-{number}"
        self._challenges[nonce] = challenge
        while len(self._challenges) > KEEP:
            self._challenges.popitem(last=False)
        # A realm each, so that PJSIP keeps those of a proxy and of the far end apart
        realm = self._realms.setdefault(challenge.realm, f"realm-{number}")
        self._realms.move_to_end(challenge.realm)
        while len(self._realms) > KEEP:
            self._realms.popitem(last=False)
        qop = ', qop="auth"' if challenge.qop else ""
        stale = ", stale=true" if challenge.stale else ""
        return f'Digest realm="{realm}", nonce="{nonce}", algorithm=MD5{qop}{stale}'

    def _credentials(self, challenge: Challenge, message: Message, given: dict[str, str]) -> str:
        qop = ("auth" if "auth" in challenge.qop else "auth-int") if challenge.qop else ""
        nc, cnonce = given.get("nc", "00000001"), given.get("cnonce", "") or "edge"
        uri = message.uri
        response = digest_response(
            challenge,
            user=self._user,
            password=self._password,
            method=message.method,
            uri=uri,
            body=message.body,
            nc=nc,
            cnonce=cnonce,
            qop=qop,
        )
        parts = [
            f"username={quoted(self._user)}",
            f"realm={quoted(challenge.realm)}",
            f"nonce={quoted(challenge.nonce)}",
            f"uri={quoted(uri)}",
            f'response="{response}"',
        ]
        if challenge.algorithm_named:
            parts.append(f"algorithm={challenge.algorithm}")
        if qop:
            parts += [f"cnonce={quoted(cnonce)}", f"qop={qop}", f"nc={nc}"]
        elif challenge.algorithm.upper().endswith("-SESS"):
            parts.append(f"cnonce={quoted(cnonce)}")
        if challenge.opaque is not None:
            parts.append(f"opaque={quoted(challenge.opaque)}")
        return f"Digest {', '.join(parts)}"
