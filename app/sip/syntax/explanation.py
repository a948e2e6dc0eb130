"""What the far end itself says about its answer: Warning, Retry-After, Reason and the like."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from app.model.signalling import Explanation
from app.sip.syntax.address import Address
from app.sip.syntax.head import Head
from app.sip.syntax.message import Message
from app.sip.syntax.text import one_line

_MOST = 5
"""Values of one kind that are kept."""
_LONGEST_WARNING = 2000
# RFC 3261 section 20.43: 307 isi.edu "Session parameter 'foo' not understood"
_WARNING = re.compile(r"([0-9]{3})[ \t]+\S+[ \t]+\"((?:[^\"\\]|\\.)*)\"", re.DOTALL)
_Q = re.compile(r"[01](?:\.[0-9]{0,3})?")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = r"\1"


def explanation_of(message: Message, head: Head | None) -> Explanation:
    """What a final response, or a BYE, explains.

    Args:
        message: As it came.
        head: What the gate has read of it, None where it did not pass.
    """
    seconds = head.seconds if head else {}
    tokens = head.tokens if head else {}
    text = message.body if head and head.media_type == "text/plain" else b""
    return Explanation(
        warnings=_kept(_warnings(message)),
        retry_after_s=seconds.get("retry-after"),
        contacts=_kept(address.uri.text for address in _preferred(head.contacts))
        if head and head.code // 100 == 3
        else (),
        reasons=_kept(message.values("reason")),
        error_info=_kept(message.values("error-info")),
        call_info=_kept(message.values("call-info")),
        unsupported=_kept(tokens.get("unsupported", ())),
        requires=_kept(tokens.get("require", ())) if head and head.code == 421 else (),
        accepts=_kept(tokens.get("accept", ())),
        allows=tokens.get("allow", ()),
        min_expires_s=seconds.get("min-expires", seconds.get("min-se")),
        text=one_line(text),
        server=one_line(message.first("server") or message.first("user-agent"), 120),
    )


def _warnings(message: Message) -> Iterable[str]:
    for header in message.named("warning"):
        found = _WARNING.findall(header.value[:_LONGEST_WARNING])
        yield from (f"{code} {_ESCAPE.sub(_ESCAPED, text)}" for code, text in found)
        if not found:
            yield header.value


def _preferred(contacts: Sequence[Address]) -> Sequence[Address]:
    """Those with the highest `q` first (RFC 3261 section 8.1.3.4); as they came where one has none."""
    wanted = [_Q.fullmatch(address.param("q") or "") for address in contacts]
    if not all(wanted):
        return contacts
    return sorted(contacts, key=lambda address: -float(address.param("q") or 0))


def _kept(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(line for value in list(values)[:_MOST] if (line := one_line(value)))
