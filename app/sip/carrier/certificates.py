"""The carrier's TLS certificate: made at the start, of an authority that signs nothing else.

No key reaches the disk in the clear: OpenSSL takes a certificate with its key from a file only, so for the
moment of reading it lies there encrypted, with a password made for this one time.
"""

from __future__ import annotations

import datetime
import ipaddress
import secrets
import ssl
import tempfile
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from app.errors import UserError

LIFETIME = datetime.timedelta(days=365)
"""Longer than any carrier runs."""

_BEFORE = datetime.timedelta(days=1)
"""A telephone whose clock is late shall work too."""

_ORGANISATION = "Ringback demo carrier"


class Identity:
    """What the carrier shows over TLS.

    Args:
        names: Host names, with `*` for a whole first label, and IP addresses.

    Attributes:
        context: For the server's side of a connection, TLS 1.2 or newer; no client certificate is asked for.
        ca_pem: The authority's certificate, which is what a client has to trust; its key is gone.

    Raises:
        UserError: There is no folder for temporary files.
    """

    def __init__(self, names: Iterable[str]) -> None:
        ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        ca_name = _name(f"Demo CA {secrets.token_hex(4)}")
        authority = (
            _builder(ca_name, ca_name, ca_key.public_key(), ca_key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(ca_key, hashes.SHA256())
        )
        alternatives = x509.SubjectAlternativeName([_general_name(name) for name in dict.fromkeys(names)])
        server = (
            _builder(_name("127.0.0.1"), ca_name, key.public_key(), ca_key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(alternatives, critical=False)
            .sign(ca_key, hashes.SHA256())
        )
        self.ca_pem = _pem(authority).decode()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        _load(self.context, server, key)


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePublicKey,
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _load(context: ssl.SSLContext, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    password = secrets.token_bytes(32).hex()
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password.encode()),
    )
    try:
        # A virus scanner on Windows may still have the file open; what stays behind opens nothing
        with tempfile.TemporaryDirectory(prefix="ringback-", ignore_cleanup_errors=True) as folder:
            path = Path(folder) / "server.pem"
            path.write_bytes(_pem(certificate) + encrypted)
            context.load_cert_chain(path, password=password)
    except ssl.SSLError:
        raise
    except OSError as error:
        raise UserError(
            f"The demo carrier can't make its certificate: {error.strerror or error}.",
            do="Make some room on the disk, and see that the folder for temporary files can be written.",
            details=repr(error),
        ) from error
