"""Calls of ours through the relay: each message on both sides, and where it goes."""

from __future__ import annotations

import pytest

from app.model.outcome import Direction
from app.model.signalling import Handling
from app.model.trunk import Transport
from app.sip.engine.edge.dialogs import LINGER_S
from app.sip.syntax.message import serialise
from app.sip.syntax.sdp import read_sdp
from tests.unit.sip.accounts import hop
from tests.unit.sip.engine.edge.relaying import OURS, SERVER, STRANGER, Scene, answer, lines, uri_of
from tests.unit.sip.samples import SDP, SDP_TYPE

PLACE = hop("203.0.113.1", 5070)
"""Of the far end's Contact."""


@pytest.fixture
def scene() -> Scene:
    """A registered account over UDP."""
    return Scene()


def test_a_call_from_invite_to_bye(scene: Scene) -> None:
    branch, invite = scene.call()
    assert invite.first("via") == f"SIP/2.0/UDP {OURS};rport;branch={branch}"
    assert invite.first("contact") == f"<sip:1001@{OURS};ob>"
    assert invite.values("route") == []

    scene.far(answer(invite, "100 Trying", tag=""))
    assert scene.take_delivered("SIP/2.0 100 Trying").first("to") == "<sip:7@sip.example.com>"
    scene.far(answer(invite, "180 Ringing", "Contact: <sip:7@203.0.113.1:5070>"))
    ringing = scene.take_delivered("SIP/2.0 180 Ringing")
    scene.far(answer(invite, "200 OK", "Contact: <sip:7@203.0.113.1:5070>", SDP_TYPE, body=SDP))
    ok = scene.take_delivered("SIP/2.0 200 OK")
    assert ok.first("contact") == ringing.first("contact")
    assert uri_of(ok.first("contact")).endswith("@127.0.0.1:40000")
    assert ok.body == read_sdp(SDP).body

    scene.within(ok, "ACK", cseq=1)
    ((ack, place),) = scene.sent
    assert (ack.start, place) == ("ACK sip:7@203.0.113.1:5070 SIP/2.0", PLACE)
    assert ack.first("to") == "<sip:7@sip.example.com>;tag=far"
    scene.sent.clear()

    scene.within(ok, "BYE")
    ((bye, place),) = scene.sent
    assert (bye.start, place) == ("BYE sip:7@203.0.113.1:5070 SIP/2.0", PLACE)
    scene.far(answer(bye, "200 OK"), PLACE)
    assert scene.take_delivered("SIP/2.0 200 OK").first("cseq") == "2 BYE"
    assert scene.detours == []
    assert [seen.trace.direction for seen in scene.seen] == [
        Direction.OUT, Direction.IN, Direction.IN, Direction.IN, Direction.OUT, Direction.OUT, Direction.IN,
    ]  # fmt: skip
    assert {seen.call_id for seen in scene.seen} == {"call-1"}


def test_the_trace_has_each_message_as_it_was_on_the_wire(scene: Scene) -> None:
    _, invite = scene.call()
    raw = answer(invite, "180 Ring\udcefing", "X: \udce9")
    scene.far(raw)
    out, back = scene.seen
    assert (out.trace.transport, out.trace.peer) == (Transport.UDP, "203.0.113.1:5060")
    assert out.trace.text.encode() == serialise(invite)
    assert back.trace.text.startswith("SIP/2.0 180 Ringïing\r\n")
    assert "X: é\r\n" in back.trace.text
    assert back.head is not None
    assert back.passed


# Routes


