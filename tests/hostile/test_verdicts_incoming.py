"""What comes in gets the answer that the RFCs ask for, and `ringback answer` judges only what is the trunk's.

Requests nobody asked for (I), an ACK that ended an engine (M2), SDP in an offer (M3), damaged requests in a
call (M4), calls to users that are not ours (M7).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.engine.rtp import Talker, talking_at
from tests.engine.scripted import Dialog, Scripted, rtp_target, scripted, sdp
from tests.engine.waiting import until
from tests.helpers.command import Ended
from tests.helpers.sip_client import Message
from tests.helpers.waiting import wait_for
from tests.hostile.at_the_command_line import Started, command
from tests.hostile.hostile_far import ask, finding, politeness
from tests.hostile.hostile_messages import MESSAGES

MISSED = '\n      "id": "CALL-IN-MISSED"'
METHODS = "INVITE, ACK, BYE, CANCEL, UPDATE, PRACK, INFO, OPTIONS, NOTIFY, REFER"


@asynccontextmanager
async def waiting(
    tmp_path: Path, *options: object, **settings: str
) -> AsyncIterator[tuple[Scripted, Started]]:
    """A far end, and `ringback answer` that is signed in there as 1001."""
    words = ("answer", "Far", "--ring", 0.5, "--seconds", 20, *options)
    async with scripted() as far, command(tmp_path, far, *words, **settings) as started, politeness(far):
        if settings.get("sign_in") != "address":
            asked = await far.next("REGISTER")
            far.respond(asked, "200 OK", f"Contact: {asked.one('Contact')};expires=300")
        await until(lambda: far.engine[1], "the engine's address")
        await far.ping()
        yield far, started


async def answer_of(far: Scripted, call_id: str, *, seconds: float = 10.0) -> Message:
    """The final answer to what was sent with this Call-ID."""

    def found() -> list[Message]:
        return [one for one in far.received if one.code >= 200 and one.one("Call-ID") == call_id]

    return (await until(found, f"the answer to {call_id}", seconds))[0]


async def taken(far: Scripted, talker: Talker, caller: str = "far") -> Dialog:
    """A call that the command has answered, with audio from the far end."""
    dialog = far.calls(caller=caller)
    dialog.invite(sdp(talker.port, formats="0"))
    answer = await far.next("INVITE", 200)
    talker.to = rtp_target(answer)
    dialog.ack(answer)
    return dialog


async def asked_inside(far: Scripted, dialog: Dialog, method: str, *headers: str) -> Message:
    """What a request inside the call is answered."""
    dialog.send(method, *headers)
    cseq = f"{dialog.cseq} {method}"
    found = await until(lambda: [m for m in far.received if m.code and m.one("CSeq") == cseq], cseq)
    return found[0]


async def hung_up(far: Scripted, dialog: Dialog, started: Started) -> Ended:
    """The far end hangs up, which is taken for what it is."""
    assert (await asked_inside(far, dialog, "BYE")).code == 200
    return await started.end()


def says_what_we_can(message: Message) -> None:
    """RFC 3261 section 11.2: Allow, Accept and Supported."""
    assert METHODS in message.one("Allow")
    assert "application/sdp" in message.one("Accept")
    assert "timer" in message.one("Supported")


# I. Inside a call


def test_requests_inside_a_call_are_answered_and_it_goes_on(tmp_path: Path) -> None:
    async def run() -> Ended:
        async with talking_at() as talker, waiting(tmp_path, sign_in="address") as (far, started):
            dialog = await taken(far, talker)
            for method in ("OPTIONS", "INFO", "OPTIONS"):
                answer = await asked_inside(far, dialog, method)
                assert answer.code == 200, answer
                says_what_we_can(answer)
            unknown = await asked_inside(far, dialog, "NEWMETHOD")
            assert (unknown.code, METHODS in unknown.one("Allow")) == (405, True), unknown
            event = await asked_inside(far, dialog, "NOTIFY", "Event: nobody", "Subscription-State: active")
            assert (event.code, event.one("Allow-Events")) == (489, "refer")
            extension = await asked_inside(far, dialog, "OPTIONS", "Require: nothingSupportsThis")
            assert (extension.code, extension.one("Unsupported")) == (420, "nothingSupportsThis")
            await until(lambda: len(talker.heard) > 8000, "a second of audio")
            return await hung_up(far, dialog, started)

    ended = asyncio.run(run())
    assert (ended.code, ended.finding_ids) == (0, ["CALL-IN-HEARD"])
    assert "came in, and so did sound" in finding(ended, "CALL-IN-HEARD")["title"]


# I. Outside of one


def test_requests_outside_a_call_are_answered_as_the_rfcs_say(tmp_path: Path) -> None:
    expected = {
        "out-of-call-bye": (481, "", ""),
        "out-of-call-cancel": (481, "", ""),
        "out-of-call-info": (481, "", ""),
        "out-of-call-register": (405, "Allow", METHODS),
        "out-of-call-newmethod": (405, "Allow", METHODS),
        "out-of-call-message": (405, "Allow", METHODS),
        "out-of-call-notify": (489, "Allow-Events", "refer"),
        "out-of-call-notify-unknown": (489, "Allow-Events", "refer"),
        "out-of-call-subscribe-unknown": (489, "Allow-Events", "refer"),
        "extension-require-in-options": (420, "Unsupported", "nothingSupportsThis"),
    }

    async def run() -> Ended:
        async with waiting(tmp_path, "--wait", 8, sign_in="address") as (far, started):
            for name, (code, header, value) in expected.items():
                answer = await answer_of(far, ask(far, MESSAGES[name]))
                assert answer.code == code, (name, answer)
                assert not header or value in answer.one(header), (name, answer)
            says_what_we_can(await answer_of(far, ask(far, MESSAGES["out-of-call-options"])))
            return await started.end()

    ended = asyncio.run(run())
    assert (ended.code, ended.json["call"]) == (1, None), "none of them is a call"
    assert "ENGINE-LOST" not in ended.finding_ids


@pytest.mark.parametrize(
    ("name", "code", "header", "value", "words"),
    [
        (
            "extension-session-timer",
            422,
            "Min-SE",
            "90",
            "asks for a session interval (Session-Expires) that is too short; it should call again with 90",
        ),
        (
            "extension-require",
            420,
            "Unsupported",
            "nothingSupportsThis",
            "the caller requires nothingSupportsThis",
        ),
        ("extension-body-type", 415, "Accept", "application/sdp", "in a form that Ringback does not know"),
        ("address-invite-c-254", 488, "", "", "the caller's description of its audio can't be used"),
    ],
)
def test_a_call_that_is_refused_unasked_is_shown_with_its_reason(
    name: str, code: int, header: str, value: str, words: str, tmp_path: Path
) -> None:
    async def run() -> Ended:
        async with waiting(tmp_path, sign_in="address") as (far, started):
            answer = await answer_of(far, ask(far, MESSAGES[name]))
            assert answer.code == code
            assert value in answer.one(header)
            return await started.end()

    ended = asyncio.run(run())
    assert (ended.code, ended.json["call"]["sip_code"]) == (1, code)
    assert ended.finding_ids[0] == "CALL-IN-REFUSED"
    found = finding(ended, "CALL-IN-REFUSED")
    assert words in found["meaning"]
    assert not [cause for cause in found["causes"] if "codecs" in cause]
    if name.startswith("address"):
        repaired = finding(ended, "SIP-REPAIRED")
        assert "SDP c=" in repaired["meaning"]
        assert any('"c=IN IP4 aaaa' in line for line in repaired["evidence"])


# B. A caller's name in Latin-1


def test_a_caller_named_in_latin_1_rings_and_is_in_the_history(tmp_path: Path) -> None:
    async def run() -> tuple[Ended, str]:
        async with waiting(tmp_path, "--reject", "busy", sign_in="address") as (far, started):
            answer = await answer_of(far, ask(far, MESSAGES["display-name-latin-1"]))
            assert answer.code == 486
            ended = await started.end()
            return ended, (await asyncio.to_thread(started.ringback.run, "history", "--show", 1)).out

    ended, history = asyncio.run(run())
    assert ended.code == 0
    assert ended.json["from"].startswith('"Identité refusée" <sip:far@')
    assert "Identité refusée" in history
    assert "INVITE sip:1001@" in history
    assert "SIP/2.0 486" in history


# M2, M4. What ended an engine, beside a call and inside one


def test_an_ack_that_fits_nothing_ends_no_engine_and_no_call(tmp_path: Path) -> None:
    async def run() -> Ended:
        async with talking_at() as talker, waiting(tmp_path, sign_in="address") as (far, started):
            dialog = far.calls()
            host, port = far.engine
            ack = [
                f"ACK sip:1001@{host}:{port} SIP/2.0",
                f"Via: SIP/2.0/UDP 127.0.0.1:{far.port};rport;branch=z9hG4bKother",
                f"From: {dialog.ours}",
                f"To: {dialog.theirs}",
                f"Call-ID: {dialog.call_id}",
                f"CSeq: {dialog.cseq + 1} ACK",
            ]
            dialog.invite(sdp(talker.port, formats="0"))
            far.send(ack)
            answer = await far.next("INVITE", 200)
            far.send(ack)
            talker.to = rtp_target(answer)
            dialog.ack(answer)
            await until(lambda: len(talker.heard) > 8000, "a second of audio")
            assert not [m for m in far.received if m.code == 482], "an ACK was answered"
            return await hung_up(far, dialog, started)

    ended = asyncio.run(run())
    assert (ended.code, ended.finding_ids) == (0, ["CALL-IN-HEARD"])


def test_damaged_requests_inside_a_call_end_no_engine(tmp_path: Path) -> None:
    async def run() -> Ended:
        async with talking_at() as talker, waiting(tmp_path, sign_in="address") as (far, started):
            dialog = await taken(far, talker)
            of_call = {"from": dialog.ours, "to": dialog.theirs, "call_id": dialog.call_id}
            for name in ("mutated-offer-number-0", "mutated-bye-from-tag", "mutated-update-require"):
                ask(far, MESSAGES[name], **of_call, target=dialog.target, from_tag=dialog.tags[0], to_tag="x")
                await far.ping()
            bye = MESSAGES["mutated-bye-other-branch"]
            ask(far, bye, **of_call, target=dialog.target, number=dialog.cseq + 1)
            return await started.end()

    ended = asyncio.run(run())
    assert "ENGINE-LOST" not in ended.finding_ids
    assert (ended.json["call"]["result"], ended.json["call"]["hung_up_by"]) == ("answered", "them")
    assert ended.err == ""


def test_two_calls_that_end_in_one_turn_are_both_judged(tmp_path: Path) -> None:
    async def run() -> tuple[Ended, list[str]]:
        options = ("--stay", "--ring", 20)
        async with talking_at() as talker, waiting(tmp_path, *options, sign_in="address") as (far, started):
            dialogs = [far.calls(caller=caller) for caller in ("one", "two")]
            branches = [dialog.invite(sdp(talker.port, formats="0")) for dialog in dialogs]
            await until(lambda: len(far.of("INVITE", 180)) == 2, "both to ring")
            for dialog, branch in zip(dialogs, branches, strict=True):
                dialog.send("CANCEL", cseq=dialog.cseq, branch=branch)
            await until(lambda: len({m.one("Call-ID") for m in far.of("INVITE", 487)}) == 2, "both to end")
            await asyncio.to_thread(wait_for_two, started)
            started.running.ctrl_c()
            ended = await started.end()
            calls = await asyncio.to_thread(started.ringback.run, "history", "--json")
            return ended, [call["result"] for call in calls.json["calls"]]

    ended, results = asyncio.run(run())
    assert (ended.code, ended.out.count(MISSED)) == (130, 2)
    assert results == ["cancelled", "cancelled"]


def wait_for_two(started: Started) -> None:
    """Until `answer --stay` has given an object for each of two calls."""
    wait_for(lambda: started.running.out.count(MISSED) == 2, "two verdicts")


# M7. A call to a user that is not ours


@pytest.mark.parametrize("name", ["stranger-user-100", "stranger-scanner"])
def test_a_call_to_another_user_is_refused_at_once_and_judged_by_nobody(name: str, tmp_path: Path) -> None:
    async def run() -> tuple[Ended, int]:
        async with (
            talking_at() as talker,
            scripted() as stranger,
            waiting(tmp_path, "--wait", 30) as (far, started),
        ):
            stranger.engine = far.engine
            answer = await answer_of(stranger, ask(stranger, MESSAGES[name]), seconds=2.0)
            assert answer.code == 404
            assert not [one for one in stranger.received if one.code == 180], "it rang"
            dialog = await taken(far, talker)
            await until(lambda: len(talker.heard) > 8000, "a second of audio")
            ended = await hung_up(far, dialog, started)
            calls = await asyncio.to_thread(started.ringback.run, "history", "--json")
            return ended, calls.json["count"]

    ended, count = asyncio.run(run())
    assert (ended.code, ended.finding_ids) == (0, ["CALL-IN-HEARD"])
    assert ended.json["strangers_refused"] == 1
    assert count == 1, "the stranger's call is no call of the trunk"


def test_a_scanner_alone_rings_nowhere_and_alarms_nobody(tmp_path: Path) -> None:
    async def run() -> Ended:
        async with scripted() as stranger, waiting(tmp_path, "--wait", 8) as (far, started):
            stranger.engine = far.engine
            for name in ("stranger-scanner", "stranger-user-admin", "stranger-user-expensive"):
                assert (await answer_of(stranger, ask(stranger, MESSAGES[name]))).code == 404
            return await started.end()

    ended = asyncio.run(run())
    assert (ended.code, ended.json["from"], ended.json["call"]) == (1, None, None), "no call came"
    assert ended.json["strangers_refused"] == 3
    assert [one["verdict"] for one in ended.json["findings"]] == ["pass"]
    assert ended.err == ""
