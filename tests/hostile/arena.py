"""A real engine with a far end that says any bytes at all, as fast as the engine takes them.

    async with arena() as at:
        await at.register([b"…"])          # its REGISTER is answered with these, then with a proper 200
        await at.call([b"…"])              # its INVITE is, then the call is ended
        await at.incoming([b"…"])          # these come in outside of a call
        async with at.conversation() as call:
            await call.say([b"…"])         # these come in within one
        await at.alive()                   # the engine still answers

On loopback, over UDP or TCP. Placeholders of `tests.hostile.hostile_values` in the messages are not filled
in here.
"""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from app.errors import EngineError
from app.model.call import CallState, Source
from app.model.outcome import Target
from app.model.trunk import Srtp, Transport, Use
from app.sip.child import ChildOutcome
from app.sip.client import EngineClient
from app.sip.messages import (
    CallChanged,
    Command,
    Event,
    HangUp,
    OpenAccount,
    PlaceCall,
    Register,
    RegistrationChanged,
    SetConference,
)
from app.sip.syntax.framing import Framer
from tests.hostile.hostile_values import answer_values
from tests.hostile.torture_messages import header

HOST = "127.0.0.1"
USER = "1001"
LIMIT_S = 20.0
SDP = (
    "v=0\r\no=far 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
    "a=sendrecv\r\n"
)
_numbers = itertools.count(1)

Make = Callable[[bytes], Sequence[bytes]]
"""From a request of the engine to the datagrams that answer it."""


class Far:
    """The far end: what comes is in a queue, and what ends a call is answered at once.

    An engine keeps a call's place until the far end has confirmed its end, so a rude far end would only ever
    fill it up.

    Attributes:
        queue: What the engine has sent and nobody has read.
        heard: All that it has sent.
        source: Where from.
        port: Where to.
        write: Sends bytes to the engine; None while there is no connection.
        finish: Ends the connection when all has been sent.
        connection: The newest one over TCP.
        lost: Set when it has ended.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.queue: asyncio.Queue[bytes] = asyncio.Queue()
        self.heard: list[bytes] = []
        self.source = (HOST, 0)
        self.port = 0
        self.write: Callable[[bytes], None] | None = None
        self.finish: Callable[[], None] | None = None
        self.connection: _Connection | None = None
        self.lost = asyncio.Event()
        self._invites: dict[str, bytes] = {}
        self._called: set[str] = set()

    @property
    def contact(self) -> str:
        """A Contact header of the far end."""
        transport = "" if self.transport is Transport.UDP else f";transport={self.transport}"
        return f"Contact: <sip:far@{HOST}:{self.port}{transport}>"

    def received(self, raw: bytes) -> None:
        """One message has come."""
        self.heard.append(raw)
        if raw.strip() and not self._be_polite(raw):
            self.queue.put_nowait(raw)

    def _be_polite(self, raw: bytes) -> bool:
        method = raw.partition(b" ")[0].decode("latin-1")
        if method in ("BYE", "PRACK", "UPDATE", "INFO", "REFER", "CANCEL"):
            self.send(answer(raw, "200 OK"))
            invite = self._invites.get(_branch(raw)) if method == "CANCEL" else None
            if invite is not None:
                self.send(answer(invite, "487 Request Terminated"))
            return True
        if method == "INVITE":
            self._invites[_branch(raw)] = raw
            again = header_value(raw, "Call-ID") in self._called
            self._called.add(header_value(raw, "Call-ID"))
            if again:
                self.send(answer(raw, "486 Busy Here"))
            return again
        if method == "SIP/2.0" and b" INVITE\r\n" in raw and raw[8:9] != b"1":
            self.send(_ack(raw))
        return False

    def send(self, raw: bytes) -> None:
        """Send one message to the engine; without a connection it is lost."""
        if raw and self.write is not None:
            self.write(raw)

    async def hang_up(self) -> None:
        """End the connection, after what was sent over it has been read."""
        if self.finish is not None:
            self.write = None
            self.finish()
            async with asyncio.timeout(LIMIT_S):
                await self.lost.wait()

    async def next(self, *starts: bytes) -> bytes:
        """The next message that begins with one of these; others are passed over."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                raw = await self.queue.get()
                if raw.startswith(starts):
                    return raw


