"""A far end that answers every request of a command by itself, as a test chose for the method.

    async with answering(INVITE=status("486 Busy Here")) as far:
        ended = await ran(tmp_path, far, "call", "Far", "600")
    assert ended.finding_ids == ["CALL-486"]

    ended = register(tmp_path, saying("challenge-basic"))  # the same in a line, for a single command
    ended = call(tmp_path, status("486 Busy Here"))

UDP and TCP on one port of loopback. Audio comes from a talker as soon as a call is answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import msgspec

from app.model.finding import Finding
from app.sip.syntax.framing import Framer
from tests.engine.rtp import Talker, talking_at
from tests.engine.scripted import HOST, rtp_target, sdp
from tests.helpers.command import Ended, Ringback
from tests.helpers.ports import free_ports
from tests.helpers.sip_client import Message
from tests.hostile.at_the_command_line import LIMIT_S, PASSWORD
from tests.hostile.hostile_messages import MESSAGES
from tests.hostile.hostile_values import answer_values

NUMBER = "600"
"""What `call` calls."""

_COPIED = {"via", "from", "call-id", "cseq", "record-route"}


@dataclass(frozen=True)
class Asked:
    """A request of the engine.

    Attributes:
        raw: As it came.
        message: The same, read.
        server, source: Where it came to and from.
        rtp_port: Where the far end has its audio.
        earlier: Requests of the same method that came before, repeats left out.
    """

    raw: bytes
    message: Message
    server: tuple[str, int]
    source: tuple[str, int]
    rtp_port: int
    earlier: int


Answer = Callable[[Asked], bytes | None]
"""What to send back; None for nothing."""


def status(line: str, *headers: str, body: Sequence[str] = ()) -> Answer:
    """An ordinary answer with more headers and a body."""

    def answer(asked: Asked) -> bytes:
        message = asked.message
        to = message.one("To")
        content = "".join(f"{text}\r\n" for text in body)
        lines = [
            f"SIP/2.0 {line}",
            *(f"{name}: {value}" for name, value in message.headers if name.lower() in _COPIED),
            f"To: {to}" if ";tag=" in to else f"To: {to};tag=far",
            *headers,
            *(["Content-Type: text/plain"] if body and body[0] != "v=0" else []),
            *(["Content-Type: application/sdp"] if body and body[0] == "v=0" else []),
            f"Content-Length: {len(content.encode())}",
        ]
        return "\r\n".join([*lines, "", content]).encode()

    return answer


def saying(name: str, **values: str | bytes) -> Answer:
    """A hostile message of `messages/`, by its name."""

    def answer(asked: Asked) -> bytes:
        known = answer_values(asked.raw, server=asked.server, source=asked.source)
        return MESSAGES[name].filled({**known, "rtp_port": str(asked.rtp_port), **values})

    return answer


def registering(asked: Asked) -> bytes | None:
    """200 that keeps the registration as it was asked for."""
    contact, expires = asked.message.one("Contact"), asked.message.one("Expires") or "300"
    return status("200 OK", f"Contact: {contact};expires={expires}")(asked)


def picking_up(asked: Asked, *, more: Sequence[str] = (), profile: str = "RTP/AVP") -> bytes | None:
    """200 with PCMU and digits."""
    contact = f"Contact: <sip:far@{asked.server[0]}:{asked.server[1]}{_transport(asked)}>"
    body = sdp(asked.rtp_port, profile=profile, more=more)
    return status("200 OK", contact, body=body)(asked)


def silence(asked: Asked) -> bytes | None:
    """No answer."""
    return None


def when(condition: Callable[[Message], object], then: Answer, otherwise: Answer) -> Answer:
    """One answer to requests of a kind, another one to all others."""
    return lambda asked: (then if condition(asked.message) else otherwise)(asked)


def in_turn(*answers: Answer) -> Answer:
    """One answer after the other, the last one for all that follow."""
    return lambda asked: answers[min(asked.earlier, len(answers) - 1)](asked)


class FarEnd(asyncio.DatagramProtocol):
    """See the module.

    Attributes:
        port: Of UDP and TCP.
        received: What came in, each once.
    """

    def __init__(self, answers: dict[str, Answer], talker: Talker) -> None:
        self._answers = answers
        self._talker = talker
        self._seen: dict[tuple[str, str], Asked] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self.port = 0

    @property
    def received(self) -> list[Message]:
        """What came in so far, each once."""
        return [asked.message for asked in self._seen.values()]

    def of(self, method: str) -> list[Message]:
        """Requests of this method."""
        return [message for message in self.received if message.start_line.startswith(f"{method} ")]

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # UDP
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data.strip(b"\r\n\0"):
            assert self._transport is not None
            for answer in self._answered(data, addr):
                self._transport.sendto(answer, addr)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One TCP connection."""
        self._writers.append(writer)
        framer = Framer()
        while data := await reader.read(65536):
            for item in framer.frames(data):
                if isinstance(item, bytes):
                    for answer in self._answered(item, writer.get_extra_info("peername")):
                        writer.write(answer)

    def close(self) -> None:
        """Close all connections."""
        for writer in self._writers:
            writer.close()

    def _answered(self, raw: bytes, source: tuple[str, int]) -> Iterable[bytes]:
        message = Message.parse(raw.decode())
        if message.code:
            return
        method = message.start_line.partition(" ")[0]
        earlier = len(self.of(method))
        asked = self._seen.setdefault(
            (message.one("Via"), method),
            Asked(raw, message, (HOST, self.port), source, self._talker.port, earlier),
        )
        if method == "CANCEL":
            yield cast("bytes", status("200 OK")(asked))
            invite = self._seen[message.one("Via"), "INVITE"]
            yield cast("bytes", status("487 Request Terminated")(invite))
            return
        if method == "ACK":
            return
        answer = self._answers.get(method, _ORDINARY.get(method, status("200 OK")))(asked)
        if answer is not None:
            if method == "INVITE" and answer.startswith(b"SIP/2.0 200"):
                self._talker.to = rtp_target(message)
            yield answer


