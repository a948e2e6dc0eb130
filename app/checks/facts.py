"""What is known when an outcome is explained: the outcome, the trunk's settings, what follows from both."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from app.model.outcome import AnsweredBy, CallOutcome, Direction, LocalCause, RegisterOutcome
from app.model.signalling import DialogFacts, Handling, MessageProblem, Purpose, SentRequest, Unreachable
from app.model.trunk import Trunk

UNDER_WAY_S = 4.0
"""A request that was sent so shortly before the end of its call need not have been answered: on UDP it was
repeated three times by then (RFC 3261 section 17.1.2.2)."""

_BY_ICMP = {
    Unreachable.NETWORK: LocalCause.NO_ROUTE,
    Unreachable.HOST: LocalCause.NO_ROUTE,
    Unreachable.PORT: LocalCause.REFUSED,
    Unreachable.PROTOCOL: LocalCause.REFUSED,
    Unreachable.PROHIBITED: LocalCause.PROHIBITED,
    Unreachable.TOO_BIG: LocalCause.NO_ANSWER,
}
_MISSING_ANSWER = frozenset(
    {
        LocalCause.NO_ANSWER,
        LocalCause.OTHER,
        LocalCause.UNREADABLE,
        LocalCause.NO_CODEC,
        LocalCause.NO_SRTP,
        LocalCause.SRTP_DIFFERS,
        LocalCause.CONNECTION_LOST,
    }
)
"""Causes that a message which could not be read explains: the answer came, and was not understood."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known.

    Attributes:
        outcome: What the engine saw.
        trunk: The settings that were used.
        direction: Whether we called or were called; out for a registration.
    """

    outcome: RegisterOutcome | CallOutcome
    trunk: Trunk
    direction: Direction = Direction.OUT

    @property
    def call(self) -> CallOutcome | None:
        """The outcome of a call; None for a registration."""
        return self.outcome if isinstance(self.outcome, CallOutcome) else None

    @property
    def dialog(self) -> DialogFacts:
        """What the messages of the call showed; nothing for a registration."""
        return self.outcome.dialog if isinstance(self.outcome, CallOutcome) else DialogFacts()

    @property
    def problems(self) -> tuple[MessageProblem, ...]:
        """Damaged messages of the far end."""
        if isinstance(self.outcome, CallOutcome):
            return self.outcome.dialog.problems
        return self.outcome.problems

    @property
    def altered(self) -> tuple[str, ...]:
        """What came back changed."""
        return self.dialog.altered if isinstance(self.outcome, CallOutcome) else self.outcome.altered

    @property
    def retry_after_s(self) -> int:
        """How long the far end asks to wait, seconds; 0 when it does not."""
        return max(self.outcome.explanation.retry_after_s or 0, 0)

    @property
    def made_up_here(self) -> bool:
        """Whether the code does not come from the network."""
        return self.outcome.answered_by is AnsweredBy.LOCAL or self.outcome.local_cause is not LocalCause.NONE

    @property
    def local_cause(self) -> LocalCause:
        """Why the code was made up here, as far as anything says so."""
        cause, icmp = self.outcome.local_cause, self.outcome.icmp
        if cause is LocalCause.NONE and self.outcome.sip_code == 408:
            cause = LocalCause.NO_ANSWER
        if cause in (LocalCause.NO_ANSWER, LocalCause.OTHER, LocalCause.NONE) and icmp is not None:
            return _BY_ICMP[icmp.kind]
        return cause

    @property
    def unreadable(self) -> bool:
        """Whether the answer that is missing came, and could not be read."""
        if not self.made_up_here or self.local_cause not in _MISSING_ANSWER:
            return False
        return self.local_cause is LocalCause.UNREADABLE or any(is_answer(one) for one in self.dropped)

    @property
    def lost_success(self) -> bool:
        """Whether a 2xx came that could not be read: then a refusal or silence after it is no refusal."""
        return any(problem.start.upper().startswith("SIP/2.0 2") for problem in self.dropped)

    @property
    def dropped(self) -> tuple[MessageProblem, ...]:
        """The messages that could not be read."""
        return tuple(problem for problem in self.problems if problem.handling is Handling.DROPPED)

    @property
    def repaired(self) -> tuple[MessageProblem, ...]:
        """The messages that could be read only after a repair."""
        return tuple(problem for problem in self.problems if problem.handling is Handling.REPAIRED)


def is_answer(problem: MessageProblem) -> bool:
    """Whether a damaged message can have been an answer; one without a start line can be anything."""
    return not problem.start or problem.start.upper().startswith("SIP/")


def last_of_each(dialog: DialogFacts) -> tuple[SentRequest, ...]:
    """The last request for each purpose: what was refused and then worked (491, a challenge) has worked."""
    return tuple({request.purpose: request for request in dialog.requests}.values())


def failed(facts: Facts, *purposes: Purpose) -> tuple[SentRequest, ...]:
    """The requests for these purposes that left and came to nothing: refused, or not answered in time."""
    duration_s = facts.call.duration_s if facts.call is not None else 0.0
    return tuple(
        request
        for request in last_of_each(facts.dialog)
        if request.purpose in purposes
        and not is_unsent(request)
        and (request.code >= 300 or (request.code == 0 and duration_s - request.after_s > UNDER_WAY_S))
    )


def is_unsent(request: SentRequest) -> bool:
    """Whether a request did not get out, or to an address that nothing can come back from."""
    return request.code == 0 and (not request.left or bool(request.obstacle))


def unsent(facts: Facts) -> tuple[SentRequest, ...]:
    """The requests within a call that could not be sent."""
    return tuple(request for request in facts.dialog.requests if is_unsent(request))


def refusal_of(requests: Iterable[SentRequest]) -> str:
    """What became of the first of these requests: `405 Method Not Allowed` or `no answer`."""
    for request in requests:
        return f"{request.code} {request.reason}".strip() if request.code else "no answer"
    return ""
