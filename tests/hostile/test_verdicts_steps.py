"""Registrations that the server does not keep, steps that fail, requests that nobody asked for."""

from __future__ import annotations

from pathlib import Path

from tests.engine.rtp import talking_at
from tests.engine.scripted import rtp_target, sdp
from tests.hostile.verdicts import (
    Case,
    FarEnd,
    answer,
    call,
    fails,
    ids,
    passes,
    register,
    said,
    together,
    warns,
)

_COPIED = ("Via", "From", "To", "Call-ID", "CSeq")
ASKED_S = 300
"""Lifetime of a registration that a trunk asks for unless its settings say otherwise."""


def _registers(seconds: int | None, *headers: str) -> Case:
    """A server that grants this lifetime; None for a 200 without our Contact."""

    async def play(at: FarEnd) -> None:
        request = await at.far.next("REGISTER")
        ours = request.one("Contact").partition(";expires")[0]
        granted = [] if seconds is None else [f"Contact: {ours};expires={seconds}"]
        lines = [f"{name}: {value}" for name, value in request.headers if name in _COPIED]
        at.far.send(["SIP/2.0 200 OK", *lines, *granted, *headers])
        if seconds != 0:
            at.far.respond(await at.far.next("REGISTER"), "200 OK")

    return register(play)


def test_the_contacts_and_lifetimes_of_a_registration_count(tmp_path: Path) -> None:
    ended = together(
        tmp_path,
        {
            "gone": _registers(0),
            "not listed": _registers(None, "Contact: <sip:other@192.0.2.1:5060>;expires=300"),
            "none listed": _registers(None),
            "20": _registers(20),
            "299": _registers(ASKED_S - 1),
            "300": _registers(ASKED_S),
            "with another": _registers(ASKED_S, "Contact: <sip:other@192.0.2.1:5060>;expires=20"),
        },
    )
    fails(ended["gone"], "REG-GONE", "ended it in the same answer")
    warns(ended["not listed"], "REG-NOCONTACT", "does not have this computer in it")
    warns(ended["none listed"], "REG-NOCONTACT", "does not have this computer in it")
    warns(ended["20"], "REG-FLAP", "keeps the registration for 20 s only", "asked for 300 s")
    for harmless in ("299", "300", "with another"):
        passes(ended[harmless])
        assert ids(ended[harmless]) == ["REG-OK"]


async def _registers_briefly_and_is_called(at: FarEnd) -> None:
    request = await at.far.next("REGISTER")
    ours = request.one("Contact").partition(";expires")[0]
    at.far.respond(request, "200 OK", f"Contact: {ours};expires=20")
    await at.answers()
    await at.is_hung_up()
    at.far.respond(await at.far.next("REGISTER"), "200 OK")


def test_a_good_call_does_not_hide_a_registration_that_the_server_drops(tmp_path: Path) -> None:
    play = _registers_briefly_and_is_called
    ended = together(tmp_path, {"20": call(play, "--seconds", 1, sign_in="register")})
    warns(ended["20"], "REG-FLAP", "20 s only")


# Steps


def _gets_events(formats: str, name: str = "telephone-event") -> Case:
    """A far end that takes these formats and must get the digits if it can."""

    async def play(at: FarEnd) -> None:
        async with talking_at(700) as talker:
            body = [line.replace("telephone-event", name) for line in sdp(talker.port, formats=formats)]
            dialog = await at.answers(body=body)
            assert dialog.invite_request is not None
            talker.to = rtp_target(dialog.invite_request)
            await at.is_hung_up()
            assert talker.events == (["1", "2"] if "101" in formats else [])

    return call(play, "--digits", "12", "--seconds", 3)


def test_digits_that_can_not_be_sent_do_not_hide_the_call(tmp_path: Path) -> None:
    ended = together(
        tmp_path,
        {
            "without": _gets_events("0"),
            "capitals": _gets_events("0 101", "TELEPHONE-EVENT"),
            "mixed": _gets_events("0 101", "Telephone-Event"),
            "plain": _gets_events("0 101"),
        },
    )
    for one in ended.values():
        assert (one.json["result"], one.json["sip_code"], one.json["audio"]) == ("answered", 200, "two-way")
        assert "PJ" not in one.json["findings"][0]["title"]
    warns(ended["without"], "DTMF", "12", "telephone-event")
    assert [trouble["step"] for trouble in ended["without"].json["troubles"]] == ["digits"]
    for name in ("capitals", "mixed", "plain"):
        passes(ended[name])
        assert ended[name].json["troubles"] == []


def test_a_call_that_can_not_be_taken_is_a_finding_of_its_own(tmp_path: Path) -> None:
    async def no_codec(at: FarEnd) -> None:
        at.far.calls().invite(sdp(4000, formats="18"))
        await at.far.next("INVITE", 488)

    async def gives_up(at: FarEnd) -> None:
        dialog = at.far.calls()
        branch = dialog.invite(at.echo)
        await at.far.next("INVITE", 180)
        dialog.send("CANCEL", cseq=dialog.cseq, branch=branch)
        await at.far.next("INVITE", 487)

    ended = together(tmp_path, {"no codec": answer(no_codec), "gives up": answer(gives_up)})
    fails(ended["no codec"], "CALL-IN-REFUSED", "no codec in common")
    assert "ncryption" not in said(ended["no codec"])
    assert ended["no codec"].json["call"]["sip_code"] == 488
    assert ids(ended["gives up"]) == ["CALL-IN-MISSED"]
    assert ended["gives up"].code == 1


# Requests of the SIP library


def _names_codecs(formats: str, *, echoes: bool = False) -> Case:
    """A far end that lists these codecs and sends PCMU, or what it gets, and that is left in peace."""

    async def play(at: FarEnd) -> None:
        async with talking_at(700) as talker:
            port = int(at.echo[5].split()[1]) if echoes else talker.port
            dialog = await at.answers(body=sdp(port, formats=formats))
            assert dialog.invite_request is not None
            talker.to = None if echoes else rtp_target(dialog.invite_request)
            await at.is_hung_up()
            assert len({request.one("CSeq") for request in at.far.of("INVITE")}) == 1
            assert not at.far.of("UPDATE")

    return call(play, "--seconds", 3)


def test_an_answer_with_several_codecs_is_left_as_it_is(tmp_path: Path) -> None:
    ended = together(
        tmp_path,
        {
            "two": _names_codecs("0 8"),
            "two and events": _names_codecs("0 8 101"),
            "turned round": _names_codecs("8 0", echoes=True),
            "sends the second": _names_codecs("8 0"),
        },
    )
    for name in ("two", "two and events", "turned round"):
        passes(ended[name])
        assert (ended[name].json["result"], ended[name].json["audio"]) == ("answered", "two-way")
    fails(ended["sends the second"], "RTP-PT", "PCMU and PCMA", "The standard allows that")
