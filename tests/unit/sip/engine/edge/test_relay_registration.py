"""REGISTER through the relay: digests, bindings, and the address that the provider sees."""

from __future__ import annotations

from typing import Any

import pytest

from app.model.outcome import Direction
from app.model.signalling import Bindings, ChallengeFacts
from app.model.trunk import Transport
from app.sip.syntax.address import HostPort
from app.sip.syntax.message import Message
from tests.unit.sip.accounts import hop
from tests.unit.sip.engine.edge.relaying import OURS, Scene, answer
from tests.unit.sip.engine.edge.test_digest import digest, inner_answer, parameters, verifies

CONTACT = f"<sip:1001@{OURS};ob>"


@pytest.fixture
def scene() -> Scene:
    """A registered account over UDP."""
    return Scene()


def registers(scene: Scene, *more: str, cseq: int = 1, expires: int = 300) -> Message:
    """PJSIP registers; the REGISTER as it went out."""
    scene.stack("REGISTER", f"Expires: {expires}", *more, uri="sip:sip.example.com", call_id="reg", cseq=cseq)
    return scene.take_sent("REGISTER sip:sip.example.com SIP/2.0")


def granted(scene: Scene, asked: Message, *contacts: str, via: str = "", source: Any = None) -> Message:
    """The provider says 200, with these Contacts; what PJSIP gets."""
    raw = answer(asked, "200 OK", *(f"Contact: {contact}" for contact in contacts))
    if via:
        raw = raw.replace(b";rport;", f";{via};".encode())
    scene.far(raw, source)
    return scene.take_delivered("SIP/2.0 200")


# Signing in


def test_a_challenge_is_answered_with_the_real_password(scene: Scene) -> None:
    asked = registers(scene)
    assert asked.named("authorization") == []
    scene.far(answer(asked, "401 x", f"WWW-Authenticate: {digest()}"))
    shown = scene.take_delivered("SIP/2.0 401").first("www-authenticate")
    assert "carrier" not in shown
    assert scene.seen[-1].challenge == ChallengeFacts(schemes=("digest",), algorithms=("MD5",), qop=("auth",))
    again = registers(scene, f"Authorization: {inner_answer(shown)}", cseq=2)
    assert verifies(parameters(again.first("authorization")))
    granted(scene, again, f"{CONTACT};expires=300")


def test_wrong_credentials_are_sent_once(scene: Scene) -> None:
    asked = registers(scene)
    scene.far(answer(asked, "401 x", f"WWW-Authenticate: {digest()}"))
    shown = scene.take_delivered().first("www-authenticate")
    again = registers(scene, f"Authorization: {inner_answer(shown)}", cseq=2)
    scene.far(answer(again, "401 x", f"WWW-Authenticate: {digest(nonce='other')}"))
    rejected = scene.take_delivered("SIP/2.0 401")
    assert rejected.named("www-authenticate") == []
    challenge = scene.seen[-1].challenge
    assert challenge is not None
    assert challenge.answered


# What the registrar lists


@pytest.mark.parametrize(
    ("contacts", "bindings", "lifetime"),
    [
        ((f"{CONTACT};expires=120",), Bindings(asked_s=300, ours_s=120, listed=True), 120),
        (
            ("<sip:1001@198.51.100.1>;expires=5", f"{CONTACT};expires=120"),
            Bindings(asked_s=300, ours_s=120, others=1, listed=True),
            120,
        ),
        ((f"{CONTACT};expires=0",), Bindings(asked_s=300, ours_s=0, listed=True), 0),
        ((), Bindings(asked_s=300), 300),
        (("<sip:other@198.51.100.1>",), Bindings(asked_s=300, others=1, listed=True), 300),
    ],
)
def test_pjsip_gets_its_own_binding_and_the_engine_hears_of_all(
    scene: Scene, contacts: tuple[str, ...], bindings: Bindings, lifetime: int
) -> None:
    got = granted(scene, registers(scene), *contacts)
    assert got.values("contact") == [f"<sip:1001@127.0.0.1:40001;ob>;expires={lifetime}"]
    assert scene.seen[-1].bindings == bindings


def test_a_200_with_a_star_does_no_harm(scene: Scene) -> None:
    got = granted(scene, registers(scene), "*")
    assert got.values("contact") == ["<sip:1001@127.0.0.1:40001;ob>;expires=300"]


def test_taking_a_registration_back_lists_nothing(scene: Scene) -> None:
    got = granted(scene, registers(scene, expires=0))
    assert got.values("contact") == []
    assert scene.seen[-1].bindings is None


