"""A SIP phone for tests of the carrier: aiosipua's messages, its own sockets, no retransmission."""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from aiosipua import (
    SipDigestAuth,
    SipMessage,
    SipRequest,
    SipResponse,
    build_credentials,
    parse_auth,
    parse_sdp,
    stringify_auth,
)

from app.sip.carrier.messages import CarrierOptions, Timing
from app.sip.syntax.framing import Framer
from tests.carrier.ear import HOST, Ear, sdp

LIMIT_S = 8.0

FAST = Timing(
    t1_s=0.05,
    t2_s=0.2,
    t4_s=0.2,
    answer_late_s=0.2,
    hang_up_after_s=0.2,
    early_media_s=0.3,
    dtmf_pause_s=0.3,
    call_back_hold_s=0.1,
    call_back_pause_s=0.1,
    call_back_ring_s=0.4,
    ring_limit_s=0.4,
    rtcp_s=0.2,
    stop_s=0.5,
)
"""Everything that people wait for, shortened."""

QUICK = CarrierOptions(timing=FAST)
ACCOUNTS = {"1001": "first secret", "1002": "second secret"}


async def until(condition: Callable[[], Any], what: str, *, seconds: float = LIMIT_S) -> Any:
    """Wait for a condition to be true and return it, with a limit."""
    limit = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > limit:
            raise AssertionError(f"waited {seconds:g} s in vain for {what}")
        await asyncio.sleep(0.005)
    return answer


