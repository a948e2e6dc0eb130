"""The payload type of telephone-event in our own descriptions of sound."""

from __future__ import annotations

from app.sip.engine.offer import with_usual_event_type

OURS = (
    "v=0\r\nm=audio 120 RTP/SAVP 0 8 {own}{after}\r\na=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:{own} telephone-event/8000\r\na=fmtp:{own} 0-16\r\na=ssrc:120 cname:120\r\n"
)


def test_it_becomes_101_and_nothing_else_changes() -> None:
    assert with_usual_event_type(OURS.format(own=120, after="")) == OURS.format(own=101, after="")
    assert with_usual_event_type(OURS.format(own=120, after=" 1201")) == OURS.format(own=101, after=" 1201")
    assert with_usual_event_type(OURS.format(own=101, after="")) == OURS.format(own=101, after="")


def test_a_type_that_is_taken_and_a_description_without_digits_stay() -> None:
    taken = OURS.format(own=120, after=" 101") + "a=rtpmap:101 iLBC/8000\r\n"
    assert with_usual_event_type(taken) == taken
    silent = "v=0\r\nm=audio 4000 RTP/AVP 0 120\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:120 opus/48000/2\r\n"
    assert with_usual_event_type(silent) == silent
    assert with_usual_event_type("") == ""


def test_only_the_events_of_narrow_band_sound_are_meant() -> None:
    wide = "a=rtpmap:121 telephone-event/16000\r\na=fmtp:121 0-16\r\n"
    told = OURS.format(own=120, after=" 121") + wide
    assert with_usual_event_type(told) == OURS.format(own=101, after=" 121") + wide
    assert with_usual_event_type(wide + told) == wide + OURS.format(own=101, after=" 121") + wide
