"""One connection by itself: what waits to be sent, how it is opened, and how it ends."""

from __future__ import annotations

import queue
import socket
import time
from collections.abc import Callable, Iterator

import pytest

from app.model.outcome import LocalCause
from app.model.trunk import Transport
from app.sip.engine.edge.hop import Hop
from app.sip.engine.edge.streams import (
    MOST_UNSENT,
    REST_LIMIT_S,
    Opened,
    OpenError,
    Stream,
    connected,
    open_tcp,
)
from app.sip.syntax.address import HostPort
from app.sip.syntax.framing import FramingError, KeepAlive
from tests.engine_edge.servers import LIMIT_S
from tests.helpers.waiting import wait_for

HOP = Hop(Transport.TCP, "127.0.0.1", 5060)


class Scene:
    """A stream whose other end is the test's, and what it said."""

    def __init__(self, open_: Callable[[], Opened] | None = None) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.theirs.settimeout(LIMIT_S)
        self.posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.opened: list[Stream] = []
        self.failed: list[OpenError] = []
        self.stream = Stream(
            HOP,
            open_ or self._open,
            post=self.posted.put,
            on_open=self.opened.append,
            on_failure=lambda _, error: self.failed.append(error),
        )

    def _open(self) -> Opened:
        sock = socket.socket()
        server = socket.create_server(("127.0.0.1", 0))
        # Little room, so that a test fills it
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        sock.connect(server.getsockname())
        self.theirs.close()
        self.theirs, _ = server.accept()
        self.theirs.settimeout(LIMIT_S)
        server.close()
        return sock, None

    def run(self) -> None:
        """Run what was posted, as the engine's thread does."""
        self.posted.get(timeout=LIMIT_S)()

    def close(self) -> None:
        """Close everything."""
        self.stream.close()
        self.ours.close()
        self.theirs.close()


@pytest.fixture
def scene() -> Iterator[Scene]:
    """One that opens."""
    scene = Scene()
    yield scene
    scene.close()


def test_what_is_sent_before_it_is_open_goes_out_once_it_is(scene: Scene) -> None:
    scene.stream.send(b"first ")
    scene.stream.send(b"second")
    assert not scene.stream.wants_to_write
    assert list(scene.stream.receive()) == []
    scene.run()
    (stream,) = scene.opened
    assert stream.sock is not None
    assert stream.ours == HostPort(*stream.sock.getsockname())
    assert stream.wants_to_write
    stream.flush()
    assert scene.theirs.recv(100) == b"first second"
    assert not stream.wants_to_write


def test_what_the_system_does_not_take_at_once_waits_and_is_not_lost(scene: Scene) -> None:
    scene.run()
    sent = bytes(range(256)) * 3500
    scene.stream.send(sent)
    assert scene.stream.wants_to_write
    got = b""
    while len(got) < len(sent):
        got += scene.theirs.recv(65_536)
        scene.stream.flush()
    assert got == sent
    assert not scene.stream.wants_to_write


def test_a_peer_that_reads_nothing_is_given_up(scene: Scene) -> None:
    scene.run()

    def flood() -> None:
        for _ in range(1000):
            scene.stream.send(b"x" * 65_536)

    with pytest.raises(ConnectionError, match=f"has not read {MOST_UNSENT} bytes"):
        flood()


def test_messages_and_keep_alives_are_read_and_the_end_is_an_error(scene: Scene) -> None:
    scene.run()
    scene.theirs.sendall(b"\r\n\r\nSIP/2.0 200 OK\r\nl: 0\r\n\r\n")
    got = wait_for(lambda: list(scene.stream.receive()), "the message")
    assert got == [KeepAlive.PING, b"SIP/2.0 200 OK\r\nl: 0\r\n\r\n"]
    scene.theirs.sendall(b"SIP/2.0 200 OK\r\nl: 0\r\n\r\n")
    scene.theirs.close()
    frames: list[bytes | KeepAlive] = []

    def ended() -> bool:
        try:
            frames.extend(scene.stream.receive())
        except EOFError:
            return True
        return False

    wait_for(ended, "the end")
    assert frames == [b"SIP/2.0 200 OK\r\nl: 0\r\n\r\n"]


