"""The file behind `ca_file`: what is in it, what is refused, and in which words."""

from __future__ import annotations

import os
import ssl
import sys
from pathlib import Path

import pytest

from app.ca_file import MOST_BYTES, MOST_CERTIFICATES, certificates_in, check_ca_file, load_ca_file
from app.errors import SettingError
from tests.peers.certificates import Authority

BROKEN = b"-----BEGIN CERTIFICATE-----\nMIIBejCCASGgAwIBAgIUQwLPXp4Bkz8pT8zC7H\n-----END CERTIFICATE-----\n"


@pytest.fixture(scope="module")
def pem() -> bytes:
    """A CA's certificate."""
    return Authority.create("Test CA").pem


def told(path: Path | str) -> str:
    """Why a file is refused, the same when it is saved and when it is used."""
    with pytest.raises(SettingError) as saved:
        check_ca_file(str(path))
    with pytest.raises(SettingError) as used:
        load_ca_file(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), str(path))
    assert str(saved.value) == str(used.value)
    assert saved.value.field == used.value.field == "ca_file"
    assert saved.value.what.startswith("CA file (ca_file) ")
    assert saved.value.do
    return saved.value.what


def test_it_is_given_back_as_an_absolute_path(
    pem: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ca.pem").write_bytes("# Grüße\n".encode() + pem)
    monkeypatch.chdir(tmp_path)
    assert check_ca_file("ca.pem") == str(tmp_path / "ca.pem")
    assert check_ca_file("") == ""


def test_every_form_of_a_certificate_is_loaded(pem: bytes, tmp_path: Path) -> None:
    der = ssl.PEM_cert_to_DER_cert(pem.decode())
    file = tmp_path / "Zertifikat für Bücher.crt"
    for content in (
        pem,
        der,
        pem.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf# \xff\xfe comment\n" + pem + b"trailing \xff",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" + pem,
        b"-----BEGIN nonsense\n" + pem,
        pem.replace(b"BEGIN CERT", b"BEGIN X509 CERT").replace(b"END CERT", b"END X509 CERT"),
    ):
        file.write_bytes(content)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        load_ca_file(context, str(file))
        assert len(context.get_ca_certs()) == 1
        assert check_ca_file(str(file)) == str(file)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        BROKEN,
        b"\0\xff",
        BROKEN[:40],
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
    ],
)
def test_a_file_without_a_certificate_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "ca.pem").write_bytes(content)
    assert told(tmp_path / "ca.pem").endswith("has no usable certificate in it.")


def test_what_can_not_be_read_is_refused_by_name(tmp_path: Path) -> None:
    assert told(tmp_path / "none.pem").endswith(f"none.pem\" can't be read: {os.strerror(2)}.")
    assert told(tmp_path).endswith("it is a folder, not a file.")
    assert "a[U+0000]b" in told("a\0b")


def test_a_user_who_does_not_exist_is_told() -> None:
    with pytest.raises(SettingError, match="can't be read"):
        check_ca_file("~nobody-of-this-name/ca.pem")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files")
@pytest.mark.timeout(60)
def test_endless_and_waiting_files_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    assert "it is a pipe, not a file" in told(tmp_path / "pipe")
    assert "it is a device, not a file" in told("/dev/zero")
    assert "it is a device, not a file" in told(tmp_path / "link")


def test_a_file_that_is_too_large_is_refused(pem: bytes, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(pem + b"#" * (MOST_BYTES + 1 - len(pem)))
    assert "it is larger than 1 MB" in told(tmp_path / "ca.pem")
    (tmp_path / "ca.pem").write_bytes(pem + b"#" * (MOST_BYTES - len(pem)))
    assert check_ca_file(str(tmp_path / "ca.pem"))


def test_more_certificates_than_anybody_needs_are_refused(pem: bytes, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(pem * (MOST_CERTIFICATES + 1))
    assert "more than 300 certificates" in told(tmp_path / "ca.pem")


@pytest.mark.parametrize(
    "unit",
    [
        b"-----BEGIN CERTIFICATE-----\n",
        b"-----BEGIN ",
        b"-----BEGIN CERTIFICATE----------END ",
        b"-----BEGIN CERTIFICATE-----\n-----END C-----\n",
        b"-----END CERTIFICATE-----\n",
        b"-",
    ],
)
@pytest.mark.timeout(60)
def test_no_text_is_looked_through_without_end(unit: bytes) -> None:
    data = (unit * MOST_BYTES)[:MOST_BYTES]
    assert sum(map(len, certificates_in(data))) <= len(data)