@pytest.mark.parametrize(
    ("routes", "start", "values", "place"),
    [
        ((), "BYE sip:7@203.0.113.1:5070 SIP/2.0", [], PLACE),
        (
            ("<sip:203.0.113.3;lr>, <sip:203.0.113.2:5080;lr;ftag=1>",),
            "BYE sip:7@203.0.113.1:5070 SIP/2.0",
            ["<sip:203.0.113.2:5080;lr;ftag=1>", "<sip:203.0.113.3;lr>"],
            hop("203.0.113.2", 5080),
        ),
        (
            ("<sip:203.0.113.3;lr>", "<sip:203.0.113.2;lr=on>"),
            "BYE sip:7@203.0.113.1:5070 SIP/2.0",
            ["<sip:203.0.113.2;lr=on>", "<sip:203.0.113.3;lr>"],
            hop("203.0.113.2"),
        ),
        (
            ("<sip:203.0.113.3;lr>, <sip:203.0.113.2>",),
            "BYE sip:203.0.113.2 SIP/2.0",
            ["<sip:203.0.113.3;lr>", "<sip:7@203.0.113.1:5070>"],
            hop("203.0.113.2"),
        ),
    ],
)
def test_the_route_set_is_that_of_the_answer_turned_round(
    scene: Scene, routes: tuple[str, ...], start: str, values: list[str], place: object
) -> None:
    ok = scene.called(*(f"Record-Route: {route}" for route in routes))
    assert ok.values("record-route") == []
    for method in ("ACK", "BYE"):
        scene.within(ok, method)
        ((message, where),) = scene.sent
        assert (message.start, message.values("route"), where) == (
            start.replace("BYE", method),
            values,
            place,
        )
        scene.sent.clear()


def test_the_route_set_of_the_200_counts_more_than_that_of_the_180(scene: Scene) -> None:
    _, invite = scene.call()
    contact = "Contact: <sip:7@203.0.113.1:5070>"
    scene.far(answer(invite, "180 Ringing", contact, "Record-Route: <sip:203.0.113.8;lr>"))
    scene.far(answer(invite, "200 OK", contact, "Record-Route: <sip:203.0.113.9;lr>"))
    scene.within(scene.delivered[-1], "ACK")
    assert scene.take_sent("ACK").values("route") == ["<sip:203.0.113.9;lr>"]


def test_over_tls_everything_goes_over_the_one_connection(scene: Scene) -> None:
    scene = Scene(transport=Transport.TLS, port=5061)
    ok = scene.called("Record-Route: <sips:p1.example.invalid;lr>", contact="<sips:7@203.0.113.9>")
    scene.within(ok, "BYE")
    ((bye, place),) = scene.sent
    assert (bye.start, place) == ("BYE sips:7@203.0.113.9 SIP/2.0", scene.server)
    assert bye.values("route") == ["<sips:p1.example.invalid;lr>"]
    assert bye.first("via").startswith(f"SIP/2.0/TLS {OURS};rport;branch=")
    assert scene.detours == []


def test_a_contact_that_leads_nowhere_is_reported_and_the_call_is_hung_up_all_the_same(scene: Scene) -> None:
    ok = scene.called(contact="<sip:7@core.invalid>")
    for method in ("ACK", "BYE"):
        scene.within(ok, method)
        ((message, place),) = scene.sent
        assert (message.start, place) == (f"{method} sip:7@core.invalid SIP/2.0", SERVER)
        scene.sent.clear()
    obstacle = "the name core.invalid can't be found"
    assert scene.detours == [("ACK", "call-1", obstacle), ("BYE", "call-1", obstacle)]


def test_without_any_contact_requests_go_back_to_where_the_answer_came_from(scene: Scene) -> None:
    _, invite = scene.call()
    scene.far(answer(invite, "200 OK", SDP_TYPE, body=SDP), hop("203.0.113.1", 5099))
    ok = scene.take_delivered()
    scene.within(ok, "ACK")
    ((ack, place),) = scene.sent
    assert (ack.uri, place) == ("sip:7@sip.example.com", hop("203.0.113.1", 5099))


def test_a_far_end_that_wants_tcp_gets_it_with_a_via_that_says_so(scene: Scene) -> None:
    ok = scene.called(contact="<sip:7@203.0.113.1:5070;transport=tcp>")
    branch = scene.within(ok, "BYE")
    ((bye, place),) = scene.sent
    assert place == hop("203.0.113.1", 5070, Transport.TCP)
    assert bye.first("via") == f"SIP/2.0/TCP {OURS};rport;branch={branch}"
    scene.far(answer(bye, "200 OK"), place)
    assert scene.delivered[-1].first("cseq") == "2 BYE"


