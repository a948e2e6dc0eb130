"""A far end that says exactly what a test tells it to, when it is told: for what RFC 3261 allows and few do.

    async with scripted() as far, session(make_trunk(far.port, sign_in=SignIn.ADDRESS), "", seen) as opened:
        await opened.connect()                      # its OPTIONS is answered by itself
        await opened.place_call("600", …)
        dialog = far.called(await far.next("INVITE"))
        dialog.respond("180 Ringing")
        dialog.answer(talker.sdp())
        await far.next("ACK")

UDP on loopback. Nothing is retransmitted and nothing is answered unless the test says so.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from tests.engine.waiting import until
from tests.helpers.sip_client import Message

HOST = "127.0.0.1"
_COPIED = {"via", "from", "call-id", "cseq", "record-route"}
_NAMES = {"0": "PCMU", "8": "PCMA", "18": "G729", "101": "telephone-event"}
_numbers = itertools.count(1)


def sdp(
    port: int,
    *,
    formats: str = "0 101",
    address: str = HOST,
    direction: str = "sendrecv",
    version: int = 1,
    profile: str = "RTP/AVP",
    more: Sequence[str] = (),
) -> tuple[str, ...]:
    """The lines of an offer or answer for one audio stream."""
    return (
        "v=0",
        f"o=far 1 {version} IN IP4 {HOST}",
        "s=-",
        f"c=IN IP4 {address}",
        "t=0 0",
        f"m=audio {port} {profile} {formats}",
        *(f"a=rtpmap:{kind} {_NAMES[kind]}/8000" for kind in formats.split()),
        f"a={direction}",
        *more,
    )


class Scripted(asyncio.DatagramProtocol):
    """One UDP socket.

    Attributes:
        port: Where it listens.
        received: All that came in, retransmissions included; keep-alives and what signing in sends are not.
        engine: Where the last message came from.
        deaf: Asked about each message; what it says true to is as if lost on the way.
    """

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None
        self.port = 0
        self.received: list[Message] = []
        self.engine: tuple[str, int] = (HOST, 0)
        self.deaf: Callable[[Message], bool] = lambda message: False
        self._taken = 0

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # UDP
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not data.strip():
            return
        message = Message.parse(data.decode(errors="surrogateescape"))
        if self.deaf(message):
            return
        self.engine = addr
        if message.start_line.startswith("OPTIONS"):
            self.respond(message, "200 OK")
        else:
            self.received.append(message)

    def send(self, lines: Sequence[str], body: Sequence[str] = ()) -> None:
        """Send a message to the engine."""
        content = "".join(f"{line}\r\n" for line in body)
        kind = ["Content-Type: application/sdp"] if body and body[0] == "v=0" else []
        head = [*lines, *kind, f"Content-Length: {len(content)}", "", content]
        assert self._transport is not None
        self._transport.sendto("\r\n".join(head).encode(errors="surrogateescape"), self.engine)

    def send_raw(self, raw: bytes) -> None:
        """Send any octets to the engine."""
        assert self._transport is not None
        self._transport.sendto(raw, self.engine)

    def respond(
        self, request: Message, status: str, *headers: str, tag: str = "far", body: Sequence[str] = ()
    ) -> None:
        """Answer a request."""
        to = request.one("To")
        copied = [f"{name}: {value}" for name, value in request.headers if name.lower() in _COPIED]
        lines = [f"SIP/2.0 {status}", *copied, f"To: {to}" if ";tag=" in to else f"To: {to};tag={tag}"]
        if not any(name.startswith("Contact:") for name in headers):
            lines.append(f"Contact: <sip:far@{HOST}:{self.port}>")
        self.send([*lines, *headers], body)

    def of(self, method: str, code: int = 0) -> list[Message]:
        """What came in so far: requests of a method, or responses to it with a code."""
        return [message for message in self.received if _is(message, method, code)]

    async def next(self, method: str, code: int = 0, *, seconds: float = 10.0) -> Message:
        """The next message of that kind after the one that was given last; what lies between is passed over.

        Args:
            method: Of the request, or in the CSeq of a response.
            code: Of a response, 0 for a request.
            seconds: The limit.
        """

        def found() -> int:
            for index, message in enumerate(self.received[self._taken :], self._taken):
                if _is(message, method, code):
                    return index + 1
            return 0

        self._taken = await until(found, f"{method} {code or ''}", seconds)
        return self.received[self._taken - 1]

    async def ping(self) -> None:
        """Wait until the engine has dealt with all that was sent to it so far."""
        dialog = self.calls()
        dialog.send("OPTIONS")
        await until(lambda: any(m.code and m.one("Call-ID") == dialog.call_id for m in self.received), "200")

    def called(self, invite: Message, tag: str = "far") -> Dialog:
        """The dialog that an INVITE from the engine begins."""
        return Dialog(
            self,
            call_id=invite.one("Call-ID"),
            ours=f"{invite.one('To')};tag={tag}",
            theirs=invite.one("From"),
            target=_uri(invite.one("Contact")),
            invite=invite,
        )

    def calls(self, user: str = "1001", caller: str = "far") -> Dialog:
        """A dialog of ours with the engine, to be begun by `invite`."""
        host, port = self.engine
        number = next(_numbers)
        return Dialog(
            self,
            call_id=f"far-call-{number}-{self.port}",
            ours=f"<sip:{caller}@{HOST}:{self.port}>;tag=far{number}",
            theirs=f"<sip:{user}@{host}:{port}>",
            target=f"sip:{user}@{host}:{port}",
        )


class Dialog:
    """One call of the far end.

    Attributes:
        call_id, ours, theirs, target: Call-ID, our and their address with tags, their Contact.
        invite_request: The INVITE that the engine sent last in it.
        cseq: Of our last request.
    """

    def __init__(
        self,
        far: Scripted,
        *,
        call_id: str,
        ours: str,
        theirs: str,
        target: str,
        invite: Message | None = None,
    ) -> None:
        self.far = far
        self.call_id = call_id
        self.ours = ours
        self.theirs = theirs
        self.target = target
        self.invite_request = invite
        self.cseq = 100

    @property
    def tags(self) -> tuple[str, str]:
        """Our tag and theirs."""
        return _tag(self.ours), _tag(self.theirs)

    def respond(self, status: str, *headers: str, body: Sequence[str] = ()) -> None:
        """Answer the engine's INVITE."""
        assert self.invite_request is not None
        self.far.respond(self.invite_request, status, *headers, tag=self.tags[0], body=body)

    def send(
        self,
        method: str,
        *headers: str,
        body: Sequence[str] = (),
        cseq: int | None = None,
        branch: str = "",
    ) -> str:
        """Send a request within it and return its branch.

        Args:
            method: The method.
            headers: More of them.
            body: SDP, or what a Content-Type header among the others says.
            cseq: A number in place of the next one.
            branch: One in place of a new one, to send the same request again.
        """
        if cseq is None:
            self.cseq = cseq = self.cseq + 1
        branch = branch or f"z9hG4bKfar{next(_numbers)}"
        self.far.send(
            [
                f"{method} {self.target} SIP/2.0",
                f"Via: SIP/2.0/UDP {HOST}:{self.far.port};rport;branch={branch}",
                "Max-Forwards: 70",
                f"From: {self.ours}",
                f"To: {self.theirs}",
                f"Call-ID: {self.call_id}",
                f"CSeq: {cseq} {method}",
                f"Contact: <sip:far@{HOST}:{self.far.port}>",
                *headers,
            ],
            body,
        )
        return branch

    def invite(self, body: Sequence[str], *headers: str) -> str:
        """Send INVITE or re-INVITE and return its branch."""
        return self.send("INVITE", *headers, body=body)

    def learn(self, response: Message) -> None:
        """Take their tag and Contact from a response."""
        self.theirs = response.one("To")
        if contact := response.one("Contact"):
            self.target = _uri(contact)

    def ack(self, final: Message | None = None, *, branch: str = "", body: Sequence[str] = ()) -> None:
        """Acknowledge our INVITE; a refusal needs the INVITE's branch."""
        if final is not None:
            self.learn(final)
        cseq = int(final.one("CSeq").split()[0]) if final is not None else self.cseq
        self.send("ACK", cseq=cseq, branch=branch, body=body)

    async def accept(
        self, method: str, *headers: str, body: Sequence[str] = (), status: str = "200 OK"
    ) -> Message:
        """Wait for a request of the engine and answer it."""
        request = await self.far.next(method)
        self.far.respond(request, status, *headers, tag=self.tags[0], body=body)
        return request


def rtp_target(message: Message) -> tuple[str, int]:
    """Where the SDP of a message wants sound to be sent."""
    address = re.search(r"c=IN IP4 (\S+)", message.body)
    port = re.search(r"m=audio (\d+)", message.body)
    assert address, message
    assert port, message
    return address[1], int(port[1])


def _is(message: Message, method: str, code: int) -> bool:
    return message.code == code and message.one("CSeq").endswith(f" {method}")


def _uri(address: str) -> str:
    found = re.search(r"<([^>]+)>", address)
    return found[1] if found else address.partition(";")[0]


def _tag(address: str) -> str:
    found = re.search(r";tag=([^;]+)", address)
    return found[1] if found else ""


@asynccontextmanager
async def scripted() -> AsyncIterator[Scripted]:
    """Open one on a port of its own; it is closed whatever happens."""
    transport, far = await asyncio.get_running_loop().create_datagram_endpoint(Scripted, local_addr=(HOST, 0))
    try:
        yield far
    finally:
        transport.close()
