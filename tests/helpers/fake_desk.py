"""A desk without engines, for tests of the window: does at once what it is told, and says so in notices."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from app.errors import UserError, VaultError
from app.importing import read_import_file
from app.model.audio_choice import AudioChoice
from app.model.call import CallState, Source
from app.model.conflicts import Conflict, conflicts
from app.model.names import free_name, with_ending
from app.model.outcome import (
    CallOutcome,
    Direction,
    RegisterOutcome,
)
from app.model.settings import Mended, apply_settings, check_trunk
from app.model.trunk import Trunk, TrunkState
from app.model.trunk_csv import CsvPreview, read_csv
from app.model.trunk_file import read_trunks, write_trunks
from app.sip.dialling import Dialled, dial
from app.sip.nearest import Reply, ServerAddress
from app.sip.notices import (
    CallEnded,
    CallFigures,
    CallHold,
    CallMeters,
    CallProgress,
    CallRecording,
    Notice,
    TrunkChanged,
)
from tests.helpers.fake_history import FakeHistory
from tests.helpers.office import figures, good_call, registered

DEMO = Trunk(id="demo", name="Demo carrier", host="127.0.0.1", port=5062, user="demo")


class FakeDesk:
    """Stands in for `app.desk.Desk`; `tests/ui/test_fake_desk.py` compares the two.

    Args:
        trunks: Saved trunks.
        vault_note: As of the real one.

    Attributes:
        asked: What was asked for, in order: method name and arguments.
        outcomes: By trunk id, what `connect` leads to; an exception is raised.
        refuse: By method name, an error that it raises.
        call_outcome: What a call that ends leads to.
        replies: By host, what `find_nearest` tells; a server that is not named does not answer.
        store_note: As of the real one.
        history: A history in memory.
        hold: By method name, waits for this event first.
    """

    def __init__(self, trunks: tuple[Trunk, ...] = (), vault_note: str = "") -> None:
        self._trunks = list(trunks)
        self._this_run: list[Trunk] = []
        self._listeners: list[Callable[[Notice], None]] = []
        self._numbers = itertools.count(1)
        self._calls: dict[tuple[str, str], asyncio.Future[CallOutcome]] = {}
        self._loop = asyncio.get_running_loop()
        self._vault_note = vault_note
        self.asked: list[tuple[object, ...]] = []
        self.outcomes: dict[str, RegisterOutcome | UserError] = {}
        self.refuse: dict[str, Exception] = {}
        self.call_outcome: Callable[[str], CallOutcome] = good_call
        self.hold: dict[str, asyncio.Event] = {}
        self.settings: dict[str, str] = {}
        self.demo_script = True
        self.audio = AudioChoice()
        self.replies: dict[str, Reply] = {}
        self.store_note = ""
        self._trials: list[Trunk] = []
        self._removed: tuple[Trunk, int] | None = None
        self.closed = False
        self.history = FakeHistory(self._begin)

    # For tests, from any thread

    def tell(self, *notices: Notice) -> None:
        """Have these notices come from the desk's own thread."""
        self._loop.call_soon_threadsafe(self._tell_all, notices)

    def release(self, method: str) -> None:
        """Let a held method go on."""
        self._loop.call_soon_threadsafe(self.hold[method].set)

    def asked_for(self, method: str) -> list[tuple[object, ...]]:
        """The arguments of every call of this method."""
        return [entry[1:] for entry in self.asked if entry[0] == method]

    # As the real one

    def listen(self, listener: Callable[[Notice], None]) -> None:
        self._listeners.append(listener)

    def trunks(self) -> tuple[Trunk, ...]:
        return (*self._trunks, *self._this_run)

    def trunk(self, trunk_id: str) -> Trunk:
        for trunk in (*self.trunks(), *self._trials):
            if trunk.id == trunk_id:
                return trunk
        raise UserError("That trunk has been removed.", do="Choose another one.")

    @property
    def vault_note(self) -> str:
        return self._vault_note

    async def check_vault(self) -> str:
        await self._begin("check_vault")
        return self._vault_note

    def recall(self, key: str) -> str:
        return self.settings.get(key, "")

    def remember(self, key: str, value: str) -> None:
        self.settings[key] = value

    async def add(
        self,
        name: str,
        settings: Mapping[str, str],
        password: str,
        *,
        trunk_id: str | None = None,
        tried: Sequence[str] = (),
    ) -> tuple[Trunk, tuple[Mended, ...]]:
        await self._begin("add", name, dict(settings), password, *([tuple(tried)] if tried else []))
        blank = Trunk(id=trunk_id or f"trunk-{next(self._numbers)}", name="", host="")
        trunk, mended = apply_settings(blank, {**settings, "name": name})
        check_trunk(trunk)
        self._trunks.append(trunk)
        return trunk, mended

    async def change(
        self, trunk_id: str, name: str, settings: Mapping[str, str], password: str | None
    ) -> tuple[Trunk, tuple[Mended, ...]]:
        await self._begin("change", trunk_id, name, dict(settings), password)
        at = next(at for at, trunk in enumerate(self._trunks) if trunk.id == trunk_id)
        trunk, mended = apply_settings(self._trunks[at], {**settings, "name": name})
        check_trunk(trunk)
        self._trunks[at] = trunk
        return trunk, mended

    async def remove(self, trunk_id: str) -> None:
        await self._begin("remove", trunk_id)
        for at, trunk in enumerate(self._trunks):
            if trunk.id == trunk_id:
                self._removed = (trunk, at)
        self._trunks = [trunk for trunk in self._trunks if trunk.id != trunk_id]
        self._this_run = [trunk for trunk in self._this_run if trunk.id != trunk_id]

    @property
    def can_undo(self) -> str:
        return self._removed[0].name if self._removed else ""

    async def undo_remove(self) -> Trunk | None:
        await self._begin("undo_remove")
        if self._removed is None:
            return None
        (trunk, at), self._removed = self._removed, None
        self._trunks.insert(at, trunk)
        return trunk

    async def duplicate(self, trunk_id: str) -> Trunk:
        await self._begin("duplicate", trunk_id)
        trunk = self.trunk(trunk_id)
        name = free_name(with_ending(trunk.name, " (copy)"), self._names())
        copy = replace(trunk, id=uuid.uuid4().hex, name=name, connect=False)
        self._trunks.append(copy)
        return copy

    async def rename(self, trunk_id: str, name: str) -> Trunk:
        await self._begin("rename", trunk_id, name)
        return self._apply(trunk_id, {"name": name})

    async def set_order(self, trunk_ids: Sequence[str]) -> None:
        await self._begin("set_order", tuple(trunk_ids))
        place = {trunk_id: at for at, trunk_id in enumerate(trunk_ids)}
        self._trunks.sort(key=lambda trunk: place.get(trunk.id, len(place)))

    async def switch(self, trunk_id: str, key: str, on: bool) -> Trunk:
        await self._begin("switch", trunk_id, key, on)
        trunk = self._apply(trunk_id, {key: "yes" if on else "no"})
        if not trunk.connect:
            self._tell(TrunkChanged(trunk_id=trunk_id, state=TrunkState.OFF))
        return trunk

    def _names(self) -> list[str]:
        return [trunk.name for trunk in self._trunks]

    def _apply(self, trunk_id: str, settings: Mapping[str, str]) -> Trunk:
        at = next(at for at, trunk in enumerate(self._trunks) if trunk.id == trunk_id)
        trunk, _ = apply_settings(self._trunks[at], settings)
        check_trunk(trunk)
        self._trunks[at] = trunk
        return trunk

    async def export_text(self, trunk_ids: Sequence[str] | None = None) -> str:
        await self._begin("export_text", None if trunk_ids is None else tuple(trunk_ids))
        ids = [trunk.id for trunk in self._trunks] if trunk_ids is None else trunk_ids
        return write_trunks([self.trunk(trunk_id) for trunk_id in ids])

    async def read_import(self, path: Path) -> str:
        await self._begin("read_import", path)
        return read_import_file(path)

    async def import_text(
        self, text: str, *, rename_taken: bool = False, dry_run: bool = False
    ) -> tuple[Trunk, ...]:
        await self._begin("import_text", text, rename_taken)
        new = []
        for trunk in read_trunks(text):
            name = free_name(trunk.name, self._names()) if rename_taken else trunk.name
            new.append(replace(trunk, id=uuid.uuid4().hex, name=name))
        self._trunks += [] if dry_run else new
        return tuple(new)

    async def preview_csv(self, text: str) -> CsvPreview:
        await self._begin("preview_csv", text)
        return read_csv(text, self._names())

    async def import_rows(self, preview: CsvPreview) -> tuple[Trunk, ...]:
        await self._begin("import_rows", preview)
        new = [replace(row.trunk, id=uuid.uuid4().hex) for row in preview.good if row.trunk]
        self._trunks += new
        return tuple(new)

    async def conflicts(self, trunk: Trunk) -> tuple[Conflict, ...]:
        await self._begin("conflicts", trunk)
        return conflicts(trunk, self._trunks)

    async def start_trial(self, settings: Mapping[str, str], password: str) -> Trunk:
        await self._begin("start_trial", dict(settings), password)
        blank = Trunk(id=f"trial-{next(self._numbers)}", name="", host="")
        name = settings.get("name", "").strip() or "New trunk"
        trunk, _ = apply_settings(blank, {**settings, "name": name})
        check_trunk(trunk)
        self._trials.append(trunk)
        return trunk

    async def end_trial(self, trunk_id: str) -> None:
        await self._begin("end_trial", trunk_id)
        self._trials = [trunk for trunk in self._trials if trunk.id != trunk_id]

    async def find_nearest(
        self, servers: Sequence[ServerAddress], on_result: Callable[[Reply], None], limit_s: float = 4.0
    ) -> tuple[Reply, ...]:
        await self._begin("find_nearest", tuple(servers))
        found = []
        for server in servers:
            reply = self.replies.get(server.host) or Reply(server=server, words="no answer")
            on_result(reply)
            found.append(reply)
        return tuple(sorted(found, key=lambda reply: float("inf") if reply.ms is None else reply.ms))

    async def connect(self, trunk_id: str, password: str | None = None) -> RegisterOutcome:
        expected = self.outcomes.get(trunk_id)
        if not isinstance(expected, VaultError):
            self._tell(TrunkChanged(trunk_id=trunk_id, state=TrunkState.CONNECTING))
        try:
            await self._begin("connect", trunk_id)
        except asyncio.CancelledError:
            self._tell(TrunkChanged(trunk_id=trunk_id, state=TrunkState.OFF, cause="cancelled"))
            raise
        trunk = self.trunk(trunk_id)
        outcome = self.outcomes.get(trunk_id) or registered(trunk)
        if isinstance(outcome, VaultError):
            raise outcome
        if isinstance(outcome, UserError):
            self._tell(TrunkChanged(trunk_id=trunk_id, state=TrunkState.UNREACHABLE, cause=str(outcome)))
            raise outcome
        cause = f"{outcome.sip_code} {outcome.reason}"
        self._tell(TrunkChanged(trunk_id=trunk_id, state=outcome.state, cause=cause, outcome=outcome))
        return outcome

    async def disconnect(self, trunk_id: str) -> None:
        await self._begin("disconnect", trunk_id)
        for key in list(self._calls):
            if key[0] == trunk_id:
                self._end(key)
        self._tell(TrunkChanged(trunk_id=trunk_id, state=TrunkState.OFF))

    async def start_demo(self) -> Trunk:
        await self._begin("start_demo")
        self._this_run = [DEMO]
        return DEMO

    def check_call(
        self,
        trunk_id: str,
        number: str,
        *,
        max_seconds: float = 30.0,
        ring_seconds: float = 45.0,
        meant: bool = False,
    ) -> Dialled:
        self.asked.append(("check_call", trunk_id, number, meant))
        return dial(number, self.trunk(trunk_id))

    async def place_call(
        self,
        trunk_id: str,
        number: str,
        *,
        max_seconds: float = 30.0,
        ring_seconds: float = 45.0,
        source: Source = Source.TONE,
    ) -> str:
        await self._begin("place_call", trunk_id, number, max_seconds, source)
        call_id = f"call-{next(self._numbers)}"
        self._calls[trunk_id, call_id] = self._loop.create_future()
        self._progress(trunk_id, call_id, CallState.CALLING, number)
        if self.demo_script:
            self.answer_call(trunk_id, call_id, number)
        return call_id

    async def wait_call(self, trunk_id: str, call_id: str) -> CallOutcome:
        return await asyncio.shield(self._calls[trunk_id, call_id])

    def control(self, trunk_id: str) -> FakeControl:
        return FakeControl(self, trunk_id)

    def audio_choice(self) -> AudioChoice:
        return self.audio

    async def use_audio(self, choice: AudioChoice | None = None) -> None:
        await self._begin("use_audio", choice)
        self.audio = choice or self.audio

    async def close(self) -> None:
        await self._begin("close")
        await self.history.close()
        self.closed = True

    # What happens

    def answer_call(self, trunk_id: str, call_id: str, number: str) -> None:
        """The far end answers and echoes."""
        self._progress(trunk_id, call_id, CallState.ANSWERED, number)
        self._tell(CallMeters(trunk_id=trunk_id, call_id=call_id, tx_dbm0=-16.0, rx_dbm0=-17.0))
        self._tell(CallFigures(trunk_id=trunk_id, call_id=call_id, figures=figures()))

    def end_call(self, trunk_id: str, call_id: str) -> None:
        """The call ends by itself; from any thread."""
        self._loop.call_soon_threadsafe(self._end, (trunk_id, call_id))

    def _progress(self, trunk_id: str, call_id: str, state: CallState, number: str) -> None:
        self._tell(
            CallProgress(
                trunk_id=trunk_id,
                call_id=call_id,
                direction=Direction.OUT,
                state=state,
                number=number,
                called=f"sip:{number}@127.0.0.1:5062",
                setup_ms=12.0,
            )
        )

    def _end(self, key: tuple[str, str]) -> None:
        future = self._calls.pop(key, None)
        if future is None:
            return
        outcome = self.call_outcome("600")
        future.set_result(outcome)
        trunk_id, call_id = key
        self._tell(CallEnded(trunk_id=trunk_id, call_id=call_id, direction=Direction.OUT, outcome=outcome))

    async def _begin(self, method: str, *arguments: object) -> None:
        self.asked.append((method, *arguments))
        if method in self.hold:
            await self.hold[method].wait()
        if method in self.refuse:
            raise self.refuse[method]

    def _tell_all(self, notices: tuple[Notice, ...]) -> None:
        for notice in notices:
            self._tell(notice)

    def _tell(self, notice: Notice) -> None:
        for listener in self._listeners:
            listener(notice)


