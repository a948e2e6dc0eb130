"""Steps within a call that did not work, as its outcome keeps them."""

from __future__ import annotations

import asyncio

import pytest

from app.errors import EngineError
from app.model.call import CallState
from app.model.signalling import Trouble
from app.sip.call_book import MOST_TROUBLES, MOST_UP
from app.sip.call_troubles import Step, trouble_in, trouble_of
from app.sip.client import EngineBugError
from app.sip.messages import CallHeld, CallRecorded, CallTransferred, DigitReceived
from tests.unit.test_call_book import Book, run


@pytest.mark.parametrize(
    "what",
    [
        "pjsua_call_dial_dtmf(call_id, &pj_digits) error",
        "Call::dialDtmf failed",
        "PJMEDIA_RTP_EREMNORFC2833",
        "pj_status_t 70013",
        "dialDtmf() failed",
    ],
)
def test_a_c_functions_name_is_a_detail_and_not_the_sentence(what: str) -> None:
    trouble = trouble_in(Step.DIGITS, EngineError(what, do="Try it.", details="more"))
    assert trouble == Trouble(
        step="digits", what="The SIP stack refused this step.", do="Try it.", details=f"{what}\nmore"
    )


@pytest.mark.parametrize(
    "what",
    [
        "That call is over.",
        "The digits 12# could not be sent.",
        "The file /tmp/pjs/a.wav is there already.",
        "The call is not answered yet.",
    ],
)
def test_words_for_people_stay(what: str) -> None:
    assert trouble_in(Step.ANSWER, EngineError(what)) == Trouble(step="answer", what=what)


def test_our_own_fault_is_called_that() -> None:
    trouble = trouble_in(Step.RECORD, EngineBugError("KeyError: 'x'"))
    assert (trouble.step, trouble.details) == ("record", "KeyError: 'x'")
    assert "Ringback failed" in trouble.what


@pytest.mark.parametrize(
    ("event", "trouble"),
    [
        (
            CallHeld(call_id="c", by_us=False, by_them=False, trouble="Refused: 488."),
            Trouble(step="hold", what="Refused: 488."),
        ),
        (
            CallHeld(call_id="c", by_us=True, by_them=False, trouble="No answer."),
            Trouble(step="resume", what="No answer."),
        ),
        (CallHeld(call_id="c", by_us=True, by_them=False), None),
        (
            CallRecorded(call_id="c", path="a.wav", on=False, trouble="The disk is full."),
            Trouble(step="record", what="The disk is full."),
        ),
        (CallRecorded(call_id="c", path="a.wav", on=False), None),
        (
            CallTransferred(call_id="c", sip_code=603, reason="Declined", final=True),
            Trouble(step="transfer", what="The call was not transferred: 603 Declined."),
        ),
        (CallTransferred(call_id="c", sip_code=180, reason="Ringing", final=False), None),
        (CallTransferred(call_id="c", sip_code=200, reason="OK", final=True), None),
        (DigitReceived(call_id="c", digit="1"), None),
    ],
)
def test_a_step_that_came_to_nothing_later(
    event: CallHeld | CallRecorded | CallTransferred | DigitReceived, trouble: Trouble | None
) -> None:
    assert trouble_of(event) == trouble


def test_a_calls_outcome_has_them_in_order_and_not_without_end() -> None:
    async def test(book: Book) -> None:
        call_id = book.begin()
        book.change(call_id, CallState.ANSWERED)
        book.calls.trouble(call_id, Trouble(step="digits", what="First."))
        book.calls.take(CallHeld(call_id=call_id, by_us=False, by_them=False, trouble="Second."))
        for _ in range(100):
            book.calls.trouble(call_id, Trouble(step="digits", what="Later."))
        book.calls.trouble("nobody", Trouble(step="digits", what="Of no call."))
        book.end(call_id)
        outcome = await book.outcome(call_id)
        assert [trouble.what for trouble in outcome.troubles[:3]] == ["First.", "Second.", "Later."]
        assert len(outcome.troubles) == MOST_TROUBLES

    run(test)


def test_one_that_is_heard_of_after_the_end_is_in_the_outcome_as_well() -> None:
    async def test(book: Book) -> None:
        call_id = book.begin()
        waiting = asyncio.create_task(book.calls.wait(call_id))
        book.end(call_id, 487)
        book.calls.trouble(call_id, Trouble(step="answer", what="That call is over."))
        assert [trouble.step for trouble in (await waiting).troubles] == ["answer"]
        assert (await book.outcome(call_id)).troubles == (await waiting).troubles

    run(test)


def test_whether_there_was_a_password_is_in_the_outcome() -> None:
    async def test(book: Book) -> None:
        call_id = book.begin()
        book.end(call_id)
        assert (await book.outcome(call_id)).had_password is False

    run(test)


# What an engine could send


def test_an_engine_that_reports_calls_without_end_is_not_followed_for_ever() -> None:
    async def test(book: Book) -> None:
        for number in range(MOST_UP + 500):
            book.incoming(f"in-{number}")
        assert book.calls.up == MOST_UP
        for number in range(MOST_UP + 500):
            book.incoming(f"in-{number}", CallState.ENDED)
        assert book.calls.up == 0
        book.incoming("in-again")
        assert book.calls.up == 1

    run(test)


def test_news_of_unknown_calls_are_passed_over() -> None:
    async def test(book: Book) -> None:
        book.change("nobody", CallState.ANSWERED)
        book.change("nobody", CallState.ENDED)
        book.media("nobody")
        book.calls.take(CallHeld(call_id="nobody", by_us=True, by_them=True, trouble="x"))
        book.calls.take(DigitReceived(call_id="nobody", digit="1"))
        assert book.calls.up == 0

    assert run(test).seen.notices == []
