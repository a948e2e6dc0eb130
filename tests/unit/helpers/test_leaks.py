"""The leak guard sees what a test leaves behind, and only that."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading

import pytest

from tests.helpers import leaks
from tests.helpers.waiting import wait_for

MARK = "a-mark-of-its-own"

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

WAITS = [sys.executable, "-c", "import sys; sys.stdin.read()"]
# A parent that starts a child with no tie to it and ends
ABANDONS = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
"""


@linux_only
def test_a_child_process_is_seen_until_it_ends() -> None:
    before = leaks.alive(MARK)
    with subprocess.Popen(WAITS, stdin=subprocess.PIPE) as child:
        (line,) = leaks.alive(MARK).since(before)
        assert f"process {child.pid}" in line
        assert "sys.stdin.read()" in line
    assert leaks.alive(MARK).since(before) == []


@linux_only
def test_an_orphan_is_seen_by_its_mark_and_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = leaks.alive(MARK)
    monkeypatch.setenv(leaks.MARK, MARK)
    subprocess.run([sys.executable, "-W", "ignore", "-c", ABANDONS], check=True)
    now = leaks.alive(MARK)
    (line,) = now.since(before)
    assert "time.sleep(60)" in line
    leaks.end_processes(now, before)
    wait_for(lambda: not leaks.alive(MARK).since(before), "the orphan to end")


@linux_only
def test_a_kept_process_and_its_children_are_no_leak() -> None:
    before = leaks.alive(MARK)
    with subprocess.Popen(WAITS, stdin=subprocess.PIPE) as child:
        leaks.keep(child.pid)
        assert leaks.alive(MARK).since(before) == []
        leaks.forget(child.pid)
        assert leaks.alive(MARK).since(before) != []


def test_a_thread_is_seen_and_a_daemon_is_not() -> None:
    before = leaks.alive(MARK)
    end = threading.Event()
    for daemon in (False, True):
        threading.Thread(target=end.wait, name=f"daemon={daemon}", daemon=daemon).start()
    assert leaks.alive(MARK).since(before) == ["thread 'daemon=False'"]
    end.set()
    wait_for(lambda: not leaks.alive(MARK).since(before), "the thread to end")


@linux_only
@pytest.mark.parametrize(("kind", "table"), [(socket.SOCK_STREAM, "tcp"), (socket.SOCK_DGRAM, "udp")])
def test_an_open_port_is_seen_until_it_is_closed(kind: socket.SocketKind, table: str) -> None:
    before = leaks.alive(MARK)
    with socket.socket(socket.AF_INET, kind) as server:
        server.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            server.listen()
        port = server.getsockname()[1]
        assert leaks.alive(MARK).since(before) == [f"open port {table} 0100007F:{port:04X}"]
    assert leaks.alive(MARK).since(before) == []


@linux_only
def test_a_client_connection_is_no_open_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        before = leaks.alive(MARK)
        with socket.create_connection(server.getsockname()) as client, server.accept()[0]:
            assert client.fileno() > 0
            assert leaks.alive(MARK).since(before) == []
