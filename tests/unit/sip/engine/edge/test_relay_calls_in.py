"""Calls of the far end through the relay, and requests that PJSIP does not get."""

from __future__ import annotations

from typing import Any

import pytest

from app.model.outcome import Direction
from app.model.trunk import Transport
from app.sip.engine.call_rate import BURST
from app.sip.engine.edge.dialogs import LINGER_S
from app.sip.engine.edge.incoming import ANSWERS_A_SECOND
from app.sip.engine.edge.transactions import KEEP_S
from app.sip.syntax.message import Message
from app.sip.syntax.sdp import read_sdp
from tests.unit.sip.accounts import hop
from tests.unit.sip.engine.edge.relaying import OURS, SERVER, STRANGER, Scene, lines, uri_of
from tests.unit.sip.samples import SDP, SDP_TYPE, request

VIA = "Via: SIP/2.0/UDP 203.0.113.1:5060;rport;branch=z9hG4bK{}"
ROUTES = ("Record-Route: <sip:203.0.113.2;lr>", "Record-Route: <sip:203.0.113.3;lr>")


def invite(*more: str, branch: str = "in", **changes: Any) -> bytes:
    """A call for our user."""
    values: dict[str, Any] = {"via": VIA.format(branch), "call_id": "Call-ID: in-1", "body": SDP}
    return request("INVITE", SDP_TYPE, *more, **{**values, **changes})


def inside(
    method: str, *more: str, branch: str = "", cseq: int = 2, tag: str = "mine", **changes: Any
) -> bytes:
    """A request of the caller within the call."""
    values: dict[str, Any] = {
        "via": VIA.format(branch or f"{method}{cseq}"),
        "call_id": "Call-ID: in-1",
        "to": f"To: <sip:1001@sip.example.com>;tag={tag}",
        "cseq": cseq,
    }
    return request(method, *more, **{**values, **changes})


@pytest.fixture
def scene() -> Scene:
    """A registered account over UDP."""
    return Scene()


def ringing(scene: Scene, *more: str, **changes: Any) -> Message:
    """A call that PJSIP says rings; gives the INVITE that it got."""
    scene.far(invite(*more, **changes))
    got = scene.take_delivered("INVITE sip:127.0.0.1:40001 SIP/2.0")
    scene.stack_answers(got, "180 Ringing")
    scene.take_sent("SIP/2.0 180")
    return got


def answered(scene: Scene, *more: str, **changes: Any) -> Message:
    """A call that PJSIP has answered, acknowledged; gives the INVITE that it got."""
    got = ringing(scene, *more, **changes)
    scene.stack_answers(got, "200 OK", SDP_TYPE, body=SDP)
    scene.take_sent("SIP/2.0 200")
    scene.far(inside("ACK", cseq=1))
    scene.take_delivered("ACK sip:127.0.0.1:40001 SIP/2.0")
    return got


def hangs_up(scene: Scene, got: Message, cseq: int = 1) -> None:
    """PJSIP sends BYE in a call that it has answered."""
    scene.stack(
        "BYE",
        uri=uri_of(got.first("contact")),
        sender=f"{got.first('to')};tag=mine",
        to=got.first("from"),
        call_id=got.first("call-id"),
        cseq=cseq,
    )


# A whole call


