"""The TLS connection to the provider: trust, name, facts of the certificate, and errors by kind.

The certificate is also told when it is refused, which is when people need to see it. OpenSSL gives it
only after a handshake that verified it, so a refusal is followed by one more handshake without
verification, which ends before our side would complete it; nothing is ever sent on that connection.

The facts are read with the standard library alone. `cryptography` would do too, for 10 MB of memory in
every engine and 16 MB in the package.
"""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from app.errors import SettingError
from app.model.outcome import LocalCause, TlsFacts
from app.sip.engine.edge.hop import Hop
from app.sip.engine.edge.socket_causes import classify as classify_socket
from app.sip.engine.edge.socket_causes import system_words
from app.sip.engine.edge.streams import CLOSED, OpenError, connected

LIMIT_S = 5.0
"""For the connection and its handshake together, seconds."""

_CERTIFICATE_LIMIT_S = 2.0
_CA_FILE_LIMIT = 4 * 1024 * 1024

_PEM = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----.*?-----END[^\r\n]*-----", re.DOTALL)
_OPENSSL_DRESSING = re.compile(r"^\[[^\]]*\]\s*|\s*\(_ssl\.c:\d+\)$")

_VERIFY_CODES: dict[int, LocalCause] = {
    # OpenSSL, X509_V_ERR_* (x509_vfy.h)
    9: LocalCause.TLS_TIME,
    10: LocalCause.TLS_TIME,
    13: LocalCause.TLS_TIME,
    14: LocalCause.TLS_TIME,
    62: LocalCause.TLS_NAME,
    64: LocalCause.TLS_NAME,
    # macOS, errSec* (SecBase.h), through truststore
    -67602: LocalCause.TLS_NAME,
    -67818: LocalCause.TLS_TIME,
    -67819: LocalCause.TLS_TIME,
    # Windows, CERT_E_* (winerror.h), through truststore
    0x800B0101: LocalCause.TLS_TIME,
    0x800B0102: LocalCause.TLS_TIME,
    0x800B010F: LocalCause.TLS_NAME,
}
"""What a verification error is about; any other number means that the certificate is not trusted."""


def trust(ca_file: str, pin: str = "") -> ssl.SSLContext:
    """A client context that verifies chain and name, or nothing where `connect` will compare a pin.

    Args:
        ca_file: PEM or DER file with what to trust: a root, an intermediate or the server's own
            certificate. Empty for the system's trust.
        pin: Fingerprint of the one certificate that is trusted, whoever issued it and whatever is in it;
            then the CA file is not used.

    Raises:
        SettingError: The file can't be read or holds no certificate.
    """
    if pin:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif ca_file:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        _load(context, ca_file)
    else:
        # Loads the system's own verification through ctypes; not needed with a CA file.
        import truststore

        context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def checked_name(context: ssl.SSLContext, server_name: str) -> str:
    """The name as OpenSSL wants it: without brackets and the last dot.

    Raises:
        SettingError: No certificate could be checked against it.
    """
    name = server_name.strip().removesuffix(".")
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    try:
        context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=name)
    except (ValueError, TypeError) as error:
        # TypeError: a NUL in the name.
        raise SettingError(
            f'"{server_name}" can\'t be a name in a TLS certificate.',
            do="Set the host to the domain or IP address that the provider gave you.",
            details=str(error),
            field="host",
        ) from error
    return name


def connect(
    hop: Hop,
    *,
    server_name: str,
    ca_file: str,
    context: ssl.SSLContext,
    pin: str = "",
    limit_s: float = LIMIT_S,
) -> tuple[ssl.SSLSocket, TlsFacts]:
    """Connect and shake hands; blocks up to the limit.

    Args:
        hop: Where to.
        server_name: Checked against the certificate; sent as SNI unless it is an IP address.
        ca_file: Only to be named in the facts.
        context: From `trust`.
        pin: The fingerprint that was given to `trust`; the server has shown to have that certificate's key
            when the handshake is over, and nothing has been sent to it before that.
        limit_s: For all of it, seconds.

    Raises:
        OpenError: With the reason; after a refused certificate, with its facts.
    """
    known = TlsFacts(server_name=server_name, trust="pin" if pin else ca_file or "system")
    sock: socket.socket | None = None
    until = time.monotonic() + limit_s
    try:
        sock = connected(hop, limit_s)
        sock.settimeout(max(until - time.monotonic(), 0.01))
        tls = context.wrap_socket(sock, server_hostname=server_name)
    except OSError as error:
        if sock is not None:
            sock.close()
        if isinstance(error, TimeoutError):
            # A system's own ETIMEDOUT is a TimeoutError as well; both mean the same.
            doing = "the TCP connection" if sock is None else "the TLS handshake"
            cause, words = LocalCause.NO_ANSWER, f"no answer to {doing} within {limit_s:g} s"
        else:
            cause, words = classify(error, in_handshake=sock is not None)
        if isinstance(error, ssl.SSLCertVerificationError):
            known = _with_refused_certificate(known, hop)
        raise _failed(known, cause, words) from error
    cipher = tls.cipher()
    known = replace(known, version=tls.version() or "", cipher=cipher[0] if cipher else "")
    known = _with_certificate(known, tls)
    if pin and known.fingerprint != pin:
        tls.close()
        raise _failed(known, LocalCause.TLS_PIN, "the server has another certificate than the pinned one")
    return tls, known


