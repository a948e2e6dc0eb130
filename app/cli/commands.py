"""What each command does; exit code 0 only when the thing worked."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import shlex
import signal
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any

from app.checks.diagnosis import explain_call, explain_registration, headline, worst
from app.cli import output
from app.cli.output import say, say_figures
from app.desk import DEMO_NUMBER, Desk, check_length
from app.errors import SettingError, StoreError, UserError
from app.model.finding import Finding, Verdict
from app.model.host import HostPort
from app.model.outcome import CallOutcome, CallResult, Direction, RegisterOutcome
from app.model.trunk import Trunk, TrunkState
from app.sip.messages import CallState, Source
from app.sip.notices import CallProgress, EngineLost, Notice, TrunkChanged
from app.vault import check_password

WORKED, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130
"""Exit codes: it worked; it was tried and did not work; it could not be tried; Ctrl-C."""

DEMO_RING_SECONDS = 10.0

OpenDesk = Callable[[], Desk]


def run_command(arguments: argparse.Namespace, open_desk: OpenDesk) -> int:
    """Run the command and return the exit code; a refusal is printed, a bug is not caught."""
    if arguments.command == "carrier":
        return _carrier(arguments)
    commands: dict[str, Callable[[argparse.Namespace, Desk], Coroutine[Any, Any, int]]] = {
        "demo": _demo,
        "add": _add,
        "register": _register,
        "call": _call,
        "trunks": _trunks,
        "remove": _remove,
    }
    try:
        return asyncio.run(_with_desk(commands[arguments.command], arguments, open_desk))
    except UserError as error:
        return _refused(error, arguments.json)
    except (KeyboardInterrupt, asyncio.CancelledError):
        say("ringback: stopped; nothing is left running.", sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever reads our output has gone, as `head` does; Python's flush at the end must not trip again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


async def _with_desk(
    command: Callable[[argparse.Namespace, Desk], Coroutine[Any, Any, int]],
    arguments: argparse.Namespace,
    open_desk: OpenDesk,
) -> int:
    # SIGINT is turned into a cancellation by asyncio.run; a service manager's SIGTERM should be as gentle
    task = asyncio.current_task()
    assert task is not None
    with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers on its loop
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    desk = open_desk()
    try:
        return await command(arguments, desk)
    finally:
        await desk.close()


def _refused(error: UserError, as_json: bool) -> int:
    if as_json:
        output.say_json(output.error_json(error))
    else:
        output.say_error(error)
    return REFUSED


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


def _password(arguments: argparse.Namespace) -> str | None:
    return read_password() if arguments.password_stdin else None


def _parse_settings(pairs: list[str]) -> dict[str, str]:
    settings: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise SettingError(
                f"--set {pair} has no value.", do="Write it as KEY=VALUE, for example port=5060."
            )
        if key in settings:
            raise SettingError(f"{key} is set twice.", do="Set it once.", field=key)
        settings[key] = value
    return settings


def _carrier(arguments: argparse.Namespace) -> int:
    from app.sip.carrier.by_hand import run_by_hand

    try:
        return run_by_hand(arguments.port, as_json=arguments.json)
    except UserError as error:
        return _refused(error, arguments.json)


async def _add(arguments: argparse.Namespace, desk: Desk) -> int:
    settings = _parse_settings(arguments.settings)
    password = _password(arguments)
    trunk, mended = await desk.add(arguments.name, settings, password or "")
    kept = password is not None and not desk.vault_note
    if arguments.json:
        output.say_json(
            {
                "trunk": output.trunk_json(trunk),
                "mended": [{"field": mend.key, "what": mend.what} for mend in mended],
                "password_saved": kept,
                "note": desk.vault_note or None,
            }
        )
        return WORKED
    for mend in mended:
        say(f"{mend.key}: {mend.what}")
    by_hand = " --password-stdin" if trunk.register and not kept else ""
    if desk.vault_note:
        say(f"The password was not saved. {desk.vault_note}")
        say("Until then, hand it over each time with --password-stdin.")
    say(f"{trunk.name} is saved. Try it: ringback register {_quoted(trunk.name)}{by_hand}")
    return WORKED


async def _trunks(arguments: argparse.Namespace, desk: Desk) -> int:
    trunks = desk.trunks()
    if arguments.json:
        output.say_json({"trunks": [output.trunk_json(trunk) for trunk in trunks]})
    elif not trunks:
        say("No trunks yet. Add one with `ringback add`, or try `ringback demo`.")
    else:
        width = max(len(trunk.name) for trunk in trunks)
        for trunk in trunks:
            where = HostPort(host=trunk.host, port=trunk.port)
            how = "registers" if trunk.register else "does not register"
            who = f"{trunk.user}@" if trunk.user else ""
            say(f"{trunk.name:<{width}}  {trunk.transport}  {who}{where}  {how}")
    return WORKED


async def _remove(arguments: argparse.Namespace, desk: Desk) -> int:
    name = arguments.name
    with contextlib.suppress(StoreError):  # one that can't be read can still be removed
        name = desk.by_name(name).name
    await desk.remove(desk.id_of(name))
    if arguments.json:
        output.say_json({"removed": name, "note": desk.vault_note or None})
    elif desk.vault_note:
        say(f"{name} is deleted. If its password was saved, it is still in the keyring. {desk.vault_note}")
    else:
        say(f"{name} and its password are deleted.")
    return WORKED


async def _register(arguments: argparse.Namespace, desk: Desk) -> int:
    trunk = desk.by_name(arguments.name)
    outcome, findings = await _sign_in(desk, trunk, _password(arguments), quiet=arguments.json)
    if arguments.json:
        output.say_json(output.register_json(outcome, findings))
    else:
        _say_verdict(findings)
    worked = outcome.state in (TrunkState.REGISTERED, TrunkState.REACHABLE)
    if arguments.stay and worked:
        if not arguments.json:
            say("Staying signed in. Ctrl-C signs out and ends.")
            desk.listen(_say_state)
        await asyncio.Event().wait()
    return WORKED if worked else FAILED


async def _call(arguments: argparse.Namespace, desk: Desk) -> int:
    trunk = desk.by_name(arguments.name)
    desk.check_call(
        trunk.id, arguments.number, max_seconds=arguments.seconds, ring_seconds=arguments.ring_seconds
    )
    outcome, findings = await _sign_in(desk, trunk, _password(arguments), quiet=arguments.json)
    if outcome.state not in (TrunkState.REGISTERED, TrunkState.REACHABLE):
        return _call_not_tried(arguments, outcome, findings)
    call, call_findings = await _place(
        desk,
        trunk,
        arguments.number,
        seconds=arguments.seconds,
        ring_seconds=arguments.ring_seconds,
        source=Source(arguments.send),
        quiet=arguments.json,
    )
    if arguments.json:
        output.say_json(output.call_json(call, call_findings))
    else:
        _say_verdict(call_findings)
        say_figures(call)
    return _worked(call, call_findings)


def _call_not_tried(
    arguments: argparse.Namespace, outcome: RegisterOutcome, findings: tuple[Finding, ...]
) -> int:
    """The trunk could not sign in, so there was no call; the reason stands where the call's would."""
    if arguments.json:
        call = CallOutcome(
            trunk=outcome.trunk,
            number=arguments.number,
            dialled="",
            result=CallResult.FAILED,
            sip_code=outcome.sip_code,
            reason=outcome.reason,
            answered_by=outcome.answered_by,
            local_cause=outcome.local_cause,
        )
        output.say_json(output.call_json(call, findings))
    else:
        say("No call was placed, because the trunk could not sign in.")
        _say_verdict(findings)
    return FAILED


