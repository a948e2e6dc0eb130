"""Trust, names, errors by kind and facts of certificates, against real TLS servers on loopback."""

from __future__ import annotations

import datetime
import errno
import os
import ssl
import sys
import warnings
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes

from app.errors import SettingError
from app.model.outcome import LocalCause, TlsFacts
from app.model.trunk import Transport
from app.model.typed import shown
from app.sip.engine.edge import handshake
from app.sip.engine.edge.hop import Hop
from app.sip.engine.edge.streams import CLOSED, OpenError
from tests.engine_edge.certificates import DAY, Issuer, authority
from tests.engine_edge.servers import HandshakeServer

NAME = "sip.example.com"


def facts(
    port: int,
    *,
    name: str = NAME,
    ca_file: str = "",
    pin: str = "",
    address: str = "127.0.0.1",
    limit_s: float = 5.0,
) -> TlsFacts:
    """What a connection attempt tells, good or bad."""
    context = handshake.trust(ca_file, pin)
    try:
        sock, found = handshake.connect(
            Hop(Transport.TLS, address, port),
            server_name=handshake.checked_name(context, name),
            ca_file=ca_file,
            context=context,
            pin=pin,
            limit_s=limit_s,
        )
    except OpenError as error:
        return told_by(error)
    sock.close()
    return found


def told_by(error: OpenError) -> TlsFacts:
    """The facts of a failure, which say the same as the failure itself."""
    assert error.facts is not None
    assert (error.facts.cause, error.facts.error) == (error.cause, str(error))
    return error.facts


def fingerprint_of(server: Issuer) -> str:
    """As OpenSSL shows it."""
    return server.certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def iso(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_good_certificate(ca, version):
    server = ca.server(NAME, "*.example.net", "192.0.2.1", common_name="Edge 1")
    context = server.context()
    context.minimum_version = context.maximum_version = version
    with HandshakeServer(context) as listening:
        told = facts(listening.port, ca_file=ca.ca_file())
    assert told.version == {771: "TLSv1.2", 772: "TLSv1.3"}[version]
    assert told.cipher
    assert told == TlsFacts(
        version=told.version,
        cipher=told.cipher,
        server_name=NAME,
        subject="Edge 1",
        issuer="Test CA",
        names=(NAME, "*.example.net", "192.0.2.1"),
        not_before=iso(server.certificate.not_valid_before_utc),
        not_after=iso(server.certificate.not_valid_after_utc),
        trust=ca.ca_file(),
        fingerprint=fingerprint_of(server),
    )
    assert listening.names == [NAME]


def test_ip_address_is_checked_and_sends_no_sni(ca):
    with HandshakeServer(ca.server("127.0.0.1", "::1").context()) as listening:
        assert facts(listening.port, name="127.0.0.1", ca_file=ca.ca_file()).cause == LocalCause.NONE
        assert facts(listening.port, name="[::1]", ca_file=ca.ca_file()).cause == LocalCause.NONE
        told = facts(listening.port, name="127.0.0.2", ca_file=ca.ca_file())
    assert told.cause == LocalCause.TLS_NAME
    assert "127.0.0.2" in told.error
    assert told.names == ("127.0.0.1", "::1") or told.names[0] == "127.0.0.1"
    assert set(listening.names) == {None}


def test_name_in_dns_only_does_not_stand_for_an_address(ca):
    with HandshakeServer(ca.server("localhost").context()) as listening:
        assert facts(listening.port, name="127.0.0.1", ca_file=ca.ca_file()).cause == LocalCause.TLS_NAME


def test_last_dot_of_a_name_is_no_part_of_it(ca):
    with HandshakeServer(ca.server(NAME).context()) as listening:
        assert facts(listening.port, name=f"{NAME}.", ca_file=ca.ca_file()).cause == LocalCause.NONE


def test_wrong_name_is_told_with_the_names_there_are(ca):
    server = ca.server("sip.example.net", "192.0.2.1", common_name="-")
    with HandshakeServer(server.context()) as listening:
        told = facts(listening.port, ca_file=ca.ca_file())
    assert told == TlsFacts(
        server_name=NAME,
        subject="organizationName=Example Telecom",
        issuer="Test CA",
        names=("sip.example.net", "192.0.2.1"),
        not_before=iso(server.certificate.not_valid_before_utc),
        not_after=iso(server.certificate.not_valid_after_utc),
        trust=ca.ca_file(),
        fingerprint=fingerprint_of(server),
        error=f"Hostname mismatch, certificate is not valid for '{NAME}'.",
        cause=LocalCause.TLS_NAME,
    )


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [(-2 * DAY, -DAY, "certificate has expired"), (DAY, 2 * DAY, "certificate is not yet valid")],
)
def test_certificate_outside_its_time(ca, start, end, words):
    server = ca.server(NAME, start=start, end=end)
    with HandshakeServer(server.context()) as listening:
        told = facts(listening.port, ca_file=ca.ca_file())
    assert (told.cause, told.error) == (LocalCause.TLS_TIME, words)
    assert told.not_after == iso(server.certificate.not_valid_after_utc)


