"""Names of the far end are looked up without stopping anything, within a limit, and once."""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from app.sip.engine.edge import lookup
from app.sip.engine.edge.lookup import LIMIT_S, REMEMBER_S, Lookup


class Scene:
    """A lookup, the thread that it belongs to, and a name server that answers when it is told to."""

    def __init__(self) -> None:
        self.posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.asked: list[str] = []
        self.answers: dict[str, str] = {}
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.found: list[str | None] = []
        self.lookup = Lookup(self.posted.put, self._resolve)

    def _resolve(self, name: str) -> str:
        self.asked.append(name)
        assert self.may_answer.wait(10)
        if name not in self.answers:
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return self.answers[name]

    def find(self, name: str) -> None:
        """Ask for a name."""
        self.lookup.find(name, self.found.append)

    def run(self, count: int = 1) -> None:
        """Run what was posted, as the engine's thread does."""
        for _ in range(count):
            self.posted.get(timeout=10)()


@pytest.fixture
def scene() -> Iterator[Scene]:
    """One whose threads end with the test."""
    scene = Scene()
    yield scene
    scene.may_answer.set()


def test_a_name_is_found_on_the_engines_thread(scene: Scene) -> None:
    scene.answers["p.example.com"] = "192.0.2.1"
    scene.find("P.Example.COM.")
    assert scene.found == []
    scene.run()
    assert (scene.found, scene.asked) == (["192.0.2.1"], ["p.example.com"])


@pytest.mark.parametrize("error", [socket.gaierror("x"), OSError("x"), UnicodeError("label too long")])
def test_a_name_that_is_not_known_is_none(
    scene: Scene, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> str:
        raise error

    one = Lookup(scene.posted.put, fail)
    one.find("nobody.test", scene.found.append)
    scene.run()
    assert scene.found == [None]


@pytest.mark.parametrize("name", ["core.invalid", "a.b.INVALID.", "x.example", "x.onion"])
def test_names_that_nobody_can_have_are_not_asked_for(scene: Scene, name: str) -> None:
    scene.find(name)
    assert (scene.found, scene.asked) == ([None], [])


def test_all_who_wait_for_a_name_share_one_question(scene: Scene) -> None:
    scene.answers["p.test"] = "192.0.2.1"
    scene.may_answer.clear()
    for _ in range(20):
        scene.find("p.test")
    scene.may_answer.set()
    scene.run()
    assert (scene.found, scene.asked) == (["192.0.2.1"] * 20, ["p.test"])


def test_an_answer_is_remembered_for_a_while_good_or_bad(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.answers["p.test"] = "192.0.2.1"
    for name in ("p.test", "q.test"):
        scene.find(name)
        scene.run()
        scene.find(name)
    assert scene.found == ["192.0.2.1"] * 2 + [None] * 2
    assert scene.asked == ["p.test", "q.test"]
    later = time.monotonic() + REMEMBER_S + 1
    monkeypatch.setattr(lookup.time, "monotonic", lambda: later)
    scene.find("p.test")
    scene.run()
    assert scene.asked == ["p.test", "q.test", "p.test"]


def test_a_name_server_that_does_not_answer_is_given_up(scene: Scene) -> None:
    scene.may_answer.clear()
    scene.find("slow.test")
    scene.find("slow.test")
    now = time.monotonic()
    scene.lookup.watch(now + LIMIT_S - 0.5)
    assert scene.found == []
    scene.lookup.watch(now + LIMIT_S + 0.5)
    assert scene.found == [None, None]
    # Not asked for again at once, and a late answer disturbs nobody
    scene.find("slow.test")
    assert scene.found == [None] * 3
    scene.answers["slow.test"] = "192.0.2.1"
    scene.may_answer.set()
    scene.run()
    assert scene.found == [None] * 3
    assert scene.asked == ["slow.test"]


def test_many_names_at_once_have_a_limit(scene: Scene) -> None:
    scene.may_answer.clear()
    before = threading.active_count()
    for number in range(100):
        scene.find(f"n{number}.test")
    assert scene.found == [None] * 68
    assert threading.active_count() - before <= 32
    scene.find("n0.test")
    assert len(scene.found) == 68
    scene.may_answer.set()
    scene.run(32)
    assert scene.found == [None] * 101


def test_only_so_many_answers_are_remembered(scene: Scene) -> None:
    for number in range(100):
        scene.find(f"n{number}.test")
        scene.run()
    scene.find("n99.test")
    assert scene.asked.count("n99.test") == 1
    scene.find("n0.test")
    scene.run()
    assert scene.asked.count("n0.test") == 2


def test_one_who_asks_within_an_answer_is_answered_too(scene: Scene) -> None:
    scene.answers["p.test"] = "192.0.2.1"
    scene.lookup.find("p.test", lambda _: scene.find("p.test"))
    scene.run()
    assert scene.found == ["192.0.2.1"]


def test_the_system_is_asked_for_an_ipv4_address() -> None:
    posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    found: list[str | None] = []
    Lookup(posted.put).find("localhost", found.append)
    posted.get(timeout=10)()
    assert found == ["127.0.0.1"]
