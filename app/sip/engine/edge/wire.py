"""Both sides of the relay and all that is known of the calls between them; what the relay's parts share."""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec.structs import replace

from app.model.outcome import Direction, TraceMessage
from app.sip.engine.call_rate import CallRate
from app.sip.engine.edge.admission import Admission
from app.sip.engine.edge.dialogs import Dialogs
from app.sip.engine.edge.digest import Authenticator
from app.sip.engine.edge.hop import Hop
from app.sip.engine.edge.outward import Face
from app.sip.engine.edge.seen import Listener
from app.sip.engine.edge.transactions import Received, Sent, Transactions
from app.sip.messages import OpenAccount
from app.sip.syntax.address import HostPort, is_address
from app.sip.syntax.message import Message, serialise
from app.sip.syntax.sdp import Sdp
from app.sip.syntax.text import readable_lines

Send = Callable[[bytes, Hop], str]
"""Sends to the far end; returns why that is not possible, empty when it is."""
Deliver = Callable[[bytes], None]
"""Hands a message to PJSIP."""
Find = Callable[[str, Callable[["str | None"], None]], None]
"""Looks a name up and calls back with an address, or None when there is none in time."""


class Wire:
    """Both sides of the relay and everything that is known; what its parts share.

    Attributes:
        settings: The account.
        face: How we look from outside.
        edge, inner: Our address towards PJSIP, and PJSIP's own.
        target: Where requests outside of dialogs go.
        rate: How fast calls may begin.
    """

    def __init__(
        self,
        settings: OpenAccount,
        *,
        face: Face,
        edge: HostPort,
        inner: HostPort,
        listener: Listener,
        send: Send,
        deliver: Deliver,
        find: Find,
        rate: CallRate,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.face = face
        self.edge = edge
        self.inner = inner
        self.listener = listener
        self.send = send
        self.find = find
        self.rate = rate
        self.clock = clock
        self.target = Hop(settings.target.transport, settings.target.address, settings.target.port)
        self.dialogs = Dialogs()
        self.sent: Transactions[Sent] = Transactions()
        self.received: Transactions[Received] = Transactions()
        self.authenticator = Authenticator(
            settings.auth_id or settings.user, settings.password, settings.realm
        )
        self.admission = Admission(settings)
        self._deliver = deliver

    @property
    def own_uri(self) -> str:
        """PJSIP's own address."""
        return f"sip:{self.inner}"

    def deliver(self, message: Message) -> None:
        """Hand a message to PJSIP."""
        self._deliver(serialise(message))

    def with_address(self, sdp: Sdp | None, then: Callable[[Sdp | None], None]) -> None:
        """Look the name up that a description of audio has for an address: PJSIP would block meanwhile."""
        if sdp is None or not sdp.name:
            then(sdp)
            return

        def found(address: str | None) -> None:
            known = address is not None and is_address(address)
            body = sdp.body.replace(b"{address}", (address or "").encode()) if known else b""
            then(replace(sdp, body=body, name="") if known else None)

        self.find(sdp.name, found)

    def trace(self, direction: Direction, hop: Hop, raw: bytes) -> TraceMessage:
        """A message for the trace."""
        return TraceMessage(
            at=time.time(),
            direction=direction,
            transport=hop.transport,
            peer=str(hop),
            text=readable_lines(raw),
        )
