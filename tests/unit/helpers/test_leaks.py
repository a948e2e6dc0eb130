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
    before = leaks.look()
    with subprocess.Popen(WAITS, stdin=subprocess.PIPE) as child:
        (line,) = leaks.left(MARK, before).lines
        assert f"process {child.pid}" in line
        assert "sys.stdin.read()" in line
    assert leaks.left(MARK, before).lines == []


@linux_only
def test_an_orphan_is_seen_by_its_mark_and_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    before = leaks.look()
    monkeypatch.setenv(leaks.MARK, MARK)
    subprocess.run([sys.executable, "-W", "ignore", "-c", ABANDONS], check=True)
    left = leaks.left(MARK, before)
    (line,) = left.lines
    assert "time.sleep(60)" in line
    leaks.end_processes(left)
    wait_for(lambda: not leaks.left(MARK, before).lines, "the orphan to end")


@linux_only
def test_a_kept_process_and_its_children_are_no_leak() -> None:
    before = leaks.look()
    with subprocess.Popen(WAITS, stdin=subprocess.PIPE) as child:
        leaks.keep(child.pid)
        assert leaks.left(MARK, before).lines == []
        leaks.forget(child.pid)
        assert leaks.left(MARK, before).lines != []


def test_a_thread_is_seen_and_a_daemon_is_not() -> None:
    before = leaks.look()
    end = threading.Event()
    for daemon in (False, True):
        threading.Thread(target=end.wait, name=f"daemon={daemon}", daemon=daemon).start()
    assert leaks.left(MARK, before).lines == ["thread 'daemon=False'"]
    end.set()
    wait_for(lambda: not leaks.left(MARK, before).lines, "the thread to end")


@linux_only
@pytest.mark.parametrize(("kind", "table"), [(socket.SOCK_STREAM, "tcp"), (socket.SOCK_DGRAM, "udp")])
def test_an_open_port_is_seen_until_it_is_closed(kind: socket.SocketKind, table: str) -> None:
    before = leaks.look()
    with socket.socket(socket.AF_INET, kind) as server:
        server.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            server.listen()
        port = server.getsockname()[1]
        assert leaks.left(MARK, before).lines == [f"open port {table} 0100007F:{port:04X}"]
    assert leaks.left(MARK, before).lines == []


@linux_only
def test_a_client_connection_is_no_open_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        before = leaks.look()
        with socket.create_connection(server.getsockname()) as client, server.accept()[0]:
            assert client.fileno() > 0
            assert leaks.left(MARK, before).lines == []
