"""Steps within a call that fail: the command goes on to the call's result, which has them in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from app.model.call import CallState
from app.model.outcome import AnsweredBy, Direction, HungUpBy
from app.sip.messages import CallChanged, StrangerRefused
from tests.helpers.command_in_process import InProcess
from tests.helpers.engine_stub import BUG_TEXT, GRANTED, REFUSED_TEXT, Do, Script, Turn, stub_engines
from tests.unit.test_client_pulse import POSIX, traced

TRUNK = {"host": "127.0.0.1", "user": "1001", "transport": "tcp"}
OUT = CallChanged(call_id="call-1", direction=Direction.OUT, state=CallState.ANSWERED, sip_code=200)
IN = CallChanged(
    call_id="in-1", direction=Direction.IN, state=CallState.INCOMING, remote="sip:a@b", called="sip:1001@c"
)


def over(call: CallChanged, **values: Any) -> CallChanged:
    """The end of a call."""
    ends = {
        "sip_code": 200,
        "answered_by": AnsweredBy.NETWORK,
        "hung_up_by": HungUpBy.THEM,
        "duration_s": 2.0,
    }
    return replace(call, state=CallState.ENDED, **{**ends, **values})


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> InProcess:
    """The command line, with a trunk."""
    made = InProcess(tmp_path, capsys)
    made.save("Office", TRUNK)
    return made


PLACED = Turn(events=(OUT,))


@pytest.mark.parametrize(
    ("do", "what", "details"),
    [
        (Do.REFUSE, REFUSED_TEXT.what, REFUSED_TEXT.details),
        (Do.BUG, "Ringback failed at this step.", BUG_TEXT),
    ],
)
def test_digits_that_can_not_be_sent_leave_the_call_its_result(
    command: InProcess, monkeypatch: pytest.MonkeyPatch, do: Do, what: str, details: str
) -> None:
    digits = Turn(do=do, events=(over(OUT),))
    stub_engines(monkeypatch, Script(turns={"PlaceCall": (PLACED,), "SendDigits": (digits,)}))
    _, call = command.json("call", "Office", "600", "--digits", "12")
    assert (call["result"], call["sip_code"], call["duration_s"]) == ("answered", 200, 2.0)
    (trouble,) = call["troubles"]
    assert (trouble["step"], trouble["what"], trouble["details"]) == ("digits", what, details)


def test_the_person_hears_of_it_at_once_and_of_the_call_afterwards(
    command: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    digits = Turn(do=Do.REFUSE, events=(over(OUT),))
    stub_engines(monkeypatch, Script(turns={"PlaceCall": (PLACED,), "SendDigits": (digits,)}))
    assert command.run("call", "Office", "600", "--digits", "12") != 2
    assert f"  {REFUSED_TEXT.what}\n" in command.said


def test_every_step_is_tried_though_the_first_one_fails(
    command: InProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    turns = {
        "PlaceCall": (PLACED,),
        "StartRecording": (Turn(do=Do.REFUSE),),
        "SendDigits": (Turn(do=Do.REFUSE, events=(over(OUT),)),),
    }
    stub_engines(monkeypatch, Script(turns=turns))
    _, call = command.json("call", "Office", "600", "--digits", "1", "--record", str(tmp_path / "a.wav"))
    assert [trouble["step"] for trouble in call["troubles"]] == ["record", "digits"]


@pytest.mark.parametrize("end_first", [False, True], ids=["the end comes after", "the end comes before"])
def test_a_call_that_ends_in_the_moment_it_is_answered_has_a_result(
    command: InProcess, monkeypatch: pytest.MonkeyPatch, end_first: bool
) -> None:
    ended = over(IN, sip_code=487, reason="Request Terminated", hung_up_by=HungUpBy.NOBODY, duration_s=0.0)
    refused = Turn(do=Do.REFUSE, before=(ended,)) if end_first else Turn(do=Do.REFUSE, events=(ended,))
    turns = {"Register": (Turn(events=(GRANTED, IN)),), "AnswerCall": (refused,)}
    stub_engines(monkeypatch, Script(turns=turns))
    code, answer = command.json("answer", "Office", "--ring", "0", "--wait", "10")
    assert code == 1
    assert answer["from"] == "sip:a@b"
    assert answer["call"]["sip_code"] == 487
    assert [trouble["step"] for trouble in answer["call"]["troubles"]] == ["answer"]


def test_a_call_that_could_not_be_sent_on_has_a_result(
    command: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = Turn(do=Do.REFUSE, events=(over(IN, sip_code=487, hung_up_by=HungUpBy.NOBODY, duration_s=0.0),))
    stub_engines(
        monkeypatch,
        Script(turns={"Register": (Turn(events=(GRANTED, IN)),), "ForwardCall": (refused,)}),
    )
    code, answer = command.json("answer", "Office", "--ring", "0", "--forward", "600", "--wait", "10")
    assert code == 1
    assert [trouble["step"] for trouble in answer["call"]["troubles"]] == ["forward"]


def test_a_call_without_trouble_has_none(command: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, Script(turns={"PlaceCall": (Turn(events=(OUT, over(OUT))),)}))
    _, call = command.json("call", "Office", "600")
    assert call["troubles"] == []


# Strangers


def stranger(total: int) -> StrangerRefused:
    """A scanner was refused."""
    return StrangerRefused(total=total, peer="198.51.100.7:5060", method="INVITE", user="1000", code=404)


def answered(*events: Any) -> Script:
    """A trunk whose engine reports these things before a call comes in and is answered."""
    return Script(
        turns={"Register": (Turn(events=(GRANTED, *events, IN)),),
               "AnswerCall": (Turn(events=(replace(IN, state=CallState.ANSWERED), over(IN))),)}
    )  # fmt: skip


@pytest.mark.parametrize(
    ("totals", "line"),
    [
        ((1, 2, 12), "12 requests from strangers were refused.\n"),
        ((1,), "1 request from a stranger was refused.\n"),
        ((), ""),
    ],
)
def test_strangers_are_counted_in_one_line(
    command: InProcess, monkeypatch: pytest.MonkeyPatch, totals: tuple[int, ...], line: str
) -> None:
    stub_engines(monkeypatch, answered(*map(stranger, totals)))
    command.run("answer", "Office", "--ring", "0", "--wait", "10")
    said = command.said
    assert said.endswith(line)
    assert said.count("stranger") == (1 if line else 0)
    assert "198.51.100.7" not in said


def test_strangers_are_counted_in_the_object(command: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, answered(stranger(3)))
    _, answer = command.json("answer", "Office", "--ring", "0", "--wait", "10")
    assert answer["strangers_refused"] == 3


# An engine lost while signing in


@POSIX
def test_the_message_that_ended_the_engine_is_said_and_signing_in_goes_on(
    command: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    dies = Script(turns={"Register": (Turn(before=(traced(),), do=Do.ABORT),)})
    stub_engines(monkeypatch, dies, Script())
    assert command.run("register", "Office") == 0
    said = command.said
    assert said.count('The last message it got was "SIP/2.0 401 Unauthorized" from 192.0.2.1:5060.') == 1
    assert "It is started again." in said
