"""The engine as a process: how it ends, and what it is beside others."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from app.model.call import CallState, Source
from app.model.outcome import Audio, LocalCause
from app.model.trunk import TrunkState
from app.sip.carrier.messages import CarrierOptions
from app.sip.carrier.server import Carrier
from app.sip.child import Child, ChildOutcome, Role
from app.sip.messages import Command, HangUp, Request, SendOptions, Stop, Unregister
from app.sip.notices import CallProgress, TraceAdded
from app.sip.wire import encode
from tests.engine.far_end import FarEnd, echoing, far_end, granted
from tests.engine.resolved import PASSWORD, at, resolved_to
from tests.engine.waiting import until
from tests.helpers.sip_client import Message
from tests.helpers.trunks import Seen, call, call_until_echo, make_trunk, session

SIGNALS = pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without asking it")


@asynccontextmanager
async def bare_engine() -> AsyncIterator[tuple[Child, list[bytes], list[ChildOutcome]]]:
    """An engine without the client: its process, the lines of its wire, its end."""
    lines: list[bytes] = []
    ends: list[ChildOutcome] = []
    child = Child(Role.ENGINE, on_line=lines.append, on_end=ends.append)
    await child.start()
    try:
        await until(lambda: lines, "the hello")
        yield child, lines, ends
    finally:
        await child.stop(b"")


def unregisters(far: FarEnd) -> bool:
    """Whether the far end was asked to forget the registration."""
    return any(request.one("Expires") == "0" for request in far.of("REGISTER"))


# How it ends


@pytest.mark.parametrize("line", [b"hello\n", b'{"id":1,"command":{"type":"Nonsense"}}\n', b'{"id":1}\n'])
def test_a_parent_that_speaks_another_language_is_left(line: bytes) -> None:
    async def run() -> None:
        async with bare_engine() as (child, _, ends):
            child.send(line)
            await until(lambda: ends, "the end")
            assert ends[0].exit_code == 3
            # PJLIB empties its own buffer when the process ends, so its lines may come last
            assert "the parent speaks another language: not a" in "\n".join(ends[0].log_tail)

    asyncio.run(run())


def test_an_engine_nobody_has_asked_anything_ends_with_its_input() -> None:
    async def run() -> None:
        async with bare_engine() as (child, _, ends):
            assert child._process is not None
            assert child._process.stdin is not None
            child._process.stdin.close()
            await until(lambda: ends, "the end")
            assert ends[0].exit_code == 0

    asyncio.run(run())


@SIGNALS
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_terminated_it_takes_its_registration_back_and_hangs_up(name: str) -> None:
    seen = Seen()

    async def run() -> None:
        async with (
            Carrier(accounts={"1001": PASSWORD}) as carrier,
            session(make_trunk(carrier.udp_port), PASSWORD, seen) as opened,
        ):
            await opened.connect()
            await opened.place_call("600", max_seconds=30, ring_seconds=5, source=Source.TONE)
            await until(lambda: carrier.calls_up, "the call")
            await until(
                lambda: any(n.state is CallState.ANSWERED for n in seen.of(CallProgress)), "the answer"
            )
            os.kill(opened.engine_pid, getattr(signal, name))
            await until(lambda: seen.lost, "the end")
            assert carrier.calls_up == 0
            assert not carrier.is_registered("1001")

    asyncio.run(run())
    ((outcome, _),) = seen.lost
    assert (outcome.exit_code, outcome.signal_name) == (0, "")


@SIGNALS
def test_terminated_while_the_far_end_is_silent_it_ends_within_its_limit() -> None:
    seen = Seen()

    async def run() -> None:
        silent = False

        def answer(request: Message) -> Sequence[str]:
            return () if silent else granted(request)

        async with far_end(answer) as far, resolved_to(seen, at(far.port)) as opened:
            await opened.connect()
            silent = True
            os.kill(opened.engine_pid, signal.SIGTERM)
            await until(lambda: seen.lost, "the end", seconds=6)
            assert unregisters(far)

    asyncio.run(run())
    ((outcome, _),) = seen.lost
    assert outcome.exit_code == 0


ORPHAN = """
import asyncio, os, sys
from app.sip.session import TrunkSession
from tests.helpers.trunks import make_trunk
async def main():
    session = TrunkSession(
        make_trunk(int(sys.argv[1])), "secret", lambda notice: None, on_engine_end=lambda outcome, lost: None
    )
    await session.connect()
    print(session.engine_pid, flush=True)
    os.kill(os.getpid(), 9)
