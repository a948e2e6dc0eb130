"""The samples of PJMEDIA's frames, taken out and put in with as little cost as can be."""

from __future__ import annotations

import ctypes
from functools import cache

import pjsua2 as pj

from app.sip.engine.endpoint import BRIDGE_HZ

RATE = BRIDGE_HZ
"""Sampling rate of what is sent and measured, Hz: the bridge's own. Each sample more would cost time when it
crosses into Python."""
FRAME_MS = 20

_Vector = ctypes.c_size_t * 3
"""A C++ vector: begin, end and end of storage, in libstdc++, libc++ and release builds of MSVC alike."""


def samples_in(frame: pj.MediaFrame) -> bytes:
    """What a frame carries, 16-bit samples; empty for a frame without sound.

    The wrapper copies a vector byte by byte through Python objects, which costs more than all the rest of a
    call. So the memory of the vector is read in one piece, where it is laid out as expected.
    """
    if not frame.size:
        return b""
    content = frame.buf
    if not _layout_is_known():
        return bytes(content)
    begin, end, _ = _Vector.from_address(int(content.this))
    return ctypes.string_at(begin, end - begin)


def fill(frame: pj.MediaFrame, samples: bytes) -> None:
    """Have a frame carry these 16-bit samples."""
    frame.type = pj.PJMEDIA_FRAME_TYPE_AUDIO
    frame.buf = pj.ByteVector(samples)
    frame.size = len(samples)


@cache
def _layout_is_known() -> bool:
    """Whether vectors of two sizes look as expected; only then a pointer is followed."""
    for content in (bytes(range(1, 100)), bytes(320)):
        vector = pj.ByteVector(content)
        begin, end, limit = _Vector.from_address(int(vector.this))
        if not (begin and end and limit and end - begin == len(content) and limit >= end):
            return False
        if ctypes.string_at(begin, len(content)) != content:
            return False
    return True
