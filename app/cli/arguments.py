"""The words of the command line and what they may be."""

from __future__ import annotations

import argparse
from pathlib import Path

from app import __version__


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; without a command the window opens."""
    parser = argparse.ArgumentParser(
        prog="ringback",
        description="Sets up SIP trunks, places real test calls and says in plain words whether they work. "
        "Without a command the window opens.",
    )
    parser.add_argument("--version", action="version", version=f"Ringback {__version__}")
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="keep trunks and logs in DIR instead of the usual place"
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    # The same word is understood in front of the command and behind it
    common.add_argument("--data-dir", type=Path, metavar="DIR", default=argparse.SUPPRESS)
    secret = argparse.ArgumentParser(add_help=False)
    secret.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password from standard input: its first line, whatever is in it",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    demo = commands.add_parser(
        "demo", parents=[common], help="register with the built-in carrier, call its echo, give a verdict"
    )
    demo.add_argument("--seconds", type=float, default=4.0, metavar="N", help="length of the call")

    carrier = commands.add_parser("carrier", parents=[common], help="run the demo carrier by hand")
    carrier.add_argument("--port", type=int, default=None, metavar="N", help="UDP and TCP port (5070)")

    add = commands.add_parser("add", parents=[common, secret], help="save a new trunk")
    add.add_argument("--name", required=True, metavar="N", help="what you call it")
    add.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="settings",
        help="one setting, as often as needed; `ringback --help-settings` lists them",
    )

    register = commands.add_parser("register", parents=[common, secret], help="sign a trunk in and tell how")
    register.add_argument("name", metavar="NAME")
    register.add_argument("--stay", action="store_true", help="stay registered until Ctrl-C")

    call = commands.add_parser("call", parents=[common, secret], help="place a test call through a trunk")
    call.add_argument("name", metavar="NAME")
    call.add_argument("number", metavar="NUMBER")
    call.add_argument("--seconds", type=float, default=10.0, metavar="N", help="hang up after N seconds (10)")
    call.add_argument(
        "--ring-seconds", type=float, default=45.0, metavar="N", help="give up ringing after N seconds (45)"
    )
    call.add_argument(
        "--send", choices=("tone", "speech", "silence"), default="tone", help="what our side sends"
    )

    commands.add_parser("trunks", parents=[common], help="list the saved trunks")

    remove = commands.add_parser("remove", parents=[common], help="delete a trunk and its password")
    remove.add_argument("name", metavar="NAME")
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
