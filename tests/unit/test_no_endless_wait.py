"""No command of the command line waits for ever, whatever it waits for fails to come.

Every limit is set to a fraction of a second. What is missing a limit hangs here until the test's own.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import replace

from app import desk as desk_module
from app.cli.exits import FAILED, REFUSED
from app.model.call import CallState
from app.model.outcome import AnsweredBy, Direction, LocalCause
from app.sip import call_limits, child, client, sign_in_walk
from app.sip import demo as demo_module
from app.sip.child import Child, Role
from app.sip.messages import CallChanged, Command, RegistrationState
from app.sip.targets import Resolution
from app.vault import RunOnlyVault
from tests.helpers.command_in_process import InProcess
from tests.helpers.engine_stub import GRANTED, Do, Script, Turn, stub_engines

LIMIT_S = 20.0
"""For a command with all its limits at their shortest, on a busy machine."""
TRUNK = {"host": "127.0.0.1", "user": "1001", "transport": "tcp"}

RINGS = CallChanged(call_id="call-1", direction=Direction.OUT, state=CallState.RINGING, sip_code=180)
ANSWERED = replace(RINGS, state=CallState.ANSWERED, sip_code=200)
COMES_IN = CallChanged(
    call_id="in-1", direction=Direction.IN, state=CallState.INCOMING, remote="sip:a@b", called="sip:1001@c"
)
SIGNED_IN = Turn(events=(GRANTED, COMES_IN))
CALL = ("call", "Office", "600", "--seconds", "1", "--ring-seconds", "1")
ANSWER = ("answer", "Office", "--ring", "0", "--wait", "5", "--seconds", "1")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every limit at its shortest."""
    monkeypatch.setattr(client, "READY_LIMIT_S", 1.5)
    monkeypatch.setattr(client, "ANSWER_LIMIT_S", 0.6)
    monkeypatch.setattr(client, "PULSE_EVERY_S", 0.3)
    monkeypatch.setattr(sign_in_walk, "REPORT_LIMIT_S", 0.5)
    monkeypatch.setattr(sign_in_walk, "LOOKUP_LIMIT_S", 0.5)
    for name in ("MARGIN_S", "HANG_UP_LIMIT_S", "LAST_WORD_S", "CANCEL_S", "LONGEST_RING_SECONDS"):
        monkeypatch.setattr(call_limits, name, 0.3)
    monkeypatch.setattr(desk_module, "PASSWORD_LIMIT_S", 0.5)
    monkeypatch.setattr(desk_module, "HISTORY_LIMIT_S", 0.5)
    monkeypatch.setattr(Child.stop, "__kwdefaults__", {"ask_s": 0.3, "terminate_s": 0.3})


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[InProcess]:
    """The command line, with two trunks; whatever the test runs with it ends within the limit."""
    made = InProcess(tmp_path, capsys)
    made.save("Office", TRUNK)
    made.save("Address", {**TRUNK, "sign_in": "credentials"})
    begun = time.monotonic()
    yield made
    assert time.monotonic() - begun < LIMIT_S


# The engine

USES: dict[str, tuple[str, ...]] = {
    "OpenAccount": ("register", "Office"),
    "Register": ("register", "Office"),
    "SendOptions": ("register", "Address"),
    "PlaceCall": CALL,
    "SendDigits": (*CALL, "--digits", "1"),
    "StartRecording": (*CALL, "--record", "a.wav"),
    "UseAudio": (*CALL, "--hear"),
    "HangUp": CALL,
    "AnswerCall": ANSWER,
    "RejectCall": (*ANSWER, "--reject", "busy"),
    "ForwardCall": (*ANSWER, "--forward", "600"),
    "Ping": CALL,
    "Stop": ("register", "Office"),
}
"""What the command line sends to an engine, and a command that sends it."""

# Sent by the window only, by `EngineClient.request` as all the others
OF_THE_WINDOW = {
    "Unregister", "CloseAccount", "SetSource", "HoldCall", "ResumeCall", "MuteCall", "TransferCall",
    "TransferToCall", "SetConference", "StopRecording", "WatchDevices",
}  # fmt: skip


def test_every_command_to_an_engine_is_tried() -> None:
    assert {kind.__name__ for kind in get_args(Command)} == set(USES) | OF_THE_WINDOW


def engine_without(name: str, do: Do) -> Script:
    """An engine that does this at one command, in a call that would go on for ever."""
    comes_in = name in ("AnswerCall", "RejectCall", "ForwardCall")
    return Script(
        turns={
            "Register": (SIGNED_IN if comes_in else Turn(events=(GRANTED,)),),
            "PlaceCall": (Turn(events=(ANSWERED,)),),
            name: (Turn(do=do),),
        },
        deaf=True,
    )


@pytest.mark.parametrize("do", [Do.NOTHING, Do.HANG])
@pytest.mark.parametrize("name", USES)
def test_an_engine_that_does_not_answer_a_command(
    command: InProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, do: Do
) -> None:
    monkeypatch.chdir(tmp_path)
    stub_engines(monkeypatch, engine_without(name, do))
    code = command.run(*USES[name])
    if name != "Stop":
        assert code in (FAILED, REFUSED)
        assert command.said


