"""What came of signing in: from the engine's answer, or the lack of one, to an outcome."""

from __future__ import annotations

from msgspec.structs import replace

from app.model.outcome import (
    AnsweredBy,
    Direction,
    LocalCause,
    RegisterOutcome,
    Target,
    TlsFacts,
    register_state,
)
from app.model.signalling import MOST_PROBLEMS, Handling, MessageProblem
from app.model.trunk import TrunkState
from app.sip.child import GivenMessage
from app.sip.client import EngineRefusedError
from app.sip.messages import Capabilities, OptionsAnswered, RegistrationChanged, RegistrationState
from app.sip.notices import CallEnded, CallProgress
from app.sip.targets import Resolution, ResolveError

SignInAnswer = RegistrationChanged | OptionsAnswered
"""How a trunk that registers, and one that does not, hears whether the far end takes it."""


def usable(
    found: Resolution, capabilities: Capabilities | None
) -> tuple[tuple[Target, ...], tuple[str, ...]]:
    """The targets that this engine can send to, and the steps of the lookup with those it left out."""
    if capabilities is None or capabilities.ipv6:
        return found.targets, found.steps
    left_out = [target for target in found.targets if ":" in target.address]
    steps = [f"{target} is left out: this version of Ringback can't use IPv6." for target in left_out]
    return tuple(target for target in found.targets if target not in left_out), (*found.steps, *steps)


_FAILOVER_CODES = frozenset({503})
"""Final codes after which the next target is tried (RFC 3263 section 4.3)."""


def is_final(outcome: RegisterOutcome) -> bool:
    """Whether asking another server is of no use: the trunk is up, or this one has refused it."""
    return outcome.answered_by is AnsweredBy.NETWORK and outcome.sip_code not in _FAILOVER_CODES


def outcome_of(
    answer: SignInAnswer,
    *,
    trunk: str,
    target: Target | None,
    tried: tuple[Target, ...],
    tls: TlsFacts | None,
) -> RegisterOutcome:
    """The outcome behind an answer of the engine.

    Args:
        answer: What it said.
        trunk: The trunk's name.
        target: The address that was asked.
        tried: Every address so far, this one last.
        tls: What its handshake showed.
    """
    if isinstance(answer, OptionsAnswered):
        reachable = answer.answered_by is AnsweredBy.NETWORK
        state = TrunkState.REACHABLE if reachable else TrunkState.UNREACHABLE
        expires, challenges = 0, 0
    else:
        state = register_state(
            answer.sip_code,
            registered=answer.state is RegistrationState.REGISTERED,
            answered_by=answer.answered_by,
        )
        expires, challenges = answer.expires_s, answer.challenges
        if state is not TrunkState.REGISTERED:
            expires = 0  # PJSIP tells the lifetime that was asked for
    # Of a handshake that failed PJSIP sees only that its connection was closed
    tls_error = tls.error if tls is not None and answer.answered_by is AnsweredBy.LOCAL else ""
    return RegisterOutcome(
        trunk=trunk,
        state=state,
        sip_code=answer.sip_code,
        reason=tls_error or answer.reason,
        answered_by=answer.answered_by,
        local_cause=answer.local_cause,
        round_trip_ms=answer.round_trip_ms,
        expires_s=expires,
        target=target,
        tried=tried,
        tls=tls,
        requests_sent=answer.requests_sent,
        challenges=challenges,
        realms=() if isinstance(answer, OptionsAnswered) else answer.realms,
        explanation=answer.explanation,
        challenge=None if isinstance(answer, OptionsAnswered) else answer.challenge,
        bindings=None if isinstance(answer, OptionsAnswered) else answer.bindings,
        problems=answer.problems,
        icmp=answer.icmp,
        altered=answer.altered,
    )


def outcome_without_address(trunk: str, error: ResolveError) -> RegisterOutcome:
    """The lookup gave no address."""
    return RegisterOutcome(
        trunk=trunk,
        state=TrunkState.UNREACHABLE,
        reason=error.what,
        answered_by=AnsweredBy.LOCAL,
        local_cause=error.cause,
        lookup=error.steps,
    )


def outcome_of_endless_lookup(trunk: str, host: str) -> RegisterOutcome:
    """The lookup of a host came to no end at all."""
    return RegisterOutcome(
        trunk=trunk,
        state=TrunkState.UNREACHABLE,
        reason=f"The lookup of {host} came to no end",
        answered_by=AnsweredBy.LOCAL,
        local_cause=LocalCause.NAME_SERVER_SILENT,
    )


