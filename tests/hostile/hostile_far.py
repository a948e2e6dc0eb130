"""A scripted far end that says the hostile messages of the templates, filled in for what the engine sent.

played = await register(tmp_path, MESSAGES["realm-latin-1"], "403 Forbidden")
assert (played.ended.code, played.count("REGISTER")) == (1, 2)
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.model.trunk import Transport
from tests.engine.rtp import talking_at
from tests.engine.scripted import HOST, Scripted, rtp_target, scripted
from tests.helpers.command import Ended
from tests.helpers.sip_client import Message
from tests.hostile.at_the_command_line import command
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


def ask(
    far: Scripted,
    hostile: Hostile,
    user: str = "1001",
    target: str = "",
    number: int = 1,
    **more: str | bytes,
) -> str:
    """Send the engine a hostile request, and what comes before it, and return its Call-ID.

    Args:
        far: Who asks.
        hostile: The request.
        user: Whom it asks.
        target: Its Request-URI, if not that user at the engine's address.
        number: Of its CSeq.
        more: Values of placeholders, such as those of a call that it belongs to.
    """
    host, port = far.engine
    values = request_values(
        hostile.method,
        target=target or f"sip:{user}@{host}:{port}",
        server=(HOST, far.port),
        user=user,
        mark=f"h{next(_marks)}",
        transport=Transport.UDP,
        number=number,
        **more,
    )
    for earlier in hostile.filled_earlier(values):
        far.send_raw(earlier)
    far.send_raw(hostile.filled(values))
    call_id = values["call_id"]
    assert isinstance(call_id, str)
    return call_id


@dataclass(frozen=True)
class Played:
    """A command that has ended, and what the far end got.

    Attributes:
        ended: The command.
        received: All messages, in their order.
        history: The messages of its call as `history --show` has them.
    """

    ended: Ended
    received: list[Message]
    history: str = ""

    def count(self, method: str) -> int:
        """How many different requests of this method came, retransmissions left out."""
        return len({one.one("CSeq") for one in self.received if one.start_line.startswith(f"{method} ")})

    def finding(self, finding_id: str) -> Finding:
        """The finding with this id."""
        return finding(self.ended, finding_id)


Finding = dict[str, Any]


def finding(ended: Ended, finding_id: str) -> Finding:
    """The finding with this id."""
    (found,) = [one for one in ended.json["findings"] if one["id"] == finding_id]
    assert isinstance(found, dict)
    return found


def words(found: Finding) -> str:
    """Everything that a finding says to a person, without its evidence."""
    return "\n".join([found["title"], found["meaning"], *found["causes"], *found["do"]])


@asynccontextmanager
async def politeness(far: Scripted) -> AsyncIterator[None]:
    """Say 200 meanwhile to every BYE and CANCEL, and to the REGISTER that signs out."""

    async def run() -> None:
        answered = 0
        while True:
            for message in far.received[answered:]:
                answered += 1
                signs_out = "expires: 0" in (text := octets(message).lower().decode(errors="replace"))
                signs_out = signs_out or ";expires=0" in text
                if message.start_line.startswith(("BYE", "CANCEL")) or (
                    message.start_line.startswith("REGISTER") and signs_out
                ):
                    far.respond(message, "200 OK")
            await asyncio.sleep(0.01)

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        task.cancel()


async def register(tmp_path: Path, *answers: Hostile | str, as_json: bool = True, **settings: str) -> Played:
    """Run `ringback register`; each REGISTER gets the next of these answers."""
    async with (
        scripted() as far,
        command(tmp_path, far, "register", "Far", as_json=as_json, **settings) as started,
        politeness(far),
    ):
        for said in answers:
            _say(far, await far.next("REGISTER"), said)
        return Played(await started.end(), far.received)


async def call(
    tmp_path: Path, *answers: Hostile | str, ring_seconds: int = 3, as_json: bool = True, **settings: str
) -> Played:
    """Run `ringback call`; its INVITE gets these answers, and audio comes from the far end."""
    spoken = ("call", "Far", "600", "--seconds", 1, "--ring-seconds", ring_seconds)
    async with (
        talking_at() as talker,
        scripted() as far,
        command(tmp_path, far, *spoken, as_json=as_json, **{"sign_in": "address", **settings}) as started,
        politeness(far),
    ):
        invite = await far.next("INVITE")
        talker.to = rtp_target(invite)
        for said in answers:
            _say(far, invite, said, rtp_port=str(talker.port))
        ended = await started.end()
        shown = await asyncio.to_thread(started.ringback.run, "history", "--show", 1)
        return Played(ended, far.received, shown.out)


def _say(far: Scripted, request: Message, said: Hostile | str, **more: str) -> None:
    if isinstance(said, str):
        far.respond(request, said, *_contact_of(request))
    else:
        reply(far, request, said, **more)


def _contact_of(request: Message) -> list[str]:
    if not request.start_line.startswith("REGISTER"):
        return []
    return [f"Contact: {request.one('Contact')};expires=300"]
