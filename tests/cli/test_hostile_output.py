"""Whatever comes from outside, no command prints what a terminal would act on or what nobody could see."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from app.checks.diagnosis import explain_call, explain_registration
from app.cli import commands
from app.cli.arguments import build_parser
from app.cli.commands import run_command
from app.desk import Desk
from app.model.call import CallState
from app.model.finding import Finding, Verdict
from app.model.history import HistoryDetails
from app.model.outcome import CallOutcome, CallResult, Direction, RegisterOutcome
from app.model.trunk import Trunk, TrunkState
from app.paths import paths_in
from app.sip.child import ChildOutcome
from app.sip.notices import (
    AudioChanged,
    CallDigit,
    CallEnded,
    CallProgress,
    CallRecording,
    EngineLost,
    Notice,
    TrunkChanged,
)
from app.store import Store
from app.store.history import History
from app.vault import RunOnlyVault, Trouble, VaultNote
from tests.helpers.hostile import EVIL, EVIL_BYTES, filled, shows

NOTE = VaultNote(trouble=Trouble.MISSING, what=f"There is no keyring {EVIL_BYTES}.", do="Install one.")
OUTCOME = filled(CallOutcome, result=CallResult.ANSWERED)
LOST = filled(ChildOutcome)
IN_FILE = "evil \u202e1234\u202c\u2066x\u2069\u200b\u200d\u00ad\U000e0041 end"
"""What a setting with any text may have."""


class HostileDesk(Desk):
    """Signs in and places calls without an engine; every text of the far end is `EVIL_BYTES`."""

    called = False

    def _later(self, *notices: Notice) -> None:
        for notice in notices:
            for listener in tuple(self._listeners):
                asyncio.get_running_loop().call_soon(listener, notice)

    async def connect(self, trunk_id: str, password: str | None = None) -> RegisterOutcome:
        state = TrunkState.REJECTED if "rejected" in self.trunk(trunk_id).user else TrunkState.REGISTERED
        outcome = filled(RegisterOutcome, state=state)
        self._later(TrunkChanged(trunk_id=trunk_id, state=state, cause=EVIL_BYTES, outcome=outcome))
        self._later(filled(EngineLost, trunk_id=trunk_id))
        return outcome

    async def start_demo(self) -> Trunk:
        self._keeping.put_demo(Trunk(id="demo", name=EVIL_BYTES, host="127.0.0.1", user="demo"), "demo")
        return self._keeping.demo

    def listen(self, listener: Callable[[Notice], None]) -> None:
        super().listen(listener)
        trunk = self.trunks()[0]
        ringing = filled(
            CallProgress, trunk_id=trunk.id, direction=Direction.IN, state=CallState.INCOMING, to=EVIL
        )
        state = TrunkChanged(trunk_id=trunk.id, state=TrunkState.REGISTERED, cause=EVIL_BYTES)
        for notice in (state, filled(EngineLost), filled(AudioChanged), ringing):
            asyncio.get_running_loop().call_soon(listener, notice)

    async def place_call(self, trunk_id: str, number: str, **_: Any) -> str:
        self._call(trunk_id, EVIL_BYTES)
        return EVIL_BYTES

    def _call(self, trunk_id: str, call_id: str) -> None:
        self.called = True

        def progress(state: CallState) -> CallProgress:
            return filled(CallProgress, trunk_id=trunk_id, call_id=call_id, state=state)

        self._later(*map(progress, (CallState.RINGING, CallState.EARLY_MEDIA, CallState.ANSWERED)))
        self._later(filled(CallDigit), filled(CallRecording, on=False), filled(EngineLost))
        self._later(filled(CallEnded, trunk_id=trunk_id, call_id=call_id, outcome=OUTCOME))

    async def wait_call(self, trunk_id: str, call_id: str) -> CallOutcome:
        while not self.called:
            await asyncio.sleep(0)
        return OUTCOME

    def control(self, trunk_id: str) -> Any:
        async def answered(call_id: str, **_: object) -> None:
            self._call(trunk_id, call_id)

        return SimpleNamespace(answer=answered)

    async def use_audio(self, choice: object = None) -> None:
        """There is none."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder with trunks and calls whose every text is hostile."""
    paths = paths_in(tmp_path / "data")
    with Store.open(paths) as store:
        for user in ("office", "rejected", "forged"):
            settings = {"name": user, "host": "127.0.0.1", "user": user, "notes": IN_FILE, "realm": IN_FILE}
            store.add(_trunk(settings))
    # As no setting can be, but as a damaged or forged file may be
    with closing(sqlite3.connect(paths.database)) as raw:
        raw.execute(
            "UPDATE trunks SET name = name || ?, settings = json_set(settings, '$.provider', ?, '$.notes', ?)"
            " WHERE name = 'forged'",
            (EVIL, EVIL, EVIL),
        )
        raw.commit()
    with closing(History.open(paths, "a run that has ended")) as history:
        for direction in Direction:
            call = filled(HistoryDetails, EVIL)
            number = f'"{EVIL}" <sip:{EVIL}@x>'
            changes = {"id": 0, "direction": direction, "number": number, "begun_at": time.time()}
            call = replace(call, entry=replace(call.entry, **changes))
            history.save(call)
    return tmp_path


