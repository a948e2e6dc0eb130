"""A process of ours that fails leaves no memory behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.waiting import wait_for

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="core files as Linux has them")

REPO = Path(__file__).parents[2]
GET_DUMPABLE = 3

# Each role as the program starts it; the role itself is replaced by one that says what it sees
LOOKS = f"""
import ctypes, resource, sys
sys.path.insert(0, {str(REPO)!r})
def look(*_):
    dumpable = ctypes.CDLL(None).prctl({GET_DUMPABLE}, 0, 0, 0, 0)
    print(dumpable, *resource.getrlimit(resource.RLIMIT_CORE), flush=True)
    return 0
import app.composition, app.ui.window, app.sip.engine.process, app.sip.carrier.process
app.sip.engine.process.main = app.sip.carrier.process.main = look
app.ui.window.open_window = look
import app.cli.commands
app.cli.commands.run_command = look
sys.argv = ["ringback", *sys.argv[1:]]
from app.__main__ import main
main()
"""

FAILS = """
import os, sys
from app.core_files import forbid_core_files, keep_others_out
for step in sys.argv[1:]:
    {"forbid": forbid_core_files, "close": keep_others_out}[step]()
print("up", flush=True)
sys.stdin.read()
"""


def more_core() -> None:
    """In the child: as large a core file as this system allows, whatever the shell has set."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


@pytest.mark.parametrize(
    ("arguments", "dumpable"),
    [
        (["--role", "engine"], "0"),
        (["--role", "carrier"], "0"),
        (["trunks"], "0"),
        # Desktop portals refuse a window that they may not look at; see the next test for its core file
        ([], "1"),
    ],
    ids=["engine", "carrier", "command line", "window"],
)
def test_every_process_forbids_core_files_before_anything_else(arguments: list[str], dumpable: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOKS, *arguments],
        capture_output=True, text=True, check=True, timeout=60, preexec_fn=more_core,
    )  # fmt: skip
    assert done.stdout.split() == [dumpable, "0", "0"]


def dumped(folder: Path, *steps: str) -> bool:
    """Whether a process that has taken these steps leaves a core file when it is aborted."""
    process = subprocess.Popen(
        [sys.executable, "-c", FAILS, *steps],
        cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=more_core,
        env={**os.environ, "PYTHONPATH": str(REPO)},
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        line = next(line for line in limits.splitlines() if line.startswith("Max core file size"))
        assert (line.split()[4:6] == ["0", "0"]) is bool(steps)
        os.kill(process.pid, signal.SIGABRT)
        _, status = os.waitpid(process.pid, 0)
        process.returncode = -signal.SIGABRT
    assert os.WTERMSIG(status) == signal.SIGABRT
    return os.WCOREDUMP(status) or any(folder.iterdir())


@pytest.mark.parametrize("steps", [("forbid", "close"), ("forbid",)], ids=["engine", "window"])
def test_an_aborted_process_leaves_no_core_file(tmp_path: Path, steps: tuple[str, ...]) -> None:
    assert not dumped(tmp_path, *steps)


def test_without_it_there_would_be_one(tmp_path: Path) -> None:
    import resource

    if resource.getrlimit(resource.RLIMIT_CORE)[1] == 0:
        pytest.skip("core files are forbidden here anyway")
    if Path("/proc/sys/kernel/core_pattern").read_text().startswith("|"):
        pytest.skip("a program of this system takes the core files")
    assert dumped(tmp_path)


def test_what_is_kept_of_a_core_file_that_is_made_all_the_same_is_no_memory(tmp_path: Path) -> None:
    code = (
        "from app.core_files import forbid_core_files;"
        "forbid_core_files(); print(open('/proc/self/coredump_filter').read())"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True)
    assert int(done.stdout, 16) == 0


def test_faulthandler_still_says_where_an_engine_was(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "--role", "engine"],
        cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(REPO)}, preexec_fn=more_core,
    )  # fmt: skip
    assert process.stdout is not None
    assert b'"Hello"' in process.stdout.readline()
    os.kill(process.pid, signal.SIGABRT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGABRT
    assert b"Fatal Python error: Aborted" in said
    wait_for(lambda: not any(tmp_path.iterdir()), "no core file")
