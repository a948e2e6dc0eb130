"""The hashes of digest authentication (RFC 7616, RFC 8760).

An engine keeps OpenSSL out until it is needed (`app.sip.engine.process`): Python's own hashes save 3 MB
in every engine. SHA-512/256 is only in OpenSSL, and is loaded when a provider asks for it.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from typing import Any

NAMES = {"SHA-512-256": "sha512_256", "SHA-256": "sha256", "MD5": "md5"}
"""Algorithms of digest by the names of the standard, the strongest first."""


def hex_digest(algorithm: str, data: bytes) -> str:
    """The hash of `data` in hex.

    Args:
        algorithm: One of `NAMES`.
        data: Bytes.

    Raises:
        ValueError: This Python was built without it.
    """
    name = NAMES[algorithm]
    if name != "sha512_256":
        return hashlib.new(name, data, usedforsecurity=False).hexdigest()
    return str(_openssl().new(name, data).hexdigest())


def has_sha512_256() -> bool:
    """Whether SHA-512/256 can be had here; loads OpenSSL."""
    try:
        hex_digest("SHA-512-256", b"")
    except (ImportError, ValueError):
        return False
    return True


def _openssl() -> Any:
    # WORKAROUND: `hashlib` looks for OpenSSL once, when it is imported; CPython has no public way to it later
    if sys.modules.get("_hashlib", ...) is None:
        del sys.modules["_hashlib"]
    return importlib.import_module("_hashlib")
