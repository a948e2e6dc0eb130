"""Every test runs apart from its user: no window on the screen, a home of its own, no real keyring.

Nothing that a test starts may outlive it: a child process, a thread or an open port left behind fails it.
A server shared by several tests is started before them by a session or module fixture, or said to
`tests.helpers.leaks.keep`.
"""

from __future__ import annotations

import gc
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from app.system_country import system_countries
from tests.helpers import leaks
from tests.helpers.waiting import wait_for

# Before any test module imports Qt or keyring, and whatever the desktop of the one who runs it says
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ["PYTHON_KEYRING_BACKEND"] = _NO_KEYRING = "keyring.backends.fail.Keyring"

# Where the computer is, its country's emergency numbers are refused, and no test may depend on that
os.environ["LC_ALL"] = "C.UTF-8"
if hasattr(time, "tzset"):
    os.environ["TZ"] = "UTC"
    time.tzset()

_OF_THE_DESKTOP = ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "GNOME_KEYRING_CONTROL")
_GRACE_S = 3.0


@pytest.fixture(autouse=True)
def no_leaks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail a test that leaves a child process, a non-daemon thread or an open port behind."""
    mark = uuid.uuid4().hex
    before = leaks.look()
    monkeypatch.setenv(leaks.MARK, mark)
    yield

    def all_gone() -> bool:
        if not leaks.left(mark, before).lines:
            return True
        gc.collect()
        return False

    # What was told to end may need a moment
    with suppress(AssertionError):
        wait_for(all_gone, "what the test started to end", seconds=_GRACE_S)
        return
    left = leaks.left(mark, before)
    leaks.end_processes(left)
    pytest.fail("The test left something alive:\n  " + "\n  ".join(left.lines), pytrace=False)


@pytest.fixture(autouse=True)
def own_country() -> Iterator[None]:
    """Each test asks again which country this computer is in, as some of them change that."""
    system_countries.cache_clear()
    yield
    system_countries.cache_clear()


@pytest.fixture(autouse=True)
def own_home(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """An empty home with the platform's folders in it, for this test and its child processes."""
    home = tmp_path_factory.mktemp("home")
    folders = {
        "XDG_DATA_HOME": home / ".local" / "share",
        "XDG_STATE_HOME": home / ".local" / "state",
        "XDG_CONFIG_HOME": home / ".config",
        "XDG_CACHE_HOME": home / ".cache",
        "XDG_RUNTIME_DIR": home / "run",
        "APPDATA": home / "AppData" / "Roaming",
        "LOCALAPPDATA": home / "AppData" / "Local",
        # platformdirs asks Windows itself, and this is its way to be told otherwise
        "WIN_PD_OVERRIDE_APPDATA": home / "AppData" / "Roaming",
        "WIN_PD_OVERRIDE_LOCAL_APPDATA": home / "AppData" / "Local",
    }
    for name, folder in folders.items():
        folder.mkdir(parents=True, exist_ok=True)
        monkeypatch.setenv(name, str(folder))
    folders["XDG_RUNTIME_DIR"].chmod(0o700)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    for name in _OF_THE_DESKTOP:
        monkeypatch.delenv(name, raising=False)
    if request.node.get_closest_marker("keyring") is None:
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", _NO_KEYRING)
    else:
        monkeypatch.delenv("PYTHON_KEYRING_BACKEND", raising=False)
    return home
