"""Text that a far end could send to drive a terminal, in every field of any of our values."""

from __future__ import annotations

import types
import typing
from enum import Enum
from typing import Any, TypeVar

import msgspec

from app.model.visible import visible_line

T = TypeVar("T")

EVIL = (
    "evil\x1b]0;title\x07\x1b[2J\x00\x08\x7f\x9b31m\x85 \u202e1234\u202c\u2066x\u2069\u200b\u200d\u2060\ufeff"
    "\u00ad\u061c\u3164\u115f\U000e0041\u2028\u2029\r\n2026-01-01 00:00:00\tforged\x0b\x0c end"
)
"""One of each kind, and a line that could pass for one of ours."""
EVIL_BYTES = f"{EVIL}\udc9b\ud800"
"""The same with bytes that were no UTF-8, as a message may have."""


def shows(text: str, *, allowed: str = "\n") -> list[str]:
    """What is still hidden in something that was printed, each once."""
    return sorted(
        {f"U+{ord(char):04X}" for char in text if char not in allowed and visible_line(char) != char}
    )


def filled(kind: type[T], text: str = EVIL_BYTES, **given: Any) -> T:
    """A value with `text` in every text of it, and something in every part that may be left out.

    Args:
        kind: A struct.
        text: What to put in.
        given: Fields that have to be something else.
    """
    values = {
        field.name: given[field.name] if field.name in given else _value(field.type, text)
        for field in msgspec.structs.fields(kind)
    }
    return kind(**values)


def _value(kind: Any, text: str) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _value(next(each for each in arguments if each is not type(None)), text)
    if origin is tuple:
        parts = arguments[:1] if arguments[-1] is Ellipsis else arguments
        return tuple(_value(part, text) for part in parts)
    if kind is str:
        return text
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return filled(kind, text)
    plain: dict[Any, Any] = {bool: True, int: 200, float: 1.5}
    return plain[kind]
