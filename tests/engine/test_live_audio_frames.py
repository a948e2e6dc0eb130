"""Samples go into PJMEDIA's frames and come out of them as they were."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

import pjsua2 as pj
import pytest

from app.sip.engine import frames

SAMPLES = bytes(range(256)) + bytes(64)


def frame_with(samples: bytes) -> pj.MediaFrame:
    frame = pj.MediaFrame()
    frames.fill(frame, samples)
    return frame


def test_what_is_put_in_comes_out() -> None:
    frame = frame_with(SAMPLES)
    assert (frame.type, frame.size) == (pj.PJMEDIA_FRAME_TYPE_AUDIO, len(SAMPLES))
    assert frames.samples_in(frame) == SAMPLES


def test_a_frame_without_sound_gives_nothing() -> None:
    assert frames.samples_in(pj.MediaFrame()) == b""


def test_the_memory_of_a_vector_is_read_in_one_piece_here() -> None:
    assert frames._layout_is_known()


def test_a_vector_laid_out_in_another_way_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "_layout_is_known", lambda: False)
    assert frames.samples_in(frame_with(SAMPLES)) == SAMPLES


@pytest.mark.parametrize("shift", [1, -1])
def test_the_check_sees_another_layout(shift: int, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[object] = []

    class Other:
        """A vector with something else before its pointers, or with one of them missing."""

        def __init__(self, content: bytes) -> None:
            memory = ctypes.create_string_buffer(content, len(content))
            start = ctypes.addressof(memory)
            pointers = (start, start + len(content), start + len(content))
            words = (0, *pointers) if shift > 0 else (*pointers[1:], 0)
            table = (ctypes.c_void_p * len(words))(*words)
            kept.extend((memory, table))
            self.this = ctypes.addressof(table)

    monkeypatch.setattr(pj, "ByteVector", Other)
    assert not frames._layout_is_known.__wrapped__()


def test_nothing_else_takes_a_buffer_apart() -> None:
    engine = Path(frames.__file__).parent
    taken_apart = re.compile(r"\.buf\b")
    found = [path.name for path in engine.rglob("*.py") if taken_apart.search(path.read_text("utf-8"))]
    assert found == ["frames.py"]
