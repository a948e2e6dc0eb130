"""What holds for every message that comes in: found by hypothesis, kept by these tests."""

from __future__ import annotations

import sys
from collections.abc import Callable

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from app.sip.syntax.address import HostPort
from app.sip.syntax.gate import examine
from app.sip.syntax.message import Message, parse, serialise
from tests.hostile import strategies as sip
from tests.hostile.fuzz.invariants import check_gate
from tests.hostile.hostile_messages import MESSAGES
from tests.hostile.hostile_values import answer_values, request_values
from tests.unit.sip.engine.edge import relaying
from tests.unit.sip.engine.edge.relaying import Scene

SOURCE = HostPort("192.0.2.9", 5070)
LARGEST_FOR_PJSIP = 4000
"""Octets from which PJSIP drops a message (PJSIP_MAX_PKT_LEN)."""


@given(sip.messages)
@sip.examples(2)
def test_the_gate_says_what_is_wrong_and_what_it_has_read(raw: bytes) -> None:
    check_gate(raw)


MOST_CALLS = 120_000
"""For a message of no length: mostly for 16 problems, each with a line of 300 characters made plain."""


class _Calls:
    """Counts calls of functions, in Python and in C."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, _frame: object, event: str, _arg: object) -> None:
        self.count += event in ("call", "c_call")


@given(sip.messages, st.sampled_from((1, 200)))
@sip.examples(0.5)
def test_the_gate_works_in_proportion_to_what_it_gets(raw: bytes, times: int) -> None:
    head, gap, body = raw.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    raw = b"\r\n".join([lines[0], *lines[1:] * times]) + gap + body * times
    calls = _Calls()
    before = sys.getprofile()
    sys.setprofile(calls)
    try:
        examine(raw)
    finally:
        sys.setprofile(before)
    assert calls.count < MOST_CALLS + 10 * len(raw)


# What PJSIP gets


class Strict(Scene):
    """A relay that hands over nothing that its own gate would complain about."""

    def __init__(self) -> None:
        super().__init__()
        self.names["core.invalid"] = "192.0.2.77"

    def _deliver(self, raw: bytes) -> None:
        examined = examine(raw)
        assert examined.problems == (), examined.problems
        assert examined.head is not None
        assert len(raw) < LARGEST_FOR_PJSIP, len(raw)
        assert all(line.isprintable() for line in raw.decode("utf-8").split("\r\n"))
        assert raw.isascii() or raw.startswith(b"SIP/2.0 ")
        super()._deliver(raw)

    def finish(self) -> None:
        """Everything that was reported can be sent on, and everything that went out can be read."""
        for seen in self.seen:
            assert msgspec.json.encode((seen.trace, seen.problems, seen.challenge, seen.bindings))
        for message, _ in self.sent:
            assert parse(serialise(message)).start == message.start


Reply = Callable[[Message], bytes]
_CODES = (100, 180, 183, 200, 200, 200, 202, 302, 401, 407, 422, 423, 486, 503, 699)
_TYPES = ("Content-Type: application/sdp",) * 4 + ("Content-Type: multipart/mixed;boundary=b", "X: y")


@st.composite
def replies(draw: st.DrawFn) -> Reply:
    """A response to a request that went out."""
    status = f"{draw(st.sampled_from(_CODES))} {draw(sip.anything)}"
    lines = [*draw(sip.more_headers()), draw(st.sampled_from(_TYPES))]
    body, tag = draw(sip.bodies), draw(st.sampled_from(("far", "far", "x" * 200, "")))
    seed = draw(st.one_of(st.none(), st.none(), sip.seeds))

    def reply(request: Message) -> bytes:
        raw = relaying.answer(request, status, *lines, tag=tag, body=body)
        return raw if seed is None else sip.damage(raw, seed)

    return reply


@given(st.lists(replies(), min_size=1, max_size=3))
@sip.examples(1.5)
def test_pjsip_gets_only_good_messages_in_a_call_of_ours(answers: list[Reply]) -> None:
    scene = Strict()
    _, invite = scene.call()
    for reply in answers:
        scene.far(reply(invite))
    scene.finish()


@given(st.lists(replies(), min_size=1, max_size=2))
@sip.examples(0.5)
def test_pjsip_gets_only_good_messages_when_it_registers(answers: list[Reply]) -> None:
    scene = Strict()
    scene.stack("REGISTER", "Expires: 300", uri="sip:sip.example.com", to="<sip:1001@sip.example.com>")
    register = scene.take_sent("REGISTER ")
    for reply in answers:
        scene.far(reply(register))
    scene.finish()


@given(sip.requests_for_us())
@sip.examples(1.5)
def test_pjsip_gets_only_good_messages_when_somebody_calls(requests: list[bytes]) -> None:
    scene = Strict()
    for raw in requests:
        before = len(scene.delivered)
        scene.far(raw)
        for got in scene.delivered[before:]:
            if got.is_request and got.method != "ACK":
                scene.stack_answers(got, "200 OK")
    scene.finish()


def test_pjsip_gets_only_good_messages_of_the_hostile_ones() -> None:
    server, user = ("203.0.113.1", 5060), "1001"
    passed = 0
    for at, hostile in enumerate(MESSAGES.values()):
        scene = Strict()
        if hostile.method or not hostile.answers:
            target = "sip:1001@192.0.2.7:50123"
            values = request_values(
                hostile.method or "INVITE", target=target, server=server, user=user, mark=f"m{at}"
            )
            values = {"to_tag": "x", **values}
        else:
            branch = scene.stack(hostile.answers)
            (asked, _), *_ = scene.sent
            values = answer_values(serialise(asked), server=server, source=("192.0.2.7", 50123))
            assert branch
        for raw in (*hostile.filled_earlier(values), hostile.filled(values)):
            scene.far(raw)
        passed += bool(scene.delivered)
        scene.finish()
    assert passed > len(MESSAGES) / 3
