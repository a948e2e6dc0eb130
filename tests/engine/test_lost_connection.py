"""A server that closes its TCP connection, with a real engine: shown at once, and signed in again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.model.trunk import Transport, TrunkState
from app.sip.notices import TrunkChanged
from tests.engine.resolved import PASSWORD
from tests.engine.waiting import until
from tests.helpers.sip_client import Message
from tests.helpers.trunks import Seen, make_trunk, session

COPIED = {"via", "from", "to", "call-id", "cseq"}


class Registrar:
    """Grants every REGISTER.

    Attributes:
        port: Where it listens.
        asked: How many there were.
    """

    def __init__(self) -> None:
        self.port = 0
        self.asked = 0
        self._open: set[asyncio.StreamWriter] = set()

    def close_all(self) -> None:
        """Close every connection, as a server that restarts does."""
        for writer in self._open:
            writer.close()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self._open.add(writer)
        try:
            while True:
                request = Message.parse((await reader.readuntil(b"\r\n\r\n")).decode())
                if request.start_line.startswith("REGISTER"):
                    self.asked += 1
                    writer.write(_granted(request))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()


def _granted(request: Message) -> bytes:
    copied = [f"{name}: {value}" for name, value in request.headers if name.lower() in COPIED]
    contact = request.one("Contact").partition(";expires")[0]
    seconds = request.one("Expires") or "60"
    lines = ["SIP/2.0 200 OK", *copied, f"Contact: {contact};expires={seconds}", "Content-Length: 0", "", ""]
    return "\r\n".join(lines).encode()


@asynccontextmanager
async def registrar() -> AsyncIterator[Registrar]:
    """One on a port of its own."""
    made = Registrar()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        made.close_all()
        server.close()
        await server.wait_closed()


def test_a_lost_connection_is_shown_at_once_and_the_trunk_registers_again() -> None:
    seen = Seen()

    async def run() -> None:
        async with (
            registrar() as server,
            session(make_trunk(server.port, transport=Transport.TCP), PASSWORD, seen) as opened,
        ):
            assert (await opened.connect()).state is TrunkState.REGISTERED
            engine = opened.engine_pid
            server.close_all()
            await until(lambda: opened.state is TrunkState.CONNECTING, "the loss to be shown", seconds=2)
            await until(lambda: opened.state is TrunkState.REGISTERED, "the registration", seconds=5)
            assert server.asked == 2
            assert opened.engine_pid == engine
            await opened.close()

    asyncio.run(run())
    states = [notice.state for notice in seen.of(TrunkChanged)]
    assert states == [
        TrunkState.CONNECTING,
        TrunkState.REGISTERED,
        TrunkState.CONNECTING,
        TrunkState.REGISTERED,
        TrunkState.OFF,
    ]
    assert seen.of(TrunkChanged)[2].cause.startswith("connection lost")
