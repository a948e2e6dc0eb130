"""Keys in clear text, passwords in clear text, calls that carry no audio: each is called what it is."""

from __future__ import annotations

from pathlib import Path

from tests.engine.scripted import sdp
from tests.hostile.verdicts import FarEnd, answer, call, fails, passes, register, said, together, warns


async def _asks_for_clear_text(at: FarEnd) -> None:
    request = await at.far.next("REGISTER")
    at.far.respond(request, "401 Unauthorized", 'WWW-Authenticate: Basic realm="far"')


async def _is_called(at: FarEnd) -> None:
    await at.answers()
    await at.is_hung_up()


async def _calls(at: FarEnd, *, direction: str) -> None:
    port = int(at.echo[5].split()[1])
    dialog, response = await at.calls(body=sdp(port, formats="0", direction=direction))
    dialog.ack(response)
    await at.is_hung_up()


def test_what_is_sent_in_clear_text_is_called_that(tmp_path: Path) -> None:
    ended = together(
        tmp_path,
        {
            "password": register(_asks_for_clear_text),
            "keys": call(_is_called, "--seconds", 2, srtp="offer"),
            "no keys": call(_is_called, "--seconds", 2),
        },
    )
    fails(ended["password"], "AUTH-BASIC", "clear text (Basic)")
    assert ended["password"].json["answered_by"] == "network"
    assert ended["password"].json["requests_sent"] == 1
    warns(ended["keys"], "SRTP-CLEAR", "over UDP")
    passes(ended["no keys"])


def test_a_call_that_comes_in_without_audio_is_not_blamed_on_the_network(tmp_path: Path) -> None:
    ended = together(
        tmp_path,
        {
            direction: answer(lambda at, direction=direction: _calls(at, direction=direction), "--seconds", 3)
            for direction in ("inactive", "sendrecv")
        },
    )
    passes(ended["sendrecv"])
    fails(ended["inactive"], "RTP-NONE", "a=inactive")
    assert "irewall" not in said(ended["inactive"])