def test_a_name_is_looked_up_before_a_request_goes_and_repeats_wait_for_it_too(scene: Scene) -> None:
    scene.names["p.example.org"] = "198.51.100.7"
    scene.slow = True
    ok = scene.called(contact="<sip:7@p.example.org:5070>")
    branch = scene.within(ok, "BYE")
    scene.stack(
        "BYE",
        uri=uri_of(ok.first("contact")),
        to=ok.first("to"),
        sender=ok.first("from"),
        cseq=2,
        branch=branch,
    )
    assert scene.sent == []
    scene.answer_lookups()
    assert [place for _, place in scene.sent] == [hop("198.51.100.7", 5070)]


# Branches of a call that forks


def test_each_branch_of_a_fork_is_a_dialog_of_its_own(scene: Scene) -> None:
    _, invite = scene.call()
    for number in (1, 2):
        scene.far(answer(invite, "180 Ringing", f"Contact: <sip:7@203.0.113.{number}>", tag=f"far-{number}"))
    one, two = scene.delivered
    assert one.first("contact") != two.first("contact")
    assert [response.first("to").partition(";tag=")[2] for response in (one, two)] == ["far-1", "far-2"]
    scene.delivered.clear()
    for number in (2, 1):
        ok = answer(invite, "200 OK", f"Contact: <sip:7@203.0.113.{number}>", tag=f"far-{number}")
        scene.far(ok)
        scene.within(scene.take_delivered("SIP/2.0 200"), "ACK")
        assert scene.take_sent().uri == f"sip:7@203.0.113.{number}"
    scene.within(one, "BYE", cseq=3)
    bye = scene.take_sent("BYE sip:7@203.0.113.1 ")
    assert bye.first("to") == "<sip:7@sip.example.com>;tag=far-1"


# CANCEL and refusals


def test_a_cancel_and_the_ack_of_the_refusal_have_the_invites_branch_and_place(scene: Scene) -> None:
    branch, invite = scene.call()
    scene.far(answer(invite, "180 Ringing", "Contact: <sip:7@203.0.113.1:5070>"))
    scene.delivered.clear()
    scene.stack("CANCEL", branch=branch)
    ((cancel, place),) = scene.sent
    assert (cancel.first("via"), place) == (invite.first("via"), SERVER)
    assert cancel.uri == invite.uri
    scene.sent.clear()
    scene.far(answer(cancel, "200 OK"))
    scene.far(answer(invite, "487 Request Terminated"))
    assert [message.first("cseq") for message in scene.delivered] == ["1 CANCEL", "1 INVITE"]
    scene.stack("ACK", branch=branch, to="<sip:7@sip.example.com>;tag=far")
    ((ack, place),) = scene.sent
    assert (ack.first("via"), place) == (invite.first("via"), SERVER)


@pytest.mark.parametrize("status", ["302 Moved", "404 Not Found", "486 Busy Here", "503 Down", "603 Decline"])
def test_a_refused_call_is_over(scene: Scene, status: str) -> None:
    branch, invite = scene.call()
    scene.far(answer(invite, status, "Contact: <tel:+49>"))
    assert scene.take_delivered().start == f"SIP/2.0 {status}"
    scene.stack("ACK", branch=branch)
    scene.take_sent("ACK")
    assert len(scene.wire.dialogs) == 1
    scene.now += LINGER_S + 1
    scene.relay.watch()
    assert len(scene.wire.dialogs) == 0


@pytest.mark.parametrize("code", [401, 407, 422])
def test_a_call_that_is_tried_again_goes_on(scene: Scene, code: int) -> None:
    _, invite = scene.call()
    scene.far(answer(invite, f"{code} x", "Min-SE: 3600"))
    scene.now += LINGER_S + 1
    scene.relay.watch()
    assert len(scene.wire.dialogs) == 1


# Repeats


