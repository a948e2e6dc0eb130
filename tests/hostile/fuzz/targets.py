"""What is fuzzed, and what the fuzzers begin with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from app.model.trunk import Transport
from tests.hostile.fuzz import invariants
from tests.hostile.hostile_messages import MESSAGES
from tests.hostile.hostile_values import answer_values, request_values
from tests.hostile.torture_messages import MESSAGES as TORTURE

_SERVER, _SOURCE = ("203.0.113.1", 5060), ("192.0.2.7", 50123)
_ASKED = (
    "{0} sip:7@sip.example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:50123;rport;branch=z9hG4bKours\r\n"
    "From: <sip:1001@sip.example.com>;tag=ours\r\nTo: <sip:7@sip.example.com>\r\nCall-ID: c1\r\n"
    "CSeq: 7 {0}\r\nContact: <sip:1001@192.0.2.7:50123>\r\nContent-Length: 0\r\n\r\n"
)


class Target(NamedTuple):
    """Something that takes bytes.

    Attributes:
        check: Raises when it finds a fault.
        seeds: Inputs to begin with.
    """

    check: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]


def messages() -> Iterator[bytes]:
    """The hostile messages and the torture messages, filled in."""
    for at, hostile in enumerate(MESSAGES.values()):
        values = request_values(
            hostile.method or "INVITE",
            target="sip:1001@192.0.2.7:50123",
            server=_SERVER,
            user="1001",
            mark=f"m{at}",
            transport=Transport.UDP,
        )
        if hostile.answers:
            asked = _ASKED.format(hostile.answers).encode()
            values |= answer_values(asked, server=_SERVER, source=_SOURCE)
        yield hostile.filled({"to_tag": "far", **values})
    for torture in TORTURE.values():
        yield torture.wire


def descriptions() -> Iterator[bytes]:
    """The bodies of those."""
    for raw in messages():
        body = raw.partition(b"\r\n\r\n")[2]
        if body.startswith(b"v="):
            yield body


def challenges() -> Iterator[bytes]:
    """The challenges in them."""
    for raw in messages():
        for line in raw.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower().endswith(b"-authenticate"):
                yield value.strip()


TARGETS = {
    "gate": Target(invariants.check_gate, messages),
    "sdp": Target(invariants.check_sdp, descriptions),
    "challenges": Target(invariants.check_challenges, challenges),
    "trace": Target(invariants.check_text, messages),
    "streams": Target(invariants.check_stream, messages),
}
