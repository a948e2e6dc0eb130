"""What the far end says about its refusal is shown, and used: the command's verdict on each of them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.helpers.command import Ended
from tests.hostile.answering import call, finding, register, saying
from tests.hostile.hostile_messages import MESSAGES


class Right(NamedTuple):
    """What must come of a refusal.

    Attributes:
        finding_id: Of the only finding.
        evidence: A line of its evidence.
        first_cause, first_step: How the first ones begin; empty where anything may be first.
        field: The setting to look at.
    """

    finding_id: str
    evidence: str = ""
    first_cause: str = ""
    first_step: str = ""
    field: str = ""


HOUR = "Wait 1 hour before you try again: the server asks for that."

CALLS = {
    "explained-retry-after": Right("CALL-503", "Retry-After: 3600 s (1 hour)", "", HOUR),
    "explained-retry-after-comment": Right(
        "CALL-480", "Retry-After: 120 s (2 minutes)", "", "Wait 2 minutes"
    ),
    "explained-retry-after-in-486": Right("CALL-486", "Retry-After: 18000 s (5 hours)", "", "Wait 5 hours"),
    "explained-warning": Right(
        "CALL-488",
        "Warning: 304 Media type not available (The other side takes no calls with audio of this kind)",
        "The other side takes no calls with audio of this kind.",
    ),
    "explained-warning-305": Right(
        "CALL-488",
        "Warning: 305 Incompatible media format: G.729 only "
        "(The other side has none of the codecs that this trunk offers)",
        "The other side has none of the codecs that this trunk offers.",
    ),
    "explained-warning-two": Right(
        "ACCOUNT",
        "Warning: 399 Account suspended",
        "The account is suspended",
        "Look at the state of the account",
    ),
    "explained-error-info": Right("CALL-404", "Error-Info: <sip:not-in-service-recording@127.0.0.1:"),
    "explained-error-info-http": Right(
        "CALL-404", 'Error-Info: <http://127.0.0.1/why.wav>;reason="not in service"'
    ),
    "explained-call-info": Right(
        "CALL-608",
        "Call-Info: <https://127.0.0.1/complaints.json>;purpose=jcard",
        "127.0.0.1 blocked the call.",
        "Ask 127.0.0.1 to stop blocking this caller ID.",
        "caller_id",
    ),
    "explained-text": Right(
        "CREDIT",
        "It says: Your account is out of credit. See https://example.invalid/billing",
        "The balance is used up.",
    ),
    "explained-text-latin-1": Right("CREDIT", "It says: Crédit épuisé", "The balance is used up."),
    "explained-reason": Right(
        "CALL-404",
        'Reason: Q.850;cause=1;text="Unallocated (unassigned) number" (The number is not assigned to anyone)',
        "The number is not assigned to anyone.",
    ),
    "explained-reason-sip": Right("CALL-500", 'Reason: SIP;cause=603;text="Blocked by policy"'),
    "redirect-tel": Right(
        "CALL-302",
        "It points to: tel:+493012345",
        "The number called is forwarded.",
        "Dial +493012345 instead, if that is whom you want to reach.",
    ),
    "redirect-port": Right(
        "CALL-302", "It points to: sip:elsewhere@127.0.0.1:5099", "The number called is forwarded."
    ),
    "redirect-two": Right("CALL-302", "It points to: tel:+49301", "", "Dial +49301 instead"),
    "redirect-emergency": Right("CALL-302", "It points to: sip:911@127.0.0.1:"),
    "redirect-305": Right(
        "CALL-305",
        "It points to: sip:elsewhere@127.0.0.1:",
        "",
        "Set the outbound proxy to 127.0.0.1:",
        "proxy",
    ),
}
"""Refusals of a call."""

REGISTRATIONS = {
    "explained-retry-after-register": Right("REG-503", "Retry-After: 3600 s (1 hour)", "", HOUR, "host"),
    "explained-retry-after-in-403": Right(
        "REG-403",
        "Retry-After: 900 s (15 minutes)",
        "The server refused before it asked for the password",
        "Wait 15 minutes",
        "user",
    ),
    "explained-warning-in-register": Right(
        "SOURCE",
        "Warning: 399 IP address not allowed",
        "The public address of this network is not on the provider's list.",
        "Add your present public address",
    ),
    "redirect-register": Right(
        "REG-302",
        "It points to: sip:127.0.0.1:5099",
        "The server names sip:127.0.0.1:5099 as the place to sign in.",
        "Set the host to 127.0.0.1 and the port to 5099, if your provider confirms it.",
        "host",
    ),
}
"""Refusals of a registration."""


def judged(ended: Ended, right: Right) -> str:
    """The whole text of the finding, once it is the right one."""
    assert (ended.code, ended.finding_ids) == (1, [right.finding_id])
    found = finding(ended, right.finding_id)
    assert any(line.startswith(right.evidence) for line in found.evidence), found.evidence
    assert found.causes[0].startswith(right.first_cause)
    assert found.do[0].startswith(right.first_step)
    assert found.field == right.field
    return "\n".join((found.title, found.meaning, *found.causes, *found.do))


def test_every_example_of_the_issue_has_its_verdict() -> None:
    examples = {name for name, hostile in MESSAGES.items() if hostile.section == "J" and hostile.is_example}
    assert examples <= CALLS.keys() | REGISTRATIONS.keys()


@pytest.mark.parametrize("name", CALLS)
def test_a_call_shows_and_uses_what_the_far_end_says(name: str, tmp_path: Path) -> None:
    words = judged(call(tmp_path, saying(name), sign_in="address"), CALLS[name])
    if "retry-after" in name:
        assert "Wait a minute" not in words
        assert "Try again" not in words
    if name == "redirect-emergency":
        assert "Dial 911" not in words
    if "redirect" in name:
        assert CALLS[name].evidence.removeprefix("It points to: ") in words


@pytest.mark.parametrize("name", REGISTRATIONS)
def test_a_registration_shows_and_uses_what_the_far_end_says(name: str, tmp_path: Path) -> None:
    words = judged(register(tmp_path, saying(name)), REGISTRATIONS[name])
    assert "Stop trying for 15 minutes" not in words


def test_words_outside_the_phrase_stand_in_the_title_that_they_decided(tmp_path: Path) -> None:
    ended = call(tmp_path, saying("explained-warning-two"), sign_in="address")
    assert "Account suspended" in finding(ended, "ACCOUNT").title
