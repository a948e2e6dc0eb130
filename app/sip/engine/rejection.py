"""Sees when the far end rejects our credentials, so that they are not sent again and again.

PJSIP answers up to three fresh nonces for each digest algorithm on offer. To a provider that looks like
somebody guessing passwords, and the office's address ends on its block list.
"""

from __future__ import annotations

import re

from app.model.outcome import Direction, TraceMessage
from app.sip.trace import MessageHead, read_head

_SENT = re.compile(r'^(?:Proxy-)?Authorization:[^\r\n]*?realm="([^"]*)"', re.IGNORECASE | re.MULTILINE)
KEEP = 64


class RejectionWatch:
    """Remembers which requests carried credentials for which realm."""

    def __init__(self) -> None:
        self._realms: dict[tuple[str, str, int], set[str]] = {}

    def note(self, message: TraceMessage) -> MessageHead | None:
        """Take one message; returns the head of a response that rejects credentials, else None.

        A challenge for another realm, or one that only calls the nonce stale (RFC 7616 section 3.3), is no
        rejection.
        """
        outgoing = message.direction is Direction.OUT
        if outgoing:
            realms = set(_SENT.findall(message.text))
            if realms and (head := read_head(message.text)):
                self._realms[head.call_id, head.method, head.cseq] = realms
                while len(self._realms) > KEEP:
                    del self._realms[next(iter(self._realms))]
            return None
        head = read_head(message.text)
        if head is None:
            return None
        key = head.call_id, head.method, head.cseq
        tried = self._realms.get(key, set())
        if any(asked.realm in tried and not asked.stale for asked in head.challenges):
            # Told once, however often the response is repeated
            del self._realms[key]
            return head
        return None
