"""SIP over TLS at the carrier: its certificate, and connections on which TLS does not come about."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import UserError
from app.model.trunk import Transport
from app.providers import catalogue
from app.providers.schema import Method, Signalling
from app.sip.carrier import certificates, transports
from app.sip.carrier.certificates import Identity
from app.sip.carrier.messages import CarrierOptions
from app.sip.carrier.profile import profile_of
from app.sip.carrier.server import Carrier
from tests.carrier.phone import ACCOUNTS, FAST, HOST, Phone, until
from tests.carrier.providers import STRICT, TLS, UDP, provider

OPTIONS = CarrierOptions(timing=FAST, tls=True)
DOMAIN = "my-company.pstn.example.com"


async def shake(carrier: Carrier, *, server_name: str = HOST, ca_pem: str = "", version: str = "") -> str:
    """Open TLS and close it; the version, or the client's reason for not having it."""
    context = ssl.create_default_context(cadata=ca_pem or carrier.ca_pem)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    if version:
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    try:
        _, writer = await asyncio.open_connection(
            HOST, carrier.tls_port, ssl=context, server_hostname=server_name, ssl_shutdown_timeout=1.0
        )
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
    writer.close()
    await writer.wait_closed()
    return tls.version() or ""


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
@pytest.mark.parametrize("name", [HOST, "localhost"])
def test_a_client_that_trusts_the_ca_gets_through_its_strictest_checks(name: str, version: str) -> None:
    async def test() -> None:
        async with Carrier(accounts=ACCOUNTS, options=OPTIONS) as carrier:
            said = await shake(carrier, server_name=name, version=version)
            assert said.replace(".", "_") == version

    asyncio.run(test())


def test_the_certificate_is_for_no_other_name_and_of_no_other_ca() -> None:
    notes: list[str] = []

    async def test() -> None:
        async with (
            Carrier(accounts=ACCOUNTS, options=OPTIONS, note=notes.append) as carrier,
            Carrier(accounts=ACCOUNTS, options=OPTIONS) as other,
        ):
            assert "Hostname mismatch" in await shake(carrier, server_name="sip.example.com")
            assert "unable to get local issuer" in await shake(carrier, ca_pem=other.ca_pem)
            await until(lambda: len(notes) == 2, "a note about each")

    asyncio.run(test())
    assert all(note.startswith(f"no TLS with tls {HOST}:") for note in notes)
    assert all("it may not trust the certificate" in note for note in notes)


