"""What requests of the far end get, inside of calls and outside, from the provider and from strangers."""

from __future__ import annotations

from typing import Any

import pytest

from app.sip.engine.edge import answers
from app.sip.engine.edge.admission import Admission
from app.sip.engine.edge.dialogs import MOST_CALLS, Dialogs, Leg
from app.sip.engine.edge.hop import Hop
from app.sip.engine.edge.transactions import Received
from app.sip.engine.edge.uas import Decision, Uas
from app.sip.syntax.address import parse_uri
from app.sip.syntax.gate import examine
from app.sip.syntax.head import Reason
from tests.unit.sip.accounts import account, hop
from tests.unit.sip.samples import SDP, SDP_TYPE, request

SERVER, STRANGER = hop(), hop("198.51.100.66")
INSIDE = "To: <sip:1001@sip.example.com>;tag=ours"
EVERY_METHOD = (*answers.METHODS, "REGISTER", "SUBSCRIBE", "PUBLISH", "MESSAGE", "PING", "invite")


class Scene:
    """A user agent with a call of ours and one of theirs."""

    def __init__(self, **changes: Any) -> None:
        self.dialogs = Dialogs()
        call = self.dialogs.begin("call-1", incoming=False, local="<sip:1001@h>;tag=ours", local_tag="ours")
        self.leg: Leg = self.dialogs.leg(call, "far", "<sip:7@h>;tag=far", parse_uri("sip:7@h"), SERVER)
        self.theirs = self.dialogs.begin("in-1", incoming=True, local="", local_tag="")
        self.uas = Uas(self.dialogs, Admission(account(**{"dids": ("+4930123456",), **changes})))

    def gets(self, raw: bytes, source: Hop = SERVER, invite: Received | None = None) -> Decision:
        """What a request gets."""
        examined = examine(raw)
        assert examined.message is not None
        assert examined.head is not None, examined.problems
        return self.uas.decide(examined.message, examined.head, source, invite)

    def invited(self, leg: Leg | None) -> Received:
        """An INVITE that PJSIP has got."""
        head = examine(request()).head
        assert head is not None
        received = Received(head, "b", SERVER, 0.0)
        received.leg = leg
        return received


@pytest.fixture
def scene() -> Scene:
    """A registered account."""
    return Scene()


def code(decision: Decision) -> int:
    """Of the answer, 0 for none."""
    return decision.answer.code if decision.answer else 0


# Inside of a call


def in_call(method: str, *more: str, **changes: Any) -> bytes:
    """A request in the call."""
    return request(method, *more, **{"to": INSIDE, "cseq": 5, **changes})


@pytest.mark.parametrize("source", [SERVER, STRANGER])
@pytest.mark.parametrize(
    "raw",
    [
        in_call("BYE"),
        in_call("ACK"),
        in_call("INVITE", SDP_TYPE, body=SDP),
        in_call("INVITE"),
        in_call("UPDATE"),
        in_call("UPDATE", SDP_TYPE, body=SDP),
        in_call("PRACK", "RAck: 1 1 INVITE"),
        in_call("INFO", "Content-Type: application/dtmf-relay", body=b"Signal=5\r\nDuration=100\r\n"),
        in_call("INFO", "Content-Type: application/dtmf", body=b"#"),
    ],
)
def test_what_pjsip_knows_passes_in_the_leg_it_is_in(scene: Scene, raw: bytes, source: Hop) -> None:
    assert scene.gets(raw, source) == Decision(leg=scene.leg, passes=True)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (in_call("OPTIONS"), 200),
        (in_call("INFO"), 200),
        (in_call("INFO", "Content-Type: application/dtmf-relay", body=b"\r\n"), 200),
        (in_call("INFO", "Content-Type: application/media_control+xml", body=b"<x/>"), 415),
        (in_call("INFO", "Content-Type: application/dtmf-relay", body=b"Signal=x\r\n"), 415),
        (in_call("INFO", "Content-Type: application/dtmf", body=b"12"), 415),
        (in_call("PRACK"), 400),
        (in_call("PRACK", "RAck: x"), 400),
        (in_call("REFER", "Refer-To: <sip:900@h>"), 603),
        (in_call("NOTIFY", "Event: message-summary"), 489),
        (in_call("NOTIFY"), 489),
        (in_call("NOTIFY", "Event: refer"), 481),
        (in_call("REGISTER"), 405),
        (in_call("SUBSCRIBE"), 405),
        (in_call("MESSAGE"), 405),
        (in_call("PUBLISH"), 405),
        (in_call("PING"), 405),
        (in_call("invite"), 405),
        (in_call("INVITE", SDP_TYPE, body=b"nonsense"), 400),
        (in_call("UPDATE", SDP_TYPE, body=b"v=0\r\n"), 400),
        (in_call("INVITE", "Content-Type: text/plain", body=b"x"), 415),
        (in_call("INVITE", "Content-Type: multipart/mixed;boundary=b", body=b"--b--"), 415),
        (in_call("INVITE", "Require: nothing"), 420),
        (in_call("BYE", "Require: nothing"), 420),
        (in_call("BYE", uri="tel:+49"), 416),
        (in_call("OPTIONS", uri="http://a"), 416),
    ],
)
def test_the_rest_is_answered_as_the_rfcs_ask(scene: Scene, raw: bytes, expected: int) -> None:
    for source in (SERVER, STRANGER):
        decision = scene.gets(raw, source)
        assert (code(decision), decision.passes, decision.stranger) == (expected, False, False)


