"""Which finding a challenge leads to: of a registration and of a call alike."""

from __future__ import annotations

from app.checks.conditions import realm_fits
from app.checks.facts import Facts
from app.model.outcome import LocalCause


def unanswerable(facts: Facts) -> str:
    """The finding for a challenge that was not answered because it can't be; empty when it could be."""
    challenge = facts.outcome.challenge
    if facts.outcome.realms and not realm_fits(facts):
        # A password is sent only to the realm that it is for
        return "AUTH-REALM"
    if challenge is None or challenge.usable or challenge.answered:
        return ""
    schemes = {scheme.lower() for scheme in challenge.schemes}
    return "AUTH-BASIC" if "basic" in schemes and "digest" not in schemes else "AUTH-ALGO"


def refused(facts: Facts, *, challenges: int, otherwise: str) -> str:
    """The finding for a 401 or 407 that was final.

    Args:
        facts: What is known.
        challenges: How many there were, 0 when that is not known.
        otherwise: The finding for a password that was sent and not accepted.
    """
    challenge = facts.outcome.challenge
    if found := unanswerable(facts):
        return found
    if challenge is not None:
        if challenge.stale:
            return "AUTH-STALE"
        return otherwise if challenge.answered else "AUTH-NONE"
    # One challenge that ended it means that no request with the password was answered
    return "AUTH-NONE" if challenges == 1 else otherwise


def unfinished(facts: Facts, *, challenges: int) -> str:
    """The finding for an outcome made up here after the server asked for the password; empty for others."""
    if not challenges and facts.outcome.challenge is None:
        return ""
    if found := unanswerable(facts):
        return found
    return "AUTH-NONE" if facts.local_cause in (LocalCause.NO_ANSWER, LocalCause.OTHER) else ""
