"""Each provider phrase of the hostile messages leads to its class or to none, wherever it stands."""

from __future__ import annotations

import re

import pytest

from app.checks.diagnosis import explain_call, explain_registration
from app.model.outcome import CallResult
from app.model.signalling import Explanation
from tests.helpers.outcomes import TRUNK, refused, unanswered
from tests.hostile.hostile_messages import MESSAGES

CLASSES = {
    # A way that the network does not have is no matter of what the account may do
    "destination-route": {"CALL-403"},
    "destination": {"DEST"},
    "channels": {"CAP"},
    "rate": {"CPS"},
    "credit": {"CREDIT"},
    "caller-id": {"CID"},
    "account": {"ACCOUNT", "SOURCE"},
    "price": {"PRICE"},
    "media": {"SRTP-NEEDED", "SRTP-REFUSED"},
    "trial": {"TRIAL"},
    "none": {"CALL-403"},
}
"""What a phrase may lead to, by how its name begins."""

PHRASES = MESSAGES["phrase-403-none-empty"].group.values


def _class(name: str) -> set[str]:
    return next(found for start, found in CLASSES.items() if name.startswith(start))


def _said(phrase: str) -> str:
    """The phrase as the engine gives it."""
    shown = re.sub(r"<repeat (\d+)>(.*?)</repeat>", lambda found: found[2] * int(found[1]), phrase)
    return shown.replace("\\xE9", "é").replace("\\x1B", "\x1b")[:300]


@pytest.mark.parametrize("name", PHRASES)
def test_a_phrase_leads_to_its_class_wherever_it_stands(name: str) -> None:
    said = _said(PHRASES[name])
    for reason, told in (
        (said, Explanation()),
        ("Forbidden", Explanation(warnings=(f"399 {said}",))),
        ("Forbidden", Explanation(text=said)),
    ):
        outcome = unanswered(CallResult.FORBIDDEN, 403, reason, explanation=told)
        assert explain_call(outcome, TRUNK)[0].id in _class(name)


@pytest.mark.parametrize("name", [name for name in PHRASES if name.startswith("none")])
def test_what_says_nothing_of_the_kind_is_an_ordinary_refusal_of_a_registration(name: str) -> None:
    assert explain_registration(refused(403, _said(PHRASES[name])), TRUNK)[0].id == "REG-403"
