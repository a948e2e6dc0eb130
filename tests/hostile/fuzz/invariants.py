"""What holds for any input at all; a check that returns has found nothing.

The tests with hypothesis, the fuzzers and the player of mutated messages use the same ones.
"""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec

from app.model.signalling import LONGEST_TEXT, Handling
from app.redact import HIDDEN, redact_sip
from app.sip import trace
from app.sip.syntax.address import HostPort, MalformedError, parse_uri
from app.sip.syntax.answer import answer
from app.sip.syntax.challenge import parse_challenges
from app.sip.syntax.explanation import explanation_of
from app.sip.syntax.framing import Framer, FramingError
from app.sip.syntax.gate import examine
from app.sip.syntax.head import Examined, Head, Reason
from app.sip.syntax.message import Message, parse, serialise
from app.sip.syntax.sdp import read_sdp
from app.sip.syntax.text import one_line, readable, readable_lines

SOURCE = HostPort("192.0.2.9", 5070)
MOST_SDP = 2000
"""Bytes of a description as PJSIP gets it, so that the whole message stays below 4000."""


def check_gate(raw: bytes) -> None:
    """The gate, and everything that is made of what it says."""
    examined = examine(raw, peer="192.0.2.9:5070")
    check_report(examined)
    if examined.head is not None:
        check_head(examined.head)
    check_what_is_sent_on(examined, raw)
    if examined.message is not None:
        check_message(examined.message)
        check_answer(examined.message, examined, raw)


def check_sdp(raw: bytes) -> None:
    """A description of audio that can be read is written so that it reads the same again."""
    try:
        once = read_sdp(raw)
    except MalformedError:
        return
    assert once.body.isascii()
    assert len(once.body) < MOST_SDP
    body = once.body.replace(b"{address}", b"192.0.2.77")
    again = read_sdp(body)
    assert again.body == body
    assert again.faults == ()
    if once.port and "TLS" not in once.profile:  # which is reported, and not passed on
        assert (again.direction, again.port, again.profile) == (once.direction, once.port, once.profile)
        assert set(again.codecs) <= set(once.codecs)
    else:
        assert (again.direction, again.port) == ("inactive", 0)


def check_challenges(raw: bytes) -> None:
    """Challenges are read or refused."""
    with contextlib.suppress(MalformedError):
        for challenge in parse_challenges(raw.decode("utf-8", "surrogateescape")):
            assert challenge.scheme == challenge.scheme.lower() != ""
            assert not challenge.usable or challenge.hash_name


def check_text(raw: bytes) -> None:
    """Text for people is clean, and what reads or redacts a trace takes any text."""
    text = readable_lines(raw)
    assert msgspec.json.encode((text, readable(raw)))
    assert plain(one_line(raw))
    head = trace.read_head(text)
    if head is not None:
        assert all(map(plain, (head.phrase, head.reason, head.method)))
    check_redacted(text, numbers=True)


def check_redacted(text: str, *, numbers: bool) -> None:
    """Hiding once is enough: a second time nothing more is hidden."""
    once = redact_sip(text, numbers=numbers)
    again = redact_sip(once, numbers=numbers)
    assert again.replace(HIDDEN, "") == once.replace(HIDDEN, "")


def check_stream(raw: bytes) -> None:
    """A stream is cut into what came, however it comes."""
    for size in (len(raw) or 1, 7):
        framer, place = Framer(), 0
        with contextlib.suppress(FramingError):
            for at in range(0, len(raw), size):
                for frame in framer.frames(raw[at : at + size]):
                    if isinstance(frame, bytes):
                        while not raw.startswith(frame, place):
                            assert raw[place : place + 1] in (b"\r", b"\n")
                            place += 1
                        place += len(frame)


def plain(text: str) -> bool:
    """Whether people and programs can take this text as it is: one line, nothing that a terminal obeys."""
    return text.isprintable() and text == text.encode("utf-8").decode("utf-8")


def check_report(examined: Examined) -> None:
    """Texts are plain and short; what stopped the message is told last."""
    for problem in examined.problems:
        for text in (problem.start, problem.header, problem.line, problem.what, problem.peer):
            assert plain(text)
            assert len(text) <= LONGEST_TEXT
    dropped = [problem for problem in examined.problems if problem.handling is Handling.DROPPED]
    assert dropped == ([] if examined.head is not None else [examined.problems[-1]])
    if examined.answer is not None:
        assert examined.head is None
        assert examined.message is not None
        assert examined.message.is_request
        assert examined.message.method != "ACK"
        assert 400 <= examined.answer.code < 600
        assert examined.answer.phrase.isascii()
        assert plain(examined.answer.phrase)


def check_head(head: Head) -> None:
    """What was read is plain ASCII within limits."""
    assert plain(head.phrase)
    assert head.method.isascii()
    assert 0 <= head.cseq < 2**31
    for address in (head.sender, head.to, *head.contacts, *head.routes):
        if address is not None:
            assert parse_uri(address.uri.text) == address.uri
            assert address.uri.text.isascii()
            assert plain(address.uri.text)
    assert all(0 <= value < 2**31 for value in head.seconds.values())
    for words in head.tokens.values():
        assert all(word.isascii() and word.isprintable() and " " not in word for word in words)


def check_what_is_sent_on(examined: Examined, raw: bytes) -> None:
    """All that is said about a message can be sent over the wire, and is plain where people see it."""
    shown = readable_lines(raw)
    said: list[Any] = [*examined.problems, trace.read_head(shown)]
    if examined.message is not None:
        said.append(explanation_of(examined.message, examined.head))
        said.append(trace.head_of(examined.message, examined.head))
    assert msgspec.json.encode((said, shown))
    for value in said:
        if isinstance(value, trace.MessageHead):
            value = msgspec.structs.replace(value, call_id="")  # a key, which nobody sees
        assert all(map(plain, texts_of(value))), value


def texts_of(value: object) -> list[str]:
    """All texts in a value."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, msgspec.Struct):
        return [text for name in value.__struct_fields__ for text in texts_of(getattr(value, name))]
    if isinstance(value, tuple | list):
        return [text for one in value for text in texts_of(one)]
    return []


def check_message(message: Message) -> None:
    """What was taken apart can be put together, and then stays the same."""
    once = serialise(message)
    assert parse(once).body == message.body
    assert serialise(parse(once)) == once


def check_answer(message: Message, examined: Examined, raw: bytes) -> None:
    """An answer belongs to its request and is not much longer."""
    if not message.is_request:
        return
    made = answer(message, examined.answer or Reason(481, "x"), SOURCE, server="Us")
    if made is None:
        assert examined.head is None
        return
    sent = serialise(made)
    assert len(sent) < 2 * len(raw) + 300
    if examined.head is not None and examined.head.via.branch:  # RFC 2543 had none
        head = examine(sent).head
        assert head is not None
        asked = examined.head
        # The gate knows that we ask in capitals
        assert (head.call_id, head.cseq, head.method) == (asked.call_id, asked.cseq, asked.method.upper())
        assert head.via.branch == asked.via.branch
