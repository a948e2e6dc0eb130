"""Wizard's answers → saved trunk → real engine → the carrier playing that provider, for all of them.

The trunk is the one that the wizard makes, with the provider's real host in its URIs and, over TLS, in the
certificate; only an outbound proxy leads it to the carrier on loopback, so nothing leaves the machine.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.checks.diagnosis import explain_call
from app.desk import Desk
from app.flows.add_trunk import AddTrunk, refusal_of
from app.model.outcome import (
    AnsweredBy,
    Audio,
    CallOutcome,
    CallResult,
    Direction,
    LocalCause,
    RegisterOutcome,
)
from app.model.trunk import SignIn, Srtp, Transport, Trunk, TrunkState
from app.paths import paths_in
from app.providers import catalogue
from app.providers.schema import Method
from app.sip.carrier.messages import CarrierOptions
from app.sip.demo import DemoAccount, DemoCarrier
from app.sip.notices import Notice, TraceAdded
from app.sip.number import unescape
from app.store import Store
from app.vault import RunOnlyVault
from tests.providers.samples import SAMPLES, Sample

SECONDS = 1.5
BY_ID = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.id)


def settings_of(sample: Sample, *, encrypted: bool = False) -> tuple[str, dict[str, str]]:
    """Name and settings as the wizard would save them."""
    flow = AddTrunk()
    flow.choose_provider(sample.id)
    flow.choose_sign_in(sample.sign_in)
    for key, text in {**sample.answers, **(sample.encrypted if encrypted else {})}.items():
        flow.answer(key, text)
        flow.mend(key)
    refusal = refusal_of(flow, sample.password)
    assert refusal is None, str(refusal)
    settings = flow.settings()
    return settings.pop("name"), settings


class Customer:
    """A desk with one trunk at one provider.

    Attributes:
        trunk: The saved trunk.
        sent, received: SIP messages that went out and came in.
        transports: How they travelled.
    """

    def __init__(self, desk: Desk, trunk: Trunk) -> None:
        self.desk = desk
        self.trunk = trunk
        self.sent: list[str] = []
        self.received: list[str] = []
        self.transports: set[Transport] = set()
        desk.listen(self._hear)

    def _hear(self, notice: Notice) -> None:
        if isinstance(notice, TraceAdded):
            out = notice.message.direction is Direction.OUT
            (self.sent if out else self.received).append(notice.message.text)
            self.transports.add(notice.message.transport)

    async def sign_in(self) -> RegisterOutcome:
        return await self.desk.connect(self.trunk.id)

    async def call(self, number: str) -> CallOutcome:
        call_id = await self.desk.place_call(self.trunk.id, number, max_seconds=SECONDS)
        return await self.desk.wait_call(self.trunk.id, call_id)

    def header(self, name: str) -> str:
        """A header of the last INVITE, empty when it has none."""
        invite = next(text for text in reversed(self.sent) if text.startswith("INVITE"))
        found = re.search(rf"^{name}: *(.*?)\r?$", invite, re.IGNORECASE | re.MULTILINE)
        return found[1] if found else ""

    def register_codes(self) -> list[int]:
        """Codes of the answers to REGISTER, in order."""
        answers = (text for text in self.received if re.search(r"(?im)^cseq: *\d+ REGISTER\b", text))
        return [int(text.split()[1]) for text in answers]


@asynccontextmanager
async def customer(
    sample: Sample,
    folder: Path,
    changes: Mapping[str, str] | None = None,
    password: str = "",
    *,
    encrypted: bool = False,
    switched: bool = False,
) -> AsyncIterator[Customer]:
    """A customer of the carrier that plays this provider; nothing is left running afterwards.

    Args:
        sample: The customer.
        folder: For the trunk.
        changes: Settings other than the wizard's.
        password: Another one than the right one.
        encrypted: Whether the answers in the wizard are those for encryption.
        switched: Whether the provider has encryption switched on for this customer.
    """
    name, settings = settings_of(sample, encrypted=encrypted)
    user = settings.get("user") or settings.get("auth_id") or "1001"
    auth_user = settings.get("auth_id") or user
    settings.update(changes or {})
    carrier = DemoCarrier(
        options=CarrierOptions(provider=sample.id, method=sample.sign_in, encrypted=switched),
        account=DemoAccount(user=user, auth_user=auth_user, password=sample.password),
    )
    await carrier.start()
    desk = Desk(Store.open(paths_in(folder)), lambda: (RunOnlyVault(), None))
    try:
        transport = Transport(settings.get("transport", "udp"))
        routed = {**settings, "proxy": f"127.0.0.1:{carrier.port_for(transport)}"}
        if transport is Transport.TLS:
            routed.setdefault("ca_file", str(carrier.write_ca(folder)))
        trunk, _ = await desk.add(name, routed, password or sample.password)
        yield Customer(desk, trunk)
    finally:
        await desk.close()
        await carrier.stop()


@BY_ID
def test_a_customer_signs_in_and_calls_in_the_providers_number_format(sample: Sample, tmp_path: Path) -> None:
    async def run() -> None:
        async with customer(sample, tmp_path) as office:
            outcome = await office.sign_in()
            wanted = TrunkState.REGISTERED if office.trunk.register else TrunkState.REACHABLE
            assert outcome.state is wanted, outcome
            if office.trunk.register:
                facts = catalogue.find(sample.id).sign_in(Method.REGISTER)
                assert office.register_codes() == [facts.register_challenge if facts else 401, 200]
            call = await office.call(sample.typed)
            assert call.dialled == sample.sent
            assert call.result is CallResult.ANSWERED, call
            assert call.audio is Audio.TWO_WAY
            assert any(
                text.startswith(f"INVITE sip:{sample.sent}@{office.trunk.host}") for text in office.sent
            )
            if sample.caller_id:
                shown = {name: office.header(name) for name in office.trunk.caller_id_header}
                assert all(f"sip:{sample.caller_id}@" in value for value in shown.values()), shown

    asyncio.run(run())


def other_ways() -> Iterator[tuple[Sample, Transport, Srtp]]:
    """Each provider's other transports; SRTP, where it has that, over TLS, and without TLS over its first."""
    for sample in SAMPLES:
        facts = catalogue.find(sample.id)
        offered = [transport.protocol for transport in facts.signalling.transports]
        secure = Srtp.REQUIRE if facts.media.srtp is not None else Srtp.OFF
        for transport in offered[1:]:
            yield sample, transport, secure if transport is Transport.TLS else Srtp.OFF
        if secure is Srtp.REQUIRE and Transport.TLS not in offered:
            yield sample, offered[0], secure


