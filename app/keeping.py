"""Keeping trunks: saved ones with their secrets, and those of one run only. No session is touched here."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec.structs import replace

from app.ca_file import check_ca_file
from app.errors import SettingError, StoreError, UserError, VaultError
from app.importing import read_document, read_import_file, read_table
from app.model.conflicts import Conflict, conflicts
from app.model.names import free_name, with_ending
from app.model.password import Secret, check_password
from app.model.settings import Mended, apply_settings, check_trunk, new_trunk
from app.model.trunk import Trunk
from app.model.trunk_csv import CsvPreview
from app.model.trunk_file import write_trunks
from app.model.typed import shown
from app.store import Store
from app.threads import finish_apart, run_apart
from app.vault import Vault, VaultNote

SWITCHES = ("connect", "allow_out", "allow_in")
"""Settings that `switch` turns on and off."""

_FEW = 20
"""Trunks that are saved in less time than anybody notices."""

MOST_NAMED = 10
"""Trunks that can't be read and are named."""

TRIAL_NAME = "New trunk"
"""What a trunk is called that is tried before it has a name."""


class _Removed(msgspec.Struct, frozen=True, kw_only=True):
    """A deleted trunk as it was.

    Attributes:
        trunk: Its settings.
        position: Its place in the order, from 0.
        kept: Its password in the vault.
        typed: Its password for this run.
    """

    trunk: Trunk
    position: int
    kept: Secret
    typed: Secret


