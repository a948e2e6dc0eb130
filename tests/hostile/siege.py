"""A demo carrier that is sent any bytes at all, over UDP and TCP, while it has a call to care for.

async with siege() as under:
    await under.datagrams([b"…"])       # from somebody without an account
    await under.streams([b"…"])         # over connections
    async with under.calling():         # meanwhile the sound of a call comes back unharmed
        ...
    await under.settled()               # nothing is left of it
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from aiosipua import SipRequest

from app.sip.carrier.messages import CarrierOptions
from app.sip.demo import DemoAccount, DemoCarrier
from tests.carrier.phone import FAST, HOST, Call, Phone, until

USER, PASSWORD = "1001", "secret of the siege"
LARGEST_DATAGRAM = 65_507
LIMIT_S = 30.0
AT_ONCE = 20
"""Messages between two questions whether the carrier still answers."""
PACKET_S = 0.02
SILENCE_S = 6.0
"""After which the carrier hangs up a call without sound."""
CHANNELS = 160
_numbers = itertools.count(1)


class Attacker(asyncio.DatagramProtocol):
    """Sends bytes, and takes no notice of what comes but answers to its own OPTIONS."""

    def __init__(self) -> None:
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: dict[bytes, asyncio.Event] = {}

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]  # UDP
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        found = re.search(rb"\r\nCall-ID: (ping[0-9]+)\r\n", data)
        if found and found[1] in self._waiting:
            self._waiting[found[1]].set()

    def send(self, raw: bytes) -> None:
        """Send a datagram."""
        assert self._transport is not None
        if raw and len(raw) <= LARGEST_DATAGRAM:
            self._transport.sendto(raw)

    async def alive(self) -> None:
        """Wait until everything sent so far has been dealt with."""
        name = b"ping%d" % next(_numbers)
        self._waiting[name] = asyncio.Event()
        async with asyncio.timeout(LIMIT_S):
            while not self._waiting[name].is_set():
                self.send(options(self.port, "UDP", name.decode()))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1):
                        await self._waiting[name].wait()
        del self._waiting[name]

    def close(self) -> None:
        """Close the socket."""
        assert self._transport is not None
        self._transport.close()


class Siege:
    """One carrier and who besieges it.

    Attributes:
        carrier: The carrier's process.
        attacker: Has no account.
        phone: Is registered, behaves, and has the call.
        caller: Another one of the same account, for calls that are attacked.
        log: The carrier's log.
    """

    def __init__(
        self, carrier: DemoCarrier, attacker: Attacker, phone: Phone, caller: Phone, log: list[str]
    ) -> None:
        self.carrier = carrier
        self.attacker = attacker
        self.phone = phone
        self.caller = caller
        self.log = log
        self._descriptors = _descriptors(carrier.pid)

    async def datagrams(self, messages: Iterable[bytes]) -> None:
        """Send each as a datagram; the carrier deals with all of them."""
        for at, raw in enumerate(messages, 1):
            self.attacker.send(raw)
            if at % AT_ONCE == 0:
                await self.attacker.alive()
        await self.attacker.alive()

    async def streams(self, messages: Iterable[bytes], at_once: int = 8) -> None:
        """Send a few over each connection; one that the carrier closes is left."""
        for some in _batches(messages, at_once):
            reader, writer = await asyncio.open_connection(HOST, self.carrier.tcp_port)
            with contextlib.suppress(OSError):
                for raw in some:
                    writer.write(raw)
                    await writer.drain()
                writer.write_eof()
            # It closes a connection whose end it has seen
            with contextlib.suppress(OSError):
                async with asyncio.timeout(LIMIT_S):
                    while await reader.read(65_536):
                        pass
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        await self.attacker.alive()

    @asynccontextmanager
    async def calling(self) -> AsyncIterator[Call]:
        """A call to the echo; at the end its sound has come back all the time, and it is hung up."""
        call = await self.phone.call("600")
        sent = 0

        async def talk() -> None:
            nonlocal sent
            while True:
                self.phone.ear.send(call.rtp_port, bytes([sent % 256]) * 160)
                sent += 1
                await asyncio.sleep(PACKET_S)

        self.phone.ear.packets.clear()
        talking = asyncio.create_task(talk())
        try:
            yield call
        finally:
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)
        packets = self.phone.ear.packets
        await until(lambda: len(packets) >= sent * 0.95, f"the echo of {sent} packets")
        assert {packet.payload[:1] for packet in packets} <= {bytes([n]) for n in range(256)}
        ends = [bye for bye in self.phone.requests("BYE") if bye.call_id == call.invite.call_id]
        assert not ends, "the carrier has ended the call"
        assert (await call.bye()).status_code == 200

    async def call(self, number: str) -> Call:
        """A call that is to be attacked; waits for a channel where all are taken by what came before."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                call = await self.caller.invite(number)
                response = await self.caller.final(call.invite)
                if response.status_code == 200:
                    call.ack(response)
                    return call
                assert response.status_code == 503, response
                self.caller.send(self.caller.ack_refusal(call.invite, response))
                await self.attacker.alive()

    async def settled(self) -> None:
        """Wait until it has let go of everything; then ask it for its everyday work."""
        await until(
            lambda: _descriptors(self.carrier.pid) <= self._descriptors,
            "the carrier to close what it has opened",
            seconds=LIMIT_S,
        )
        assert (await self.phone.register()).status_code == 200
        answer = await self.phone.ask(self.phone.build("OPTIONS", f"sip:{HOST}"))
        assert answer.status_code == 200
        assert self.faults() == []

    def faults(self) -> list[str]:
        """Lines of its log that only a bug writes."""
        bad = re.compile(r"^(ERROR|CRITICAL|Traceback|WARNING asyncio)|Exception|Error:")
        return [line for line in self.log if bad.search(line)]

    def memory_kib(self) -> int:
        """Its resident memory, KiB; 0 where the system does not say."""
        status = Path(f"/proc/{self.carrier.pid}/status")
        if not status.exists():
            return 0
        return int(re.findall(r"VmRSS:\s*(\d+)", status.read_text())[0])


