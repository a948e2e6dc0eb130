"""What the calls get of one microphone, and what the speaker gets of them."""

from __future__ import annotations

from array import array

from app.sip.engine.audio.microphone import Microphone
from app.sip.engine.audio.speaker import Speaker

# One microphone for all calls


class Counting:
    """A buffer whose frames are numbered."""

    def __init__(self) -> None:
        self.reads = 0

    def read(self, count: int) -> bytes:
        self.reads += 1
        return array("h", [self.reads] * count).tobytes()


def a_tick(microphone: Microphone, seen: list[int]) -> list[int]:
    """One tick of the bridge: every reader takes a frame; returns what each one got."""
    got = []
    for n, number in enumerate(seen):
        seen[n], frame = microphone.frame(number)
        got.append(frame[0])
    return got


def test_all_calls_get_the_same_frame_and_one_that_joins_is_in_step() -> None:
    microphone, buffer = Microphone(160), Counting()
    microphone.buffer = buffer  # type: ignore[assignment]  # a fake has what is used
    seen = [microphone.number] * 3
    assert [a_tick(microphone, seen) for _ in range(3)] == [[1] * 3, [2] * 3, [3] * 3]
    seen.insert(0, microphone.number)
    assert [a_tick(microphone, seen) for _ in range(3)] == [[4] * 4, [5] * 4, [6] * 4]
    paused = seen.pop()
    for _ in range(50):
        a_tick(microphone, seen)
    seen.append(paused)
    a_tick(microphone, seen)
    assert [a_tick(microphone, seen) for _ in range(100)][-1] == [buffer.reads] * 4
    assert buffer.reads == 3 + 3 + 50 + 1 + 100


def test_without_a_device_the_microphone_is_silent() -> None:
    microphone = Microphone(160)
    _, frame = microphone.frame(microphone.number)
    assert frame == array("h", bytes(320))


def test_the_volume_of_the_microphone_is_in_db_and_does_not_wrap_round() -> None:
    microphone = Microphone(3)

    class Loud:
        def read(self, count: int) -> bytes:
            return array("h", [1000, -1000, 30000]).tobytes()

    microphone.buffer = Loud()  # type: ignore[assignment]  # a fake has what is used
    microphone.gain_db = 6.0206
    assert microphone.frame(microphone.number)[1].tolist() == [2000, -2000, 32767]
    microphone.gain_db = -20.0
    assert microphone.frame(microphone.number)[1].tolist() == [100, -100, 3000]


# What the speaker gets


class Taken:
    def __init__(self) -> None:
        self.frames: list[list[int]] = []

    def write(self, samples: bytes) -> None:
        self.frames.append(array("h", samples).tolist())


class Steady:
    def read(self, count: int) -> bytes:
        return array("h", [7] * count).tobytes()


def test_tones_are_heard_with_the_calls_and_instead_of_silence() -> None:
    speaker, taken = Speaker(4), Taken()
    speaker.buffer = taken  # type: ignore[assignment]  # a fake has what is used
    speaker.hear(b"")
    speaker.hear(array("h", [1, 2, 3, 4]).tobytes())
    speaker.play(array("h", [10, 20, 30, 40, 50]))
    speaker.hear(array("h", [1, 2, 3, 32767]).tobytes())
    speaker.hear(b"")
    speaker.lasting = Steady()
    speaker.hear(array("h", [1, 2, 3, -4]).tobytes())
    speaker.hear(b"")
    speaker.lasting = None
    speaker.hear(b"")
    assert taken.frames == [
        [0, 0, 0, 0],
        [1, 2, 3, 4],
        [11, 22, 33, 32767],
        [50, 0, 0, 0],
        [8, 9, 10, 3],
        [7, 7, 7, 7],
        [0, 0, 0, 0],
    ]


def test_a_tone_that_nobody_could_hear_does_not_wait_for_a_device() -> None:
    speaker, taken = Speaker(4), Taken()
    speaker.play(array("h", [10, 20, 30, 40]))
    speaker.hear(b"")
    speaker.buffer = taken  # type: ignore[assignment]  # a fake has what is used
    speaker.hear(b"")
    assert taken.frames == [[0, 0, 0, 0]]
