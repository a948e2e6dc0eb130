"""Finds what a test left alive: child processes, threads, open ports.

Processes and ports are looked up in /proc, so on other systems than Linux only threads are found.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

MARK = "RINGBACK_TEST"
"""Environment variable that every process started by a test inherits, even when its parent is gone."""

_LISTENING = "0A"
# Python's own helper of multiprocessing; it lives as long as its parent and ends with it
_TOLERATED = b"multiprocessing.resource_tracker"

_kept: set[int] = set()


def keep(pid: int) -> None:
    """Tell that this process and its children outlive the test on purpose, such as a session's server."""
    _kept.add(pid)


def forget(pid: int) -> None:
    """Tell that a kept process is gone."""
    _kept.discard(pid)


@dataclass(frozen=True)
class Process:
    """A process as /proc shows it."""

    pid: int
    parent: int
    command: str

    def __str__(self) -> str:
        return f"process {self.pid}: {self.command}"


@dataclass(frozen=True)
class Before:
    """What there is when a test begins: the ids of all processes, non-daemon threads and our open ports."""

    pids: frozenset[int]
    threads: frozenset[threading.Thread]
    ports: frozenset[str]


@dataclass(frozen=True)
class Left:
    """What has come since and is alive, and one line about each."""

    processes: tuple[Process, ...]
    lines: list[str]


def look() -> Before:
    """What there is now."""
    return Before(pids=frozenset(_pids()), threads=_threads(), ports=frozenset(_ports()))


def left(mark: str, before: Before) -> Left:
    """Children and processes with this mark, non-daemon threads and open ports that were not there before."""
    # Only what is new is read: there are hundreds of processes, and a look at each at every test takes longer
    # than most tests
    processes = tuple(sorted(_processes(mark, before.pids), key=lambda process: process.pid))
    return Left(
        processes=processes,
        lines=[
            *map(str, processes),
            *(f"thread {thread.name!r}" for thread in _threads() - before.threads),
            *(f"open port {port}" for port in sorted(set(_ports()) - before.ports)),
        ],
    )


def end_processes(what: Left) -> None:
    """Kill the processes that have come since, so that one leak does not spoil the next test."""
    for process in what.processes:
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _threads() -> frozenset[threading.Thread]:
    return frozenset(t for t in threading.enumerate() if t.is_alive() and not t.daemon)


def _pids() -> list[int]:
    if not sys.platform.startswith("linux"):
        return []
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def _processes(mark: str, known: frozenset[int]) -> list[Process]:
    own = os.getpid()
    tag = f"{MARK}={mark}".encode()
    new = [process for pid in _pids() if pid not in known and (process := _process(pid)) is not None]
    return [
        process
        for process in new
        if process.pid != own and not _is_kept(process) and (process.parent == own or _has_mark(process, tag))
    ]


def _process(pid: int) -> Process | None:
    """None for a process that has ended, is a zombie, or is to be tolerated."""
    folder = Path("/proc") / str(pid)
    try:
        # The name in parentheses may hold spaces and parentheses itself
        state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        command = (folder / "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    if state in "ZX" or _TOLERATED in command:
        return None
    words = command.rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
    return Process(pid=pid, parent=int(parent), command=words[:300])


def _is_kept(process: Process) -> bool:
    current: Process | None = process
    while current is not None:
        if current.pid in _kept:
            return True
        current = _process(current.parent) if current.parent else None
    return False


def _has_mark(process: Process, tag: bytes) -> bool:
    try:
        return tag in Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    except PermissionError:
        # Ours show it to root only (app.core_files). Without its parent it is a test's that lost it; of other
        # workers, whose tests have such moments too, there is nothing left when the waiting is over
        return "--role" in process.command and process.parent == 1


def descends(pid: int, ancestor: int) -> bool:
    """Whether a process is a child of another one, or a child's child (Linux)."""
    current = _process(pid)
    while current is not None and current.parent:
        if current.parent == ancestor:
            return True
        current = _process(current.parent)
    return False


def _ports() -> list[str]:
    """Listening TCP sockets and bound UDP sockets of this process, as `tcp 0100007F:1F90`."""
    if not sys.platform.startswith("linux"):
        return []
    own = _socket_inodes()
    found = []
    for table in ("tcp", "tcp6", "udp", "udp6") if own else ():
        path = Path("/proc/self/net") / table
        if not path.exists():
            continue
        for line in path.read_text().splitlines()[1:]:
            columns = line.split()
            local, state, inode = columns[1], columns[3], columns[9]
            if inode in own and (table.startswith("udp") or state == _LISTENING):
                found.append(f"{table} {local}")
    return found


def _socket_inodes() -> set[str]:
    inodes = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = os.readlink(entry)
        except OSError:
            continue  # The descriptor of this very listing is closed by now
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    return inodes