@pytest.mark.parametrize(
    ("sample", "transport", "srtp"),
    [pytest.param(*way, id=f"{way[0].id}-{way[1]}-{way[2]}") for way in other_ways()],
)
def test_a_customer_calls_in_the_providers_other_ways_too(
    sample: Sample, transport: Transport, srtp: Srtp, tmp_path: Path
) -> None:
    encrypted = srtp is Srtp.REQUIRE
    _, asked = settings_of(sample, encrypted=encrypted)
    if encrypted and sample.encrypted:
        assert asked["srtp"] == srtp

    async def run() -> None:
        changes = {"transport": transport.value, "srtp": srtp.value}
        switched = encrypted and bool(sample.encrypted)
        async with customer(sample, tmp_path, changes, encrypted=encrypted, switched=switched) as office:
            outcome = await office.sign_in()
            wanted = TrunkState.REGISTERED if office.trunk.register else TrunkState.REACHABLE
            assert outcome.state is wanted, outcome
            assert office.transports == {transport}
            if transport is Transport.TLS:
                assert outcome.tls is not None
                assert outcome.tls.server_name == office.trunk.host
                assert outcome.tls.trust == office.trunk.ca_file
            call = await office.call(sample.typed)
            assert call.result is CallResult.ANSWERED, call
            assert (call.audio, call.heard) == (Audio.TWO_WAY, True)
            (invite, *_), (answer, *_) = (
                [text for text in texts if "\r\nm=audio" in text] for texts in (office.sent, office.received)
            )
            for text in (invite, answer):
                assert ("RTP/SAVP" in text, "a=crypto:" in text) == (encrypted, encrypted)

    asyncio.run(run())


