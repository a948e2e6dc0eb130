"""Calls with baresip, directly and through Kamailio: sound, hold, transfer, digits and encryption."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.model.call import CallState, Source
from app.model.outcome import Audio, CallResult, HungUpBy
from app.model.trunk import Dtmf, SignIn, Srtp, Transport
from app.sip.notices import (
    CallDigit,
    CallEnded,
    CallHold,
    CallMeters,
    CallProgress,
    TraceAdded,
    TransferProgress,
)
from app.sip.session import TrunkSession
from tests.engine.rtp import strength
from tests.engine.waiting import until
from tests.helpers.trunks import Seen, make_trunk, session, transport_fields
from tests.peers import baresip, kamailio, pjsua2_phone
from tests.peers.certificates import Authority
from tests.peers.kamailio import CarrierPeers

pytestmark = pytest.mark.peers

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


@pytest.fixture(scope="module")
def shared_phones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phones]:
    """Shared by all tests of this file."""
    folder = tmp_path_factory.mktemp("b")
    authority = Authority.create("Phones' CA")
    certificate, key = authority.issue(["127.0.0.1"]).write(folder / "bob")
    (folder / "bob.pem").write_bytes(certificate.read_bytes() + key.read_bytes())
    (folder / "ca.pem").write_bytes(authority.pem)
    with ExitStack() as stack:
        bob = stack.enter_context(
            baresip.phone(folder, user="700", tone_hz=BOBS_HZ, certificate=folder / "bob.pem")
        )
        carol = stack.enter_context(baresip.phone(folder, user="900", tone_hz=CAROLS_HZ))
        served = {"700": bob.port, "900": carol.port}
        carrier = stack.enter_context(
            kamailio.start(tmp_path_factory.mktemp("k"), numbers=("busy",), phones=served)
        )
        yield Phones(bob, carol, carrier, folder / "ca.pem")


@pytest.fixture
def phones(shared_phones: Phones) -> Phones:
    """The phones, without a call."""
    shared_phones.bob.be_free()
    shared_phones.carol.be_free()
    return shared_phones


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


# Sound


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_call_to_it_has_sound_both_ways(phones: Phones, transport: str) -> None:
    bob = phones.bob
    port = bob.tls_port if transport == "tls" else bob.port
    ca_file = str(phones.ca_file) if transport == "tls" else ""

    async def run() -> None:
        fields = {"port": port, "transport": Transport(transport), "ca_file": ca_file}
        async with direct(bob, **fields) as (side, _):
            call_id = await side.place("700", bob)
            await side.both_hear(call_id, bob)
            outcome = (await side.finish(call_id, bob)).outcome
            assert (outcome.result, outcome.hung_up_by) == (CallResult.ANSWERED, HungUpBy.US)
            assert (outcome.audio, outcome.heard) == (Audio.TWO_WAY, True)

    asyncio.run(run())


@pytest.mark.parametrize("way", ["direct", *TRANSPORTS])
def test_a_call_from_it_has_sound_both_ways_until_it_hangs_up(phones: Phones, way: str) -> None:
    async def run() -> None:
        async with trunk(phones, way) as (side, uri):
            call_id = await side.take(phones.bob, uri)
            await side.both_hear(call_id, phones.bob)
            phones.bob.do("hangup")
            outcome = (await side.end(call_id)).outcome
            assert (outcome.result, outcome.hung_up_by) == (CallResult.ANSWERED, HungUpBy.THEM)
            assert outcome.audio is Audio.TWO_WAY

    asyncio.run(run())


def test_it_refuses_and_we_refuse(phones: Phones) -> None:
    bob = phones.bob

    async def run() -> None:
        async with direct(bob) as (side, uri):
            bob.forget()
            call_id = await side.session.place_call(
                "700", max_seconds=60, ring_seconds=20, source=Source.TONE
            )
            await until(lambda: bob.told("CALL_INCOMING"), "baresip to ring")
            bob.do("hangup")
            assert (await side.end(call_id)).outcome.sip_code in (480, 486, 603)
            for code in (486, 603):
                bob.forget()
                known = len(side.seen.notices)
                bob.do("dial", uri)
                came = await until(
                    lambda known=known: [
                        n
                        for n in side.seen.notices[known:]
                        if isinstance(n, CallProgress) and n.state is CallState.INCOMING
                    ],
                    "the call",
                )
                await side.session.control.reject(came[0].call_id, code)
                (closed,) = await until(lambda: bob.told("CALL_CLOSED"), "the refusal")
                assert closed.param.startswith(str(code))

    asyncio.run(run())


# Hold


@pytest.mark.parametrize("by_us", [True, False])
@pytest.mark.parametrize("came_in", [True, False])
@pytest.mark.parametrize("way", ["direct", *TRANSPORTS])
def test_a_hold_silences_both_until_it_is_over(phones: Phones, way: str, came_in: bool, by_us: bool) -> None:
    bob = phones.bob

    async def run() -> None:
        async with trunk(phones, way) as (side, uri):
            call_id = await (side.take(bob, uri) if came_in else side.place("700", bob))
            await side.both_hear(call_id, bob)
            control = side.session.control
            await (control.hold(call_id) if by_us else asyncio.to_thread(bob.do, "hold"))
            await until(lambda: side.holds() == [(by_us, not by_us)], "the hold")
            await side.hears_nothing(call_id)
            if not by_us:  # while we hold, we go on sending silence
                await side.sends_nothing(call_id, bob)
            await (control.resume(call_id) if by_us else asyncio.to_thread(bob.do, "resume"))
            await until(lambda: side.holds()[1:] == [(False, False)], "the end of the hold")
            await side.both_hear_again(call_id, bob)
            assert (await side.finish(call_id, bob)).outcome.hung_up_by is HungUpBy.US

    asyncio.run(run())


# Transfer


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_it_calls_whom_we_send_it_to_and_leaves_us(phones: Phones, transport: str) -> None:
    bob, carol = phones.bob, phones.carol

    async def run() -> None:
        async with carried(phones, transport) as (side, _):
            call_id = await side.place("700", bob)
            carol.forget()
            await side.session.control.transfer(call_id, "900")
            await until(lambda: carol.told("CALL_INCOMING"), "carol to ring")
            assert not side.seen.of(CallEnded)
            carol.do("accept")
            outcome = (await side.end(call_id)).outcome
            assert outcome.hung_up_by is HungUpBy.US
            assert side.seen.of(TransferProgress)[-1].sip_code == 200
            bob.forget()
            await until(lambda: strength(carol.heard()[-SPAN:], BOBS_HZ) > -20, "bob at carol's")
            await until(lambda: strength(bob.heard()[-SPAN:], CAROLS_HZ) > -20, "carol at bob's")
            assert strength(bob.heard()[-SPAN:], OURS_HZ) < SILENT
            carol.do("hangup")
            await until(lambda: not bob.calls_up() and not carol.calls_up(), "both to be free")

    asyncio.run(run())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_when_whom_we_send_it_to_is_busy_the_call_goes_on(phones: Phones, transport: str) -> None:
    bob = phones.bob

    async def run() -> None:
        async with carried(phones, transport) as (side, _):
            call_id = await side.place("700", bob)
            await side.session.control.transfer(call_id, phones.carrier.numbers.busy)
            (told,) = await until(
                lambda: [n for n in side.seen.of(TransferProgress) if n.final], "the refusal"
            )
            assert told.sip_code == 486
            await side.both_hear(call_id, bob)
            await side.finish(call_id, bob)

    asyncio.run(run())


def test_it_can_not_send_us_to_anybody(phones: Phones) -> None:
    bob, carol = phones.bob, phones.carol

    async def run() -> None:
        async with direct(bob) as (side, _):
            call_id = await side.place("700", bob)
            await side.both_hear(call_id, bob)
            bob.do("transfer", f"sip:900@127.0.0.1:{carol.port}")
            (failed,) = await until(lambda: bob.told("TRANSFER_FAILED"), "our refusal")
            assert failed.param == "603 Decline"
            # Our call goes on as far as we are concerned; baresip hangs up then
            assert (await side.end(call_id)).outcome.hung_up_by is HungUpBy.THEM
            assert not carol.told("CALL_INCOMING")

    asyncio.run(run())


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_two_calls_are_connected_with_each_other(transport: str, tmp_path: Path) -> None:
    """Attended: REFER with Replaces, which baresip does not know and plain pjsua2 does."""

    async def run() -> None:
        with ExitStack() as stack:
            one, two = (
                stack.enter_context(pjsua2_phone.phone(tmp_path, user=user, tone_hz=hertz))
                for user, hertz in (("500", 500), ("900", 900))
            )
            carrier = stack.enter_context(
                kamailio.start(tmp_path, numbers=(), phones={"500": one.port, "900": two.port})
            )
            seen = Seen()
            fields = transport_fields(transport, carrier)
            async with session(make_trunk(user=carrier.user, **fields), carrier.password, seen) as opened:
                await opened.connect()
                side = Side(opened, seen)
                first, second = [
                    await opened.place_call(number, max_seconds=60, ring_seconds=20, source=Source.TONE)
                    for number in ("500", "900")
                ]
                for call_id in (first, second):
                    await side.reach(call_id, CallState.ANSWERED)
                await until(lambda: (one.hears(), two.hears()) == (OURS_HZ, OURS_HZ), "our tone at both")
                await opened.control.transfer_to(first, second)
                assert (await side.end(second)).outcome.hung_up_by is HungUpBy.THEM
                assert (await side.end(first)).outcome.hung_up_by is HungUpBy.US
                assert seen.of(TransferProgress)[-1].sip_code == 200
                await until(lambda: (one.hears(), two.hears()) == (900, 500), "each to hear the other")
                assert (one.calls_up(), two.calls_up()) == (1, 1)

    asyncio.run(run())


# Digits


@pytest.mark.parametrize("way", [Dtmf.RFC4733, Dtmf.INFO])
def test_it_gets_our_digits(phones: Phones, way: Dtmf) -> None:
    bob = phones.bob

    async def run() -> None:
        async with direct(bob, dtmf=way) as (side, _):
            call_id = await side.place("700", bob)
            await side.both_hear(call_id, bob)
            await side.session.control.send_digits(call_id, "159*0#")
            await until(
                lambda: "".join(h.param for h in bob.told("CALL_DTMF_START")) == "159*0#", "the digits"
            )
            assert ("Signal=1" in bob.server.log().rpartition("INVITE sip:")[2]) is (way is Dtmf.INFO)
            await side.finish(call_id, bob)

    asyncio.run(run())


def test_we_get_its_digits(phones: Phones) -> None:
    bob = phones.bob

    async def run() -> None:
        async with direct(bob) as (side, _):
            call_id = await side.place("700", bob)
            await side.both_hear(call_id, bob)
            bob.do("sndcode", "159*0#")
            await until(lambda: "".join(n.digit for n in side.seen.of(CallDigit)) == "159*0#", "the digits")
            assert {n.way for n in side.seen.of(CallDigit)} == {Dtmf.RFC4733}
            await side.finish(call_id, bob)

    asyncio.run(run())


# Encryption (SDES)


@pytest.fixture(scope="module")
def secure_phones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, baresip.Phone]]:
    """Phones that encrypt by choice and always, and one that never does."""
    folder = tmp_path_factory.mktemp("s")
    with ExitStack() as stack:
        yield {
            kind: stack.enter_context(
                baresip.phone(folder, user="700", tone_hz=BOBS_HZ, account=f"regint=0{setting}")
            )
            for kind, setting in (
                ("never", ""),
                ("by choice", ";mediaenc=srtp"),
                ("always", ";mediaenc=srtp-mand"),
            )
        }


PLAIN, SECURE, NOT_HAD = "plain", "secure", "not had"
COMBINED = [
    # What a call to it comes to, and a call from it. PJSIP offers by choice in RTP/AVP, and requires RTP/SAVP
    (Srtp.OFF, "never", PLAIN, PLAIN),
    (Srtp.OFF, "by choice", PLAIN, PLAIN),
    (Srtp.OFF, "always", NOT_HAD, NOT_HAD),
    (Srtp.OFFER, "never", PLAIN, PLAIN),
    (Srtp.OFFER, "by choice", SECURE, SECURE),
    (Srtp.OFFER, "always", NOT_HAD, SECURE),
    (Srtp.REQUIRE, "never", NOT_HAD, NOT_HAD),
    (Srtp.REQUIRE, "by choice", SECURE, NOT_HAD),
    (Srtp.REQUIRE, "always", SECURE, SECURE),
]
CASES = [(ours, theirs, False, to_it) for ours, theirs, to_it, _ in COMBINED]
CASES += [(ours, theirs, True, from_it) for ours, theirs, _, from_it in COMBINED]


@pytest.mark.parametrize(
    ("ours", "theirs", "came_in", "secure"),
    [(*case, result == SECURE) for *case, result in CASES if result != NOT_HAD],
)
def test_sound_is_encrypted_when_both_can(
    secure_phones: dict[str, baresip.Phone], ours: Srtp, theirs: str, came_in: bool, secure: bool
) -> None:
    phone = secure_phones[theirs]
    phone.be_free()

    async def run() -> None:
        async with direct(phone, srtp=ours) as (side, uri):
            call_id = await (side.take(phone, uri) if came_in else side.place("700", phone))
            await side.both_hear(call_id, phone)
            texts = [n.message.text for n in side.seen.of(TraceAdded) if "m=audio" in n.message.text]
            assert all("a=crypto:" in text for text in texts) is secure
            outcome = (await side.finish(call_id, phone)).outcome
            assert outcome.audio is Audio.TWO_WAY
            assert outcome.media is not None
            assert bool(outcome.media.srtp) is secure

    asyncio.run(run())


@pytest.mark.parametrize(
    ("ours", "theirs", "came_in"), [tuple(case) for *case, result in CASES if result == NOT_HAD]
)
def test_encryption_that_can_not_be_had_fails_the_call_in_words(
    secure_phones: dict[str, baresip.Phone], ours: Srtp, theirs: str, came_in: bool
) -> None:
    phone = secure_phones[theirs]
    phone.be_free()

    async def run() -> None:
        async with direct(phone, srtp=ours) as (side, uri):
            if came_in:
                phone.do("dial", uri)
                (closed,) = await until(lambda: phone.told("CALL_CLOSED"), "our refusal")
                assert closed.param.startswith("488")
            else:
                await side.session.place_call("700", max_seconds=60, ring_seconds=5, source=Source.TONE)
                await until(lambda: phone.told("CALL_INCOMING") or side.seen.of(CallEnded), "the call")
                if not side.seen.of(CallEnded):
                    phone.do("accept")
            (ended,) = await until(lambda: side.seen.of(CallEnded), "the end")
            outcome = ended.outcome
            assert (outcome.result, outcome.audio) == (CallResult.FAILED, Audio.NONE)
            assert outcome.sip_code == 488
            if came_in:
                assert "encryption" in outcome.reason
            assert not [n for n in side.seen.of(CallProgress) if n.state is CallState.ANSWERED]

    asyncio.run(run())


# Several at once


def test_two_phones_and_we_confer(phones: Phones) -> None:
    bob, carol = phones.bob, phones.carol

    async def run() -> None:
        async with AsyncExitStack() as stack:
            side, uri = await stack.enter_async_context(carried(phones, "udp"))
            with_bob = await side.place("700", bob)
            with_carol = await side.take(carol, uri)
            await side.session.control.set_conference([with_bob, with_carol])
            for phone, others, own in (
                (bob, (OURS_HZ, CAROLS_HZ), BOBS_HZ),
                (carol, (OURS_HZ, BOBS_HZ), CAROLS_HZ),
            ):
                phone.forget()
                await until(
                    lambda phone=phone, others=others: all(
                        strength(phone.heard()[-SPAN:], hertz) > -20 for hertz in others
                    ),
                    "the others",
                )
                assert strength(phone.heard()[-SPAN:], own) < SILENT
            await side.finish(with_bob, bob)
            await side.finish(with_carol, carol)

    asyncio.run(run())