def test_a_call_from_invite_to_our_bye(scene: Scene) -> None:
    scene.far(invite(*ROUTES, "Via: SIP/2.0/UDP below.example;branch=z9hG4bKbelow"))
    got = scene.take_delivered()
    assert got.first("to") == "<sip:1001@sip.example.com>"
    assert got.first("from") == "<sip:7@sip.example.com>;tag=far"
    assert got.body == read_sdp(SDP).body
    assert got.values("record-route") == []

    scene.stack_answers(got, "180 Ringing")
    ((ring, place),) = scene.sent
    assert place == SERVER
    assert lines(ring) == [
        "SIP/2.0 180 Ringing",
        "Via: SIP/2.0/UDP 203.0.113.1:5060;rport=5060;received=203.0.113.1;branch=z9hG4bKin",
        "Via: SIP/2.0/UDP below.example;branch=z9hG4bKbelow",
        'From: "Far" <sip:7@sip.example.com>;tag=far',
        "To: <sip:1001@sip.example.com>;tag=mine",
        "Call-ID: in-1",
        "CSeq: 1 INVITE",
        *ROUTES,
        f"Contact: <sip:1001@{OURS};ob>",
        "Content-Length: 0",
    ]
    scene.sent.clear()
    scene.stack_answers(got, "200 OK", SDP_TYPE, body=SDP)
    ok = scene.take_sent("SIP/2.0 200 OK")
    assert (ok.values("record-route"), ok.body) == (ring.values("record-route"), SDP)

    scene.far(inside("ACK", cseq=1))
    ack = scene.take_delivered("ACK sip:127.0.0.1:40001 SIP/2.0")
    assert ack.first("to") == "<sip:1001@sip.example.com>;tag=mine"

    hangs_up(scene, got)
    ((bye, place),) = scene.sent
    assert (bye.start, place) == ("BYE sip:7@203.0.113.1:5060 SIP/2.0", hop("203.0.113.2"))
    assert bye.values("route") == ["<sip:203.0.113.2;lr>", "<sip:203.0.113.3;lr>"]
    assert bye.first("from") == "<sip:1001@sip.example.com>;tag=mine"
    assert bye.first("to") == '"Far" <sip:7@sip.example.com>;tag=far'
    assert [seen.trace.direction for seen in scene.seen] == [
        Direction.IN, Direction.OUT, Direction.OUT, Direction.IN, Direction.OUT,
    ]  # fmt: skip
    assert all(seen.passed for seen in scene.seen)


def test_a_call_that_they_hang_up_is_over(scene: Scene) -> None:
    answered(scene)
    scene.far(inside("BYE", cseq=2))
    bye = scene.take_delivered("BYE")
    scene.stack_answers(bye, "200 OK")
    ok = scene.take_sent("SIP/2.0 200")
    assert ok.first("cseq") == "2 BYE"
    # A repeat is answered again as long as it may come
    scene.far(inside("BYE", cseq=2))
    scene.take_delivered("BYE")
    scene.now += LINGER_S + KEEP_S + 1
    scene.relay.watch()
    scene.far(inside("BYE", cseq=2))
    assert scene.delivered == []
    scene.take_sent("SIP/2.0 481")


def test_a_call_that_the_caller_takes_back(scene: Scene) -> None:
    got = ringing(scene)
    scene.far(request("CANCEL", via=VIA.format("in"), call_id="Call-ID: in-1"))
    cancel = scene.take_delivered("CANCEL sip:127.0.0.1:40001 SIP/2.0")
    assert cancel.first("via") == got.first("via")
    scene.stack_answers(cancel, "200 OK")
    assert scene.take_sent().first("cseq") == "1 CANCEL"
    scene.stack_answers(got, "487 Request Terminated")
    assert scene.take_sent("SIP/2.0 487").first("to") == "<sip:1001@sip.example.com>;tag=mine"
    scene.far(inside("ACK", branch="in", cseq=1))
    assert scene.take_delivered("ACK").first("via") == got.first("via")


@pytest.mark.parametrize("tag", ["mine", "other", ""])
def test_the_ack_of_a_refusal_reaches_pjsip_whatever_its_tag(scene: Scene, tag: str) -> None:
    got = ringing(scene)
    scene.stack_answers(got, "486 Busy Here")
    scene.take_sent("SIP/2.0 486")
    to = f"To: <sip:1001@sip.example.com>;tag={tag}" if tag else "To: <sip:1001@sip.example.com>"
    scene.far(inside("ACK", branch="in", cseq=1, to=to))
    scene.take_delivered("ACK")