class Keeping:
    """Belongs to one event loop.

    Args:
        store: Where trunks are kept.
        open_vault: Finds where passwords are kept; called once, when the first one is needed.

    Attributes:
        vault_note: What the person should know about the vault, empty while there is nothing.
    """

    def __init__(self, store: Store, open_vault: Callable[[], tuple[Vault, VaultNote | None]]) -> None:
        self._store = store
        self._open_vault = open_vault
        self._vault: Vault | None = None
        self._vault_lock = asyncio.Lock()
        self._this_run: dict[str, Trunk] = {}
        self._trials: dict[str, Trunk] = {}
        self._typed: dict[str, Secret] = {}
        self._removed: _Removed | None = None
        self.vault_note = ""

    async def opened_vault(self) -> Vault:
        """The vault, which may ask the person to unlock it."""
        async with self._vault_lock:
            if self._vault is None:
                vault, note = await run_apart(self._open_vault)
                if note is not None:
                    self.vault_note = f"{note.what} {note.do}".strip()
                self._vault = vault
            return self._vault

    @property
    def data_note(self) -> str:
        """What opening the data folder met, such as a repair or a full disk; empty when all was well."""
        return "\n".join(self._store.notes)

    @property
    def store_note(self) -> str:
        """`data_note`, and which saved trunks can't be used and why; empty when all is well."""
        unreadable = self._store.unreadable()
        notes = [trunk.words for trunk in unreadable[:MOST_NAMED]]
        if len(unreadable) > MOST_NAMED:
            notes.append(f"{len(unreadable) - MOST_NAMED} more trunks can't be used.")
        return "\n".join((*self._store.notes, *notes))

    # Finding

    def trunks(self) -> tuple[Trunk, ...]:
        """Saved trunks that can be read, then the demo's."""
        return (*self._store.trunks(), *self._this_run.values())

    def trunk(self, trunk_id: str) -> Trunk:
        """A saved trunk, the demo's or one on trial."""
        trunk = self._this_run.get(trunk_id) or self._trials.get(trunk_id) or self._store.by_id(trunk_id)
        if trunk is None:
            raise UserError("That trunk has been removed.", do="Choose another one.")
        return trunk

    def conflicts(self, trunk: Trunk) -> tuple[Conflict, ...]:
        """What it shares with saved trunks that it should not."""
        return conflicts(trunk, self._store.trunks())

    # Secrets

    def remember_typed(self, trunk_id: str, password: str) -> None:
        """Use a password for this run in place of the vault's."""
        self._typed[trunk_id] = Secret(password)

    async def password_for(self, trunk: Trunk) -> str:
        """The password to sign in with, empty when none is needed and none is known.

        Raises:
            VaultError: One is needed and not known, or the vault can't be read.
        """
        typed = self._typed.get(trunk.id)
        if typed is not None:
            return typed.reveal()
        if not trunk.needs_password:
            return ""
        kept = None if trunk.id in self._trials else await self._kept(trunk.id)
        if kept is None:
            raise VaultError(
                f"No password is known for {trunk.name}. {self.vault_note}".strip(),
                do="Type it in the trunk's settings, or hand it over with --password-stdin.",
                field="password",
            )
        return kept

    async def _kept(self, trunk_id: str) -> str | None:
        vault = await self.opened_vault()
        return await run_apart(vault.get, trunk_id)

    async def _keep(self, trunk_id: str, password: str) -> None:
        # The keyring may show a prompt of its own and wait for the person
        self._typed.pop(trunk_id, None)
        if password:
            vault = await self.opened_vault()
            await run_apart(vault.set, trunk_id, password)

    # Saving

    async def add(
        self, name: str, settings: Mapping[str, str], password: str, *, trunk_id: str | None = None
    ) -> tuple[Trunk, tuple[Mended, ...]]:
        """See `Desk.add`."""
        trunk, mended = new_trunk(trunk_id or uuid.uuid4().hex, name, settings)
        trunk = await _with_ca_file(trunk)
        if password:
            check_password(password)
        await self._add_all([(trunk, Secret(password))])
        return trunk, mended

    async def _add_all(self, new: Sequence[tuple[Trunk, Secret]]) -> None:
        """Trunks and passwords, all or none."""
        saved: list[str] = []
        done: list[str] = []

        def save(store: Store) -> None:
            store.add_many([trunk for trunk, _ in new])
            saved.extend(trunk.id for trunk, _ in new)

        def take_back(store: Store) -> None:
            for trunk_id in saved:
                store.remove(trunk_id)

        try:
            await self._in_store(len(new), save)
            for trunk, password in new:
                await self._keep(trunk.id, password.reveal())
                if password:
                    done.append(trunk.id)
        except BaseException:
            await self._in_store(len(saved), take_back)
            await self._forget_kept(done)
            raise

    async def _in_store(self, count: int, work: Callable[[Store], object]) -> None:
        """Change trunks; many of them in a thread and on a connection of its own, as that takes seconds."""
        if count <= _FEW:
            work(self._store)
            return

        def change() -> None:
            with Store.open(self._store.paths) as store:
                work(store)

        await finish_apart(change)

    async def _forget_kept(self, trunk_ids: Sequence[str]) -> None:
        with suppress(VaultError):  # the error that led here is the one to tell
            for trunk_id in trunk_ids:
                await run_apart((await self.opened_vault()).delete, trunk_id)

    async def change(
        self, trunk_id: str, name: str, settings: Mapping[str, str], password: str | None
    ) -> tuple[Trunk, tuple[Mended, ...]]:
        """See `Desk.change`."""
        # One whose settings are not valid any more can be changed, so that they are
        before = self._store.by_id(trunk_id, check=False) or self.trunk(trunk_id)
        trunk, mended = apply_settings(before, {**settings, "name": name})
        check_trunk(trunk)
        trunk = await _with_ca_file(trunk)
        self._refuse_unsaved(trunk_id)
        self._store.update(trunk, before=before)
        if password is not None:
            try:
                await self._keep(trunk_id, password)
            except VaultError:
                self._store.update(before)
                raise
        return trunk, mended

    def rename(self, trunk_id: str, name: str) -> Trunk:
        """See `Desk.rename`."""
        return self._replace(trunk_id, {"name": name})

    def switch(self, trunk_id: str, key: str, on: bool) -> Trunk:
        """See `Desk.switch`."""
        if key not in SWITCHES:
            raise SettingError(
                f"{shown(key)} is no switch.", do=f"Switches are: {', '.join(SWITCHES)}.", field=key
            )
        return self._replace(trunk_id, {key: "yes" if on else "no"})

    def _replace(self, trunk_id: str, settings: Mapping[str, str]) -> Trunk:
        before = self.trunk(trunk_id)
        self._refuse_unsaved(trunk_id)
        trunk, _ = apply_settings(before, settings)
        self._store.update(trunk, before=before)
        return trunk

    def _refuse_unsaved(self, trunk_id: str) -> None:
        if trunk_id in self._this_run:
            raise StoreError("The demo's trunk can't be changed.", do="Add a trunk of your own.")

    async def duplicate(self, trunk_id: str) -> Trunk:
        """See `Desk.duplicate`."""
        trunk = self.trunk(trunk_id)
        self._refuse_unsaved(trunk_id)
        name = free_name(with_ending(trunk.name, " (copy)"), self._store.names())
        copy = replace(trunk, id=uuid.uuid4().hex, name=name, connect=False)
        kept = await self._kept(trunk_id) if trunk.needs_password else None
        await self._add_all([(copy, Secret(kept or ""))])
        if trunk_id in self._typed:
            self._typed[copy.id] = self._typed[trunk_id]
        return copy

    def set_order(self, trunk_ids: Sequence[str]) -> None:
        """See `Desk.set_order`."""
        self._store.set_order(trunk_ids)

    # Deleting

    async def remove(self, trunk_id: str) -> None:
        """See `Desk.remove`."""
        trunk = None
        try:
            trunk = self._store.by_id(trunk_id)
        except StoreError:
            self._removed = None  # one that can't be read can be deleted, but not brought back
        position = self._store.remove(trunk_id)
        typed = self._typed.pop(trunk_id, Secret())
        kept = Secret()
        try:
            kept = Secret(await self._kept(trunk_id) or "")
            vault = await self.opened_vault()
            await run_apart(vault.delete, trunk_id)
        except VaultError as error:
            raise VaultError(
                "The trunk is deleted, but its password is still in the system keyring.",
                do=error.do,
                details=str(error),
            ) from error
        finally:
            if trunk is not None:
                self._removed = _Removed(trunk=trunk, position=position, kept=kept, typed=typed)

    @property
    def can_undo(self) -> str:
        """The name of the trunk that `undo_remove` would bring back, or empty."""
        return self._removed.trunk.name if self._removed else ""

    async def undo_remove(self) -> Trunk | None:
        """See `Desk.undo_remove`."""
        removed = self._removed
        if removed is None:
            return None
        self._store.insert_at(removed.trunk, removed.position)
        self._removed = None
        trunk = removed.trunk
        if removed.typed:
            self._typed[trunk.id] = removed.typed
        if removed.kept:
            try:
                vault = await self.opened_vault()
                await run_apart(vault.set, trunk.id, removed.kept.reveal())
            except VaultError as error:
                self._typed.setdefault(trunk.id, removed.kept)
                raise VaultError(
                    f"{trunk.name} is back, but its password is kept for this run only.",
                    do=error.do,
                    details=str(error),
                ) from error
        return trunk

    # Files

    def export_text(self, trunk_ids: Sequence[str] | None = None) -> str:
        """See `Desk.export_text`."""
        if trunk_ids is None:
            return write_trunks(self._store.trunks())
        return write_trunks([self.trunk(trunk_id) for trunk_id in trunk_ids])

    async def read_import(self, path: Path) -> str:
        """See `Desk.read_import`."""
        return await run_apart(read_import_file, path)

    async def import_text(
        self, text: str, *, rename_taken: bool = False, dry_run: bool = False
    ) -> tuple[Trunk, ...]:
        """See `Desk.import_text`."""
        # Seconds for the largest document; calls go on meanwhile
        trunks = await run_apart(read_document, text, self._store.paths, rename_taken)
        if not dry_run:
            await self._add_all([(trunk, Secret()) for trunk in trunks])
        return trunks

    async def preview_csv(self, text: str) -> CsvPreview:
        """See `Desk.preview_csv`."""
        return await run_apart(read_table, text, self._store.paths)

    async def import_rows(self, preview: CsvPreview) -> tuple[Trunk, ...]:
        """See `Desk.import_rows`."""
        new = []
        for row in preview.good:
            assert row.trunk is not None  # what makes it a good one
            new.append((replace(row.trunk, id=uuid.uuid4().hex), row.password))
        await self._add_all(new)
        return tuple(trunk for trunk, _ in new)

    # Of this run only

    def put_demo(self, trunk: Trunk, password: str) -> None:
        """Know the demo's trunk."""
        self._this_run = {trunk.id: trunk}
        self.remember_typed(trunk.id, password)

    @property
    def demo(self) -> Trunk:
        """The demo's trunk; there is one."""
        return next(iter(self._this_run.values()))

    def drop_demo(self, trunk_id: str) -> bool:
        """Forget the demo's trunk; whether it was that one."""
        if self._this_run.pop(trunk_id, None) is None:
            return False
        self._typed.pop(trunk_id, None)
        return True

    async def start_trial(self, settings: Mapping[str, str], password: str) -> Trunk:
        """See `Desk.start_trial`."""
        name = settings.get("name", "").strip() or TRIAL_NAME
        trunk, _ = new_trunk(uuid.uuid4().hex, name, {**settings, "name": name})
        trunk = await _with_ca_file(trunk)
        if password:
            check_password(password)
            self.remember_typed(trunk.id, password)
        # Trying it is the point, whether or not it is to connect later
        trunk = replace(trunk, connect=True)
        self._trials[trunk.id] = trunk
        return trunk

    def on_trial(self, trunk_id: str) -> bool:
        """Whether a trunk is on trial."""
        return trunk_id in self._trials

    def end_trial(self, trunk_id: str) -> None:
        """Forget a trunk on trial and its password."""
        if self._trials.pop(trunk_id, None) is not None:
            self._typed.pop(trunk_id, None)


async def _with_ca_file(trunk: Trunk) -> Trunk:
    # Apart: it may lie on a disk that does not answer
    return replace(trunk, ca_file=await run_apart(check_ca_file, trunk.ca_file)) if trunk.ca_file else trunk
