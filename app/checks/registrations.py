"""Which findings the outcome of a registration leads to."""

from __future__ import annotations

from collections.abc import Iterable

from app.checks import sign_in
from app.checks.causes import local_finding
from app.checks.facts import Facts
from app.checks.far_words import own_texts
from app.checks.phrases import refused_registration
from app.model.outcome import AnsweredBy, LocalCause, RegisterOutcome
from app.model.trunk import TrunkState

SHORT_LIFETIME_S = 60
"""Registrations that last less are renewed twice a minute and more; providers that want to keep a router's
way open grant 60 to 120 s."""

_BY_STATE = {
    TrunkState.REGISTERED: "REG-OK",
    TrunkState.REACHABLE: "REACH-OK",
    TrunkState.FULL: "CAP-FULL",
    TrunkState.OFF: "REG-OFF",
    TrunkState.CONNECTING: "REG-WAIT",
}
_REGISTER_CODES = {480: "REG-404", 604: "REG-404", 501: "REG-405"}
"""Codes that mean on REGISTER what another one says better."""


def registration_ids(outcome: RegisterOutcome, facts: Facts) -> Iterable[str]:
    """Ids of the findings, the one about the outcome itself first."""
    yield _main_id(outcome, facts)
    tried = outcome.tried[:1]
    if outcome.state in (TrunkState.REGISTERED, TrunkState.REACHABLE):
        if outcome.target is not None and tried not in ((), (outcome.target,)):
            yield "DNS-SRVDOWN"
        yield from _binding_ids(outcome)
    if outcome.lost_after_s is not None:
        yield "TLS-IDLE"


def _binding_ids(outcome: RegisterOutcome) -> Iterable[str]:
    bindings = outcome.bindings
    if bindings is None or outcome.state is not TrunkState.REGISTERED:
        return
    if bindings.ours_s is None:
        yield "REG-NOCONTACT"
    elif 0 < bindings.ours_s < SHORT_LIFETIME_S and 2 * bindings.ours_s < bindings.asked_s:
        yield "REG-FLAP"


def _main_id(outcome: RegisterOutcome, facts: Facts) -> str:
    ended_at_once = outcome.bindings is not None and outcome.bindings.ours_s == 0
    if ended_at_once and outcome.state not in (TrunkState.OFF, TrunkState.CONNECTING):
        return "REG-GONE"
    if outcome.state in _BY_STATE:
        return _BY_STATE[outcome.state]
    if facts.made_up_here:
        return _local_id(outcome, facts)
    if outcome.sip_code in (401, 407) or outcome.state is TrunkState.WRONG_CREDENTIALS:
        if facts.lost_success:
            return "SIP-UNREADABLE"  # The password was accepted, and asked for again when it was sent again
        return sign_in.refused(facts, challenges=outcome.challenges, otherwise="AUTH-LOOP")
    if not 300 <= outcome.sip_code <= 699:
        return "REG-FAILED"
    said = " / ".join(own_texts(facts))
    by_words = refused_registration(said, outcome.sip_code, facts.trunk)
    return by_words or _REGISTER_CODES.get(outcome.sip_code, f"REG-{outcome.sip_code}")


def _local_id(outcome: RegisterOutcome, facts: Facts) -> str:
    if facts.unreadable:
        return "SIP-UNREADABLE"
    if found := sign_in.unfinished(facts, challenges=outcome.challenges):
        return found
    cause = facts.local_cause
    if cause is LocalCause.NO_ROUTE and outcome.target is None:
        return "DNS-NOADDR"
    if cause is LocalCause.NO_ROUTE and outcome.target is not None and ":" in outcome.target.address:
        return "DNS-V6"
    return local_finding(cause)


def is_refused(outcome: RegisterOutcome) -> bool:
    """Whether the network refused it, so that how long to wait is its to say."""
    return outcome.answered_by is AnsweredBy.NETWORK and outcome.sip_code >= 300
