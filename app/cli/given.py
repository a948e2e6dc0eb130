"""What commands are given: pairs of key and value, passwords, names."""

from __future__ import annotations

import argparse
import re
import shlex
import sys

from app.errors import SettingError
from app.model.password import check_password


def read_password() -> str:
    """The first line of standard input, without its line end; blanks in it are kept.

    Raises:
        UserError: There is none, or it can't be a password.
    """
    if sys.stdin is None:  # a program without a console on Windows
        line = ""
    elif sys.stdin.isatty():
        from getpass import getpass

        line = getpass("Password: ", stream=sys.stderr)
    else:
        try:
            line = sys.stdin.buffer.readline().decode(sys.stdin.encoding or "utf-8")
        except UnicodeDecodeError:
            # Without the cause: its text shows what could not be read
            raise SettingError(
                f"The password on standard input is not text in {sys.stdin.encoding}.",
                do="Type it anew into a text file, save that in UTF-8, and hand it over again.",
                field="password",
            ) from None
    # PowerShell puts a byte order mark in front of what it hands over
    password = line.removeprefix("\ufeff").rstrip("\r\n")
    if not password:
        raise SettingError(
            "There is no password on standard input.",
            do="Hand it over as the first line, for example from a file: --password-stdin < password.txt",
            field="password",
        )
    check_password(password)
    return password


def password_of(arguments: argparse.Namespace) -> str | None:
    """What `--password-stdin` hands over, None without it."""
    return read_password() if arguments.password_stdin else None


def parse_pairs(pairs: list[str], option: str = "set") -> dict[str, str]:
    """Words like `port=5060` as settings by key.

    Args:
        pairs: The words.
        option: The option that they stand behind, for the message; empty for none.

    Raises:
        SettingError: There is no `=` in one, or a key twice.
    """
    front = f"--{option} " if option else ""
    settings: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise SettingError(
                f"{front}{pair} has no value.", do="Write it as KEY=VALUE, for example port=5060."
            )
        if key in settings:
            raise SettingError(f"{key} is set twice.", do="Set it once.", field=key)
        settings[key] = value
    return settings


def quoted(name: str) -> str:
    """As it can be pasted into a terminal."""
    if re.fullmatch(r"\w[\w.+-]*", name):
        return name
    plain = sys.platform == "win32" or not re.search(r'["$`\\!]', name)
    return f'"{name}"' if plain else shlex.quote(name)