def _trunk(settings: dict[str, str]) -> Trunk:
    from app.model.settings import new_trunk

    trunk, _ = new_trunk(settings["name"].encode().hex(), settings["name"], settings)
    return trunk


RUNS: dict[str, list[str]] = {
    "demo": ["demo"],
    "providers": ["providers"],
    "providers one": ["providers", EVIL],
    "trunks": ["trunks"],
    "add": ["add", "--name", IN_FILE, "--set", "host= sip:a.example", "--set", "user=1"],
    "add refused": ["add", "--name", EVIL, "--set", f"host={EVIL}", "--set", "user=1"],
    "add of nobody": ["add", "--provider", EVIL],
    "add answer": ["add", "--provider", "voipms", "--answer", f"user={EVIL}"],
    "set": ["set", "office", f"notes={IN_FILE}", "port= 5070"],
    "set refused": ["set", "office", f"{EVIL}={EVIL}"],
    "set no value": ["set", "office", EVIL],
    "rename": ["rename", "office", IN_FILE],
    "duplicate": ["duplicate", "office"],
    "move": ["move", "office", "2"],
    "remove": ["remove", "office"],
    "remove unknown": ["remove", EVIL],
    "export": ["export"],
    "export to": ["export", "--file", "FOLDER/out.json"],
    "import": ["import", "FOLDER/trunks.json"],
    "import dry": ["import", "FOLDER/trunks.json", "--dry-run"],
    "import bad": ["import", "FOLDER/bad.json"],
    "import table": ["import", "FOLDER/trunks.csv"],
    "import table dry": ["import", "FOLDER/trunks.csv", "--dry-run"],
    "import nothing": ["import", f"FOLDER/{EVIL[:20]}"],
    "register": ["register", "office"],
    "register rejected": ["register", "rejected"],
    "register stay": ["register", "office", "--stay"],
    "call": ["call", "office", "600", "--hear"],
    "call rejected": ["call", "rejected", "600"],
    "call refused": ["call", "office", EVIL],
    "answer": ["answer", "office", "--ring", "0", "--hear"],
    "answer rejected": ["answer", "rejected"],
    "history": ["history"],
    "history search": ["history", "--search", EVIL],
    "history show": ["history", "--show", "1"],
    "history show in": ["history", "--show", "2"],
    "history csv": ["history", "--csv", "-"],
    "history result": ["history", "--result", EVIL],
    "history delete": ["history", "--delete", EVIL],
    "history of": ["history", EVIL],
}
NOT_HERE = {"carrier"}
"""`tests/cli/test_carrier.py` sends it what a far end can send."""


def test_every_command_is_walked() -> None:
    parser = build_parser()
    (group,) = [action for action in parser._actions if action.dest == "command"]
    assert group.choices is not None
    assert {words[0] for words in RUNS.values()} | NOT_HERE == set(group.choices)