async def _demo(arguments: argparse.Namespace, desk: Desk) -> int:
    quiet = arguments.json
    check_length(arguments.seconds)
    if not quiet:
        say("Starting the demo carrier on this computer …")
    trunk = await desk.start_demo()
    outcome, findings = await _sign_in(desk, trunk, None, quiet=quiet)
    if outcome.state is not TrunkState.REGISTERED:
        if quiet:
            output.say_json(
                {"works": False, "registration": output.register_json(outcome, findings), "call": None}
            )
        else:
            _say_verdict(findings)
        return FAILED
    call, call_findings = await _place(
        desk,
        trunk,
        DEMO_NUMBER,
        seconds=arguments.seconds,
        ring_seconds=DEMO_RING_SECONDS,
        source=Source.TONE,
        quiet=quiet,
    )
    code = _worked(call, call_findings)
    if quiet:
        output.say_json(
            {
                "works": code == WORKED,
                "registration": output.register_json(outcome, findings),
                "call": output.call_json(call, call_findings),
            }
        )
    else:
        _say_verdict(call_findings, before=findings)
        say_figures(call)
    return code


async def _sign_in(
    desk: Desk, trunk: Trunk, password: str | None, *, quiet: bool
) -> tuple[RegisterOutcome, tuple[Finding, ...]]:
    if not quiet:
        say(f"Signing in at {trunk.host} …" if trunk.register else f"Asking {trunk.host} for an answer …")
    outcome = await desk.connect(trunk.id, password)
    return outcome, explain_registration(outcome, trunk)


