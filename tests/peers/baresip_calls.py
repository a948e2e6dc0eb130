"""Two baresip phones with a carrier in front of them, and our side of the calls with them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.model.call import CallState, Source
from app.model.trunk import SignIn
from app.sip.notices import CallEnded, CallHold, CallMeters, CallProgress, TraceAdded
from app.sip.session import TrunkSession
from tests.engine.rtp import strength
from tests.engine.waiting import until
from tests.helpers.trunks import Seen, make_trunk, session, transport_fields
from tests.peers import baresip
from tests.peers.kamailio import CarrierPeers

OURS_HZ, BOBS_HZ, CAROLS_HZ = 1004, 700, 900
BOBS_DBM0 = -9.1
"""Level of a sine with a peak of 8000."""
SILENT = -30.0
"""Below this a tone counts as not there: what baresip sends has harmonics."""
SPAN = 2400
TRANSPORTS = ("udp", "tcp", "tls")


class Phones(NamedTuple):
    """Two phones and a carrier that serves them.

    Attributes:
        bob, carol: They answer 700 and 900 of the carrier, and bob himself when called directly.
        carrier: A registrar and proxy in front of them.
        ca_file: Who signed bob's certificate.
    """

    bob: baresip.Phone
    carol: baresip.Phone
    carrier: CarrierPeers
    ca_file: Path


class Side(NamedTuple):
    """Our side."""

    session: TrunkSession
    seen: Seen

    def holds(self) -> list[tuple[bool, bool]]:
        """Who was told to hold, us and them."""
        assert not [n.trouble for n in self.seen.of(CallHold) if n.trouble]
        return [(n.by_us, n.by_them) for n in self.seen.of(CallHold)]

    async def place(self, number: str, phone: baresip.Phone) -> str:
        """A call that the phone has answered."""
        phone.forget()
        call_id = await self.session.place_call(number, max_seconds=60, ring_seconds=20, source=Source.TONE)
        await until(lambda: phone.told("CALL_INCOMING"), "baresip to ring")
        phone.do("accept")
        await self.reach(call_id, CallState.ANSWERED)
        return call_id

    async def take(self, phone: baresip.Phone, uri: str) -> str:
        """A call of the phone that we have answered."""
        phone.forget()
        phone.do("dial", uri)
        (came,) = await until(
            lambda: [n for n in self.seen.of(CallProgress) if n.state is CallState.INCOMING], "the call"
        )
        await self.session.control.answer(came.call_id, max_seconds=60, source=Source.TONE)
        await self.reach(came.call_id, CallState.ANSWERED)
        return str(came.call_id)

    async def reach(self, call_id: str, state: CallState) -> None:
        """Wait for a state of a call."""
        await until(
            lambda: any(n.call_id == call_id and n.state is state for n in self.seen.of(CallProgress)), state
        )

    async def end(self, call_id: str) -> CallEnded:
        """Wait for a call's end."""
        found = await until(lambda: [n for n in self.seen.of(CallEnded) if n.call_id == call_id], "the end")
        assert isinstance(found[0], CallEnded)
        return found[0]

    def meters(self, call_id: str, mark: int) -> list[CallMeters]:
        """What a call's meters showed after so many notices."""
        return [n for n in self.seen.notices[mark:] if isinstance(n, CallMeters) and n.call_id == call_id]

    async def both_hear(self, call_id: str, phone: baresip.Phone, level: float = BOBS_DBM0) -> None:
        """Tone and level arrive on both sides."""
        phone.forget()
        mark = len(self.seen.notices)
        await until(lambda: strength(phone.heard()[-SPAN:], OURS_HZ) == pytest.approx(-10, abs=2), "our tone")
        assert strength(phone.heard()[-SPAN:], BOBS_HZ) < SILENT
        await until(
            lambda: [m for m in self.meters(call_id, mark) if m.rx_dbm0 == pytest.approx(level, abs=1)],
            "their tone",
        )

    async def both_hear_again(self, call_id: str, phone: baresip.Phone) -> None:
        """The same after a hold, when the phone only counts what it hears."""
        mark, received = len(self.seen.notices), phone.received()
        await until(lambda: phone.received() > received + 25, "our sound")
        await until(
            lambda: [m for m in self.meters(call_id, mark) if m.rx_dbm0 == pytest.approx(BOBS_DBM0, abs=1)],
            "their tone",
        )

    async def hears_nothing(self, call_id: str) -> None:
        """For a second no sound comes in."""
        mark = len(self.seen.notices)
        await until(lambda: [m.rx_dbm0 for m in self.meters(call_id, mark)[-20:]] == [None] * 20, "silence")

    async def sends_nothing(self, call_id: str, phone: baresip.Phone) -> None:
        """For a second not even a packet goes out."""
        received, mark = phone.received(), len(self.seen.notices)
        await until(lambda: len(self.meters(call_id, mark)) >= 20, "a second")
        assert phone.received() == received

    async def finish(self, call_id: str, phone: baresip.Phone) -> CallEnded:
        """Hang up, and see that the phone knows it."""
        await self.session.control.hang_up(call_id)
        ended = await self.end(call_id)
        await until(lambda: not phone.calls_up(), "baresip to know the end")
        return ended


@asynccontextmanager
async def direct(phone: baresip.Phone, **changes: Any) -> AsyncIterator[tuple[Side, str]]:
    """A trunk whose server is the phone itself, and the URI at which the phone reaches us (UDP)."""
    seen = Seen()
    fields = {"sign_in": SignIn.ADDRESS, **changes}
    async with session(make_trunk(fields.pop("port", phone.port), **fields), "", seen) as opened:
        await opened.connect()
        options = next(n.message.text for n in seen.of(TraceAdded) if n.message.text.startswith("OPTIONS"))
        found = re.search(r"Via: SIP/2\.0/\w+ 127\.0\.0\.1:(\d+)", options)
        assert found
        yield Side(opened, seen), f"sip:1001@127.0.0.1:{found[1]}"


@asynccontextmanager
async def carried(phones: Phones, transport: str, **changes: Any) -> AsyncIterator[tuple[Side, str]]:
    """A trunk of the carrier, and the URI at which the phones reach us through it."""
    carrier = phones.carrier
    seen = Seen()
    trunk = make_trunk(user=carrier.user, **transport_fields(transport, carrier), **changes)
    async with session(trunk, carrier.password, seen) as opened:
        await opened.connect()
        yield Side(opened, seen), f"sip:{carrier.user}@127.0.0.1:{carrier.udp_port}"


@asynccontextmanager
async def trunk(phones: Phones, way: str, **changes: Any) -> AsyncIterator[tuple[Side, str]]:
    """Directly, or through the carrier by a transport."""
    opened = direct(phones.bob, **changes) if way == "direct" else carried(phones, way, **changes)
    async with opened as (side, uri):
        yield side, uri
