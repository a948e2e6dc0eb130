"""The wire between a parent and its child: one JSON object a line, checked both ways.

A child writes to a duplicate of its original standard output. File descriptor 1 then points at standard
error, so that nothing a library prints (PJLIB does, before its log can be set) can get between the lines.
"""

from __future__ import annotations

import os
import sys
from typing import Any, BinaryIO, Generic, TypeVar

import msgspec

MAX_LINE_BYTES = 1 << 20
"""Longest line accepted; a SIP message is at most 64 kB and JSON may make six bytes of one."""

T = TypeVar("T")

_encoder = msgspec.json.Encoder()


class WireError(Exception):
    """A line that is no message: a bug, or something else writing on the wire."""


def encode(message: msgspec.Struct) -> bytes:
    """One message as one line, newline included."""
    return _encoder.encode(message) + b"\n"


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
