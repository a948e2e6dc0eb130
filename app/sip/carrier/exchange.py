"""What every call leg of the carrier shares: sockets, transactions, addresses and the legs themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any

from aiosipua import Dialog

from app.model.trunk import CryptoSuite, Srtp, Transport
from app.sip.carrier.loopback import loopback_address
from app.sip.carrier.messages import CarrierOptions
from app.sip.carrier.received import Peer
from app.sip.carrier.sipmessage import contact_uri, tag_of, target_fault
from app.sip.carrier.transactions import TransactionLayer
from app.sip.carrier.transports import SipSockets
from app.sip.syntax.address import Address, parse_uri
from app.sip.syntax.answer import DEFAULT_PORT
from app.sip.syntax.head import Head

if TYPE_CHECKING:
    from app.sip.carrier.leg import Leg

DialogKey = tuple[str, str]


class Exchange:
    """The carrier's switching core.

    Args:
        host: Loopback address it listens on.
        sockets, transactions: The layers below.
        options: Strictness and times.
        srtp, suites: What is made of offers, as in `plan_for_offer`.
        note: Gets one line for people for everything that happens.
    """

    def __init__(
        self,
        host: str,
        sockets: SipSockets,
        transactions: TransactionLayer,
        options: CarrierOptions,
        srtp: Srtp,
        suites: tuple[CryptoSuite, ...],
        note: Callable[[str], None],
    ) -> None:
        self.host = host
        self.sockets = sockets
        self.transactions = transactions
        self.options = options
        self.srtp, self.suites = srtp, suites
        self.timing = options.timing
        self.note = note
        self._legs: dict[DialogKey, Leg] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def legs(self) -> tuple[Leg, ...]:
        """All legs that have not ended."""
        return tuple(self._legs.values())

    def port(self, transport: Transport) -> int:
        """Our port for a transport."""
        return self.sockets.port(transport)

    def contact(self, user: str, transport: Transport) -> str:
        """Our Contact header value."""
        return f"<{contact_uri(user, self.host, self.port(transport), transport)}>"

    def channels_used(self, account: str) -> int:
        """Legs of this account, ringing ones included."""
        return sum(leg.account == account for leg in self._legs.values())

    def has_free_channel(self, account: str) -> bool:
        """Whether one more call is allowed."""
        return self.channels_used(account) < self.options.channels

    def add(self, leg: Leg) -> None:
        """Take in a leg."""
        self._legs[(leg.dialog.call_id, leg.dialog.local_tag)] = leg

    def forget(self, leg: Leg) -> None:
        """Drop a leg that has ended."""
        self._legs.pop((leg.dialog.call_id, leg.dialog.local_tag), None)

    def leg_of(self, head: Head) -> Leg | None:
        """The leg that an in-dialog request is for (RFC 3261 section 12.2.2)."""
        leg = self._legs.get((head.call_id, tag_of(head)))
        return leg if leg and head.sender and leg.dialog.remote_tag == head.sender.tag else None

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something beside; a failure in it is reported by the loop's exception handler."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            asyncio.get_running_loop().call_exception_handler(
                {"message": "a task of the carrier failed", "exception": task.exception(), "task": task}
            )

    async def close(self) -> None:
        """Hang up everywhere, wait a little for the answers, then drop what is left."""
        farewells = [task for leg in self.legs if (task := leg.hang_up("the carrier stops"))]
        if farewells:
            await asyncio.wait(farewells, timeout=self.timing.stop_s)
        for leg in self.legs:
            leg.end("the carrier stops")
        current = asyncio.current_task()
        rest = [task for task in self._tasks if task is not current]
        _, pending = await asyncio.wait(rest, timeout=self.timing.stop_s) if rest else (set(), set())
        for task in pending:
            task.cancel()
        if pending:
            await asyncio.wait(pending)


def next_hop(dialog: Dialog, peer: Peer) -> Peer | None:
    """Where requests in a dialog go: the connection, else the first route or the remote target.

    None when nothing can be sent there.
    """
    if peer.reliable:
        return peer
    uri = parse_uri(dialog.route_set[0].strip("<>") if dialog.route_set else dialog.remote_target)
    if target_fault(uri):
        return None
    return Peer(peer.transport, loopback_address(uri.host) or "", uri.port or DEFAULT_PORT)


def route_set(routes: Iterable[Address]) -> list[str]:
    """Values of Route headers for these Record-Routes (RFC 3261 section 12.1)."""
    return [f"<{route.uri.text}>" for route in routes]
