"""What the tests of rewriting share: the ends, and messages between them."""

from __future__ import annotations

from app.sip.engine.tls import rewrite
from app.sip.engine.tls.message import Message, parse, serialise
from app.sip.engine.tls.rewrite import Ends, HostPort

ENDS = Ends(
    ours=HostPort("192.0.2.7", 50123), peer=HostPort("203.0.113.1", 5061), edge=HostPort("127.0.0.1", 40000)
)
ROUTE = "<sip:127.0.0.1:40000;transport=tcp;lr>"
VIA = "SIP/2.0/TCP 127.0.0.1:38671;rport;branch=z9hG4bKPjabc;alias"


def sip(start: str, *headers: str, body: str = "") -> Message:
    """A message of a start line and headers."""
    lines = [start, *headers, f"Content-Length: {len(body)}", "", body]
    return parse("\r\n".join(lines).encode())


def lines(message: Message, *names: str) -> list[str]:
    """The header lines whose spelled name is one of these."""
    wanted = tuple(f"{name.lower()}:" for name in names)
    head = serialise(message).decode().partition("\r\n\r\n")[0]
    return [line for line in head.split("\r\n")[1:] if line.lower().startswith(wanted)]


def request_out(
    *headers: str, start: str = "INVITE sip:7@sip.example.com SIP/2.0", ends: Ends = ENDS
) -> Message:
    """A request with these headers as the provider gets it."""
    return rewrite.request_out(sip(start, *headers), ends)
