"""Commands that keep trunks: list, change, copy, move, delete, give out and take in."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from app.cli import output
from app.cli.exits import FAILED, WORKED
from app.cli.given import parse_pairs, password_of, quoted
from app.desk import Desk
from app.errors import SettingError, StoreError, UserError
from app.importing import read_import_stdin
from app.model.conflicts import conflicts
from app.model.host import HostPort
from app.model.settings import was_and_is
from app.model.trunk import SignIn, Trunk
from app.model.trunk_csv import CsvPreview, CsvRow
from app.terminal import say, say_document, say_err, say_json, say_lines
from app.threads import run_apart

Command = Callable[[argparse.Namespace, Desk], Coroutine[Any, Any, int]]

MOST_COMPARED = 500
"""Trunks that are looked through for what they share."""

_SIGN_IN = {
    SignIn.REGISTER: "registers",
    SignIn.CREDENTIALS: "signs in on each call",
    SignIn.ADDRESS: "signs in by address",
}


async def _trunks(arguments: argparse.Namespace, desk: Desk) -> int:
    trunks, note = desk.trunks(), desk.store_note
    if arguments.json:
        say_json({"trunks": [output.trunk_json(trunk) for trunk in trunks], "note": note or None})
        return WORKED
    if not trunks and not note:
        say("No trunks yet. Add one with `ringback add`, or try `ringback demo`.")
    _say_table([_line(trunk) for trunk in trunks])
    if note:
        say_lines(note, err=True)
    return WORKED


def _line(trunk: Trunk) -> tuple[str, str]:
    where = HostPort(host=trunk.host, port=trunk.port)
    who = f"{trunk.user}@" if trunk.user else ""
    switched = (
        (trunk.connect, "switched off"),
        (trunk.allow_out, "no outgoing calls"),
        (trunk.allow_in, "no incoming calls"),
    )
    parts = [trunk.transport, f"{who}{where}", _SIGN_IN[trunk.sign_in], trunk.provider]
    parts += [words for on, words in switched if not on]
    return trunk.name, "  ".join(part for part in parts if part)


def _say_table(lines: Sequence[tuple[str, str]]) -> None:
    width = max((len(first) for first, _ in lines), default=0)
    for first, rest in lines:
        say(f"{first:<{width}}  {rest}")


async def _set(arguments: argparse.Namespace, desk: Desk) -> int:
    settings = parse_pairs(arguments.settings, "")
    trunk = desk.by_name(arguments.name, check=False)
    if not settings and not arguments.password_stdin:
        raise SettingError(
            "There is nothing to change.",
            do="Name a setting, for example port=5060, or hand over a password with --password-stdin.",
        )
    password = password_of(arguments)
    name = settings.pop("name", trunk.name)
    changed, mended = await desk.change(trunk.id, name, settings, password)
    kept = password is not None and not desk.vault_note
    if arguments.json:
        say_json(
            {
                "trunk": output.trunk_json(changed),
                "mended": output.mended_json(mended),
                "password_saved": kept,
                "note": desk.vault_note or None,
            }
        )
        return WORKED
    for mend in mended:
        say(f"{mend.key}: {mend.what}")
    if desk.vault_note:
        say(f"The password was not saved. {desk.vault_note}")
    _say_conflicts(desk, [changed])
    say(f"{changed.name} is changed.")
    return WORKED


async def _rename(arguments: argparse.Namespace, desk: Desk) -> int:
    before = desk.by_name(arguments.name)
    trunk = await desk.rename(before.id, arguments.new_name)
    if arguments.json:
        say_json({"before": before.name, "trunk": output.trunk_json(trunk)})
    else:
        say(f"{before.name} is now called {trunk.name}.")
    return WORKED


async def _duplicate(arguments: argparse.Namespace, desk: Desk) -> int:
    copy = await desk.duplicate(desk.by_name(arguments.name).id)
    if arguments.json:
        say_json({"trunk": output.trunk_json(copy), "note": desk.vault_note or None})
        return WORKED
    if desk.vault_note:
        say(f"Its password was not copied. {desk.vault_note}")
    say(f"{copy.name} is saved, and switched off so that it does not sign in a second time.")
    say(f"Change what is different, then switch it on: ringback set {quoted(copy.name)} connect=yes")
    return WORKED


async def _move(arguments: argparse.Namespace, desk: Desk) -> int:
    trunk = desk.by_name(arguments.name)
    if arguments.position < 1:
        raise SettingError(
            f"There is no place {arguments.position}.", do="The first place is 1.", field="position"
        )
    order = [each.id for each in desk.trunks() if each.id != trunk.id]
    order.insert(arguments.position - 1, trunk.id)
    await desk.set_order(order)
    names = [each.name for each in desk.trunks()]
    if arguments.json:
        say_json({"trunks": names})
    else:
        say(f"{trunk.name} is number {names.index(trunk.name) + 1} of {len(names)} now.")
    return WORKED


async def _remove(arguments: argparse.Namespace, desk: Desk) -> int:
    name = arguments.name
    with contextlib.suppress(StoreError):  # one that can't be read can still be removed
        name = desk.by_name(name).name
    await desk.remove(desk.id_of(name))
    if arguments.json:
        say_json({"removed": name, "note": desk.vault_note or None})
    elif desk.vault_note:
        say(f"{name} is deleted. If its password was saved, it is still in the keyring. {desk.vault_note}")
    else:
        say(f"{name} and its password are deleted.")
    return WORKED


async def _export(arguments: argparse.Namespace, desk: Desk) -> int:
    # By id, so that one that is named twice goes out once
    chosen = {trunk.id: trunk.name for trunk in map(desk.by_name, arguments.names)}
    chosen = chosen or {trunk.id: trunk.name for trunk in desk.trunks()}
    text = await desk.export_text(tuple(chosen))
    note = desk.data_note if arguments.names else desk.store_note
    if note and not (arguments.json and arguments.file):
        say_lines(note, err=True)
    if arguments.file is None:
        say_document(text)
        return WORKED
    _write(arguments.file, text)
    names = list(chosen.values())
    if arguments.json:
        say_json({"exported": names, "file": str(arguments.file), "note": note or None})
    else:
        say(f"{_count(len(names))} written to {arguments.file}, without passwords.")
    return WORKED


def _write(file: Path, text: str) -> None:
    """All of it or nothing: what was there before stays until the new text is whole."""
    unfinished = file.with_name(f"{file.name}.{os.getpid()}.unfinished")
    try:
        try:
            unfinished.write_text(text, encoding="utf-8", newline="\n")
            os.replace(unfinished, file)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            f"{file} can't be written: {error.strerror or error}.",
            do="Choose another place with --file.",
            details=str(error),
            field="file",
        ) from error


async def _import(arguments: argparse.Namespace, desk: Desk) -> int:
    if arguments.file == "-":
        text = await run_apart(read_import_stdin)
    else:
        text = await desk.read_import(Path(arguments.file))
    if arguments.csv or arguments.file.lower().endswith(".csv"):
        return await _import_table(arguments, desk, text)
    trunks = await desk.import_text(text, rename_taken=arguments.rename, dry_run=arguments.dry_run)
    names = [trunk.name for trunk in trunks]
    if arguments.json:
        say_json(_imported_json(names, arguments.dry_run, desk))
        return WORKED
    _say_table([_line(trunk) for trunk in trunks])
    _say_conflicts(desk, trunks)
    say(_imported_words(len(names), arguments.dry_run))
    if names and not arguments.dry_run:
        say("There are no passwords in such a file. Hand them over: ringback set NAME --password-stdin")
    return WORKED


async def _import_table(arguments: argparse.Namespace, desk: Desk, text: str) -> int:
    if arguments.rename:
        raise SettingError(
            "--rename is not for tables.", do="Change the names in the table that are taken.", field="rename"
        )
    preview = await desk.preview_csv(text)
    trunks: tuple[Trunk, ...] = tuple(row.trunk for row in preview.good if row.trunk)
    if not arguments.dry_run:
        trunks = await desk.import_rows(preview)
    code = FAILED if preview.bad else WORKED
    if arguments.json:
        names = [trunk.name for trunk in trunks]
        say_json(_imported_json(names, arguments.dry_run, desk, preview))
        return code
    for note in preview.notes:
        say(note)
    _say_rows(preview.rows)
    _say_conflicts(desk, trunks)
    if desk.vault_note and any(row.password for row in preview.good):
        say(f"The passwords were not saved. {desk.vault_note}")
    say(_imported_words(len(trunks), arguments.dry_run))
    if preview.bad:
        rows = "1 row was" if len(preview.bad) == 1 else f"{len(preview.bad)} rows were"
        say_err(f"{rows} left out. Fix what is said above, then import the table of those rows.")
    return code


def _say_rows(rows: Sequence[CsvRow]) -> None:
    width = max((len(row.name) for row in rows), default=0)
    for row in rows:
        front = f"line {row.line:<5} {row.name:<{width}}"
        if row.trunk is not None:
            password = "  password given" if row.password else ""
            say(f"{front}  ok      {_line(row.trunk)[1]}{password}")
        for mend in row.mended if row.trunk is not None else ():
            where = row.column(mend.key) or mend.key
            say(f"{'':<{len(front)}}          {where}: {was_and_is(mend)}")
        for problem in row.problems:
            where = row.column(problem.field)
            say(f"{front}  FAILED  {where}{': ' if where else ''}{problem.what} {problem.do}")


def _imported_json(
    names: list[str], dry_run: bool, desk: Desk, preview: CsvPreview | None = None
) -> dict[str, Any]:
    rows = preview.rows if preview else ()
    return {
        "imported": names,
        "dry_run": dry_run,
        "columns": preview.columns if preview else (),
        "notes": preview.notes if preview else (),
        "rows": [
            {
                "line": row.line,
                "name": row.name,
                "ok": row.trunk is not None,
                "password": bool(row.password),
                "problems": [
                    {
                        "field": problem.field,
                        "column": row.headings.get(problem.field),
                        "what": problem.what,
                        "do": problem.do,
                    }
                    for problem in row.problems
                ],
                "mended": [
                    {**mended, "column": row.headings.get(mended["field"])}
                    for mended in output.mended_json(row.mended)
                ],
            }
            for row in rows
        ],
        "note": desk.vault_note or None,
    }


def _imported_words(count: int, dry_run: bool) -> str:
    return f"{_count(count)} would be saved." if dry_run else f"{_count(count)} saved."


def _count(count: int) -> str:
    return "1 trunk" if count == 1 else f"{count} trunks"


def _say_conflicts(desk: Desk, trunks: Sequence[Trunk]) -> None:
    """What these share with others, on standard error; each pair of many would take too long to compare."""
    saved = desk.trunks()
    if len(trunks) > MOST_COMPARED or len(saved) > 2 * MOST_COMPARED:
        return
    for trunk in trunks:
        for conflict in conflicts(trunk, saved):
            say_err(f"{trunk.name}: {conflict.what}")


COMMANDS: dict[str, Command] = {
    "trunks": _trunks,
    "set": _set,
    "rename": _rename,
    "duplicate": _duplicate,
    "move": _move,
    "remove": _remove,
    "export": _export,
    "import": _import,
}
"""By the word on the command line."""
