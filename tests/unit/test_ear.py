"""What the ear makes of the frames that are left with it."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Sequence

import pytest

from app.model.sound import amplitude, keyed_tone
from app.model.sound_figures import NetworkTone, Returned, SoundFigures
from app.sip.engine.ear import Ear
from app.sip.engine.frames import FRAME_MS, RATE
from app.sip.engine.tones import dtmf
from tests.helpers.waiting import wait_for

FRAME = RATE * FRAME_MS // 1000
SECOND = 1000 // FRAME_MS
QUIET = array("h", bytes(2 * FRAME))


def frames(samples: Sequence[int]) -> list[array[int]]:
    """The samples, 20 ms each."""
    whole = array("h", samples)
    return [whole[start : start + FRAME] for start in range(0, len(whole) - FRAME + 1, FRAME)]


def tone(hertz: float, dbm0: float, seconds: float) -> list[array[int]]:
    """Frames of a steady tone, clipped where it is too loud."""
    peak, step = amplitude(dbm0), 2 * math.pi * hertz / RATE
    return frames(
        [max(-32768, min(32767, round(peak * math.sin(step * n)))) for n in range(round(seconds * RATE))]
    )


def listen(ear: Ear, sent: Sequence[array[int]], heard: Sequence[array[int]]) -> SoundFigures:
    """Give it both directions, and look once a second and at the end."""
    figures = SoundFigures()
    for n, (ours, theirs) in enumerate(zip(sent, heard, strict=True), 1):
        ear.sent(ours)
        ear.heard(theirs)
        if n % SECOND == 0 or n == len(sent):
            figures = ear.look(own_sound=True, tone_is_sent=True)
    return figures


def test_before_the_first_frame_nothing_is_known() -> None:
    ear = Ear()
    assert ear.levels(1000) == (None, None)
    assert ear.clipped_pct() == (0, 0)
    assert ear.take_digits() == []
    assert ear.look(own_sound=True, tone_is_sent=True) == SoundFigures()


def test_levels_are_those_of_the_span() -> None:
    ear = Ear()
    for ours, theirs in zip(tone(1000, -10, 1), tone(1000, -30, 0.5) + tone(1000, -20, 0.5), strict=True):
        ear.sent(ours)
        ear.heard(theirs)
    assert ear.levels(200) == (pytest.approx(-10, abs=0.1), pytest.approx(-20, abs=0.1))
    # Half the time 10 dB less
    assert ear.levels(1000)[1] == pytest.approx(-22.6, abs=0.1)


def test_when_no_frames_come_any_more_the_last_ones_say_nothing_about_now() -> None:
    ear = Ear()
    ear.heard(tone(1000, -10, FRAME_MS / 1000)[0])
    assert ear.levels(50)[1] is not None
    wait_for(lambda: ear.levels(50) == (None, None), "the level to be forgotten")


def test_a_frame_without_sound_in_it_is_silence() -> None:
    ear = Ear()
    ear.sent(QUIET)
    ear.heard(array("h"))
    assert ear.levels(1000) == (None, None)
    assert ear.look(own_sound=False, tone_is_sent=False).heard_pct == 0


def test_the_share_of_sound_is_told_for_each_direction() -> None:
    figures = listen(Ear(), [QUIET] * 2 * SECOND, tone(700, -20, 0.5) + [QUIET] * (SECOND * 3 // 2))
    assert (figures.sent_pct, figures.heard_pct) == (0, 25)


def test_a_tone_come_back_is_ours_within_three_seconds() -> None:
    loop = frames(keyed_tone(RATE, pattern=9))[: 3 * SECOND]
    late = [QUIET] * 7 + loop[:-7]
    figures = listen(Ear(), loop, late)
    assert (figures.returned, figures.delay_ms) == (Returned.YES, 140)
    assert figures.returned_dbm0 == pytest.approx(-10, abs=0.3)


def test_an_early_look_is_worth_it_only_while_it_can_find_something() -> None:
    ear = Ear()
    loop = frames(keyed_tone(RATE))
    for ours in loop[: SECOND // 4]:
        ear.sent(ours)
    assert ear.take_digits() == []
    assert not ear.is_curious()
    for ours in loop[:SECOND]:
        ear.sent(ours)
    ear.listen()
    assert ear.is_curious()
    ear.look(own_sound=True, tone_is_sent=True)
    assert not ear.is_curious()
    for ours in loop * 2:
        ear.sent(ours)
        ear.listen()
    assert not ear.is_curious()


def test_clipping_is_told_for_the_last_second_and_for_the_call() -> None:
    figures = listen(ear := Ear(), tone(440, -10, 2), tone(440, 12, 1) + tone(440, -10, 1))
    assert ear.clipped_pct() == (0, 0)
    assert figures.clipped_out_pct == 0
    # Two thirds of a sine that is 9 dB too loud, in half of the sound
    assert figures.clipped_in_pct == pytest.approx(38, abs=5)


def test_digits_are_given_out_once() -> None:
    ear = Ear()
    for frame in frames(dtmf("42", RATE)):
        ear.heard(frame)
    digits = ear.take_digits()
    assert [one.digit for one in digits] == ["4", "2"]
    assert ear.take_digits() == []
    assert ear.look(own_sound=False, tone_is_sent=False).digits == 2


def test_what_lies_too_long_is_dropped_and_the_newest_is_kept() -> None:
    ear = Ear()
    for frame in tone(700, -10, 5) + tone(1300, -20, 1):
        ear.heard(frame)
    figures = ear.look(own_sound=False, tone_is_sent=False)
    assert figures.tone_hz == pytest.approx(1300, abs=1)
    assert ear.levels(1000)[1] == pytest.approx(-20, abs=0.1)


def test_a_busy_tone_is_told() -> None:
    busy = (tone(425, -15, 0.5) + [QUIET] * (SECOND // 2)) * 4
    assert listen(Ear(), [QUIET] * len(busy), busy).signal is NetworkTone.BUSY


def test_noise_is_nothing_but_sound() -> None:
    chance = random.Random(3)
    noise = frames([round(chance.gauss(0, 3000)) for _ in range(3 * RATE)])
    figures = listen(Ear(), frames(keyed_tone(RATE))[: len(noise)], noise)
    assert (figures.returned, figures.tone_hz, figures.digits) == (Returned.UNKNOWN, None, 0)
    assert figures.heard_pct == 100
