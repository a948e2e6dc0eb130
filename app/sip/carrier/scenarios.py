"""The numbers that the carrier serves, and what happens on each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol

import msgspec

from app.sip.carrier import sound
from app.sip.carrier.incoming import IncomingLeg
from app.sip.carrier.media import MediaStream
from app.sip.carrier.messages import CarrierNumber
from app.sip.carrier.outgoing import OutgoingLeg
from app.sip.carrier.sipmessage import Headers

RETRY_AFTER_S = 30
ECHO = "600"
"""The number that echoes."""


class Operator(Protocol):
    """What a scenario may ask of the carrier."""

    def is_registered(self, account: str) -> bool:
        """Whether the account has a contact."""
        ...

    async def dial(
        self,
        account: str,
        *,
        caller: str,
        codecs: tuple[str, ...],
        encrypted: bool = False,
        near: str = "",
    ) -> OutgoingLeg | None:
        """A leg to the account's contact, not yet placed; None when it has none or no free channel.

        Args:
            account: Whom to call.
            caller: Number to show.
            codecs: To offer.
            encrypted: Whether to offer SRTP.
            near: Contact URI to prefer, the one that a call came from.
        """
        ...

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something that goes on after the call."""
        ...


Scenario = Callable[[IncomingLeg, Operator], Coroutine[Any, Any, None]]


class Number(msgspec.Struct, frozen=True, kw_only=True):
    """A number served.

    Attributes:
        public: What people are shown.
        scenario: What happens.
    """

    public: CarrierNumber
    scenario: Scenario


async def echo(leg: IncomingLeg, _operator: Operator) -> None:
    """Answer, then send every packet back."""
    leg.answer()
    leg.stream.echo()


async def _play(leg: IncomingLeg, frames: Callable[[str], sound.Frames]) -> None:
    """Send this audio in the call's codec; waits for the codec if our own offer is still open."""
    if leg.stream.plan is None:
        await leg.confirmed.wait()
    if leg.stream.plan:
        leg.stream.play(frames(leg.stream.plan.codec))


async def tone(leg: IncomingLeg, _operator: Operator) -> None:
    """Answer, then send the tone."""
    leg.answer()
    await _play(leg, sound.tone)


async def speech(leg: IncomingLeg, _operator: Operator) -> None:
    """Answer, then speak."""
    leg.answer()
    await _play(leg, sound.speech)


def refuse(code: int, reason: str = "", headers: Headers = ()) -> Scenario:
    """A scenario that refuses at once."""

    async def scenario(leg: IncomingLeg, _operator: Operator) -> None:
        leg.refuse(code, reason, headers)

    return scenario


async def no_answer(leg: IncomingLeg, _operator: Operator) -> None:
    """Ring until the caller gives up; much later, give up as a network does."""
    leg.ring()
    await asyncio.sleep(leg.exchange.timing.ring_limit_s)
    leg.refuse(480, headers=[cause(19, "No answer from user")])


async def early_media(leg: IncomingLeg, _operator: Operator) -> None:
    """Send audio before an answer that never comes."""
    leg.progress()
    await _play(leg, sound.tone)
    await asyncio.sleep(leg.exchange.timing.early_media_s)
    leg.refuse(480, headers=[cause(18, "No user responding")])


async def answer_late(leg: IncomingLeg, operator: Operator) -> None:
    """Ring for a while, then echo."""
    leg.ring()
    await asyncio.sleep(leg.exchange.timing.answer_late_s)
    await echo(leg, operator)


async def hang_up(leg: IncomingLeg, operator: Operator) -> None:
    """Echo for a while, then say BYE."""
    await echo(leg, operator)
    await leg.confirmed.wait()
    await asyncio.sleep(leg.exchange.timing.hang_up_after_s)
    leg.hang_up("hung up by the carrier")


async def read_digits_back(leg: IncomingLeg, _operator: Operator) -> None:
    """Collect DTMF until # or a pause, send it back, and begin again."""
    heard: asyncio.Queue[str] = asyncio.Queue()
    leg.stream.on_digit = heard.put_nowait
    leg.answer()
    await _play(leg, sound.silence)
    while True:
        digits = await heard.get()
        while not digits.endswith("#"):
            try:
                async with asyncio.timeout(leg.exchange.timing.dtmf_pause_s):
                    digits += await heard.get()
            except TimeoutError:
                break
        leg.exchange.note(f"{leg.describe()}: {len(digits)} digits heard, reading them back")
        await leg.stream.send_digits(digits)