def test_a_user_part_with_a_comma_is_found_in_the_answer(scene: Scene) -> None:
    contact = "Contact: <sip:1,2@127.0.0.1:40001;ob>"
    raw = registers(scene)
    assert raw
    scene.relay.from_pjsip(
        "\r\n".join(
            ["REGISTER sip:h SIP/2.0", "Via: SIP/2.0/UDP 127.0.0.1:40001;rport;branch=z9hG4bKcomma",
             "From: <sip:1,2@h>;tag=1", "To: <sip:1,2@h>", "Call-ID: c", "CSeq: 1 REGISTER", contact, "", ""]
        ).encode()
    )  # fmt: skip
    asked = scene.take_sent()
    assert asked.values("contact") == [f"<sip:1,2@{OURS};ob>"]
    granted(scene, asked, f"<sip:1,2@{OURS};ob>;expires=60")
    assert scene.seen[-1].bindings == Bindings(asked_s=300, ours_s=60, listed=True)


# The address that the provider sees


@pytest.mark.parametrize(
    ("via", "seen"),
    [
        ("rport=61000;received=203.0.113.7", HostPort("203.0.113.7", 61000)),
        ("rport=61000", HostPort(OURS.host, 61000)),
        ("received=203.0.113.7", HostPort("203.0.113.7", OURS.port)),
        ("received=203.0.113.7:60571;rport=61000", HostPort(OURS.host, 61000)),
        ("rport=99999;received=203.0.113.7", HostPort("203.0.113.7", OURS.port)),
        ("received=10.0.0.5;rport=5060", HostPort("10.0.0.5", 5060)),
    ],
)
def test_the_address_that_the_provider_sees_is_taken_and_registered(
    scene: Scene, via: str, seen: HostPort
) -> None:
    granted(scene, registers(scene), f"{CONTACT};expires=300", via=via)
    assert (scene.wire.face.ours, scene.new_addresses) == (seen, 1)
    again = registers(scene, cseq=2)
    assert again.first("via").startswith(f"SIP/2.0/UDP {seen};rport;branch=")
    assert again.values("contact") == [f"<sip:1001@{seen};ob>", f"{CONTACT};expires=0"]
    granted(scene, again, f"<sip:1001@{seen};ob>;expires=300", via=f"rport={seen.port};received={seen.host}")
    assert scene.new_addresses == 1
    assert scene.seen[-1].bindings == Bindings(asked_s=300, ours_s=300, listed=True)
    third = registers(scene, cseq=3)
    assert third.values("contact") == [f"<sip:1001@{seen};ob>"]


@pytest.mark.parametrize(
    "via",
    [
        "rport",
        "rport=50123;received=192.0.2.7",
        "received=127.0.0.1;rport=5060",
        "received=0.0.0.0;rport=1",
        "received=255.255.255.255",
        "received=2001:db8::1",
        "received=nonsense",
    ],
)
def test_an_address_that_is_ours_or_leads_nowhere_is_not_taken(scene: Scene, via: str) -> None:
    granted(scene, registers(scene), f"{CONTACT};expires=300", via=via)
    assert (scene.wire.face.ours.host, scene.new_addresses) == (OURS.host, 0)


def test_the_address_of_any_answer_is_taken_and_only_a_registration_is_said_to_need_another(
    scene: Scene,
) -> None:
    asked = registers(scene)
    challenge = f"WWW-Authenticate: {digest()}"
    scene.far(answer(asked, "401 x", challenge).replace(b";rport;", b";rport=61000;received=203.0.113.7;"))
    assert (scene.wire.face.ours, scene.new_addresses) == (HostPort("203.0.113.7", 61000), 0)
    again = registers(scene, cseq=2)
    assert again.values("contact") == ["<sip:1001@203.0.113.7:61000;ob>"]


def test_nobody_else_says_where_we_are(scene: Scene) -> None:
    granted(
        scene,
        registers(scene),
        f"{CONTACT};expires=9",
        via="rport=1;received=203.0.113.7",
        source=hop("203.0.113.1", 5099),
    )
    assert (scene.wire.face.ours, scene.new_addresses) == (OURS, 0)


def test_a_public_address_of_the_settings_stays() -> None:
    scene = Scene(public_address="198.51.100.77")
    granted(scene, registers(scene), via="rport=61000;received=203.0.113.7")
    assert (scene.wire.face.ours, scene.new_addresses) == (OURS, 0)


def test_over_tls_there_is_nothing_to_learn() -> None:
    scene = Scene(transport=Transport.TLS)
    asked = registers(scene)
    raw = answer(asked, "200 OK").replace(b";rport;", b";rport=61000;received=203.0.113.7;")
    scene.far(raw)
    assert (scene.wire.face.ours, scene.new_addresses) == (OURS, 0)


def test_a_call_from_a_new_address_says_so_in_its_contact(scene: Scene) -> None:
    granted(scene, registers(scene), via="rport=61000;received=203.0.113.7")
    _, invite = scene.call()
    assert invite.values("contact") == ["<sip:1001@203.0.113.7:61000;ob>"]
    assert [seen.trace.direction for seen in scene.seen][-1] is Direction.OUT
