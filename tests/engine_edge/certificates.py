"""Certificates made on the fly, and server contexts that show them."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Issuer:
    """A certificate with its key: an authority, or a server's own."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    folder: Path

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def ca_file(self) -> str:
        path = self.folder / f"ca-{self.certificate.serial_number}.pem"
        path.write_bytes(self.pem)
        return str(path)

    def server(
        self,
        *names: str,
        common_name: str = "",
        start: datetime.timedelta = -DAY,
        end: datetime.timedelta = DAY,
    ) -> Issuer:
        """A server certificate for DNS names and IP addresses, valid from now + start to now + end."""
        alternatives = [_general_name(name) for name in names]
        extensions = [x509.SubjectAlternativeName(alternatives)] if alternatives else []
        return _signed(common_name or names[0], self, self.folder, start, end, extensions)

    def context(self, *, chain: tuple[Issuer, ...] = ()) -> ssl.SSLContext:
        """A server's context that shows this certificate, and those of `chain` after it."""
        path = self.folder / f"server-{self.certificate.serial_number}.pem"
        key = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.write_bytes(self.pem + b"".join(one.pem for one in chain) + key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


def authority(folder: Path, name: str = "Test CA") -> Issuer:
    """A root of our own."""
    return _signed(name, None, folder, -DAY, 10 * DAY, [x509.BasicConstraints(ca=True, path_length=None)])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _signed(
    name: str,
    issuer: Issuer | None,
    folder: Path,
    start: datetime.timedelta,
    end: datetime.timedelta,
    extensions: list[x509.ExtensionType],
) -> Issuer:
    now = datetime.datetime.now(datetime.UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Example Telecom")]
    if name != "-":
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, name))
    subject = x509.Name(attributes)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + start)
        .not_valid_after(now + end)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    return Issuer(builder.sign(issuer.key if issuer else key, hashes.SHA256()), key, folder)