class FakeControl:
    """Writes down what is asked for in calls; a hang-up ends the call."""

    def __init__(self, desk: FakeDesk, trunk_id: str) -> None:
        self._desk = desk
        self._trunk_id = trunk_id

    async def answer(
        self, call_id: str, *, max_seconds: float = 120.0, source: Source = Source.SPEECH
    ) -> None:
        await self._desk._begin("answer", self._trunk_id, call_id)

    async def reject(self, call_id: str, code: int = 486) -> None:
        await self._desk._begin("reject", self._trunk_id, call_id, code)

    async def forward(self, call_id: str, number: str) -> None:
        await self._desk._begin("forward", self._trunk_id, call_id, number)

    async def hang_up(self, call_id: str) -> None:
        await self._desk._begin("hang_up", self._trunk_id, call_id)
        self._desk._end((self._trunk_id, call_id))

    async def set_source(self, call_id: str, source: Source) -> None:
        await self._desk._begin("set_source", self._trunk_id, call_id, source)

    async def send_digits(self, call_id: str, digits: str) -> None:
        await self._desk._begin("send_digits", self._trunk_id, call_id, digits)

    async def hold(self, call_id: str) -> None:
        await self._desk._begin("hold", self._trunk_id, call_id)
        self._desk._tell(CallHold(trunk_id=self._trunk_id, call_id=call_id, by_us=True, by_them=False))

    async def resume(self, call_id: str) -> None:
        await self._desk._begin("resume", self._trunk_id, call_id)
        self._desk._tell(CallHold(trunk_id=self._trunk_id, call_id=call_id, by_us=False, by_them=False))

    async def mute(self, call_id: str, muted: bool) -> None:
        await self._desk._begin("mute", self._trunk_id, call_id, muted)

    async def transfer(self, call_id: str, number: str) -> None:
        await self._desk._begin("transfer", self._trunk_id, call_id, number)

    async def transfer_to(self, call_id: str, other_id: str) -> None:
        await self._desk._begin("transfer_to", self._trunk_id, call_id, other_id)

    async def set_conference(self, call_ids: Sequence[str]) -> None:
        await self._desk._begin("set_conference", self._trunk_id, tuple(call_ids))

    async def start_recording(self, call_id: str, path: Path) -> None:
        await self._desk._begin("start_recording", self._trunk_id, call_id, path)
        self._desk._tell(CallRecording(trunk_id=self._trunk_id, call_id=call_id, path=str(path), on=True))

    async def stop_recording(self, call_id: str) -> None:
        await self._desk._begin("stop_recording", self._trunk_id, call_id)

    async def watch_devices(self, on: bool) -> None:
        await self._desk._begin("watch_devices", self._trunk_id, on)
