"""Looks for a password in whatever a program leaves behind, in every form it could have taken."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, quote_plus

from tests.helpers import leaks


class Needles:
    """All forms in which a password could be found.

    Args:
        password: The password.
        user: Whose it is.
        realm: Of the digest.
    """

    def __init__(self, password: str, user: str, realm: str) -> None:
        raw = password.encode()
        a1 = f"{user}:{realm}:{password}".encode()
        forms: dict[str, bytes] = {
            "text": raw,
            "text escaped for JSON": json.dumps(password)[1:-1].encode(),
            "UTF-16": password.encode("utf-16-le"),
            "hexadecimal": raw.hex().encode(),
            "quoted for a URL": quote(password, safe="").encode(),
            "quoted for a form": quote_plus(password).encode(),
        }
        # Base64 differs at each of three offsets, and its ends depend on what stands beside it
        for offset in range(3):
            whole = base64.b64encode(b"\0" * offset + raw)
            forms[f"base64 at offset {offset}"] = whole[4 if offset else 0 :].rstrip(b"=")[:-1]
        for name in ("md5", "sha256"):
            for what, secret in (("HA1", a1), ("hash", raw)):
                digest = hashlib.new(name, secret, usedforsecurity=False)
                forms[f"{what} by {name}"] = digest.hexdigest().encode()
                forms[f"{what} by {name}, raw"] = digest.digest()
        self._forms = forms

    def find(self, data: bytes) -> list[str]:
        """The forms that are in this."""
        # Hexadecimal digits come in both cases
        lower = data.lower()
        return [form for form, needle in self._forms.items() if needle in data or needle in lower]

    def find_in_folder(self, folder: Path) -> tuple[int, list[str]]:
        """How many files there are below a folder, and what was found in their names and contents."""
        count, found = 0, []
        for file in folder.rglob("*"):
            found += [f"{file}: {form} in its name" for form in self.find(os.fsencode(file.name))]
            if file.is_file():
                count += 1
                found += [f"{file}: {form}" for form in self.find(file.read_bytes())]
        return count, found


class ProcessWatch:
    """Looks at the command line and the environment of every process of this test, again and again.

    Args:
        needles: What to look for.

    Attributes:
        found: Where something was.
        seen: The command lines that were looked at.
    """

    def __init__(self, *needles: Needles) -> None:
        self._needles = needles
        self._mark = f"{leaks.MARK}={os.environ[leaks.MARK]}".encode()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch")
        self.found: set[str] = set()
        self.seen: set[bytes] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.05):
            for folder in Path("/proc").iterdir():
                if folder.name.isdecimal() and int(folder.name) != os.getpid():
                    self._look(folder)

    def _look(self, folder: Path) -> None:
        try:
            command = (folder / "cmdline").read_bytes()
            try:
                environment = (folder / "environ").read_bytes()
            except PermissionError:
                # Ours show it to root only (app.core_files); the command line is everybody's
                environment = self._mark if leaks.descends(int(folder.name), os.getpid()) else b""
            if self._mark not in environment:
                return
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return
        self.seen.add(command)
        for what, data in (("command line", command), ("environment", environment)):
            for needles in self._needles:
                self.found.update(f"{what} of {command!r}: {form}" for form in needles.find(data))
