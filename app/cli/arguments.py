"""The words of the command line and what they may be."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from app import __version__
from app.model.visible import visible_line
from app.terminal import exit_code, say, say_err

if TYPE_CHECKING:
    from _typeshed import SupportsWrite


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


class _Parser(argparse.ArgumentParser):
    """Prints as all of Ringback does; what was typed is repeated with nothing hidden in it."""

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        # argparse's own hook for everything that it prints; `file` is None when the shell has closed it
        if message and file is not None:
            show = say_err if file is sys.stderr else say
            for line in message.removesuffix("\n").split("\n"):
                show(line)

    def error(self, message: str) -> NoReturn:
        if sys.stderr is not None:
            self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: error: {visible_line(message)}\n")

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        super().exit(exit_code(status), message)


def build_parser() -> _Parser:
    """The parser of the whole command line; without a command the window opens."""
    parser = _Parser(
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
    common = _Parser(add_help=False)
    common.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    # The same word is understood in front of the command and behind it
    common.add_argument(
        "--data-dir", type=Path, metavar="DIR", default=argparse.SUPPRESS, help="as in front of the command"
    )
    secret = _Parser(add_help=False)
    secret.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the password from standard input: its first line, whatever is in it",
    )
    secret.add_argument("--password", nargs="?", action=_NoPassword, help=argparse.SUPPRESS)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def command(name: str, about: str, *more: _Parser) -> _Parser:
        return commands.add_parser(
            name, parents=[common, *more], help=about, description=about, allow_abbrev=False
        )

    demo = command("demo", "register with the built-in carrier, call its echo, give a verdict")
    demo.add_argument("--seconds", type=float, default=4.0, metavar="N", help="length of the call (4)")

    carrier = command("carrier", "run the demo carrier by hand")
    carrier.add_argument(
        "--port", type=int, default=None, metavar="N", help="UDP and TCP port (5070); TLS has the next"
    )
    carrier.add_argument(
        "--as", default="", metavar="ID", dest="provider", help="play this provider; see `ringback providers`"
    )
    carrier.add_argument(
        "--method", default="", metavar="M", help="how its customers sign in, if not in the usual way"
    )
    carrier.add_argument(
        "--encrypted",
        action="store_true",
        help="its customer has switched encryption on",
    )
    bad = "; makes its lines bad"
    carrier.add_argument("--loss", type=float, default=0.0, metavar="P", help=f"per cent of sound lost{bad}")
    carrier.add_argument("--jitter", type=float, default=0.0, metavar="MS", help=f"jitter of its sound{bad}")
    carrier.add_argument("--delay", type=float, default=0.0, metavar="MS", help=f"delay each way{bad}")

    add = command("add", "save a new trunk", secret)
    add.add_argument("--name", default="", metavar="N", help="what you call it")
    add.add_argument("--provider", default="", metavar="ID", help="whose it is; see `ringback providers`")
    add.add_argument("--method", default="", metavar="M", help="how it signs in, if not in the usual way")
    add.add_argument(
        "--answer",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="answers",
        help="one answer to what the provider asks; `ringback providers ID` lists them",
    )
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
    _add_within(call)

    answer = command("answer", "wait for a call through a trunk and answer it", secret)
    answer.add_argument("name", metavar="NAME", help="what you called the trunk")
    answer.add_argument(
        "--seconds", type=float, default=30.0, metavar="N", help="hang up after N seconds (30)"
    )
    answer.add_argument(
        "--wait", type=float, default=0.0, metavar="N", help="give up when no call came in N seconds"
    )
    answer.add_argument(
        "--ring", type=float, default=1.0, metavar="N", help="let it ring N seconds first (1)"
    )
    answer.add_argument("--stay", action="store_true", help="go on with the next call until Ctrl-C")
    instead = answer.add_mutually_exclusive_group()
    instead.add_argument("--reject", choices=("busy", "decline"), help="turn calls away instead")
    instead.add_argument("--forward", default="", metavar="NUMBER", help="send calls on to NUMBER instead")
    _add_within(answer)

    providers = command("providers", "list the providers, or what one of them asks")
    providers.add_argument("id", nargs="?", default="", metavar="ID", help="one of them")

    _add_history(command("history", "list the calls that were made, and what came of them"))

    _add_keeping(command, secret)
    return parser


def _add_history(parser: _Parser) -> None:
    """The options of `app.cli.history`."""
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="only calls of this trunk")
    parser.add_argument("--search", default="", metavar="TEXT", help="words or a number to look for")
    parser.add_argument("--direction", choices=("in", "out"), help="only calls that went out, or came in")
    parser.add_argument("--result", default="", metavar="WORD", help="only calls with this result")
    parser.add_argument("--days", type=float, default=0.0, metavar="N", help="only the last N days")
    parser.add_argument(
        "--limit", type=int, default=None, metavar="N", help="at most N calls, the newest (20; 0: all)"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--csv", default="", metavar="FILE", help="write a table to FILE; - prints it")
    what.add_argument("--show", type=int, metavar="ID", help="all about one call, with its SIP messages")
    what.add_argument("--delete", default="", metavar="ID", help="delete that call; all: all that are found")
    what.add_argument(
        "--keep-days", type=int, default=None, metavar="N", help="from now on keep calls N days (0: for ever)"
    )


def _add_within(parser: _Parser) -> None:
    """What can be done within a call."""
    parser.add_argument(
        "--send",
        choices=("tone", "speech", "microphone", "silence"),
        default="tone",
        help="what our side sends (tone)",
    )
    parser.add_argument("--hear", action="store_true", help="play the call on the loudspeaker")
    parser.add_argument("--digits", default="", metavar="D", help="keys to press once it is answered")
    parser.add_argument(
        "--record", type=Path, default=None, metavar="FILE", help="record both sides in a new WAV file"
    )


def _add_keeping(command: Callable[..., _Parser], secret: _Parser) -> None:
    """The commands of `app.cli.keeping`."""

    def of_one(name: str, about: str, *more: _Parser) -> _Parser:
        parser = command(name, about, *more)
        parser.add_argument("name", metavar="NAME", help="what you called the trunk")
        return parser

    command("trunks", "list the saved trunks")
    change = of_one("set", "change settings of a trunk", secret)
    change.add_argument(
        "settings",
        nargs="*",
        metavar="KEY=VALUE",
        help="one setting, as often as needed; `ringback --help-settings` lists them",
    )
    rename = of_one("rename", "give a trunk another name")
    rename.add_argument("new_name", metavar="NEW", help="what to call it from now on")
    of_one("duplicate", "copy a trunk with its password; the copy is switched off")
    move = of_one("move", "put a trunk at another place of the list")
    move.add_argument("position", type=int, metavar="POSITION", help="1 is the first place")
    of_one("remove", "delete a trunk and its password")

    export = command("export", "give out trunks as a text, without passwords")
    export.add_argument("names", nargs="*", metavar="NAME", help="which ones; all if none is named")
    export.add_argument("--file", type=Path, default=None, metavar="F", help="write it to F")

    take_in = command("import", "save the trunks of such a text, or of a table")
    take_in.add_argument("file", metavar="FILE", help="what to read; - is standard input")
    take_in.add_argument("--rename", action="store_true", help="put a number behind names that are taken")
    take_in.add_argument("--csv", action="store_true", help="it is a table; so is a file that ends in .csv")
    take_in.add_argument("--dry-run", action="store_true", help="only show what would be saved")


def settings_help() -> list[str]:
    """All keys of `--set`, a line each."""
    from app.model.settings import SETTINGS

    width = max(len(setting.key) for setting in SETTINGS)
    lines = ["Settings of `ringback add --set KEY=VALUE` and `ringback set NAME KEY=VALUE`:"]
    lines += [
        f"  {setting.key:<{width}}  {setting.help} Example: {setting.key}={setting.example}"
        for setting in SETTINGS
        if setting.key != "name"
    ]
    return lines
