"""Transfers that we ask for: REFER, what the far end tells of it, and when it tells nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from app.errors import EngineError
from app.model.outcome import Direction, HungUpBy
from app.model.trunk import Transport
from app.sip.engine.account import host_and_port
from app.sip.engine.causes import carry_out
from app.sip.engine.leg import Leg, Transfer
from app.sip.engine.operation import header, status
from app.sip.messages import CallTransferred, Event, ForwardCall, OpenAccount, TransferCall

NO_NEWS_S = 15.0
"""Seconds that the far end may take to answer REFER, and to tell the first news after it has agreed (RFC 3515
section 2.4.4 wants a NOTIFY at once)."""
RING_S = 180.0
"""Seconds that it may try the other number."""
_ACCEPTED = "Accepted"
"""PJSIP's own word for the 2xx to REFER; all else comes from a NOTIFY."""


class Transfers:
    """Belongs to the engine's thread.

    Args:
        emit: Gets every event.
        hang_up: Ends a leg whose transfer has worked.
    """

    def __init__(self, emit: Callable[[Event], None], hang_up: Callable[[str], None]) -> None:
        self._emit = emit
        self._hang_up = hang_up
        self._to_end: list[str] = []

    def blind(self, leg: Leg, command: TransferCall, settings: OpenAccount) -> None:
        """Have the far end of an answered call dial another number.

        Raises:
            CallRefusedError: An emergency number; this is the last gate before the wire.
            EngineError: A transfer is under way, or PJSIP refuses.
        """
        uri = guarded_uri(command, settings)
        _check_free(leg)
        carry_out(lambda: leg.xfer(uri, status(0)), f"The call could not be transferred to {command.user}.")
        leg.transfer = Transfer(news_at=time.monotonic())

    def attended(self, leg: Leg, other: Leg) -> None:
        """Have the far end of one answered call take over another one.

        Raises:
            EngineError: They are the same, a transfer is under way, or PJSIP refuses.
        """
        if leg is other:
            raise EngineError("A call can't be transferred to itself.", do="Choose another call.")
        _check_free(leg)
        carry_out(lambda: leg.xferReplaces(other, status(0)), "The calls could not be connected.")
        leg.transfer = Transfer(news_at=time.monotonic())

    def forward(self, leg: Leg, command: ForwardCall, settings: OpenAccount) -> None:
        """Send an incoming call on to another number.

        Raises:
            CallRefusedError: An emergency number.
            EngineError: The call does not ring any more, or PJSIP refuses.
        """
        if leg.direction is not Direction.IN or leg.answered_at is not None:
            raise EngineError("Only a call that rings can be sent on.", do="Transfer it instead.")
        param = status(302)
        param.txOption.headers.append(header("Contact", f"<{guarded_uri(command, settings)}>"))
        leg.hung_up_by = HungUpBy.US
        carry_out(lambda: leg.hangup(param), "The call could not be sent on.")

    def on_news(self, leg: Leg, code: int, reason: str, final: bool) -> None:
        """The far end told what a transfer has come to."""
        done = final and 200 <= code < 300
        if done:
            # Not here: PJSIP is within a callback of this call
            self._to_end.append(leg.call_id)
        if leg.transfer is None and not done:
            return  # its end was told before
        if final:
            leg.transfer = None
            if code < 200:
                reason = "The other side stopped telling what becomes of the transfer"
        elif leg.transfer is not None:
            leg.transfer.accepted = True
            leg.transfer.ringing = leg.transfer.ringing or reason != _ACCEPTED
            leg.transfer.news_at = time.monotonic()
        self._emit(CallTransferred(call_id=leg.call_id, sip_code=code, reason=reason, final=final))

    def on_end(self, leg: Leg) -> None:
        """A leg is over, perhaps in the middle of a transfer."""
        if leg.transfer is not None:
            self._give_up(leg, 0, "The call ended before the other side told what became of the transfer")

    def watch(self, legs: Iterable[Leg], now: float) -> None:
        """End calls whose transfer has worked, and waiting that is in vain; `now` is monotonic seconds."""
        up = {leg.call_id: leg for leg in legs if leg.ended_at is None}
        for call_id in self._to_end:
            if call_id in up:
                self._hang_up(call_id)
        self._to_end.clear()
        for leg in up.values():
            transfer = leg.transfer
            if transfer is None or now - transfer.news_at < (RING_S if transfer.ringing else NO_NEWS_S):
                continue
            if transfer.accepted:
                self._give_up(leg, 0, "The other side agreed, but does not tell what became of the transfer")
            else:
                self._give_up(leg, 408, "The other side does not answer the transfer")

    def _give_up(self, leg: Leg, code: int, reason: str) -> None:
        leg.transfer = None
        self._emit(CallTransferred(call_id=leg.call_id, sip_code=code, reason=reason, final=True))


def guarded_uri(command: TransferCall | ForwardCall, settings: OpenAccount) -> str:
    """The URI of a number that somebody else is asked to call.

    Raises:
        CallRefusedError: An emergency number.
    """
    # Late: an engine that transfers no call should not carry the table
    from app.sip.emergency import guard_behind
    from app.system_country import system_countries

    guard_behind(command.user, command.country, command.prefixes, system_countries())
    uri = f"sip:{command.user}@{host_and_port(settings)}"
    transport = settings.target.transport
    # Whoever is sent there may speak another way than we do (RFC 3261 section 19.1.1)
    return uri if transport is Transport.UDP or not settings.port else f"{uri};transport={transport}"


def _check_free(leg: Leg) -> None:
    if leg.transfer is not None:
        raise EngineError(
            "A transfer of this call is under way.", do="Wait until the other side tells what became of it."
        )
