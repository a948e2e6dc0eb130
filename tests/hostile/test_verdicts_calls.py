"""A trunk works only when nothing contradicts it: answered calls that went wrong, and those that did not."""

from __future__ import annotations

from pathlib import Path

from tests.hostile.verdicts import (
    Case,
    FarEnd,
    answer,
    call,
    elapsed,
    fails,
    ids,
    passes,
    said,
    together,
    warns,
)

SOON_S = 2.5
"""After the answer."""
REPEATS_S = (0.5, 1.0, 2.0, *[4.0] * 8)
"""Between an answer and its repeats (RFC 3261 section 13.3.1.4)."""

REASONS = {
    "102": 'Q.850;cause=102;text="Recovery on timer expiry"',
    "41": 'Q.850;cause=41;text="Temporary failure"',
    "34": 'Q.850;cause=34;text="No circuit/channel available"',
    "no audio": 'X-internal;cause=1;text="RTP Timeout"',
    "408": 'SIP;cause=408;text="Request Timeout"',
    "credit": 'SIP;cause=503;text="Credit exhausted"',
    "timer": 'SIP;cause=408;text="Session timer expired"',
    "16": 'Q.850;cause=16;text="Normal call clearing"',
    "31": "Q.850;cause=31",
    "none": "",
}


def test_the_reason_of_a_bye_counts(tmp_path: Path) -> None:
    def case(reason: str) -> Case:
        async def play(at: FarEnd) -> None:
            dialog = await at.answers()
            await at.hangs_up(dialog, SOON_S, *([f"Reason: {reason}"] if reason else []))

        return call(play)

    ended = together(tmp_path, {name: case(reason) for name, reason in REASONS.items()})
    fails(ended["102"], "BYE-NET", "(cause 102)")
    fails(ended["41"], "BYE-NET", "(cause 41)")
    fails(ended["34"], "BYE-NET", "(cause 34)")
    fails(ended["no audio"], "RTP-TMO", "RTP Timeout")
    fails(ended["408"], "BYE-NET", "408 Request Timeout")
    fails(ended["credit"], "BYE-CREDIT", "Credit exhausted")
    fails(ended["timer"], "SE-HALF", "Session timer expired")
    for harmless in ("16", "31", "none"):
        passes(ended[harmless])
    for name, one in ended.items():
        assert (one.json["reason_header"] or "") == REASONS[name]
        assert one.json["hung_up_by"] == "them"


# The confirmation


def _misses_the_ack(repeats: int, *options: object, then: str = "") -> Case:
    """Repeats the answer as if no ACK came, and hangs up with a reason or leaves that to the command."""

    async def play(at: FarEnd) -> None:
        dialog = await at.is_called()
        dialog.respond("200 OK", body=at.echo)
        for pause in REPEATS_S[:repeats]:
            await elapsed(pause)
            dialog.respond("200 OK", body=at.echo)
        if then:
            await at.hangs_up(dialog, 0, f"Reason: {then}")
        else:
            await at.is_hung_up()

    return call(play, *options)


def test_an_answer_that_is_repeated_was_not_confirmed(tmp_path: Path) -> None:
    ended = together(
        tmp_path,
        {
            "cut": _misses_the_ack(4, then=REASONS["102"]),
            "cut late": _misses_the_ack(6, "--seconds", 60, then=REASONS["102"]),
            "cut at last": _misses_the_ack(11, "--seconds", 60, then=REASONS["102"]),
            "short": _misses_the_ack(2, "--seconds", 2),
            "lost once": _misses_the_ack(1, "--seconds", 2),
        },
    )
    for name in ("cut", "cut late", "cut at last", "short"):
        fails(ended[name], "ACK-LOST-OUT", "our confirmation does not reach it")
        assert "BYE-32" not in ids(ended[name])
    passes(ended["lost once"])