class Phone:
    """One user's phone; `async with await Phone.open(carrier.udp_port) as phone`.

    Attributes:
        auth_user: Name that signs in, if it is another than the user.
        caller: User part of From, if it is another than the user.
        domain: Host of the URIs, if they don't name the carrier's address.
        more: Further headers of an INVITE.
    """

    def __init__(self, port: int, transport: str, user: str, password: str) -> None:
        self.user = user
        self.password = password
        self.auth_user = ""
        self.caller = ""
        self.domain = ""
        self.more: tuple[tuple[str, str], ...] = ()
        self.transport = transport
        self.server_port = port
        self.received: list[SipRequest | SipResponse] = []
        self.at: list[float] = []
        self.closed = False
        self.ear: Ear
        self._wire: Any = None
        self.port = 0
        self.cseq = 0
        self.tag = secrets.token_hex(4)

    @classmethod
    async def open(
        cls,
        port: int,
        *,
        transport: str = "udp",
        user: str = "1001",
        password: str | None = None,
        ca_pem: str = "",
        server_name: str = HOST,
    ) -> Phone:
        """Open the phone's sockets, a connection for TCP and TLS; over TLS the certificate is checked."""
        phone = cls(port, transport, user, ACCOUNTS.get(user, "") if password is None else password)
        loop = asyncio.get_running_loop()
        if transport == "udp":
            phone._wire, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(phone), remote_addr=(HOST, port)
            )
        else:
            secure: dict[str, Any] = {}
            if transport == "tls":
                context = ssl.create_default_context(cadata=ca_pem)
                secure = {"ssl": context, "server_hostname": server_name, "ssl_shutdown_timeout": 1.0}
            phone._wire, _ = await loop.create_connection(lambda: _Stream(phone), HOST, port, **secure)
        phone.port = phone._wire.get_extra_info("sockname")[1]
        phone.ear = await Ear.open()
        return phone

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wire.close()
        self.ear.transport.close()
        if self.transport == "tls":
            await until(lambda: self.closed, "the end of TLS")
        for _ in range(3):
            await asyncio.sleep(0)

    # Messages

    @property
    def contact(self) -> str:
        """Our Contact header value."""
        suffix = "" if self.transport == "udp" else f";transport={self.transport}"
        return f"<sip:{self.user}@{HOST}:{self.port}{suffix}>"

    def send(self, message: SipRequest | SipResponse | bytes) -> None:
        """Send a message or raw bytes."""
        data = message if isinstance(message, bytes) else bytes(message)
        if self.transport == "udp":
            self._wire.sendto(data)
        else:
            self._wire.write(data)

    def build(
        self,
        method: str,
        uri: str,
        *,
        to: str = "",
        call_id: str = "",
        cseq: int = 0,
        headers: tuple[tuple[str, str], ...] = (),
        body: str = "",
        branch: str = "",
    ) -> SipRequest:
        """A request of ours."""
        self.cseq = cseq or self.cseq + 1
        request = SipRequest(method=method, uri=uri)
        branch = branch or f"z9hG4bK{secrets.token_hex(8)}"
        via = f"SIP/2.0/{self.transport.upper()} {HOST}:{self.port};branch={branch};rport"
        for name, value in (
            ("Via", via),
            ("From", f"<sip:{self.caller or self.user}@{self.domain or HOST}>;tag={self.tag}"),
            ("To", to or f"<{uri}>"),
            ("Call-ID", call_id or secrets.token_hex(8)),
            ("CSeq", f"{self.cseq} {method}"),
            ("Max-Forwards", "70"),
            *headers,
        ):
            request.headers.append(name, value)
        if body:
            request.headers.set_single("Content-Type", "application/sdp")
            request.text = body
        return request

    def responses(self, request: SipRequest) -> list[SipResponse]:
        """What came back so far, by branch and method."""
        branch = request.via[0].branch
        return [
            message
            for message in self.received
            if isinstance(message, SipResponse)
            and message.via[0].branch == branch
            and message.cseq is not None
            and message.cseq.method == request.method
        ]

    def requests(self, method: str) -> list[SipRequest]:
        """Requests of this method that came in, repeats included."""
        return [m for m in self.received if isinstance(m, SipRequest) and m.method == method]

    async def final(self, request: SipRequest) -> SipResponse:
        """Wait for the final response."""
        found = await until(
            lambda: [r for r in self.responses(request) if r.status_code >= 200],
            f"a final response to {request.method}",
        )
        return found[0]

    async def ask(self, request: SipRequest) -> SipResponse:
        """Send a request and wait for its final response; a refused INVITE is acknowledged."""
        self.send(request)
        response = await self.final(request)
        if request.method == "INVITE" and response.status_code >= 300:
            self.send(self.ack_refusal(request, response))
        return response

    def ack_refusal(self, invite: SipRequest, response: SipResponse) -> SipRequest:
        """The ACK to a final response that is no 2xx."""
        seq = invite.cseq.seq if invite.cseq else 0
        branch = invite.via[0].branch or ""
        to = response.get_header("to") or ""
        return self.build("ACK", invite.uri, to=to, call_id=invite.call_id or "", cseq=seq, branch=branch)

    def credentials(
        self, response: SipResponse, request: SipRequest, *, algorithm: str = "", count: int = 1
    ) -> tuple[str, str]:
        """The header that answers a challenge, the first one or the one with this algorithm."""
        proxy = response.status_code == 407
        values = response.get_header_values("proxy-authenticate" if proxy else "www-authenticate")
        challenges = [parse_auth(value) for value in values]
        challenge = next(c for c in challenges if algorithm in ("", c.params["algorithm"]))
        answer = build_credentials(
            SipDigestAuth(self.auth_user or self.user, self.password),
            challenge,
            request.method,
            request.uri,
            nonce_count=count,
        )
        assert answer is not None
        return ("Proxy-Authorization" if proxy else "Authorization", stringify_auth(answer))

    async def ask_with_digest(self, build: Callable[..., SipRequest]) -> tuple[SipRequest, SipResponse]:
        """Ask twice, with credentials the second time; `build` takes more headers."""
        first = build(())
        challenge = await self.ask(first)
        if challenge.status_code not in (401, 407):
            return first, challenge
        second = build((self.credentials(challenge, first),))
        return second, await self.ask(second)

    # What phones do

    async def register(
        self, *, expires: int = 300, contacts: tuple[str, ...] | None = None, call_id: str = "", aor: str = ""
    ) -> SipResponse:
        """REGISTER with digest; returns the last response."""
        uri = f"sip:{self.domain or f'{HOST}:{self.server_port}'}"
        call_id = call_id or secrets.token_hex(8)
        lines = tuple(("Contact", c) for c in ((self.contact,) if contacts is None else contacts))

        def build(more: tuple[tuple[str, str], ...]) -> SipRequest:
            headers = (*lines, ("Expires", str(expires)), *more)
            to = f"<sip:{aor or self.user}@{self.domain or HOST}>"
            return self.build("REGISTER", uri, to=to, call_id=call_id, headers=headers)

        return (await self.ask_with_digest(build))[1]

    async def invite(self, number: str, *, body: str | None = None, contact: str = "") -> Call:
        """INVITE with digest; returns once it is sent with credentials."""
        uri = f"sip:{number}@{self.domain or f'{HOST}:{self.server_port}'}"
        text = sdp(self.ear.port) if body is None else body
        call_id = secrets.token_hex(8)

        def build(more: tuple[tuple[str, str], ...]) -> SipRequest:
            headers = (("Contact", contact or self.contact), *self.more, *more)
            return self.build("INVITE", uri, call_id=call_id, headers=headers, body=text)

        first = build(())
        challenge = await self.ask(first)
        assert challenge.status_code == 407, challenge
        second = build((self.credentials(challenge, first),))
        self.send(second)
        return Call(self, second)

    async def invite_unchallenged(self, number: str, *, body: str = "") -> Call:
        """INVITE without digest, as where the address is known; returns once it is sent."""
        uri = f"sip:{number}@{self.domain or f'{HOST}:{self.server_port}'}"
        headers = (("Contact", self.contact), *self.more)
        invite = self.build("INVITE", uri, headers=headers, body=body or sdp(self.ear.port))
        self.send(invite)
        return Call(self, invite)

    async def call(self, number: str, *, body: str | None = None) -> Call:
        """INVITE, wait for the 200 and acknowledge it."""
        call = await self.invite(number, body=body)
        response = await self.final(call.invite)
        assert response.status_code == 200, response
        call.ack(response)
        return call

    async def refused(self, number: str, *, body: str | None = None, contact: str = "") -> SipResponse:
        """INVITE, wait for the refusal and acknowledge it."""
        call = await self.invite(number, body=body, contact=contact)
        response = await self.final(call.invite)
        assert response.status_code >= 300, response
        self.send(self.ack_refusal(call.invite, response))
        return response

    def answer(self, request: SipRequest, code: int, reason: str = "", *, body: str = "") -> SipResponse:
        """Respond to a request of the carrier's."""
        response = SipResponse(status_code=code, reason_phrase=reason or "Whatever")
        for name in ("Via", "From", "To", "Call-ID", "CSeq"):
            for value in request.headers.get(name):
                if name == "To" and "tag=" not in value and code > 100:
                    value += f";tag={self.tag}"
                response.headers.append(name, value)
        response.headers.append("Contact", self.contact)
        if body:
            response.headers.set_single("Content-Type", "application/sdp")
            response.text = body
        self.send(response)
        return response

    def take(self, data: bytes) -> None:
        """Take a message from the wire."""
        message = SipMessage.parse(data)
        self.received.append(message)
        self.at.append(time.monotonic())


