"""Findings about a call's line: only when there is evidence, and each says what to do."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from app.checks.diagnosis import explain_call, headline, worst
from app.model.codec_quality import codec_quality
from app.model.finding import Finding, Verdict
from app.model.outcome import (
    AnsweredBy,
    CallOutcome,
    CallResult,
    HungUpBy,
    MediaFigures,
    StreamFigures,
)
from app.model.quality import CallQuality, Score, score
from app.model.signalling import DialogFacts
from app.model.trunk import Trunk

TRUNK = Trunk(id="1", name="Office", host="sip.example.com", user="1001")
CLEAN = MediaFigures(
    tx=StreamFigures(packets=1000, reported=900),
    rx=StreamFigures(packets=1000),
    round_trip_ms=20.0,
    codec="PCMU",
    jitter_buffer_ms=20.0,
    first_rtp_ms=30.0,
)


def scored(codec: str = "PCMU", **fields: Any) -> Score:
    known = codec_quality(codec)
    assert known is not None
    return score(known, **{"loss_pct": 0.0, "one_way_ms": 60.0, **fields})


def quality(
    mean: Score | None = None, *, bad: Score | None = None, windows: int = 4, **more: Any
) -> CallQuality:
    usual = mean or scored()
    return CallQuality(now=usual, mean=usual, worst=bad or usual, windows=windows, **more)


def explained(
    media: MediaFigures = CLEAN, scores: CallQuality | None = None, **more: Any
) -> tuple[Finding, ...]:
    """The findings about an answered call, the verdict on the call itself left out."""
    fields: dict[str, Any] = {
        "trunk": "Office",
        "number": "600",
        "dialled": "600",
        "result": CallResult.ANSWERED,
        "sip_code": 200,
        "reason": "OK",
        "answered_by": AnsweredBy.NETWORK,
        "duration_s": 20.0,
        "hung_up_by": HungUpBy.LIMIT,
        "hang_up_ms": 20.0,
        "heard": True,
        "media": media,
        "quality": scores or quality(),
    }
    return explain_call(CallOutcome(**{**fields, **more}), TRUNK)


def ids(found: tuple[Finding, ...]) -> list[str]:
    return [finding.id for finding in found if finding.id not in ("CALL-OK", "CALL-ANSWERED")]


def test_a_clean_line_has_no_finding_and_shows_its_score() -> None:
    found = explained(scores=quality(far=scored(loss_pct=0.2)))
    assert ids(found) == []
    assert worst(found) is Verdict.PASS
    (finding,) = found
    assert (
        "Quality here (estimated, ITU-T G.107): Good, R 92 / MOS 4.4, G.711 µ-law, loss 0.0 %"
        in finding.evidence
    )
    assert any(line.startswith("Its worst 5 seconds: Good") for line in finding.evidence)
    assert any(line.startswith("Quality at the other side, by its own reports") for line in finding.evidence)
    assert "Delay from mouth to ear: about 60 ms" in finding.evidence
    assert "Codec: PCMU, 20 ms in a packet" in finding.evidence
    assert "Answer to the first packet: 30 ms" in finding.evidence


def test_figures_that_are_not_there_are_not_told() -> None:
    (finding,) = explained(replace(CLEAN, first_rtp_ms=None), quality(scored(one_way_ms=None), windows=1))
    text = "\n".join(finding.evidence)
    assert "delay unknown" in text
    for absent in ("worst", "other side, by its own", "mouth to ear", "first packet", "Out of order"):
        assert absent not in text


@pytest.mark.parametrize(
    ("rx", "expected"),
    [
        (StreamFigures(packets=990, lost=10), []),
        (StreamFigures(packets=989, lost=11), ["MEDIA-LOSS"]),
        (StreamFigures(packets=1000, discarded=11), ["MEDIA-LATE"]),
        (StreamFigures(packets=994, lost=6, discarded=6), ["MEDIA-LOSS"]),
        (StreamFigures(packets=60, lost=30), []),
        (StreamFigures(packets=1000, jitter_ms=20.0), []),
        (StreamFigures(packets=1000, jitter_ms=21.0), ["MEDIA-JITTER"]),
    ],
)
def test_choppy_sound_is_told_by_what_makes_it_so(rx: StreamFigures, expected: list[str]) -> None:
    found = explained(replace(CLEAN, rx=rx))
    assert ids(found) == expected
    assert all(finding.do and finding.causes for finding in found if finding.id in expected)


def test_what_the_other_side_reports_counts_over_what_its_reports_are_about() -> None:
    found = explained(replace(CLEAN, tx=StreamFigures(packets=2000, lost=15, reported=1000)))
    assert ids(found) == ["MEDIA-LOSS"]
    assert found[0].title == "1.5 % of the sound going out was lost."


def test_a_bad_moment_in_a_good_call_is_told() -> None:
    bad = scored(loss_pct=8.0)
    found = explained(scores=quality(bad=bad))
    assert ids(found) == ["MEDIA-BURST"]
    assert "8.0 % of it was missing in its worst 5 seconds" in found[0].title
    assert ids(explained(scores=quality(bad=bad, windows=1))) == []
    assert ids(explained(replace(CLEAN, rx=StreamFigures(packets=900, lost=100)), quality(bad=bad))) == [
        "MEDIA-LOSS"
    ]


@pytest.mark.parametrize(
    ("round_trip_ms", "one_way_ms", "expected"),
    [(300, 190, []), (301, 190, ["DELAY"]), (40, 200, []), (40, 201, ["DELAY"]), (None, None, [])],
)
def test_delay_is_told_from_the_network_and_from_mouth_to_ear(
    round_trip_ms: float | None, one_way_ms: float | None, expected: list[str]
) -> None:
    found = explained(replace(CLEAN, round_trip_ms=round_trip_ms), quality(scored(one_way_ms=one_way_ms)))
    assert ids(found) == expected


def test_the_delay_is_told_in_numbers_as_far_as_they_are_known() -> None:
    (known, _) = explained(replace(CLEAN, round_trip_ms=400.0), quality(scored(one_way_ms=250.0)))
    assert known.title.startswith("Sound takes 250 ms from mouth to ear")
    (guessed, _) = explained(replace(CLEAN, round_trip_ms=400.0, codec="AMR"), quality=None)
    assert guessed.title.startswith("Sound takes at least 200 ms from mouth to ear")
    assert "400 ms" in guessed.title


@pytest.mark.parametrize(("first_ms", "expected"), [(1000.0, []), (1001.0, ["MEDIA-FIRST"]), (None, [])])
def test_first_words_that_were_cut_off_are_told(first_ms: float | None, expected: list[str]) -> None:
    assert ids(explained(replace(CLEAN, first_rtp_ms=first_ms))) == expected


def test_a_codec_that_limits_the_sound_is_information_and_no_warning() -> None:
    found = explained(replace(CLEAN, codec="GSM"), quality(scored("GSM")))
    assert ids(found) == ["CODEC-LIMIT"]
    assert worst(found) is Verdict.PASS
    assert headline(found) == headline(explained())
    assert "GSM" in found[1].title
    assert found[1].do
    assert ids(explained(replace(CLEAN, codec="GSM"), quality(scored("GSM", one_way_ms=200.0)))) == []


def test_packets_that_nobody_can_play_are_not_called_late() -> None:
    rx = StreamFigures(packets=1000, discarded=1000)
    found = explained(replace(CLEAN, rx=rx), quality(scored(loss_pct=100.0)), heard=False)
    assert ids(found) == ["RTP-PT"]
    assert worst(found) is Verdict.FAIL
    assert found[0].title.startswith("1000 packets of sound came in")
    assert found[0].causes[0] == "The other side sends another codec than the one it chose."


def test_a_choice_of_codecs_is_no_fault_of_the_other_side() -> None:
    """RFC 3264 section 6.1: who answers with several may send any of them."""
    rx = StreamFigures(packets=1000, discarded=1000)
    named = DialogFacts(far_codecs=("pcma", "pcmu", "telephone-event"))
    finding, *_ = explained(replace(CLEAN, rx=rx), heard=False, dialog=named)
    assert finding.id == "RTP-PT"
    assert "PCMU and PCMA" in finding.causes[0]
    assert "The standard allows that" in finding.causes[0]
    assert not any("than the one it chose" in cause for cause in finding.causes)
    assert finding.do[0].startswith("Try with PCMU only")
