"""Servers started for tests: ready or a reason, ended for sure."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import leaks
from tests.helpers.children import running
from tests.helpers.programs import need
from tests.helpers.waiting import wait_for

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups of POSIX")

# Starts a child of its own, which ignores SIGTERM as its parent does
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
if len(sys.argv) < 2:
    subprocess.Popen([sys.executable, __file__, "child"])
print("ready", flush=True)
time.sleep(60)
"""
RUNS_A_SERVER = """
import sys
from pathlib import Path
from tests.helpers.children import running
command = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
# Only what has begun to run is tied to this one
with running(command, Path(sys.argv[1]), ready=lambda server: "up" in server.log()) as server:
    print(server.pid, flush=True)
    sys.stdin.read()
"""


def exists(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_server_that_ignores_the_polite_signal_is_ended_with_its_children(tmp_path: Path) -> None:
    script = tmp_path / "stubborn.py"
    script.write_text(STUBBORN)
    with running(
        [sys.executable, script], tmp_path / "log", ready=lambda server: server.log().count("ready") == 2
    ) as server:
        group = server.pid
        assert exists(group)
    with pytest.raises(ProcessLookupError):
        wait_for(lambda: os.killpg(group, 0), "never true: killpg raises when nobody is left")


def test_a_server_that_ends_at_once_is_told_with_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('port taken')"]
    with (
        pytest.raises(AssertionError, match="ended with 1\nport taken"),
        running(command, tmp_path / "log", ready=lambda _: False),
    ):
        pytest.fail("it can't be ready")


def test_a_server_that_is_not_ready_in_time_is_ended(tmp_path: Path) -> None:
    before = leaks.look()
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with (
        pytest.raises(AssertionError, match=r"waited 0\.1 s in vain"),
        running(command, tmp_path / "log", ready=lambda _: False, seconds=0.1),
    ):
        pytest.fail("it can't be ready")
    assert leaks.left("none", before).lines == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a signal of Linux")
def test_a_server_ends_when_the_test_run_is_killed(tmp_path: Path) -> None:
    need("setpriv")
    with subprocess.Popen(
        [sys.executable, "-c", RUNS_A_SERVER, tmp_path / "log"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    ) as run:
        assert run.stdout is not None
        pid = int(run.stdout.readline())
        assert exists(pid)
        run.send_signal(signal.SIGKILL)
    wait_for(lambda: not exists(pid), "the server to end")
