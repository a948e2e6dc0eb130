"""The words for how a call ended and for what signing in led to, and the figures behind them."""

from __future__ import annotations

from itertools import product

import pytest

from app.model.outcome import (
    AnsweredBy,
    Audio,
    CallOutcome,
    CallResult,
    HungUpBy,
    LocalCause,
    MediaFigures,
    StreamFigures,
    Target,
    call_result,
    register_state,
)
from app.model.trunk import Transport, TrunkState


@pytest.mark.parametrize(
    ("code", "result"),
    [
        (401, CallResult.WRONG_CREDENTIALS),
        (407, CallResult.WRONG_CREDENTIALS),
        (403, CallResult.FORBIDDEN),
        (404, CallResult.NOT_FOUND),
        (410, CallResult.NOT_FOUND),
        (484, CallResult.NOT_FOUND),
        (604, CallResult.NOT_FOUND),
        (408, CallResult.NO_ANSWER),
        (480, CallResult.NO_ANSWER),
        (486, CallResult.BUSY),
        (600, CallResult.BUSY),
        (487, CallResult.CANCELLED),
        (503, CallResult.UNAVAILABLE),
        (603, CallResult.DECLINED),
        (607, CallResult.DECLINED),
        (608, CallResult.DECLINED),
        (400, CallResult.FAILED),
        (488, CallResult.FAILED),
        (500, CallResult.FAILED),
        (699, CallResult.FAILED),
        (0, CallResult.FAILED),
    ],
)
def test_a_code_of_the_network_has_a_word(code: int, result: CallResult) -> None:
    assert call_result(code, answered=False, hung_up_by=HungUpBy.NOBODY) is result


@pytest.mark.parametrize("by", HungUpBy)
def test_an_answered_call_was_answered_whoever_ended_it(by: HungUpBy) -> None:
    assert call_result(200, answered=True, hung_up_by=by) is CallResult.ANSWERED


@pytest.mark.parametrize(("answered", "by"), list(product([True, False], HungUpBy)))
def test_a_call_in_a_lost_engine_is_lost_whatever_it_was(answered: bool, by: HungUpBy) -> None:
    result = call_result(200, answered=answered, hung_up_by=by, cause=LocalCause.ENGINE_LOST)
    assert result is CallResult.LOST


@pytest.mark.parametrize("code", [0, 408, 480, 487])
def test_the_ringing_limit_means_no_answer_and_our_hanging_up_means_cancelled(code: int) -> None:
    assert call_result(code, answered=False, hung_up_by=HungUpBy.LIMIT) is CallResult.NO_ANSWER
    assert call_result(code, answered=False, hung_up_by=HungUpBy.US) is CallResult.CANCELLED


@pytest.mark.parametrize(
    "cause", [cause for cause in LocalCause if cause not in (LocalCause.NONE, LocalCause.ENGINE_LOST)]
)
def test_a_code_made_up_here_says_nothing_about_the_far_end(cause: LocalCause) -> None:
    for code in (404, 408, 486, 503):
        result = call_result(code, answered=False, hung_up_by=HungUpBy.NOBODY, cause=cause)
        assert result is CallResult.FAILED


@pytest.mark.parametrize(
    ("code", "registered", "by", "state"),
    [
        (200, True, AnsweredBy.NETWORK, TrunkState.REGISTERED),
        (401, False, AnsweredBy.NETWORK, TrunkState.WRONG_CREDENTIALS),
        (407, False, AnsweredBy.NETWORK, TrunkState.WRONG_CREDENTIALS),
        (403, False, AnsweredBy.NETWORK, TrunkState.REJECTED),
        (404, False, AnsweredBy.NETWORK, TrunkState.REJECTED),
        (423, False, AnsweredBy.NETWORK, TrunkState.REJECTED),
        (503, False, AnsweredBy.NETWORK, TrunkState.REJECTED),
        (408, False, AnsweredBy.LOCAL, TrunkState.UNREACHABLE),
        (503, False, AnsweredBy.LOCAL, TrunkState.UNREACHABLE),
        # Made up here: no word of the far end about the password
        (401, False, AnsweredBy.LOCAL, TrunkState.UNREACHABLE),
        (0, False, None, TrunkState.UNREACHABLE),
    ],
)
def test_signing_in_leads_to_a_state(
    code: int, registered: bool, by: AnsweredBy | None, state: TrunkState
) -> None:
    assert register_state(code, registered=registered, answered_by=by) is state


@pytest.mark.parametrize(
    ("packets", "lost", "percent"), [(0, 0, 0), (100, 0, 0), (99, 1, 1), (0, 5, 100), (150, 50, 25)]
)
def test_loss_is_a_share_of_the_packets_expected(packets: int, lost: int, percent: float) -> None:
    assert StreamFigures(packets=packets, lost=lost).loss_pct == pytest.approx(percent)


def outcome(media: MediaFigures | None) -> CallOutcome:
    """An answered call with these figures."""
    return CallOutcome(trunk="t", number="600", dialled="600", result=CallResult.ANSWERED, media=media)


@pytest.mark.parametrize(
    ("sent", "received", "audio"),
    [
        (50, 50, Audio.TWO_WAY),
        (1, 0, Audio.SEND_ONLY),
        (0, 1, Audio.RECEIVE_ONLY),
        (0, 0, Audio.NONE),
    ],
)
def test_audio_is_told_by_the_packets_of_each_direction(sent: int, received: int, audio: Audio) -> None:
    figures = MediaFigures(tx=StreamFigures(packets=sent), rx=StreamFigures(packets=received))
    assert outcome(figures).audio is audio


def test_without_media_there_is_no_audio() -> None:
    assert outcome(None).audio is Audio.NONE


@pytest.mark.parametrize(
    ("address", "name", "shown"),
    [
        ("192.0.2.1", "sip.example.com", "udp 192.0.2.1:5060 (sip.example.com)"),
        ("192.0.2.1", "192.0.2.1", "udp 192.0.2.1:5060"),
        ("2001:db8::1", "2001:db8::1", "udp [2001:db8::1]:5060"),
    ],
)
def test_a_target_is_shown_with_its_name_where_it_has_one(address: str, name: str, shown: str) -> None:
    assert str(Target(address=address, port=5060, transport=Transport.UDP, name=name)) == shown


@pytest.mark.parametrize(("transport", "port"), [("udp", 5060), ("tcp", 5060), ("tls", 5061)])
def test_a_transport_has_its_port(transport: str, port: int) -> None:
    assert Transport(transport).default_port == port
