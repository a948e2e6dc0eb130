"""A child process of ours, with tiny programs in the place of engine and carrier."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import textwrap
import time
from collections.abc import Awaitable, Callable

import pytest

from app.errors import EngineError
from app.sip import child as child_module
from app.sip.child import LOG_TAIL_LINES, MAX_LOG_LINE_BYTES, Child, ChildOutcome, Role, child_command
from app.sip.wire import MAX_LINE_BYTES
from tests.engine.waiting import until

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")


class Watched:
    """A child and everything it has told."""

    def __init__(self, on_line: Callable[[bytes], None] | None = None) -> None:
        self.lines: list[bytes] = []
        self.log: list[str] = []
        self.ends: list[ChildOutcome] = []
        self.child = Child(
            Role.ENGINE,
            on_line=on_line or self.lines.append,
            on_end=self.ends.append,
            on_log=self.log.append,
        )

    async def ended(self) -> ChildOutcome:
        """Wait until it has been told how it ended."""
        await until(lambda: self.ends, "the end")
        return self.ends[0]


def with_child(
    monkeypatch: pytest.MonkeyPatch, code: str, act: Callable[[Watched], Awaitable[None]], **options: object
) -> Watched:
    """Run this Python code as the child and `act` beside it."""
    monkeypatch.setattr(
        child_module, "child_command", lambda role: [sys.executable, "-c", textwrap.dedent(code)]
    )
    watched = Watched(**options)  # type: ignore[arg-type]  # what a test gives

    async def run() -> None:
        await watched.child.start()
        try:
            await act(watched)
        finally:
            watched.child.kill()
            await until(lambda: watched.child.outcome, "the child to be gone")

    asyncio.run(run())
    return watched


async def its_end(watched: Watched) -> None:
    """Do nothing but wait for the end."""
    await watched.ended()


@pytest.mark.parametrize(
    ("code", "sentence"), [(0, "The engine ended."), (7, "The engine ended with exit code 7.")]
)
def test_an_exit_code_is_told(monkeypatch: pytest.MonkeyPatch, code: int, sentence: str) -> None:
    (outcome,) = with_child(monkeypatch, f"raise SystemExit({code})", its_end).ends
    assert (outcome.exit_code, outcome.signal_name, outcome.asked) == (code, "", False)
    assert str(outcome) == sentence


@POSIX
@pytest.mark.parametrize("name", ["SIGKILL", "SIGABRT", "SIGSEGV", "SIGTERM"])
def test_a_signal_is_told_by_its_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    code = f"""
        import os, resource, signal
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.kill(os.getpid(), signal.{name})
    """
    (outcome,) = with_child(monkeypatch, code, its_end).ends
    assert (outcome.exit_code, outcome.signal_name) == (None, name)
    assert str(outcome) == f"The engine was ended by {name}."


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="signals without a name are Linux's")
def test_a_signal_without_a_name_is_told_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    (outcome,) = with_child(monkeypatch, "import os; os.kill(os.getpid(), 40)", its_end).ends
    assert outcome.signal_name == "signal 40"


def test_the_last_lines_of_the_log_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    code = """
        import os
        for n in range(100):
            os.write(2, b"line %d \\xff\\n" % n)
        os.write(2, b"no line end")
    """
    watched = with_child(monkeypatch, code, its_end)
    assert len(watched.log) == 101
    tail = watched.ends[0].log_tail
    assert len(tail) == LOG_TAIL_LINES
    assert tail[-2:] == ("line 99 \N{REPLACEMENT CHARACTER}", "no line end")


def test_every_line_before_the_end_is_delivered_and_half_a_line_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = """
        import os
        os.write(1, b"".join(b"%d\\n" % n for n in range(5000)) + b"half a line")
        os._exit(3)
    """
    order: list[object] = []

    async def act(watched: Watched) -> None:
        order.append(await watched.ended())

    watched = with_child(monkeypatch, code, act)
    assert watched.lines == [b"%d" % n for n in range(5000)]
    assert watched.ends[0].exit_code == 3


def test_the_end_is_told_once_and_after_the_last_line(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(
        child_module, "child_command", lambda role: [sys.executable, "-c", "print('one\\ntwo')"]
    )

    async def run() -> None:
        child = Child(Role.CARRIER, on_line=told.append, on_end=told.append)
        await child.start()
        await until(lambda: child.outcome and len(told) == 3, "the end")
        await child.stop(b"")

    asyncio.run(run())
    assert told[:2] == [b"one", b"two"]
    assert isinstance(told[2], ChildOutcome)
    assert len(told) == 3


def test_lines_are_sent_and_the_child_is_asked_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    code = """
        import sys
        for line in sys.stdin:
            print("got", line.strip(), flush=True)
            if line.strip() == "stop":
                break
    """

    async def act(watched: Watched) -> None:
        assert watched.child.pid > 0
        watched.child.send(b"hello\n")
        await until(lambda: watched.lines, "the echo")
        outcome = await watched.child.stop(b"stop\n")
        assert outcome is not None
        assert (outcome.exit_code, outcome.asked) == (0, True)

    watched = with_child(monkeypatch, code, act)
    assert watched.lines == [b"got hello", b"got stop"]
    assert len(watched.ends) == 1


NEVER_READS = """
    import signal, sys, time
    if {deaf}:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("up", flush=True)
    time.sleep(60)