def _failed(facts: TlsFacts, cause: LocalCause, words: str) -> OpenError:
    return OpenError(cause, words, replace(facts, error=words, cause=cause))


def fingerprint(certificate: bytes) -> str:
    """The SHA-256 fingerprint of a certificate in DER, as people compare it: `AB:CD:…`."""
    return hashlib.sha256(certificate).digest().hex(":").upper()


def classify(error: OSError, *, in_handshake: bool = False) -> tuple[LocalCause, str]:
    """The kind of an error of a socket or of TLS, and its words.

    Args:
        error: What was raised.
        in_handshake: Whether TCP was connected and TLS not yet: then an end of the connection means
            that the other side did not like our TLS, or any TLS.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        words = getattr(error, "verify_message", "") or str(error)
        return _VERIFY_CODES.get(getattr(error, "verify_code", 0), LocalCause.TLS_CA), _plain(words)
    if isinstance(error, ConnectionError | ssl.SSLEOFError) and in_handshake:
        return LocalCause.TLS_PROTOCOL, "the server closed the connection during the TLS handshake"
    if isinstance(error, ssl.SSLError):
        return LocalCause.TLS_PROTOCOL, _plain(str(error.args[-1]) if error.args else str(error))
    return classify_socket(error)


def classify_loss(error: OSError) -> tuple[LocalCause, str]:
    """The kind of an error that ended an established connection, and its words."""
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return LocalCause.CONNECTION_LOST, CLOSED
    if isinstance(error, ssl.SSLError):
        return classify(error)
    return LocalCause.CONNECTION_LOST, system_words(error)


def _with_refused_certificate(facts: TlsFacts, hop: Hop) -> TlsFacts:
    """The facts with those of the server's certificate, if it can be had a second time."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=facts.server_name)
    until = time.monotonic() + _CERTIFICATE_LIMIT_S
    try:
        with connected(hop, _CERTIFICATE_LIMIT_S) as sock:
            while not _shaken(tls):
                sock.settimeout(max(until - time.monotonic(), 0.01))
                sock.sendall(outgoing.read())
                if not (data := sock.recv(65536)):
                    return facts
                incoming.write(data)
        return _with_certificate(facts, tls)
    except OSError:
        # Includes TimeoutError and SSLError: the refusal itself is reported all the same.
        return facts


def _shaken(tls: ssl.SSLObject) -> bool:
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def _load(context: ssl.SSLContext, ca_file: str) -> None:
    try:
        with Path(ca_file).open("rb") as file:
            data = file.read(_CA_FILE_LIMIT)
    except (OSError, ValueError) as error:
        # ValueError: a path that no file can have, such as one with a NUL.
        words = getattr(error, "strerror", None) or str(error)
        raise SettingError(
            f'The CA file "{ca_file}" can\'t be read: {words}.',
            do="Choose the certificate file that the provider gave you, or clear the setting.",
            details=str(error),
            field="ca_file",
        ) from error
    blocks = _PEM.findall(data)
    try:
        context.load_verify_locations(cadata=b"\n".join(blocks).decode("ascii") if blocks else data)
    except (ssl.SSLError, ValueError) as error:
        raise SettingError(
            f'The CA file "{ca_file}" holds no usable certificate.',
            do="Choose a PEM file that contains a line with BEGIN CERTIFICATE.",
            details=_plain(str(error)),
            field="ca_file",
        ) from error


def _with_certificate(facts: TlsFacts, tls: ssl.SSLObject | ssl.SSLSocket) -> TlsFacts:
    # A connection keeps the CERT_NONE that it may have got when it was made. `getpeercert` asks the context
    # whether to decode the certificate or to give an empty dict.
    mode, tls.context.verify_mode = tls.context.verify_mode, ssl.CERT_REQUIRED
    certificate: Mapping[str, Any] | None = tls.getpeercert()
    tls.context.verify_mode = mode
    whole = tls.getpeercert(binary_form=True)
    if not certificate or whole is None:
        return facts
    return replace(
        facts,
        subject=_name(certificate["subject"]),
        issuer=_name(certificate["issuer"]),
        names=tuple(
            str(value).strip()
            for kind, value in certificate.get("subjectAltName", ())
            if kind in ("DNS", "IP Address")
        ),
        not_before=_iso(certificate["notBefore"]),
        not_after=_iso(certificate["notAfter"]),
        fingerprint=fingerprint(whole),
    )


def _name(rdns: Iterable[Iterable[tuple[str, str]]]) -> str:
    pairs = [pair for rdn in rdns for pair in rdn]
    common = [value for key, value in pairs if key == "commonName"]
    return common[-1] if common else ", ".join(f"{key}={value}" for key, value in pairs)


def _iso(openssl_time: str) -> str:
    try:
        seconds = ssl.cert_time_to_seconds(openssl_time)
    except ValueError:
        # A certificate may hold a time that is none; then OpenSSL's text is what there is to tell.
        return openssl_time
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _plain(words: str) -> str:
    """OpenSSL's words without the library, the reason code and the place in Python's source."""
    return _OPENSSL_DRESSING.sub("", words).strip()
