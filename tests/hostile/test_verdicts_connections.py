"""What a person sees when a connection, or the engine itself, goes away: the real command line.

A server that closes its connection (D), messages over TCP without Content-Length (H), an engine that hangs
(M5), and a server that refuses for a while after an engine was lost (M11).
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.cli.calls import WAIT_WORDS
from app.model.trunk import Transport
from app.sip.syntax.message import Message
from tests.engine.rtp import talking_at
from tests.engine.scripted import HOST, rtp_target, scripted, sdp
from tests.engine_edge.certificates import Issuer, authority
from tests.engine_edge.servers import Peer, Provider
from tests.helpers.command import Ringback, Running
from tests.hostile.at_the_command_line import PASSWORD, command
from tests.hostile.hostile_far import finding, politeness
from tests.hostile.hostile_messages import MESSAGES
from tests.hostile.hostile_values import answer_values

BACK_S = 20.0
"""A lost connection is made again within this; its first pause is a few seconds."""


@contextmanager
def provider(transport: Transport, tmp_path: Path) -> Iterator[tuple[Provider, dict[str, str]]]:
    """A server over TCP or TLS, and the settings of a trunk that leads there."""
    settings = {"host": HOST, "user": "1001", "transport": str(transport)}
    context = None
    if transport is Transport.TLS:
        issuer: Issuer = authority(tmp_path)
        context = issuer.server(HOST).context()
        settings["ca_file"] = issuer.ca_file()
    with Provider(context) as served:
        yield served, {**settings, "port": str(served.port)}


@contextmanager
def started(tmp_path: Path, settings: dict[str, str], *spoken: object) -> Iterator[Running]:
    """A command with the trunk "Far"."""
    ringback = Ringback(tmp_path)
    ringback.save("Far", **settings)
    with ringback.start(*spoken, password=PASSWORD) as running:
        yield running


def grant(peer: Peer) -> Message:
    """Accept the next REGISTER."""
    asked = peer.receive("REGISTER")
    peer.answer(asked, "200 OK", f"Contact: {asked.first('contact')};expires=300")
    return asked


def say(peer: Peer, asked: bytes, name: str) -> None:
    """Answer with a hostile message."""
    host, port = peer.local.rsplit(":", 1)
    values = answer_values(asked, server=(host, int(port)), source=(HOST, int(peer.remote.rsplit(":")[-1])))
    peer.send_raw(MESSAGES[name].filled(values))


def sign_out(peer: Peer, running: Running) -> None:
    """Ctrl-C, and what it sends."""
    running.ctrl_c()
    asked = peer.receive("REGISTER")
    assert "expires: 0" in str(asked.headers).lower() or "expires=0" in asked.first("contact")
    peer.answer(asked, "200 OK")


# D. A connection that dies


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.TLS], ids=str)
def test_a_closed_connection_is_shown_and_registered_again(transport: Transport, tmp_path: Path) -> None:
    with (
        provider(transport, tmp_path) as (served, settings),
        started(tmp_path, settings, "register", "Far", "--stay") as running,
    ):
        first = served.accept()
        grant(first)
        running.wait_for("Staying signed in.")
        first.close()
        running.wait_for("connecting: connection lost", seconds=5)
        second = served.accept()
        grant(second)
        running.wait_for("  registered", seconds=BACK_S)
        sign_out(second, running)
        ended = running.end()
    assert ended.code == 130


def test_a_call_over_the_new_connection_rings(tmp_path: Path) -> None:
    with (
        provider(Transport.TCP, tmp_path) as (served, settings),
        started(tmp_path, settings, "answer", "Far", "--reject", "busy") as running,
    ):
        first = served.accept()
        grant(first)
        running.wait_for(WAIT_WORDS)
        first.close()
        second = served.accept()
        asked = grant(second)
        target = asked.first("contact").partition("<")[2].partition(">")[0]
        second.send(
            f"INVITE {target} SIP/2.0",
            f"Via: {second.via};branch=z9hG4bKnew",
            "Max-Forwards: 70",
            f"From: <sip:far@{HOST}>;tag=far",
            f"To: <sip:1001@{HOST}>",
            "Call-ID: after-the-loss",
            "CSeq: 1 INVITE",
            f"Contact: <sip:far@{second.local};transport=tcp>",
            "Content-Type: application/sdp",
            body="\r\n".join([*sdp(40000, formats="0"), ""]),
        )
        assert second.receive_final().start.startswith("SIP/2.0 486")
        second.send(
            f"ACK {target} SIP/2.0",
            f"Via: {second.via};branch=z9hG4bKnew",
            f"From: <sip:far@{HOST}>;tag=far",
            f"To: <sip:1001@{HOST}>",
            "Call-ID: after-the-loss",
            "CSeq: 1 ACK",
        )
        asked = second.receive("REGISTER")
        second.answer(asked, "200 OK")
        ended = running.end()
    assert ended.code == 0
    assert f"A call from <sip:far@{HOST}>" in ended.out


# A, H. Over TCP


@pytest.mark.parametrize(
    ("transport", "name", "header", "code", "ids"),
    [
        (Transport.TLS, "via-received-port", "Via", 1, ["REG-403", "SIP-REPAIRED"]),
        (Transport.TCP, "via-received-port", "Via", 1, ["REG-403", "SIP-REPAIRED"]),
        (Transport.TCP, "contact-star-alone", "Contact", 0, ["REG-NOCONTACT", "SIP-REPAIRED", "REG-OK"]),
        (Transport.TCP, "no-length-register-401", "Content-Length", 1, ["REG-403", "SIP-REPAIRED"]),
        (Transport.TCP, "no-length-register-200", "Content-Length", 0, ["SIP-REPAIRED", "REG-OK"]),
    ],
)
def test_a_hostile_answer_over_a_connection_is_repaired(
    transport: Transport, name: str, header: str, code: int, ids: list[str], tmp_path: Path
) -> None:
    with (
        provider(transport, tmp_path) as (served, settings),
        started(tmp_path, settings, "register", "Far", "--json") as running,
    ):
        peer = served.accept()
        say(peer, peer.receive_raw(), name)
        # After a challenge the password comes, after a yes the sign-out
        peer.answer(peer.receive("REGISTER"), "403 Forbidden" if code else "200 OK")
        ended = running.end()
    assert (ended.code, ended.finding_ids) == (code, ids)
    assert ended.err == ""
    assert f"Its {header} " in finding(ended, "SIP-REPAIRED")["meaning"]


def test_an_answer_to_a_call_without_length_over_tcp_is_repaired(tmp_path: Path) -> None:
    spoken = ("call", "Far", "600", "--seconds", 1, "--json")
    with (
        provider(Transport.TCP, tmp_path) as (served, settings),
        started(tmp_path, {**settings, "sign_in": "address"}, *spoken) as running,
    ):
        peer = served.accept()
        peer.answer(peer.receive("OPTIONS"), "200 OK")
        raw = peer.receive_raw()
        assert raw.startswith(b"INVITE")
        say(peer, raw, "no-length-invite-200")
        peer.receive("ACK")
        peer.answer(peer.receive("BYE"), "200 OK")
        ended = running.end()
    assert ended.json["result"] == "answered"
    assert "Its Content-Length is missing" in finding(ended, "SIP-REPAIRED")["meaning"]
    # No audio is sent here
    assert ended.finding_ids == ["CALL-SHORT", "SIP-REPAIRED", "CALL-ANSWERED"]


# M5, M11. An engine that hangs or is lost


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="Windows can't stop a process")
def test_a_hung_engine_ends_the_call_in_words(tmp_path: Path) -> None:
    async def run() -> None:
        spoken = ("call", "Far", "600", "--seconds", 3)
        async with (
            talking_at() as talker,
            scripted() as far,
            command(tmp_path, far, *spoken, sign_in="address") as running,
            politeness(far),
        ):
            invite = await far.next("INVITE")
            talker.to = rtp_target(invite)
            far.called(invite).respond("200 OK", body=sdp(talker.port, formats="0"))
            await far.next("ACK")
            (engine,) = running.running.children("engine")
            os.kill(engine, signal.SIGSTOP)
            ended = await asyncio.wait_for(running.end(), 40)
            assert (ended.code, ended.finding_ids) == (1, ["ENGINE-LOST"])
            assert ended.json["result"] == "lost"
            assert "the far end may still have the call open" in ended.json["reason"]
            found = finding(ended, "ENGINE-LOST")
            assert "not of the provider" in found["meaning"]

    asyncio.run(run())


def test_a_passing_refusal_after_a_loss_is_no_last_word(tmp_path: Path) -> None:
    """All four at a time: the first pause after a refusal is 30 s."""

    async def run(status: str) -> None:
        folder = tmp_path / status[:3]
        folder.mkdir()
        async with (
            scripted() as far,
            command(folder, far, "register", "Far", "--stay", as_json=False) as begun,
            politeness(far),
        ):
            asked = await far.next("REGISTER")
            far.respond(asked, "200 OK", f"Contact: {asked.one('Contact')};expires=300")
            await asyncio.to_thread(begun.running.wait_for, "Staying signed in.")
            (engine,) = begun.running.children("engine")
            os.kill(engine, signal.SIGKILL)
            asked = await far.next("REGISTER", seconds=20)
            far.respond(asked, status, "Retry-After: 1")
            await asyncio.to_thread(begun.running.wait_for, "It is started again", seconds=20)
            asked = await far.next("REGISTER", seconds=45)
            far.respond(asked, "200 OK", f"Contact: {asked.one('Contact')};expires=300")
            await asyncio.to_thread(begun.running.wait_for, "  registered", seconds=20)
            assert status[4:] in begun.running.out, begun.running.out
            begun.running.ctrl_c()
            assert (await begun.end()).code == 130

    async def all_of_them() -> None:
        statuses = ("403 Forbidden", "429 Slow Down", "480 Gone", "486 Busy Here")
        await asyncio.gather(*map(run, statuses))

    asyncio.run(all_of_them())
