"""The wire between a parent and its child: what passes, what is refused, and what never gets on it."""

from __future__ import annotations

import enum
import json
import os
import subprocess
import sys
import types
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from msgspec.structs import replace

from app.sip.messages import Answer, Bug, Command, EngineFault, Event, FromEngine, OpenAccount, Request, Stop
from app.sip.messages.faults import read_in_part
from app.sip.wire import MAX_LINE_BYTES, LineDecoder, WireError, clean, encode, encode_clean

CANARY = "canary-5f0c-kept-out-of-sight"


def sample(kind: Any) -> Any:
    """A value of this type that is not its default: texts hold quotes and line ends."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return sample(next(argument for argument in arguments if argument is not types.NoneType))
    if origin is tuple:
        return (sample(arguments[0]), sample(arguments[0]))
    if issubclass(kind, enum.Enum):
        return list(kind)[-1]
    if issubclass(kind, msgspec.Struct):
        hints = get_type_hints(kind)
        return kind(**{name: sample(hints[name]) for name in kind.__struct_fields__})
    return {str: 'a "b"\r\n\\c é 電話\u2028\0', int: 2**40, float: 0.1, bool: True}[kind]


COMMANDS = get_args(Command)
FROM_ENGINE = (*(Answer(id=7, result=sample(kind)) for kind in get_args(get_type_hints(Answer)["result"])),)


@pytest.mark.parametrize("kind", COMMANDS, ids=lambda kind: kind.__name__)
def test_every_command_arrives_as_it_was_sent(kind: type[msgspec.Struct]) -> None:
    request = Request(id=41, command=sample(kind))
    line = encode(request)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert LineDecoder[Request](Request).decode(line[:-1]) == request


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__name__)
def test_every_event_arrives_as_it_was_sent(kind: type[msgspec.Struct]) -> None:
    event = sample(kind)
    line = encode(event)
    assert line.count(b"\n") == 1
    assert LineDecoder[Any](FromEngine).decode(line) == event


@pytest.mark.parametrize("answer", FROM_ENGINE, ids=lambda answer: type(answer.result).__name__)
def test_every_answer_arrives_as_it_was_sent(answer: Answer) -> None:
    assert LineDecoder[Any](FromEngine).decode(encode(answer)) == answer


def test_the_unions_are_walked_whole() -> None:
    assert OpenAccount in COMMANDS
    assert len(COMMANDS) >= 12
    assert len(get_args(Event)) >= 9
    assert len(FROM_ENGINE) == 3


STOP: dict[str, Any] = {"id": 1, "command": {"type": "Stop"}}
SET_SOURCE: dict[str, Any] = {"id": 1, "command": {"type": "SetSource", "call_id": "a", "source": "tone"}}


def changed(message: dict[str, Any], **command: Any) -> bytes:
    """The message with other values in its command."""
    return json.dumps({**message, "command": {**message["command"], **command}}).encode()


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (changed(STOP, extra=1), "extra"),
        (json.dumps({**STOP, "extra": 1}).encode(), "extra"),
        (changed(STOP, type="Halt"), "$.command.type"),
        (changed(SET_SOURCE, source="whistle"), "$.command.source"),
        (changed(SET_SOURCE, call_id=5), "$.command.call_id"),
        (changed(SET_SOURCE, call_id=None), "$.command.call_id"),
        (json.dumps({**STOP, "id": "1"}).encode(), "$.id"),
        (json.dumps({**STOP, "id": 1.5}).encode(), "$.id"),
        (b'{"id":1}', "command"),
        (b'{"id":1,"command":{}}', "type"),
        (b'{"command":{"type":"Stop"}}', "id"),
        (b'{"id":1,"command":{"type":"SetSource","call_id":"a"}}', "source"),
    ],
)
def test_what_is_no_message_of_this_version_is_refused_with_the_key(line: bytes, key: str) -> None:
    with pytest.raises(WireError, match="not a message of this version") as caught:
        LineDecoder[Request](Request).decode(line)
    assert key in str(caught.value)


@pytest.mark.parametrize(
    "line", [b"", b"hello", b'{"id":1', b"\xff\xfe", b"{'id': 1}", encode(Request(id=1, command=Stop()))[:-5]]
)
def test_a_line_that_is_no_json_is_refused_with_its_length(line: bytes) -> None:
    with pytest.raises(WireError, match=f"{len(line)} bytes"):
        LineDecoder[Request](Request).decode(line)


def open_account(**changes: Any) -> dict[str, Any]:
    """An `OpenAccount` request as JSON, with other values."""
    request: dict[str, Any] = json.loads(encode(Request(id=1, command=sample(OpenAccount))))
    return {**request, "command": {**request["command"], "password": CANARY, **changes}}


@pytest.mark.parametrize(
    "line",
    [
        json.dumps(open_account(expires="soon")),
        json.dumps(open_account(user=None)),
        json.dumps(open_account(unknown=CANARY)),
        json.dumps(open_account(password=[CANARY])),
        json.dumps(open_account(type=CANARY)),
        json.dumps(open_account(type=f"{CANARY} - at `$.x`")),
        json.dumps(open_account(target={"address": CANARY})),
        json.dumps(open_account(target={**open_account()["command"]["target"], "transport": CANARY})),
        json.dumps({**open_account(), "id": CANARY}),
        json.dumps(open_account())[:-3],
        json.dumps(open_account()) + CANARY,
        f'"{CANARY}"',
        CANARY,
    ],
)
def test_no_error_repeats_a_value_which_could_be_a_secret(line: str) -> None:
    with pytest.raises(WireError) as caught:
        LineDecoder[Request](Request).decode(line.encode())
    assert CANARY not in str(caught.value)
    assert CANARY not in repr(caught.value)
    # Shown by a traceback
    assert caught.value.__suppress_context__
    assert caught.value.__cause__ is None


def test_the_largest_sip_message_fits_on_a_line() -> None:
    from app.sip.messages import Traced

    message = sample(Traced)
    message = msgspec.structs.replace(
        message, message=msgspec.structs.replace(message.message, text="\0" * 65_535)
    )
    line = encode(message)
    assert len(line) < MAX_LINE_BYTES
    assert LineDecoder[Any](FromEngine).decode(line) == message


PRINTS = """
import os, sys
print("before")
from app.sip.wire import claim_stdout
wire = claim_stdout()
print("print")
os.write(1, b"descriptor 1\\n")
sys.stdout.write("sys.stdout\\n")
sys.__stdout__.write("sys.__stdout__\\n")
os.system("echo of a grandchild")
if sys.platform != "win32":
    import ctypes
    ctypes.CDLL(None).printf(b"printf\\n")