def test_over_udp_repeats_of_pjsip_go_out_as_they_did_before(scene: Scene) -> None:
    branch, invite = scene.call()
    for _ in range(3):
        scene.call(branch=branch)
    assert [seen.message for seen in scene.seen] == [invite] * 4


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.TLS])
def test_over_a_connection_repeats_of_pjsip_end_here_but_for_an_ack(transport: Transport) -> None:
    scene = Scene(transport=transport)
    branch = scene.stack("INVITE", SDP_TYPE, body=SDP)
    invite = scene.take_sent()
    scene.stack("INVITE", SDP_TYPE, branch=branch, body=SDP)
    assert scene.sent == []
    scene.far(answer(invite, "200 OK", f"Contact: <sip:7@{scene.server}>"))
    ok = scene.take_delivered()
    ack = scene.within(ok, "ACK", cseq=1)
    scene.stack("ACK", uri=uri_of(ok.first("contact")), to=ok.first("to"), branch=ack)
    assert len(scene.sent) == 2


def test_repeats_of_an_answer_reach_pjsip_so_that_it_acknowledges_again(scene: Scene) -> None:
    _, invite = scene.call()
    ok = answer(invite, "200 OK", "Contact: <sip:7@203.0.113.1:5070>", SDP_TYPE, body=SDP)
    for _ in range(4):
        scene.far(ok)
    assert [message.start for message in scene.delivered] == ["SIP/2.0 200 OK"] * 4


# Refreshes


@pytest.mark.parametrize("method", ["INVITE", "UPDATE"])
def test_a_refresh_of_ours_takes_the_new_contact_of_the_answer(scene: Scene, method: str) -> None:
    ok = scene.called("Record-Route: <sip:203.0.113.2;lr>")
    scene.within(ok, method, SDP_TYPE, body=SDP)
    refresh = scene.take_sent(f"{method} sip:7@203.0.113.1:5070")
    assert refresh.values("route") == ["<sip:203.0.113.2;lr>"]
    scene.far(
        answer(refresh, "200 OK", "Contact: <sip:8@203.0.113.5>", "Record-Route: <sip:203.0.113.77;lr>")
    )
    assert scene.take_delivered().first("contact") == ok.first("contact")
    scene.within(ok, "BYE", cseq=3)
    bye = scene.take_sent("BYE sip:8@203.0.113.5 ")
    assert bye.values("route") == ["<sip:203.0.113.2;lr>"]


def test_a_refused_refresh_does_not_end_the_call(scene: Scene) -> None:
    ok = scene.called()
    scene.within(ok, "INVITE", SDP_TYPE, body=SDP)
    refresh = scene.take_sent()
    scene.far(answer(refresh, "488 Not Acceptable", "Contact: <sip:9@198.51.100.9>"))
    scene.now += LINGER_S + 1
    scene.relay.watch()
    scene.within(ok, "BYE", cseq=3)
    scene.take_sent("BYE sip:7@203.0.113.1:5070")


# Audio that is somewhere else


def test_a_name_for_audio_is_looked_up_before_pjsip_gets_the_answer(scene: Scene) -> None:
    scene.slow = True
    scene.names["media.example.org"] = "198.51.100.9"
    _, invite = scene.call()
    body = SDP.replace(b"c=IN IP4 192.0.2.1", b"c=IN IP4 media.example.org")
    scene.far(answer(invite, "200 OK", SDP_TYPE, body=body))
    assert scene.delivered == []
    scene.answer_lookups()
    assert b"c=IN IP4 198.51.100.9\r\n" in scene.take_delivered().body


@pytest.mark.parametrize("address", [None, "2001:db8::1", "nonsense"])
def test_a_name_for_audio_that_is_not_found_leaves_no_description(scene: Scene, address: str | None) -> None:
    if address:
        scene.names["media.example.org"] = address
    _, invite = scene.call()
    body = SDP.replace(b"c=IN IP4 192.0.2.1", b"c=IN IP4 media.example.org")
    scene.far(answer(invite, "200 OK", SDP_TYPE, body=body))
    assert scene.take_delivered().body == b""


# What is wrong with answers


