"""Everything that a person can do within a call of a connected trunk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from app.errors import EngineError
from app.model.call import Source
from app.model.call_length import LONGEST_CALL_SECONDS
from app.model.signalling import Trouble
from app.model.trunk import Trunk
from app.sip.call_limits import CallLimits
from app.sip.call_troubles import Step, trouble_in
from app.sip.client import EngineBugError, EngineClient, EngineLostError
from app.sip.dialling import dial, prefixes
from app.sip.messages import (
    AnswerCall,
    ForwardCall,
    HangUp,
    HoldCall,
    MuteCall,
    RejectCall,
    ResumeCall,
    SendDigits,
    SetConference,
    SetSource,
    StartRecording,
    StopRecording,
    TransferCall,
    TransferToCall,
    WatchDevices,
)
from app.sip.notices import CallAccepted
from app.system_country import system_countries

StepCommand = (
    AnswerCall
    | ForwardCall
    | HoldCall
    | ResumeCall
    | SendDigits
    | StartRecording
    | StopRecording
    | TransferCall
    | TransferToCall
)
"""What belongs to a call's outcome when it does not work."""


class CallControl:
    """Commands for the calls of one trunk; each raises `EngineError` when the engine refuses it.

    A step that does not work is also kept as a trouble of its call, whose outcome then has it: it is not a
    reason to lose sight of the call.

    Args:
        trunk: How it writes numbers.
        engine: Gives the running engine, or raises `EngineError`.
        tell: Gets `CallAccepted`.
        limits: Hears how long a call may last, and that it is to end.
        trouble: Gets a call's id and what did not work in it.
    """

    def __init__(
        self,
        trunk: Trunk,
        engine: Callable[[], EngineClient],
        tell: Callable[[CallAccepted], None],
        limits: CallLimits,
        trouble: Callable[[str, Trouble], None],
    ) -> None:
        self._trunk = trunk
        self._engine = engine
        self._tell = tell
        self._limits = limits
        self._trouble = trouble

    async def answer(
        self, call_id: str, *, max_seconds: float = LONGEST_CALL_SECONDS, source: Source = Source.SPEECH
    ) -> None:
        """Answer an incoming call."""
        self._limits.accept(call_id, max_seconds)
        await self._ask(Step.ANSWER, AnswerCall(call_id=call_id, max_seconds=max_seconds, source=source))
        self._tell(
            CallAccepted(trunk_id=self._trunk.id, call_id=call_id, source=source, max_seconds=max_seconds)
        )

    async def reject(self, call_id: str, code: int = 486) -> None:
        """Refuse an incoming call."""
        await self._engine().request(RejectCall(call_id=call_id, code=code))
        self._limits.leave(call_id)

    async def forward(self, call_id: str, number: str) -> None:
        """Send an incoming call on to another number.

        Raises:
            CallRefusedError: An emergency number.
            UserError: Not a number that this trunk can call.
        """
        user, country, taken_off = self._dialled(number)
        await self._ask(
            Step.FORWARD, ForwardCall(call_id=call_id, user=user, country=country, prefixes=taken_off)
        )
        self._limits.leave(call_id)

    async def hang_up(self, call_id: str) -> None:
        """End a call."""
        await self._engine().request(HangUp(call_id=call_id))
        self._limits.leave(call_id)

    async def set_source(self, call_id: str, source: Source) -> None:
        """Change what a call sends."""
        await self._engine().request(SetSource(call_id=call_id, source=source))

    async def send_digits(self, call_id: str, digits: str) -> None:
        """Send DTMF digits."""
        await self._ask(Step.DIGITS, SendDigits(call_id=call_id, digits=digits))

    async def hold(self, call_id: str) -> None:
        """Put a call on hold; `CallHold` reports when the far end has agreed."""
        await self._ask(Step.HOLD, HoldCall(call_id=call_id))

    async def resume(self, call_id: str) -> None:
        """Take a call off hold."""
        await self._ask(Step.RESUME, ResumeCall(call_id=call_id))

    async def mute(self, call_id: str, muted: bool) -> None:
        """Send silence, or sound again."""
        await self._engine().request(MuteCall(call_id=call_id, muted=muted))

    async def transfer(self, call_id: str, number: str) -> None:
        """Have the far end call another number; `TransferProgress` reports what comes of it.

        Raises:
            CallRefusedError: An emergency number.
            UserError: Not a number that this trunk can call.
        """
        user, country, taken_off = self._dialled(number)
        await self._ask(
            Step.TRANSFER, TransferCall(call_id=call_id, user=user, country=country, prefixes=taken_off)
        )

    async def transfer_to(self, call_id: str, other_id: str) -> None:
        """Connect the far ends of two calls with each other and leave."""
        await self._ask(Step.TRANSFER, TransferToCall(call_id=call_id, other_id=other_id))

    async def set_conference(self, call_ids: Sequence[str]) -> None:
        """Let these calls hear each other; fewer than two end the conference."""
        await self._engine().request(SetConference(call_ids=tuple(call_ids)))

    async def start_recording(self, call_id: str, path: Path) -> None:
        """Record both sides of a call to a new WAV file."""
        await self._ask(Step.RECORD, StartRecording(call_id=call_id, path=str(path)))

    async def stop_recording(self, call_id: str) -> None:
        """End a recording."""
        await self._ask(Step.RECORD, StopRecording(call_id=call_id))

    async def watch_devices(self, on: bool) -> None:
        """Have `DevicesFound` report the sound devices, now and whenever they change."""
        await self._engine().request(WatchDevices(on=on))

    async def _ask(self, step: Step, command: StepCommand) -> None:
        try:
            await self._engine().request(command)
        except EngineLostError:
            raise  # the call is lost as well, and its outcome says why
        except (EngineError, EngineBugError) as error:
            self._trouble(command.call_id, trouble_in(step, error))
            raise

    def _dialled(self, number: str) -> tuple[str, str, tuple[str, ...]]:
        trunk = self._trunk
        dialled = dial(number, trunk, system_countries())
        return dialled.user, trunk.country, prefixes(trunk.tech_prefix, trunk.tech_separator)
