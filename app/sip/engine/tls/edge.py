"""The edge as the engine sees it: a thread, a local port for pjsua2, and three callbacks."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future

from app.model.outcome import LocalCause, Target, TlsFacts, TraceMessage
from app.sip.engine.tls.handshake import LIMIT_S, checked_name, trust
from app.sip.engine.tls.relay import Relay, Settings

_START_LIMIT_S = 5.0

_log = logging.getLogger(__name__)


class TlsEdge:
    """SIP over TCP from pjsua2 in, SIP over TLS to one target out (RFC 3261 sections 16 and 18).

    pjsua2 uses it as account proxy `sip:127.0.0.1:PORT;transport=tcp;lr;hide`, with `contactRewriteUse`
    and `viaRewriteUse` 0, and with a TCP transport whose `boundAddress` is `127.0.0.1`. The connection
    to the target is made when pjsua2 first sends something and made again whenever it sends after a
    loss. Without a connection, the one with pjsua2 is closed: that fails its requests within
    milliseconds, with code 503 and an empty `rdata.wholeMsg`.

    The three callbacks are called on the edge's own thread.

    Args:
        target: The address to connect to.
        server_name: The configured domain or IP address; the certificate must be for it.
        ca_file: PEM or DER file to trust instead of the system's certificates, else empty.
        pin: Fingerprint of the one certificate that is trusted instead, empty for none.
        on_message: Takes every message as it was on the TLS connection.
        on_handshake: Takes the facts of every handshake, failed ones (with `error` and `cause`) too.
        on_lost: Takes cause and words when an established connection ends, unless by `stop`.
        inner_port: Port of pjsua2's own TCP transport on 127.0.0.1, 0 for none. pjsua2 closes a
            connection 33 s after its last transaction, in the middle of a call too when no registration
            holds it; the edge then needs this port to bring it a request of the provider.
        keep_alive_s: Seconds between CRLF keep-alives, 0 for none.
        public_address: What the provider sees as our address, empty for our end of the connection.
        limit_s: Limit for connecting and the handshake together, seconds.
    """

    def __init__(
        self,
        *,
        target: Target,
        server_name: str,
        ca_file: str,
        on_message: Callable[[TraceMessage], None],
        on_handshake: Callable[[TlsFacts], None],
        on_lost: Callable[[LocalCause, str], None],
        pin: str = "",
        inner_port: int = 0,
        keep_alive_s: float = 15.0,
        public_address: str = "",
        limit_s: float = LIMIT_S,
    ) -> None:
        self._context = trust(ca_file, pin)
        self._settings = Settings(
            target=target,
            server_name=checked_name(self._context, server_name),
            ca_file=ca_file,
            pin=pin,
            inner_port=inner_port,
            keep_alive_s=keep_alive_s,
            public_address=public_address,
            limit_s=limit_s,
            on_message=on_message,
            on_handshake=on_handshake,
            on_lost=on_lost,
        )
        self._port: Future[int] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="tls-edge", daemon=True)

    def start(self) -> int:
        """Start the thread.

        Returns:
            The TCP port on 127.0.0.1 for pjsua2.

        Raises:
            OSError: No local port could be opened.
        """
        self._thread.start()
        return self._port.result(_START_LIMIT_S)

    def stop(self, limit_s: float = 2.0) -> None:
        """Send what pjsua2 has already handed over, close everything and end the thread.

        Args:
            limit_s: How long to wait for that, seconds; the thread dies with the process at the latest.
        """
        if self._loop is None or self._stop is None or not self._thread.is_alive():
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(limit_s)
        if self._thread.is_alive():
            _log.warning("TLS edge: did not end within %g s", limit_s)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except OSError as error:
            if self._port.done():
                raise
            self._port.set_exception(error)

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        await Relay(self._settings, self._context).run(self._port.set_result, self._stop)