@pytest.mark.parametrize("words", [("register", "Office"), ("register", "Address"), CALL, ANSWER])
def test_an_engine_that_never_says_hello(
    command: InProcess, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    stub_engines(monkeypatch, Script(hello="", deaf=True))
    assert command.run(*words) == REFUSED
    assert "did not get ready" in command.said


@pytest.mark.parametrize("words", [("register", "Office"), ("register", "Address"), CALL, ANSWER])
def test_an_engine_that_never_reports_what_came_of_signing_in(
    command: InProcess, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    stub_engines(monkeypatch, Script(turns={"Register": (Turn(),), "SendOptions": (Turn(),)}))
    assert command.run(*words) == REFUSED
    assert "did not report" in command.said


@pytest.mark.parametrize(
    "events", [(), (RINGS,), (ANSWERED,)], ids=["no news", "rings for ever", "goes on for ever"]
)
def test_an_engine_that_never_reports_the_end_of_a_call(
    command: InProcess, monkeypatch: pytest.MonkeyPatch, events: tuple[CallChanged, ...]
) -> None:
    stub_engines(monkeypatch, Script(turns={"PlaceCall": (Turn(events=events),)}))
    code, call = command.json(*CALL)
    assert (code, call["result"], call["local_cause"]) == (FAILED, "lost", "engine lost")
    assert "may still have the call open" in call["reason"]


@pytest.mark.parametrize("option", [(), ("--reject", "busy"), ("--forward", "600")])
@pytest.mark.parametrize("answered", [False, True])
def test_an_engine_that_never_reports_the_end_of_a_call_that_came_in(
    command: InProcess, monkeypatch: pytest.MonkeyPatch, option: tuple[str, ...], answered: bool
) -> None:
    answer = Turn(events=(replace(COMES_IN, state=CallState.ANSWERED),) if answered else ())
    stub_engines(monkeypatch, Script(turns={"Register": (SIGNED_IN,), "AnswerCall": (answer,)}))
    code, call = command.json(*ANSWER, *option)
    assert code in (FAILED, 0)
    assert call["call"]["result"] == "lost"


def test_an_engine_that_dies_in_a_call(command: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch, Script(turns={"PlaceCall": (Turn(events=(ANSWERED,), do=Do.DIE),)}))
    assert command.run(*CALL) in (FAILED, REFUSED)
    assert "exit code 7" in command.said


def test_no_call_comes_in(command: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    stub_engines(monkeypatch)
    assert command.run("answer", "Office", "--wait", "0.2") == FAILED


def test_a_registration_that_fails_and_an_engine_that_does_not_stop(
    command: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = replace(
        GRANTED, state=RegistrationState.FAILED, sip_code=408, answered_by=AnsweredBy.LOCAL,
        local_cause=LocalCause.NO_ANSWER,
    )  # fmt: skip
    turns = {"Register": (Turn(events=(refused,)),), "Stop": (Turn(do=Do.NOTHING),)}
    stub_engines(monkeypatch, Script(turns=turns, deaf=True))
    assert command.run("register", "Office") == FAILED


# The rest


def test_a_lookup_without_end(command: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.sip import session

    async def for_ever(*_: object, **__: object) -> Resolution:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(session, "resolve", for_ever)
    for made in (session.TrunkSession.__init__,):
        monkeypatch.setitem(made.__kwdefaults__, "resolve", for_ever)  # type: ignore[attr-defined]  # ours has
    stub_engines(monkeypatch)
    code, registration = command.json("register", "Office")
    assert (code, registration["local_cause"]) == (FAILED, "name server silent")


class Hangs(RunOnlyVault):
    """A keyring whose prompt nobody sees."""

    def __init__(self, release: threading.Event) -> None:
        super().__init__()
        self._release = release

    def get(self, trunk_id: str) -> str | None:
        """Wait, for as long as the test takes."""
        self._release.wait(60)
        return None


@pytest.mark.parametrize("words", [("register", "Office"), CALL, ANSWER])
def test_a_keyring_that_hangs(
    command: InProcess, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    stub_engines(monkeypatch)
    release = threading.Event()
    command.vault = Hangs(release)
    try:
        assert command.run(*words) == REFUSED
    finally:
        release.set()
    assert "was not read within 0.5 seconds" in command.said


def test_a_carrier_that_never_gets_ready(command: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(role: Role) -> list[str]:
        return [sys.executable, "-c", "import time; time.sleep(60)"]

    monkeypatch.setattr(child, "child_command", silent)
    monkeypatch.setattr(demo_module.DemoCarrier.__init__, "__kwdefaults__",
                        {**demo_module.DemoCarrier.__init__.__kwdefaults__, "ready_s": 0.5})  # fmt: skip
    assert command.run("demo") == REFUSED
    assert "not ready within 0.5 seconds" in command.said


def test_a_history_whose_disk_has_gone(command: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.history.worker import HistoryWorker

    release = threading.Event()
    monkeypatch.setattr(HistoryWorker, "_close", lambda _: release.wait(60))
    refused = replace(ANSWERED, state=CallState.ENDED, sip_code=486, answered_by=AnsweredBy.NETWORK)
    stub_engines(monkeypatch, Script(turns={"PlaceCall": (Turn(events=(refused,)),)}))
    try:
        assert command.run(*CALL) == FAILED
    finally:
        release.set()