@pytest.mark.parametrize(
    ("raw", "header", "value"),
    [
        (in_call("OPTIONS"), "Allow", answers.ALLOW),
        (in_call("OPTIONS"), "Supported", answers.SUPPORTED),
        (in_call("INFO"), "Accept", answers.ACCEPT),
        (in_call("REGISTER"), "Allow", answers.ALLOW),
        (in_call("NOTIFY", "Event: x"), "Allow-Events", "refer"),
        (in_call("INVITE", "Require: a, timer, b"), "Unsupported", "a, b"),
        (in_call("INVITE", "Content-Type: text/plain", body=b"x"), "Accept", "application/sdp"),
        (in_call("INFO", "Content-Type: text/plain", body=b"x"), "Accept", answers.ACCEPT),
    ],
)
def test_an_answer_says_what_would_be_taken(scene: Scene, raw: bytes, header: str, value: str) -> None:
    assert (header, value) in scene.gets(raw).headers


def test_news_of_a_transfer_pass_only_where_one_was_asked_for(scene: Scene) -> None:
    kind = "Content-Type: message/sipfrag;version=2.0"
    raw = in_call(
        "NOTIFY", "Event: refer;id=1", "Subscription-State: active", kind, body=b"SIP/2.0 100 Trying"
    )
    assert code(scene.gets(raw)) == 481
    scene.leg.referred = True
    assert scene.gets(raw) == Decision(leg=scene.leg, passes=True)
    for body in (b"", b"hello", b"SIP/2.0 999 x"):
        bad = in_call("NOTIFY", "Event: refer", kind, body=body)
        assert code(scene.gets(bad)) == 400
    assert (
        code(
            scene.gets(in_call("NOTIFY", "Event: refer", "Content-Type: text/plain", body=b"SIP/2.0 200 OK"))
        )
        == 400
    )


# CANCEL and ACK


def test_a_cancel_passes_with_its_invite_and_is_481_without(scene: Scene) -> None:
    raw = request("CANCEL", call_id="Call-ID: new")
    assert scene.gets(raw, invite=scene.invited(scene.leg)) == Decision(leg=scene.leg, passes=True)
    assert code(scene.gets(raw)) == 481
    assert code(scene.gets(raw, invite=scene.invited(None))) == 481
    assert code(scene.gets(in_call("CANCEL"))) == 481


@pytest.mark.parametrize(
    "raw",
    [
        request("ACK"),
        request("ACK", to="To: <sip:1001@h>;tag=other"),
        request("ACK", call_id="Call-ID: other"),
        request("ACK", call_id="Call-ID: other", uri="tel:+49"),
        request("ACK", "Require: nothing", call_id="Call-ID: other"),
    ],
)
def test_an_ack_without_its_invite_ends_here_without_an_answer(scene: Scene, raw: bytes) -> None:
    for source in (SERVER, STRANGER):
        assert scene.gets(raw, source) == Decision()


def test_an_ack_of_a_refusal_passes_with_its_invite(scene: Scene) -> None:
    # The tag of the refusal need not be that of the dialog
    raw = request("ACK", to="To: <sip:1001@h>;tag=other")
    assert scene.gets(raw, invite=scene.invited(scene.leg)) == Decision(leg=scene.leg, passes=True)


# Outside of calls


@pytest.mark.parametrize("method", [method for method in EVERY_METHOD if method not in ("ACK", "CANCEL")])
@pytest.mark.parametrize("source", [SERVER, STRANGER])
def test_every_request_of_a_dialog_that_is_not_known_gets_an_answer(
    scene: Scene, method: str, source: Hop
) -> None:
    decision = scene.gets(request(method, to="To: <sip:1001@h>;tag=gone", call_id="Call-ID: gone"), source)
    known = method in answers.METHODS
    assert code(decision) == (481 if known else 489 if method == "SUBSCRIBE" else 405)
    assert (decision.passes, decision.stranger) == (False, source is STRANGER)


@pytest.mark.parametrize(
    ("method", "more", "expected"),
    [
        ("OPTIONS", (), 200),
        ("BYE", (), 481),
        ("INFO", (), 481),
        ("PRACK", (), 481),
        ("UPDATE", (), 481),
        ("REFER", (), 603),
        ("NOTIFY", ("Event: message-summary",), 489),
        ("NOTIFY", ("Event: refer",), 481),
        ("NOTIFY", (), 489),
        ("SUBSCRIBE", ("Event: presence",), 489),
        ("REGISTER", (), 405),
        ("PUBLISH", (), 405),
        ("MESSAGE", (), 405),
        ("PING", (), 405),
        ("options", (), 405),
    ],
)
def test_outside_of_calls_every_request_gets_an_answer(
    scene: Scene, method: str, more: tuple[str, ...], expected: int
) -> None:
    raw = request(method, *more, call_id="Call-ID: new")
    for source in (SERVER, STRANGER):
        decision = scene.gets(raw, source)
        assert (code(decision), decision.passes) == (expected, False)
        assert decision.stranger is (source is STRANGER)
    if expected == 405:
        assert ("Allow", answers.ALLOW) in scene.gets(raw).headers
    if expected == 489:
        assert ("Allow-Events", "refer") in scene.gets(raw).headers