async def _place(
    desk: Desk,
    trunk: Trunk,
    number: str,
    *,
    seconds: float,
    ring_seconds: float,
    source: Source,
    quiet: bool,
) -> tuple[CallOutcome, tuple[Finding, ...]]:
    if not quiet:
        desk.listen(_say_progress)
        say(f"Calling {number}, {seconds:g} s at most …")
    call_id = await desk.place_call(
        trunk.id, number, max_seconds=seconds, ring_seconds=ring_seconds, source=source
    )
    outcome = await desk.wait_call(trunk.id, call_id)
    return outcome, explain_call(outcome, trunk)


def _say_state(notice: Notice) -> None:
    """What happens to a trunk that stays signed in, a line each time."""
    now = time.strftime("%H:%M:%S")
    match notice:
        case TrunkChanged(state=state, cause=cause) if state is not TrunkState.OFF:
            say(f"{now}  {state}{f': {cause}' if cause else ''}")
        case EngineLost(outcome=outcome):
            say(f"{now}  {outcome} It is started again.")


def _say_progress(notice: Notice) -> None:
    match notice:
        case CallProgress(direction=Direction.OUT, state=state, setup_ms=setup_ms):
            after = f" after {setup_ms:.0f} ms" if setup_ms is not None else ""
            words = {
                CallState.RINGING: f"  ringing{after}",
                CallState.EARLY_MEDIA: f"  sound before the answer{after}",
                CallState.ANSWERED: "  answered; sending a test signal and listening",
            }
            if state in words:
                say(words[state])
        case EngineLost(outcome=outcome):
            say(f"  {outcome}")


def _say_verdict(findings: tuple[Finding, ...], *, before: tuple[Finding, ...] = ()) -> None:
    """The headline of `findings`, then what came before them and they themselves."""
    say()
    say(headline(findings))
    output.say_findings((*before, *findings))


def _worked(outcome: CallOutcome, findings: tuple[Finding, ...]) -> int:
    answered = outcome.result is CallResult.ANSWERED
    return WORKED if answered and worst(findings) is not Verdict.FAIL else FAILED


def _quoted(name: str) -> str:
    """As it can be pasted into a terminal."""
    if re.fullmatch(r"\w[\w.+-]*", name):
        return name
    plain = sys.platform == "win32" or not re.search(r'["$`\\!]', name)
    return f'"{name}"' if plain else shlex.quote(name)
