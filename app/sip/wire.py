"""The wire between a parent and its child: one JSON object a line, checked both ways.

A child writes to a duplicate of its original standard output. File descriptor 1 then points at standard
error, so that nothing a library prints (PJLIB does, before its log can be set) can get between the lines.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any, BinaryIO, Generic, TypeVar

import msgspec

MAX_LINE_BYTES = 1 << 20
"""Longest line accepted; a SIP message is at most 64 kB and JSON may make six bytes of one."""

T = TypeVar("T")

_SURROGATE = re.compile("[\ud800-\udfff]")

_encoder = msgspec.json.Encoder()


class WireError(Exception):
    """A line that is not a message, or a message that makes no line: a bug, or something else on the wire."""


def encode(message: msgspec.Struct) -> bytes:
    """One message as one line, newline included.

    Raises:
        WireError: It makes no line; the text names the cause and never repeats a value.
    """
    return _line(message)


def encode_clean(message: msgspec.Struct) -> bytes:
    """As `encode`, for messages with text from a network: what is not Unicode in it becomes U+FFFD.

    Raises:
        WireError: It makes no line all the same.
    """
    try:
        return _line(message)
    except WireError:
        pass
    try:
        builtins = _clean(msgspec.to_builtins(message))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise WireError(_formless(error)) from None
    return _line(builtins)


def clean(text: str) -> str:
    """The text with U+FFFD for each lone surrogate, which UTF-8 has no form for.

    Python makes one of every byte that is not UTF-8 (`surrogateescape`), and JSON can spell one.
    """
    return _SURROGATE.sub("\ufffd", text)


def _clean(value: Any) -> Any:
    """Every text in what `msgspec.to_builtins` gives."""
    match value:
        case str():
            return clean(value)
        case dict():
            return {_clean(key): _clean(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_clean(inner) for inner in value]
    return value


def _line(value: Any) -> bytes:
    try:
        line = _encoder.encode(value) + b"\n"
    except UnicodeEncodeError:
        raise WireError("a text in it is not Unicode") from None
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise WireError(_formless(error)) from None
    if len(line) > MAX_LINE_BYTES:
        raise WireError(f"it makes a line of {len(line)} bytes, and {MAX_LINE_BYTES} are the limit")
    return line


def _formless(error: Exception) -> str:
    return f"a value in it has no form in JSON ({type(error).__name__})"


class LineDecoder(Generic[T]):
    """Turns lines into messages of one union type; an unknown type or field is refused."""

    def __init__(self, kind: Any) -> None:
        self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(kind)

    def decode(self, line: bytes) -> T:
        """The message on this line.

        Raises:
            WireError: The line is not valid JSON or not one of the messages. The text names the first
                wrong key and never repeats a value, which could be a secret.
        """
        try:
            return self._decoder.decode(line)
        except msgspec.ValidationError as error:
            raise WireError(f"not a message of this version: {_without_value(str(error))}") from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise WireError(f"not a JSON object ({len(line)} bytes)") from None


def _without_value(words: str) -> str:
    """What msgspec says about a wrong value, without the value itself: it quotes tags and words of a list."""
    if not words.startswith("Invalid"):
        return words
    _, at, path = words.rpartition(" - at ")
    return f"Invalid value{at}{path}" if at else "Invalid value"


def claim_stdout() -> BinaryIO:
    """Take the original standard output as the wire and point descriptor 1 at standard error.

    Call it first of all in a child, before anything that might print is imported.
    """
    wire = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return wire
