"""The words of the command line and what they may be."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from app import __version__


class _NoPassword(argparse.Action):
    """Tells that `--password` does not exist, without repeating what was behind it."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> NoReturn:
        parser.error(
            "a password is never an option, because other programs can read those; use --password-stdin. "
            "If you just typed a real one, it may now be in the history of your shell."
        )


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; without a command the window opens."""
    parser = argparse.ArgumentParser(
        prog="ringback",
        description="Sets up SIP trunks, places real test calls and says in plain words whether they work. "
        "Without a command the window opens.",
        # An option that is cut short could become another one with the next version
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"Ringback {__version__}")
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="keep trunks and logs in DIR instead of the usual place"
    )
    parser.add_argument(
        "--help-settings", action="store_true", help="list the settings of `ringback add --set` and exit"
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    # The same word is understood in front of the command and behind it
    common.add_argument(
        "--data-dir", type=Path, metavar="DIR", default=argparse.SUPPRESS, help="as in front of the command"
    )
    secret = argparse.ArgumentParser(add_help=False)
    secret.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password from standard input: its first line, whatever is in it",
    )
    secret.add_argument("--password", nargs="?", action=_NoPassword, help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, about: str, *more: argparse.ArgumentParser) -> argparse.ArgumentParser:
        return commands.add_parser(
            name, parents=[common, *more], help=about, description=about, allow_abbrev=False
        )

    demo = command("demo", "register with the built-in carrier, call its echo, give a verdict")
    demo.add_argument("--seconds", type=float, default=4.0, metavar="N", help="length of the call (4)")

    carrier = command("carrier", "run the demo carrier by hand")
    carrier.add_argument("--port", type=int, default=None, metavar="N", help="UDP and TCP port (5070)")

    add = command("add", "save a new trunk", secret)
    add.add_argument("--name", required=True, metavar="N", help="what you call it")
    add.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="settings",
        help="one setting, as often as needed; `ringback --help-settings` lists them",
    )

    register = command("register", "sign a trunk in and tell how it went", secret)
    register.add_argument("name", metavar="NAME", help="what you called the trunk")
    register.add_argument("--stay", action="store_true", help="stay registered until Ctrl-C")

    call = command("call", "place a test call through a trunk", secret)
    call.add_argument("name", metavar="NAME", help="what you called the trunk")
    call.add_argument("number", metavar="NUMBER", help="whom to call; emergency numbers are never dialled")
    call.add_argument("--seconds", type=float, default=10.0, metavar="N", help="hang up after N seconds (10)")
    call.add_argument(
        "--ring-seconds", type=float, default=45.0, metavar="N", help="give up ringing after N seconds (45)"
    )
    call.add_argument(
        "--send", choices=("tone", "speech", "silence"), default="tone", help="what our side sends (tone)"
    )

    command("trunks", "list the saved trunks")

    remove = command("remove", "delete a trunk and its password")
    remove.add_argument("name", metavar="NAME", help="what you called the trunk")
    return parser


def settings_help() -> str:
    """All keys of `--set`, one a line."""
    from app.model.settings import SETTINGS

    lines = ["Settings of `ringback add --set KEY=VALUE`:"]
    lines += [
        f"  {setting.key:<10} {setting.help} Example: {setting.key}={setting.example}"
        for setting in SETTINGS
        if setting.key != "name"
    ]
    return "\n".join(lines)
