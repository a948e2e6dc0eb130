"""A password that nobody else has goes through everything and is found nowhere but in the keyring."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import re
import signal
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec
import pytest

from app.desk import Desk
from app.errors import EngineError
from app.model.outcome import Target
from app.model.password import Secret
from app.model.trunk import Transport, TrunkState
from app.model.trunk_csv import read_csv
from app.paths import paths_in
from app.redact import redact_sip
from app.sip.carrier.digest import REALM
from app.sip.carrier.messages import StartCarrier
from app.sip.carrier.server import Carrier
from app.sip.demo import DemoCarrier
from app.sip.messages import OpenAccount, Request
from app.sip.notices import TraceAdded
from app.sip.supervisor import Supervisor
from app.store import Store
from app.vault import RunOnlyVault
from tests.cli.needles import Needles, ProcessWatch
from tests.helpers.command import Ringback
from tests.helpers.trunks import Seen, call, make_trunk, session

USER = "1001"


def new_canary() -> str:
    """A password with characters that every way of quoting changes."""
    return f"c4n/ry+ %&'é{uuid.uuid4().hex}"


def needles_of(password: str) -> Needles:
    """What to look for."""
    return Needles(password, USER, REALM)


@contextmanager
def carrier_with(password: str) -> Iterator[int]:
    """A demo carrier inside this process, whose account has this password; its UDP port."""
    started: list[int] = []
    ready, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        async with Carrier(accounts={USER: password}) as carrier:
            started.append(carrier.udp_port)
            ready.set()
            while not stop.is_set():
                await asyncio.sleep(0.02)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="carrier")
    thread.start()
    assert ready.wait(10)
    try:
        yield started[0]
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    "hide",
    [
        str.encode,
        lambda text: text.encode("utf-16-le"),
        lambda text: b"x" + base64.b64encode(text.encode()),
        lambda text: base64.b64encode(b"one" + text.encode()),
        lambda text: base64.b64encode(b"u:" + text.encode() + b"!"),
        lambda text: text.encode().hex().upper().encode(),
        lambda text: hashlib.md5(f"{USER}:{REALM}:{text}".encode()).hexdigest().encode(),  # as RFC 2617 does
        lambda text: hashlib.sha256(f"{USER}:{REALM}:{text}".encode()).digest(),
    ],
)
def test_the_search_finds_what_it_looks_for(hide: object, tmp_path: Path) -> None:
    assert callable(hide)
    canary = new_canary()
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "file").write_bytes(b"\0 before " + hide(canary) + b" after \xff")
    (tmp_path / "other").write_bytes(hide(new_canary()))
    count, found = needles_of(canary).find_in_folder(tmp_path)
    assert count == 2
    assert found
    assert all("below/file" in line for line in found)


@pytest.mark.keyring
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes in /proc")
def test_a_password_is_found_nowhere_but_in_the_keyring(
    ringback: Ringback,
    tmp_path: Path,
    own_home: Path,
    keyring: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    right, wrong = new_canary(), new_canary()
    needles = (needles_of(right), needles_of(wrong))
    with carrier_with(right) as port, ProcessWatch(*needles) as watch:
        trunk = ("--set", "host=127.0.0.1", "--set", f"port={port}", "--set", f"user={USER}")
        assert ringback.run("add", "--name", "Office", *trunk, password=right).code == 0
        assert ringback.run("add", "--name", "office", *trunk, password=wrong).code == 2
        assert ringback.run("register", "Office", "--json").code == 0
        assert ringback.run("register", "Office").code == 0
        assert ringback.run("register", "Office", "--json", password=wrong).code == 1
        assert ringback.run("register", "Office", password=wrong).code == 1
        assert ringback.run("call", "Office", "600", "--seconds", 1, "--json").code == 0
        assert ringback.run("call", "Office", "486").code == 1
        assert ringback.run("call", "Office", "404", "--json", password=wrong).code == 1
        assert ringback.run("trunks", "--json").code == 0
        # SIGABRT, as PJSIP's own assertions end it: the engine's last words go to the log
        with ringback.start("call", "Office", "600", "--seconds", 60) as running:
            running.wait_for("answered")
            (engine,) = running.children("engine")
            os.kill(engine, signal.SIGABRT)
            assert running.end().code == 1
        with ringback.start("register", "Office", "--stay", "--json") as running:
            running.wait_for("\n}\n")
            running.ctrl_c()
            assert running.end().code == 130
        # Kept in every other way: changed, copied, given out, taken in from a table
        assert ringback.run("set", "Office", "notes=x", password=right).code == 0
        assert ringback.run("duplicate", "Office", "--json").code == 0
        assert ringback.run("export", "--file", tmp_path / "trunks.json").code == 0
        assert ringback.run("import", tmp_path / "trunks.json", "--rename").code == 0
        table = "name,host,port,user,password\r\n" + "".join(
            f'{name},127.0.0.1,{port},{user},"{right}"\r\n' for name, user in (("T1", USER), ("T2", "a b"))
        )
        for options in (["--dry-run", "--json"], [], ["--json"]):
            ended = ringback.run("import", "-", "--csv", *options, given=table)
            assert ended.code == 1
        kept = kept_in_keyring()
        for name in ("Office", "Office (copy)", "T1"):
            assert ringback.run("remove", name).code == 0
    assert kept == [right] * 3
    assert kept_in_keyring() == []

    # It was really looked at: the command line, and engines below it
    assert any(b"\0register\0" in command for command in watch.seen)
    assert any(command.endswith(b"--role\0engine\0") for command in watch.seen)
    assert not watch.found

    log = (ringback.data / "logs" / "ringback.log").read_text()
    assert "Aborted" in log, "the engine's end is in the log"
    printed = capfd.readouterr()
    for looked_for in needles:
        # tmp_path holds the data folder, all outputs, TMPDIR and the keyring's own files, which are encrypted
        for folder, least in ((tmp_path, 20), (own_home, 0)):
            count, found = looked_for.find_in_folder(folder)
            assert count >= least
            assert not found
        assert not looked_for.find((printed.out + printed.err).encode())
    assert list(keyring.rglob("*.keyring"))


def kept_in_keyring() -> list[str]:
    """Every password of ours in the keyring, asked for without our own code."""
    import secretstorage

    with closing(secretstorage.dbus_init()) as bus:
        items = secretstorage.search_items(bus, {"service": "Ringback"})
        return [item.get_secret().decode() for item in items]


def test_no_value_shows_its_password() -> None:
    canary = new_canary()
    demo = DemoCarrier()
    demo.account = msgspec.structs.replace(demo.account, password=canary)
    account = OpenAccount(
        user=USER,
        host="127.0.0.1",
        port=None,
        auth_id="",
        password=canary,
        realm="*",
        caller_id="",
        expires=300,
        register=True,
        codecs=("PCMU",),
        target=Target(address="127.0.0.1", port=5060, transport=Transport.UDP, name="127.0.0.1"),
    )
    vault = RunOnlyVault()
    vault.set("trunk-1", canary)
    preview = read_csv(f'name,host,user,password\nA,a.example,1,"{canary}"\nB,b,x y,"{canary}"\n', ())
    values = [
        Secret(canary),
        preview,
        *preview.rows,
        account,
        Request(id=1, command=account),
        StartCarrier(accounts={USER: canary}),
        demo,
        demo.account,
        demo.trunk(),
        vault,
        Carrier(accounts={USER: canary}),
    ]
    for value in (*values, values, {"value": values}):
        for text in (repr(value), str(value), f"{value}", ascii(value)):
            assert not needles_of(canary).find(text.encode())


def test_sessions_and_what_they_tell_do_not_show_the_password(tmp_path: Path) -> None:
    right, wrong = new_canary(), new_canary()
    seen = Seen()
    shown: list[str] = []

    async def run(port: int) -> None:
        for password, state in ((right, TrunkState.REGISTERED), (wrong, TrunkState.WRONG_CREDENTIALS)):
            async with session(make_trunk(port), password, seen) as opened:
                outcome = await opened.connect()
                assert outcome.state is state
                shown.extend((repr(opened), repr(outcome), str(outcome)))
                if state is TrunkState.REGISTERED:
                    shown.append(repr(await call(opened, "600", seconds=0.5)))
                    os.kill(opened.engine_pid, signal.SIGABRT)
                    while not seen.lost:
                        await asyncio.sleep(0.01)
                    with pytest.raises(EngineError) as lost:
                        await call(opened, "600")
                    shown.append(repr(lost.value))
        supervisor = Supervisor(seen.notices.append)
        store = Store.open(paths_in(tmp_path))
        desk = Desk(store, lambda: (RunOnlyVault(), None))
        desk.listen(seen.notices.append)
        trunk, _ = await desk.add("Office", {"host": "127.0.0.1", "port": str(port), "user": USER}, right)
        shown.extend([repr(await desk.connect(trunk.id, password)) for password in (None, wrong)])
        copy = await desk.duplicate(trunk.id)
        trial = await desk.start_trial({"host": "127.0.0.1", "port": str(port), "user": USER}, right)
        shown.append(repr(await desk.connect(trial.id)))
        shown.extend((repr(copy), repr(trial), repr(vars(desk)), repr(vars(desk._keeping))))
        await desk.remove(trunk.id)
        shown.extend((repr(desk._keeping._removed), desk.can_undo, await desk.export_text()))
        shown.append(repr(await desk.undo_remove()))
        assert (await desk.connect(trunk.id, right)).state is TrunkState.REGISTERED
        await desk.end_trial(trial.id)
        shown.extend((repr(desk), repr(supervisor)))
        shown.extend(repr(task) for task in asyncio.all_tasks())
        await desk.close()

    with carrier_with(right) as port:
        asyncio.run(run(port))
    shown.extend((repr(seen.notices), repr(seen.lost), repr(seen.log)))
    everything = "\n".join(shown).encode()
    assert len(seen.notices) > 20
    for password in (right, wrong):
        assert not needles_of(password).find(everything)


def test_a_redacted_trace_holds_nothing_to_guess_a_password_by() -> None:
    canary = new_canary()
    seen = Seen()

    async def run(port: int) -> None:
        async with session(make_trunk(port), canary, seen) as opened:
            assert (await opened.connect()).state is TrunkState.REGISTERED
            await call(opened, "600", seconds=0.5)

    with carrier_with(canary) as port:
        asyncio.run(run(port))
    raw = "\n".join(notice.message.text for notice in seen.of(TraceAdded))
    secrets = re.findall(r'\b(?:response|nonce|cnonce|opaque)="([^"]+)"', raw)
    assert len(secrets) > 8  # challenges and answers of REGISTER and of INVITE
    redacted = redact_sip(raw)
    assert not [secret for secret in secrets if secret in redacted]
    assert "Authorization: Digest username" in redacted
    assert not needles_of(canary).find(raw.encode())
