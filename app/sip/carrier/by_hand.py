"""`ringback carrier`: the demo carrier in the terminal, for any SIP phone on this computer."""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from app.errors import UserError
from app.logs import log_on_stderr, stop_logging
from app.providers import catalogue
from app.providers.schema import Field, Method, Provider
from app.sip.carrier.impairment import line_in_words
from app.sip.carrier.messages import CarrierNumber, CarrierOptions, ca_file_name
from app.sip.carrier.process import new_event_loop
from app.sip.carrier.profile import Profile, profile_named
from app.sip.carrier.profile_facts import facts_about
from app.sip.carrier.server import Carrier
from app.terminal import say, say_err, say_json, when_lost

HOST = "127.0.0.1"
DEFAULT_PORT = 5070
"""Not 5060, which a PBX or a softphone on the same computer may have."""

ACCOUNTS = ("1001", "1002", "1003", "1004")
PASSWORD = "ringback"
"""Well known on purpose: the carrier can't be reached from another computer."""

TICK_S = 0.5
"""A selector on Windows does not notice Ctrl-C while it waits, so it never waits longer."""


class CarrierFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What `ringback carrier --json` gives; the keys stay.

    Attributes:
        host, udp_port, tcp_port, tls_port: Where it listens; a port is 0 for a transport that the provider
            has not.
        ca_file: PEM file with the CA to trust for TLS, there until the carrier ends; None without TLS.
        accounts: Users there are, none where only the address counts.
        password: Theirs, the same for all.
        channels: Calls that each may have at a time.
        numbers: What can be dialled.
        provider: Id of the provider that is played, None without one.
        method: How its customers sign in, None without one.
        plays: What is played of it, a sentence each.
        lenient: What is not known of it and taken as it comes, a sentence each.
        line: How bad its lines are on purpose, None when they are good.
    """

    host: str
    udp_port: int
    tcp_port: int
    tls_port: int
    ca_file: str | None
    accounts: tuple[str, ...]
    password: str
    channels: int
    numbers: tuple[CarrierNumber, ...]
    provider: str | None
    method: str | None
    plays: tuple[str, ...]
    lenient: tuple[str, ...]
    line: str | None


def run_by_hand(
    port: int | None = None,
    *,
    folder: Callable[[], Path],
    as_json: bool = False,
    options: CarrierOptions | None = None,
) -> int:
    """Run the carrier until Ctrl-C, or until nobody reads its output; returns the exit code.

    Args:
        port: UDP and TCP port, 0 for any free one; 5070 if not given. TLS has the next one.
        folder: Where the CA's certificate is while the carrier runs; asked for if there is TLS.
        as_json: Print one JSON object in place of the list; what happens then goes to standard error.
        options: Strictness, faults, times, provider to play; without one there is TLS.

    Raises:
        UserError: The port can't be had, the CA's certificate can't be written, or there is no such provider
            or way to sign in.
    """
    options = msgspec.structs.replace(options or CarrierOptions(), tls=True)
    handler = log_on_stderr()
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner, contextlib.suppress(KeyboardInterrupt):
            runner.run(_run(DEFAULT_PORT if port is None else port, folder, as_json, options))
        return 0
    finally:
        stop_logging(handler)


async def _run(port: int, folder: Callable[[], Path], as_json: bool, options: CarrierOptions) -> None:
    log = say_err if as_json else say
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    # Windows has no such handler; there Ctrl-C arrives as KeyboardInterrupt
    with contextlib.suppress(NotImplementedError):
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
    profile = profile_named(options.provider, options.method, encrypted=options.encrypted)
    users, password = (
        _accounts(catalogue.find(profile.provider), profile.method) if profile else (ACCOUNTS, PASSWORD)
    )
    about = facts_about(profile)
    async with Carrier(
        accounts=dict.fromkeys(users, password),
        host=HOST,
        udp_port=port,
        tcp_port=port,
        tls_port=port and port + 1,
        options=options,
        profile=profile,
        note=lambda line: log(f"{time.strftime('%H:%M:%S')}  {line}"),
    ) as carrier:
        with _ca_file(carrier, folder) as ca_file, when_lost(lambda: loop.call_soon_threadsafe(stop.set)):
            facts = CarrierFacts(
                host=HOST,
                udp_port=carrier.udp_port,
                tcp_port=carrier.tcp_port,
                tls_port=carrier.tls_port,
                ca_file=ca_file,
                accounts=users,
                password=password,
                channels=options.channels,
                numbers=carrier.numbers,
                provider=profile.provider if profile else None,
                method=profile.method if profile else None,
                plays=about.plays,
                lenient=about.lenient,
                line=line_in_words(options) or None,
            )
            if as_json:
                say_json(facts)
            else:
                for line in _table(facts, profile):
                    say(line)
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), TICK_S)
        if not as_json:
            say("Stopping: hanging up what is up.")


@contextlib.contextmanager
def _ca_file(carrier: Carrier, folder: Callable[[], Path]) -> Iterator[str | None]:
    """A file with the CA's certificate, there while this is entered; None without TLS."""
    if not carrier.ca_pem:
        yield None
        return
    path = folder() / ca_file_name(carrier.tls_port)
    try:
        path.write_text(carrier.ca_pem, encoding="ascii")
    except OSError as error:
        raise UserError(
            f"The demo carrier can't write {path}: {error.strerror or error}.",
            do="Make some room on the disk, or name another folder with --data-dir.",
            details=repr(error),
        ) from error
    try:
        yield str(path)
    finally:
        with contextlib.suppress(OSError):
            path.unlink()


