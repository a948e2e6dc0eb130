"""Servers that tests start as child processes: logged to a file, known to listen, and ended for sure."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.helpers import leaks
from tests.helpers.programs import find_program
from tests.helpers.waiting import wait_for


class Server:
    """A running server program in a process group of its own."""

    def __init__(self, process: subprocess.Popen[bytes], log_file: Path) -> None:
        self.process = process
        self.log_file = log_file

    @property
    def pid(self) -> int:
        """The first process; its helpers are its children."""
        return self.process.pid

    def log(self) -> str:
        """All that it has printed so far."""
        return self.log_file.read_text(errors="replace")

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to all its processes."""
        os.killpg(self.pid, number)

    def stop(self) -> None:
        """End all its processes: ask, then kill; harmless when it has ended."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.pid, signal.SIGCONT)
                os.killpg(self.pid, number)
            except ProcessLookupError:
                pass  # The whole group is gone
            try:
                self.process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                continue
        leaks.forget(self.pid)


@contextmanager
def running(
    command: Sequence[str | Path], log_file: Path, *, ready: Callable[[Server], object], seconds: float = 15
) -> Iterator[Server]:
    """Start a server, wait until it is ready, and end it afterwards.

    Args:
        command: Program and arguments.
        log_file: Takes its output.
        ready: Asked until it says true.
        seconds: Limit for that.

    Raises:
        AssertionError: It ended or was not ready in time; the message holds its log.
    """
    # Linux ends it when the test run is killed and can't
    tied = ["setpriv", "--pdeathsig", "TERM"] if find_program("setpriv") else []
    environment = {**os.environ, "TERM": "dumb"}
    # It may serve many tests, so it carries the mark of none
    environment.pop(leaks.MARK, None)
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [*tied, *(str(word) for word in command)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=log_file.parent,
            env=environment,
            start_new_session=True,
        )
    server = Server(process, log_file)
    leaks.keep(process.pid)
    try:
        try:
            wait_for(lambda: process.poll() is not None or ready(server), f"{command[0]}", seconds=seconds)
            assert process.poll() is None, f"{command[0]} ended with {process.returncode}"
        except AssertionError as error:
            raise AssertionError(f"{error}\n{server.log()[-4000:]}") from None
        yield server
    finally:
        server.stop()


def binds_udp(pid: int, port: int) -> bool:
    """Whether this process has this UDP port open (Linux)."""
    inodes = {
        columns[9]
        for columns in map(str.split, Path("/proc/net/udp").read_text().splitlines()[1:])
        if columns[1].endswith(f":{port:04X}")
    }
    try:
        targets = [os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    except (FileNotFoundError, PermissionError):
        return False
    return any(target == f"socket:[{inode}]" for target in targets for inode in inodes)