_ORDINARY: dict[str, Answer] = {"REGISTER": registering, "INVITE": picking_up}


@asynccontextmanager
async def answering(**answers: Answer) -> AsyncIterator[FarEnd]:
    """Open one that answers these methods so, and all others as a well-behaved provider does."""
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as opened:
        talker = await opened.enter_async_context(talking_at())
        # Not port 0: what is free for UDP may be some connection's over TCP
        (port,) = free_ports()
        transport, far = await loop.create_datagram_endpoint(
            lambda: FarEnd(answers, talker), local_addr=(HOST, port)
        )
        opened.callback(transport.close)
        server = await asyncio.start_server(far.serve, HOST, port)
        opened.push_async_callback(server.wait_closed)
        opened.callback(server.close)
        opened.callback(far.close)
        yield far


async def ran(
    tmp_path: Path, far: FarEnd, *words: object, password: str | None = PASSWORD, **settings: str
) -> Ended:
    """Run a command with the trunk "Far", which leads to the far end, to its end.

    Args:
        tmp_path: For its data; with the settings it is saved there, without any it is there already.
        far: Where the trunk leads.
        words: The command and its options.
        password: For standard input; None for none.
        settings: Of the trunk.
    """
    ringback = Ringback(tmp_path)
    if not ringback.data.exists():
        ringback.save("Far", **{"host": HOST, "port": str(far.port), "user": "1001", **settings})
    with ringback.start(*words, "--json", password=password) as running:
        return await asyncio.to_thread(running.end, seconds=LIMIT_S)


def register(tmp_path: Path, answer: Answer, password: str | None = PASSWORD, **settings: str) -> Ended:
    """`ringback register` against a far end that answers REGISTER so."""

    async def run() -> Ended:
        async with answering(REGISTER=answer) as far:
            return await ran(tmp_path, far, "register", "Far", password=password, **settings)

    return asyncio.run(run())


def call(
    tmp_path: Path,
    answer: Answer,
    *options: object,
    number: str = NUMBER,
    password: str | None = PASSWORD,
    **settings: str,
) -> Ended:
    """`ringback call` against a far end that answers INVITE so; registered first unless `sign_in` says no."""
    words = ("call", "Far", number, "--seconds", 3, *options)

    async def run() -> Ended:
        async with answering(INVITE=answer) as far:
            return await ran(tmp_path, far, *words, password=password, **settings)

    return asyncio.run(run())


def finding(ended: Ended, finding_id: str) -> Finding:
    """The finding with this id."""
    found = {one["id"]: one for one in ended.json["findings"]}
    assert finding_id in found, list(found)
    return msgspec.convert(found[finding_id], Finding)


def _transport(asked: Asked) -> str:
    return ";transport=tcp" if "/TCP" in asked.message.one("Via") else ""
