"""Asks whether anything listens on a UDP port, so that a closed one is told apart from silence."""

from __future__ import annotations

import asyncio
import secrets

from app.model.outcome import Target


class _Probe(asyncio.DatagramProtocol):
    def __init__(self, refused: asyncio.Future[bool]) -> None:
        self._refused = refused

    def error_received(self, error: Exception) -> None:
        if isinstance(error, ConnectionError) and not self._refused.done():
            self._refused.set_result(True)

    def datagram_received(self, data: bytes, addr: object) -> None:
        if not self._refused.done():
            self._refused.set_result(False)


async def udp_refused(target: Target, limit_s: float = 1.0) -> bool:
    """Send one OPTIONS and say whether the far system refused it (ICMP port unreachable).

    The engine's own socket is not connected, so the operating system keeps this news from it.
    """
    loop = asyncio.get_running_loop()
    refused: asyncio.Future[bool] = loop.create_future()
    try:
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Probe(refused), remote_addr=(target.address, target.port)
        )
    except OSError:
        return False
    try:
        host, port = transport.get_extra_info("sockname")[:2]
        own = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        far = f"[{target.address}]" if ":" in target.address else target.address
        transport.sendto(
            (
                f"OPTIONS sip:{far}:{target.port} SIP/2.0\r\n"
                f"Via: SIP/2.0/UDP {own};branch=z9hG4bK{secrets.token_hex(8)};rport\r\n"
                "Max-Forwards: 70\r\n"
                f"From: <sip:probe@{own}>;tag={secrets.token_hex(4)}\r\n"
                f"To: <sip:{far}:{target.port}>\r\n"
                f"Call-ID: {secrets.token_hex(8)}@{host}\r\n"
                "CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
            ).encode()
        )
        async with asyncio.timeout(limit_s):
            return await refused
    except TimeoutError:
        return False
    finally:
        transport.close()
