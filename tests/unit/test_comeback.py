"""When a trunk is asked for again, and when that is left to the person."""

from __future__ import annotations

from typing import Any

import pytest

from app.model.outcome import AnsweredBy, LocalCause, RegisterOutcome
from app.model.signalling import Explanation
from app.model.trunk import TrunkState
from app.sip import comeback as comeback_module
from app.sip.comeback import Comeback, Pauses, in_words, may_pass

PAUSES = Pauses()


def refused(code: int, retry_after_s: int | None = None) -> RegisterOutcome:
    """A refusal by the far end."""
    return RegisterOutcome(
        trunk="t",
        state=TrunkState.REJECTED,
        sip_code=code,
        answered_by=AnsweredBy.NETWORK,
        explanation=Explanation(retry_after_s=retry_after_s),
    )


SILENT = RegisterOutcome(
    trunk="t",
    state=TrunkState.UNREACHABLE,
    answered_by=AnsweredBy.LOCAL,
    local_cause=LocalCause.NO_ANSWER,
)


def pauses_after(*outcomes: RegisterOutcome, delays: tuple[float, ...] = PAUSES.retry) -> list[float | None]:
    """The pause after each of these, one attempt after the other."""
    comeback = Comeback(PAUSES, delays)
    found: list[float | None] = []
    for outcome in outcomes:
        comeback.learn(outcome)
        found.append(comeback.pause_s)
    return found


@pytest.mark.parametrize("code", [403, 408, 429, 480, 486, 500, 503, 599, 600])
def test_a_refusal_that_may_pass_is_asked_for_again(code: int) -> None:
    assert may_pass(refused(code))
    assert pauses_after(refused(code))[0] is not None


@pytest.mark.parametrize("code", [400, 401, 404, 405, 407, 420, 423, 603, 604, 606, 608])
def test_another_refusal_is_the_last_word(code: int) -> None:
    assert not may_pass(refused(code))
    assert pauses_after(refused(code)) == [None]


def test_a_far_end_that_says_when_may_be_asked_again_then() -> None:
    assert may_pass(refused(404, retry_after_s=60))
    assert not may_pass(refused(401, retry_after_s=60))
    assert not may_pass(refused(407, retry_after_s=60))
    assert pauses_after(refused(480, 3600)) == [3600.0]
    assert pauses_after(refused(480, 5)) == [30.0]  # not as often as that
    assert pauses_after(refused(503, 10**9)) == [PAUSES.longest_wait]
    assert pauses_after(refused(480, 3600), refused(480)) == [3600.0, 60.0]


def test_pauses_after_refusals_grow_and_are_never_short() -> None:
    found = pauses_after(*[refused(486)] * 10)
    assert found == [30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 900.0, 900.0, 900.0, 900.0]


def test_forbidden_is_asked_once_soon_then_every_quarter_of_an_hour_and_not_for_ever() -> None:
    found = pauses_after(*[refused(403)] * 10)
    assert found == [30.0, *[900.0] * 7, None, None]


def test_other_answers_in_between_begin_the_count_of_forbidden_again() -> None:
    assert pauses_after(refused(403), refused(480), refused(403))[-1] == 120.0


def test_a_server_that_refuses_all_day_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(comeback_module.time, "monotonic", lambda: now)
    comeback = Comeback(PAUSES, PAUSES.retry)
    count = 0
    while True:
        comeback.learn(refused(503))
        if comeback.pause_s is None:
            break
        now += comeback.pause_s
        count += 1
    assert 80 <= count <= 110
    assert now - 1000.0 == pytest.approx(86_400, abs=1000)


def test_silence_is_asked_for_ever_and_does_not_shorten_what_a_refusal_began() -> None:
    assert pauses_after(*[SILENT] * 6) == [30.0, 60.0, 120.0, 300.0, 300.0, 300.0]
    assert pauses_after(SILENT, refused(486), SILENT, refused(486)) == [30.0, 30.0, 60.0, 60.0]


def test_a_lost_engine_counts_from_where_the_losses_are() -> None:
    comeback = Comeback(PAUSES, PAUSES.restart, 2)
    found: list[Any] = []
    for _ in range(3):
        comeback.failed()
        found.append(comeback.pause_s)
    assert found == [4.0, 8.0, 15.0]
    comeback.failed(PAUSES.slow_restart)
    assert comeback.pause_s == 120.0
    comeback.failed(PAUSES.slow_restart)
    assert comeback.pause_s == 300.0
    comeback.done()
    assert comeback.pause_s is None


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.3, "0 s"), (30.0, "30 s"), (120.0, "2 min"), (3600.0, "60 min")]
)
def test_a_pause_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
