"""Silence, one-way sound and sound both ways are told apart, and nothing is said without evidence."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.checks.diagnosis import explain_call, headline, worst
from app.checks.sound_truth import CLIPPED_PCT, ECHO_SLOW_MS, sound_lines
from app.model.finding import Finding, Verdict
from app.model.outcome import (
    AnsweredBy,
    CallOutcome,
    CallResult,
    Direction,
    HungUpBy,
    MediaFigures,
    StreamFigures,
)
from app.model.sound_figures import FarReport, NetworkTone, Returned, SoundFigures
from app.model.trunk import Trunk

TRUNK = Trunk(id="1", name="Office", host="sip.example.test", user="1234")
BACK = SoundFigures(returned=Returned.YES, returned_dbm0=-10.2, delay_ms=140.0, heard_pct=91.0, sent_pct=91.0)
RECEIVES = SoundFigures(far_report=FarReport.RECEIVES, sent_pct=90.0, heard_pct=60.0)


def call(
    sound: SoundFigures, *, sent: int = 500, received: int = 500, heard: bool | None = True
) -> CallOutcome:
    """An answered call."""
    return CallOutcome(
        trunk="Office",
        number="600",
        dialled="600",
        result=CallResult.ANSWERED,
        sip_code=200,
        reason="OK",
        answered_by=AnsweredBy.NETWORK,
        duration_s=10.0,
        hung_up_by=HungUpBy.US,
        hang_up_ms=20.0,
        media=MediaFigures(tx=StreamFigures(packets=sent), rx=StreamFigures(packets=received), sound=sound),
        heard=heard,
    )


def found(outcome: CallOutcome, direction: Direction = Direction.OUT) -> tuple[Finding, ...]:
    """Its findings, each with something to do unless all is well."""
    findings = explain_call(outcome, TRUNK, direction=direction)
    assert all(finding.evidence for finding in findings)
    assert all(finding.do or finding.verdict is Verdict.PASS for finding in findings)
    return findings


def ids(findings: Sequence[Finding]) -> list[str]:
    return [finding.id for finding in findings]


# Both ways


@pytest.mark.parametrize(
    "sound",
    [RECEIVES, SoundFigures(far_report=FarReport.RECEIVES)],
    ids=["reported", "reported, nothing else known"],
)
def test_a_report_of_the_far_end_shows_sound_both_ways(sound: SoundFigures) -> None:
    findings = found(call(sound))
    assert ids(findings) == ["CALL-OK"]
    assert "The other side reports that it receives our packets." in findings[0].evidence


def test_our_own_sound_come_back_shows_it_best() -> None:
    findings = found(call(BACK))
    assert ids(findings) == ["CALL-OK", "ECHO-BACK"]
    assert findings[1].title == "Our own sound came back after 140 ms, at -10 dBm0."
    assert headline(findings) == "This trunk works."


@pytest.mark.parametrize(
    "sound",
    [
        SoundFigures(),
        SoundFigures(returned=Returned.NO),
        # What arrives is silence
        SoundFigures(far_report=FarReport.RECEIVES, sent_pct=0.0),
    ],
    ids=["nothing known", "did not come back", "silence sent"],
)
@pytest.mark.parametrize("direction", list(Direction))
def test_packets_both_ways_are_not_yet_sound_both_ways(sound: SoundFigures, direction: Direction) -> None:
    findings = found(call(sound), direction)
    assert ids(findings) == ["CALL-HEARD" if direction is Direction.OUT else "CALL-IN-HEARD"]
    assert worst(findings) is Verdict.PASS
    assert "both ways" not in findings[0].title
    assert "as far as it can be heard from here" in headline(findings)


# One way, and none


def test_one_way_sound_is_told_by_the_reports_of_who_hears_us() -> None:
    findings = found(call(RECEIVES, received=0, heard=None))
    assert ids(findings) == ["RTP-ONE-WAY", "CALL-ANSWERED"]
    assert worst(findings) is Verdict.FAIL
    assert headline(findings) == "This trunk does not work: sound goes one way only: out."


def test_without_reports_it_is_only_known_that_nothing_came() -> None:
    assert ids(found(call(SoundFigures(), received=0, heard=None))) == ["RTP-NONE-RX", "CALL-ANSWERED"]


def test_packets_without_sound_are_told_as_such() -> None:
    findings = found(call(SoundFigures(far_report=FarReport.RECEIVES, heard_pct=0.0), heard=False))
    assert ids(findings) == ["RTP-SILENT", "CALL-ANSWERED"]
    assert "Sound in what came in: 0 % of the time, the rest was silence" in findings[0].evidence


def test_a_far_end_that_reports_and_knows_nothing_of_us_does_not_hear_us() -> None:
    deaf = SoundFigures(far_report=FarReport.RECEIVES_NOTHING, returned=Returned.NO)
    findings = found(call(deaf))
    assert ids(findings) == ["RTP-UNHEARD", "CALL-ANSWERED"]
    assert "500 packets were sent" in findings[0].meaning
    # What comes back has arrived, whatever is reported
    back = SoundFigures(far_report=FarReport.RECEIVES_NOTHING, returned=Returned.YES, delay_ms=90.0)
    assert ids(found(call(back))) == ["CALL-OK", "ECHO-BACK"]


# What it sounded like


@pytest.mark.parametrize(("delay_ms", "slow"), [(ECHO_SLOW_MS, False), (ECHO_SLOW_MS + 10, True)])
def test_an_echo_that_takes_long_is_a_warning(delay_ms: float, slow: bool) -> None:
    late = SoundFigures(returned=Returned.YES, returned_dbm0=-12.0, delay_ms=delay_ms)
    findings = found(call(late))
    assert ("ECHO-SLOW" in ids(findings)) is slow
    assert worst(findings) is (Verdict.WARNING if slow else Verdict.PASS)


@pytest.mark.parametrize(
    ("coming", "going", "expected"),
    [
        (CLIPPED_PCT, CLIPPED_PCT, []),
        (CLIPPED_PCT + 0.1, 0.0, ["CLIP-IN"]),
        (0.0, 3.0, ["CLIP-OUT"]),
        (9.0, 9.0, ["CLIP-IN", "CLIP-OUT"]),
    ],
)
def test_clipped_sound_is_told_with_its_direction(coming: float, going: float, expected: list[str]) -> None:
    sound = SoundFigures(far_report=FarReport.RECEIVES, clipped_in_pct=coming, clipped_out_pct=going)
    assert ids(found(call(sound))) == [*expected, "CALL-OK"]


def test_the_share_that_is_clipped_is_told() -> None:
    (loud, _) = found(call(SoundFigures(far_report=FarReport.RECEIVES, clipped_out_pct=12.34)))
    assert "12.3 %" in loud.title


def test_keys_that_come_twice_are_a_warning() -> None:
    findings = found(call(SoundFigures(far_report=FarReport.RECEIVES, digits=2, doubled=2)))
    assert ids(findings) == ["DTMF-TWICE", "CALL-OK"]
    assert "Keys that came in two ways at once: 2" in findings[0].evidence


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        (NetworkTone.BUSY, ["TONE-BUSY"]),
        (NetworkTone.CONGESTION, ["TONE-CONGESTION"]),
        (NetworkTone.SPECIAL_INFORMATION, ["TONE-SIT"]),
        (NetworkTone.RINGBACK, []),
        (NetworkTone.DIAL, []),
    ],
)
def test_a_network_that_refuses_by_sound_is_understood(signal: NetworkTone, expected: list[str]) -> None:
    findings = found(call(SoundFigures(far_report=FarReport.RECEIVES, signal=signal)))
    assert ids(findings) == [*expected, "CALL-OK"]
    assert f"Heard: {signal}" in findings[0].evidence


# Lines


def test_lines_tell_what_is_known_and_never_which_keys() -> None:
    media = MediaFigures(
        tx=StreamFigures(packets=9),
        rx=StreamFigures(packets=9),
        sound=SoundFigures(digits=4, tone_hz=1003.98, tone_dbm0=-9.99, heard_pct=50.4, returned=Returned.NO),
    )
    assert sound_lines(media) == (
        "Sound in what came in: 50 % of the time, the rest was silence",
        "Our own sound did not come back.",
        "Steady tone heard: 1004 Hz at -10 dBm0",
        "Keys heard as tones in the sound: 4",
    )


def test_of_what_is_not_known_there_is_no_line() -> None:
    assert sound_lines(MediaFigures(tx=StreamFigures(), rx=StreamFigures())) == ()
