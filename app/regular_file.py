"""Reads a whole file that must be an ordinary one, and not too large: a path may come from somebody else.

A device, a pipe or a socket can give bytes without an end or wait for ever, and opening one can do something.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from pathlib import Path, PureWindowsPath

_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
# A pipe does not wait for a writer, and a terminal does not become ours
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)

_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])", re.IGNORECASE
)
_LONG_PATH = re.compile(r"\\\\\?\\[A-Za-z]:\\")


class OddFileError(OSError):
    """It is no ordinary file, or too large; `strerror` says what it is, a clause for a person."""

    def __init__(self, what: str) -> None:
        super().__init__(errno.EINVAL, what)


def read_regular_file(path: Path, most: int) -> bytes:
    """Read all of a file; links to one are followed.

    Args:
        path: The file.
        most: Bytes that it may have.

    Raises:
        OddFileError: It is something else than an ordinary file, or larger than that.
        OSError: It can't be read.
        ValueError: No file can have such a name.
    """
    if sys.platform == "win32" and (what := odd_windows_path(os.fspath(path))):
        raise OddFileError(what)
    _check(os.stat(path), most)
    with os.fdopen(os.open(path, _FLAGS), "rb") as file:
        # Once more, of what was opened: the name may mean something else by now
        _check(os.fstat(file.fileno()), most)
        data: bytes | None = file.read(most + 1)
    if data is None:  # a file of the system that has nothing yet
        raise OddFileError("it gives no data")
    if len(data) > most:
        raise _too_large(most)
    return data


def odd_windows_path(path: str) -> str:
    r"""What a path means on Windows other than a file of this computer; empty for an ordinary one.

    `NUL` and `COM1` are devices in every folder, with any ending. `\\server\share` makes Windows sign in at
    that server, which a file from somebody else must not be able to cause.
    """
    plain = path.replace("/", "\\")
    if _LONG_PATH.match(plain):
        plain = plain[4:]
    elif plain.startswith(("\\\\?\\UNC\\", "\\\\?\\unc\\")):
        return "it is on another computer; copy it to this one"
    elif plain.startswith(("\\\\.\\", "\\\\?\\", "\\??\\")):
        return "it is a device, not a file"
    elif plain.startswith("\\\\"):
        return "it is on another computer; copy it to this one"
    parts = PureWindowsPath(plain).parts
    if any(_DEVICE.fullmatch(re.split("[.:]", part, maxsplit=1)[0].rstrip(" ")) for part in parts):
        return "it is a device, not a file"
    return ""


def _check(found: os.stat_result, most: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = next((words for is_it, words in _KINDS if is_it(found.st_mode)), "something else")
        raise OddFileError(f"it is {kind}, not a file")
    if found.st_size > most:
        raise _too_large(most)


def _too_large(most: int) -> OddFileError:
    return OddFileError(f"it is larger than {most // 1_000_000} MB")
