"""Messages for PJSIP, built from what the gate has read: nothing of the far end's text reaches its parser.

Addresses that do not fit are stood in for; the edge puts the real ones back on the way out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.sip.engine.edge.answers import KNOWN_EXTENSIONS, METHODS
from app.sip.engine.edge.dialogs import Leg, inner_tag
from app.sip.engine.edge.transactions import Sent
from app.sip.syntax.address import Address, HostPort
from app.sip.syntax.head import Head
from app.sip.syntax.message import Header, Message, made

_LONGEST_USER = 64
_LONGEST_HOST = 64
_DTMF = "application/dtmf-relay"
_SIPFRAG = re.compile(r"SIP/2\.0 ([1-6][0-9][0-9])(?: ([^\r\n]{0,64}))?", re.IGNORECASE)
_SIGNAL = re.compile(rb"^\s*Signal\s*=\s*([0-9A-Da-d*#])\s*$", re.IGNORECASE | re.MULTILINE)
_DURATION = re.compile(rb"^\s*Duration\s*=\s*([0-9]{1,5})\s*$", re.IGNORECASE | re.MULTILINE)
_LONGEST_PHRASE = 128
_LONGEST_LIST = 120
"""Bytes; PJSIP drops messages of 4000 bytes and more (PJSIP_MAX_PKT_LEN)."""
_KNOWN_WORDS = frozenset(METHODS) | KNOWN_EXTENSIONS
_PASSED_LISTS = ("allow", "supported", "require", "unsupported", "accept")


def alias(leg: Leg, edge: HostPort) -> str:
    """The URI that stands for the far end's Contact in PJSIP."""
    return f"sip:{leg.number}@{edge}"


def safe_address(address: Address | None, tag: str) -> str:
    """From or To as PJSIP gets it: user and host where they are short, and the tag."""
    uri = address.uri if address else None
    if uri is None or not uri.is_sip or len(uri.user) > _LONGEST_USER or len(uri.host) > _LONGEST_HOST:
        value = "<sip:anonymous@anonymous.invalid>"
    else:
        user = f"{uri.user.replace('#', '%23')}@" if uri.user else ""
        host = f"[{uri.host}]" if ":" in uri.host else uri.host
        port = f":{uri.port}" if uri.port else ""
        value = f"<sip:{user}{host}{port}>"
    return f"{value};tag={tag}" if tag else value


def response(
    message: Message, head: Head, sent: Sent, *, leg: Leg | None, edge: HostPort, challenge: str, contact: str
) -> Message:
    """A response of the far end as PJSIP gets it: what identifies it is copied from PJSIP's own request.

    Args:
        message: As it came, for its body.
        head: What the gate read of it.
        sent: The request that it answers.
        leg: The dialog that it is in or begins.
        edge: Our address towards PJSIP.
        challenge: The challenge that PJSIP is to answer, empty for none.
        contact: For REGISTER: our own binding with its lifetime, empty where it is not listed.
    """
    to = sent.to
    if leg is not None and ";tag=" not in to:
        to = f"{to};tag={leg.inner_tag}"
    elif leg is None and head.to is not None and head.to.tag and ";tag=" not in to:
        to = f"{to};tag={inner_tag(head.to.tag)}"
    headers = [
        made("Via", sent.via),
        made("From", sent.sender),
        made("To", to),
        made("Call-ID", sent.call_id),
        made("CSeq", f"{sent.cseq} {sent.method}"),
    ]
    if contact:
        headers.append(made("Contact", contact))
    elif leg is not None and head.code // 100 in (1, 2):
        headers.append(made("Contact", f"<{alias(leg, edge)}>"))
    headers += _extensions(head)
    if challenge:
        name = "WWW-Authenticate" if head.code == 401 else "Proxy-Authenticate"
        headers.append(made(name, challenge))
    if head.code in (401, 407):
        body: bytes = b""
    else:
        body = _sdp(head)
    if body:
        headers.append(made("Content-Type", "application/sdp"))
    phrase = head.phrase.encode()[:_LONGEST_PHRASE].decode("utf-8", "ignore") or "-"
    return Message(start=f"SIP/2.0 {head.code} {phrase}", headers=tuple(headers), body=body)


def failure(sent: Sent, words: str) -> Message:
    """A 503 of our own for a request that can't be answered: PJSIP then ends it at once.

    It never counts as an answer of the network, as no message of the trace is behind it.
    """
    to = sent.to if ";tag=" in sent.to else f"{sent.to};tag=edge"
    headers = (
        made("Via", sent.via),
        made("From", sent.sender),
        made("To", to),
        made("Call-ID", sent.call_id),
        made("CSeq", f"{sent.cseq} {sent.method}"),
    )
    return Message(start=f"SIP/2.0 503 {words}", headers=headers)