@pytest.mark.parametrize("changes", [{}, {"transport": "tls"}, {"srtp": "require"}], ids=str)
def test_with_secure_trunking_on_a_call_without_tls_and_srtp_is_refused(
    changes: Mapping[str, str], tmp_path: Path
) -> None:
    sample = next(sample for sample in SAMPLES if sample.id == "twilio")

    async def run() -> None:
        async with customer(sample, tmp_path, changes, switched=True) as office:
            assert (await office.sign_in()).state is TrunkState.REACHABLE
            call = await office.call(sample.typed)
            assert (call.sip_code, call.answered_by) == (488, AnsweredBy.NETWORK)
            first, *_ = explain_call(call, office.trunk)
            assert "Secure Trunking is on" in first.causes[0]

    asyncio.run(run())


def test_every_provider_with_tls_or_srtp_is_called_with_it() -> None:
    secure = {
        sample.id
        for sample, transport, srtp in other_ways()
        if transport is Transport.TLS or srtp is Srtp.REQUIRE
    }
    known = {
        facts.id
        for facts in catalogue.providers()
        if facts.media.srtp or Transport.TLS in (one.protocol for one in facts.signalling.transports)
    }
    assert secure == known
    assert len(known) >= 6


def test_without_the_ca_the_carriers_certificate_is_not_trusted(tmp_path: Path) -> None:
    sample = next(sample for sample in SAMPLES if sample.id == "twilio")

    async def run() -> None:
        async with customer(sample, tmp_path, {"ca_file": ""}, encrypted=True) as office:
            outcome = await office.sign_in()
            assert (outcome.state, outcome.local_cause) == (TrunkState.UNREACHABLE, LocalCause.TLS_CA)
            assert office.sent == []

    asyncio.run(run())


@BY_ID
def test_its_typical_mistake_has_its_symptom(sample: Sample, tmp_path: Path) -> None:
    mistake = sample.mistake

    async def run() -> None:
        async with customer(sample, tmp_path, mistake.settings, mistake.password) as office:
            outcome = await office.sign_in()
            if mistake.state is not None:
                assert outcome.state is mistake.state, outcome
                assert outcome.answered_by is AnsweredBy.NETWORK
                assert mistake.code in (None, outcome.sip_code)
                return
            assert outcome.state in (TrunkState.REGISTERED, TrunkState.REACHABLE), outcome
            call = await office.call(sample.typed)
            assert call.result is mistake.result, call
            assert call.answered_by is AnsweredBy.NETWORK
            assert mistake.code in (None, call.sip_code)

    asyncio.run(run())


@BY_ID
def test_the_symptom_is_the_one_in_the_catalogue(sample: Sample) -> None:
    codes = {refusal.code for refusal in catalogue.find(sample.id).refusals}
    if sample.mistake.code is not None:
        assert sample.mistake.code in codes


@pytest.mark.parametrize("separator", ["", "#"])
def test_a_tech_prefix_that_only_some_customers_have_leads_to_the_same_number(
    separator: str, tmp_path: Path
) -> None:
    sample = next(sample for sample in SAMPLES if sample.id == "voipinnovations")

    async def run() -> None:
        async with customer(sample, tmp_path, {"tech_prefix": "77", "tech_separator": separator}) as office:
            assert (await office.sign_in()).state is TrunkState.REACHABLE
            busy = await office.call(f"{sample.typed[:-3]}486")
            assert unescape(busy.dialled) == f"77{separator}{sample.sent[:-3]}486"
            assert busy.result is CallResult.BUSY
            call = await office.call(sample.typed)
            assert call.result is CallResult.ANSWERED, call

    asyncio.run(run())


def test_every_provider_has_a_sample() -> None:
    assert sorted(sample.id for sample in SAMPLES) == sorted(catalogue.IDS)


def test_every_way_to_sign_in_is_tried() -> None:
    assert {sample.sign_in for sample in SAMPLES} == set(SignIn)
