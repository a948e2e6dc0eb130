"""The file behind the setting `ca_file`: read with limits, and its certificates loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import SettingError
from app.model.typed import Typed
from app.regular_file import read_regular_file

if TYPE_CHECKING:
    import ssl

MOST_BYTES = 1_000_000
MOST_CERTIFICATES = 300
"""Twice as many as an operating system trusts. OpenSSL's time grows with the square of their number."""

_BEGIN, _END, _DASHES = b"-----BEGIN ", b"-----END ", b"-----"
_CERTIFICATE = frozenset({b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE"})
_LONGEST_LABEL = max(map(len, _CERTIFICATE)) + len(_DASHES)


def check_ca_file(text: str) -> str:
    """Check the file before the setting is saved.

    Args:
        text: Its path, absolute or relative to the working directory; empty for none.

    Returns:
        The absolute path, so that it still holds when Ringback is started from elsewhere; empty for none.

    Raises:
        SettingError: As `load_ca_file`.
    """
    if not text:
        return ""
    import ssl  # late: costly, and only this needs it

    typed = Typed("ca_file", "CA file", text)
    try:
        path = Path(text).expanduser().absolute()
    except RuntimeError as error:  # "~name" of a user who does not exist
        raise _unreadable(typed, str(error)) from error
    _load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), path, typed)
    return str(path)


def load_ca_file(context: ssl.SSLContext, path: str) -> None:
    """Have a context trust the certificates of a file.

    Args:
        context: Gets them.
        path: A PEM file, whatever else is in it, or a DER file with one certificate.

    Raises:
        SettingError: It is not an ordinary file, too large, can't be read, or has no certificate in it.
    """
    _load(context, Path(path), Typed("ca_file", "CA file", path))


def _load(context: ssl.SSLContext, path: Path, typed: Typed) -> None:
    import ssl

    try:
        data = read_regular_file(path, MOST_BYTES)
    except (OSError, ValueError) as error:
        # ValueError: a path that no file can have, such as one with a NUL
        raise _unreadable(typed, getattr(error, "strerror", None) or str(error)) from error
    blocks = certificates_in(data)
    if len(blocks) > MOST_CERTIFICATES:
        raise typed.refuse(
            f"has more than {MOST_CERTIFICATES} certificates in it",
            "Choose a file with your provider's CA certificate only.",
        )
    try:
        context.load_verify_locations(cadata=b"\n".join(blocks).decode("ascii") if blocks else data)
    except (ssl.SSLError, ValueError) as error:
        allowed = "Choose a PEM file: it has a line that says -----BEGIN CERTIFICATE-----."
        raise typed.refuse("has no usable certificate in it", allowed) from error


def certificates_in(data: bytes) -> list[bytes]:
    """The certificates of a PEM text (RFC 7468), each with its first and last line.

    What stands around them is left out: comments may be in any encoding, and a private key is not ours to
    read. The time that it takes grows with the length of the text only, whatever is in it.
    """
    blocks: list[bytes] = []
    at = 0
    while (begin := data.find(_BEGIN, at)) >= 0:
        at = begin + len(_BEGIN)
        label, dashes, _ = data[at : at + _LONGEST_LABEL].partition(_DASHES)
        if not dashes or label not in _CERTIFICATE:
            continue
        end = data.find(_END, at)
        if end < 0:
            break
        at = data.find(_DASHES, end + len(_END))
        at = len(data) if at < 0 else at + len(_DASHES)
        blocks.append(data[begin:at])
    return blocks


def _unreadable(typed: Typed, why: str) -> SettingError:
    allowed = "Choose the PEM file with your provider's CA certificate, or leave the setting empty."
    return typed.refuse(f"can't be read: {why.rstrip('.')}", allowed)