def test_closed_before_it_is_open_it_closes_what_comes(scene: Scene) -> None:
    scene.stream.close()
    scene.run()
    assert scene.opened == []
    assert scene.stream.sock is None
    assert scene.theirs.recv(100) == b""


def test_closed_once_it_has_come_it_is_closed_whether_or_not_anybody_learns_of_it(scene: Scene) -> None:
    wait_for(lambda: not scene.posted.empty(), "what is posted")
    scene.stream.close()
    assert scene.theirs.recv(100) == b""


def test_closed_before_it_has_failed_it_says_nothing() -> None:
    def fail() -> Opened:
        raise OpenError(LocalCause.REFUSED, "refused")

    scene = Scene(fail)
    try:
        scene.stream.close()
        scene.run()
        assert scene.failed == []
    finally:
        scene.close()


def test_a_failure_is_told_on_the_engines_thread() -> None:
    def fail() -> Opened:
        raise OpenError(LocalCause.NO_ROUTE, "no way")

    scene = Scene(fail)
    try:
        assert scene.failed == []
        scene.run()
        (error,) = scene.failed
        assert (error.cause, str(error), error.facts) == (LocalCause.NO_ROUTE, "no way", None)
    finally:
        scene.close()


def test_what_waits_goes_out_when_it_is_closed(scene: Scene) -> None:
    scene.stream.send(b"last")
    scene.run()
    scene.stream.close()
    assert scene.theirs.recv(100) == b"last"
    assert scene.theirs.recv(100) == b""
    scene.stream.close()


# Opening


def test_a_closed_port_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(OpenError) as caught:
        open_tcp(Hop(Transport.TCP, "127.0.0.1", port), 5.0)
    assert (caught.value.cause, str(caught.value)) == (LocalCause.REFUSED, "connection refused")


def test_silence_ends_with_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    def time_out(hop: Hop, limit_s: float) -> socket.socket:
        raise TimeoutError

    monkeypatch.setattr("app.sip.engine.edge.streams.connected", time_out)
    with pytest.raises(OpenError, match=r"no answer to the TCP connection within 0\.5 s") as caught:
        open_tcp(HOP, 0.5)
    assert caught.value.cause is LocalCause.NO_ANSWER


def test_a_socket_that_could_not_be_connected_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[socket.socket] = []
    real = socket.socket

    def make(*kinds: int) -> socket.socket:
        made.append(real(*kinds))
        return made[-1]

    monkeypatch.setattr("app.sip.engine.edge.streams.socket.socket", make)
    with pytest.raises(ConnectionRefusedError):
        connected(Hop(Transport.TCP, "127.0.0.1", 1), 1.0)
    assert [sock.fileno() for sock in made] == [-1]


def test_a_message_whose_rest_does_not_come_ends_the_connection(scene: Scene) -> None:
    scene.run()
    far_off = time.monotonic() + REST_LIMIT_S + 60
    scene.stream.check(far_off)  # nothing has begun
    scene.theirs.sendall(b"SIP/2.0 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    wait_for(lambda: not list(scene.stream.receive()) and bool(scene.stream._framer.unfinished), "the half")
    scene.stream.check(time.monotonic())  # it may still come
    with pytest.raises(FramingError, match="has not come within 5 s") as caught:
        scene.stream.check(far_off)
    assert caught.value.line == "SIP/2.0 200 OK"
    scene.theirs.sendall(b" whole")
    wait_for(lambda: list(scene.stream.receive()), "the rest")
    scene.stream.check(far_off)


def test_each_message_has_the_whole_limit_for_its_rest(scene: Scene) -> None:
    scene.run()
    scene.theirs.sendall(b"SIP/2.0 100 Trying\r\nContent-Length: 0\r\n\r\nSIP/2.0 200")
    wait_for(lambda: list(scene.stream.receive()), "the whole one")
    scene.stream.check(time.monotonic() + REST_LIMIT_S - 1)
