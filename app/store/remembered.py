"""Things to remember that are not a trunk's: the key, the type and the default of each."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class StoredSetting(Generic[T]):
    """A thing to remember that is not a trunk's, such as the window's geometry.

    Args:
        key: Its key in the file; never reuse one for another kind of value.
        kind: Type of the value: whatever msgspec writes as JSON.
        usual: The value as long as nothing is stored, or something that can't be read.
    """

    def __init__(self, key: str, kind: type[T], usual: T) -> None:
        self.key = key
        self.kind = kind
        self.usual = usual


def window_setting(key: str) -> StoredSetting[str]:
    """A thing that the window remembers, such as its size; empty text when there is none."""
    return StoredSetting(f"window.{key}", str, "")
