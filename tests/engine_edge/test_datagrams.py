"""The edge over UDP: the one socket towards the provider, and the one towards PJSIP."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from app.model.outcome import Direction, LocalCause
from app.model.signalling import Unreachable
from app.model.trunk import Transport
from app.sip.engine.edge.hop import Hop
from app.sip.engine.edge.icmp import can_read
from app.sip.syntax.message import Message, parse
from tests.engine_edge.running_edge import Running, account_at, edge_to
from tests.engine_edge.servers import LIMIT_S
from tests.unit.sip.accounts import DOMAIN
from tests.unit.sip.engine.edge.relaying import answer

LINUX = pytest.mark.skipif(not can_read(), reason="other systems do not hand ICMP errors out")


class Far:
    """A provider over UDP that the test plays."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(LIMIT_S)
        self.port: int = self._socket.getsockname()[1]
        self.edge = ("127.0.0.1", 0)

    def receive(self, start: str = "") -> Message:
        """The next message; keep-alives are passed over."""
        while not (raw := self.receive_raw()).strip():
            pass
        message = parse(raw)
        assert message.start.startswith(start), message.start
        return message

    def receive_raw(self) -> bytes:
        """The next datagram."""
        raw, self.edge = self._socket.recvfrom(65_535)
        return raw

    def answer(self, request: Message, status: str, *headers: str, body: bytes = b"") -> None:
        """Answer a request."""
        self.send_raw(answer(request, status, *headers, body=body))

    def request(self, method: str, *headers: str, uri: str = "sip:1001@h", branch: str = "z9hG4bKin") -> None:
        """Send a request."""
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};rport;branch={branch}",
            f"From: <sip:7@{DOMAIN}>;tag=p",
            f"To: <sip:1001@{DOMAIN}>",
            f"Call-ID: {branch}",
            f"CSeq: 1 {method}",
            f"Contact: <sip:7@127.0.0.1:{self.port}>",
            *headers,
        ]
        self.send_raw("\r\n".join([*lines, "", ""]).encode())

    def send_raw(self, raw: bytes) -> None:
        """Send a datagram."""
        self._socket.sendto(raw, self.edge)

    def close(self) -> None:
        """Close it."""
        self._socket.close()


@pytest.fixture
def far() -> Iterator[Far]:
    """A provider."""
    far = Far()
    yield far
    far.close()


@pytest.fixture
def running(far: Far) -> Iterator[Running]:
    """An edge to it."""
    with edge_to(far.port, Transport.UDP) as running:
        yield running


def known(running: Running, far: Far) -> None:
    """One transaction has gone, so that each knows where the other is."""
    running.stack.request("REGISTER")
    far.answer(far.receive("REGISTER"), "200 OK")
    running.stack.receive("SIP/2.0 200")
    while not running.seen.empty():
        running.seen.get_nowait()


def test_a_request_goes_out_from_one_port_and_its_response_comes_back(running: Running, far: Far) -> None:
    ports = set()
    for _ in range(3):
        branch = running.stack.request()
        got = far.receive(f"OPTIONS sip:7@{DOMAIN} SIP/2.0")
        ours = f"127.0.0.1:{far.edge[1]}"
        ports.add(ours)
        assert got.first("via") == f"SIP/2.0/UDP {ours};rport;branch={branch}"
        assert got.first("contact") == f"<sip:1001@{ours};ob>"
        far.answer(got, "200 OK")
        running.stack.receive("SIP/2.0 200 OK")
    assert len(ports) == 1
    out, back = (running.seen.get(timeout=LIMIT_S).trace for _ in range(2))
    assert (out.direction, out.transport, out.peer) == (Direction.OUT, Transport.UDP, f"127.0.0.1:{far.port}")
    assert (back.direction, back.peer) == (Direction.IN, f"127.0.0.1:{far.port}")


