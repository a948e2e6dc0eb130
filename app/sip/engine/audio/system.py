"""The system's own sound, through miniaudio: its devices and the streams to and from them.

The wrapper that comes with miniaudio is left out: it takes 11 MB, keeps a connection to the sound server for
every stream that was ever open, and does not tell which devices are the default ones.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from _miniaudio import ffi, lib  # type: ignore[import-not-found]  # the wheel has no types

from app.sip.engine.audio.devices import Device, Devices, Trouble, listed

_GIVEN_MS = 5
_TAKEN_MS = 10
"""How much sound a microphone gives and a speaker takes at a time: less is less delay and more work."""
_PERIODS = 3
STALLED_S = 5.0
"""After how long without any sound a device counts as gone: PulseAudio does not always tell."""
_KINDS = {
    "win32": (lib.ma_backend_wasapi, lib.ma_backend_dsound),
    "darwin": (lib.ma_backend_coreaudio,),
}.get(sys.platform, (lib.ma_backend_pulseaudio, lib.ma_backend_alsa))
"""The usual kind of sound, and the one that stands in for it; without the one that only pretends, with which
miniaudio would end its own list."""
_PLAYBACK, _CAPTURE = 0, 1
_APPLICATION = ffi.new("char[]", b"Ringback")

lib.init_miniaudio()


class SoundLostError(Exception):
    """The system's sound can't be reached, or not any more."""


class OpenError(Exception):
    """A device could not be opened.

    Attributes:
        trouble: Why.
    """

    def __init__(self, trouble: Trouble, code: int) -> None:
        super().__init__(f"{trouble.value} (miniaudio {code})")
        self.trouble = trouble


class Stream:
    """An open device; made by `SoundSystem`.

    Args:
        exchange: Called on a thread of the device's own with a pointer to what it gives, one to what it
            takes, and the number of samples.
        on_stop: Called on any thread when the device stops or pauses, whoever makes it.
    """

    def __init__(
        self,
        device: Device,
        exchange: Callable[[ffi.CData, ffi.CData, int], None],
        on_stop: Callable[[], None],
    ) -> None:
        self.device = device
        self.on_stop = on_stop
        self._exchange = exchange
        self._moved_at = time.monotonic()
        self._handle = ffi.new_handle(self)
        self._memory = ffi.new("ma_device *")

    def begin(self, context: ffi.CData, config: ffi.CData) -> None:
        """Open it.

        Raises:
            OpenError: It can't be.
        """
        config.pUserData = self._handle
        config.dataCallback = lib._internal_data_callback
        config.stopCallback = lib._internal_stop_callback
        code = lib.ma_device_init(context, ffi.addressof(config), self._memory)
        if code == lib.MA_SUCCESS:
            code = lib.ma_device_start(self._memory)
            if code != lib.MA_SUCCESS:
                lib.ma_device_uninit(self._memory)
        if code != lib.MA_SUCCESS:
            raise OpenError(_trouble(code), code)

    @property
    def runs(self) -> bool:
        """Whether sound goes to or from the device, or may do so again in a moment."""
        moved = time.monotonic() - self._moved_at < STALLED_S
        return moved and bool(lib.ma_device_is_started(self._memory))

    def data(self, given: ffi.CData, taken: ffi.CData, count: int) -> None:
        """Pass on what the device gives or takes."""
        self._moved_at = time.monotonic()
        self._exchange(given, taken, count)

    def close(self) -> None:
        """Let go of the device; no more calls come from it then."""
        # Without this the end of a device that PulseAudio has taken away would be waited for for ever
        lib.ma_device_stop(self._memory)
        lib.ma_device_uninit(self._memory)


class SoundSystem:
    """The sound devices of this computer; all of it belongs to the thread that made it.

    Args:
        kinds: The kinds of sound to try, miniaudio's backends.

    Raises:
        SoundLostError: There is no sound here at all.
    """

    def __init__(self, kinds: tuple[int, ...] = _KINDS) -> None:
        config = lib.ma_context_config_init()
        config.pulse.pApplicationName = _APPLICATION
        backends = ffi.new("ma_backend[]", kinds)
        self._context = ffi.new("ma_context *")
        code = lib.ma_context_init(backends, len(kinds), ffi.addressof(config), self._context)
        if code != lib.MA_SUCCESS:
            raise SoundLostError(f"miniaudio {code}")

    def better(self) -> SoundSystem | None:
        """The usual kind of sound, where this one stands in for it and that one is there by now.

        A program that looks while the sound server starts finds bare ALSA only.
        """
        if self._context.backend == _KINDS[0]:
            return None
        try:
            return SoundSystem(_KINDS[:1])
        except SoundLostError:
            return None

    def devices(self) -> Devices:
        """What is there now.

        Raises:
            SoundLostError: The sound server is gone.
        """
        lists = ffi.new("ma_device_info *[2]")
        counts = ffi.new("ma_uint32[2]")
        code = lib.ma_context_get_devices(self._context, lists, counts, lists + 1, counts + 1)
        if code != lib.MA_SUCCESS:
            raise SoundLostError(f"miniaudio {code}")
        speakers, microphones = (
            [_device(lists[kind][n]) for n in range(counts[kind])] for kind in (_PLAYBACK, _CAPTURE)
        )
        return Devices(
            microphones=listed(device for device in microphones if self._is_microphone(device.key)),
            speakers=listed(device for device in speakers if self._is_real(device.key)),
        )

    def _is_microphone(self, key: bytes) -> bool:
        # What a speaker plays is offered as if it were a microphone; sent into a call it would be an echo
        monitors = self._context.backend == lib.ma_backend_pulseaudio
        return self._is_real(key) and not (monitors and _text(key).endswith(b".monitor"))

    def _is_real(self, key: bytes) -> bool:
        # ALSA's list is full of converters; a real device names its card
        real = _text(key) == b"default" or b":" in _text(key)
        return real or self._context.backend != lib.ma_backend_alsa

    def open_microphone(
        self, device: Device, rate: int, give: Callable[[bytes], None], on_stop: Callable[[], None]
    ) -> Stream:
        """Open a device that `give` gets 16-bit mono samples of, on a thread of the device's.

        Raises:
            OpenError: It can't be.
        """

        def exchange(given: ffi.CData, taken: ffi.CData, count: int) -> None:
            give(ffi.buffer(given, 2 * count)[:])

        config = lib.ma_device_config_init(lib.ma_device_type_capture)
        config.periodSizeInMilliseconds = _GIVEN_MS
        return self._opened(device, rate, config, config.capture, exchange, on_stop)

    def open_speaker(
        self, device: Device, rate: int, take: Callable[[int], bytes], on_stop: Callable[[], None]
    ) -> Stream:
        """Open a device that asks `take` for as many 16-bit mono samples as it needs.

        Raises:
            OpenError: It can't be.
        """

        def exchange(given: ffi.CData, taken: ffi.CData, count: int) -> None:
            ffi.memmove(taken, take(count), 2 * count)

        config = lib.ma_device_config_init(lib.ma_device_type_playback)
        config.periodSizeInMilliseconds = _TAKEN_MS
        return self._opened(device, rate, config, config.playback, exchange, on_stop)

    def _opened(
        self,
        device: Device,
        rate: int,
        config: ffi.CData,
        side: ffi.CData,
        exchange: Callable[[ffi.CData, ffi.CData, int], None],
        on_stop: Callable[[], None],
    ) -> Stream:
        device_id = ffi.new("ma_device_id *")
        ffi.memmove(device_id, device.key, len(device.key))
        side.pDeviceID = device_id
        side.format = lib.ma_format_s16
        side.channels = 1
        config.sampleRate = rate
        config.periods = _PERIODS
        stream = Stream(device, exchange, on_stop)
        stream.begin(self._context, config)
        return stream

    def close(self) -> None:
        """End it; every stream must have been closed."""
        lib.ma_context_uninit(self._context)


def _text(key: bytes) -> bytes:
    return key.partition(b"\0")[0]


def _device(info: ffi.CData) -> Device:
    name = ffi.string(info.name).decode(errors="replace")
    return Device(
        # ALSA tells what a device is for in a second line
        name=name.partition("\n")[0].strip() or "Sound device",
        key=bytes(ffi.buffer(ffi.addressof(info, "id"))),
        is_default=bool(info.isDefault),
    )


def _trouble(code: int) -> Trouble:
    if code in (lib.MA_BUSY, lib.MA_ALREADY_IN_USE):
        return Trouble.BUSY
    return Trouble.DENIED if code == lib.MA_ACCESS_DENIED else Trouble.FAILED


# The two functions that the library leaves to the program; they run on threads of the devices


@ffi.def_extern(name="_internal_data_callback")  # type: ignore[untyped-decorator]  # the wheel has no types
def _on_data(device: ffi.CData, taken: ffi.CData, given: ffi.CData, count: int) -> None:
    ffi.from_handle(device.pUserData).data(given, taken, count)


@ffi.def_extern(name="_internal_stop_callback")  # type: ignore[untyped-decorator]  # the wheel has no types
def _on_stop(device: ffi.CData) -> None:
    ffi.from_handle(device.pUserData).on_stop()
