"""Everything that Ringback prints goes through here: one line at a time, with nothing hidden in it.

What is printed holds text from networks and files. Characters that a terminal acts on are shown as what they
are (`app.model.visible`); a line break or a tab is there only where we put it.

Nothing here raises. When nobody reads our output any more, as behind `| head`, the rest of it is dropped,
whoever asked `when_lost` is called, and `exit_code` gives the code that other tools end with.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, TextIO

from app.model.visible import visible_json, visible_line, without_surrogates

READER_GONE = 1 if sys.platform == "win32" else 141
"""Exit code once nobody reads our output: what a shell reports for a tool that SIGPIPE ended, 128 + 13.
Windows has no such signal."""
_FAILED = 1

_GONE = frozenset({errno.EPIPE, errno.ECONNRESET, *([errno.EINVAL] if sys.platform == "win32" else [])})
"""The reader of a pipe or a socket has ended; Windows reports EINVAL for a pipe."""


class _Output:
    """What became of standard output and standard error.

    Attributes:
        lost: Why nothing more can be written; None as long as it can.
        watchers: Are called when it is lost.
    """

    def __init__(self) -> None:
        self.lost: OSError | None = None
        self.watchers: list[Callable[[], object]] = []
        self.lock = threading.Lock()


_output = _Output()


def say(line: str = "") -> None:
    """Print one line on standard output now, so that a person can follow what happens."""
    _write_line(sys.stdout, line)


def say_err(line: str) -> None:
    """Print one line on standard error."""
    _write_line(sys.stderr, line)


def say_lines(text: str, indent: str = "", first: str | None = None, *, err: bool = False) -> None:
    """Print text that may have several lines, each behind an indent, so that none passes for one of ours.

    Args:
        text: From outside or not.
        indent: In front of each line.
        first: In front of the first line instead.
        err: On standard error.
    """
    show = say_err if err else say
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n")):
        show(f"{indent if number or first is None else first}{line}")


def say_json(value: Any) -> None:
    """Print one JSON object, in UTF-8 (RFC 8259 section 8.1) whatever the terminal's encoding is."""
    import msgspec  # late: `--help` does without it

    try:
        raw = msgspec.json.encode(value)
    except UnicodeEncodeError:
        raw = msgspec.json.encode(_encodable(msgspec.to_builtins(value)))
    say_document(visible_json(msgspec.json.format(raw, indent=2).decode()) + "\n")


def say_document(text: str) -> None:
    """Print a JSON document or a table as it is, in UTF-8; who wrote it has left nothing hidden in it."""
    _write(sys.stdout, without_surrogates(text).encode())


@contextlib.contextmanager
def when_lost(act: Callable[[], object]) -> Iterator[None]:
    """Call `act` when nothing more can be printed, or at once if that is so already; from any thread."""
    _output.watchers.append(act)
    try:
        if _output.lost is not None:
            act()
        yield
    finally:
        _output.watchers.remove(act)


def output_lost() -> bool:
    """Whether nothing more can be printed."""
    return _output.lost is not None


def exit_code(code: int) -> int:
    """The exit code of a command that would end with `code`, if only its output could be written."""
    if _output.lost is None:
        return code
    return READER_GONE if _output.lost.errno in _GONE else code or _FAILED


def hold_streams() -> None:
    """Keep the numbers of standard input, output and error from being given to other files.

    A shell can start a program with them closed (`2>&-`). The next files that are opened, such as a database,
    would get their numbers, and whatever prints there would write into the file.
    """
    if sys.platform == "win32":
        return
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number, which is this one
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def install_hooks() -> None:
    """Have Python print what nobody has caught through here, until there is a log for it."""

    def of_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            say_err(f"Exception in thread {args.thread.name if args.thread else ''}:")
            _say_traceback(args.exc_type, args.exc_value, args.exc_traceback)

    def unraisable(args: sys.UnraisableHookArgs) -> None:
        say_err(f"{args.err_msg or 'Exception ignored in'}: {args.object!r}")
        if args.exc_value is not None:
            _say_traceback(args.exc_type, args.exc_value, args.exc_traceback)

    sys.excepthook = _say_traceback
    sys.unraisablehook = unraisable
    threading.excepthook = of_thread


def _say_traceback(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    import traceback  # late: with luck nobody needs it

    for block in traceback.format_exception(kind, error, trace):
        for line in block.rstrip("\n").split("\n"):
            say_err(line)


def _write_line(out: TextIO | None, line: str) -> None:
    coding = (out and out.encoding) or "ascii"
    # A Windows console with an old code page: a question mark is better than no verdict
    _write(out, f"{visible_line(line)}{os.linesep}".encode(coding, "replace"))


def _write(out: TextIO | None, data: bytes) -> None:
    if out is None:  # closed by the shell, or a window started from the desktop of Windows
        return
    try:
        out.flush()
        # With PYTHONUNBUFFERED this is the file itself, which may take only a part, and says so by no error
        rest = memoryview(data)
        while rest:
            taken: int | None = out.buffer.write(rest)
            if taken is None:  # somebody has made it non-blocking, and it is full
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
            rest = rest[taken:]
        out.buffer.flush()
    except (OSError, ValueError) as error:
        # ValueError: Python has closed the stream, as at the interpreter's end
        _note_loss(out, error if isinstance(error, OSError) else OSError(errno.EBADF, str(error)))


def _note_loss(out: TextIO, error: OSError) -> None:
    with _output.lock:
        first, _output.lost = _output.lost is None, _output.lost or error
    # What is left in the stream's buffer is written again when the interpreter ends, and would fail again
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, out.fileno())
        os.close(nowhere)
    if not first:
        return
    if error.errno not in _GONE and out is not sys.stderr:
        say_err(f"ringback: The output can't be written: {error.strerror or error}.")
    for act in tuple(_output.watchers):
        act()


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return without_surrogates(value)
    if isinstance(value, dict):
        return {_encodable(key): _encodable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(each) for each in value]
    return value