def test_unknown_authority(ca, tmp_path):
    other = authority(tmp_path, "Other CA")
    with HandshakeServer(other.server(NAME).context()) as listening:
        told = facts(listening.port, ca_file=ca.ca_file())
    assert (told.cause, told.error) == (LocalCause.TLS_CA, "unable to get local issuer certificate")
    assert (told.subject, told.issuer, told.names) == (NAME, "Other CA", (NAME,))
    assert told.version == told.cipher == ""


def test_refused_certificate_is_read_on_a_second_connection_that_sends_nothing(ca, tmp_path):
    with HandshakeServer(authority(tmp_path, "Other CA").server(NAME).context()) as listening:
        facts(listening.port, ca_file=ca.ca_file())
    assert listening.names == [NAME, NAME]
    assert listening.received == b""


def test_system_trust_refuses_an_authority_of_our_own(ca):
    with HandshakeServer(ca.server(NAME).context()) as listening:
        told = facts(listening.port)
    assert (told.cause, told.trust, told.issuer) == (LocalCause.TLS_CA, "system", "Test CA")
    assert told.error


@pytest.mark.skipif(sys.platform != "linux", reason="only here can a test add to the system's trust")
def test_system_trust_accepts_what_the_system_trusts(ca, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", ca.ca_file())
    with HandshakeServer(ca.server(NAME).context()) as listening:
        told = facts(listening.port)
        assert (told.cause, told.trust, told.subject) == (LocalCause.NONE, "system", NAME)
        assert facts(listening.port, name="sip.example.net").cause == LocalCause.TLS_NAME


def test_server_s_own_certificate_can_be_the_ca_file(ca):
    server = ca.server(NAME)
    with HandshakeServer(server.context()) as listening:
        assert facts(listening.port, ca_file=server.ca_file()).cause == LocalCause.NONE
        assert facts(listening.port, ca_file=ca.server(NAME).ca_file()).cause == LocalCause.TLS_CA


def test_server_with_tls_1_1_only(ca):
    context = ca.server(NAME).context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with HandshakeServer(context) as listening:
        told = facts(listening.port, ca_file=ca.ca_file())
    assert told.cause == LocalCause.TLS_PROTOCOL
    assert "protocol" in told.error
    assert "_ssl.c" not in told.error


def test_plain_text_port(ca):
    with HandshakeServer(None, b"SIP/2.0 400 Bad Request\r\n\r\n") as listening:
        told = facts(listening.port, ca_file=ca.ca_file())
    assert (told.cause, told.subject) == (LocalCause.TLS_PROTOCOL, "")
    assert told.error in ("wrong version number", "record layer failure")


def test_server_that_closes_in_the_handshake(ca):
    with HandshakeServer(None, hang_up=True) as listening:
        told = facts(listening.port, ca_file=ca.ca_file())
    assert told.cause == LocalCause.TLS_PROTOCOL
    assert told.error == "the server closed the connection during the TLS handshake"


def test_silent_port(ca):
    with HandshakeServer(None) as listening:
        told = facts(listening.port, ca_file=ca.ca_file(), limit_s=0.2)
    assert told.cause == LocalCause.NO_ANSWER
    assert told.error == "no answer to the TLS handshake within 0.2 s"


def test_closed_port(ca):
    with HandshakeServer(None) as listening:
        pass
    told = facts(listening.port, ca_file=ca.ca_file())
    assert (told.cause, told.error) == (LocalCause.REFUSED, "connection refused")


RESET = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
ALERT = ssl.SSLError(1, "[SSL] tlsv13 alert certificate required (_ssl.c:2580)")


@pytest.mark.parametrize(
    ("error", "in_handshake", "told"),
    [
        (OSError(errno.ENETUNREACH, "x"), False, (LocalCause.NO_ROUTE, os.strerror(errno.ENETUNREACH))),
        (OSError(errno.EHOSTUNREACH, "x"), True, (LocalCause.NO_ROUTE, os.strerror(errno.EHOSTUNREACH))),
        (RESET, True, (LocalCause.TLS_PROTOCOL, "the server closed the connection during the TLS handshake")),
        (ALERT, True, (LocalCause.TLS_PROTOCOL, "tlsv13 alert certificate required")),
        (OSError(errno.EIO, "x"), False, (LocalCause.OTHER, os.strerror(errno.EIO))),
        (OSError("words"), False, (LocalCause.OTHER, "words")),
    ],
)
def test_errors_by_kind(error, in_handshake, told):
    assert handshake.classify(error, in_handshake=in_handshake) == told


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RESET, (LocalCause.CONNECTION_LOST, os.strerror(errno.ECONNRESET))),
        (OSError(errno.EHOSTUNREACH, "x"), (LocalCause.CONNECTION_LOST, os.strerror(errno.EHOSTUNREACH))),
        (TimeoutError(errno.ETIMEDOUT, "x"), (LocalCause.CONNECTION_LOST, os.strerror(errno.ETIMEDOUT))),
        (ALERT, (LocalCause.TLS_PROTOCOL, "tlsv13 alert certificate required")),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), (LocalCause.CONNECTION_LOST, CLOSED)),
        (
            ssl.SSLZeroReturnError(6, "TLS/SSL connection has been closed"),
            (LocalCause.CONNECTION_LOST, CLOSED),
        ),
    ],
)
def test_losses_by_kind(error, told):
    assert handshake.classify_loss(error) == told


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (-67602, LocalCause.TLS_NAME),
        (-67818, LocalCause.TLS_TIME),
        (-67843, LocalCause.TLS_CA),
        (0x800B010F, LocalCause.TLS_NAME),
        (0x800B0101, LocalCause.TLS_TIME),
        (0x800B0109, LocalCause.TLS_CA),
        (19, LocalCause.TLS_CA),
    ],
)
def test_verification_codes_of_the_three_systems(code, cause):
    error = ssl.SSLCertVerificationError("words")
    error.verify_code, error.verify_message = code, "words"
    assert handshake.classify(error) == (cause, "words")


