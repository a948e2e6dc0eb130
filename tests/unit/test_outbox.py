"""What an engine sends: nothing is lost unseen, nothing waits for a parent that does not read."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, get_args

import msgspec
import pytest

from app.model.outcome import AnsweredBy, MediaFigures, StreamFigures
from app.sip import outbox as outbox_module
from app.sip.messages import (
    Answer,
    Bug,
    CallLevels,
    CallMedia,
    EngineFault,
    Event,
    FromEngine,
    OptionsAnswered,
    Refused,
)
from app.sip.outbox import Outbox
from app.sip.wire import MAX_LINE_BYTES, LineDecoder
from tests.helpers.waiting import wait_for
from tests.unit.test_wire import sample

DECODER: LineDecoder[FromEngine] = LineDecoder(FromEngine)
LEVELS = CallLevels(call_id="call-1", tx_dbm0=-1.0, rx_dbm0=None)


def said(reason: str) -> OptionsAnswered:
    """An event with this text from the network."""
    return OptionsAnswered(sip_code=403, reason=reason, answered_by=AnsweredBy.NETWORK)


class Reader:
    """The parent's end of a pipe; reads when it is told to."""

    def __init__(self) -> None:
        self.end, writing = os.pipe()
        self.gone = threading.Event()
        self.outbox = Outbox(os.fdopen(writing, "wb", buffering=0), self.gone.set)

    def lines(self, count: int) -> list[FromEngine]:
        """The next messages."""
        read = b""
        while read.count(b"\n") < count:
            more = os.read(self.end, 1 << 16)
            assert more, "the wire ended"
            read += more
        return [DECODER.decode(line) for line in read.splitlines()]


@contextmanager
def reader() -> Iterator[Reader]:
    """A parent; its end is closed afterwards, whatever happens."""
    made = Reader()
    try:
        yield made
    finally:
        os.close(made.end)
        assert made.outbox.close(5)
        made.outbox._wire.close()


def test_a_byte_that_is_not_unicode_arrives_as_a_mark() -> None:
    with reader() as parent:
        parent.outbox.send(said("Identit\udce9 refus\udce9e"))
        assert parent.lines(1) == [said("Identit\ufffd refus\ufffde")]


def with_surrogates(value: Any) -> Any:
    """The same message with a byte that is not text in every text of it."""
    builtins = msgspec.to_builtins(value)

    def spoil(inner: Any, key: str = "") -> Any:
        if isinstance(inner, dict):
            return {name: spoil(part, name) for name, part in inner.items()}
        if isinstance(inner, list | tuple):
            return [spoil(part, key) for part in inner]
        return f"{inner}\udcff" if isinstance(inner, str) and '"b"' in inner else inner

    return msgspec.convert(spoil(builtins), type(value))


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__name__)
def test_every_event_arrives_with_such_bytes_in_any_of_its_texts(kind: type[msgspec.Struct]) -> None:
    event = with_surrogates(sample(kind))
    with reader() as parent:
        parent.outbox.send(event)
        (told,) = parent.lines(1)
    assert type(told) is kind
    assert "\udcff" not in repr(told)
    if "\\udcff" in repr(event):
        assert "\ufffd" in repr(told)


def test_an_event_too_long_for_the_wire_is_named() -> None:
    with reader() as parent:
        parent.outbox.send(said("x" * MAX_LINE_BYTES))
        parent.outbox.send(said("next"))
        fault, following = parent.lines(2)
    assert isinstance(fault, EngineFault)
    assert fault.event == "OptionsAnswered"
    assert str(MAX_LINE_BYTES) in fault.cause
    assert following == said("next")


def test_an_event_with_a_value_that_json_lacks_is_named_with_its_call() -> None:
    event = CallLevels(call_id="call-7", tx_dbm0=object(), rx_dbm0=None)  # type: ignore[arg-type]  # a bug
    with reader() as parent:
        parent.outbox.send(event)
        (fault,) = parent.lines(1)
    assert isinstance(fault, EngineFault)
    assert (fault.event, fault.call_id) == ("CallLevels", "call-7")
    assert "TypeError" in fault.cause


def test_an_answer_that_cannot_be_sent_is_answered_as_a_bug() -> None:
    with reader() as parent:
        parent.outbox.send(Answer(id=41, result=Refused(what="x" * MAX_LINE_BYTES)))
        (answer,) = parent.lines(1)
    assert isinstance(answer, Answer)
    assert answer.id == 41
    assert isinstance(answer.result, Bug)
    assert "can't be sent" in answer.result.details


def test_what_was_sent_is_out_before_the_next_thing_happens() -> None:
    with reader() as parent:
        os.set_blocking(parent.end, False)
        for number in range(200):
            parent.outbox.send(said(str(number)))
            assert os.read(parent.end, 1 << 16), "it was still waiting"
        os.set_blocking(parent.end, True)


def test_lines_of_many_threads_do_not_mix() -> None:
    def send(thread: int) -> None:
        for number in range(100):
            parent.outbox.send(said(f"{thread} {number} {'x' * 1000}"))

    with reader() as parent:
        threads = [threading.Thread(target=send, args=(thread,)) for thread in range(8)]
        for thread in threads:
            thread.start()
        told = parent.lines(800)
        for thread in threads:
            thread.join()
    words = [message.reason.split()[:2] for message in told if isinstance(message, OptionsAnswered)]
    assert len(words) == 800
    for thread in range(8):
        assert [int(number) for who, number in words if int(who) == thread] == list(range(100))


def test_a_parent_that_does_not_read_holds_nobody_up_and_misses_meters_only() -> None:
    with reader() as parent:
        started = time.monotonic()
        for number in range(3000):
            parent.outbox.send(LEVELS)
            if number % 30 == 0:
                parent.outbox.send(said(f"{number} {'x' * 3000}"))
        assert time.monotonic() - started < 3
        told: list[FromEngine] = []
        while not told or told[-1] != said(f"2970 {'x' * 3000}"):
            told += parent.lines(1)
        assert [m for m in told if m != LEVELS] == [said(f"{n} {'x' * 3000}") for n in range(0, 3000, 30)]
        assert len(told) < 3000
        # And it is as quick as before
        wait_for(lambda: not parent.outbox._behind, "the outbox to have caught up")
        parent.outbox.send(said("again"))
        assert parent.lines(1)[-1] == said("again")


def test_a_parent_that_never_reads_counts_as_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "MOST_BYTES", 500_000)
    monkeypatch.setattr(outbox_module, "PATIENCE_S", 0.01)
    with reader() as parent:
        for _ in range(10):
            parent.outbox.send(said("x" * 100_000))
        assert parent.gone.is_set()
        assert not parent.outbox._lines
        parent.outbox.send(said("into the void"))


def test_a_parent_that_is_gone_is_noticed_once() -> None:
    with reader() as parent:
        wire, parent.end = parent.end, os.open(os.devnull, os.O_RDONLY)
        os.close(wire)
        parent.outbox.send(said("hello"))
        assert parent.gone.wait(5)
        parent.outbox.send(said("hello again"))


def test_what_was_sent_last_is_written_before_the_end() -> None:
    with reader() as parent:
        media = CallMedia(call_id="x", figures=MediaFigures(tx=StreamFigures(), rx=StreamFigures()))
        parent.outbox.send(media)
        parent.outbox.send(LEVELS)
        assert parent.outbox.close()
        assert parent.lines(2) == [media, LEVELS]
        parent.outbox.send(LEVELS)  # harmless
