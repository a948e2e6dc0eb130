"""A scripted far end that says the hostile messages of the templates, filled in for what the engine sent."""

from __future__ import annotations

import itertools

from app.model.trunk import Transport
from tests.engine.scripted import HOST, Scripted
from tests.helpers.sip_client import Message
from tests.hostile.hostile_messages import Hostile
from tests.hostile.hostile_values import answer_values, request_values

_marks = itertools.count(1)


def octets(message: Message) -> bytes:
    """A message that was received as octets again."""
    lines = [message.start_line, *(f"{name}: {value}" for name, value in message.headers), "", message.body]
    return "\r\n".join(lines).encode(errors="surrogateescape")


def reply(far: Scripted, request: Message, hostile: Hostile, **more: str | bytes) -> None:
    """Answer a request of the engine with a hostile message.

    Args:
        far: Who answers.
        request: What it answers.
        hostile: The message.
        more: Values of placeholders, such as `rtp_port`.
    """
    values = answer_values(octets(request), server=(HOST, far.port), source=far.engine, **more)
    far.send_raw(hostile.filled(values))


def ask(far: Scripted, hostile: Hostile, user: str = "1001", **more: str | bytes) -> str:
    """Send the engine a hostile request, and what comes before it, and return its Call-ID.

    Args:
        far: Who asks.
        hostile: The request.
        user: Whom it asks.
        more: Values of placeholders, such as those of a call that it belongs to.
    """
    host, port = far.engine
    values = request_values(
        hostile.method,
        target=f"sip:{user}@{host}:{port}",
        server=(HOST, far.port),
        user=user,
        mark=f"h{next(_marks)}",
        transport=Transport.UDP,
        **more,
    )
    for earlier in hostile.filled_earlier(values):
        far.send_raw(earlier)
    far.send_raw(hostile.filled(values))
    call_id = values["call_id"]
    assert isinstance(call_id, str)
    return call_id