class TestCaFile:
    def told(self, path: Path | str) -> SettingError:
        with pytest.raises(SettingError) as caught:
            handshake.trust(str(path))
        assert caught.value.field == "ca_file"
        assert shown(str(path)) in caught.value.what
        assert caught.value.do
        return caught.value

    def test_missing(self, tmp_path):
        assert "No such file" in self.told(tmp_path / "missing.pem").what

    def test_folder(self, tmp_path):
        assert "can't be read" in self.told(tmp_path).what

    def test_name_that_no_file_can_have(self):
        assert "can't be read" in self.told("a\0b").what

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"hello",
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            b"-----BEGIN CERTIFICATE-----\n\xff\n-----END CERTIFICATE-----\n",
            b"-----BEGIN CERTIFICATE-----\nAAAA\n",
        ],
    )
    def test_without_usable_certificate(self, tmp_path, content):
        path = tmp_path / "ca.pem"
        path.write_bytes(content)
        assert "no usable certificate" in self.told(path).what

    def test_odd_but_good_files(self, ca, tmp_path):
        path = tmp_path / "Zertifikat für Bücher.crt"
        for content in (
            ca.der,
            "# Ärger mit Umlauten\n".encode("latin-1") + ca.pem.replace(b"\n", b"\r\n") + b"trailing",
            ca.server(NAME).pem + ca.pem,
        ):
            path.write_bytes(content)
            with HandshakeServer(ca.server(NAME).context()) as listening:
                assert facts(listening.port, ca_file=str(path)).cause == LocalCause.NONE


@pytest.mark.parametrize("name", ["", ".example.com", "a..b", "x" * 64 + ".example.com", "a\0b"])
def test_names_that_no_certificate_can_have(name):
    with pytest.raises(SettingError, match="can't be a name in a TLS certificate") as caught:
        handshake.checked_name(handshake.trust(""), name)
    assert caught.value.field == "host"


@pytest.mark.parametrize("flaw", ["unknown issuer", "another name", "not valid any more"])
def test_a_pinned_certificate_is_trusted_whatever_is_wrong_with_it(ca, flaw):
    names = ("sip.example.net",) if flaw == "another name" else (NAME,)
    span = {"start": -2 * DAY, "end": -DAY} if flaw == "not valid any more" else {}
    server = ca.server(*names, **span)
    with HandshakeServer(server.context()) as listening:
        assert facts(listening.port).cause != LocalCause.NONE
        told = facts(listening.port, pin=fingerprint_of(server))
    assert (told.cause, told.error, told.trust) == (LocalCause.NONE, "", "pin")
    assert told.names == names
    assert told.version


def test_any_other_certificate_than_the_pinned_one_is_refused_and_shown(ca):
    pinned, other = ca.server(NAME), ca.server(NAME)
    with HandshakeServer(other.context()) as listening:
        told = facts(listening.port, ca_file=ca.ca_file(), pin=fingerprint_of(pinned))
    assert told.cause == LocalCause.TLS_PIN
    assert told.fingerprint == fingerprint_of(other)
    assert "another certificate" in told.error