def test_an_ack_that_belongs_to_nothing_ends_here(scene: Scene) -> None:
    # Two datagrams that once ended the engine, from wherever they come
    ringing(scene)
    for source in (SERVER, STRANGER):
        scene.far(request("ACK", via=VIA.format("other"), call_id="Call-ID: in-1"), source)
        scene.far(inside("ACK", branch="other", cseq=1, tag="nobody"), source)
    assert (scene.delivered, scene.sent) == ([], [])


def test_a_refused_call_can_be_placed_again_with_the_same_call_id(scene: Scene) -> None:
    got = ringing(scene)
    scene.far(invite(branch="again", cseq=2))
    scene.take_sent("SIP/2.0 482 Loop Detected")
    scene.stack_answers(got, "422 Session Interval Too Small", "Min-SE: 90")
    scene.take_sent("SIP/2.0 422")
    scene.far(invite(branch="again-2", cseq=3))
    scene.take_delivered("INVITE")


# Repeats


def test_a_repeat_of_an_invite_reaches_pjsip_as_the_same(scene: Scene) -> None:
    scene.far(invite())
    first = scene.take_delivered()
    for _ in range(2):
        scene.far(invite())
        assert scene.take_delivered() == first


def test_another_request_with_the_branch_of_a_known_one_is_not_taken_for_it(scene: Scene) -> None:
    ringing(scene)
    for other in (
        invite(call_id="Call-ID: in-2"),
        invite(cseq=7),
        invite(uri="sip:100@h", call_id="Call-ID: x"),
    ):
        scene.far(other)
        scene.far(other, STRANGER)
    assert (scene.delivered, scene.sent) == ([], [])


@pytest.mark.parametrize("transport", list(Transport))
def test_repeats_of_pjsips_answers_are_needed_over_udp_alone_but_for_a_200(transport: Transport) -> None:
    scene = Scene(transport=transport)
    scene.far(invite())
    got = scene.take_delivered()
    repeats = 3 if transport is Transport.UDP else 1
    for _ in range(3):
        scene.stack_answers(got, "180 Ringing")
    assert len(scene.sent) == repeats
    scene.sent.clear()
    for _ in range(3):
        scene.stack_answers(got, "200 OK", SDP_TYPE, body=SDP)
    assert len(scene.sent) == 3
    scene.sent.clear()
    scene.far(inside("ACK", cseq=1))
    scene.far(inside("BYE", cseq=2))
    bye = scene.delivered[-1]
    for _ in range(3):
        scene.stack_answers(bye, "200 OK")
    assert len(scene.sent) == repeats


def test_an_answer_of_pjsip_to_nothing_goes_nowhere(scene: Scene) -> None:
    got = ringing(scene)
    scene.now += KEEP_S + 1
    scene.relay.watch()
    scene.stack_answers(got, "200 OK")
    assert scene.sent == []


# Within a call


def test_a_refresh_of_theirs_brings_a_new_contact_and_a_new_place(scene: Scene) -> None:
    got = answered(scene)
    scene.far(inside("INVITE", SDP_TYPE, body=SDP, contact="Contact: <sip:8@203.0.113.5:5080>", cseq=3))
    refresh = scene.take_delivered("INVITE")
    assert refresh.first("contact") == got.first("contact")
    assert refresh.first("to") == "<sip:1001@sip.example.com>;tag=mine"
    scene.stack_answers(refresh, "200 OK", SDP_TYPE, body=SDP)
    scene.take_sent("SIP/2.0 200")
    hangs_up(scene, got)
    ((bye, place),) = scene.sent
    assert (bye.uri, place) == ("sip:8@203.0.113.5:5080", hop("203.0.113.5", 5080))


