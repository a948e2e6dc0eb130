"""Trunks exported and imported through the desk: names, certificates, passwords, tables; on a real store."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from app.desk import Desk
from app.errors import SettingError, StoreError, UserError, VaultError
from app.model.trunk import SignIn, Trunk
from app.paths import Paths
from app.store import Store
from app.vault import RunOnlyVault, Trouble, VaultNote
from tests.helpers.keeping import CANARY, Refusing, With, add, names
from tests.peers.certificates import Authority


def test_what_is_exported_can_be_imported_and_holds_no_secret(with_desk: With, vault: Refusing) -> None:
    async def act(desk: Desk) -> None:
        trunks = [await add(desk, name, CANARY, sign_in="credentials") for name in "ABC"]
        everything = await desk.export_text()
        some = await desk.export_text([trunks[2].id, trunks[0].id])
        assert CANARY not in everything
        assert not [trunk.id for trunk in trunks if trunk.id in everything]
        for trunk in trunks:
            await desk.remove(trunk.id)
        imported = await desk.import_text(some)
        assert [trunk.name for trunk in imported] == names(desk) == ["C", "A"]
        assert not {trunk.id for trunk in imported} & {trunk.id for trunk in trunks}
        assert imported[0].sign_in is SignIn.CREDENTIALS
        assert await desk.export_text() == some
        assert vault.kept == {}
        with pytest.raises(VaultError, match="No password is known for C") as caught:
            await desk.connect(imported[0].id)
        assert caught.value.field == "password"

    with_desk(act)


def test_names_that_are_taken_are_refused_or_get_a_number_when_asked(with_desk: With) -> None:
    async def act(desk: Desk) -> None:
        await add(desk, "A")
        await add(desk, "B")
        text = await desk.export_text()
        await desk.remove(desk.id_of("A"))
        with pytest.raises(StoreError, match='"B" already') as caught:
            await desk.import_text(text)
        assert caught.value.field == "name"
        assert names(desk) == ["B"]
        await desk.import_text(text, rename_taken=True)
        await desk.import_text(text, rename_taken=True)
        assert names(desk) == ["B", "A", "B (2)", "A (2)", "B (3)"]

    with_desk(act)


def test_a_certificate_that_is_not_on_this_computer_is_told_and_nothing_is_imported(with_desk: With) -> None:
    text = (
        '{"ringback": "trunks", "version": 1, "trunks": [{"name": "A", "host": "a.example", "user": "1"},'
        '{"name": "B", "host": "b.example", "user": "1", "ca_file": "/nowhere/ca.pem"}]}'
    )

    async def act(desk: Desk) -> None:
        with pytest.raises(SettingError, match=r'Trunk "B": CA file .*/nowhere/ca\.pem'):
            await desk.import_text(text)
        assert desk.trunks() == ()

    with_desk(act)


TABLE = f"""name,host,user,password
A,a.example,1,{CANARY}1
B,b.example,x y,{CANARY}2
C,c.example,3,
D,d.example,4,{CANARY}4
"""


def test_the_good_rows_of_a_table_are_saved_with_their_passwords(with_desk: With, vault: Refusing) -> None:
    async def act(desk: Desk) -> None:
        preview = await desk.preview_csv(TABLE)
        assert desk.trunks() == ()
        assert vault.kept == {}
        trunks = await desk.import_rows(preview)
        assert names(desk) == ["A", "C", "D"]
        assert vault.kept == {trunks[0].id: f"{CANARY}1", trunks[2].id: f"{CANARY}4"}
        # The same table once more: every name is taken now
        assert (await desk.preview_csv(TABLE)).good == ()
        with pytest.raises(StoreError, match="already"):
            await desk.import_rows(preview)
        assert names(desk) == ["A", "C", "D"]
        assert len(vault.kept) == 2

    with_desk(act)


def test_a_table_whose_passwords_can_not_all_be_kept_is_not_imported(
    with_desk: With, vault: Refusing
) -> None:
    async def act(desk: Desk) -> None:
        vault.refuse_set_number = 2
        preview = await desk.preview_csv(TABLE)
        with pytest.raises(VaultError, match="full"):
            await desk.import_rows(preview)
        assert desk.trunks() == ()
        assert vault.kept == {}

    with_desk(act)


def test_without_a_keyring_passwords_of_a_table_are_kept_for_this_run_and_that_is_said(paths: Paths) -> None:
    note = VaultNote(trouble=Trouble.MISSING, what="There is no keyring.", do="Install one.")

    async def act() -> None:
        desk = Desk(Store.open(paths), lambda: (RunOnlyVault(), note))
        trunks = await desk.import_rows(await desk.preview_csv(TABLE))
        assert desk.vault_note == "There is no keyring. Install one."
        assert await desk._keeping.password_for(trunks[0]) == f"{CANARY}1"
        await desk.close()

    asyncio.run(act())


def test_a_ca_file_is_checked_before_a_table_is_imported(with_desk: With, tmp_path: Path) -> None:
    good, endless = tmp_path / "ca.pem", tmp_path / "endless.pem"
    good.write_bytes(Authority.create("Test CA").pem)
    endless.symlink_to("/dev/zero")
    table = f"name,host,user,ca file\nA,a.example,1,{good}\nB,b.example,1,{endless}\nC,c.example,1,/no.pem\n"

    async def act(desk: Desk) -> None:
        preview = await desk.preview_csv(table)
        assert [row.name for row in preview.good] == ["A"]
        problems = [row.problems[0] for row in preview.bad]
        assert [problem.field for problem in problems] == ["ca_file", "ca_file"]
        assert "it is a device, not a file" in problems[0].what
        assert "/no.pem" in problems[1].what
        (trunk,) = await desk.import_rows(preview)
        assert trunk.ca_file == str(good)

    with_desk(act)


def test_nothing_is_saved_when_everything_is_only_checked(with_desk: With) -> None:
    async def act(desk: Desk) -> None:
        await add(desk, "A")
        text = await desk.export_text()
        found = await desk.import_text(text, rename_taken=True, dry_run=True)
        assert [trunk.name for trunk in found] == ["A (2)"]
        with pytest.raises(StoreError, match='"A" already'):
            await desk.import_text(text, dry_run=True)
        assert names(desk) == ["A"]

    with_desk(act)


def test_a_large_import_that_is_cancelled_leaves_nothing_behind(
    with_desk: With, vault: Refusing, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"Trunk {number},sip.example.com,{number},{CANARY}" for number in range(100)]
    table = "\n".join(["name,host,user,password", *rows])
    began, go_on = threading.Event(), threading.Event()
    real = Store.add_many

    def slow(store: Store, trunks: Sequence[Trunk]) -> None:
        real(store, trunks)
        began.set()
        go_on.wait(10)

    async def act(desk: Desk) -> None:
        preview = await desk.preview_csv(table)
        monkeypatch.setattr(Store, "add_many", slow)
        task = asyncio.create_task(desk.import_rows(preview))
        await asyncio.to_thread(began.wait, 10)
        task.cancel()
        await asyncio.sleep(0)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert desk.trunks() == ()
        assert vault.kept == {}

    with_desk(act)


def test_the_loop_goes_on_while_the_largest_table_is_saved(with_desk: With) -> None:
    """Many trunks go into the database in a thread: the loop turns all the time."""
    table = "\n".join(["name,host,user", *(f"Trunk {number},h.example,{number}" for number in range(300))])

    async def act(desk: Desk) -> None:
        threads: set[int] = set()
        real = Store.add_many

        def seen(store: Store, trunks: Sequence[Trunk]) -> None:
            threads.add(threading.get_ident())
            real(store, trunks)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Store, "add_many", seen)
            await desk.import_rows(await desk.preview_csv(table))
            await desk.import_text(await desk.export_text(), rename_taken=True)
        assert threading.get_ident() not in threads
        assert len(desk.trunks()) == 600

    with_desk(act)


def test_five_hundred_trunks_with_many_numbers_go_out_and_come_in(with_desk: With) -> None:
    dids = ";".join(f"+49301{number:06}" for number in range(10_000))
    rows = [f"Trunk {number},sip.example.com,{number}," for number in range(499)]
    table = "\n".join(["name,host,user,dids", *rows, f'Big,sip.example.com,big,"{dids}"'])

    async def act(desk: Desk) -> None:
        assert len(await desk.import_rows(await desk.preview_csv(table))) == 500
        text = await desk.export_text()
        before = [trunk.name for trunk in desk.trunks()]
        for trunk in desk.trunks()[:3]:
            await desk.remove(trunk.id)
        assert len(await desk.import_text(text, rename_taken=True)) == 500
        assert names(desk)[497:500] == before[:3]
        assert len(desk.by_name("Big (2)").dids) == 10_000

    with_desk(act)


def test_nothing_that_is_shown_holds_a_password(with_desk: With) -> None:
    async def act(desk: Desk) -> None:
        office = await add(desk, "Office", CANARY)
        copy = await desk.duplicate(office.id)
        with pytest.raises(UserError):
            await desk.connect(copy.id, CANARY)
        await desk.remove(office.id)
        preview = await desk.preview_csv(TABLE)
        seen = [desk, desk._keeping, vars(desk._keeping), preview, desk._keeping._removed, desk.trunks()]
        await desk.undo_remove()
        assert CANARY not in f"{seen} {await desk.export_text()}"

    with_desk(act)
