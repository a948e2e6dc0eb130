"""What live audio adds to a call: delay and work, on the null sinks of a PulseAudio of its own."""

from __future__ import annotations

import asyncio
import math
import os
import random
import statistics
import sys
import tempfile
import threading
import time
import wave
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO

from app.model.audio_choice import AudioChoice
from app.model.call import Source
from app.model.sound import amplitude
from app.sip.demo import DemoCarrier
from app.sip.session import TrunkSession
from app.sip.supervisor import Supervisor
from bench.figure import Figure
from tests.helpers.programs import find_program
from tests.helpers.sound_card import RATE, SoundCard, sound_card

LISTEN_S = 15.0
WORK_S = 10.0
_SETTLE_S = 3.0
_ECHO = "600"
_BRIDGE_HZ = 8000


def measure() -> list[Figure]:
    """The figures; on Linux with PulseAudio only."""
    if not sys.platform.startswith("linux") or not all(map(find_program, ("pulseaudio", "pactl", "pacat"))):
        return []
    with sound_card() as card:
        os.environ.update(card.environment)
        card.add_microphone("mike", "Microphone")
        card.add_speaker("box", "Speaker")
        card.set_default("sink", "box")
        return [
            asyncio.run(_added_delay(card)),
            asyncio.run(_added_work()),
        ]


@asynccontextmanager
async def _call(source: Source, *, live: bool) -> AsyncIterator[tuple[TrunkSession, str]]:
    """A call to the demo carrier's echo, with its id."""
    carrier = DemoCarrier()
    await carrier.start()
    supervisor = Supervisor(lambda notice: None)
    try:
        if live:
            await supervisor.use_audio(AudioChoice())
        trunk = carrier.trunk()
        await supervisor.connect(trunk, carrier.password)
        session = supervisor.session(trunk.id)
        call_id = await session.place_call(_ECHO, max_seconds=110, ring_seconds=5, source=source)
        await asyncio.sleep(_SETTLE_S)
        yield session, call_id
    finally:
        await supervisor.close()
        await carrier.stop()


# Delay


async def _added_delay(card: SoundCard) -> Figure:
    """Clicks into the microphone of a call to an echo, and out of its speaker.

    The recording of the same call, which has what is sent and what is heard on one clock, tells how long
    each click was under way between the two. The rest is what microphone and speaker add.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        card.speaking("mike", _clicks()),
        card.tapping("mike-mouth") as mouth,
        card.tapping("box") as ear,
    ):
        spoken, heard = _Tap(mouth), _Tap(ear)
        path = Path(folder) / "call.wav"
        async with _call(Source.MICROPHONE, live=True) as (session, call_id):
            since = time.monotonic()
            await session.control.start_recording(call_id, path)
            await asyncio.sleep(LISTEN_S)
            await session.control.stop_recording(call_id)
        until = time.monotonic() - 1
        with wave.open(str(path)) as recording:
            both = array("h", recording.readframes(recording.getnframes()))
    under_way = _distances(_found(both[0::2], _BRIDGE_HZ), _found(both[1::2], _BRIDGE_HZ))
    in_all = _distances([at for at in spoken.found() if since < at < until], heard.found())
    return Figure(
        name="Delay that microphone and speaker add",
        value=1000 * (statistics.median(in_all) - statistics.median(under_way)),
        unit="ms",
        budget=60,
        note=f"mouth to ear by null sinks without network and jitter buffer, median of {len(in_all)} clicks",
    )


class _Tap:
    """What a null sink plays, and when."""

    def __init__(self, sound: BinaryIO) -> None:
        self._sound = sound
        self._samples = array("h")
        self._began_at = math.inf
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        rest = b""
        while block := self._sound.read(65536):
            now = time.monotonic()
            block = rest + block
            rest = block[len(block) // 2 * 2 :]
            self._samples.frombytes(block[: len(block) // 2 * 2])
            # The block that came with the least delay tells best when the first sample was played
            self._began_at = min(self._began_at, now - len(self._samples) / RATE)

    def found(self) -> list[float]:
        """When there were clicks, monotonic seconds."""
        return [self._began_at + at for at in _found(self._samples, RATE)]


def _clicks() -> array[int]:
    """Bursts of 4 ms at uneven distances around half a second."""
    chance = random.Random(1)
    burst = [round(amplitude(0) * math.sin(2 * math.pi * 1500 * n / RATE)) for n in range(RATE // 250)]
    samples = array("h")
    for _ in range(40):
        samples.extend(burst)
        samples.extend([0] * round(RATE * (0.4 + 0.2 * chance.random())))
    return samples


def _found(samples: array[int], rate: int) -> list[float]:
    """Where bursts begin, s."""
    threshold = 0.4 * max(map(abs, samples), default=0)
    found: list[float] = []
    for n, sample in enumerate(samples):
        if abs(sample) > threshold and (not found or n / rate - found[-1] > 0.2):
            found.append(n / rate)
    return found


def _distances(first: list[float], second: list[float]) -> list[float]:
    """From each of the first to the next of the second, s."""
    return [min(later) - at for at in first if (later := [other for other in second if other > at])]


# Work


async def _added_work() -> Figure:
    """Processor time of an engine with one call to an echo, with the microphone and without."""
    ratios = [await _work(live=True) / await _work(live=False) for _ in range(3)]
    return Figure(
        name="Processor time of a call with live audio",
        value=statistics.median(ratios),
        unit="×",
        budget=2,
        note=f"that of a call with a tone and without devices; {WORK_S:.0f} s each, median of {len(ratios)}",
    )


async def _work(*, live: bool) -> float:
    source = Source.MICROPHONE if live else Source.TONE
    async with _call(source, live=live) as (session, _):
        before = _processor_s(session.engine_pid)
        await asyncio.sleep(WORK_S)
        return _processor_s(session.engine_pid) - before


def _processor_s(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
