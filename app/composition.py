"""Builds the parts and hands them to each other; nothing else knows all of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.desk import Desk
    from app.paths import Paths


def run(arguments: list[str]) -> int:
    """Run the command line, or the window when there is no command; returns the exit code."""
    from app.cli.arguments import build_parser, settings_help

    parser = build_parser()
    if "--help-settings" in arguments:
        from app.cli.output import say

        say(settings_help())
        return 0
    parsed = parser.parse_args(arguments)
    if parsed.command is None:
        return _window(parsed.data_dir)

    from app.cli.commands import run_command

    return run_command(
        parsed, lambda: build_desk(_paths(parsed.data_dir), this_run_only=parsed.command == "demo")
    )


def build_desk(paths: Paths, *, this_run_only: bool = False) -> Desk:
    """A desk on the given folders, with the system's keyring where there is one.

    Args:
        paths: Where data and logs are.
        this_run_only: Keep passwords in memory; the demo needs no keyring and should wake none.

    Raises:
        StoreError: The data folder or its database can't be used.
    """
    from app.desk import Desk
    from app.logs import child_logger, start_logging
    from app.store import Store
    from app.vault import RunOnlyVault, open_vault

    start_logging(paths)
    store = Store.open(paths)
    vault, note = (RunOnlyVault(), None) if this_run_only else open_vault()
    return Desk(store, vault, vault_note=str(note) if note else "", on_log=child_logger())


def _paths(data_dir: Path | None) -> Paths:
    from app.paths import default_paths, paths_in

    return paths_in(data_dir) if data_dir else default_paths()


def _window(data_dir: Path | None) -> int:
    from app.errors import UserError

    try:
        paths = _paths(data_dir)
    except UserError as error:
        sys.stderr.write(f"ringback: {error}\n")
        return 2
    from app.ui.window import open_window

    return open_window(lambda: build_desk(paths), paths)
