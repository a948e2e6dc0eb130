"""The way to everything about TLS, which only an engine with a trunk over TLS loads."""

from __future__ import annotations

from functools import partial

from app.model.outcome import LocalCause
from app.sip.engine.edge.hop import Hop
from app.sip.engine.edge.socket_causes import system_words
from app.sip.engine.edge.streams import Open
from app.sip.messages import OpenAccount


def opener(settings: OpenAccount, limit_s: float) -> Open:
    """What opens the connection of an account over TLS.

    Args:
        settings: The account.
        limit_s: For the connection and its handshake together, seconds.

    Raises:
        SettingError: The CA file can't be used, or the host can't be in a certificate.
    """
    from app.sip.engine.edge.handshake import checked_name, connect, trust

    context = trust(settings.ca_file, settings.tls_pin)
    target = settings.target
    return partial(
        connect,
        Hop(target.transport, target.address, target.port),
        server_name=checked_name(context, settings.host),
        ca_file=settings.ca_file,
        context=context,
        pin=settings.tls_pin,
        limit_s=limit_s,
    )


def loss(error: OSError, *, secure: bool) -> tuple[LocalCause, str]:
    """Why an established connection has ended, and in which words; alerts of TLS have words of their own."""
    if not secure:
        return LocalCause.CONNECTION_LOST, system_words(error)
    from app.sip.engine.edge.handshake import classify_loss

    return classify_loss(error)