"""


@POSIX
@pytest.mark.parametrize(("deaf", "name"), [(False, "SIGTERM"), (True, "SIGKILL")])
def test_a_child_that_never_reads_is_terminated_and_then_killed(
    monkeypatch: pytest.MonkeyPatch, deaf: bool, name: str
) -> None:
    async def act(watched: Watched) -> None:
        await until(lambda: watched.lines, "the child to be up")
        # More than a pipe holds, so that even asking it gets stuck
        watched.child.send(b"x" * 1_000_000 + b"\n")
        started = time.monotonic()
        outcome = await watched.child.stop(b"stop\n", ask_s=0.2, terminate_s=0.2)
        assert outcome is not None
        assert outcome.signal_name == name
        assert outcome.asked
        assert time.monotonic() - started < 3

    with_child(monkeypatch, NEVER_READS.format(deaf=deaf), act)


@POSIX
def test_a_stopped_process_is_killed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    async def act(watched: Watched) -> None:
        await until(lambda: watched.lines, "the child to be up")
        os.kill(watched.child.pid, signal.SIGSTOP)
        outcome = await watched.child.stop(b"stop\n", ask_s=0.1, terminate_s=0.1)
        assert outcome is not None
        assert outcome.signal_name == "SIGKILL"

    with_child(monkeypatch, NEVER_READS.format(deaf=False), act)


def test_a_line_too_long_for_the_wire_ends_the_child_and_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    code = f"""
        import sys, time
        sys.stdout.write("short\\n" + "x" * {MAX_LINE_BYTES + 10})
        sys.stdout.flush()
        time.sleep(60)
    """
    watched = with_child(monkeypatch, code, its_end)
    assert watched.lines == [b"short"]
    (outcome,) = watched.ends
    assert outcome.exit_code != 0
    assert outcome.log_tail[-1] == f"the wire broke: a line of more than {MAX_LINE_BYTES} bytes"


def test_a_flood_on_standard_error_stops_neither_the_child_nor_the_wire(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = f"""
        import os
        for _ in range(200):
            os.write(2, b"flood " * 1000 + b"\\n")
        os.write(2, b"y" * {2 * MAX_LINE_BYTES + 100})
        os.write(1, b"still here\\n")
    """
    watched = with_child(monkeypatch, code, its_end)
    assert watched.lines == [b"still here"]
    assert watched.ends[0].exit_code == 0
    assert max(map(len, watched.log)) <= MAX_LOG_LINE_BYTES


def test_an_error_in_a_listener_is_told_to_the_loop_and_does_not_end_the_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines: list[bytes] = []
    errors: list[object] = []

    def fail_at_first(line: bytes) -> None:
        lines.append(line)
        if len(lines) == 1:
            raise ZeroDivisionError

    async def act(watched: Watched) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, told: errors.append(told["exception"]))
        await watched.ended()

    watched = with_child(monkeypatch, "print('one'); print('two')", act, on_line=fail_at_first)
    assert lines == [b"one", b"two"]
    assert [type(error) for error in errors] == [ZeroDivisionError]
    assert len(watched.ends) == 1


@POSIX
def test_a_grandchild_that_holds_standard_error_does_not_delay_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = """
        import subprocess, sys
        wait = "import sys; sys.stdin.read()"
        subprocess.Popen([sys.executable, "-c", wait], stdout=subprocess.DEVNULL)
    """

    async def act(watched: Watched) -> None:
        started = time.monotonic()
        await watched.ended()
        assert time.monotonic() - started < 5
        await watched.child.stop(b"")  # which closes our end of its input, and so ends the grandchild
        process = watched.child._process
        assert process is not None
        await until(lambda: process._transport.is_closing(), "the grandchild to let go of the pipes")  # type: ignore[attr-defined]  # asyncio's own

    with_child(monkeypatch, code, act)


def test_stopping_what_was_never_started_is_harmless() -> None:
    async def run() -> None:
        child = Child(Role.ENGINE, on_line=lambda line: None, on_end=lambda outcome: None)
        child.send(b"line\n")
        child.kill()
        assert child.pid == 0
        assert await child.stop(b"stop\n") is None

    asyncio.run(run())


def test_stopping_twice_gives_the_same_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    async def act(watched: Watched) -> None:
        first = await watched.child.stop(b"stop\n")
        assert await watched.child.stop(b"stop\n") is first is not None

    with_child(monkeypatch, "import sys; sys.stdin.readline()", act)


def test_a_program_that_is_not_there_is_an_error_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "child_command", lambda role: ["/nowhere/ringback"])

    async def run() -> None:
        child = Child(Role.ENGINE, on_line=lambda line: None, on_end=lambda outcome: None)
        with pytest.raises(EngineError, match=r"The engine could not be started: .+\.") as caught:
            await child.start()
        assert caught.value.do
        assert "/nowhere/ringback" in caught.value.details

    asyncio.run(run())


@pytest.mark.parametrize("role", Role)
def test_the_frozen_program_starts_itself_in_another_role(
    monkeypatch: pytest.MonkeyPatch, role: Role
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", "/opt/ringback/ringback")
    assert child_command(role) == ["/opt/ringback/ringback", "--role", role.value]


@pytest.mark.parametrize("role", Role)
def test_from_source_python_runs_the_package_in_another_role(role: Role) -> None:
    command = child_command(role)
    assert command[0] == sys.executable
    assert command[-4:] == ["-m", "app", "--role", role.value]
