"""What the loss of an engine means, and what is held back from the next one."""

from __future__ import annotations

from typing import Any

import pytest

from app.model.outcome import AnsweredBy, LocalCause, RegisterOutcome
from app.model.signalling import MOST_PROBLEMS, Handling, MessageProblem
from app.model.trunk import TrunkState
from app.sip import loss as loss_module
from app.sip import quarantine as quarantine_module
from app.sip.child import ChildOutcome, GivenMessage, Role
from app.sip.loss import Deaths, words_for_loss, words_for_trunk
from app.sip.notices import EngineLost
from app.sip.quarantine import Quarantine
from app.sip.sign_in import with_held_back


def given(fingerprint: str = "f1", start: str = "SIP/2.0 200 OK") -> GivenMessage:
    """A message that an engine was given."""
    return GivenMessage(start=start, peer="192.0.2.1:5060", fingerprint=fingerprint)


def ended(message: GivenMessage | None = None, **values: Any) -> ChildOutcome:
    """An engine that PJSIP has aborted."""
    how = {"exit_code": None, "signal_name": "SIGABRT", "asked": False, "last_message": message}
    return ChildOutcome(role=Role.ENGINE, **{**how, **values})


@pytest.mark.parametrize(
    ("calls", "registered_s", "words"),
    [
        (0, 0.0, "The engine was ended by SIGABRT."),
        (1, 0.0, "The engine was ended by SIGABRT. The far end may still have the call open."),
        (3, 0.0, "The engine was ended by SIGABRT. The far end may still have the 3 calls open."),
        (
            0,
            287.4,
            "The engine was ended by SIGABRT. The server may list the trunk as registered for another 287 s.",
        ),
        (
            1,
            60.0,
            "The engine was ended by SIGABRT. The far end may still have the call open, "
            "and the server may list the trunk as registered for another 60 s.",
        ),
    ],
)
def test_what_the_other_side_still_has_open_is_said(calls: int, registered_s: float, words: str) -> None:
    assert words_for_trunk(ended(), calls_lost=calls, registered_s=registered_s) == words


def test_an_engine_that_had_time_to_sign_out_left_nothing_open() -> None:
    outcome = ended(exit_code=0, signal_name="")
    assert words_for_trunk(outcome, calls_lost=0, registered_s=60.0) == "The engine ended."


def test_the_loss_in_one_line() -> None:
    notice = EngineLost(
        trunk_id="t",
        outcome=ended(given()),
        calls_lost=1,
        restart_in_s=120.0,
        why_slowly="The same message has ended the engine 3 times in a row.",
    )
    assert words_for_loss(notice) == (
        'The engine was ended by SIGABRT. The last message it got was "SIP/2.0 200 OK" from 192.0.2.1:5060. '
        "The far end may still have the call open. "
        "The same message has ended the engine 3 times in a row. It is started again in 2 min."
    )
    quick = EngineLost(trunk_id="t", outcome=ended(), calls_lost=0, restart_in_s=1.0)
    assert words_for_loss(quick) == "The engine was ended by SIGABRT. It is started again."


@pytest.mark.parametrize(
    ("values", "by_itself"),
    [
        ({}, True),
        ({"signal_name": "SIGSEGV"}, True),
        ({"exit_code": 1, "signal_name": ""}, True),
        ({"exit_code": 0xC0000409, "signal_name": ""}, True),
        ({"exit_code": 0, "signal_name": ""}, False),
        ({"signal_name": "SIGKILL"}, False),
        ({"signal_name": "SIGTERM"}, False),
        ({"asked": True}, False),
        ({"why": "It was silent."}, False),
    ],
)
def test_whether_an_engine_failed_or_was_ended(values: dict[str, Any], by_itself: bool) -> None:
    assert ended(**values).by_itself is by_itself


# Again and again


def deaths(*messages: str) -> Deaths:
    """Ends by these messages, empty for none."""
    made = Deaths()
    for fingerprint in messages:
        made.add(ended(given(fingerprint) if fingerprint else None))
    return made


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ((), ""),
        (("a", "a"), ""),
        (("a", "a", "a"), "The same message has ended the engine 3 times in a row."),
        (("a", "a", "b"), ""),
        (("a", "b", "a", "a"), ""),
        (("b", "a", "a", "a"), "The same message has ended the engine 3 times in a row."),
        (("", "", "", ""), ""),
        (("", "a", "b", "", "c"), "The engine has ended 5 times within 10 minutes."),
    ],
)
def test_an_engine_that_ends_again_and_again_is_given_time(messages: tuple[str, ...], why: str) -> None:
    assert deaths(*messages).why_slowly == why


def test_ends_of_long_ago_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(loss_module.time, "monotonic", lambda: now)
    known = deaths("", "", "", "")
    now = 601.0
    known.add(ended())
    assert known.why_slowly == ""
    assert known.within(600.0) == 1
    now = 10_000.0
    for _ in range(100):
        known.add(ended())
        now += 3600.0
    assert known.count == 1


# Held back


def test_what_ended_an_engine_is_held_back_and_what_did_not_is_not() -> None:
    quarantine = Quarantine()
    assert not quarantine.learn(ended())
    assert quarantine.learn(ended(given("a")))
    assert quarantine.learn(ended(given("b")))
    assert quarantine.learn(ended(given("a")))
    assert quarantine.fingerprints == ("b", "a")
    quarantine.clear()
    assert quarantine.fingerprints == ()


def test_only_the_newest_messages_are_remembered_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(quarantine_module.time, "monotonic", lambda: now)
    quarantine = Quarantine()
    for number in range(100):
        quarantine.learn(ended(given(f"f{number}")))
    assert quarantine.fingerprints == tuple(f"f{number}" for number in range(84, 100))
    now = 3601.0
    assert quarantine.messages == ()


SILENT = RegisterOutcome(
    trunk="t",
    state=TrunkState.UNREACHABLE,
    answered_by=AnsweredBy.LOCAL,
    local_cause=LocalCause.NO_ANSWER,
)


def test_a_silence_while_a_message_is_held_back_is_not_told_as_silence() -> None:
    outcome = with_held_back(SILENT, (given(start="SIP/2.0 401 Unauthorized"),))
    assert outcome.local_cause is LocalCause.UNREADABLE
    (problem,) = outcome.problems
    assert (problem.start, problem.handling) == ("SIP/2.0 401 Unauthorized", Handling.DROPPED)
    assert "held back" in problem.what


@pytest.mark.parametrize(
    ("outcome", "held"),
    [
        (SILENT, ()),
        (RegisterOutcome(trunk="t", state=TrunkState.REJECTED, answered_by=AnsweredBy.NETWORK), (given(),)),
    ],
    ids=["nothing held back", "an answer came"],
)
def test_any_other_outcome_stays_as_it_is(outcome: RegisterOutcome, held: tuple[GivenMessage, ...]) -> None:
    assert with_held_back(outcome, held) == outcome


def test_what_the_engine_itself_said_of_the_message_is_not_said_twice() -> None:
    known = MessageProblem(
        start="SIP/2.0 200 OK", header="Contact", line="*", what="is a star", handling=Handling.DROPPED,
        peer="192.0.2.1:5060",
    )  # fmt: skip
    from msgspec.structs import replace

    refused = replace(SILENT, local_cause=LocalCause.REFUSED, problems=(known,))
    outcome = with_held_back(refused, (given(), *(given(start=f"INFO {n}") for n in range(40))))
    assert outcome.local_cause is LocalCause.REFUSED
    assert outcome.problems[0] is known
    assert len(outcome.problems) == MOST_PROBLEMS
