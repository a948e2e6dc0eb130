"""Live audio of an engine: which devices its calls need now, and what is heard on them."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import pjsua2 as pj

from app.model.audio_choice import AudioChoice
from app.model.call import CallState, Source
from app.model.outcome import Direction, HungUpBy
from app.sip.engine.audio.devices import Role
from app.sip.engine.audio.microphone import Microphone
from app.sip.engine.audio.speaker import Speaker
from app.sip.engine.audio.wish import Report, Wish
from app.sip.engine.callbacks import contained
from app.sip.engine.frames import FRAME_MS, RATE, samples_in
from app.sip.engine.leg import Leg
from app.sip.engine.voice import FRAME
from app.sip.messages import AudioDevices, AudioInUse, Event

if TYPE_CHECKING:
    from app.sip.engine.audio.keeper import Keeper


_SWITCH_S = 0.0001
"""The interpreter's turn for one thread: PJMEDIA's clock asks for it a dozen times in each 20 ms."""


class _SpeakerPort(pj.AudioMediaPort):  # type: ignore[misc]  # the wheel has no types
    """The speaker's place on the bridge, kept for good once it is there; see `Voice`."""

    def __init__(self, speaker: Speaker) -> None:
        super().__init__()
        self._speaker = speaker
        audio = pj.MediaFormatAudio()
        audio.init(pj.PJMEDIA_FORMAT_PCM, RATE, 1, FRAME_MS * 1000, 16)
        self.createPort("speaker", audio)

    @contained
    def onFrameReceived(self, frame: pj.MediaFrame) -> None:
        """Pass it on and leave."""
        self._speaker.hear(samples_in(frame))


class LiveAudio:
    """Belongs to the engine's thread; nothing is opened before `use`.

    Args:
        emit: Gets `AudioDevices` and `AudioInUse`.
        post: Has something run on the engine's thread.
        microphone: What the voices of the calls take their sound from.
    """

    def __init__(
        self,
        *,
        emit: Callable[[Event], None],
        post: Callable[[Callable[[], None]], None],
        microphone: Microphone,
    ) -> None:
        self._emit = emit
        self._post = post
        self._microphone = microphone
        self._speaker = Speaker(FRAME)
        self._port: _SpeakerPort | None = None
        self._keeper: Keeper | None = None
        self._choice: AudioChoice | None = None
        self._watching = self._in_call = False
        self._heard: dict[str, pj.AudioMedia] = {}
        self._wished: Wish | None = None
        self._devices: AudioDevices | None = None
        self._in_use = AudioInUse()

    def use(self, choice: AudioChoice | None) -> None:
        """Use these devices from now on; None for none."""
        self._choice = choice
        if choice is not None:
            self._microphone.gain_db = choice.microphone_db
            self._set_volume()

    def watch_devices(self, on: bool) -> None:
        """Tell the list of devices now and at each change, or stop."""
        self._watching = on
        self._devices = self._wished = None  # so that it is told to one who asks again

    def play_digits(self, digits: str) -> None:
        """Let the person hear the digits that are sent."""
        if self._choice is None or not self._in_call:
            return
        # Late: an idle engine should not carry what only this needs
        from app.sip.engine.tones import LOCAL_DBM0, dtmf

        self._speaker.play(dtmf(digits, RATE, LOCAL_DBM0 + self._choice.speaker_db))

    def watch(self, legs: Iterable[Leg]) -> None:
        """Open and close what the calls need; called often."""
        if self._choice is None and not self._watching and self._keeper is None:
            return
        up = [leg for leg in legs if leg.ended_at is None and leg.hung_up_by is HungUpBy.NOBODY]
        ringing = [leg for leg in up if leg.direction is Direction.IN and leg.answered_at is None]
        calls = [leg for leg in up if leg not in ringing]
        self._connect(calls)
        self._ring_back(calls)
        self._keep(self._wish(calls, ringing))

    def close(self) -> bool:
        """Let go of every device and leave the bridge, whose clock must have been stopped.

        Returns:
            Whether every driver has let go; else there are threads that must not meet the interpreter's end.
        """
        self._port = None
        return self._keeper is None or self._keeper.close()

    # What is heard

    def _connect(self, calls: list[Leg]) -> None:
        """Have the speaker hear every call; after a change of its media the bridge has forgotten it."""
        heard: dict[str, pj.AudioMedia] = {}
        for leg in calls if self._choice is not None else ():
            audio = leg.audio
            if audio is None:
                continue
            if self._heard.get(leg.call_id) is not audio:
                audio.startTransmit(self._opened_port())
            heard[leg.call_id] = audio
        self._heard = heard

    def _opened_port(self) -> _SpeakerPort:
        if self._port is None:
            self._port = _SpeakerPort(self._speaker)
            self._set_volume()
        return self._port

    def _set_volume(self) -> None:
        if self._port is not None and self._choice is not None:
            # Seen from the port: what it receives from the bridge
            self._port.adjustRxLevel(10 ** (self._choice.speaker_db / 20))

    def _ring_back(self, calls: list[Leg]) -> None:
        """Sound the ringback tone while a call rings that has no sound of its own."""
        ringing = [leg for leg in calls if leg.state is CallState.RINGING and leg.audio is None]
        if self._choice is None or not ringing:
            self._speaker.lasting = None
        elif self._speaker.lasting is None:
            from app.sip.engine.tones import LOCAL_DBM0, ringback

            self._opened_port()
            self._speaker.lasting = ringback(ringing[0].country, RATE, LOCAL_DBM0 + self._choice.speaker_db)

    # What is open

    def _wish(self, calls: list[Leg], ringing: list[Leg]) -> Wish:
        choice = self._choice
        if choice is None:
            self._in_call = False
            return Wish(watch=self._watching)
        # A call that is on hold keeps what is open
        sounding = any(leg.audio is not None for leg in calls) or self._speaker.lasting is not None
        self._in_call = sounding or (self._in_call and bool(calls))
        spoken = self._in_call and any(leg.voice.source is Source.MICROPHONE for leg in calls)
        return Wish(
            watch=self._watching,
            microphone=choice.microphone if spoken else None,
            speaker=choice.speaker if self._in_call else None,
            ringer=choice.ringer if choice.ring and ringing else None,
        )

    def _keep(self, wish: Wish) -> None:
        if wish == self._wished or (wish == Wish() and self._keeper is None):
            return
        self._wished = wish
        if self._keeper is None:
            # Late: an idle engine should not carry what only this needs
            from app.sip.engine.audio.keeper import Keeper

            _let_no_thread_wait()
            self._keeper = Keeper(
                self._microphone, self._speaker, lambda report: self._post(lambda: self._on_report(report))
            )
        self._keeper.wish(wish)

    def _on_report(self, report: Report) -> None:
        if report.wish != self._wished:
            return  # outdated; the one for the newest wish is on its way
        devices = AudioDevices(
            microphones=tuple(device.name for device in report.devices.microphones),
            speakers=tuple(device.name for device in report.devices.speakers),
        )
        if self._watching and devices != self._devices:
            self._devices = devices
            self._emit(devices)
        in_use = AudioInUse(
            microphone=report.used.get(Role.MICROPHONE, ""),
            speaker=report.used.get(Role.SPEAKER, ""),
            note=report.note,
        )
        if in_use != self._in_use:
            self._in_use = in_use
            self._emit(in_use)


def _let_no_thread_wait() -> None:
    """Set this process up for sound: a thread that waits for the interpreter is a gap in it."""
    sys.setswitchinterval(_SWITCH_S)
    # What there is by now stays; looking for garbage in it would stop all threads for 7 ms
    gc.collect()
    gc.freeze()
