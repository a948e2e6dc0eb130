"""Opens, closes and watches the sound devices on a thread of its own, because a driver may take its time."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from app.sip.engine.audio.buffer import ClockBuffer
from app.sip.engine.audio.devices import NO_DEVICES, Device, Devices, Role, Trouble, candidates, note
from app.sip.engine.audio.microphone import Microphone
from app.sip.engine.audio.speaker import Speaker
from app.sip.engine.audio.system import OpenError, SoundLostError, SoundSystem, Stream
from app.sip.engine.audio.wish import Report, Wish
from app.sip.engine.frames import RATE
from app.sip.engine.tones import RING_HZ, ring

LOOK_EVERY_S = 1.5
"""How often the list of devices is read while somebody wants to know."""
TRY_AGAIN_S = 5.0
"""How long a device that could not be opened is left alone."""
CLOSE_LIMIT_S = 2.0
_SOON_S = 0.1


class Keeper:
    """The devices of one engine; all methods belong to the engine's thread.

    Args:
        microphone, speaker: What the devices' sound goes to and comes from.
        report: Told on the keeper's thread what is open, whenever that or the list of devices changes.
        system: Makes the system's sound; a test gives its own.
    """

    def __init__(
        self,
        microphone: Microphone,
        speaker: Speaker,
        report: Callable[[Report], None],
        system: Callable[[], SoundSystem] = SoundSystem,
    ) -> None:
        self._microphone, self._speaker = microphone, speaker
        self._report = report
        self._make_system = system
        self._system: SoundSystem | None = None
        self._inbox: queue.SimpleQueue[Wish | None] = queue.SimpleQueue()
        self._wish = Wish()
        self._ending = self._look_soon = False
        self._open: dict[Role, tuple[Stream, ClockBuffer | None]] = {}
        self._failed: dict[tuple[Role, bytes], tuple[Trouble, float]] = {}
        self._thread = threading.Thread(target=self._run, name="sound", daemon=True)
        self._thread.start()

    def wish(self, wish: Wish) -> None:
        """Have this open from now on."""
        self._inbox.put(wish)

    def close(self) -> bool:
        """Close everything; False when a driver does not let go within two seconds."""
        self._ending = True
        self._inbox.put(Wish())
        self._thread.join(CLOSE_LIMIT_S)
        return not self._thread.is_alive()

    # On the keeper's thread

    def _run(self) -> None:
        told: Report | None = None
        while True:
            asked = self._await()
            report = self._arrange()
            if self._ending and self._wish == Wish():
                return
            if asked or report != told:
                told = report
                self._report(report)

    def _await(self) -> bool:
        """Wait for a wish, for a device that stops, or until it is time to look again; True for a wish."""
        idle, asked = self._wish == Wish(), False
        pause = _SOON_S if self._look_soon else LOOK_EVERY_S
        self._look_soon = False
        with suppress(queue.Empty):
            wish = self._inbox.get(timeout=None if idle else pause)
            while True:
                if wish is not None:
                    self._wish, asked = wish, True
                else:
                    # A device tells that it stops a moment before it can be seen
                    self._look_soon = True
                wish = self._inbox.get_nowait()
        return asked

    def _arrange(self) -> Report:
        """Make what is open fit the wish and the devices there are."""
        if self._wish == Wish():
            self._leave_system()
            return Report(wish=self._wish)
        devices = self._look()
        report = Report(wish=self._wish, devices=devices)
        for role in Role:
            wanted = self._wish.of(role)
            if wanted is None:
                self._shut(role)
                continue
            used, why = self._use(role, wanted, devices.of(role))
            if used is not None:
                report.used[role] = used.name
            report.notes[role] = note(role, wanted, used, devices.of(role), why)
        if not (devices.microphones or devices.speakers):
            # A sound server that comes up later is only seen by one who asks from the start
            self._leave_system()
        return report

    def _look(self) -> Devices:
        better = self._system.better() if self._system is not None else None
        if better is not None:
            self._leave_system()
            self._system = better
        for _ in range(2):
            try:
                if self._system is None:
                    self._system = self._make_system()
                return self._system.devices()
            except SoundLostError:
                # Its streams are dead too, and another kind of sound may be there in its place
                self._leave_system()
        return NO_DEVICES

    def _leave_system(self) -> None:
        for role in Role:
            self._shut(role)
        self._failed.clear()
        if self._system is not None:
            self._system.close()
            self._system = None

    def _use(
        self, role: Role, wanted: str, devices: tuple[Device, ...]
    ) -> tuple[Device | None, Trouble | None]:
        """Have the best device open; returns it, and why the first choice is not."""
        why: Trouble | None = None
        for device in candidates(wanted, devices):
            now_open = self._open.get(role)
            if now_open is not None and now_open[0].device.key == device.key and now_open[0].runs:
                return device, why
            trouble, since = self._failed.get((role, device.key), (None, 0.0))
            if trouble is None or time.monotonic() - since > TRY_AGAIN_S:
                trouble = self._change_to(role, device)
            if trouble is None:
                return device, why
            why = why or trouble
        self._shut(role)
        return None, why

    def _change_to(self, role: Role, device: Device) -> Trouble | None:
        """Open a device in place of the one that is open; that one stays when it fails."""
        now_open = self._open.get(role)
        if now_open is not None and not now_open[0].runs:
            self._shut(role)
        try:
            opened = self._opened(role, device)
        except OpenError as error:
            self._failed[role, device.key] = (error.trouble, time.monotonic())
            sys.stderr.write(f"{role} {device.name}: {error}\n")
            return error.trouble
        self._failed.pop((role, device.key), None)
        self._shut(role)
        self._open[role] = opened
        self._connect(role, opened[1])
        return None

    def _opened(self, role: Role, device: Device) -> tuple[Stream, ClockBuffer | None]:
        system = self._system
        assert system is not None

        def look_again() -> None:
            self._inbox.put(None)

        if role is Role.RINGER:
            return system.open_speaker(device, RING_HZ, ring().read, look_again), None
        buffer = ClockBuffer(RATE)
        if role is Role.MICROPHONE:
            return system.open_microphone(device, RATE, buffer.write, look_again), buffer
        return system.open_speaker(device, RATE, buffer.read, look_again), buffer

    def _connect(self, role: Role, buffer: ClockBuffer | None) -> None:
        if role is Role.MICROPHONE:
            self._microphone.buffer = buffer
        elif role is Role.SPEAKER:
            self._speaker.buffer = buffer

    def _shut(self, role: Role) -> None:
        stream, buffer = self._open.pop(role, (None, None))
        if stream is None:
            return
        self._connect(role, None)
        stream.close()
        if buffer is not None:
            sys.stderr.write(
                f"{role} {stream.device.name}: {buffer.seconds:.0f} s, {buffer.underruns} underruns,"
                f" {buffer.overruns} overruns\n"
            )
