"""A message that the gate let pass, and who sent it."""

from __future__ import annotations

import msgspec

from app.model.signalling import MessageProblem
from app.model.trunk import Transport
from app.sip.syntax.address import HostPort
from app.sip.syntax.head import Head
from app.sip.syntax.message import Message


class Peer(msgspec.Struct, frozen=True):
    """Where a message came from or goes to; for TCP and TLS it names the open connection."""

    transport: Transport
    host: str
    port: int

    def __str__(self) -> str:
        """For people: `udp 127.0.0.1:5062`."""
        return f"{self.transport} {self.host}:{self.port}"

    @property
    def reliable(self) -> bool:
        """Whether the transport itself repeats what was lost."""
        return self.transport is not Transport.UDP

    @property
    def place(self) -> HostPort:
        """Address and port."""
        return HostPort(self.host, self.port)


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """A message that the gate let pass.

    What it says is in `head`; `message` is for what is copied from it and for headers that the gate does not
    read, which may hold anything.

    Attributes:
        message: As it came.
        head: What the gate has read of it.
        problems: What the gate left out of `head`.
        peer: Who sent it.
    """

    message: Message
    head: Head
    problems: tuple[MessageProblem, ...] = ()
    peer: Peer

    @property
    def text(self) -> str:
        """The body as UTF-8; what is not UTF-8 in it is replaced."""
        return self.message.body.decode("utf-8", "replace")
