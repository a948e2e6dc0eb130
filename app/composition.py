"""Builds the parts and hands them to each other; nothing else knows all of them."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.desk import Desk
    from app.paths import Paths
    from app.store import Store
    from app.ui.bridge import FirstLook


def run(arguments: list[str]) -> int:
    """Run the command line, or the window when there is no command; returns the exit code."""
    if not arguments:
        # A double click: there are no words to understand, and what understands them takes a while to load
        return _window(None)
    from app.cli.arguments import build_parser, settings_help
    from app.terminal import exit_code, hold_streams, install_hooks, say

    hold_streams()
    install_hooks()
    parser = build_parser()
    if "--help-settings" in arguments:
        for line in settings_help():
            say(line)
        return exit_code(0)
    parsed = parser.parse_args(arguments)
    if parsed.command is None:
        return _window(parsed.data_dir)

    from app.cli.commands import run_command
    from app.core_files import keep_others_out

    keep_others_out()
    with ExitStack() as stack:
        return run_command(parsed, lambda: build_desk(_started(parsed.data_dir, stack)))


def build_desk(paths: Paths, store: Store | None = None) -> Desk:
    """A desk on the given folders, with the system's keyring where there is one.

    Args:
        paths: Where data and logs are.
        store: The opened data folder, when it is open already.

    Raises:
        StoreError: The data folder or its database can't be used.
    """
    from app.desk import Desk
    from app.logs import log_child_line
    from app.store import Store
    from app.vault import open_vault

    return Desk(store or Store.open(paths), open_vault, on_log=log_child_line)


def _started(data_dir: Path | None, stack: ExitStack) -> Paths:
    """The folders, with the log begun in them; `stack` ends it."""
    from app.logs import install_excepthook

    paths = _folders(data_dir)
    _begin_log(paths, stack)
    install_excepthook(paths)
    return paths


def _folders(data_dir: Path | None) -> Paths:
    from app.paths import default_paths, paths_in

    return paths_in(data_dir) if data_dir else default_paths()


def _begin_log(paths: Paths, stack: ExitStack) -> None:
    from app.logs import start_logging, stop_logging

    stack.callback(stop_logging, start_logging(paths))


class _WindowData:
    """What a window's thread reads before there is a desk, then the desk on the same open store.

    The trunks are on screen before the log and the desk are imported, which takes as long as Qt itself.
    """

    def __init__(self, paths: Paths, stack: ExitStack) -> None:
        self._paths = paths
        self._stack = stack
        self._store: Store | None = None

    def look(self, keys: tuple[str, ...]) -> FirstLook:
        """The saved trunks, and what the window remembered."""
        from app.errors import StoreError
        from app.store import Store, window_setting
        from app.ui.bridge import FirstLook

        try:
            self._store = store = Store.open(self._paths)
        except StoreError:
            gc.enable()  # there will be no desk to do it
            raise
        recalled = {key: store.setting(window_setting(key)) for key in keys}
        # Whether their settings are still valid is found out with the desk; it takes a while to load
        return FirstLook(trunks=store.trunks(check=False), recalled=recalled)

    def build(self) -> Desk:
        """The desk."""
        gc.enable()
        _begin_log(self._paths, self._stack)
        return build_desk(self._paths, self._store)


_DISPLAYS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def _window(data_dir: Path | None) -> int:
    # Qt would end the process with an abort and a page of words
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in _DISPLAYS):
        from app.terminal import exit_code, say_err

        say_err("ringback: There is no display for the window here.")
        say_err("  Try `ringback demo` in this terminal; `ringback --help` lists what else there is.")
        return exit_code(2)

    # What is made until the trunks are on screen stays; looking for garbage in it takes a tenth of the time
    gc.disable()

    from app.errors import UserError
    from app.ui.window import open_window, show_error

    with ExitStack() as stack:
        try:
            paths = _folders(data_dir)
            from app.instance import InstanceLock

            stack.enter_context(InstanceLock(paths))
        except UserError as error:
            show_error(error)
            return 2
        data = _WindowData(paths, stack)
        return open_window(data.build, paths, data.look)
