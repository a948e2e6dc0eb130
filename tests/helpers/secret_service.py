"""A private D-Bus session with a real GNOME Keyring in it, apart from the user's own."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jeepney.bus_messages import message_bus
from jeepney.io.blocking import Proxy, open_dbus_connection

from tests.helpers import leaks
from tests.helpers.programs import need
from tests.helpers.waiting import wait_for

MASTER = "m4ster of the test keyring"
"""A password for keyrings of tests."""

# The address first; then the daemon takes the shell's place and reads the password from the same input.
_SESSION = (
    'echo "$DBUS_SESSION_BUS_ADDRESS"; exec gnome-keyring-daemon --foreground --components=secrets "$@"'
)


@contextmanager
def secret_service(home: Path, password: str | None) -> Iterator[str]:
    """Starts a session whose keyring is kept below a folder.

    Args:
        home: The folder; given again, it holds the keyring of before.
        password: Unlocks the keyring, or makes it when there is none; None leaves it locked.

    Yields:
        The session's address, for DBUS_SESSION_BUS_ADDRESS.
    """
    need("dbus-run-session", "gnome-keyring-daemon")
    # Not below pytest's folders: the path of a socket has at most 107 characters
    with tempfile.TemporaryDirectory(prefix="rb-", dir="/tmp") as runtime, open(home / "log", "ab") as log:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_DATA_HOME": str(home / "share"),
            "XDG_RUNTIME_DIR": runtime,
        }
        process = subprocess.Popen(
            [
                "dbus-run-session",
                "--",
                "sh",
                "-c",
                _SESSION,
                "sh",
                *(["--unlock"] if password is not None else []),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment,
            start_new_session=True,
        )
        leaks.keep(process.pid)
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write((password or "").encode())
            process.stdin.close()
            address = process.stdout.readline().decode().strip()
            wait_for(lambda: _is_running(address), "GNOME Keyring")
            yield address
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            with process:
                pass
            leaks.forget(process.pid)


def _is_running(address: str) -> bool:
    with open_dbus_connection(bus=address) as connection:
        return bool(Proxy(message_bus, connection).NameHasOwner("org.freedesktop.secrets")[0])
