"""The desk: trunks with their secrets and their sessions, and everything a person can do with them.

The window and the command line are two faces of this one object; neither has a capability of its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import UserError, VaultError
from app.history.calls import CallHistory
from app.keeping import Keeping
from app.model.audio_choice import AudioChoice
from app.model.call import Source
from app.model.call_length import (
    DEFAULT_MAX_SECONDS,
    DEFAULT_RING_SECONDS,
    check_length,
)
from app.model.conflicts import Conflict
from app.model.history import CallPlan
from app.model.outcome import CallOutcome, RegisterOutcome
from app.model.settings import Mended
from app.model.trunk import Trunk, TrunkState
from app.model.trunk_csv import CsvPreview
from app.sip.call_control import CallControl
from app.sip.dialling import Dialled, dial
from app.sip.notices import Notice
from app.sip.supervisor import Supervisor
from app.store import Store, StoredSetting, window_setting
from app.system_country import system_countries
from app.vault import ANSWER_LIMIT_S, Vault, VaultNote

if TYPE_CHECKING:
    from app.sip.demo import DemoCarrier
    from app.sip.nearest import Reply, ServerAddress

_log = logging.getLogger(__name__)

AUDIO_CHOICE = StoredSetting("audio", AudioChoice, AudioChoice())

PASSWORD_LIMIT_S = 3 * ANSWER_LIMIT_S + 10.0
"""Seconds for a password: to find the keyring, to try it and to ask it, each with a limit of its own."""
HISTORY_LIMIT_S = 15.0
"""Seconds for the last calls to be written at the end; a disk can be gone."""

DEMO_NUMBER = "600"
"""The demo carrier's echo."""