@pytest.fixture(autouse=True)
def hostile_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Findings with a hostile text wherever one is taken from outside, and everywhere else."""
    from app.cli import calls

    finding = filled(Finding, id="CALL-OK", verdict=Verdict.FAIL)

    def of_registration(outcome: RegisterOutcome, trunk: Trunk) -> tuple[Finding, ...]:
        return (*explain_registration(outcome, trunk), finding)

    def of_call(outcome: CallOutcome, trunk: Trunk, **more: Any) -> tuple[Finding, ...]:
        return (*explain_call(outcome, trunk, **more), finding)

    monkeypatch.setattr(calls, "explain_registration", of_registration)
    monkeypatch.setattr(calls, "explain_call", of_call)


@pytest.mark.parametrize("as_json", [False, True], ids=["words", "json"])
@pytest.mark.parametrize("run", RUNS)
def test_no_command_prints_anything_hidden(
    run: str,
    as_json: bool,
    folder: Path,
    capfdbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_files(folder)
    words = [word.replace("FOLDER", str(folder)) for word in RUNS[run]]
    arguments = build_parser().parse_args([*words, *(["--json"] if as_json else [])])
    code = _run(arguments, folder, monkeypatch)
    captured = capfdbinary.readouterr()
    out, err = captured.out.decode(), captured.err.decode()
    assert "Traceback" not in err
    assert out or err
    assert code in (0, 1, 2, 130)
    if run == "history csv":
        assert out.startswith("\ufeff")
        assert shows(out.removeprefix("\ufeff").replace("\r\n", "\n")) == []
    else:
        assert shows(out) == []
    assert shows(err) == []
    assert not [line for line in (out + err).splitlines() if line.startswith("2026-01-01 00:00:00")]
    if not as_json and run in ("answer", "call", "register", "history", "history show", "trunks"):
        assert "evil[U+001B]]0;title[U+0007 U+001B][2J" in out + err, "nothing hostile was printed at all"
    if as_json and out and run not in ("export", "history csv"):
        values = json.JSONDecoder()
        at = 0
        while at < len(out):
            value, at = values.raw_decode(out, at)
            assert isinstance(value, dict)
            at += 1


def _run(arguments: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    if getattr(arguments, "stay", False):
        monkeypatch.setattr(commands.asyncio.Event, "wait", _wait_a_moment)
    paths = paths_in(folder / "data")
    return run_command(arguments, lambda: HostileDesk(Store.open(paths), lambda: (RunOnlyVault(), NOTE)))


async def _wait_a_moment(_: asyncio.Event) -> None:
    """Long enough for the notices to be printed, then as Ctrl-C."""
    for _ in range(5):
        await asyncio.sleep(0)
    raise asyncio.CancelledError


def write_files(folder: Path) -> None:
    """Files to import, hostile in what they may have and in what they may not."""
    good = {"name": IN_FILE, "host": "a.example", "user": "1", "realm": IN_FILE, "notes": IN_FILE}
    document = {"ringback": "trunks", "version": 1, "trunks": [good]}
    (folder / "trunks.json").write_text(json.dumps(document), encoding="utf-8")
    document["trunks"] = [{**good, EVIL_BYTES: EVIL_BYTES}]
    (folder / "bad.json").write_text(json.dumps(document), encoding="utf-8")
    cell = '"' + EVIL.replace("\0", "") + '"'
    rows = [f"name,host,user,realm,{cell}", f"{IN_FILE}, a.example ,1,{IN_FILE},", f"{cell},{cell},{cell},,"]
    (folder / "trunks.csv").write_text("\n".join(rows), encoding="utf-8", newline="")


@pytest.mark.parametrize(
    "words",
    [[EVIL], ["trunks", f"--{EVIL}"], ["answer", "x", "--reject", EVIL], ["--help"], ["add", "--help"]],
)
def test_what_was_typed_wrong_is_repeated_with_nothing_hidden(
    words: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        build_parser().parse_args(words)
    out, err = capfd.readouterr()
    assert shows(out + err) == []
    assert not [line for line in err.splitlines() if line.startswith("2026-01-01 00:00:00")]