def test_what_a_client_says_about_the_certificate_is_told() -> None:
    notes: list[str] = []

    def shake_blocking(port: int, context: ssl.SSLContext) -> None:
        with (
            socket.create_connection((HOST, port)) as sock,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            context.wrap_socket(sock, server_hostname=HOST)

    async def test() -> None:
        async with Carrier(accounts=ACCOUNTS, options=OPTIONS, note=notes.append) as carrier:
            # Trusts nobody; asyncio's client would hang up without a word
            await asyncio.to_thread(shake_blocking, carrier.tls_port, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
            await until(lambda: notes, "a note about the alert")

    asyncio.run(test())
    assert len(notes) == 1
    assert "unknown ca" in notes[0]


@pytest.mark.parametrize("name", [DOMAIN, "other.pstn.example.com", HOST])
def test_while_a_provider_is_played_it_is_for_the_providers_hosts(name: str) -> None:
    async def test() -> None:
        async with Carrier(
            accounts=ACCOUNTS, options=CarrierOptions(timing=FAST), profile=profile_of(STRICT)
        ) as carrier:
            assert (await shake(carrier, server_name=name)).startswith("TLSv1")
            phone = await Phone.open(
                carrier.tls_port, transport="tls", ca_pem=carrier.ca_pem, server_name=name
            )
            async with phone:
                phone.domain, phone.caller = DOMAIN, "+15145550100"
                call = await phone.call("+15145550199")
                assert (await call.bye()).status_code == 200

    asyncio.run(test())


def test_there_is_tls_only_where_the_provider_has_it_or_it_is_asked_for() -> None:
    async def ports(carrier: Carrier) -> tuple[bool, bool, bool, bool]:
        async with carrier:
            open_ports = (carrier.udp_port, carrier.tcp_port, carrier.tls_port, carrier.ca_pem)
            return tuple(map(bool, open_ports))  # type: ignore[return-value]  # four of them

    def playing(*offered: object) -> Carrier:
        facts = provider(Method.REGISTER, signalling=Signalling(transports=offered))  # type: ignore[arg-type]  # facts
        return Carrier(accounts={}, options=OPTIONS, profile=profile_of(facts))

    assert asyncio.run(ports(Carrier(accounts={}))) == (True, True, False, False)
    assert asyncio.run(ports(Carrier(accounts={}, options=OPTIONS))) == (True, True, True, True)
    assert asyncio.run(ports(playing(UDP))) == (True, False, False, False)
    assert asyncio.run(ports(playing(TLS))) == (False, False, True, True)


def test_every_provider_with_tls_has_a_certificate_for_every_server_that_it_lists() -> None:
    secure = [
        one
        for one in catalogue.providers()
        if Transport.TLS in (transport.protocol for transport in one.signalling.transports)
    ]
    assert secure
    for one in secure:
        profile = profile_of(one)
        identity = Identity(profile.certificate_names)
        listed = [server.host.partition("}.")[2] or server.host for server in one.signalling.servers]
        names = [name.removeprefix("*.") for name in profile.certificate_names]
        assert set(listed) <= set(names), one.id
        assert "PRIVATE" not in identity.ca_pem


# Connections without TLS


def test_plain_sip_on_the_tls_port_is_closed_and_others_go_on() -> None:
    notes: list[str] = []

    async def test() -> None:
        async with (
            Carrier(accounts=ACCOUNTS, options=OPTIONS, note=notes.append) as carrier,
            await Phone.open(carrier.tls_port, transport="tcp") as plain,
        ):
            plain.send(plain.build("OPTIONS", f"sip:{HOST}"))
            await until(lambda: plain.closed, "the connection to be closed")
            assert (await shake(carrier)).startswith("TLSv1")

    asyncio.run(test())
    assert sum("no TLS with tls" in note for note in notes) == 1


def test_a_connection_that_says_nothing_is_closed_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transports, "HANDSHAKE_S", 0.05)
    notes: list[str] = []

    async def test() -> None:
        async with (
            Carrier(accounts=ACCOUNTS, options=OPTIONS, note=notes.append) as carrier,
            await Phone.open(carrier.tls_port, transport="tcp") as silent,
        ):
            await until(lambda: silent.closed, "the connection to be closed")
            assert "it took too long" in notes[0]
            phone = await Phone.open(carrier.tls_port, transport="tls", ca_pem=carrier.ca_pem)
            async with phone:
                await asyncio.sleep(0.1)  # longer than a handshake may take
                assert (await phone.register()).status_code == 200

    asyncio.run(test())


def test_an_open_handshake_does_not_outlive_the_carrier() -> None:
    async def test() -> None:
        async with Carrier(accounts=ACCOUNTS, options=OPTIONS) as carrier:
            silent = await Phone.open(carrier.tls_port, transport="tcp")
        async with silent:
            await until(lambda: silent.closed, "the connection to be closed")

    asyncio.run(test())


def test_a_tls_port_in_use_is_named() -> None:
    async def test(port: int) -> None:
        async with Carrier(accounts={}, options=OPTIONS, tls_port=port):
            raise AssertionError("never reached")

    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"Port {port} on 127.0.0.1 is already in use"):
            asyncio.run(test(port))


# Keys


def test_no_key_reaches_the_disk_in_the_clear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextlib.contextmanager
    def kept(**_arguments: object) -> Iterator[str]:
        yield str(tmp_path)

    monkeypatch.setattr(certificates.tempfile, "TemporaryDirectory", kept)
    Identity([HOST])
    (written,) = tmp_path.iterdir()
    text = written.read_text(encoding="ascii")
    assert "BEGIN ENCRYPTED PRIVATE KEY" in text
    assert text.count("PRIVATE KEY") == 2


def test_nothing_of_it_stays_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates.tempfile, "tempdir", str(tmp_path))
    Identity([HOST])
    assert list(tmp_path.iterdir()) == []


def test_without_a_folder_for_temporary_files_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates.tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(UserError, match="can't make its certificate") as caught:
        Identity([HOST])
    assert "temporary files" in caught.value.do
