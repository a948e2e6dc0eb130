"""The guards of tests/conftest.py hold: shown by a whole pytest run on small test files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

CONFTEST = """
import tests.conftest
from tests.conftest import no_leaks, own_home

tests.conftest._GRACE_S = 0.2
"""

LEAKS = """
import socket, subprocess, sys, threading
kept = []

def test_process():
    kept.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]))

def test_port():
    kept.append(socket.create_server(("127.0.0.1", 0)))

def test_thread():
    threading.Thread(target=threading.Event().wait, args=(1.5,), name="stays").start()

def test_clean():
    pass
"""

ENVIRONMENT = """
import os, pathlib, keyring, platformdirs, pytest
from keyring.errors import NoKeyringError

def test_home_is_empty_and_own(own_home):
    assert pathlib.Path.home() == own_home
    assert own_home in pathlib.Path(platformdirs.user_data_dir("ringback")).parents
    assert not any(own_home.rglob("*.*/*/*"))

def test_no_keyring():
    with pytest.raises(NoKeyringError):
        keyring.set_password("ringback test", "a", "b")

@pytest.mark.keyring
def test_keyring_by_mark():
    assert "PYTHON_KEYRING_BACKEND" not in os.environ

def test_no_screen():
    assert os.environ["QT_QPA_PLATFORM"] == "offscreen"
    assert "DISPLAY" not in os.environ
"""

NEEDS = """
from tests.helpers.programs import need

def test_peer():
    need("no-such-program")
"""


def run_pytest(folder: Path, source: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The outcome of pytest on one file under this project's conftest."""
    (folder / "test_inner.py").write_text(source)
    (folder / "conftest.py").write_text(CONFTEST)
    variables = {"PATH": "/usr/bin:/bin", "DISPLAY": ":77", "PYTHONPATH": str(ROOT), **environment}
    options = ["-c", str(ROOT / "pyproject.toml"), f"--rootdir={folder}", "-p", "no:cacheprovider", "-v"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(folder)],
        capture_output=True,
        text=True,
        env=variables,
        check=False,
    )


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_test_that_leaves_something_alive_fails(tmp_path: Path) -> None:
    outcome = run_pytest(tmp_path, LEAKS)
    assert outcome.stdout.count("The test left something alive") == 3, outcome.stdout
    for left in ("time.sleep(60)", "open port tcp 0100007F:", "thread 'stays'"):
        assert left in outcome.stdout
    assert "test_clean ERROR" not in outcome.stdout
    assert outcome.returncode == 1


def test_home_keyring_and_screen_of_the_user_are_out_of_reach(tmp_path: Path) -> None:
    outcome = run_pytest(tmp_path, ENVIRONMENT)
    assert outcome.returncode == 0, outcome.stdout


@pytest.mark.parametrize(("ci", "word"), [("", "SKIPPED"), ("false", "SKIPPED"), ("true", "FAILED")])
def test_a_missing_program_skips_here_and_fails_in_ci(tmp_path: Path, ci: str, word: str) -> None:
    outcome = run_pytest(tmp_path, NEEDS, CI=ci)
    assert f"{word} [" in outcome.stdout or f"{word} test_inner.py" in outcome.stdout, outcome.stdout
    assert "not installed here: no-such-program" in outcome.stdout
