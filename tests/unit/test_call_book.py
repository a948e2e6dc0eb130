"""The calls of a session, from their first event to their outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from app.errors import EngineError
from app.model.call import CallState
from app.model.outcome import (
    AnsweredBy,
    CallOutcome,
    CallResult,
    Direction,
    HungUpBy,
    LocalCause,
    MediaFigures,
    StreamFigures,
)
from app.model.quality import Grade
from app.sip.call_book import KEEP_ENDED, CallBook
from app.sip.messages import CallChanged, CallLevels, CallMedia
from app.sip.notices import CallEnded, CallFigures, CallMeters, CallProgress
from tests.helpers.trunks import Seen


class Book:
    """A book whose events a test makes up."""

    def __init__(self) -> None:
        self.seen = Seen()
        self.calls = CallBook("trunk-1", "Main office", self.seen.notices.append)

    def begin(self, number: str = "600") -> str:
        """An outgoing call."""
        return self.calls.begin(number, f"dialled-{number}")

    def change(self, call_id: str, state: CallState, **values: Any) -> None:
        """The engine tells a state."""
        self.calls.on_change(
            CallChanged(**{"call_id": call_id, "direction": Direction.OUT, "state": state, **values})
        )

    def end(self, call_id: str, code: int = 200, **values: Any) -> None:
        """The engine tells the end."""
        by = {"answered_by": AnsweredBy.NETWORK, "sip_code": code, "reason": "Phrase"}
        self.change(call_id, CallState.ENDED, **{**by, **values})

    def media(
        self, call_id: str, *, packets: int = 50, level: float | None = -10.0, echo_ms: float | None = None
    ) -> None:
        """The engine tells figures."""
        rx = StreamFigures(packets=packets, level_dbm0=level)
        figures = MediaFigures(tx=StreamFigures(packets=50), rx=rx, echo_ms=echo_ms, codec="PCMU")
        self.calls.on_media(CallMedia(call_id=call_id, figures=figures))

    def incoming(self, call_id: str, state: CallState = CallState.INCOMING, **values: Any) -> None:
        """The engine tells of an incoming call."""
        who = {"direction": Direction.IN, "remote": "sip:caller@example.com", "called": "sip:1001@192.0.2.7"}
        self.change(call_id, state, **{**who, **values})

    async def outcome(self, call_id: str) -> CallOutcome:
        """What came of it."""
        return await asyncio.wait_for(self.calls.wait(call_id), 1)


def run(test: Callable[[Book], Coroutine[Any, Any, None]]) -> Book:
    """Run a test with a book, on a loop."""
    made: list[Book] = []

    async def with_book() -> None:
        made.append(Book())
        await test(made[0])

    asyncio.run(with_book())
    return made[0]


def test_an_answered_call_is_told_step_by_step_and_has_one_outcome() -> None:
    async def test(book: Book) -> None:
        call_id = book.begin()
        book.change(call_id, CallState.CALLING)
        book.change(call_id, CallState.RINGING, sip_code=180, reason="Ringing", setup_ms=40.0)
        book.change(call_id, CallState.ANSWERED, sip_code=200, reason="OK")
        book.media(call_id)
        assert book.calls.up == 1
        book.end(call_id, hung_up_by=HungUpBy.THEM, duration_s=2.5, reason_header="Q.850;cause=16")
        assert book.calls.up == 0
        outcome = await book.outcome(call_id)
        assert outcome.result is CallResult.ANSWERED
        assert (outcome.trunk, outcome.number, outcome.dialled) == ("Main office", "600", "dialled-600")
        assert (outcome.sip_code, outcome.reason_header) == (200, "Q.850;cause=16")
        assert (outcome.duration_s, outcome.hung_up_by) == (2.5, HungUpBy.THEM)
        assert outcome.setup_ms == 40.0
        assert outcome.heard is True
        assert outcome.early_media is False
        # Asked again, it says the same
        assert await book.outcome(call_id) is outcome

    seen = run(test).seen
    progress = seen.of(CallProgress)
    assert [notice.state for notice in progress] == [CallState.CALLING, CallState.RINGING, CallState.ANSWERED]
    # Once known it stays known
    assert [notice.setup_ms for notice in progress] == [None, 40.0, 40.0]
    assert {notice.number for notice in progress} == {"600"}
    assert len(seen.of(CallEnded)) == 1


def test_calls_side_by_side_do_not_mix() -> None:
    async def test(book: Book) -> None:
        one, two = book.begin("1"), book.begin("2")
        assert one != two
        book.change(two, CallState.ANSWERED)
        book.end(one, 486)
        assert book.calls.up == 1
        book.end(two)
        assert (await book.outcome(one)).result is CallResult.BUSY
        assert (await book.outcome(two)).result is CallResult.ANSWERED

    run(test)


def test_a_waiter_hears_of_the_end_and_may_give_up_without_harm() -> None:
    async def test(book: Book) -> None:
        call_id = book.begin()
        impatient = asyncio.create_task(book.outcome(call_id))
        await asyncio.sleep(0)
        impatient.cancel()
        await asyncio.gather(impatient, return_exceptions=True)
        patient = asyncio.create_task(book.outcome(call_id))
        await asyncio.sleep(0)
        book.end(call_id, 404)
        assert (await patient).result is CallResult.NOT_FOUND

    run(test)


def test_a_call_nobody_knows_is_an_error() -> None:
    async def test(book: Book) -> None:
        with pytest.raises(EngineError, match="no such call"):
            await book.outcome("call-99")

    run(test)


def test_early_media_is_remembered() -> None:
    async def test(book: Book) -> None:
        call_id = book.begin()
        book.change(call_id, CallState.EARLY_MEDIA)
        book.change(call_id, CallState.RINGING)
        book.end(call_id, 480)
        assert (await book.outcome(call_id)).early_media is True

    run(test)


# What is heard


@pytest.mark.parametrize(
    ("levels", "packets", "heard"),
    [([-60.0, -20.0, None], 50, True), ([-60.0, None], 50, False), ([], 50, False), ([], 0, None)],
)
def test_sound_is_a_level_that_can_be_heard(
    levels: list[float | None], packets: int, heard: bool | None
) -> None:
    async def test(book: Book) -> None:
        call_id = book.begin()
        book.change(call_id, CallState.ANSWERED)
        for level in levels:
            book.calls.on_levels(CallLevels(call_id=call_id, tx_dbm0=-10.0, rx_dbm0=level))
        book.media(call_id, packets=packets, level=None)
        book.end(call_id)
        assert (await book.outcome(call_id)).heard is heard

    assert len(run(test).seen.of(CallMeters)) == len(levels)


def test_without_figures_nobody_can_tell_whether_there_was_sound() -> None:
    async def test(book: Book) -> None:
        call_id = book.begin()
        book.end(call_id, 486)
        outcome = await book.outcome(call_id)
        assert (outcome.heard, outcome.media) == (None, None)

    run(test)


def test_an_echo_once_found_stays_known_until_another_delay_is() -> None:
    async def test(book: Book) -> None:
        call_id = book.begin()
        for echo_ms in (None, 120.0, None, 300.0, None):
            book.media(call_id, echo_ms=echo_ms)
        book.end(call_id)
        outcome = await book.outcome(call_id)
        assert outcome.media is not None
        assert outcome.media.echo_ms == 300.0
        assert outcome.media.codec == "PCMU"

    echoes = [notice.figures.echo_ms for notice in run(test).seen.of(CallFigures)]
    assert echoes == [None, 120.0, 120.0, 300.0, 300.0]


def test_what_comes_after_the_end_changes_nothing() -> None:
    async def test(book: Book) -> None:
        call_id = book.begin()
        book.end(call_id, 486)
        outcome = await book.outcome(call_id)
        book.seen.notices.clear()
        book.change(call_id, CallState.ANSWERED)
        book.media(call_id)
        book.calls.on_levels(CallLevels(call_id=call_id, tx_dbm0=None, rx_dbm0=-10.0))
        book.end(call_id, 200)
        assert await book.outcome(call_id) is outcome
        assert book.seen.notices == []

    run(test)


def test_events_of_a_call_that_was_never_begun_are_passed_over() -> None:
    async def test(book: Book) -> None:
        book.change("call-99", CallState.RINGING)
        book.end("call-99")
        book.incoming("in-1", CallState.ENDED)
        book.media("call-99")
        book.calls.on_levels(CallLevels(call_id="call-99", tx_dbm0=None, rx_dbm0=None))

    assert run(test).seen.notices == []


# Incoming calls


def test_an_incoming_call_is_entered_with_its_caller() -> None:
    async def test(book: Book) -> None:
        book.incoming("in-1")
        assert book.calls.up == 1
        book.incoming("in-1", CallState.ANSWERED)
        book.end("in-1", direction=Direction.IN, hung_up_by=HungUpBy.THEM)
        outcome = await book.outcome("in-1")
        assert (outcome.result, outcome.number) == (CallResult.ANSWERED, "sip:caller@example.com")

    seen = run(test).seen
    assert {notice.direction for notice in (*seen.of(CallProgress), *seen.of(CallEnded))} == {Direction.IN}
    assert seen.of(CallProgress)[0].called == "sip:1001@192.0.2.7"


def test_an_incoming_call_that_has_ended_does_not_ring_again() -> None:
    async def test(book: Book) -> None:
        book.incoming("in-1")
        book.end("in-1", 487, direction=Direction.IN)
        book.seen.notices.clear()
        book.incoming("in-1")
        assert book.calls.up == 0

    assert run(test).seen.notices == []


# Taken back, lost


def test_a_call_that_was_taken_back_is_not_up() -> None:
    async def test(book: Book) -> None:
        call_id = book.begin()
        book.calls.withdraw(call_id)
        assert book.calls.up == 0
        book.end(call_id)
        with pytest.raises(EngineError):
            await book.outcome(call_id)

    assert run(test).seen.notices == []


def test_calls_in_a_lost_engine_are_lost_and_counted() -> None:
    async def test(book: Book) -> None:
        ended, ringing, answered = book.begin("1"), book.begin("2"), book.begin("3")
        book.end(ended, 486)
        book.change(answered, CallState.ANSWERED)
        book.incoming("in-1")
        assert book.calls.lose_all(LocalCause.ENGINE_LOST, "The engine was lost") == 3
        assert book.calls.up == 0
        outcomes = [await book.outcome(call_id) for call_id in (ringing, answered, "in-1")]
        assert {outcome.result for outcome in outcomes} == {CallResult.LOST}
        assert {outcome.answered_by for outcome in outcomes} == {AnsweredBy.LOCAL}
        assert {outcome.reason for outcome in outcomes} == {"The engine was lost"}
        assert [outcome.sip_code for outcome in outcomes] == [0, 200, 0]
        assert (await book.outcome(ended)).result is CallResult.BUSY
        assert book.calls.lose_all(LocalCause.ENGINE_LOST, "again") == 0

    assert len(run(test).seen.of(CallEnded)) == 4


def test_a_call_that_is_lost_while_it_is_placed_can_still_be_taken_back() -> None:
    async def test(book: Book) -> None:
        call_id = book.begin()
        book.calls.lose_all(LocalCause.ENGINE_LOST, "The engine was lost")
        book.calls.withdraw(call_id)
        book.calls.withdraw(call_id)
        assert book.calls.up == 0

    run(test)


def test_old_outcomes_are_dropped_and_calls_that_are_up_never() -> None:
    async def test(book: Book) -> None:
        up = book.begin("up")
        ended = [book.begin(str(number)) for number in range(KEEP_ENDED + 2)]
        for call_id in ended:
            book.end(call_id, 486)
        for gone in ended[:2]:
            with pytest.raises(EngineError, match="ended long ago"):
                await book.outcome(gone)
        assert (await book.outcome(ended[2])).result is CallResult.BUSY
        assert book.calls.up == 1
        book.end(up)
        assert (await book.outcome(up)).sip_code == 200

    run(test)


def test_figures_are_scored_and_the_outcome_has_the_score_of_the_whole_call() -> None:
    async def test(book: Book) -> None:
        call_id = book.begin()
        book.change(call_id, CallState.ANSWERED)
        book.media(call_id, packets=10)
        book.media(call_id, packets=100)
        book.end(call_id)
        outcome = await book.outcome(call_id)
        assert outcome.quality is not None
        assert outcome.quality.mean.grade is Grade.GOOD
        assert outcome.quality.mean.one_way_ms is None

    told = [notice.quality for notice in run(test).seen.of(CallFigures)]
    assert told[0] is None
    assert told[1] is not None


def test_a_call_without_sound_has_no_score() -> None:
    async def test(book: Book) -> None:
        call_id = book.begin()
        book.end(call_id, 486)
        assert (await book.outcome(call_id)).quality is None

    run(test)
