"""Host names that the operating system is asked for: hosts file, names of this network, no name server."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable

import pytest

from app.model.outcome import LocalCause
from app.model.trunk import Transport
from app.sip import dns_answers
from app.sip.local_network import ask_system, has_route
from app.sip.targets import Resolution, ResolveError, resolve
from tests.helpers.name_lookups import look_up, shown


def test_what_dns_does_not_know_the_system_is_asked_for() -> None:
    async def hosts_file(name: str) -> tuple[str, ...]:
        return {"pbx.office.test": ("192.0.2.7", "2001:db8::7")}[name]

    found, _ = look_up("", "pbx.office.test", transport=Transport.TCP, system=hosts_file)
    assert shown(found) == [
        "tcp 192.0.2.7:5060 (pbx.office.test)",
        "tcp [2001:db8::7]:5060 (pbx.office.test)",
    ]


@pytest.mark.parametrize("host", ["pbx", "localhost", "my.localhost", "printer.local"])
def test_names_of_this_network_go_to_the_system_and_not_to_dns(host: str) -> None:
    async def hosts_file(name: str) -> tuple[str, ...]:
        return ("192.0.2.8",) if name == host else ()

    found, asked = look_up("", host, system=hosts_file)
    assert shown(found) == [f"udp 192.0.2.8:5060 ({host})"]
    assert asked == []


def test_an_unknown_name_of_this_network_is_named() -> None:
    with pytest.raises(ResolveError) as caught:
        look_up("", "pbx")
    assert caught.value.cause is LocalCause.NAME_NOT_FOUND
    assert "pbx" in caught.value.what


def test_localhost_works_without_any_name_server() -> None:
    found = asyncio.run(resolve("localhost", 5070, Transport.TCP))
    assert "127.0.0.1" in [target.address for target in found.targets]
    assert {target.port for target in found.targets} == {5070}


def test_a_system_without_name_servers_still_has_its_hosts_file(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hosts_file(name: str) -> tuple[str, ...]:
        return ("192.0.2.7",) if name == "pbx.office.test" else ()

    monkeypatch.setattr(dns_answers, "system_resolver", lambda: None)

    def run(host: str) -> Resolution:
        return asyncio.run(
            resolve(host, None, Transport.UDP, system=hosts_file, reachable=lambda address, port: True)
        )

    assert shown(run("pbx.office.test")) == ["udp 192.0.2.7:5060 (pbx.office.test)"]
    with pytest.raises(ResolveError) as caught:
        run("sip.example.test")
    assert caught.value.cause is LocalCause.NAME_SERVER_SILENT
    assert "no name server" in caught.value.details


def test_a_system_lookup_that_hangs_ends_within_the_limit() -> None:
    async def hangs(name: str) -> tuple[str, ...]:
        await asyncio.Event().wait()
        return ()

    with pytest.raises(ResolveError) as caught:
        look_up("", system=hangs, limit_s=0.3)
    assert caught.value.cause is LocalCause.NAME_NOT_FOUND
    with pytest.raises(ResolveError) as caught:
        look_up("", "pbx", system=hangs, limit_s=0.3)
    assert caught.value.cause is LocalCause.NAME_SERVER_SILENT


def test_the_systems_lookup_tells_an_unknown_name_from_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(code: int) -> Callable[..., object]:
        def getaddrinfo(*args: object, **kwargs: object) -> object:
            raise socket.gaierror(code, "test")

        return getaddrinfo

    monkeypatch.setattr(socket, "getaddrinfo", fails(socket.EAI_NONAME))
    assert asyncio.run(ask_system("example.test")) == ()
    monkeypatch.setattr(socket, "getaddrinfo", fails(socket.EAI_AGAIN))
    with pytest.raises(socket.gaierror):
        asyncio.run(ask_system("example.test"))


def test_a_stuck_system_lookup_does_not_hold_up_the_end_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck, go_on = threading.Event(), threading.Event()

    def getaddrinfo(*args: object, **kwargs: object) -> list[object]:
        stuck.set()
        go_on.wait(30)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(ask_system("example.test"), 0.1))
    assert stuck.is_set()
    assert not go_on.is_set()
    # The late answer meets a closed loop
    threads = [thread for thread in threading.enumerate() if "example.test" in thread.name]
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)


def test_a_route_is_known_to_loopback_and_not_to_what_is_no_address() -> None:
    assert has_route("127.0.0.1", 5060)
    assert not has_route("999.0.0.1", 5060)
