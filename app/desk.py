"""The desk: trunks with their secrets and their sessions, and everything a person can do with them.

The window and the command line are two faces of this one object; neither has a capability of its own.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from app.errors import StoreError, UserError, VaultError
from app.model.outcome import CallOutcome, RegisterOutcome
from app.model.settings import Mended, apply_settings, check_trunk, new_trunk
from app.model.trunk import Trunk, TrunkState
from app.paths import check_ca_file
from app.sip.emergency import dialled_number
from app.sip.messages import Source
from app.sip.notices import Notice
from app.sip.supervisor import Supervisor
from app.store import Store, window_setting
from app.threads import run_apart
from app.vault import Vault, VaultNote

if TYPE_CHECKING:
    from app.sip.demo import DemoCarrier

DEFAULT_MAX_SECONDS = 30.0
"""Length limit of a test call, seconds, unless the person asks for another."""
LONGEST_CALL_SECONDS = 120.0
"""Nobody can ask for a longer test call."""
DEFAULT_RING_SECONDS = 45.0
LONGEST_RING_SECONDS = 180.0
"""Nobody can ask for longer ringing; networks give up before that."""
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
        vault_note: What the person should know about the vault, empty while there is nothing.
    """

    def __init__(
        self,
        store: Store,
        open_vault: Callable[[], tuple[Vault, VaultNote | None]],
        *,
        on_log: Callable[[str, str], None] | None = None,
    ) -> None:
        self._store = store
        self._open_vault = open_vault
        self._vault: Vault | None = None
        self._vault_lock = asyncio.Lock()
        self._on_log = on_log
        self._listeners: list[Callable[[Notice], None]] = []
        self._supervisor = Supervisor(self._tell, on_log=on_log)
        self._demo: DemoCarrier | None = None
        self._this_run: dict[str, Trunk] = {}
        self._passwords: dict[str, str] = {}
        self.vault_note = ""

    def listen(self, listener: Callable[[Notice], None]) -> None:
        """Hand every notice to `listener` as well."""
        self._listeners.append(listener)

    def _tell(self, notice: Notice) -> None:
        for listener in self._listeners:
            listener(notice)

    # Trunks

    async def check_vault(self) -> str:
        """Open the vault if it is not open, and return what the person should know about it."""
        await self._opened_vault()
        return self.vault_note

    async def _opened_vault(self) -> Vault:
        async with self._vault_lock:
            if self._vault is None:
                vault, note = await run_apart(self._open_vault)
                if note is not None:
                    self.vault_note = f"{note.what} {note.do}".strip()
                self._vault = vault
            return self._vault

    def trunks(self) -> tuple[Trunk, ...]:
        """Saved trunks in the person's order, then those of this run only (the demo)."""
        return (*self._store.trunks(), *self._this_run.values())

    def trunk(self, trunk_id: str) -> Trunk:
        """The trunk with this id.

        Raises:
            UserError: It is gone.
        """
        trunk = self._this_run.get(trunk_id) or self._store.by_id(trunk_id)
        if trunk is None:
            raise UserError("That trunk has been removed.", do="Choose another one.")
        return trunk

    def by_name(self, name: str) -> Trunk:
        """The saved trunk with this name.

        Raises:
            StoreError: There is none; near misses are named.
        """
        return self._store.by_name(name)

    def state(self, trunk_id: str) -> TrunkState:
        """The state of a trunk."""
        return self._supervisor.state(trunk_id)

    async def add(
        self, name: str, settings: Mapping[str, str], password: str
    ) -> tuple[Trunk, tuple[Mended, ...]]:
        """Check and save a new trunk; the password goes to the vault.

        Returns:
            The trunk, and what was mended in the settings.

        Raises:
            SettingError: A setting can't be used.
            StoreError: It can't be saved; nothing is kept.
            VaultError: The password can't be kept; neither is the trunk.
        """
        trunk, mended = new_trunk(uuid.uuid4().hex, name, settings)
        trunk = replace(trunk, ca_file=check_ca_file(trunk.ca_file))
        self._store.add(trunk)
        try:
            await self._keep(trunk.id, password)
        except VaultError:
            self._store.remove(trunk.id)
            raise
        return trunk, mended

    async def change(
        self, trunk_id: str, name: str, settings: Mapping[str, str], password: str | None
    ) -> tuple[Trunk, tuple[Mended, ...]]:
        """Save a changed trunk and disconnect it; `password` None keeps the old one.

        Raises:
            SettingError, StoreError, VaultError: As `add`; the old trunk stays as it was.
        """
        before = self.trunk(trunk_id)
        trunk, mended = apply_settings(before, {**settings, "name": name})
        check_trunk(trunk)
        trunk = replace(trunk, ca_file=check_ca_file(trunk.ca_file))
        if trunk_id in self._this_run:
            raise StoreError("The demo's trunk can't be changed.", do="Add a trunk of your own.")
        self._store.update(trunk, before=before)
        if password is not None:
            try:
                await self._keep(trunk_id, password)
            except VaultError:
                self._store.update(before)
                raise
        await self._supervisor.disconnect(trunk_id)
        return trunk, mended

    def id_of(self, name: str) -> str:
        """The id of the saved trunk with this name, also of one that can't be read any more.

        Raises:
            StoreError: There is none; near misses are named.
        """
        return self._store.id_of(name)

    async def remove(self, trunk_id: str) -> None:
        """Disconnect, delete the trunk and its secret.

        Raises:
            StoreError: It can't be deleted; nothing was.
            VaultError: The trunk is deleted, its password could not be.
        """
        await self._supervisor.disconnect(trunk_id)
        if self._this_run.pop(trunk_id, None) is not None:
            await self._stop_demo()
            return
        self._store.remove(trunk_id)
        self._passwords.pop(trunk_id, None)
        vault = await self._opened_vault()
        try:
            await run_apart(vault.delete, trunk_id)
        except VaultError as error:
            raise VaultError(
                "The trunk is deleted, but its password is still in the system keyring.",
                do=error.do,
                details=str(error),
            ) from error

    async def _keep(self, trunk_id: str, password: str) -> None:
        # The keyring may show a prompt of its own and wait for the person
        self._passwords.pop(trunk_id, None)
        if password:
            vault = await self._opened_vault()
            await run_apart(vault.set, trunk_id, password)

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
        if password is not None:
            self._passwords[trunk_id] = password
        secret = self._passwords.get(trunk_id)
        if secret is None:
            vault = await self._opened_vault()
            secret = await run_apart(vault.get, trunk_id)
        if secret is None and trunk.register:
            raise VaultError(
                f"No password is known for {trunk.name}. {self.vault_note}".strip(),
                do="Type it in the trunk's settings, or hand it over with --password-stdin.",
                field="password",
            )
        return await self._supervisor.connect(trunk, secret or "")

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
            trunk = demo.trunk()
            self._this_run = {trunk.id: trunk}
            self._passwords[trunk.id] = demo.password
        return next(iter(self._this_run.values()))

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
    ) -> str:
        """Check a call before anything is sent, and return what would be dialled.

        Raises:
            CallRefusedError: An emergency number.
            UserError: Not a number, or a length that is not possible.
        """
        check_length(max_seconds, ring_seconds)
        return dialled_number(number, self.trunk(trunk_id).host)

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
        self.check_call(trunk_id, number, max_seconds=max_seconds, ring_seconds=ring_seconds)
        session = self._supervisor.session(trunk_id)
        return await session.place_call(
            number, max_seconds=max_seconds, ring_seconds=ring_seconds, source=source
        )

    async def wait_call(self, trunk_id: str, call_id: str) -> CallOutcome:
        """Wait for the end of a call."""
        return await self._supervisor.session(trunk_id).wait_call(call_id)

    async def answer(self, trunk_id: str, call_id: str) -> None:
        """Answer an incoming call; it sends the speech sample."""
        session = self._supervisor.session(trunk_id)
        await session.answer(call_id, max_seconds=LONGEST_CALL_SECONDS, source=Source.SPEECH)

    async def reject(self, trunk_id: str, call_id: str, code: int = 486) -> None:
        """Refuse an incoming call."""
        await self._supervisor.session(trunk_id).reject(call_id, code)

    async def hang_up(self, trunk_id: str, call_id: str) -> None:
        """End a call in whatever state it is."""
        await self._supervisor.session(trunk_id).hang_up(call_id)

    async def set_source(self, trunk_id: str, call_id: str, source: Source) -> None:
        """Change what a call sends."""
        await self._supervisor.session(trunk_id).set_source(call_id, source)

    async def send_digits(self, trunk_id: str, call_id: str, digits: str) -> None:
        """Send DTMF digits."""
        await self._supervisor.session(trunk_id).send_digits(call_id, digits)

    async def close(self) -> None:
        """Hang up everything, unregister everywhere, end every child, close the store."""
        await self._supervisor.close()
        await self._stop_demo()
        self._store.close()


def check_length(max_seconds: float, ring_seconds: float = DEFAULT_RING_SECONDS) -> None:
    """Check how long a call may last and ring.

    Raises:
        UserError: It can't be that long or short; the field is that of the command line.
    """
    for field, what, seconds, longest in (
        ("seconds", "A test call", max_seconds, LONGEST_CALL_SECONDS),
        ("ring-seconds", "Ringing for an answer", ring_seconds, LONGEST_RING_SECONDS),
    ):
        if not 0 < seconds <= longest:
            raise UserError(
                f"{what} of {seconds:g} seconds is not possible.",
                do=f"Choose between 1 and {longest:g} seconds.",
                field=field,
            )
