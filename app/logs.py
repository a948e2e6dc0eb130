"""The log file: what happened, in order, without secrets."""

from __future__ import annotations

import errno
import logging
import logging.handlers
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType

from app.errors import UserError
from app.model.visible import visible_line
from app.paths import Paths, open_private
from app.redact import redact_sip
from app.terminal import say_err

FILE_BYTES = 1_000_000
FILES = 3
"""The newest is `ringback.log`, the oldest `ringback.log.2`."""

_LONGEST_LINE = 4000
_CHILDREN = logging.getLogger("app.child")


def start_logging(paths: Paths) -> logging.Handler:
    """Writes what Ringback logs, and warnings of the libraries, to the log file from now on.

    A log that can't be written, as on a full disk, stops nothing. Several processes can write to one file.

    Returns:
        For `stop_logging`.
    """
    handler = _LogFile(paths.log_file)
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(process)d %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("app").setLevel(logging.INFO)
    return handler


def stop_logging(handler: logging.Handler) -> None:
    """Ends what `start_logging` began."""
    logging.getLogger().removeHandler(handler)
    handler.close()


def log_on_stderr() -> logging.Handler:
    """Prints warnings on standard error from now on; `logging`'s last resort would print any text as it is.

    Returns:
        For `stop_logging`.
    """
    handler = _StderrHandler(logging.WARNING)
    handler.setFormatter(_Formatter("%(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    return handler


def log_child_line(child: str, line: str) -> None:
    """Logs a line that a child process has printed.

    Args:
        child: Which one, such as `engine Office`.
        line: One line of its output, whatever is in it.
    """
    text = line.rstrip()
    _CHILDREN.info("%s: %s", child, text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]} …")


def install_excepthook(paths: Paths, show: Callable[[str], None] | None = None) -> None:
    """Makes errors that nobody has caught go to the log and, in one sentence, to the person.

    Args:
        paths: Where the log is.
        show: Shows a text; prints to standard error when not given. Called in whatever thread failed.
    """

    def tell(error: BaseException, where: str) -> None:
        logging.getLogger("app").critical("Uncaught in %s", where, exc_info=error)
        if isinstance(error, UserError):
            text = str(error)
        else:
            text = (
                f"Ringback made an error of its own, which is not yours. What it was is in {paths.log_file}."
            )
        (show or say_err)(text)

    def in_main(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
        else:
            tell(error, "the main thread")

    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            tell(args.exc_value, f"the thread {args.thread.name if args.thread else ''}")

    sys.excepthook = in_main
    threading.excepthook = in_thread


class _StderrHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Prints a record."""
        try:
            for line in self.format(record).split("\n"):
                say_err(line)
        except Exception:  # noqa: BLE001 - logging's rule: nothing fails because of a line of a log
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Nothing: it would print the record's arguments as they are."""


class _LogFile(logging.handlers.RotatingFileHandler):
    def __init__(self, file: Path) -> None:
        super().__init__(file, maxBytes=FILE_BYTES, backupCount=FILES - 1, encoding="utf-8", delay=True)

    def _open(self) -> TextIOWrapper:
        if os.path.exists(self.baseFilename) and not os.path.isfile(self.baseFilename):
            # To open a pipe would wait for somebody who reads it
            raise FileExistsError(errno.EEXIST, "not a file", self.baseFilename)
        # Readable by this user only; and bytes that are no text must not make a line fail.
        return open(self.baseFilename, "a", encoding="utf-8", errors="backslashreplace", opener=open_private)

    def doRollover(self) -> None:  # noqa: N802 - logging's name
        try:
            super().doRollover()
        except OSError:
            # Windows renames no file that another process writes to. It grows until we are alone.
            self.stream = self._open()

    def close(self) -> None:
        # What could not be written to a full disk is written once more then
        with suppress(OSError):
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Nothing: there is no better place to tell that the log can't be written."""


class _Formatter(logging.Formatter):
    """Formats plain values only; of anything else, such as a command with a password in it, the type."""

    default_msec_format = "%s.%03d"

    def format(self, record: logging.LogRecord) -> str:
        plain = logging.makeLogRecord(record.__dict__)
        plain.msg, plain.args = _message(record), ()
        # Else logging takes over a text that another handler has made.
        plain.exc_text = None
        return _one_record(redact_sip(super().format(plain)))


def _message(record: logging.LogRecord) -> str:
    if not isinstance(record.msg, str):
        return str(_plain(record.msg))
    if not record.args:
        return record.msg
    args = record.args
    try:
        if isinstance(args, tuple):
            return record.msg % tuple(_plain(value) for value in args)
        return record.msg % _Values({key: _plain(value) for key, value in args.items()})
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} (its arguments do not fit)"


class _Values(dict[str, object]):
    """For `%(name)s`. logging takes a lone dict for this also where it was meant for a `%s`."""

    def __repr__(self) -> str:
        return "<dict>"


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | int | float | Path):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(str(_plain(part)) for part in value)
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {value}"
    return f"<{type(value).__name__}>"


def _one_record(text: str) -> str:
    """Later lines are indented, so that no text passes for a record; nothing hidden is left in a line."""
    return "\n    ".join(visible_line(line) for line in text.replace("\r\n", "\n").split("\n"))
