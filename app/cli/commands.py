"""What each command does; exit code 0 only when the thing worked."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import time
from collections.abc import Callable
from pathlib import Path

from app.checks.diagnosis import worst
from app.cli import output
from app.cli.calls import answer, call, place, say_verdict, sign_in, worked
from app.cli.exits import FAILED, INTERRUPTED, REFUSED, WORKED
from app.cli.given import parse_pairs, password_of, quoted
from app.cli.history import history
from app.cli.keeping import COMMANDS, Command
from app.cli.output import say_figures
from app.desk import DEMO_NUMBER, Desk
from app.errors import SettingError, UserError
from app.model.call import Source
from app.model.call_length import check_length
from app.model.finding import Verdict
from app.model.trunk import TrunkState
from app.sip.loss import words_for_loss
from app.sip.notices import EngineLost, Notice, TrunkChanged
from app.terminal import exit_code, output_lost, say, say_err, say_json, when_lost

DEMO_RING_SECONDS = 10.0

OpenDesk = Callable[[], Desk]


def run_command(arguments: argparse.Namespace, open_desk: OpenDesk) -> int:
    """Run the command and return the exit code; a refusal is printed, a bug is not caught."""
    return exit_code(_run(arguments, open_desk))


def _run(arguments: argparse.Namespace, open_desk: OpenDesk) -> int:
    if arguments.command == "carrier":
        return _carrier(arguments)
    if arguments.command == "providers":
        return _providers(arguments)
    commands: dict[str, Command] = {
        "demo": _demo,
        "add": _add,
        "register": _register,
        "answer": answer,
        "call": call,
        "history": history,
        **COMMANDS,
    }
    try:
        return asyncio.run(_with_desk(commands[arguments.command], arguments, open_desk))
    except UserError as error:
        return _refused(error, arguments.json)
    except (KeyboardInterrupt, asyncio.CancelledError):
        if output_lost():
            return FAILED
        say_err("ringback: stopped; nothing is left running.")
        return INTERRUPTED


async def _with_desk(
    command: Command,
    arguments: argparse.Namespace,
    open_desk: OpenDesk,
) -> int:
    # SIGINT is turned into a cancellation by asyncio.run; a service manager's SIGTERM should be as gentle
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers on its loop
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    desk = open_desk()
    # `trunks` and `export` say this themselves
    itself = command in (COMMANDS["trunks"], COMMANDS["export"])
    notes = [] if itself else desk.data_note.splitlines()
    said = ""
    # A task of its own: one that is cancelled when nobody reads its output must not take the closing along
    work = asyncio.ensure_future(command(arguments, desk))
    try:
        with when_lost(lambda: loop.call_soon_threadsafe(work.cancel)):
            return await work
    except UserError as error:
        # Why something can't be done, such as a full disk, is in the error too
        said, _, _ = error.what.partition(";")
        raise
    finally:
        await desk.close()
        for note in dict.fromkeys((*notes, *desk.history.note.splitlines())):
            if not said or said not in note:
                say_err(note)


def _refused(error: UserError, as_json: bool) -> int:
    if as_json:
        say_json(output.error_json(error))
    else:
        output.say_error(error)
    return REFUSED


def _providers(arguments: argparse.Namespace) -> int:
    from app.cli.providers import list_providers

    try:
        return list_providers(arguments)
    except UserError as error:
        return _refused(error, arguments.json)


def _carrier(arguments: argparse.Namespace) -> int:
    from app.paths import default_paths, paths_in
    from app.sip.carrier.by_hand import run_by_hand
    from app.sip.carrier.impairment import check_line
    from app.sip.carrier.messages import CarrierOptions

    def folder() -> Path:
        return (paths_in(arguments.data_dir) if arguments.data_dir else default_paths()).data

    options = CarrierOptions(
        provider=arguments.provider,
        method=arguments.method,
        encrypted=arguments.encrypted,
        loss_pct=arguments.loss,
        jitter_ms=arguments.jitter,
        delay_ms=arguments.delay,
    )
    try:
        check_line(options)
        return run_by_hand(arguments.port, folder=folder, as_json=arguments.json, options=options)
    except UserError as error:
        return _refused(error, arguments.json)


async def _add(arguments: argparse.Namespace, desk: Desk) -> int:
    settings, answers = parse_pairs(arguments.settings), parse_pairs(arguments.answers, "answer")
    name = arguments.name
    if not name and not arguments.provider:
        raise SettingError("The trunk has no name.", do="Give it one with --name.", field="name")
    password = password_of(arguments)
    if arguments.provider or arguments.method or answers:
        from app.cli.providers import settings_from_answers

        taken = tuple(trunk.name for trunk in desk.trunks())
        name, settings = settings_from_answers(arguments, answers, settings, password or "", taken)
    trunk, mended = await desk.add(name, settings, password or "")
    kept = password is not None and not desk.vault_note
    if arguments.json:
        say_json(
            {
                "trunk": output.trunk_json(trunk),
                "mended": output.mended_json(mended),
                "password_saved": kept,
                "note": desk.vault_note or None,
            }
        )
        return WORKED
    for mend in mended:
        say(f"{mend.key}: {mend.what}")
    by_hand = " --password-stdin" if trunk.needs_password and not kept else ""
    if desk.vault_note:
        say(f"The password was not saved. {desk.vault_note}")
        say("Until then, hand it over each time with --password-stdin.")
    say(f"{trunk.name} is saved. Try it: ringback register {quoted(trunk.name)}{by_hand}")
    return WORKED


async def _register(arguments: argparse.Namespace, desk: Desk) -> int:
    trunk = desk.by_name(arguments.name)
    outcome, findings = await sign_in(desk, trunk, password_of(arguments), quiet=arguments.json)
    if arguments.json:
        say_json(output.register_json(outcome, findings))
    else:
        say_verdict(findings)
    signed_in = outcome.state in (TrunkState.REGISTERED, TrunkState.REACHABLE)
    if arguments.stay and signed_in:
        if not arguments.json:
            say("Staying signed in. Ctrl-C signs out and ends.")
            desk.listen(_say_state)
        await asyncio.Event().wait()
    # A registration that the server does not keep is no success
    return WORKED if signed_in and worst(findings) is not Verdict.FAIL else FAILED


async def _demo(arguments: argparse.Namespace, desk: Desk) -> int:
    quiet = arguments.json
    check_length(arguments.seconds)
    if not quiet:
        say("Starting the demo carrier on this computer …")
    trunk = await desk.start_demo()
    outcome, findings = await sign_in(desk, trunk, None, quiet=quiet)
    if outcome.state is not TrunkState.REGISTERED:
        if quiet:
            say_json({"works": False, "registration": output.register_json(outcome, findings), "call": None})
        else:
            say_verdict(findings)
        return FAILED
    placed, call_findings = await place(
        desk,
        trunk,
        DEMO_NUMBER,
        seconds=arguments.seconds,
        ring_seconds=DEMO_RING_SECONDS,
        source=Source.TONE,
        quiet=quiet,
    )
    code = worked(placed, call_findings)
    if quiet:
        say_json(
            {
                "works": code == WORKED,
                "registration": output.register_json(outcome, findings),
                "call": output.call_json(placed, call_findings),
            }
        )
    else:
        say_verdict(call_findings, before=findings)
        say_figures(placed)
    return code


def _say_state(notice: Notice) -> None:
    """What happens to a trunk that stays signed in, a line each time."""
    now = time.strftime("%H:%M:%S")
    match notice:
        case TrunkChanged(state=state, cause=cause) if state is not TrunkState.OFF:
            say(f"{now}  {state}{f': {cause}' if cause else ''}")
        case EngineLost():
            say(f"{now}  {words_for_loss(notice)}")