def test_an_answer_to_nothing_does_not_reach_pjsip(scene: Scene) -> None:
    _, invite = scene.call()
    scene.seen.clear()
    for other in (
        answer(invite, "200 OK").replace(b"branch=", b"branch=x"),
        answer(invite, "200 OK").replace(b"1 INVITE", b"1 BYE"),
    ):
        scene.far(other)
        scene.far(other, STRANGER)
    assert scene.delivered == []
    assert [(seen.passed, seen.call_id, seen.trace.peer) for seen in scene.seen] == [
        (False, "", str(SERVER))
    ] * 2


def test_an_answer_may_come_from_another_port_of_the_provider(scene: Scene) -> None:
    _, invite = scene.call()
    scene.far(answer(invite, "180 Ringing"), hop("203.0.113.1", 5099))
    scene.take_delivered("SIP/2.0 180")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Call-ID: call-1", b"Call-ID: a b"),
        (b"CSeq: 1 INVITE", b"CSeq: x"),
        (b"CSeq: 1 INVITE", b"CSeq: " + b"9" * 5000 + b" INVITE"),
        (b"CSeq: 1 INVITE\r\n", b""),
        (b"Content-Length: 0", b"Content-Length: 99"),
    ],
)
def test_a_final_answer_that_can_not_be_read_fails_the_request_at_once(
    scene: Scene, old: bytes, new: bytes
) -> None:
    branch, invite = scene.call()
    scene.far(answer(invite, "180 Ringing").replace(old, new))
    assert scene.delivered == []
    bad = answer(invite, "200 OK").replace(old, new)
    assert bad != answer(invite, "200 OK")
    scene.far(bad)
    failure = scene.take_delivered("SIP/2.0 503 an answer came that can't be read")
    assert failure.first("via").endswith(branch)
    seen = scene.seen[-1]
    assert (seen.passed, seen.call_id, seen.problems[-1].handling) == (False, "call-1", Handling.DROPPED)
    # Its ACK has nobody to go to, and later answers have nobody who waits for them
    scene.stack("ACK", branch=branch)
    scene.far(answer(invite, "200 OK"))
    assert (scene.sent, scene.delivered) == ([], [])


def test_what_is_no_message_is_shown_where_the_provider_sent_it(scene: Scene) -> None:
    for raw in (b"hello\r\n\r\n", b"SIP/2.0 banana\r\n\r\n"):
        scene.far(raw)
        scene.far(raw, STRANGER)
    assert [(seen.message, seen.passed, seen.trace.peer) for seen in scene.seen] == [
        (None, False, str(SERVER))
    ] * 2
    for keep_alive in (b"", b"\r\n", b"\r\n\r\n", b"\0\0\0\0", b" "):
        scene.far(keep_alive)
    assert len(scene.seen) == 2


def test_another_call_id_in_the_answer_is_reported_and_pjsip_gets_its_own(scene: Scene) -> None:
    _, invite = scene.call()
    scene.far(answer(invite, "180 Ringing").replace(b"Call-ID: call-1", b"Call-ID: call-2"))
    assert scene.take_delivered().first("call-id") == "call-1"
    assert scene.seen[-1].altered == ("Call-ID came back as call-2 instead of call-1",)


def test_keys_whose_tag_was_not_offered_are_reported(scene: Scene) -> None:
    key = b"AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n"
    secure = SDP.replace(b"RTP/AVP", b"RTP/SAVP")
    scene.stack("INVITE", SDP_TYPE, body=secure + b"a=crypto:1 " + key + b"a=crypto:2 " + key)
    invite = scene.take_sent()
    for tag, problems in ((b"2", 0), (b"3", 1)):
        scene.far(answer(invite, "183 x", SDP_TYPE, body=secure + b"a=crypto:" + tag + b" " + key))
        assert len(scene.seen[-1].problems) == problems
    assert scene.seen[-1].problems[0].header == "SDP a=crypto"


# What can't be sent, and what is lost


def test_a_request_that_can_not_leave_fails_at_once(scene: Scene) -> None:
    scene.refused[SERVER] = "no way"
    branch = scene.stack("INVITE", SDP_TYPE, body=SDP)
    scene.take_delivered("SIP/2.0 503 no way")
    scene.stack("ACK", branch=branch)
    assert (scene.sent, scene.delivered) == ([], [])