def request(message: Message, head: Head, *, leg: Leg, branch: str, uri: str, edge: HostPort) -> Message:
    """A request of the far end as PJSIP gets it.

    Args:
        message: As it came, for its body.
        head: What the gate read of it.
        leg: The dialog that it is in or begins.
        branch: Of the Via that PJSIP gets.
        uri: PJSIP's own address, the Request-URI.
        edge: Our address towards PJSIP, which is the Via and the far end's Contact.
    """
    call = leg.call
    headers = [
        made("Via", f"SIP/2.0/UDP {edge};branch={branch}"),
        made("Max-Forwards", "70"),
        made("From", safe_address(head.sender, leg.inner_tag)),
        made("To", safe_address(head.to, call.local_tag)),
        made("Call-ID", call.inner_id),
        made("CSeq", f"{head.cseq} {head.method}"),
        made("Contact", f"<{alias(leg, edge)}>"),
        *_extensions(head),
    ]
    if head.rack is not None and head.method == "PRACK":
        headers.append(made("RAck", "{} {} {}".format(*head.rack)))
    kind, body = _body(message, head)
    if head.method == "NOTIFY":
        ident = f";id={head.event_id}" if head.event_id else ""
        headers.append(made("Event", f"refer{ident}"))
        headers.append(made("Subscription-State", subscription_state(message)))
    if body:
        headers.append(made("Content-Type", kind))
    return Message(start=f"{head.method} {uri} SIP/2.0", headers=tuple(headers), body=body)


def subscription_state(message: Message) -> str:
    """The state of a subscription (RFC 6665 section 8.2.3): active unless it is over."""
    state = message.first("subscription-state").partition(";")[0].strip().lower()
    return "terminated;reason=noresource" if state == "terminated" else "active;expires=60"


def dtmf_digit(message: Message, head: Head) -> tuple[str, int] | None:
    """The digit of an INFO and its length in ms; None where there is none."""
    if head.media_type == _DTMF:
        signal, duration = _SIGNAL.search(message.body), _DURATION.search(message.body)
        return (signal[1].decode().upper(), int(duration[1]) if duration else 160) if signal else None
    if head.media_type == "application/dtmf":
        text = message.body.decode("ascii", "replace").strip().upper()
        return (text, 160) if re.fullmatch(r"[0-9A-D*#]", text) else None
    return None


def fragment(message: Message, head: Head) -> str:
    """The status line in the body of a NOTIFY (RFC 3515 section 2.4.5), empty where there is none."""
    if head.media_type != "message/sipfrag":
        return ""
    found = _SIPFRAG.match(message.body.decode("utf-8", "replace"))
    return f"SIP/2.0 {found[1]} {_ascii(found[2] or '')}".rstrip() if found else ""


def _body(message: Message, head: Head) -> tuple[str, bytes]:
    if head.method == "INFO" and (digit := dtmf_digit(message, head)):
        return _DTMF, f"Signal={digit[0]}\r\nDuration={digit[1]}\r\n".encode()
    if head.method == "NOTIFY":
        return "message/sipfrag;version=2.0", f"{fragment(message, head)}\r\n".encode()
    return "application/sdp", _sdp(head)


def _sdp(head: Head) -> bytes:
    if head.sdp is None or head.sdp.name:
        return b""
    return head.sdp.body


def _extensions(head: Head) -> Iterable[Header]:
    for name in _PASSED_LISTS:
        if words := head.tokens.get(name):
            yield made(name.capitalize(), _short_list(words))
    if head.session_expires is not None:
        seconds, refresher = head.session_expires
        yield made("Session-Expires", f"{seconds};refresher={refresher}" if refresher else str(seconds))
    for name, spelled in (("min-se", "Min-SE"), ("min-expires", "Min-Expires")):
        if name in head.seconds:
            yield made(spelled, str(head.seconds[name]))
    if head.rseq is not None and head.code:
        yield made("RSeq", str(head.rseq))


def _short_list(words: tuple[str, ...]) -> str:
    """As many of the words as there is room for, those that PJSIP knows first."""
    room = _LONGEST_LIST
    kept = set()
    for word in sorted(words, key=lambda word: word not in _KNOWN_WORDS):
        if len(word) + 2 <= room:
            kept.add(word)
            room -= len(word) + 2
    return ", ".join(word for word in words if word in kept)


def _ascii(text: str) -> str:
    return "".join(char if " " <= char <= "~" else "?" for char in text)
