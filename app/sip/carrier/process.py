"""The demo carrier's process: the wire on one side, the carrier on the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

from app.sip.wire import claim_stdout

if TYPE_CHECKING:
    import asyncio

    from app.sip.carrier.messages import FromCarrier

BAD_START = 2
"""Exit code when it could not start; the reason went up the wire."""


def main() -> int:
    """Run until told to stop or until the parent is gone; returns the exit code."""
    wire = claim_stdout()

    import asyncio
    import faulthandler
    import logging
    import sys

    faulthandler.enable(file=sys.stderr)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(_serve(wire))


def new_event_loop() -> asyncio.AbstractEventLoop:
    """The event loop that the carrier needs.

    On Windows the usual one (proactor) stops reading a UDP socket after a datagram was sent to a closed
    port (python/cpython issues 91227 and 127057), which happens whenever a softphone is closed.
    """
    import asyncio
    import sys

    return asyncio.SelectorEventLoop() if sys.platform == "win32" else asyncio.new_event_loop()


async def _serve(wire: BinaryIO) -> int:
    import asyncio
    import os

    from app.errors import UserError
    from app.sip.carrier.messages import (
        CARRIER_PROTOCOL_VERSION,
        CarrierReady,
        CarrierRefused,
        StartCarrier,
        Stop,
        ToCarrier,
    )
    from app.sip.carrier.profile_facts import facts_about
    from app.sip.carrier.server import Carrier
    from app.sip.wire import LineDecoder, WireError, encode, encode_clean

    def send(message: FromCarrier) -> None:
        try:
            line = encode_clean(message)
        except WireError as error:
            line = encode(CarrierRefused(what=f"The carrier could not say what it had to say: {error}."))
        try:
            left = memoryview(line)
            while left:  # a signal may cut a write short
                left = left[wire.write(left) :]
        except OSError:
            lines.put_nowait(b"")  # the parent is gone

    lines: asyncio.Queue[bytes] = asyncio.Queue()
    _read_lines(lines)
    decoder: LineDecoder[StartCarrier | Stop] = LineDecoder(ToCarrier)

    async def next_message() -> StartCarrier | Stop:
        line = await lines.get()
        return decoder.decode(line) if line else Stop()

    try:
        start = await next_message()
        if isinstance(start, Stop):
            return 0
        if start.protocol != CARRIER_PROTOCOL_VERSION:
            send(CarrierRefused(what="The carrier is of another version.", do="Install Ringback again."))
            return BAD_START
        async with Carrier(
            accounts=start.accounts,
            auth_users=start.auth_users,
            udp_port=start.udp_port,
            tcp_port=start.tcp_port,
            tls_port=start.tls_port,
            options=start.options,
        ) as carrier:
            profile, facts = carrier.profile, facts_about(carrier.profile)
            send(
                CarrierReady(
                    protocol=CARRIER_PROTOCOL_VERSION,
                    pid=os.getpid(),
                    udp_port=carrier.udp_port,
                    tcp_port=carrier.tcp_port,
                    tls_port=carrier.tls_port,
                    ca_pem=carrier.ca_pem,
                    numbers=carrier.numbers,
                    method=profile.method if profile else "",
                    domain=profile.host if profile else "",
                    plays=facts.plays,
                    lenient=facts.lenient,
                )
            )
            while not isinstance(await next_message(), Stop):
                send(CarrierRefused(what="The carrier has been started already."))
        return 0
    except UserError as error:
        send(CarrierRefused(what=error.what, do=error.do))
    except WireError as error:
        send(CarrierRefused(what=f"The carrier did not understand its parent: {error}"))
    return BAD_START


def _read_lines(lines: asyncio.Queue[bytes]) -> None:
    """Put the lines of standard input into a queue, and an empty one at its end.

    A thread does it, because an event loop on Windows can't wait for a pipe like this.
    """
    import asyncio
    import contextlib
    import os
    import threading

    loop = asyncio.get_running_loop()

    def put(line: bytes) -> None:
        # A loop that has ended needs no lines any more
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(lines.put_nowait, line)

    def read() -> None:
        buffer = b""
        # Unbuffered: a buffered reader in a daemon thread can abort the interpreter's end
        while data := os.read(0, 65_536):
            buffer += data
            *whole, buffer = buffer.split(b"\n")
            for line in whole:
                put(line)
        put(b"")

    threading.Thread(target=read, daemon=True, name="commands").start()