def test_a_request_of_the_provider_comes_in_and_its_response_goes_back(running: Running, far: Far) -> None:
    known(running, far)
    far.request("INVITE")
    got = running.stack.receive(f"INVITE sip:127.0.0.1:{running.stack.port} SIP/2.0")
    running.stack.answer(got, "180 Ringing")
    assert far.receive("SIP/2.0 180").first("via").endswith(";branch=z9hG4bKin")


def test_messages_above_4000_bytes_pass(running: Running, far: Far) -> None:
    known(running, far)
    running.stack.request("OPTIONS", "X-Long: " + "y" * 20_000)
    got = far.receive("OPTIONS")
    assert len(got.first("x-long")) == 20_000
    far.answer(got, "200 OK", *[f"Record-Route: <sip:p{number}.example;lr>" for number in range(200)])
    running.stack.receive("SIP/2.0 200 OK")


def test_repeats_of_pjsip_go_out_again(running: Running, far: Far) -> None:
    branch = running.stack.request()
    first = far.receive("OPTIONS")
    running.stack.request(branch=branch)
    assert far.receive("OPTIONS") == first


def test_rubbish_from_anybody_does_no_harm(running: Running, far: Far) -> None:
    known(running, far)
    running.stack.request()
    got = far.receive("OPTIONS")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for raw in (
            b"",
            b"\0",
            b"hello",
            b"\xff" * 60_000,
            b"INVITE",
            b"SIP/2.0 200 OK\r\n\r\n",
            b"\r\n\r\n",
        ):
            far.send_raw(raw)
            stranger.sendto(raw, far.edge)
    far.answer(got, "200 OK")
    running.stack.receive("SIP/2.0 200 OK")
    assert running.strangers.empty()


def test_a_stranger_is_refused_and_the_provider_is_served(running: Running, far: Far) -> None:
    known(running, far)
    stranger = Far()
    try:
        stranger.edge = far.edge
        stranger.request("INVITE", uri="sip:100@h", branch="z9hG4bKscan")
        stranger.receive("SIP/2.0 404 Not Found")
        assert running.strangers.get(timeout=LIMIT_S)[:2] == ("INVITE", "100")
        far.request("OPTIONS")
        far.receive("SIP/2.0 200 OK")
    finally:
        stranger.close()
    peers = {running.seen.get_nowait().trace.peer for _ in range(running.seen.qsize())}
    assert peers == {f"127.0.0.1:{far.port}"}


def test_a_flood_leaves_time_for_pjsip(running: Running, far: Far) -> None:
    known(running, far)
    for number in range(200):
        far.request("OPTIONS", branch=f"z9hG4bK{number}")
    running.stack.request("BYE")
    while not far.receive().start.startswith("BYE"):
        pass


# Kept alive


def test_routers_are_kept_from_forgetting_us(far: Far) -> None:
    with edge_to(far.port, Transport.UDP, keep_alive_s=1):
        assert [far.receive_raw() for _ in range(2)] == [b"\r\n"] * 2


def test_no_keep_alive_is_sent_when_none_is_wanted(running: Running, far: Far) -> None:
    running.do(lambda: running.edge.watch(10_000_000_000.0))
    running.stack.request()
    assert far.receive_raw().startswith(b"OPTIONS")


# Not to be had


@LINUX
def test_a_closed_port_fails_a_request_at_once(running: Running, far: Far) -> None:
    far.close()
    running.stack.request("REGISTER")
    running.stack.receive("SIP/2.0 503 port unreachable")
    cause, icmp, place = running.failures.get(timeout=LIMIT_S)
    assert (cause, place) == (LocalCause.REFUSED, Hop(Transport.UDP, "127.0.0.1", far.port))
    assert icmp is not None
    assert (icmp.kind, icmp.reported_by, icmp.target) == (
        Unreachable.PORT,
        "127.0.0.1",
        f"127.0.0.1:{far.port}",
    )


