"""The calls of one session, from their first event to their outcome."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable

from msgspec.structs import replace

from app.errors import EngineError
from app.model.call import CallState
from app.model.outcome import (
    AnsweredBy,
    CallOutcome,
    Direction,
    HungUpBy,
    LocalCause,
    MediaFigures,
    call_result,
)
from app.model.quality_windows import QualityWindows
from app.model.signalling import Trouble
from app.model.sound import SILENCE_DBM0
from app.sip.call_troubles import trouble_of
from app.sip.messages import (
    CallChanged,
    CallHeld,
    CallLevels,
    CallMedia,
    CallRecorded,
    CallTransferred,
    DigitReceived,
)
from app.sip.notices import (
    CallDigit,
    CallEnded,
    CallFigures,
    CallHold,
    CallMeters,
    CallProgress,
    CallRecording,
    Notice,
    TransferProgress,
)

Control = CallHeld | CallTransferred | CallRecorded | DigitReceived
"""News from within a call that leave its state as it is."""

CallEvent = CallChanged | CallLevels | CallMedia | Control

KEEP_ENDED = 50
"""Ended calls whose outcome can still be asked for."""
MOST_UP = 256
"""Calls that are followed at a time; an engine that reports more has lost its count."""
MOST_TROUBLES = 32
"""Steps of one call that did not work and are kept."""


class _Call:
    """What is known of one call until its end."""

    def __init__(self, number: str, dialled: str, direction: Direction) -> None:
        self.number = number
        self.dialled = dialled
        self.direction = direction
        self.early_media = False
        self.answered_at: float | None = None
        self.media: MediaFigures | None = None
        self.windows = QualityWindows()
        self.sound = False
        self.setup_ms: float | None = None
        self.sip_call_id = ""
        self.troubles: list[Trouble] = []
        self.outcome: asyncio.Future[CallOutcome] = asyncio.get_running_loop().create_future()

    def hear(self, level_dbm0: float | None) -> None:
        """Note a level of what came in."""
        self.sound = self.sound or (level_dbm0 is not None and level_dbm0 > SILENCE_DBM0)


class CallBook:
    """Follows every call of a trunk; belongs to one event loop.

    Args:
        trunk_id, trunk_name: Whose calls they are.
        notify: Gets the notices.
        had_password: Whether the trunk has a password to answer challenges with.
    """

    def __init__(
        self,
        trunk_id: str,
        trunk_name: str,
        notify: Callable[[Notice], None],
        *,
        had_password: bool = False,
    ) -> None:
        self._trunk_id = trunk_id
        self._trunk_name = trunk_name
        self._notify = notify
        self._had_password = had_password
        self._calls: dict[str, _Call] = {}
        self._numbers = itertools.count(1)

    @property
    def up(self) -> int:
        """Calls that have not ended."""
        return sum(not call.outcome.done() for call in self._calls.values())

    def begin(self, number: str, dialled: str) -> str:
        """Enter an outgoing call and return the id it gets."""
        call_id = f"call-{next(self._numbers)}"
        self._calls[call_id] = _Call(number, dialled, Direction.OUT)
        return call_id

    def withdraw(self, call_id: str) -> None:
        """Take back a call that the engine would not place."""
        call = self._calls.pop(call_id, None)
        if call is not None:
            call.outcome.cancel()

    async def wait(self, call_id: str) -> CallOutcome:
        """Wait for a call's end.

        Raises:
            EngineError: There is no such call.
        """
        call = self._calls.get(call_id)
        if call is None:
            raise EngineError("There is no such call, or it ended long ago.")
        outcome = await asyncio.shield(call.outcome)
        # A step can fail because the call has just ended, and is heard of after the end
        return _with_troubles(outcome, call.troubles)

    def trouble(self, call_id: str, trouble: Trouble) -> None:
        """A step within a call did not work; the call itself goes on, and its outcome says so."""
        call = self._calls.get(call_id)
        if call is not None and len(call.troubles) < MOST_TROUBLES:
            call.troubles.append(trouble)

    def take(self, event: CallEvent) -> None:
        """Take an event about a call; one that is not up is passed over."""
        match event:
            case CallChanged():
                self.on_change(event)
            case CallLevels():
                self.on_levels(event)
            case CallMedia():
                self.on_media(event)
            case _:
                self.on_control(event)

    def on_levels(self, event: CallLevels) -> None:
        """The meters moved."""
        call = self._up(event.call_id)
        if call is None:
            return
        call.hear(event.rx_dbm0)
        self._notify(
            CallMeters(
                trunk_id=self._trunk_id,
                call_id=event.call_id,
                tx_dbm0=event.tx_dbm0,
                rx_dbm0=event.rx_dbm0,
            )
        )

    def on_media(self, event: CallMedia) -> None:
        """New figures."""
        if call := self._up(event.call_id):
            call.hear(event.figures.rx.level_dbm0)
            call.media = _with_former_echo(event.figures, call.media)
            quality = call.windows.add(time.monotonic(), call.media)
            self._notify(
                CallFigures(
                    trunk_id=self._trunk_id, call_id=event.call_id, figures=call.media, quality=quality
                )
            )

    def on_control(self, event: Control) -> None:
        """Something happened within a call that leaves its state as it is."""
        if self._up(event.call_id) is None:
            return
        trunk_id, call_id = self._trunk_id, event.call_id
        if (trouble_within := trouble_of(event)) is not None:
            self.trouble(call_id, trouble_within)
        match event:
            case CallHeld(by_us=by_us, by_them=by_them, trouble=trouble):
                self._notify(
                    CallHold(
                        trunk_id=trunk_id, call_id=call_id, by_us=by_us, by_them=by_them, trouble=trouble
                    )
                )
            case CallTransferred(sip_code=code, reason=reason, final=final):
                self._notify(
                    TransferProgress(
                        trunk_id=trunk_id, call_id=call_id, sip_code=code, reason=reason, final=final
                    )
                )
            case CallRecorded(path=path, on=on, trouble=trouble):
                self._notify(
                    CallRecording(trunk_id=trunk_id, call_id=call_id, path=path, on=on, trouble=trouble)
                )
            case DigitReceived(digit=digit, way=way):
                self._notify(CallDigit(trunk_id=trunk_id, call_id=call_id, digit=digit, way=way))

    def on_change(self, event: CallChanged) -> None:
        """A call reached another state; an incoming one is entered here."""
        call = self._up(event.call_id)
        if call is None:
            begins = event.direction is Direction.IN and event.state is not CallState.ENDED
            if event.call_id in self._calls or not begins or self.up >= MOST_UP:
                return
            call = self._calls[event.call_id] = _Call(event.remote, event.called, Direction.IN)
        call.early_media = call.early_media or event.state is CallState.EARLY_MEDIA
        if event.state is CallState.ANSWERED:
            call.answered_at = time.monotonic()
        call.sip_call_id = event.sip_call_id or call.sip_call_id
        if event.setup_ms is not None:
            call.setup_ms = event.setup_ms
        if event.state is CallState.ENDED:
            self._end(event, call)
            return
        self._notify(
            CallProgress(
                trunk_id=self._trunk_id,
                call_id=event.call_id,
                direction=event.direction,
                state=event.state,
                number=call.number,
                called=event.called,
                to=event.to,
                sip_code=event.sip_code,
                reason=event.reason,
                setup_ms=call.setup_ms,
                sip_call_id=call.sip_call_id,
            )
        )

    def lose_all(self, cause: LocalCause, words: str) -> int:
        """End what is still up, because nothing more will be heard of it; returns how many there were."""
        up = [call_id for call_id, call in self._calls.items() if not call.outcome.done()]
        for call_id in up:
            self.lose(call_id, cause, words)
        return len(up)

    def lose(self, call_id: str, cause: LocalCause, words: str) -> None:
        """End a call, because nothing more will be heard of it; nothing happens when it is not up."""
        call = self._up(call_id)
        if call is None:
            return
        answered = call.answered_at
        self._end(
            CallChanged(
                call_id=call_id,
                direction=call.direction,
                state=CallState.ENDED,
                sip_code=0 if answered is None else 200,
                reason=words,
                answered_by=AnsweredBy.LOCAL,
                local_cause=cause,
                duration_s=0.0 if answered is None else round(time.monotonic() - answered, 3),
                hung_up_by=HungUpBy.NOBODY,
            ),
            call,
        )

    def _up(self, call_id: str) -> _Call | None:
        call = self._calls.get(call_id)
        return None if call is None or call.outcome.done() else call

    def _end(self, event: CallChanged, call: _Call) -> None:
        outcome = CallOutcome(
            trunk=self._trunk_name,
            number=call.number,
            dialled=call.dialled,
            result=call_result(
                event.sip_code,
                answered=call.answered_at is not None,
                hung_up_by=event.hung_up_by,
                cause=event.local_cause,
            ),
            sip_code=event.sip_code,
            reason=event.reason,
            reason_header=event.reason_header,
            realms=event.realms,
            answered_by=event.answered_by,
            local_cause=event.local_cause,
            setup_ms=call.setup_ms,
            duration_s=event.duration_s,
            hung_up_by=event.hung_up_by,
            early_media=call.early_media,
            media=call.media,
            heard=None if call.media is None or not call.media.rx.packets else call.sound,
            quality=call.windows.end(),
            hang_up_ms=event.hang_up_ms,
            sip_call_id=event.sip_call_id or call.sip_call_id,
            explanation=event.explanation,
            challenge=event.challenge,
            dialog=event.dialog,
            icmp=event.icmp,
            troubles=tuple(call.troubles),
            had_password=self._had_password,
        )
        call.outcome.set_result(outcome)
        self._notify(
            CallEnded(
                trunk_id=self._trunk_id, call_id=event.call_id, direction=call.direction, outcome=outcome
            )
        )
        self._calls[event.call_id] = self._calls.pop(event.call_id)  # in the order of their ends
        ended = [call_id for call_id, call in self._calls.items() if call.outcome.done()]
        for call_id in ended[:-KEEP_ENDED]:
            del self._calls[call_id]


def _with_troubles(outcome: CallOutcome, troubles: list[Trouble]) -> CallOutcome:
    return outcome if len(outcome.troubles) == len(troubles) else replace(outcome, troubles=tuple(troubles))


def _with_former_echo(figures: MediaFigures, former: MediaFigures | None) -> MediaFigures:
    """The echo's delay stays known once found: a pause in the sound is no news about the line."""
    if figures.echo_ms is not None or former is None or former.echo_ms is None:
        return figures
    return replace(figures, echo_ms=former.echo_ms)