def test_a_strangers_options_is_answered_only_for_a_name_of_ours(scene: Scene) -> None:
    def asked(uri: str, source: Hop) -> Decision:
        return scene.gets(request("OPTIONS", uri=uri, call_id="Call-ID: new"), source)

    for uri in ("sip:1001@h", "sip:192.0.2.7", "sip:+4930123456@h"):
        assert (code(asked(uri, STRANGER)), asked(uri, STRANGER).stranger) == (200, True)
    assert asked("sip:100@h", STRANGER) == Decision(Reason(404, "Not Found"), stranger=True)
    assert code(asked("sip:100@h", SERVER)) == 200


def test_options_that_require_something_unknown_are_refused(scene: Scene) -> None:
    raw = request("OPTIONS", "Require: nothing", "Proxy-Require: nothing-either", call_id="Call-ID: new")
    for source in (SERVER, STRANGER):
        decision = scene.gets(raw, source)
        assert (code(decision), decision.stranger) == (420, source is STRANGER)
        assert decision.headers == (("Unsupported", "nothing"),)
    elsewhere = request("OPTIONS", "Require: nothing", call_id="Call-ID: new", uri="sip:100@h")
    assert code(scene.gets(elsewhere, STRANGER)) == 404


# Calls that begin


def invite(*more: str, user: str = "1001", **changes: Any) -> bytes:
    """An INVITE for one of our names."""
    values: dict[str, Any] = {"call_id": "Call-ID: new", "uri": f"sip:{user}@192.0.2.7", "body": SDP}
    return request("INVITE", SDP_TYPE, *more, **{**values, **changes})


def test_a_call_for_a_name_of_ours_passes(scene: Scene) -> None:
    for raw in (invite(), invite(user="+4930123456"), request("INVITE", call_id="Call-ID: new")):
        assert scene.gets(raw) == Decision(passes=True)
        assert scene.gets(raw, STRANGER) == Decision(passes=True)


@pytest.mark.parametrize("user", ["100", "1000", "admin", "00441234567890", "9011441234567890"])
def test_a_strangers_call_for_another_name_is_404_before_anything_else(scene: Scene, user: str) -> None:
    for raw in (
        invite(user=user),
        invite("Require: nothing", user=user),
        invite(user=user, body=b"nonsense"),
        invite(user=user, call_id="Call-ID: in-1"),
        invite("Replaces: call-1;to-tag=ours;from-tag=far", user=user),
    ):
        assert scene.gets(raw, STRANGER) == Decision(answers.UNKNOWN_USER, stranger=True)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (invite(call_id="Call-ID: in-1"), 482),
        (invite("Replaces: call-1;to-tag=ours;from-tag=far"), 603),
        (invite("Require: replaces", "Replaces: x;to-tag=a;from-tag=b"), 603),
        (invite("Require: nothing"), 420),
        (invite(body=b"nonsense"), 400),
        (request("INVITE", "Content-Type: text/plain", call_id="Call-ID: new", body=b"x"), 415),
        (request("INVITE", call_id="Call-ID: new", uri="tel:+4930123456"), 416),
        (request("INVITE", call_id="Call-ID: new", uri="urn:service:sos"), 416),
    ],
)
def test_calls_that_can_not_be_taken_are_refused_in_words(scene: Scene, raw: bytes, expected: int) -> None:
    decision = scene.gets(raw)
    assert (code(decision), decision.passes, decision.stranger) == (expected, False, False)


def test_a_call_id_can_be_used_again_once_its_call_is_over(scene: Scene) -> None:
    raw = invite(call_id="Call-ID: in-1")
    assert code(scene.gets(raw)) == 482
    scene.theirs.ended_at = 1.0
    assert scene.gets(raw) == Decision(passes=True)


def test_a_call_of_ours_that_comes_back_to_us_is_a_call(scene: Scene) -> None:
    assert scene.gets(invite(call_id="Call-ID: call-1")) == Decision(passes=True)


def test_more_calls_than_can_be_remembered_are_refused(scene: Scene) -> None:
    for number in range(MOST_CALLS):
        scene.dialogs.begin(str(number), incoming=True, local="", local_tag="")
    assert scene.gets(invite()) == Decision(answers.UNAVAILABLE)


def test_a_trunk_by_address_takes_calls_from_its_provider_alone() -> None:
    scene = Scene(register=False, networks=("203.0.113.0/24",))
    assert scene.gets(invite(user="999")) == Decision(passes=True)
    assert scene.gets(invite(), STRANGER) == Decision(answers.UNKNOWN_USER, stranger=True)