def test_a_request_without_a_contact_changes_no_target(scene: Scene) -> None:
    got = answered(scene)
    scene.far(inside("INVITE", SDP_TYPE, body=SDP, contact=None, cseq=3))
    scene.far(
        inside("INFO", "Content-Type: application/dtmf", body=b"5", contact="Contact: <sip:9@h>", cseq=4)
    )
    assert [message.method for message in scene.delivered] == ["INVITE", "INFO"]
    hangs_up(scene, got)
    assert scene.sent[-1][0].uri == "sip:7@203.0.113.1:5060"


def test_without_any_contact_our_bye_goes_to_where_they_called_from(scene: Scene) -> None:
    got = answered(scene, contact=None)
    hangs_up(scene, got)
    ((bye, place),) = scene.sent
    assert (bye.uri, place) == ("sip:7@sip.example.com", SERVER)
    assert scene.detours[0][2] == "the far end gave no address that can be used (Contact)"


def test_ids_and_tags_that_pjsip_can_not_hold_come_back_as_they_were(scene: Scene) -> None:
    call_id, tag = "c" * 300, "t" * 300
    changes: dict[str, Any] = {"call_id": f"Call-ID: {call_id}", "sender": f"From: <sip:7@h>;tag={tag}"}
    scene.far(invite(**changes))
    got = scene.take_delivered()
    assert max(len(line) for line in lines(got)) < 200
    scene.stack_answers(got, "200 OK", SDP_TYPE, body=SDP)
    ok = scene.take_sent()
    assert (ok.first("call-id"), ok.first("from")) == (call_id, f"<sip:7@h>;tag={tag}")
    scene.far(inside("ACK", cseq=1, **changes))
    scene.take_delivered("ACK")
    hangs_up(scene, got)
    bye = scene.take_sent()
    assert (bye.first("call-id"), bye.first("to")) == (call_id, f"<sip:7@h>;tag={tag}")
    assert {seen.call_id for seen in scene.seen} == {got.first("call-id")}


def test_news_of_a_transfer_pass_after_a_refer_of_ours(scene: Scene) -> None:
    got = answered(scene)
    sipfrag = "Content-Type: message/sipfrag"
    notify = inside("NOTIFY", "Event: refer", sipfrag, body=b"SIP/2.0 100 Trying", cseq=3)
    scene.far(notify)
    scene.take_sent("SIP/2.0 481")
    scene.stack(
        "REFER",
        "Refer-To: <sip:900@h>",
        uri=uri_of(got.first("contact")),
        sender=f"{got.first('to')};tag=mine",
        to=got.first("from"),
        call_id="in-1",
    )
    scene.take_sent("REFER")
    scene.far(inside("NOTIFY", "Event: refer", sipfrag, body=b"SIP/2.0 100 Trying", cseq=4))
    assert scene.take_delivered("NOTIFY").body == b"SIP/2.0 100 Trying\r\n"


def test_a_name_for_audio_is_looked_up_before_pjsip_gets_the_call(scene: Scene) -> None:
    scene.slow = True
    scene.names["media.example.org"] = "198.51.100.9"
    scene.far(invite(body=SDP.replace(b"c=IN IP4 192.0.2.1", b"c=IN IP4 media.example.org")))
    assert scene.delivered == []
    scene.answer_lookups()
    assert b"c=IN IP4 198.51.100.9\r\n" in scene.take_delivered().body


# What PJSIP does not get


def test_the_providers_requests_are_in_the_trace_with_their_answers(scene: Scene) -> None:
    scene.far(request("OPTIONS", call_id="Call-ID: x"))
    ok = scene.take_sent("SIP/2.0 200 OK")
    assert ok.first("allow")
    assert [(seen.trace.direction, seen.passed) for seen in scene.seen] == [
        (Direction.IN, False),
        (Direction.OUT, True),
    ]
    assert scene.strangers == []


def test_strangers_are_answered_and_counted_and_not_in_the_trace(scene: Scene) -> None:
    scene.far(invite(uri="sip:100@192.0.2.7"), STRANGER)
    ((refusal, place),) = scene.sent
    assert (refusal.start, place) == ("SIP/2.0 404 Not Found", STRANGER)
    assert scene.strangers == [("INVITE", "100", STRANGER, 404)]
    assert scene.seen == []


