"""Builds the parts and hands them to each other; nothing else knows all of them."""

from __future__ import annotations

from contextlib import ExitStack
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

    with ExitStack() as stack:
        return run_command(parsed, lambda: build_desk(_started(parsed.data_dir, stack)))


def build_desk(paths: Paths) -> Desk:
    """A desk on the given folders, with the system's keyring where there is one.

    Raises:
        StoreError: The data folder or its database can't be used.
    """
    from app.desk import Desk
    from app.logs import log_child_line
    from app.store import Store
    from app.vault import open_vault

    return Desk(Store.open(paths), open_vault, on_log=log_child_line)


def _started(data_dir: Path | None, stack: ExitStack) -> Paths:
    """The folders, with the log begun in them; `stack` ends it."""
    from app.logs import install_excepthook, start_logging, stop_logging
    from app.paths import default_paths, paths_in

    paths = paths_in(data_dir) if data_dir else default_paths()
    handler = start_logging(paths)
    stack.callback(stop_logging, handler)
    install_excepthook(paths)
    return paths


def _window(data_dir: Path | None) -> int:
    from app.errors import UserError
    from app.ui.window import open_window, show_error

    with ExitStack() as stack:
        try:
            paths = _started(data_dir, stack)
            from app.instance import InstanceLock

            stack.enter_context(InstanceLock(paths))
        except UserError as error:
            show_error(error)
            return 2
        return open_window(lambda: build_desk(paths), paths)