def _accounts(provider: Provider, method: Method) -> tuple[tuple[str, ...], str]:
    """Users and their password: the usual ones if the provider could give them out, else its example."""
    facts = provider.sign_in(method)
    if method is Method.ADDRESS:
        return (), ""
    users, passwords = _fitting(facts.user if facts else None, ACCOUNTS), (PASSWORD,)
    return users, _fitting(facts.password if facts else None, passwords)[0]


def _fitting(field: Field | None, usual: tuple[str, ...]) -> tuple[str, ...]:
    """Those that match a field's pattern, else its example, and without one the usual ones after all."""
    if field is None or not field.pattern:
        return usual
    fitting = tuple(value for value in usual if re.fullmatch(field.pattern, value))
    return fitting or ((field.example,) if field.example else usual)


def _table(facts: CarrierFacts, profile: Profile | None) -> list[str]:
    width = max(len(number.title) for number in facts.numbers)
    return [
        f"The demo carrier listens on {facts.host}, {_ports(facts)}. Only this computer can reach it.",
        _who(facts),
        *_over_tls(facts, profile),
        *([f"Its lines are bad on purpose: {facts.line}."] if facts.line else ()),
        "",
        *(_played(facts, profile) if profile else ()),
        *(f"  {number.number}  {number.title:<{width}}  {number.what_happens}" for number in facts.numbers),
        "",
        "Ctrl-C ends it.",
        "",
    ]


def _ports(facts: CarrierFacts) -> str:
    ports = {"UDP": facts.udp_port, "TCP": facts.tcp_port, "TLS": facts.tls_port}
    if facts.udp_port and facts.udp_port == facts.tcp_port:
        ports = {"UDP and TCP": facts.udp_port, "TLS": facts.tls_port}
    return ", ".join(f"{name} port {port}" for name, port in ports.items() if port)


def _who(facts: CarrierFacts) -> str:
    calls = f"{facts.channels} calls"
    if not facts.accounts:
        return f"No user and no password: this computer's address counts. {calls} at a time."
    if len(facts.accounts) == 1:
        return f"User {facts.accounts[0]}, password {facts.password}, {calls} at a time."
    return (
        f"Users {facts.accounts[0]} to {facts.accounts[-1]}, password {facts.password},"
        f" {calls} each at a time; they can call each other too."
    )


def _over_tls(facts: CarrierFacts, profile: Profile | None) -> list[str]:
    """How a trunk uses TLS here; nothing without it."""
    if not facts.tls_port:
        return []
    if profile and profile.host:
        where = f"host {profile.host}, outbound proxy {facts.host}:{facts.tls_port}"
    else:
        where = f"host {facts.host}, port {facts.tls_port}"
    return [f"For a trunk over TLS, set transport tls, {where}, and this CA file:", f"  {facts.ca_file}"]


def _played(facts: CarrierFacts, profile: Profile) -> list[str]:
    """About the provider that is played, with an empty line behind."""
    lines = [f"It plays {profile.name}:"]
    lines += [f"  {sentence}" for sentence in facts.plays]
    if profile.host:
        port = facts.udp_port or facts.tcp_port or facts.tls_port
        lines.append(
            f"  For a trunk, set host {profile.host} and outbound proxy {facts.host}:{port};"
            " then nothing leaves this computer."
        )
    if facts.lenient:
        lines += ["", "What is not known or not played:", *(f"  {sentence}" for sentence in facts.lenient)]
    return [*lines, ""]
