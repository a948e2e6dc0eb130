"""An account's way through the TLS edge; the edge itself is loaded only when a trunk uses TLS."""

from __future__ import annotations

from collections.abc import Callable

from app.model.outcome import LocalCause, TlsFacts, TraceMessage
from app.sip.messages import Event, OpenAccount, TlsHandshake


class SecurePath:
    """Starts the edge for one account and brings what it tells to the engine's thread.

    Args:
        settings: The account, with target, domain and CA file.
        inner_port: Port of PJSIP's own TCP transport on loopback.
        post: Runs a function on the engine's thread.
        emit: Takes events, on that thread.
        note: Takes messages of the trace, on that thread.

    Attributes:
        failure: Why the last handshake or connection failed, None while none did.
    """

    def __init__(
        self,
        settings: OpenAccount,
        *,
        inner_port: int,
        post: Callable[[Callable[[], None]], None],
        emit: Callable[[Event], None],
        note: Callable[[TraceMessage], None],
    ) -> None:
        from app.sip.engine.tls.edge import TlsEdge

        self._settings = settings
        self._emit = emit
        self.failure: LocalCause | None = None
        self._edge = TlsEdge(
            target=settings.target,
            server_name=settings.host,
            ca_file=settings.ca_file,
            pin=settings.tls_pin,
            inner_port=inner_port,
            keep_alive_s=settings.keep_alive_s,
            public_address=settings.public_address,
            on_message=lambda message: post(lambda: note(message)),
            on_handshake=lambda facts: post(lambda: self._on_handshake(facts)),
            on_lost=lambda cause, words: post(lambda: self._on_lost(cause)),
        )

    def start(self) -> str:
        """Start the edge and return the hidden route to it."""
        port = self._edge.start()
        return f"sip:127.0.0.1:{port};transport=tcp;lr;hide"

    def stop(self) -> None:
        """End the edge and its connection."""
        self._edge.stop()

    def _on_handshake(self, facts: TlsFacts) -> None:
        self.failure = facts.cause if facts.cause is not LocalCause.NONE else None
        self._emit(TlsHandshake(target=self._settings.target, facts=facts))

    def _on_lost(self, cause: LocalCause) -> None:
        self.failure = cause