def outcome_of_refusal(
    trunk: str, refusal: EngineRefusedError, target: Target, tried: tuple[Target, ...]
) -> RegisterOutcome:
    """The engine could not begin, for a cause outside of the settings: a computer without a network."""
    return RegisterOutcome(
        trunk=trunk,
        state=TrunkState.UNREACHABLE,
        reason=refusal.what,
        answered_by=AnsweredBy.LOCAL,
        local_cause=refusal.local_cause,
        target=target,
        tried=tried,
    )


def with_held_back(outcome: RegisterOutcome, held: tuple[GivenMessage, ...]) -> RegisterOutcome:
    """The outcome, which says so when messages were held back that ended an engine before.

    Such a message may be the answer that is missed: then it is no silence.

    Args:
        outcome: What came of signing in.
        held: What is held back.
    """
    if not held or outcome.answered_by is AnsweredBy.NETWORK:
        return outcome
    known = {(problem.start, problem.peer) for problem in outcome.problems}
    problems = [
        MessageProblem(
            start=message.start,
            header="",
            line="",
            what="ended Ringback's engine before, so it was held back",
            handling=Handling.DROPPED,
            peer=message.peer,
        )
        for message in held
        if (message.start, message.peer) not in known
    ]
    silent = outcome.local_cause is LocalCause.NO_ANSWER
    return replace(
        outcome,
        local_cause=LocalCause.UNREADABLE if silent else outcome.local_cause,
        problems=(*outcome.problems, *problems)[:MOST_PROBLEMS],
    )


def outcome_of_ipv6_only(trunk: str, target: Target, lookup: tuple[str, ...]) -> RegisterOutcome:
    """The lookup gave IPv6 addresses only, such as `target`, and the engine can't use them."""
    what = "is an IPv6 address" if target.name == target.address else "has only IPv6 addresses"
    return RegisterOutcome(
        trunk=trunk,
        state=TrunkState.UNREACHABLE,
        reason=f"{target.name} {what}, which this version of Ringback can't use",
        answered_by=AnsweredBy.LOCAL,
        local_cause=LocalCause.OTHER,
        target=target,
        lookup=lookup,
    )


def outcome_by_call(
    former: RegisterOutcome, notice: CallProgress | CallEnded, *, registers: bool
) -> RegisterOutcome | None:
    """A server that did not answer OPTIONS and answers a call is reachable after all; else None.

    Args:
        former: What came of signing in.
        notice: What happened to a call.
        registers: Whether the trunk registers; then REGISTER alone says what it is.
    """
    asleep = former.state is TrunkState.UNREACHABLE and former.local_cause is LocalCause.NO_ANSWER
    if registers or not asleep or notice.direction is not Direction.OUT:
        return None
    if isinstance(notice, CallEnded):
        call = notice.outcome
        heard = call.answered_by is AnsweredBy.NETWORK
        code, reason, ms = call.sip_code, call.reason, call.setup_ms
    else:
        heard = notice.setup_ms is not None
        code, reason, ms = notice.sip_code, notice.reason, notice.setup_ms
    if not heard:
        return None
    return RegisterOutcome(
        trunk=former.trunk,
        state=TrunkState.REACHABLE,
        sip_code=code,
        reason=reason,
        answered_by=AnsweredBy.NETWORK,
        round_trip_ms=ms,
        target=former.target,
        lookup=former.lookup,
    )


def outcome_of_closed_port(trunk: str, target: Target, tried: tuple[Target, ...]) -> RegisterOutcome:
    """The far system said that nothing listens there, while the engine still waited."""
    return RegisterOutcome(
        trunk=trunk,
        state=TrunkState.UNREACHABLE,
        reason=f"Nothing listens on {target}",
        answered_by=AnsweredBy.LOCAL,
        local_cause=LocalCause.REFUSED,
        target=target,
        tried=tried,
        requests_sent=1,
    )


def is_old_news(known: RegisterOutcome | None, late: RegisterOutcome) -> bool:
    """Whether a request only stays without answer whose port is known to be closed, which says more."""
    return (
        known is not None
        and (known.local_cause, late.local_cause) == (LocalCause.REFUSED, LocalCause.NO_ANSWER)
        and known.target == late.target
    )


def cause_in_words(outcome: RegisterOutcome) -> str:
    """The short line beside a trunk's state: `200 OK in 38 ms`, `no answer from udp 192.0.2.1:5060`."""
    if outcome.answered_by is AnsweredBy.NETWORK:
        line = f"{outcome.sip_code} {outcome.reason}".strip()
        if outcome.round_trip_ms is not None:
            line += f" in {outcome.round_trip_ms:.0f} ms"
        return line
    if outcome.target is not None and outcome.local_cause is not LocalCause.OTHER:
        return f"{outcome.local_cause} ({outcome.target})"
    return outcome.reason or str(outcome.local_cause)