def test_an_ack_that_can_not_leave_fails_nothing(scene: Scene) -> None:
    ok = scene.called()
    scene.refused[PLACE] = "no way"
    scene.within(ok, "ACK", cseq=1)
    assert scene.delivered == []
    scene.within(ok, "BYE")
    scene.take_delivered("SIP/2.0 503 no way")


def test_an_icmp_error_fails_what_has_no_answer_yet(scene: Scene) -> None:
    _, ringing = scene.call()
    scene.far(answer(ringing, "180 Ringing"))
    scene.delivered.clear()
    scene.stack("OPTIONS", call_id="other")
    scene.sent.clear()
    scene.relay.fail(hop("198.51.100.1"), "port unreachable")
    assert scene.delivered == []
    scene.relay.fail(SERVER, "port unreachable")
    assert scene.take_delivered("SIP/2.0 503 port unreachable").first("cseq") == "1 OPTIONS"
    scene.relay.fail(SERVER, "port unreachable")
    assert scene.delivered == []


def test_a_lost_connection_fails_what_has_no_final_answer_yet() -> None:
    scene = Scene(transport=Transport.TCP)
    ok = scene.called(contact="<sip:7@203.0.113.1:5060;transport=tcp>")
    scene.within(ok, "ACK", cseq=1)
    scene.stack("INVITE", SDP_TYPE, call_id="call-2", body=SDP)
    ringing = scene.sent[-1][0]
    scene.far(answer(ringing, "180 Ringing"))
    scene.delivered.clear()
    scene.relay.lose(scene.server, "the server closed the connection")
    failure = scene.take_delivered("SIP/2.0 503 the server closed the connection")
    assert failure.first("call-id") == "call-2"


@pytest.mark.parametrize("words", ["Größe\r\nX: y", "x" * 500])
def test_words_in_a_failure_are_ascii_on_one_short_line(scene: Scene, words: str) -> None:
    scene.refused[SERVER] = words
    scene.stack("OPTIONS")
    start = scene.take_delivered().start
    assert start.isascii()
    assert start.isprintable()
    assert len(start) < 150


def test_a_request_that_found_no_connection_is_failed_and_a_response_is_not() -> None:
    scene = Scene(transport=Transport.TCP)
    head = ["OPTIONS sip:h SIP/2.0", "Via: SIP/2.0/UDP x;branch=z9hG4bK1", "From: <sip:a@b>;tag=1"]
    head += ["To: <sip:h>", "Call-ID: c", "CSeq: 1 OPTIONS", "", ""]
    scene.relay.refuse("\r\n".join(head).encode(), "refused")
    scene.take_delivered("SIP/2.0 503 refused")
    scene.relay.refuse(b"SIP/2.0 200 OK\r\nCSeq: 1 OPTIONS\r\n\r\n", "refused")
    assert scene.delivered == []
    assert scene.seen == []


# What PJSIP says that the far end must not be sent as it stands


@pytest.mark.parametrize("host", ["h" * 120 + ".example", "bücher.example"])
def test_a_host_that_the_gate_would_not_take_still_goes_out(scene: Scene, host: str) -> None:
    uri = f"sip:{'u' * 115}@{host}"
    scene.stack("REGISTER", uri=uri, to=f"<{uri}>", sender=f"<{uri}>;tag=1")
    assert scene.take_sent().uri == uri
    scene.stack("INVITE", uri=uri, to=f"<{uri}>", sender=f"<{uri}>;tag=1", call_id="2")
    invite = scene.take_sent()
    scene.far(answer(invite, "200 OK", "Contact: <sip:7@203.0.113.1:5070>"))
    scene.within(scene.take_delivered("SIP/2.0 200"), "BYE")
    assert scene.take_sent().uri == "sip:7@203.0.113.1:5070"


def test_lines_are_what_they_were(scene: Scene) -> None:
    _, invite = scene.call("X-Odd:  two  spaces ")
    assert "X-Odd:  two  spaces " in lines(invite)