wire.write(b"one\\n")
wire.write(b"two\\n")
"""


def test_nothing_that_is_printed_gets_on_the_wire() -> None:
    # What was printed before is still in Python's buffer when the wire is claimed
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    child = subprocess.run(
        [sys.executable, "-c", PRINTS], capture_output=True, check=True, timeout=30, env=environment
    )
    assert child.stdout == b"one\ntwo\n"
    printed = child.stderr.decode().splitlines()
    expected = ["before", "print", "descriptor 1", "sys.stdout", "sys.__stdout__", "of a grandchild"]
    expected += ["printf"] if sys.platform != "win32" else []
    assert sorted(line.strip() for line in printed) == sorted(expected)


HOLDS_THE_WIRE = """
import subprocess, sys
from app.sip.wire import claim_stdout
wire = claim_stdout()
subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], close_fds=False, stdin=0)
wire.write(b"one\\n")
"""


def test_a_grandchild_does_not_keep_the_wire_open() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS_THE_WIRE], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        # Comes to an end although the grandchild, which reads until our end of its input closes, lives on
        assert child.stdout.read() == b"one\n"


# What makes no line


def test_a_command_that_is_not_unicode_is_refused_and_not_altered() -> None:
    with pytest.raises(WireError, match="not Unicode") as caught:
        encode(Request(id=1, command=replace(sample(OpenAccount), password=f"{CANARY}\udce9")))
    assert CANARY not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_line_longer_than_the_limit_is_refused_with_its_length() -> None:
    for write in (encode, encode_clean):
        with pytest.raises(WireError, match=f"of 10485.. bytes, and {MAX_LINE_BYTES} are the limit"):
            write(Bug(details="x" * (MAX_LINE_BYTES - 10)))


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Identit\udce9", "Identit\ufffd"),
        ("\ud83d\ude00", "\ufffd\ufffd"),
        ("電話 \U0001f4de \0", "電話 \U0001f4de \0"),
    ],
)
def test_cleaned_text_holds_a_mark_for_what_is_not_unicode(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned
    assert LineDecoder[Any](Bug).decode(encode_clean(Bug(details=text))) == Bug(details=cleaned)


# What can't be read


def fault(event: str, call_id: str = "") -> EngineFault:
    """What stands for an event that can't be read."""
    return EngineFault(event=event, cause="why", call_id=call_id)


UNREADABLE_ANSWER = Answer(id=7, result=Bug(details="the answer can't be read: why"))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"type":"CallLevels","call_id":"c","tx_dbm0":"loud"}', fault("CallLevels", "c")),
        (b'{"type":"CallChanged","call_id":7}', fault("CallChanged")),
        (b'{"type":"Traced"}', fault("Traced")),
        (b'{"type":"Answer","id":7,"result":{}}', UNREADABLE_ANSWER),
        (b'{"type":"Answer","id":"7"}', None),
        (b'{"type":"Hello","protocol":1}', None),
        (b'{"type":"Nonsense"}', None),
        (b'{"type":["Traced"]}', None),
        (b"[]", None),
        (b"7", None),
        (b"", None),
        (b"\xff", None),
        (b"[" * 100_000, None),
    ],
)
def test_a_line_with_a_wrong_value_is_known_by_its_type(line: bytes, expected: Any) -> None:
    assert read_in_part(line, "why") == expected
