"""What the messages of calls and of signing in show besides their final code."""

from __future__ import annotations

from typing import Any

import pytest

from app.model.signalling import (
    MOST_PROBLEMS,
    MOST_REQUESTS,
    Bindings,
    ChallengeFacts,
    DialogFacts,
    Explanation,
    Handling,
    IcmpError,
    Purpose,
    SentRequest,
    Unreachable,
)
from app.model.trunk import Transport
from app.sip.engine.dialog_log import KEEP, DialogLog
from app.sip.engine.edge.seen import Seen
from app.sip.syntax.message import Message
from tests.unit.sip.engine.edge.relaying import Scene, answer, uri_of
from tests.unit.sip.engine.edge.test_digest import digest, inner_answer
from tests.unit.sip.engine.edge.test_relay_calls_in import answered, hangs_up, inside, invite
from tests.unit.sip.engine.edge.test_relay_registration import registers
from tests.unit.sip.samples import SDP, SDP_TYPE

KEY = b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n"


class Logged(Scene):
    """A relay whose messages are logged."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(**changes)
        self.log = DialogLog()

    def on_seen(self, seen: Seen) -> None:
        """Log it as well."""
        super().on_seen(seen)
        self.log.note(seen)

    def on_detour(self, method: str, call_id: str, obstacle: str) -> None:
        """Log it as well."""
        super().on_detour(method, call_id, obstacle)
        self.log.detour(call_id, method, obstacle)

    def facts(self, call_id: str = "call-1") -> DialogFacts:
        """Of the call."""
        return self.log.facts(call_id)

    def requests(self, call_id: str = "call-1") -> list[tuple[str, Purpose, int]]:
        """What was sent within the call, and what came of it."""
        return [(one.method, one.purpose, one.code) for one in self.facts(call_id).requests]

    def answers_last(self, status: str, *more: str) -> None:
        """The far end answers the last request."""
        self.far(answer(self.sent[-1][0], status, *more))


@pytest.fixture
def scene() -> Logged:
    """A registered account over UDP."""
    return Logged()


# Calls of ours


def test_before_an_answer_nothing_is_known(scene: Logged) -> None:
    assert scene.facts() == DialogFacts()
    scene.call()
    assert scene.facts() == DialogFacts()
    assert scene.log.explanation("call-1") == Explanation()


def test_an_answered_call_shows_its_audio_and_its_ack(scene: Logged) -> None:
    ok = scene.called()
    facts = scene.facts()
    assert (facts.acknowledged, facts.answer_repeats) == (False, 0)
    assert (facts.answer_direction, facts.far_codecs) == ("sendrecv", ("pcmu",))
    scene.within(ok, "ACK", cseq=1)
    assert scene.facts().acknowledged
    assert scene.requests() == [("ACK", Purpose.ACKNOWLEDGE, 0)]


def test_repeats_of_the_answer_are_counted(scene: Logged) -> None:
    _, request = scene.call()
    for repeats in range(4):
        scene.far(answer(request, "200 OK", SDP_TYPE, body=SDP))
        assert scene.facts().answer_repeats == repeats


def test_the_answer_of_another_branch_is_no_repeat(scene: Logged) -> None:
    _, request = scene.call()
    for tag in ("far", "other", "other"):
        scene.far(answer(request, "200 OK", tag=tag))
    assert scene.facts().answer_repeats == 0


@pytest.mark.parametrize("direction", ["sendrecv", "sendonly", "recvonly", "inactive"])
def test_the_direction_is_that_of_the_last_description(scene: Logged, direction: str) -> None:
    _, request = scene.call()
    scene.far(answer(request, "183 x", SDP_TYPE, body=SDP))
    changed = SDP.replace(b"sendrecv", direction.encode()).replace(b"AVP 0", b"AVP 8 0")
    scene.far(answer(request, "200 OK", SDP_TYPE, body=changed))
    assert (scene.facts().answer_direction, scene.facts().far_codecs) == (direction, ("pcma", "pcmu"))


def test_every_request_within_the_call_has_its_purpose_and_its_answer(scene: Logged) -> None:
    ok = scene.called()
    scene.within(ok, "ACK", cseq=1)
    for cseq, (method, wanted, status) in enumerate(
        [
            ("INVITE", Purpose.HOLD, "488 Not Acceptable Here"),
            ("INVITE", Purpose.RESUME, "200 OK"),
            ("INVITE", None, "200 OK"),
            ("INFO", None, "405 Method Not Allowed"),
            ("UPDATE", None, "200 OK"),
            ("REFER", None, "202 Accepted"),
            ("BYE", Purpose.HANG_UP, "403 Forbidden"),
        ],
        2,
    ):
        if wanted is not None:
            scene.log.expect("call-1", method, wanted)
        scene.within(ok, method, cseq=cseq)
        scene.answers_last("100 Trying")
        scene.answers_last(status)
    assert scene.requests() == [
        ("ACK", Purpose.ACKNOWLEDGE, 0),
        ("INVITE", Purpose.HOLD, 488),
        ("INVITE", Purpose.RESUME, 200),
        ("INVITE", Purpose.REFRESH, 200),
        ("INFO", Purpose.DIGITS, 405),
        ("UPDATE", Purpose.REFRESH, 200),
        ("REFER", Purpose.TRANSFER, 202),
        ("BYE", Purpose.HANG_UP, 403),
    ]
    assert scene.facts().requests[-1].reason == "Forbidden"
    assert all(one.left and one.after_s >= 0 for one in scene.facts().requests)


def test_a_bye_that_nobody_asked_for_is_the_stacks(scene: Logged) -> None:
    scene.within(scene.called(), "BYE")
    assert scene.requests() == [("BYE", Purpose.STACK, 0)]


def test_a_request_with_credentials_is_the_same_request(scene: Logged) -> None:
    ok = scene.called()
    scene.within(ok, "BYE")
    scene.answers_last("407 x", f"Proxy-Authenticate: {digest()}")
    shown = scene.delivered[-1].first("proxy-authenticate")
    scene.within(ok, "BYE", f"Proxy-Authorization: {inner_answer(shown)}", cseq=3)
    assert scene.requests() == [("BYE", Purpose.STACK, 0)]
    scene.answers_last("200 OK")
    assert scene.requests() == [("BYE", Purpose.STACK, 200)]


def test_a_repeat_of_a_request_counts_once(scene: Logged) -> None:
    ok = scene.called()
    branch = scene.within(ok, "BYE")
    for _ in range(3):
        scene.stack("BYE", uri=uri_of(ok.first("contact")), to=ok.first("to"), cseq=2, branch=branch)
    assert scene.requests() == [("BYE", Purpose.STACK, 0)]


def test_a_request_that_had_to_go_another_way_says_why(scene: Logged) -> None:
    ok = scene.called(contact="<sip:7@core.invalid>")
    scene.log.expect("call-1", "BYE", Purpose.HANG_UP)
    scene.within(ok, "ACK", cseq=1)
    scene.within(ok, "BYE")
    scene.answers_last("200 OK")
    obstacle = "the name core.invalid can't be found"
    ack, bye = scene.facts().requests
    assert (ack.method, ack.left, ack.obstacle) == ("ACK", False, obstacle)
    assert bye == SentRequest(
        method="BYE",
        purpose=Purpose.HANG_UP,
        code=200,
        reason="OK",
        left=False,
        obstacle=obstacle,
        after_s=bye.after_s,
    )
    assert 0 <= bye.after_s < 60


def test_a_purpose_is_that_of_one_request_whichever_way_it_goes(scene: Logged) -> None:
    ok = scene.called(contact="<sip:7@core.invalid>")
    scene.log.expect("call-1", "INVITE", Purpose.HOLD)
    for cseq in (2, 3):
        scene.within(ok, "INVITE", cseq=cseq)
        scene.answers_last("200 OK", "Contact: <sip:7@core.invalid>")
    assert scene.requests() == [("INVITE", Purpose.HOLD, 200), ("INVITE", Purpose.REFRESH, 200)]


def test_an_obstacle_is_plain_and_short(scene: Logged) -> None:
    scene.log.detour("call-1", "BYE", "\x1b[31m" + "x" * 5000)
    (request,) = scene.facts().requests
    assert request.obstacle.isprintable()
    assert len(request.obstacle) <= 300


def test_only_the_first_requests_are_kept(scene: Logged) -> None:
    ok = scene.called()
    for cseq in range(2, MOST_REQUESTS + 20):
        scene.within(ok, "INFO", cseq=cseq)
        scene.answers_last("200 OK")
    assert len(scene.facts().requests) == MOST_REQUESTS


# Calls of theirs


def test_a_call_that_comes_in_and_is_acknowledged(scene: Logged) -> None:
    got = answered(scene, branch="in")
    facts = scene.facts("in-1")
    assert (facts.acknowledged, facts.answer_repeats, facts.requests) == (True, 0, ())
    assert (facts.answer_direction, facts.far_codecs) == ("sendrecv", ("pcmu",))
    hangs_up(scene, got)
    assert scene.requests("in-1") == [("BYE", Purpose.STACK, 0)]


def test_answers_of_ours_that_nobody_acknowledges_are_counted(scene: Logged) -> None:
    scene.far(invite())
    got = scene.take_delivered()
    for repeats in range(4):
        scene.stack_answers(got, "200 OK", SDP_TYPE, body=SDP)
        facts = scene.facts("in-1")
        assert (facts.answer_repeats, facts.acknowledged) == (repeats, False)
    scene.far(inside("ACK", cseq=1))
    facts = scene.facts("in-1")
    assert (facts.answer_repeats, facts.acknowledged) == (3, True)


def test_the_ack_of_another_invite_acknowledges_nothing(scene: Logged) -> None:
    scene.far(invite())
    scene.stack_answers(scene.take_delivered(), "200 OK", SDP_TYPE, body=SDP)
    scene.far(inside("ACK", cseq=9))
    assert scene.facts("in-1").acknowledged is False


@pytest.mark.parametrize(
    ("reason", "session_timer"),
    [
        ("Q.850;cause=16", False),
        ('SIP;cause=408;text="Session timer expired"', True),
        ('SIP;cause=200;text="No session refresh received."', True),
        ('SIP;cause=408;text="no refresh of session"', True),
        ('SIP;cause=503;text="Credit exhausted"', False),
    ],
)
def test_a_bye_shows_why_and_whether_a_session_timer_was_it(
    scene: Logged, reason: str, session_timer: bool
) -> None:
    scene.called()
    assert not scene.facts().ended_by_bye
    to = "To: <sip:1001@sip.example.com>;tag=ours"
    scene.far(inside("BYE", f"Reason: {reason}", call_id="Call-ID: call-1", to=to))
    facts = scene.facts()
    assert (facts.ended_by_bye, facts.session_timer) == (True, session_timer)
    assert scene.log.explanation("call-1").reasons == (reason,)


def test_a_cancel_explains_itself_and_is_no_bye(scene: Logged) -> None:
    scene.far(invite())
    scene.far(inside("CANCEL", 'Reason: SIP;cause=200;text="Call completed elsewhere"', branch="in", cseq=1,
                     to="To: <sip:1001@sip.example.com>"))  # fmt: skip
    assert not scene.facts("in-1").ended_by_bye
    assert scene.log.explanation("in-1").reasons == ('SIP;cause=200;text="Call completed elsewhere"',)


# Keys


@pytest.mark.parametrize("transport", list(Transport))
@pytest.mark.parametrize("ours", [True, False])
def test_keys_on_a_transport_without_encryption_are_noticed(transport: Transport, ours: bool) -> None:
    scene = Logged(transport=transport)
    secure = SDP.replace(b"RTP/AVP", b"RTP/SAVP") + KEY
    scene.stack("INVITE", SDP_TYPE, body=secure if ours else SDP)
    request = scene.sent[-1][0]
    if not ours:
        scene.far(answer(request, "200 OK", SDP_TYPE, body=secure))
    assert scene.facts().keys_in_clear is (transport is not Transport.TLS)
    other = Logged(transport=transport)
    other.called()
    assert not other.facts().keys_in_clear


# Final answers


@pytest.mark.parametrize("status", ["403 No", "503 Down", "302 Moved"])
def test_a_refused_call_explains_itself(scene: Logged, status: str) -> None:
    _, request = scene.call()
    scene.far(answer(request, "183 x", 'Warning: 399 h "early"'))
    assert scene.log.explanation("call-1").warnings == ()
    scene.far(answer(request, status, 'Warning: 399 h "late"', "Retry-After: 30"))
    found = scene.log.explanation("call-1")
    assert (found.warnings, found.retry_after_s) == (("399 late",), 30)


def test_the_answer_to_a_refresh_explains_nothing_of_the_call(scene: Logged) -> None:
    ok = scene.called('Warning: 399 h "of the call"')
    scene.within(ok, "INVITE")
    scene.answers_last("488 x", 'Warning: 399 h "of the hold"')
    assert scene.log.explanation("call-1").warnings == ("399 of the call",)


def test_a_registration_shows_its_challenge_bindings_and_explanation(scene: Logged) -> None:
    asked = registers(scene)
    scene.far(answer(asked, "401 x", f"WWW-Authenticate: {digest(more=', algorithm=SHA-256')}"))
    first = scene.log.challenge("reg")
    assert first == ChallengeFacts(schemes=("digest",), algorithms=("SHA-256",))
    shown = scene.delivered[-1].first("www-authenticate")
    again = registers(scene, f"Authorization: {inner_answer(shown)}", cseq=2)
    sent = scene.log.challenge("reg")
    assert sent is not None
    assert sent.answered, "whatever comes next, or nothing at all"
    scene.far(answer(again, "401 x", f"WWW-Authenticate: {digest(nonce='m')}", "Retry-After: 7"))
    second = scene.log.challenge("reg")
    assert second is not None
    assert (second.answered, second.algorithms) == (True, ("MD5",))
    assert scene.log.explanation("reg").retry_after_s == 7
    # Asked once more without credentials, it still was answered before
    scene.far(answer(registers(scene, cseq=3), "401 x", f"WWW-Authenticate: {digest()}"))
    third = scene.log.challenge("reg")
    assert third is not None
    assert third.answered
    scene.far(answer(registers(scene, cseq=4), "200 OK", "Contact: <sip:1001@192.0.2.7:50123>;expires=20"))
    assert scene.log.bindings("reg") == Bindings(asked_s=300, ours_s=20, listed=True)
    assert scene.log.latest("REGISTER") == "reg"


# What is damaged


def test_damaged_answers_are_kept_with_the_call_once_for_each_kind(scene: Logged) -> None:
    _, request = scene.call()
    for _ in range(3):
        scene.far(answer(request, "180 Ringing", "Contact: <tel:+49>", "Expires: x"))
    assert [(one.header, one.handling) for one in scene.facts().problems] == [
        ("Contact", Handling.REPAIRED),
        ("Expires", Handling.REPAIRED),
    ]
    assert scene.log.problems("call-1") == scene.facts().problems
    assert not scene.log.is_unreadable("call-1")


def test_an_answer_that_can_not_be_read_is_said_to_have_come(scene: Logged) -> None:
    _, request = scene.call()
    scene.far(answer(request, "200 OK").replace(b"CSeq: 1 INVITE", b"CSeq: x"))
    assert scene.log.is_unreadable("call-1")
    assert scene.facts().problems[-1].header == "CSeq"


def test_what_answers_nothing_counts_for_all_that_wait(scene: Logged) -> None:
    scene.call()
    registers(scene)
    scene.far(b"SIP/2.0 banana\r\n\r\n")
    for call_id in ("call-1", "reg"):
        assert scene.log.is_unreadable(call_id)
        assert scene.log.problems(call_id)[0].what == "has a status line that can't be read"
    assert not scene.log.is_unreadable("other")


def test_problems_have_a_limit(scene: Logged) -> None:
    _, request = scene.call()
    for number in range(3 * MOST_PROBLEMS):
        scene.far(answer(request, "180 Ringing", f"a b{number}: x"))
    assert len(scene.facts().problems) == MOST_PROBLEMS


def test_bytes_that_are_not_sip_count_for_all_that_wait(scene: Logged) -> None:
    scene.call()
    scene.log.unreadable("not a \x1b SIP message", "HTTP/1.1 400 \x00", "192.0.2.1:5060")
    (problem,) = scene.log.problems("call-1")
    assert (problem.what, problem.line, problem.handling) == (
        "not a SIP message",
        "HTTP/1.1 400",
        Handling.DROPPED,
    )
    assert scene.log.is_unreadable("call-1")


def test_an_icmp_error_counts_for_all_that_wait(scene: Logged) -> None:
    scene.call()
    error = IcmpError(kind=Unreachable.PROHIBITED, reported_by="192.0.2.1", target="203.0.113.1:5060")
    scene.log.unreachable(error)
    assert scene.log.icmp("call-1") == error
    assert scene.log.icmp("other") is None


# What is forgotten


def test_a_call_that_is_over_is_forgotten(scene: Logged) -> None:
    scene.called()
    scene.log.forget("call-1")
    assert scene.facts() == DialogFacts()
    assert scene.log.latest("INVITE") == ""
    scene.log.forget("nobody")


def test_signing_in_again_begins_with_nothing(scene: Logged) -> None:
    scene.far(answer(registers(scene), "403 x", "Retry-After: 7"))
    scene.take_delivered()
    scene.called()
    scene.log.restart("REGISTER")
    assert scene.log.explanation("reg") == Explanation()
    assert scene.log.latest("REGISTER") == ""
    assert scene.facts().acknowledged is False
    scene.log.restart("OPTIONS")


def test_only_so_many_calls_are_remembered(scene: Logged) -> None:
    for number in range(2 * KEEP):
        scene.log.expect(f"call-{number}", "BYE", Purpose.HANG_UP)
        scene.log.detour(f"call-{number}", "BYE", "x")
    assert scene.facts("call-0") == DialogFacts()
    assert scene.facts(f"call-{2 * KEEP - 1}").requests


def test_looking_changes_nothing(scene: Logged) -> None:
    message: Message = scene.called()
    before = scene.facts()
    for call_id in ("call-1", "other"):
        scene.log.facts(call_id)
        scene.log.challenge(call_id)
        scene.log.bindings(call_id)
    assert (scene.facts(), message.code) == (before, 200)
