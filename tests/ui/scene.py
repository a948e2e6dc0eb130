"""A window on a fake desk, which scenes bring into a state."""

from __future__ import annotations

from collections.abc import Callable

from app.model.trunk import Trunk, TrunkState
from app.paths import Paths
from app.ui.bridge import DeskBridge
from app.ui.main_window import MainWindow
from app.ui.trunk_page import TrunkPage
from tests.helpers.fake_desk import FakeDesk

Wait = Callable[[Callable[[], bool]], None]

BACKUP = Trunk(id="backup", name="Backup", host="sip.telnyx.example", user="backup01")
WAREHOUSE = Trunk(id="warehouse", name="Warehouse", host="lager.pstn.twilio.example", user="lager")


class Scene:
    """A window on a fake desk.

    Args:
        wait: Waits for a condition while the window lives.
    """

    def __init__(self, wait: Wait) -> None:
        self.wait = wait
        self.desks: list[FakeDesk] = []
        self.bugs: list[str] = []
        self.opened = False
        self.closed = False
        self.paths: Paths | None = None

    def open(
        self,
        *trunks: Trunk,
        vault_note: str = "",
        prepare: Callable[[FakeDesk], None] = lambda _: None,
    ) -> MainWindow:
        """Open the window on these trunks; `prepare` gets the desk first."""

        def build() -> FakeDesk:
            desk = FakeDesk(trunks, vault_note)
            prepare(desk)
            self.desks.append(desk)
            return desk

        self.opened = True
        self.bridge = DeskBridge(build)  # type: ignore[arg-type]  # the fake has no base class in common
        self.bridge.closed.connect(self._on_closed)
        self.bridge.bug.connect(self.bugs.append)
        self.window = MainWindow(self.bridge, self.paths)
        self.window.show()
        self.bridge.start()
        self.wait(lambda: self.window.ready)
        return self.window

    @property
    def desk(self) -> FakeDesk:
        """The desk behind the window."""
        return self.desks[0]

    def desk_asked_by_now(self, method: str) -> list[tuple[object, ...]]:
        """What the desk was asked for, once it has taken up all that the window wants up to now."""
        done: list[bool] = []
        self.bridge.submit(self.window, _nothing, lambda _: done.append(True))
        self.wait(lambda: bool(done))
        return self.desk.asked_for(method)

    def page(self, trunk_id: str = "office") -> TrunkPage:
        """Choose a trunk; its page."""
        page = self.window.choose(trunk_id)
        assert page
        return page

    def sign_in(self, trunk_id: str = "office") -> TrunkPage:
        """Choose a trunk and connect it."""
        page = self.page(trunk_id)
        page.overview.connect_trunk()
        self.wait(lambda: page.watch.state is TrunkState.REGISTERED)
        return page

    def close(self) -> None:
        """Close the window as a person does, and wait for the end."""
        self.window.close_now()
        self.wait(lambda: self.closed and self.window.isHidden())
        self.window.deleteLater()
        self.bridge.deleteLater()
        assert not self.bugs, self.bugs[0]

    def _on_closed(self) -> None:
        self.closed = True


async def _nothing(_desk: object) -> None:
    """Is taken up after what was wanted before."""