def test_a_call_that_comes_in_is_confirmed_by_its_caller(tmp_path: Path) -> None:
    async def never(at: FarEnd) -> None:
        await at.calls()  # Who was called must not send BYE before the ACK (RFC 3261 section 15)

    async def never_and_hangs_up(at: FarEnd) -> None:
        dialog, _ = await at.calls()
        await at.hangs_up(dialog, SOON_S, f"Reason: {REASONS['102']}")

    async def lost_once(at: FarEnd) -> None:
        dialog, _ = await at.calls()
        dialog.ack(await at.far.next("INVITE", 200))
        await at.is_hung_up()

    async def at_once(at: FarEnd) -> None:
        dialog, response = await at.calls()
        dialog.ack(response)
        await at.is_hung_up()

    ended = together(
        tmp_path,
        {
            "never": answer(never, "--seconds", 3),
            "cut": answer(never_and_hangs_up),
            "lost once": answer(lost_once, "--seconds", 3),
            "fine": answer(at_once, "--seconds", 3),
        },
    )
    for name in ("never", "cut"):
        fails(ended[name], "ACK-LOST-IN", "did not confirm")
    passes(ended["lost once"])
    passes(ended["fine"])


def test_the_headline_says_it_too(tmp_path: Path) -> None:
    ended = together(
        tmp_path,
        {
            "repeated": _misses_the_ack(2, "--seconds", 2),
            "refused": _is_hung_up("403 Forbidden"),
            "unknown": _is_hung_up("481 Call/Transaction Does Not Exist"),
            "fine": _is_hung_up("200 OK"),
        },
        as_json=False,
    )
    works = {name: "\nThis trunk works" in one.out for name, one in ended.items()}
    assert works == {"repeated": False, "refused": False, "unknown": True, "fine": True}
    assert "\nThis trunk works, but" in ended["unknown"].out
    assert "\nThe provider does not see that calls are up" in ended["repeated"].out
    assert "\nThe other side refused to end the call." in ended["refused"].out
    assert [one.code for one in ended.values()] == [1, 1, 0, 0]


# Requests of ours


def _is_hung_up(status: str) -> Case:
    async def play(at: FarEnd) -> None:
        await at.answers()
        await at.is_hung_up(status)

    return call(play, "--seconds", 1)


def _gets_digits(status: str, *headers: str) -> Case:
    async def play(at: FarEnd) -> None:
        await at.answers()
        at.far.respond(await at.far.next("INFO"), status, *headers)
        await at.is_hung_up()

    return call(play, "--digits", "1", "--seconds", 2, dtmf="info")


async def _hangs_up_too(at: FarEnd) -> None:
    dialog = await at.answers()
    bye = await at.far.next("BYE")
    await at.hangs_up(dialog, 0)
    at.far.respond(bye, "481 Call/Transaction Does Not Exist")


def test_the_answer_to_each_request_of_ours_counts(tmp_path: Path) -> None:
    ended = together(
        tmp_path,
        {
            "403": _is_hung_up("403 Forbidden"),
            "481": _is_hung_up("481 Call/Transaction Does Not Exist"),
            "200": _is_hung_up("200 OK"),
            "crossed": call(_hangs_up_too, "--seconds", 1),
            "digits": _gets_digits("405 Method Not Allowed", "Allow: INVITE, ACK, BYE, CANCEL"),
            "digits taken": _gets_digits("200 OK"),
        },
    )
    fails(ended["403"], "BYE-REJ", "refused to end the call: 403 Forbidden", "charge")
    warns(ended["481"], "BYE-481", "481 Call/Transaction Does Not Exist", "charge")
    warns(ended["digits"], "DTMF", "405 Method Not Allowed")
    for harmless in ("200", "crossed", "digits taken"):
        passes(ended[harmless])


def test_a_request_that_can_not_leave_is_a_failure(tmp_path: Path) -> None:
    def case(contact: str) -> Case:
        async def play(at: FarEnd) -> None:
            dialog = await at.is_called()
            where = contact.format(port=at.far.port)
            dialog.respond("200 OK", f"Contact: <{where}>", body=at.echo)

        return call(play, "--seconds", 2)

    contacts = {"name": "sip:x@core.invalid", "sips": "sips:far@127.0.0.1:{port}"}
    ended = together(tmp_path, {name: case(contact) for name, contact in contacts.items()})
    for one in ended.values():
        fails(one, "CONTACT-BAD", "ACK", "BYE")
        assert "ACK-LOST-OUT" not in ids(one), "it did reach the other side"
    assert "core.invalid" in said(ended["name"])
    assert "sips" in said(ended["sips"])
