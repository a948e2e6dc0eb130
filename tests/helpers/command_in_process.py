"""The command line within the test's own process, on stub engines and a data folder of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.cli.arguments import build_parser
from app.cli.commands import run_command
from app.desk import Desk
from app.paths import paths_in
from app.sip.notices import Notice
from app.store import Store
from app.vault import RunOnlyVault, Vault

PASSWORD = "canary-5f0c-kept-out-of-sight"


class InProcess:
    """Runs commands; the engines are what the test has made of them.

    Args:
        folder: For data.
        capsys: Takes what is printed.

    Attributes:
        notices: What the desks have reported.
        vault: Where passwords are kept.
    """

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.notices: list[Notice] = []
        self.vault: Vault = RunOnlyVault()
        self._paths = paths_in(folder)
        self._capsys = capsys

    def desk(self) -> Desk:
        """A desk on the folder."""
        made = Desk(Store.open(self._paths), lambda: (self.vault, None))
        made.listen(self.notices.append)
        return made

    def save(self, name: str, settings: Mapping[str, str]) -> None:
        """Save a trunk with a password."""

        async def add() -> None:
            desk = self.desk()
            try:
                await desk.add(name, settings, PASSWORD)
            finally:
                await desk.close()

        asyncio.run(add())

    def run(self, *words: str) -> int:
        """The exit code of a command; what it printed is in `said`."""
        self._capsys.readouterr()
        return run_command(build_parser().parse_args(list(words)), self.desk)

    @property
    def said(self) -> str:
        """What was printed since, standard output before standard error."""
        captured = self._capsys.readouterr()
        return captured.out + captured.err

    def json(self, *words: str) -> tuple[int, Any]:
        """The exit code and the object of a command."""
        code = self.run(*words, "--json")
        return code, json.loads(self.said)
