"""Keeping trunks through the desk: copies, order, switches, undo, trials; on a real store."""

from __future__ import annotations

import pytest

from app.desk import Desk
from app.errors import SettingError, StoreError, UserError, VaultError
from app.paths import Paths
from tests.helpers.keeping import CANARY, HOST, Refusing, With, add, names

# Copies, names, order, switches


def test_a_copy_has_the_secret_another_name_and_is_switched_off(with_desk: With, vault: Refusing) -> None:
    async def act(desk: Desk) -> None:
        office = await add(desk, "Office", CANARY, notes="x", dids="101")
        copy = await desk.duplicate(office.id)
        again = await desk.duplicate(office.id)
        assert names(desk) == ["Office", "Office (copy)", "Office (copy) (2)"]
        assert (copy.connect, copy.notes, copy.dids, copy.user) == (False, "x", ("101",), "Office")
        assert len({office.id, copy.id, again.id}) == 3
        assert vault.kept == {office.id: CANARY, copy.id: CANARY, again.id: CANARY}
        with pytest.raises(UserError, match="is switched off") as caught:
            await desk.connect(copy.id)
        assert caught.value.field == "connect"

    with_desk(act)


def test_a_copy_whose_secret_can_not_be_read_or_kept_is_not_made(with_desk: With, vault: Refusing) -> None:
    async def act(desk: Desk) -> None:
        office = await add(desk, "Office", CANARY)
        for what in ("get", "set"):
            vault.refuses = {what}
            with pytest.raises(VaultError):
                await desk.duplicate(office.id)
        assert names(desk) == ["Office"]
        assert vault.kept == {office.id: CANARY}

    with_desk(act)


def test_a_copy_of_a_trunk_without_a_password_asks_for_none(with_desk: With, vault: Refusing) -> None:
    async def act(desk: Desk) -> None:
        office = await add(desk, "Office", sign_in="address")
        vault.refuses = {"get", "set"}
        await desk.duplicate(office.id)
        assert names(desk) == ["Office", "Office (copy)"]

    with_desk(act)


def test_a_new_name_is_saved_and_a_taken_or_bad_one_refused(with_desk: With, vault: Refusing) -> None:
    async def act(desk: Desk) -> None:
        office = await add(desk, "Office", CANARY)
        await add(desk, "Home")
        renamed = await desk.rename(office.id, " Büro ")
        assert (renamed.id, renamed.name) == (office.id, "Büro")
        assert names(desk) == ["Büro", "Home"]
        for name in ("HOME", "", "x" * 65, "a\nb"):
            with pytest.raises(UserError) as caught:
                await desk.rename(office.id, name)
            assert caught.value.field == "name"
        assert names(desk) == ["Büro", "Home"]
        assert vault.kept == {office.id: CANARY}

    with_desk(act)


def test_the_order_is_kept(with_desk: With) -> None:
    async def act(desk: Desk) -> None:
        ids = [(await add(desk, name)).id for name in "ABCD"]
        await desk.set_order([ids[2], ids[0]])
        assert names(desk) == ["C", "A", "B", "D"]

    with_desk(act)
    with_desk(lambda desk: _same(names(desk), ["C", "A", "B", "D"]))


async def _same(found: object, expected: object) -> None:
    assert found == expected


@pytest.mark.parametrize("key", ["connect", "allow_out", "allow_in"])
def test_each_switch_is_saved_on_and_off(with_desk: With, key: str) -> None:
    async def act(desk: Desk) -> None:
        office = await add(desk, "Office")
        for on in (False, True):
            assert getattr(await desk.switch(office.id, key, on), key) is on
            assert getattr(desk.trunk(office.id), key) is on

    with_desk(act)


def test_only_switches_can_be_switched(with_desk: With) -> None:
    async def act(desk: Desk) -> None:
        office = await add(desk, "Office")
        with pytest.raises(SettingError, match='"privacy" is no switch') as caught:
            await desk.switch(office.id, "privacy", True)
        assert "allow_out" in caught.value.do

    with_desk(act)


def test_conflicts_are_with_saved_trunks(with_desk: With) -> None:
    async def act(desk: Desk) -> None:
        office = await add(desk, "Office")
        copy = await desk.duplicate(office.id)
        assert [found.other for found in await desk.conflicts(office)] == ["Office (copy)"]
        await desk.remove(copy.id)
        assert await desk.conflicts(office) == ()

    with_desk(act)


# Deleting and undoing


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_deleted_trunk_comes_back_with_id_place_and_secret(
    with_desk: With, vault: Refusing, number: int
) -> None:
    async def act(desk: Desk) -> None:
        trunks = [await add(desk, name, f"{CANARY}-{name}") for name in "ABC"]
        kept = vault.kept
        assert desk.can_undo == ""
        assert await desk.undo_remove() is None
        await desk.remove(trunks[number].id)
        assert desk.can_undo == trunks[number].name
        assert trunks[number].id not in vault.kept
        assert await desk.undo_remove() == trunks[number]
        assert desk.trunks() == tuple(trunks)
        assert vault.kept == kept
        assert desk.can_undo == ""
        assert await desk.undo_remove() is None

    with_desk(act)