@LINUX
def test_a_port_that_closes_in_a_call_fails_what_is_sent_there_next(running: Running, far: Far) -> None:
    running.stack.request("INVITE", call_id="c")
    far.answer(far.receive("INVITE"), "200 OK", f"Contact: <sip:7@127.0.0.1:{far.port}>")
    ok = running.stack.receive("SIP/2.0 200")
    far.close()
    alias = ok.first("contact").partition("<")[2].partition(">")[0]
    running.stack.request("BYE", uri=alias, to=ok.first("to"), call_id="c", cseq=2)
    assert running.stack.receive("SIP/2.0 503 port unreachable").first("cseq") == "2 BYE"


@LINUX
def test_an_error_about_a_place_fails_nothing_that_goes_elsewhere(running: Running, far: Far) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        closed = taken.getsockname()[1]
    running.stack.request("INVITE", call_id="c")
    far.answer(far.receive("INVITE"), "200 OK", f"Contact: <sip:7@127.0.0.1:{closed}>")
    ok = running.stack.receive("SIP/2.0 200")
    alias = ok.first("contact").partition("<")[2].partition(">")[0]
    running.stack.request("OPTIONS", call_id="waits")
    waits = far.receive("OPTIONS")
    running.stack.request("ACK", uri=alias, to=ok.first("to"), call_id="c")
    cause, icmp, place = running.failures.get(timeout=LIMIT_S)
    assert (cause, place.port) == (LocalCause.REFUSED, closed)
    assert icmp is not None
    far.answer(waits, "200 OK")
    running.stack.receive("SIP/2.0 200 OK")


@LINUX
def test_a_stranger_whose_port_is_closed_is_no_failure_of_ours(running: Running, far: Far) -> None:
    known(running, far)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        closed = stranger.getsockname()[1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            # Without rport the answer goes to the port in the Via
            lines = [
                "INVITE sip:100@h SIP/2.0",
                f"Via: SIP/2.0/UDP 127.0.0.1:{closed};branch=z9hG4bKscan",
                "From: <sip:7@h>;tag=p",
                "To: <sip:100@h>",
                "Call-ID: scan",
                "CSeq: 1 INVITE",
            ]
            stranger.close()
            sender.sendto("\r\n".join([*lines, "", ""]).encode(), far.edge)
    running.strangers.get(timeout=LIMIT_S)
    # Its answer has bounced by the time that another transaction is over
    running.stack.request()
    far.answer(far.receive("OPTIONS"), "200 OK")
    running.stack.receive("SIP/2.0 200")
    assert running.failures.empty()


@LINUX
def test_a_keep_alive_that_bounces_is_a_failure(far: Far) -> None:
    far.close()
    with edge_to(far.port, Transport.UDP, keep_alive_s=1) as running:
        assert running.failures.get(timeout=LIMIT_S)[0] is LocalCause.REFUSED


# PJSIP's side


def test_only_pjsip_itself_is_listened_to(running: Running, far: Far) -> None:
    known(running, far)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.sendto(
            b"INVITE sip:evil@h SIP/2.0\r\nVia: x;branch=y\r\n\r\n", ("127.0.0.1", running.edge.port)
        )
    running.do(lambda: None)
    running.stack.request()
    far.receive("OPTIONS")


def test_pjsip_gets_one_message_at_a_time(running: Running, far: Far) -> None:
    known(running, far)
    got: list[str] = []

    def act() -> None:
        for number in range(3):
            far.request("INVITE", branch=f"z9hG4bK{number}")
        while len(got) < 3:
            running.edge.wait(1)
            while running.edge.hand_over():
                got.append(running.stack.receive("INVITE").first("call-id"))
                assert running.stack.is_empty()

    running.do(act)
    assert got == ["z9hG4bK0", "z9hG4bK1", "z9hG4bK2"]


def test_another_account_has_another_port(running: Running, far: Far) -> None:
    known(running, far)
    first = far.edge
    running.open(account_at(far.port, Transport.UDP, user="2002"))
    known(running, far)
    assert far.edge != first