async def call_back(leg: IncomingLeg, operator: Operator) -> None:
    """Answer, say nothing, hang up, and call the caller's registered contact."""
    if not operator.is_registered(leg.account):
        leg.refuse(480, "Not registered, so nobody to call back", [cause(20, "Subscriber absent")])
        return
    timing = leg.exchange.timing
    leg.answer()
    operator.spawn(_call_back_later(leg, operator))
    await _play(leg, sound.silence)
    await leg.confirmed.wait()
    await asyncio.sleep(timing.call_back_hold_s)
    leg.hang_up("hung up by the carrier")


async def _call_back_later(leg: IncomingLeg, operator: Operator) -> None:
    await leg.ended.wait()
    timing = leg.exchange.timing
    await asyncio.sleep(timing.call_back_pause_s)
    back = await operator.dial(
        leg.account,
        caller=leg.number,
        codecs=leg.codecs,
        encrypted=leg.encrypted,
        near=leg.dialog.remote_target,
    )
    if back and await back.place(timing.call_back_ring_s):
        back.stream.echo()


async def ring_user(leg: IncomingLeg, operator: Operator) -> None:
    """Call another account's contact and connect the two; the audio goes through the carrier."""
    codecs = leg.offered(leg.invite.text) if leg.invite.message.body else leg.codecs
    other = await operator.dial(leg.number, caller=leg.account, codecs=codecs, encrypted=leg.encrypted)
    if other is None:
        if operator.is_registered(leg.number):
            leg.refuse(486, headers=[cause(17, "User busy")])
        else:
            leg.refuse(404, headers=[cause(20, "Subscriber absent")])
        return
    other.on_ringing = leg.ring
    try:
        answered = await other.place(leg.exchange.timing.ring_limit_s)
        if not answered:
            _pass_on_refusal(leg, other)
            return
        plan = other.stream.plan
        leg.negotiate((plan.codec,) if plan else None)
        _connect(leg, other)
        leg.answer()
        await other.ended.wait()
        leg.hang_up("hung up by the other side")
    finally:
        other.hang_up("the caller has gone")


def _pass_on_refusal(leg: IncomingLeg, other: OutgoingLeg) -> None:
    refusal = other.refusal
    if refusal is None or refusal.code in (401, 407, 408, 487):
        leg.refuse(480, headers=[cause(19, "No answer from user")])
    else:
        leg.refuse(refusal.code, refusal.phrase)


def _connect(leg: IncomingLeg, other: OutgoingLeg) -> None:
    def relay(source: MediaStream, sink: MediaStream) -> None:
        source.on_packet = lambda packet: sink.forward(packet, source.plan)

    relay(leg.stream, other.stream)
    relay(other.stream, leg.stream)


def cause(number: int, text: str) -> tuple[str, str]:
    """A Reason header with a Q.850 cause (RFC 3326)."""
    return ("Reason", f'Q.850;cause={number};text="{text}"')


def _number(number: str, title: str, what_happens: str, scenario: Scenario) -> Number:
    return Number(
        public=CarrierNumber(number=number, title=title, what_happens=what_happens), scenario=scenario
    )


NUMBERS: tuple[Number, ...] = (
    _number(ECHO, "Echo", "Answers and sends back everything it hears.", echo),
    _number("601", "Test tone", "Answers and plays a 1004 Hz tone at -10 dBm0.", tone),
    _number("602", "Speech", "Answers and speaks a sentence, over and over.", speech),
    _number("604", "Answers late", "Rings for about four seconds, then answers with an echo.", answer_late),
    _number("605", "Hangs up", "Answers with an echo and hangs up after about three seconds.", hang_up),
    _number(
        "606",
        "Reads digits back",
        "Answers, waits for keys (until # or a pause of two seconds) and sends the same keys back.",
        read_digits_back,
    ),
    _number("607", "Calls back", "Answers, hangs up after a second, then calls you and echoes.", call_back),
    _number(
        "403",
        "Forbidden",
        "Refuses with 403 and a reason of its own, as for a destination that is not allowed.",
        refuse(403, "Destination not allowed on this account", [cause(21, "Call rejected")]),
    ),
    _number(
        "404",
        "Not found",
        "Refuses with 404: a number that does not exist.",
        refuse(404, headers=[cause(1, "Unallocated number")]),
    ),
    _number("408", "No answer", "Rings until you hang up, at most three minutes.", no_answer),
    _number(
        "480",
        "Audio before the answer",
        "Plays a tone without answering, as an announcement does, then ends with 480.",
        early_media,
    ),
    _number("486", "Busy", "Refuses with 486: busy.", refuse(486, headers=[cause(17, "User busy")])),
    _number(
        "503",
        "Out of service",
        "Refuses with 503 and asks to try again in 30 seconds.",
        refuse(503, headers=[("Retry-After", str(RETRY_AFTER_S)), cause(41, "Temporary failure")]),
    ),
)
"""All numbers, in the order in which people see them."""