asyncio.run(main())
"""


@SIGNALS
def test_without_its_parent_it_takes_its_registration_back() -> None:
    async def run() -> None:
        async with far_end(granted) as far:
            parent = await asyncio.create_subprocess_exec(
                sys.executable, "-c", ORPHAN, str(far.port), stdout=asyncio.subprocess.PIPE
            )
            assert parent.stdout is not None
            pid = int(await parent.stdout.readline())
            await parent.wait()
            await until(lambda: unregisters(far), "the REGISTER that takes it back")
            await until(lambda: not _alive(pid), "the orphan to end")

    asyncio.run(run())


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


# Two engines


def test_two_engines_at_once_do_not_disturb_each_other() -> None:
    one, two = Seen(), Seen()
    accounts = {"1001": PASSWORD, "1002": PASSWORD}

    async def run() -> None:
        async with (
            Carrier(accounts=accounts, options=CarrierOptions(channels=2)) as carrier,
            session(make_trunk(carrier.udp_port), PASSWORD, one) as first,
            session(make_trunk(carrier.udp_port, id="trunk-2", user="1002"), PASSWORD, two) as second,
        ):
            outcomes = await asyncio.gather(first.connect(), second.connect())
            assert {outcome.state for outcome in outcomes} == {TrunkState.REGISTERED}
            assert first.engine_pid != second.engine_pid
            calls = await asyncio.gather(call(first, "600", seconds=2), call(second, "600", seconds=2))
            for outcome in calls:
                assert outcome.audio is Audio.TWO_WAY
                assert outcome.heard
                assert outcome.media is not None
                assert outcome.media.rx.lost == 0

    asyncio.run(run())
    for seen, user, other in ((one, "1001", "1002"), (two, "1002", "1001")):
        texts = [notice.message.text for notice in seen.of(TraceAdded)]
        assert all(f"sip:{user}@" in text for text in texts)
        assert not any(f"sip:{other}@" in text for text in texts)
        assert {notice.trunk_id for notice in seen.notices} == {"trunk-1" if user == "1001" else "trunk-2"}


def test_a_far_end_that_is_no_carrier_of_ours_is_called_with_sound_both_ways() -> None:
    async def run() -> None:
        async with echoing() as sdp, far_end(lambda request: answer(request)) as far:

            def answer(request: Message) -> Sequence[str]:
                if request.start_line.startswith("INVITE"):
                    contact = f"Contact: <sip:127.0.0.1:{far.port}>"
                    return ("200 OK", contact, "Content-Type: application/sdp", "", *sdp)
                if request.start_line.startswith("ACK"):
                    return ()
                return granted(request)

            async with resolved_to(seen := Seen(), at(far.port)) as opened:
                await opened.connect()
                outcome = await call_until_echo(opened, seen, "600")
                assert (outcome.audio, outcome.heard) == (Audio.TWO_WAY, True)
                assert outcome.local_cause is LocalCause.NONE
                assert outcome.media is not None
                assert outcome.media.echo_ms is not None
                await until(lambda: far.of("BYE"), "the BYE")

    asyncio.run(run())


def test_an_engine_carries_nothing_that_only_development_installs() -> None:
    code = (
        "import sys, app.sip.engine.process as process; assert 'msgspec' not in sys.modules;"
        "code = process.main(); assert not sys.modules['typing_extensions']; sys.exit(code)"
    )
    command = [sys.executable, "-c", code]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_commands_are_answered_in_the_order_they_came() -> None:
    async def run() -> None:
        async with bare_engine() as (child, lines, ends):
            commands: tuple[Command, ...] = (Unregister(), HangUp(call_id="nobody"), SendOptions(), Stop())
            requests = [Request(id=n, command=command) for n, command in enumerate(commands)]
            child.send(b"".join(map(encode, requests)))
            await until(lambda: ends, "the end")
            answers = [line for line in lines if b'"Answer"' in line]
            assert [b'"id":%d' % n in line for n, line in enumerate(answers)] == [True] * 4
            assert [b"Refused" in line for line in answers] == [False, True, True, False]
            assert ends[0].exit_code == 0

    asyncio.run(run())