class _Datagrams(asyncio.DatagramProtocol):
    """The far end's socket over UDP."""

    def __init__(self, far: Far) -> None:
        self._far = far

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # UDP
        self._far.port = transport.get_extra_info("sockname")[1]
        self._far.write = lambda raw: transport.sendto(raw, self._far.source)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._far.source = addr
        self._far.received(data)


class _Connection(asyncio.Protocol):
    """A connection of the engine to the far end."""

    def __init__(self, far: Far) -> None:
        self._far = far
        self._framer = Framer()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # TCP
        self._transport = transport
        self._far.source = transport.get_extra_info("peername")
        self._far.write, self._far.finish = transport.write, transport.write_eof
        self._far.connection = self
        self._far.lost.clear()

    def data_received(self, data: bytes) -> None:
        for frame in self._framer.frames(data):
            if isinstance(frame, bytes):
                self._far.received(frame)

    def connection_lost(self, error: Exception | None) -> None:
        if self._far.connection is self:  # and no newer one
            self._far.write = self._far.finish = None
            self._far.lost.set()


class Arena:
    """One engine and its far end.

    Attributes:
        far: The far end's socket.
        engine: The engine.
        events: What it has said.
        outcomes: How engines have ended that nobody stopped.
        log: Their standard error.
    """

    def __init__(self, far: Far) -> None:
        self.far = far
        self.events: list[Event] = []
        self.outcomes: list[ChildOutcome] = []
        self._changed = asyncio.Event()
        self.log: list[str] = []
        self.engine = EngineClient(on_event=self._event, on_end=self._end, on_log=self.log.append)

    def _event(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    def _end(self, outcome: ChildOutcome) -> None:
        if not outcome.asked:
            self.outcomes.append(outcome)
        self._changed.set()

    async def until(self, condition: Callable[[], bool], what: str, seconds: float = LIMIT_S) -> None:
        """Wait until something has been said."""
        async with asyncio.timeout(seconds):
            while not condition():
                assert not self.outcomes, (what, self.outcomes)
                self._changed.clear()
                await self._changed.wait()

    def account(self, **changes: object) -> OpenAccount:
        """The account of this engine."""
        target = Target(address=HOST, port=self.far.port, transport=self.far.transport, name=HOST)
        values: dict[str, object] = {
            "user": USER,
            "host": HOST,
            "port": self.far.port,
            "auth_id": "",
            "password": "secret",
            "realm": "*",
            "caller_id": "",
            "expires": 300,
            "register": True,
            "codecs": ("PCMU", "PCMA"),
            "target": target,
            "srtp": Srtp.OFFER,
            "prack": Use.SUPPORTED,
            "keep_alive_s": 0,
        }
        return OpenAccount(**{**values, **changes})  # type: ignore[arg-type]  # values of the right types

    async def register(self, hostile: Make, *, clear: bool = True) -> RegistrationChanged:
        """Have it register, answer with hostile bytes and then properly; gives what it made of that.

        Args:
            hostile: What the first REGISTER is answered with.
            clear: Whether the events so far are forgotten.
        """
        if clear:
            self.events.clear()
        before = len(self.events)
        await self.engine.request(Register(limit_s=4.0))

        def outcome() -> list[RegistrationChanged]:
            return [event for event in self.events[before:] if isinstance(event, RegistrationChanged)]

        asked = await self.far.next(b"REGISTER ")
        for raw in hostile(asked):
            self.far.send(raw)
        self.far.send(answer(asked, "200 OK", f"Contact: {header_value(asked, 'Contact')};expires=300"))
        while not outcome():
            task = asyncio.create_task(self.far.next(b"REGISTER "))
            said = asyncio.create_task(self.until(lambda: bool(outcome()), "the registration"))
            await asyncio.wait({task, said}, return_when=asyncio.FIRST_COMPLETED)
            # Also when that was the answer to an earlier one: TCP has nothing that asks again
            if task.done():
                asked = task.result()
                self.far.send(
                    answer(asked, "200 OK", f"Contact: {header_value(asked, 'Contact')};expires=300")
                )
            task.cancel()
            said.cancel()
            await asyncio.gather(task, said, return_exceptions=True)
            assert not self.outcomes, self.outcomes
        return outcome()[-1]

    async def call(self, hostile: Make) -> CallChanged:
        """Have it call, answer its INVITE with hostile bytes, end the call; gives its end."""
        self.events.clear()
        call_id = f"call-{next(_numbers)}"
        await self._place(call_id)
        asked = await self.far.next(b"INVITE ")
        for raw in hostile(asked):
            self.far.send(raw)
        await self.alive()
        # Without any answer it could not be taken back (RFC 3261 section 9.1)
        self.far.send(answer(asked, "486 Busy Here"))
        await self._end_call(call_id)
        return self._ended(call_id)[-1]

    async def incoming(self, hostile: Sequence[bytes]) -> None:
        """Send these outside of any call, and turn away what rings."""
        self.events.clear()
        for raw in hostile:
            self.far.send(raw)
        await self.alive()
        await self.turn_away()

    async def attempt(self, command: Command) -> None:
        """Have the engine do something that it may refuse."""
        try:
            await self.engine.request(command)
        except EngineError:
            assert not self.outcomes, (self.outcomes, self.log)

    async def turn_away(self, *, but: str = "") -> None:
        """End every call that is up, but for one."""
        calls = {event.call_id for event in self.events if isinstance(event, CallChanged)}
        for call_id in calls - {but}:
            if not self._ended(call_id):
                await self.attempt(HangUp(call_id=call_id))
                await self.until(lambda call_id=call_id: bool(self._ended(call_id)), "the end of the call")  # type: ignore[misc]  # bound at once

    async def _end_call(self, call_id: str) -> None:
        await self.alive()
        if not self._ended(call_id):
            await self.attempt(HangUp(call_id=call_id))
        await self.until(lambda: bool(self._ended(call_id)), "the end of the call")

    def _ended(self, call_id: str) -> list[CallChanged]:
        return [
            event
            for event in self.events
            if isinstance(event, CallChanged) and event.call_id == call_id and event.state is CallState.ENDED
        ]

    @asynccontextmanager
    async def conversation(self) -> AsyncIterator[Conversation]:
        """A call that is up; it is ended afterwards if the far end has not."""
        self.events.clear()
        call_id = f"call-{next(_numbers)}"
        await self._place(call_id)
        invite = await self.far.next(b"INVITE ")
        self.far.send(answer(invite, "200 OK", self.far.contact, "Content-Type: application/sdp", body=SDP))
        await self.until(lambda: self.has(call_id, CallState.ANSWERED), "the answer")
        yield Conversation(self, call_id, invite)
        await self.alive()
        await self.turn_away()

    def has(self, call_id: str, state: CallState) -> bool:
        """Whether a call has been reported to reach a state."""
        return any(
            event.call_id == call_id and event.state is state
            for event in self.events
            if isinstance(event, CallChanged)
        )

    async def _place(self, call_id: str) -> None:
        place = PlaceCall(call_id=call_id, user="600", max_seconds=60, ring_seconds=60, source=Source.SILENCE)
        async with asyncio.timeout(LIMIT_S):
            while True:
                try:
                    await self.engine.request(place)
                    return
                except EngineError:  # too many calls begin at once
                    assert not self.outcomes, self.outcomes
                    await asyncio.sleep(0.1)

    async def alive(self) -> None:
        """Wait until the engine has dealt with everything that was sent to it.

        Over TCP the engine registers again if there is no connection.
        """
        async with asyncio.timeout(LIMIT_S):
            while not await self._answers():
                await self.register(lambda asked: [], clear=False)
        # The edge answers by itself; a command comes after what PJSIP was handed
        await self.engine.request(SetConference(call_ids=()))

    async def _answers(self) -> bool:
        """Whether the engine answers over the connection there is.

        False when there is none or no more, and when the question came after half a message.
        """
        if self.far.write is None:
            return False
        mark = next(_numbers)
        source = f"{HOST}:{self.far.port}"
        self.far.send(
            f"OPTIONS sip:{USER}@{HOST} SIP/2.0\r\n"
            f"Via: SIP/2.0/{self.far.transport.name} {source};rport;branch=z9hG4bKping{mark}\r\n"
            f"From: <sip:far@{source}>;tag=p{mark}\r\nTo: <sip:{USER}@{HOST}>\r\nCall-ID: ping{mark}\r\n"
            f"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n".encode()
        )
        wanted = f"\r\nCall-ID: ping{mark}\r\n".encode()
        kept: list[bytes] = []
        raw = b""
        while wanted not in raw:
            getting = asyncio.create_task(self.far.queue.get())
            others = [
                asyncio.create_task(self._changed_to_an_end()),
                asyncio.create_task(self.far.lost.wait()),
            ]
            await asyncio.wait({getting, *others}, timeout=2, return_when=asyncio.FIRST_COMPLETED)
            raw = getting.result() if getting.done() else b""
            for task in (getting, *others):
                task.cancel()
            await asyncio.gather(getting, *others, return_exceptions=True)
            assert not self.outcomes, self.outcomes
            if not raw:
                break
            if wanted not in raw:
                kept.append(raw)
        for earlier in kept:
            self.far.queue.put_nowait(earlier)
        return bool(raw)

    async def _changed_to_an_end(self) -> None:
        while not self.outcomes:
            self._changed.clear()
            await self._changed.wait()


class Conversation:
    """One call that is up.

    Attributes:
        call_id: Its id in the engine.
        invite: The engine's INVITE.
    """

    def __init__(self, at: Arena, call_id: str, invite: bytes) -> None:
        self._at = at
        self.call_id = call_id
        self.invite = invite

    @property
    def values(self) -> dict[str, str]:
        """From, To, Call-ID and Request-URI of requests of the far end."""
        found = re.search(r"<([^>]*)>", header_value(self.invite, "Contact"))
        assert found
        return {
            "from": f"{header_value(self.invite, 'To')};tag=far",
            "from_tag": "far",
            "to": header_value(self.invite, "From"),
            "call_id": header_value(self.invite, "Call-ID"),
            "target": found[1],
        }

    async def say(self, hostile: Sequence[bytes]) -> None:
        """Send these."""
        for raw in hostile:
            self._at.far.send(raw)


def answer(
    request: bytes,
    status: str,
    *headers: str,
    body: str = "",
    tag: str = "far",
    source: tuple[str, int] | None = None,
) -> bytes:
    """A proper answer to a request of the engine.

    Args:
        request: The request.
        status: Code and phrase.
        headers: More of them.
        body: SDP.
        tag: Of To, where it has none.
        source: Where the request seems to come from; what it says itself if None.
    """
    host, _, port = header_value(request, "Via").split()[1].partition(";")[0].rpartition(":")
    values = answer_values(request, server=(HOST, 1), source=source or (host, int(port)))
    text = {key: value.decode() if isinstance(value, bytes) else value for key, value in values.items()}
    to = text["to"] + f";tag={text['to_tag'] if text['to_tag'] != 'far' else tag}"
    lines = [
        f"SIP/2.0 {status}",
        f"Via: {text['via']}",
        f"From: {text['from']}",
        f"To: {to}",
        f"Call-ID: {text['call_id']}",
        f"CSeq: {text['cseq']}",
        *headers,
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def _ack(response: bytes) -> bytes:
    """The ACK for a final response of the engine; nothing where the request was too damaged for one."""
    try:
        lines = [f"{name}: {header_value(response, name)}" for name in ("Via", "From", "To", "Call-ID")]
        number = header_value(response, "CSeq").partition(" ")[0]
    except ValueError:
        return b""
    head = [f"ACK sip:{USER}@{HOST} SIP/2.0", *lines, f"CSeq: {number} ACK", "Content-Length: 0", "", ""]
    return "\r\n".join(head).encode("latin-1")


def _branch(raw: bytes) -> str:
    return header_value(raw, "Via").partition("branch=")[2].partition(";")[0]


def header_value(raw: bytes, name: str) -> str:
    """The value of a header, without an expires parameter.

    Raises:
        ValueError: There is none.
    """
    return header(raw, name.lower().encode()).decode("latin-1").partition(";expires")[0]


@asynccontextmanager
async def arena(transport: Transport = Transport.UDP, **changes: object) -> AsyncIterator[Arena]:
    """Start an engine with an account at a far end of ours."""
    far = Far(transport)
    loop = asyncio.get_running_loop()
    close: Callable[[], None]
    if transport is Transport.UDP:
        socket, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(far), local_addr=(HOST, 0))
        close = socket.close
    else:
        server = await loop.create_server(lambda: _Connection(far), HOST, 0)
        far.port = server.sockets[0].getsockname()[1]
        close = server.close
    at = Arena(far)
    try:
        await at.engine.start()
        await at.engine.request(at.account(**changes))
        await at.register(lambda asked: [])  # after which it is known where the engine is
        yield at
    finally:
        await at.engine.stop()
        close()
