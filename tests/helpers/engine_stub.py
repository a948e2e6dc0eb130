"""An engine without PJSIP: a real child that speaks the wire and does what a test's script says.

    engines = stub_engines(monkeypatch, Script(turns={"Register": (Turn(do=Do.REFUSE),)}))

makes every engine that the app starts such a child. Without a script for it, a command is answered with
`Done`; REGISTER is then granted and OPTIONS answered. Each command is told on standard error, without its
secrets.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from app.core_files import forbid_core_files
from app.model.outcome import AnsweredBy
from app.model.trunk import Transport
from app.sip.messages import (
    PROTOCOL_VERSION,
    Answer,
    Bug,
    Capabilities,
    Done,
    Event,
    FromEngine,
    Hello,
    OpenAccount,
    OptionsAnswered,
    Refused,
    Register,
    RegistrationChanged,
    RegistrationState,
    Request,
    SendOptions,
    Stop,
)
from app.sip.wire import LineDecoder, claim_stdout, encode

if TYPE_CHECKING:
    import pytest

GRANTED = RegistrationChanged(
    state=RegistrationState.REGISTERED,
    sip_code=200,
    reason="OK",
    answered_by=AnsweredBy.NETWORK,
    expires_s=300,
    round_trip_ms=38.0,
    requests_sent=2,
    challenges=1,
)
REFUSED_TEXT = Refused(what="The far end of the wire says no.", do="Ask it again.", details="as it was told")
BUG_TEXT = "ZeroDivisionError: as it was told"
CAPABILITIES = Capabilities(
    version="stub", transports=(Transport.UDP,), codecs=("PCMU",), max_calls=4, ipv6=False
)


class Do(StrEnum):
    """What a stub can do with a command."""

    ANSWER = "answer"
    REFUSE = "refuse"
    BUG = "bug"
    NOTHING = "nothing"
    DIE = "die"
    ABORT = "abort"
    HANG = "hang"
    GARBAGE = "garbage"


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What happens at one command.

    Attributes:
        do: The answer, or something else in its place.
        before, events: Told before it and after it.
        times: How often the events after it are told.
        raw: Lines told after them, as they are.
        exit_code: With `DIE`.
        refused: With `REFUSE`.
    """

    do: Do = Do.ANSWER
    before: tuple[Event, ...] = ()
    events: tuple[Event, ...] = ()
    times: int = 1
    raw: tuple[str, ...] = ()
    exit_code: int = 7
    refused: Refused = REFUSED_TEXT


class Script(msgspec.Struct, frozen=True, kw_only=True):
    """What one engine does in its life.

    Attributes:
        log: Lines on standard error, first of all.
        hello: The first line of the wire: `hello`, nothing (empty), or else that very line.
        protocol: The version in the hello.
        turns: For each command by its name, what happens the first, second, … time; the last is repeated.
        deaf: Whether it does not even end when its input does.
        reads_icmp: As its hello has it.
    """

    log: tuple[str, ...] = ()
    hello: str = "hello"
    protocol: int = PROTOCOL_VERSION
    turns: dict[str, tuple[Turn, ...]] = {}
    deaf: bool = False
    reads_icmp: bool = False


def stub_engines(monkeypatch: pytest.MonkeyPatch, *scripts: Script) -> list[Script]:
    """Let the app start stubs; the first follows the first script and so on, the last one is repeated.

    Returns:
        The scripts used so far, one for each start.
    """
    # Late, as the child itself needs none of it
    from app.sip import child
    from app.sip.child import Role

    started: list[Script] = []
    scripts = scripts or (Script(),)

    def command(role: Role) -> list[str]:
        assert role is Role.ENGINE
        started.append(scripts[min(len(started), len(scripts) - 1)])
        return [sys.executable, "-m", "tests.helpers.engine_stub", msgspec.json.encode(started[-1]).decode()]

    monkeypatch.setattr(child, "child_command", command)
    return started


def main() -> None:
    """Follow the script in the first argument."""
    wire = claim_stdout()
    script = msgspec.json.decode(sys.argv[1], type=Script)

    def say(message: FromEngine) -> None:
        wire.write(encode(message))

    def log(line: str) -> None:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    for line in script.log:
        log(line)
    if script.hello == "hello":
        capabilities = msgspec.structs.replace(CAPABILITIES, reads_icmp=script.reads_icmp)
        say(Hello(protocol=script.protocol, pid=os.getpid(), capabilities=capabilities))
    elif script.hello:
        wire.write(script.hello.encode() + b"\n")
    seen: Counter[str] = Counter()
    decoder: LineDecoder[Request] = LineDecoder(Request)
    for raw in sys.stdin.buffer:
        request = decoder.decode(raw)
        name = type(request.command).__name__
        log(f"got {request.command!r}")
        if isinstance(request.command, OpenAccount):
            for field in ("quarantine", "servers"):
                log(f"{field} {msgspec.json.encode(getattr(request.command, field)).decode()}")
        turns = script.turns.get(name, (_usual(request),))
        turn = turns[min(seen[name], len(turns) - 1)]
        seen[name] += 1
        for event in turn.before:
            say(event)
        match turn.do:
            case Do.ANSWER:
                say(Answer(id=request.id, result=Done()))
            case Do.REFUSE:
                say(Answer(id=request.id, result=turn.refused))
            case Do.BUG:
                say(Answer(id=request.id, result=Bug(details=BUG_TEXT)))
            case Do.GARBAGE:
                wire.write(b"Segmentation fault, maybe\n")
        for _ in range(turn.times):
            for event in turn.events:
                say(event)
        for text in turn.raw:
            wire.write(text.encode() + b"\n")
        if turn.do is Do.DIE:
            sys.exit(turn.exit_code)
        if turn.do is Do.ABORT:
            forbid_core_files()
            os.abort()
        while turn.do is Do.HANG:
            time.sleep(60)
        if isinstance(request.command, Stop) and turn.do is Do.ANSWER:
            return
    while script.deaf:
        time.sleep(60)


def _usual(request: Request) -> Turn:
    if isinstance(request.command, Register):
        return Turn(events=(GRANTED,))
    if isinstance(request.command, SendOptions):
        return Turn(events=(OptionsAnswered(sip_code=200, reason="OK", answered_by=AnsweredBy.NETWORK),))
    return Turn()


if __name__ == "__main__":
    main()
