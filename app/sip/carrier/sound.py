"""What the carrier plays: 20 ms frames, encoded, for each codec."""

from __future__ import annotations

import array
import io
import math
import sys
import wave
from functools import cache
from importlib import resources

from aiortp import get_codec

from app.sip.carrier.offers import CODECS

RATE = 8000
FRAME_SAMPLES = 160
FRAME_BYTES = 160
"""Bytes in a 20 ms frame: the same for G.711 and for G.722 at 64 kbit/s."""

TONE_HZ = 1004
TONE_DBM0 = -10.0
OVERLOAD_DBM0 = 3.17
"""Level of a mu-law sine that just reaches the largest code (ITU-T G.711); A-law has 3.14."""

OVERLOAD_PEAK = 32_636
"""That sine's peak as a 16 bit sample: 8159 on the 14 bit scale of G.711."""

_SILENCE = {"PCMU": b"\xff", "PCMA": b"\xd5"}

Frames = tuple[bytes, ...]


@cache
def tone(codec: str) -> Frames:
    """One second of 1004 Hz at -10 dBm0, made to be repeated without a click."""
    if codec == "G722":
        return _frames(_resource("tone.g722"))
    peak = OVERLOAD_PEAK * 10 ** ((TONE_DBM0 - OVERLOAD_DBM0) / 20)
    samples = array.array(
        "h", (round(peak * math.sin(2 * math.pi * TONE_HZ * n / RATE)) for n in range(RATE))
    )
    return _encoded(codec, samples)


@cache
def speech(codec: str) -> Frames:
    """The speech sample, about six seconds."""
    if codec == "G722":
        return _frames(_resource("speech.g722"))
    with wave.open(io.BytesIO(_resource("speech.wav"))) as file:
        samples = array.array("h", file.readframes(file.getnframes()))
    if sys.byteorder == "big":
        samples.byteswap()
    samples.extend([0] * (-len(samples) % FRAME_SAMPLES))
    return _encoded(codec, samples)


@cache
def silence(codec: str) -> Frames:
    """Silence, made to be repeated."""
    if codec == "G722":
        return _frames(_resource("silence.g722"))
    return (_SILENCE[codec] * FRAME_BYTES,)


def _encoded(codec: str, samples: array.array[int]) -> Frames:
    if sys.byteorder == "big":
        samples = array.array("h", samples)
        samples.byteswap()
    return _frames(get_codec(CODECS[codec]).encode(samples.tobytes()))


def _frames(data: bytes) -> Frames:
    return tuple(data[at : at + FRAME_BYTES] for at in range(0, len(data), FRAME_BYTES))


def _resource(name: str) -> bytes:
    return (resources.files("app") / "resources" / name).read_bytes()
