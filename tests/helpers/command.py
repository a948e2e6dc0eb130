"""The real command line in a process of its own: run to its end, or started and interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.model.settings import new_trunk
from app.paths import paths_in
from app.store import Store
from tests.helpers import leaks
from tests.helpers.waiting import wait_for

ROOT = Path(__file__).parents[2]

_LIMIT_S = 60.0


@dataclass(frozen=True)
class Ended:
    """A command that has ended: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on standard output; anything besides it is an error."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value

    @property
    def error(self) -> dict[str, str]:
        """The refusal in the object, with its shape checked: exit code 2 and nothing else printed."""
        assert self.code == 2, self
        assert not self.err, self
        (key,) = self.json
        assert key == "error"
        error: dict[str, str] = self.json["error"]
        assert list(error) == ["what", "do", "field", "details"]
        assert all(isinstance(text, str) for text in error.values())
        assert error["what"]
        assert error["do"]
        return error

    @property
    def finding_ids(self) -> list[str]:
        """Ids of the findings, in their order."""
        return [finding["id"] for finding in self.json["findings"]]


class Running:
    """A command that runs; its output goes to two files, which can be read meanwhile."""

    def __init__(self, process: subprocess.Popen[bytes], out: Path, err: Path) -> None:
        self.process = process
        self._out = out
        self._err = err

    @property
    def out(self) -> str:
        """Standard output so far."""
        return self._out.read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        """Standard error so far."""
        return self._err.read_text(encoding="utf-8")

    def wait_for(self, text: str, *, seconds: float = 20.0) -> None:
        """Wait until this has been printed on standard output."""

        def there() -> bool:
            assert self.process.poll() is None or text in self.out, f"ended: {self.out}{self.err}"
            return text in self.out

        wait_for(there, f"{text!r} in the output", seconds=seconds)

    def ctrl_c(self) -> None:
        """What a terminal does: SIGINT to the whole process group of the command."""
        os.killpg(self.process.pid, signal.SIGINT)

    def children(self, role: str) -> list[int]:
        """Ids of its own processes in this role, `engine` or `carrier`."""
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdecimal():
                try:
                    words = (folder / "cmdline").read_bytes().split(b"\0")
                    parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                except (FileNotFoundError, ProcessLookupError):
                    continue
                if parent == self.process.pid and words[-3:-1] == [b"--role", role.encode()]:
                    found.append(int(folder.name))
        return found

    def end(self, *, seconds: float = _LIMIT_S) -> Ended:
        """Wait for its end."""
        self.process.wait(timeout=seconds)
        return _checked(Ended(self.process.returncode, self.out, self.err))


class Ringback:
    """The command line with a data folder of its own.

    Args:
        folder: Of the test; data and outputs go below it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self._runs = 0

    def command(self, *words: object) -> list[str]:
        """The words that start a command; it must be started in `ROOT`."""
        words = ("-W", "default", "-m", "app", "--data-dir", self.data, *words)
        return [sys.executable, *map(str, words)]

    def run(self, *words: object, password: str | bytes | None = None, given: str = "") -> Ended:
        """Run a command to its end.

        Args:
            words: The command and its options; `--password-stdin` is added with a password.
            password: Goes to standard input, with a line end.
            given: Goes to standard input behind it, as it is.
        """
        with self.start(*words, password=password, given=given) as running:
            return running.end()

    @contextmanager
    def start(
        self,
        *words: object,
        password: str | bytes | None = None,
        outlives: bool = False,
        given: str = "",
    ) -> Iterator[Running]:
        """Start a command; it is killed afterwards if it still runs.

        Args:
            words: As in `run`.
            password: As in `run`.
            outlives: Whether more tests than one use it.
            given: As in `run`.
        """
        self._runs += 1
        out, err = (self.folder / f"{self._runs}.{name}" for name in ("out", "err"))
        line = password.encode() if isinstance(password, str) else password
        command = self.command(*words, *(["--password-stdin"] if line is not None else []))
        environment = dict(os.environ)
        if outlives:
            environment.pop(leaks.MARK, None)
        with out.open("wb") as out_file, err.open("wb") as err_file:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=out_file,
                stderr=err_file,
                cwd=ROOT,
                env=environment,
                start_new_session=True,
                preexec_fn=_hears_interrupts,
            )
        if outlives:
            leaks.keep(process.pid)
        assert process.stdin is not None
        with process.stdin as stdin:
            if line is not None:
                stdin.write(line + b"\n")
            stdin.write(given.encode())
        try:
            yield Running(process, out, err)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            if outlives:
                leaks.forget(process.pid)

    def save(self, name: str, **settings: object) -> None:
        """Save a trunk as `ringback add` does, without a process for it."""
        with Store.open(paths_in(self.data)) as store:
            trunk, _ = new_trunk(
                name.encode().hex(), name, {key: str(text) for key, text in settings.items()}
            )
            store.add(trunk)

    def saved_names(self) -> list[str]:
        """Names of the saved trunks."""
        with Store.open(paths_in(self.data)) as store:
            return [trunk.name for trunk in store.trunks()]


def _checked(ended: Ended) -> Ended:
    """No command ends in a traceback or in a warning of Python, whatever it was told."""
    for word in ("Traceback", "Warning:", "Exception ignored"):
        assert word not in ended.err, ended.err
    return ended


def _hears_interrupts() -> None:
    """A shell starts what runs in its background deaf to Ctrl-C, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