class Call:
    """A call that the phone placed."""

    def __init__(self, phone: Phone, invite: SipRequest) -> None:
        self.phone = phone
        self.invite = invite
        self.to = invite.get_header("to") or ""
        self.target = invite.uri
        self.rtp_port = 0
        self.description: Any = None

    def ack(self, response: SipResponse, *, body: str = "") -> None:
        """Acknowledge a 2xx and learn the dialog and the carrier's media from it."""
        self.learn(response)
        seq = response.cseq.seq if response.cseq else 0
        self.phone.send(
            self.phone.build(
                "ACK", self.target, to=self.to, call_id=self.invite.call_id or "", cseq=seq, body=body
            )
        )

    def learn(self, response: SipResponse) -> None:
        """Take To tag, Contact and media from a response."""
        self.to = response.get_header("to") or ""
        if response.contact:
            contact = response.get_header("contact") or ""
            self.target = contact.strip("<>")
        if response.body:
            self.description = parse_sdp(response.text)
            self.rtp_port = self.description.audio.port

    def request(self, method: str, *, body: str = "", cseq: int = 0) -> SipRequest:
        """A request in this dialog."""
        return self.phone.build(
            method,
            self.target,
            to=self.to,
            call_id=self.invite.call_id or "",
            cseq=cseq,
            headers=(("Contact", self.phone.contact),),
            body=body,
        )

    async def bye(self) -> SipResponse:
        """Hang up."""
        return await self.phone.ask(self.request("BYE"))

    async def cancel(self) -> SipResponse:
        """CANCEL and acknowledge the 487; returns the INVITE's final response."""
        seq = self.invite.cseq.seq if self.invite.cseq else 0
        branch = self.invite.via[0].branch or ""
        cancel = self.phone.build(
            "CANCEL",
            self.invite.uri,
            to=self.invite.get_header("to") or "",
            call_id=self.invite.call_id or "",
            cseq=seq,
            branch=branch,
        )
        response = await self.phone.ask(cancel)
        assert response.status_code == 200, response
        final = await self.phone.final(self.invite)
        self.phone.send(self.phone.ack_refusal(self.invite, final))
        return final

    async def ended_by_carrier(self) -> SipRequest:
        """Wait for the carrier's BYE and answer it."""
        bye = (await until(lambda: self.phone.requests("BYE"), "a BYE from the carrier"))[0]
        self.phone.answer(bye, 200, "OK")
        return bye


def received(phone: Phone, call: Call, code: int) -> list[tuple[Any, float]]:
    """Responses to the call's INVITE with this code, and when they came."""
    found = phone.responses(call.invite)
    return [
        (message, at)
        for message, at in zip(phone.received, phone.at, strict=True)
        if message in found and message.status_code == code  # type: ignore[union-attr]  # found has responses
    ]


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, phone: Phone) -> None:
        self._phone = phone

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._phone.take(data)

    def error_received(self, exc: Exception) -> None:
        self._phone.closed = True


class _Stream(asyncio.Protocol):
    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self._framer = Framer()

    def data_received(self, data: bytes) -> None:
        for frame in self._framer.frames(data):
            if isinstance(frame, bytes):
                self._phone.take(frame)
            else:
                self._phone.received.append(SipResponse(status_code=0, reason_phrase="pong"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._phone.closed = True
