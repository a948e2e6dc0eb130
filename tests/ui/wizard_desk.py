"""What the desk behind the wizard does: it takes its time, fails, has servers that are near."""

from __future__ import annotations

import asyncio

from app.errors import UserError
from app.model.outcome import RegisterOutcome
from app.model.trunk import Transport
from app.sip.nearest import Reply, ServerAddress
from app.ui.wizards.add_trunk import AddTrunkWizard
from tests.ui.scene import Scene


def hold(scene: Scene, method: str) -> None:
    """Have the desk not come to an end with this."""
    scene.desk.hold[method] = asyncio.Event()


def fail_with(scene: Scene, outcome: RegisterOutcome) -> None:
    """What comes of signing in, whichever trunk tries it."""
    scene.desk.outcomes = _Always(outcome)


def near(scene: Scene, wizard: AddTrunkWizard) -> None:
    """The servers answer, those further down sooner; the first one and the last one don't."""
    hosts = [host for host, _ in wizard.flow.server_hosts()]
    for place, host in enumerate(hosts[1:-1]):
        address = ServerAddress(host=host, port=None, transport=Transport.UDP)
        scene.desk.replies[host] = Reply(server=address, ms=12.0 + 4 * (len(hosts) - place), words="200 OK")


class _Always(dict[str, "RegisterOutcome | UserError"]):
    """The same for every key."""

    def __init__(self, outcome: RegisterOutcome) -> None:
        super().__init__()
        self._outcome = outcome

    def get(self, *_: object) -> RegisterOutcome:  # type: ignore[override]  # what the fake asks for
        return self._outcome