def options(port: int, transport: str, name: str) -> bytes:
    """A good OPTIONS."""
    return (
        f"OPTIONS sip:{HOST} SIP/2.0\r\nVia: SIP/2.0/{transport} {HOST}:{port};rport;branch=z9hG4bK{name}\r\n"
        f"From: <sip:a@{HOST}>;tag={name}\r\nTo: <sip:{HOST}>\r\nCall-ID: {name}\r\n"
        f"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
    ).encode()


class Credentials:
    """Digest credentials of the phone's account for requests of any kind, so that they are carried out."""

    def __init__(self, phone: Phone) -> None:
        self._phone = phone
        self._count = 0
        self._challenges: dict[str, tuple[SipRequest, object]] = {}

    async def fetch(self) -> None:
        """Get new challenges."""
        self._count = 0
        for method in ("INVITE", "REGISTER"):
            request = self._phone.build(method, f"sip:{HOST}", headers=(("Contact", self._phone.contact),))
            self._challenges[method] = request, await self._phone.ask(request)

    def added(self, raw: bytes) -> bytes:
        """The request with credentials, where it is one that is challenged."""
        method, _, rest = raw.partition(b" ")
        known = self._challenges.get(method.decode("latin-1"))
        if known is None:
            return raw
        _, challenge = known
        uri = rest.partition(b" ")[0].decode("latin-1")
        self._count += 1
        asked = SipRequest(method=method.decode(), uri=uri)
        name, value = self._phone.credentials(challenge, asked, count=self._count)  # type: ignore[arg-type]  # a response
        return raw.replace(b"\r\n", f"\r\n{name}: {value}\r\n".encode("latin-1"), 1)


def _batches(messages: Iterable[bytes], size: int) -> Iterable[Sequence[bytes]]:
    some = iter(messages)
    while batch := list(itertools.islice(some, size)):
        yield batch


def _descriptors(pid: int) -> int:
    """Open files of a process; 0 where the system does not say."""
    return len(os.listdir(f"/proc/{pid}/fd")) if sys.platform == "linux" else 0


@asynccontextmanager
async def siege(on_log: Callable[[str], None] | None = None) -> AsyncIterator[Siege]:
    """Start a carrier, and a phone with an account there."""
    log: list[str] = []
    account = DemoAccount(user=USER, password=PASSWORD)
    timing = msgspec.structs.replace(FAST, media_timeout_s=SILENCE_S)
    carrier = DemoCarrier(
        options=CarrierOptions(timing=timing, channels=CHANNELS), account=account, on_log=on_log or log.append
    )
    await carrier.start()
    try:
        loop = asyncio.get_running_loop()
        _, attacker = await loop.create_datagram_endpoint(Attacker, remote_addr=(HOST, carrier.port))
        try:
            async with (
                await Phone.open(carrier.port, user=USER, password=PASSWORD) as phone,
                await Phone.open(carrier.port, user=USER, password=PASSWORD) as caller,
            ):
                assert (await phone.register()).status_code == 200
                yield Siege(carrier, attacker, phone, caller, log)
        finally:
            attacker.close()
    finally:
        await carrier.stop()
    assert not [line for line in log if "the carrier stops" in line], "a call was left"
