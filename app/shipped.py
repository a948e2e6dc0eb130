"""Data that ships inside the package: TOML files next to the module that reads them, checked when loaded."""

from __future__ import annotations

import pkgutil
import threading
import tomllib
from typing import TypeVar

import msgspec

T = TypeVar("T")

_one_at_a_time = threading.Lock()
"""msgspec (0.22) can end the process when two threads meet a type for the first time in the same moment."""


class ShippedDataError(Exception):
    """A data file of ours is wrong: a bug, not something the person did. Names the file and the key."""


def load(package: str, path: str, shape: type[T]) -> T:
    """Read a TOML file out of a package and check it against a shape.

    The shape's structs should carry `forbid_unknown_fields`, so that a misspelt key is an error too.
    `pkgutil` asks the package's loader as `importlib.resources` does, so it works in a frozen app; it saves
    1.5 MB and 10 ms of imports in every engine process.

    Args:
        package: Dotted name of the package that holds the file.
        path: Path inside it, with forward slashes.
        shape: The type to convert to.

    Raises:
        ShippedDataError: The file is missing, is not TOML, has an unknown key or a value of a wrong type.
    """
    name = f"{package}/{path}"
    try:
        raw = pkgutil.get_data(package, path)
    except OSError as error:
        raise ShippedDataError(f"{name}: can't be read: {error}") from error
    if raw is None:
        raise ShippedDataError(f"{name}: the package's loader can't give files")
    return parse(name, raw, shape)


def parse(name: str, raw: bytes, shape: type[T]) -> T:
    """Check TOML text against a shape; `name` is the file's name for the error. Errors as in `load`."""
    try:
        with _one_at_a_time:
            return msgspec.convert(tomllib.loads(raw.decode("utf-8")), shape)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ShippedDataError(f"{name}: {error}") from error
