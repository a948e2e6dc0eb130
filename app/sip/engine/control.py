"""What can be done within a call: hold, mute, transfer, conference, recording."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pjsua2 as pj

from app.errors import EngineError
from app.sip.engine.dialog_log import DialogLog
from app.sip.engine.frames import RATE
from app.sip.engine.holds import Holds
from app.sip.engine.leg import Leg
from app.sip.engine.transfers import Transfers
from app.sip.messages import (
    CallRecorded,
    Event,
    ForwardCall,
    OpenAccount,
    TransferCall,
)


class Control:
    """Acts on the legs of one engine; belongs to the engine's thread.

    Args:
        emit: Gets every event.
        log: Gets what requests are for.
        leg: Gives the leg with this id; raises `EngineError` when it is over.
        legs: All legs that are up.
        hang_up: Ends a leg whose transfer has worked.
    """

    def __init__(
        self,
        *,
        emit: Callable[[Event], None],
        log: DialogLog,
        leg: Callable[[str], Leg],
        legs: Callable[[], Iterable[Leg]],
        hang_up: Callable[[str], None],
    ) -> None:
        self._emit = emit
        self._leg = leg
        self._legs = legs
        self._holds = Holds(emit, log)
        self._transfers = Transfers(emit, hang_up)
        self._conference: tuple[str, ...] = ()

    def hold(self, call_id: str) -> None:
        """Put the far end on hold.

        Raises:
            EngineError: The call is not answered, or PJSIP refuses, as while another re-INVITE is under way.
        """
        self._holds.ask(self._answered(call_id), hold=True)

    def resume(self, call_id: str) -> None:
        """Take it off hold; as `hold`."""
        self._holds.ask(self._answered(call_id), hold=False)

    def mute(self, call_id: str, muted: bool) -> None:
        """Send silence, or sound again."""
        self._leg(call_id).voice.muted = muted

    def transfer(self, command: TransferCall, settings: OpenAccount) -> None:
        """Have the far end call another number.

        Raises:
            CallRefusedError: An emergency number; this is the last gate before the wire.
            EngineError: The call is not answered, a transfer is under way, or PJSIP refuses.
        """
        self._transfers.blind(self._answered(command.call_id), command, settings)

    def transfer_to(self, call_id: str, other_id: str) -> None:
        """Have the far end of one call take over another one.

        Raises:
            EngineError: One of them is not answered, they are the same, a transfer is under way, or PJSIP
                refuses.
        """
        self._transfers.attended(self._answered(call_id), self._answered(other_id))

    def forward(self, command: ForwardCall, settings: OpenAccount) -> None:
        """Send an incoming call on to another number.

        Raises:
            CallRefusedError: An emergency number.
            EngineError: The call does not ring any more, or PJSIP refuses.
        """
        self._transfers.forward(self._leg(command.call_id), command, settings)

    def set_conference(self, call_ids: tuple[str, ...]) -> None:
        """Let these calls hear each other, and no others.

        Raises:
            EngineError: One of them is not answered.
        """
        wanted = [self._answered(call_id) for call_id in dict.fromkeys(call_ids)]
        former = [leg for leg in self._legs() if leg.call_id in self._conference]
        self._conference = tuple(leg.call_id for leg in wanted) if len(wanted) > 1 else ()
        _each_pair(former, pj.AudioMedia.stopTransmit)
        self._join()

    def start_recording(self, call_id: str, path: str) -> None:
        """Record both sides.

        Raises:
            EngineError: It is recorded already, or the file can't be made.
        """
        leg = self._leg(call_id)
        if leg.voice.recording is not None:
            raise EngineError("This call is recorded already.", do="End that recording first.")
        # Late: most engines never record
        from app.sip.engine.recording import Recording

        leg.voice.recording = Recording(Path(path), RATE)
        self._emit(CallRecorded(call_id=call_id, path=path, on=True))

    def stop_recording(self, call_id: str) -> None:
        """End its recording; nothing happens where there is none."""
        self.end_recording(self._leg(call_id))

    def end_recording(self, leg: Leg) -> None:
        """Close a leg's recording, if there is one, and tell it."""
        recording, leg.voice.recording = leg.voice.recording, None
        if recording is not None:
            recording.close()
            self._emit(
                CallRecorded(
                    call_id=leg.call_id, path=str(recording.path), on=False, trouble=recording.trouble
                )
            )

    # What PJSIP and the clock tell

    def on_media(self, leg: Leg, *, by_us: bool, by_them: bool) -> None:
        """A leg's media changed: after a re-INVITE the bridge has forgotten who hears whom."""
        if leg.call_id in self._conference:
            self._join()
        self._holds.on_media(leg, by_us=by_us, by_them=by_them)

    def on_reinvite(self, leg: Leg, code: int, reason: str) -> None:
        """A re-INVITE of ours got its final response, or none in time."""
        self._holds.on_reinvite(leg, code, reason)

    def on_transfer(self, leg: Leg, code: int, reason: str, final: bool) -> None:
        """The far end told what a transfer has come to."""
        self._transfers.on_news(leg, code, reason, final)

    def on_end(self, leg: Leg) -> None:
        """A leg is over: what goes on within it is too."""
        self._transfers.on_end(leg)
        self.end_recording(leg)

    def watch(self, now: float) -> None:
        """Do what is due: `now` is monotonic seconds."""
        legs = tuple(self._legs())
        self._transfers.watch(legs, now)
        self._holds.watch(legs, now)
        for leg in legs:
            if leg.voice.recording is not None and leg.voice.recording.trouble:
                self.end_recording(leg)

    def _join(self) -> None:
        members = [leg for leg in self._legs() if leg.call_id in self._conference]
        _each_pair(members, pj.AudioMedia.startTransmit)

    def _answered(self, call_id: str) -> Leg:
        leg = self._leg(call_id)
        if leg.answered_at is None:
            raise EngineError("The call is not answered yet.", do="Wait until it is.")
        return leg


def _each_pair(legs: list[Leg], act: Callable[[pj.AudioMedia, pj.AudioMedia], None]) -> None:
    for one in legs:
        for other in legs:
            if one is not other and one.audio is not None and other.audio is not None:
                act(one.audio, other.audio)