class Desk:
    """All methods belong to one event loop; notices come on it too.

    Args:
        store: Where trunks are kept.
        open_vault: Finds where passwords are kept; called once, when the first one is needed, because a
            locked keyring asks the person for its own password then.
        on_log: Gets the log lines of children, with the trunk's name.

    Attributes:
        history: The calls that were made, in this run and in former ones.
    """

    def __init__(
        self,
        store: Store,
        open_vault: Callable[[], tuple[Vault, VaultNote | None]],
        *,
        on_log: Callable[[str, str], None] | None = None,
    ) -> None:
        self._store = store
        self._keeping = Keeping(store, open_vault)
        self.history = CallHistory(store, self._tell, self._keeping.trunk, self._keeping.on_trial)
        self._on_log = on_log
        self._listeners: list[Callable[[Notice], None]] = []
        self._supervisor = Supervisor(self._tell, on_log=on_log)
        self._demo: DemoCarrier | None = None

    def listen(self, listener: Callable[[Notice], None]) -> None:
        """Hand every notice to `listener` as well."""
        self._listeners.append(listener)

    def _tell(self, notice: Notice) -> None:
        self.history.log.take(notice)
        for listener in self._listeners:
            listener(notice)

    # Trunks

    @property
    def vault_note(self) -> str:
        """What the person should know about the vault, empty while there is nothing."""
        return self._keeping.vault_note

    @property
    def data_note(self) -> str:
        """What opening the data folder met, such as a repair or a full disk; empty when all was well."""
        return self._keeping.data_note

    @property
    def store_note(self) -> str:
        """`data_note`, and which saved trunks can't be used and why; empty when all is well."""
        return self._keeping.store_note

    async def check_vault(self) -> str:
        """Open the vault if it is not open, and return what the person should know about it."""
        await self._keeping.opened_vault()
        return self.vault_note

    def trunks(self) -> tuple[Trunk, ...]:
        """Saved trunks in the person's order, then those of this run only (the demo)."""
        return self._keeping.trunks()

    def trunk(self, trunk_id: str) -> Trunk:
        """The trunk with this id, one on trial included.

        Raises:
            UserError: It is gone.
        """
        return self._keeping.trunk(trunk_id)

    def by_name(self, name: str, *, check: bool = True) -> Trunk:
        """The saved trunk with this name.

        Args:
            name: In upper or lower case.
            check: Whether to refuse one whose settings are not valid any more; else they can be changed.

        Raises:
            StoreError: There is none; near misses are named. Or it can't be read.
        """
        return self._store.by_name(name, check=check)

    def id_of(self, name: str) -> str:
        """The id of the saved trunk with this name, also of one that can't be read any more.

        Raises:
            StoreError: There is none; near misses are named.
        """
        return self._store.id_of(name)

    def state(self, trunk_id: str) -> TrunkState:
        """The state of a trunk."""
        return self._supervisor.state(trunk_id)

    async def add(
        self,
        name: str,
        settings: Mapping[str, str],
        password: str,
        *,
        trunk_id: str | None = None,
        tried: Sequence[str] = (),
    ) -> tuple[Trunk, tuple[Mended, ...]]:
        """Check and save a new trunk; the password goes to the vault.

        Args:
            name, settings, password: The trunk.
            trunk_id: Its id; a new one if none is given.
            tried: Trunks on trial that it came from; their calls belong to its history.

        Returns:
            The trunk, and what was mended in the settings.

        Raises:
            SettingError: A setting can't be used.
            StoreError: It can't be saved; nothing is kept.
            VaultError: The password can't be kept; neither is the trunk.
        """
        trunk, mended = await self._keeping.add(name, settings, password, trunk_id=trunk_id)
        self.history.log.adopt(tried, trunk)
        return trunk, mended

    async def change(
        self, trunk_id: str, name: str, settings: Mapping[str, str], password: str | None
    ) -> tuple[Trunk, tuple[Mended, ...]]:
        """Save a changed trunk and disconnect it; `password` None keeps the old one.

        Raises:
            SettingError, StoreError, VaultError: As `add`; the old trunk stays as it was.
        """
        changed = await self._keeping.change(trunk_id, name, settings, password)
        await self._supervisor.disconnect(trunk_id)
        return changed

    async def duplicate(self, trunk_id: str) -> Trunk:
        """Save a copy with its secret, called "… (copy)" and switched off, so that it does not register too.

        Raises:
            StoreError, VaultError: As `add`.
        """
        return await self._keeping.duplicate(trunk_id)

    async def rename(self, trunk_id: str, name: str) -> Trunk:
        """Give a trunk another name; it stays connected. A name that is taken is refused."""
        return self._keeping.rename(trunk_id, name)

    async def set_order(self, trunk_ids: Sequence[str]) -> None:
        """Put saved trunks into this order; those that are not named come behind."""
        self._keeping.set_order(trunk_ids)

    async def switch(self, trunk_id: str, key: str, on: bool) -> Trunk:
        """Turn `connect`, `allow_out` or `allow_in` on or off; without `connect` the trunk disconnects.

        Raises:
            SettingError: No such switch.
            StoreError: It can't be saved.
        """
        trunk = self._keeping.switch(trunk_id, key, on)
        if not trunk.connect:
            await self._supervisor.disconnect(trunk_id)
        return trunk

    async def remove(self, trunk_id: str) -> None:
        """Disconnect, delete the trunk and its secret; `undo_remove` brings the last one back in this run.

        Raises:
            StoreError: It can't be deleted; nothing was.
            VaultError: The trunk is deleted, its password could not be.
        """
        await self._supervisor.disconnect(trunk_id)
        if self._keeping.drop_demo(trunk_id):
            await self._stop_demo()
            return
        await self._keeping.remove(trunk_id)

    @property
    def can_undo(self) -> str:
        """The name of the trunk that `undo_remove` would bring back, or empty."""
        return self._keeping.can_undo

    async def undo_remove(self) -> Trunk | None:
        """Bring the trunk that was removed last back, with its id, place and secret; None without one.

        Raises:
            StoreError: Its name was taken meanwhile, or it can't be saved; it can still be brought back.
            VaultError: The trunk is back, its password is for this run only.
        """
        return await self._keeping.undo_remove()

    async def conflicts(self, trunk: Trunk) -> tuple[Conflict, ...]:
        """What a trunk, saved or not, shares with saved ones that it should not."""
        return self._keeping.conflicts(trunk)

    # Files

    async def export_text(self, trunk_ids: Sequence[str] | None = None) -> str:
        """Trunks as a text to save, all saved ones if none are named; without secrets."""
        return self._keeping.export_text(trunk_ids)

    async def read_import(self, path: Path) -> str:
        """The text of a file to import.

        Raises:
            UserError: It is not an ordinary file, too large, can't be read, or is not text in UTF-8.
        """
        return await self._keeping.read_import(path)

    async def import_text(
        self, text: str, *, rename_taken: bool = False, dry_run: bool = False
    ) -> tuple[Trunk, ...]:
        """Save all trunks of such a text, or none.

        Args:
            text: An export.
            rename_taken: Put a number behind a name that is taken.
            dry_run: Only check everything; nothing is saved.

        Raises:
            SettingError, StoreError: One can't be used or saved; the text says which and in which line.
        """
        return await self._keeping.import_text(text, rename_taken=rename_taken, dry_run=dry_run)

    async def preview_csv(self, text: str) -> CsvPreview:
        """What importing a table would do; nothing is saved.

        Raises:
            SettingError: It is no table that can be made sense of.
        """
        return await self._keeping.preview_csv(text)

    async def import_rows(self, preview: CsvPreview) -> tuple[Trunk, ...]:
        """Save the good rows of a table, with their passwords; all of them or none.

        Raises:
            SettingError, StoreError, VaultError: As `add`.
        """
        return await self._keeping.import_rows(preview)

    # Trying a trunk before it is saved

    async def start_trial(self, settings: Mapping[str, str], password: str) -> Trunk:
        """Check a trunk, which may have no name yet, and know it for this run; nothing of it is written.

        Raises:
            SettingError: A setting can't be used.
            VaultError: It can be no password.
        """
        return await self._keeping.start_trial(settings, password)

    async def end_trial(self, trunk_id: str) -> None:
        """Disconnect a trunk on trial and forget it; harmless when done twice."""
        await self._supervisor.disconnect(trunk_id)
        self._keeping.end_trial(trunk_id)

    async def find_nearest(
        self, servers: Sequence[ServerAddress], on_result: Callable[[Reply], None], limit_s: float = 4.0
    ) -> tuple[Reply, ...]:
        """Ask servers which is nearest; see `app.sip.nearest.find_nearest`."""
        from app.sip.nearest import find_nearest

        return await find_nearest(servers, on_result, limit_s)

    # The window's memory

    def recall(self, key: str) -> str:
        """A remembered value of the window, such as its size; empty when there is none."""
        return self._store.setting(window_setting(key))

    def remember(self, key: str, value: str) -> None:
        """Remember a value of the window."""
        self._store.set_setting(window_setting(key), value)

    # Connecting

    async def connect(self, trunk_id: str, password: str | None = None) -> RegisterOutcome:
        """Start the trunk's engine and sign in; failures of the far end are outcomes, not exceptions.

        Args:
            trunk_id: Which trunk.
            password: Used for this run instead of the one in the vault.

        Raises:
            UserError: No such trunk, no password known, or the engine can't be started.
        """
        trunk = self.trunk(trunk_id)
        if not trunk.connect:
            raise UserError(
                f"{trunk.name} is switched off.",
                do="Set connect to yes in its settings, or with: ringback set NAME connect=yes.",
                field="connect",
            )
        if password is not None:
            self._keeping.remember_typed(trunk_id, password)
        return await self._supervisor.connect(trunk, await self._password_for(trunk))

    async def _password_for(self, trunk: Trunk) -> str:
        try:
            async with asyncio.timeout(PASSWORD_LIMIT_S):
                return await self._keeping.password_for(trunk)
        except TimeoutError:
            raise VaultError(
                f"The password of {trunk.name} was not read within {PASSWORD_LIMIT_S:g} seconds.",
                do="Unlock the keyring of this computer, or hand the password over with --password-stdin.",
                field="password",
            ) from None

    async def disconnect(self, trunk_id: str) -> None:
        """Hang up, unregister, end the engine; also cancels a `connect` under way."""
        await self._supervisor.disconnect(trunk_id)

    async def start_demo(self) -> Trunk:
        """Start the demo carrier (once) and return its trunk, kept for this run only.

        Raises:
            EngineError: The carrier can't be started.
        """
        from app.sip.demo import DemoCarrier

        if self._demo is not None and not self._demo.running:
            await self._stop_demo()
        if self._demo is None:

            def log(line: str) -> None:
                if self._on_log is not None:
                    self._on_log("demo carrier", line)

            demo = DemoCarrier(on_log=log)
            await demo.start()
            self._demo = demo
            self._keeping.put_demo(demo.trunk(), demo.password)
        return self._keeping.demo

    async def _stop_demo(self) -> None:
        demo, self._demo = self._demo, None
        if demo is not None:
            await demo.stop()

    # Calls

    @property
    def calls_up(self) -> int:
        """Calls up on all trunks."""
        return self._supervisor.calls_up

    def check_call(
        self,
        trunk_id: str,
        number: str,
        *,
        max_seconds: float = DEFAULT_MAX_SECONDS,
        ring_seconds: float = DEFAULT_RING_SECONDS,
        meant: bool = False,
    ) -> Dialled:
        """Check a call before anything is sent, and return what would be dialled.

        Args:
            trunk_id, number: Through which trunk, and whom.
            max_seconds, ring_seconds: The longest that it may last and ring.
            meant: Whether the person wants to call now, so that a refusal belongs in the history.

        Raises:
            CallRefusedError: An emergency number.
            UserError: Not a number, or a length that is not possible.
        """
        trunk = self.trunk(trunk_id)
        plan = CallPlan(source=Source.TONE, max_seconds=max_seconds, ring_seconds=ring_seconds)
        with self.history.log.outgoing(trunk, number, plan) if meant else nullcontext():
            check_length(max_seconds, ring_seconds)
            return dial(number, trunk, system_countries())

    async def place_call(
        self,
        trunk_id: str,
        number: str,
        *,
        max_seconds: float = DEFAULT_MAX_SECONDS,
        ring_seconds: float = DEFAULT_RING_SECONDS,
        source: Source = Source.TONE,
    ) -> str:
        """Place a call and return its id; the trunk must be connected.

        Raises:
            CallRefusedError: An emergency number.
            UserError: Not a number, too long a call, not connected, or all calls of the engine in use.
        """
        plan = CallPlan(source=source, max_seconds=max_seconds, ring_seconds=ring_seconds)
        with self.history.log.outgoing(self.trunk(trunk_id), number, plan) as on_begin:
            self.check_call(trunk_id, number, max_seconds=max_seconds, ring_seconds=ring_seconds)
            session = self._supervisor.session(trunk_id)
            return await session.place_call(
                number, max_seconds=max_seconds, ring_seconds=ring_seconds, source=source, on_begin=on_begin
            )

    async def wait_call(self, trunk_id: str, call_id: str) -> CallOutcome:
        """Wait for the end of a call."""
        return await self._supervisor.session(trunk_id).wait_call(call_id)

    def control(self, trunk_id: str) -> CallControl:
        """Everything that can be done within the calls of a connected trunk.

        Raises:
            EngineError: It is not connected.
        """
        return self._supervisor.session(trunk_id).control

    # Sound devices

    def audio_choice(self) -> AudioChoice:
        """The sound devices that the person chose, in this run or a former one."""
        return self._store.setting(AUDIO_CHOICE)

    async def use_audio(self, choice: AudioChoice | None = None) -> None:
        """Let calls use sound devices from now on: those given, which are remembered, or the remembered ones.

        Without this no device is opened, and a call sends and hears test signals only.
        """
        if choice is not None:
            self._store.set_setting(AUDIO_CHOICE, choice)
        await self._supervisor.use_audio(choice or self.audio_choice())

    async def close(self) -> None:
        """Hang up everything, unregister everywhere, end every child, close history and store."""
        await self._supervisor.close()
        await self._stop_demo()
        try:
            async with asyncio.timeout(HISTORY_LIMIT_S):
                await self.history.close()
        except TimeoutError:
            _log.warning("the history was not written within %g seconds", HISTORY_LIMIT_S)
        self._store.close()