def test_a_damaged_request_is_answered_400_and_shown_where_it_is_the_providers(scene: Scene) -> None:
    scene.far(invite(cseq_line="CSeq: 1 BYE"))
    assert scene.take_sent("SIP/2.0 400 CSeq names another method").first("call-id") == "in-1"
    assert [(seen.passed, len(seen.problems)) for seen in scene.seen] == [(False, 1), (True, 0)]
    scene.seen.clear()
    scene.far(invite(cseq_line="CSeq: 1 BYE"), STRANGER)
    scene.take_sent("SIP/2.0 400")
    assert (scene.seen, scene.strangers) == ([], [("INVITE", "", STRANGER, 400)])
    scene.far(invite(call_id=None))
    scene.take_sent("SIP/2.0 400 Call-ID is missing")
    for lost in (invite(via=None), invite(cseq_line=None), request("ACK", cseq_line="CSeq: x")):
        scene.far(lost)
        scene.far(lost, STRANGER)
    assert scene.sent == []


def test_a_damaged_request_in_a_call_belongs_to_it(scene: Scene) -> None:
    answered(scene)
    scene.seen.clear()
    scene.far(inside("BYE", sender="From: x", cseq=5), STRANGER)
    assert [seen.call_id for seen in scene.seen] == ["in-1", "in-1"]
    assert scene.strangers == []


def test_a_flood_of_strangers_is_answered_only_so_often(scene: Scene) -> None:
    for number in range(100):
        scene.far(invite(uri=f"sip:{number}@h", branch=str(number), call_id=f"Call-ID: {number}"), STRANGER)
    assert len(scene.sent) == ANSWERS_A_SECOND
    assert len(scene.strangers) == 100
    scene.sent.clear()
    # The provider is answered meanwhile
    scene.far(request("OPTIONS", call_id="Call-ID: x"))
    scene.take_sent("SIP/2.0 200")
    scene.now += 0.5
    for number in range(100):
        scene.far(request("OPTIONS", uri=f"sip:{number}@h", call_id=f"Call-ID: o{number}"), STRANGER)
    assert len(scene.sent) == ANSWERS_A_SECOND / 2
    scene.sent.clear()
    scene.now += 3600
    for _ in range(100):
        scene.far(b"OPTIONS sip:h SIP/3.0\r\n" + request("OPTIONS").partition(b"\r\n")[2], STRANGER)
    assert len(scene.sent) == ANSWERS_A_SECOND


def test_more_calls_than_pjsip_can_begin_are_asked_to_come_back(scene: Scene) -> None:
    for number in range(20):
        scene.far(invite(branch=str(number), call_id=f"Call-ID: {number}"))
    assert len(scene.delivered) == BURST
    refusals = [message for message, _ in scene.sent]
    assert {message.start for message in refusals} == {"SIP/2.0 486 Busy Here"}
    assert {message.first("retry-after") for message in refusals} == {"1"}


@pytest.mark.parametrize(
    ("via", "port"),
    [
        ("SIP/2.0/UDP 203.0.113.1:5090;branch=z9hG4bK1", 5090),
        ("SIP/2.0/UDP 203.0.113.1;branch=z9hG4bK1", 5060),
        ("SIP/2.0/UDP 203.0.113.1:5090;rport;branch=z9hG4bK1", 40123),
    ],
)
def test_answers_of_both_kinds_go_to_the_port_that_the_via_asks_for(
    scene: Scene, via: str, port: int
) -> None:
    source = hop("203.0.113.1", 40123)
    scene.far(invite(via=f"Via: {via}"), source)
    scene.stack_answers(scene.take_delivered(), "180 Ringing")
    scene.far(request("OPTIONS", via=f"Via: {via}", call_id="Call-ID: x"), source)
    assert [place for _, place in scene.sent] == [hop("203.0.113.1", port)] * 2