def test_only_the_last_deleted_trunk_comes_back_and_only_in_this_run(with_desk: With) -> None:
    async def act(desk: Desk) -> None:
        first, second = await add(desk, "A"), await add(desk, "B")
        await desk.remove(first.id)
        await desk.remove(second.id)
        assert await desk.undo_remove() == second
        await desk.remove(second.id)

    with_desk(act)
    with_desk(lambda desk: _same((desk.can_undo, desk.trunks()), ("", ())))


def test_a_name_that_was_taken_meanwhile_keeps_it_from_coming_back_until_it_is_free(with_desk: With) -> None:
    async def act(desk: Desk) -> None:
        office = await add(desk, "Office", CANARY)
        await desk.remove(office.id)
        other = await add(desk, "office")
        with pytest.raises(StoreError, match="already"):
            await desk.undo_remove()
        assert desk.can_undo == "Office"
        await desk.rename(other.id, "Other")
        assert await desk.undo_remove() == office

    with_desk(act)


def test_a_password_that_can_not_be_deleted_is_told_and_the_trunk_still_comes_back(
    with_desk: With, vault: Refusing
) -> None:
    async def act(desk: Desk) -> None:
        office = await add(desk, "Office", CANARY)
        for what in ("get", "delete"):
            vault.refuses = {what}
            with pytest.raises(VaultError, match="still in the system keyring"):
                await desk.remove(office.id)
            assert desk.trunks() == ()
            vault.refuses = set()
            assert await desk.undo_remove() == office
            assert vault.kept == {office.id: CANARY}

    with_desk(act)


def test_a_password_that_can_not_be_kept_again_is_used_for_this_run(with_desk: With, vault: Refusing) -> None:
    async def act(desk: Desk) -> None:
        office = await add(desk, "Office", CANARY)
        await desk.remove(office.id)
        vault.refuses = {"set"}
        with pytest.raises(VaultError, match="is back, but its password is kept for this run only"):
            await desk.undo_remove()
        assert desk.trunks() == (office,)
        assert await desk._keeping.password_for(office) == CANARY

    with_desk(act)


def test_one_that_can_not_be_read_is_told_can_be_deleted_and_does_not_come_back(
    with_desk: With, paths: Paths
) -> None:
    async def act(desk: Desk) -> None:
        await add(desk, "Sound")
        torn = await add(desk, "Torn")
        assert desk.store_note == ""
        desk._store._database.change("UPDATE trunks SET settings = '{' WHERE id = ?", (torn.id,))
        assert names(desk) == ["Sound"]
        assert '"Torn" can\'t be read' in desk.store_note
        assert "ringback remove" in desk.store_note
        await desk.remove(desk.id_of("torn"))
        assert (desk.store_note, desk.can_undo) == ("", "")

    with_desk(act)


# Trials


def test_a_trunk_on_trial_is_known_and_written_nowhere(
    with_desk: With, vault: Refusing, paths: Paths
) -> None:
    async def act(desk: Desk) -> None:
        trunk = await desk.start_trial({**HOST, "user": "1", "connect": "no"}, CANARY)
        assert (trunk.name, trunk.connect) == ("New trunk", True)
        assert desk.trunk(trunk.id) == trunk
        assert desk.trunks() == ()
        assert await desk._keeping.password_for(trunk) == CANARY
        named = await desk.start_trial({**HOST, "user": "1", "name": "Office"}, "")
        assert named.name == "Office"
        with pytest.raises(VaultError, match="No password is known for Office"):
            await desk.connect(named.id)
        for each in (trunk, named, trunk):
            await desk.end_trial(each.id)
        with pytest.raises(UserError, match="removed"):
            desk.trunk(trunk.id)
        with pytest.raises(VaultError):
            await desk._keeping.password_for(trunk)
        assert vault.sets == 0
        assert CANARY not in f"{vars(desk)} {vars(desk._keeping)}"

    with_desk(act)
    for file in paths.data.rglob("*"):
        assert not file.is_file() or CANARY.encode() not in file.read_bytes()


def test_what_can_not_be_a_trunk_or_a_password_is_refused_on_trial(with_desk: With) -> None:
    async def act(desk: Desk) -> None:
        with pytest.raises(SettingError) as bad:
            await desk.start_trial({"user": "1"}, CANARY)
        assert bad.value.field == "host"
        with pytest.raises(VaultError) as no_password:
            await desk.start_trial({**HOST, "user": "1"}, "a\nb")
        assert no_password.value.field == "password"
        assert desk._keeping._trials == {}

    with_desk(act)


def test_a_trunk_by_address_connects_without_looking_for_a_password(with_desk: With, vault: Refusing) -> None:
    async def act(desk: Desk) -> None:
        vault.refuses = {"get"}
        office = await add(desk, "Office", sign_in="address")
        assert await desk._keeping.password_for(office) == ""

    with_desk(act)


def test_a_new_trunk_can_be_given_its_id(with_desk: With, vault: Refusing) -> None:
    async def act(desk: Desk) -> None:
        trunk, _ = await desk.add("Office", {**HOST, "user": "1"}, CANARY, trunk_id="f" * 32)
        assert trunk.id == "f" * 32
        assert vault.kept == {"f" * 32: CANARY}

    with_desk(act)
