"""A small SIP client, written apart from the app, to try servers with: REGISTER, INVITE, BYE, digest.

    with SipClient.connect("127.0.0.1", 5060, "udp", user="1001", password="…") as client:
        assert client.register(expires=60).code == 200
        call = client.invite("600")
        assert call.final.code == 200
        client.bye(call)

One request at a time, no retransmission: for loopback.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import socket
import ssl
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

_SDP = """v=0
o=client 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio {port} RTP/AVP 0
a=rtpmap:0 PCMU/8000
"""


@dataclass(frozen=True)
class Message:
    """A message received."""

    start_line: str
    headers: tuple[tuple[str, str], ...]
    body: str

    @classmethod
    def parse(cls, text: str) -> Message:
        """Headers keep their order; folded lines are not understood."""
        head, _, body = text.partition("\r\n\r\n")
        start_line, *lines = head.split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return cls(start_line, tuple((name.strip(), value.strip()) for name, _, value in pairs), body)

    @property
    def code(self) -> int:
        """The status code, 0 of a request."""
        return int(self.start_line.split()[1]) if self.start_line.startswith("SIP/2.0") else 0

    @property
    def reason(self) -> str:
        """The reason phrase."""
        return self.start_line.split(" ", 2)[2]

    def all(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        return [value for found, value in self.headers if found.lower() == name.lower()]

    def one(self, name: str) -> str:
        """The first value of a header, empty when it is not there."""
        return next(iter(self.all(name)), "")


@dataclass(frozen=True)
class Call:
    """What an INVITE led to.

    Attributes:
        responses: All responses to the last INVITE, the final one last.
        headers: From, To and Call-ID for what follows in the dialog.
        cseq: Of the last INVITE.
        uri: As dialled.
    """

    responses: tuple[Message, ...]
    headers: dict[str, str]
    cseq: int
    uri: str

    @property
    def final(self) -> Message:
        """The final response."""
        return self.responses[-1]


class SipClient:
    """One connection, or one UDP socket, to one server."""

    def __init__(self, sock: socket.socket, transport: str, user: str, password: str) -> None:
        self.socket = sock
        self._transport = transport.upper()
        self._user = user
        self._password = password
        self._buffer = b""
        self._numbers = itertools.count(1)
        host, port = sock.getpeername()
        self._server = f"{host}:{port}"
        self._local = "{}:{}".format(*sock.getsockname())
        parameter = "" if transport == "udp" else f";transport={transport}"
        self.contact = f"<sip:{user}@{self._local}{parameter}>"

    @classmethod
    def connect(
        cls,
        host: str,
        port: int,
        transport: str,
        *,
        user: str,
        password: str,
        tls: ssl.SSLContext | None = None,
        timeout: float = 5,
    ) -> SipClient:
        """Connect over udp, tcp or tls.

        Raises:
            OSError: As the socket or the handshake ends.
        """
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        sock = socket.socket(socket.AF_INET, kind)
        try:
            sock.settimeout(timeout)
            sock.connect((host, port))
            if transport == "tls":
                sock = (tls or ssl.create_default_context()).wrap_socket(sock, server_hostname=host)
        except OSError:
            sock.close()
            raise
        return cls(sock, transport, user, password)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def register(self, *, expires: int) -> Message:
        """REGISTER with this lifetime in seconds, 0 to unregister; credentials only when asked for."""
        uri = f"sip:{self._server}"
        lines = {"Contact": self.contact, "Expires": str(expires)}
        return self._with_digest("REGISTER", uri, self._dialog(self._user), lines, "").final

    def invite(self, number: str, *, media_port: int = 9) -> Call:
        """INVITE with credentials when asked for, ACK of the final response."""
        uri = f"sip:{number}@{self._server}"
        lines = {"Contact": self.contact, "Content-Type": "application/sdp"}
        body = _SDP.format(port=media_port).replace("\n", "\r\n")
        return self._with_digest("INVITE", uri, self._dialog(number), lines, body)

    def bye(self, call: Call) -> Message:
        """Leave an answered call along its route set."""
        self._send("BYE", *self._route(call), call.headers, call.cseq + 1, {}, "")
        return self.receive_response("BYE")[-1]

    def receive(self) -> Message:
        """The next message, whatever it is."""
        if self._transport == "UDP":
            return Message.parse(self.socket.recv(65536).decode())
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
        head, _, rest = self._buffer.partition(b"\r\n\r\n")
        found = re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d+)", head)
        length = int(found[1]) if found else 0
        while len(rest) < length:
            self._fill()
            rest = self._buffer.partition(b"\r\n\r\n")[2]
        self._buffer = rest[length:]
        return Message.parse((head + b"\r\n\r\n" + rest[:length]).decode())

    def respond(self, request: Message, status: str) -> None:
        """Answer a request that was received, without a body."""
        copied = [(n, v) for n, v in request.headers if n.lower() in {"via", "from", "to", "call-id", "cseq"}]
        lines = [f"SIP/2.0 {status}", *(f"{name}: {value}" for name, value in copied), "Content-Length: 0"]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())

    def receive_response(self, method: str) -> list[Message]:
        """Responses to this method up to the final one; other messages are passed over."""
        responses: list[Message] = []
        while not responses or responses[-1].code < 200:
            message = self.receive()
            if message.code and message.one("CSeq").endswith(method):
                responses.append(message)
        return responses

    def _fill(self) -> None:
        received = self.socket.recv(65536)
        if not received:
            raise ConnectionError("the server closed the connection")
        self._buffer += received

    def _dialog(self, called: str) -> dict[str, str]:
        host = self._server.partition(":")[0]
        return {
            "From": f"<sip:{self._user}@{host}>;tag={uuid.uuid4().hex[:8]}",
            "To": f"<sip:{called}@{host}>",
            "Call-ID": uuid.uuid4().hex,
        }

    def _with_digest(
        self, method: str, uri: str, dialog: dict[str, str], lines: dict[str, str], body: str
    ) -> Call:
        credentials: dict[str, str] = {}
        while True:
            cseq = next(self._numbers)
            branch = self._send(method, uri, {}, dialog, cseq, {**lines, **credentials}, body)
            responses = self.receive_response(method)
            answered = {**dialog, "To": responses[-1].one("To")}
            call = Call(tuple(responses), answered, cseq, uri)
            if method == "INVITE":
                self._acknowledge(call, branch)
            if call.final.code not in {401, 407} or credentials:
                return call
            credentials = self._credentials(call.final, method, uri)

    def _acknowledge(self, call: Call, branch: str) -> None:
        if call.final.code < 300:
            self._send("ACK", *self._route(call), call.headers, call.cseq, {}, "")
        else:
            self._send("ACK", call.uri, {}, call.headers, call.cseq, {}, "", branch=branch)

    @staticmethod
    def _route(call: Call) -> tuple[str, dict[str, str]]:
        """Request-URI and Route of requests in the dialog (RFC 3261 12.2.1.1)."""
        target = call.final.one("Contact").partition("<")[2].partition(">")[0]
        # Several routes may share a line
        routes = re.findall(r"<[^>]*>[^,]*", ",".join(call.final.all("Record-Route")))
        route = ", ".join(reversed(routes))
        return target, {"Route": route} if route else {}

    def _send(
        self,
        method: str,
        uri: str,
        first: dict[str, str],
        dialog: dict[str, str],
        cseq: int,
        lines: dict[str, str],
        body: str,
        *,
        branch: str = "",
    ) -> str:
        branch = branch or f"z9hG4bK{uuid.uuid4().hex}"
        headers = {
            "Via": f"SIP/2.0/{self._transport} {self._local};branch={branch};rport",
            "Max-Forwards": "70",
            **first,
            **dialog,
            "CSeq": f"{cseq} {method}",
            **lines,
            "Content-Length": str(len(body)),
        }
        head = [f"{method} {uri} SIP/2.0", *(f"{name}: {value}" for name, value in headers.items())]
        self.socket.sendall(("\r\n".join(head) + "\r\n\r\n" + body).encode())
        return branch

    def _credentials(self, challenge: Message, method: str, uri: str) -> dict[str, str]:
        """Answer to a challenge (RFC 7616, qop auth or none)."""
        proxy = challenge.code == 407
        text = challenge.one("Proxy-Authenticate" if proxy else "WWW-Authenticate")
        asked = {name.lower(): quoted or bare for name, quoted, bare in _PARAMETER.findall(text)}
        algorithm = asked.get("algorithm", "MD5")
        digest = hashlib.sha256 if algorithm.upper() == "SHA-256" else hashlib.md5
        realm, nonce = asked["realm"], asked["nonce"]
        secret = _hex(digest, self._user, realm, self._password)
        request = _hex(digest, method, uri)
        values = {"username": self._user, "realm": realm, "nonce": nonce, "uri": uri}
        bare = {"algorithm": algorithm}
        if "qop" in asked:
            values["cnonce"] = cnonce = uuid.uuid4().hex
            bare |= {"qop": "auth", "nc": "00000001"}
            values["response"] = _hex(digest, secret, nonce, bare["nc"], cnonce, "auth", request)
        else:
            values["response"] = _hex(digest, secret, nonce, request)
        parts = [f'{name}="{value}"' for name, value in values.items()]
        parts += [f"{name}={value}" for name, value in bare.items()]
        return {"Proxy-Authorization" if proxy else "Authorization": "Digest " + ", ".join(parts)}


class _Hash(Protocol):
    def hexdigest(self) -> str: ...


_PARAMETER = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,]+))')


def _hex(digest: Callable[[bytes], _Hash], *parts: str) -> str:
    return digest(":".join(parts).encode()).hexdigest()
