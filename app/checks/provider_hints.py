"""What the catalogue knows about a failure at this provider, put in front of what fails everywhere."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from app.model.finding import Finding, Verdict
from app.model.outcome import AnsweredBy
from app.model.trunk import Trunk
from app.providers import catalogue
from app.providers.schema import Mistake, Refusal

_AT_REGISTER = frozenset({Mistake.REGISTER, Mistake.CREDENTIALS, Mistake.HOST, Mistake.TRANSPORT})
_AT_CALL = frozenset(Mistake) - {Mistake.REGISTER, Mistake.TRANSPORT}

_FIELDS = {
    Mistake.REGISTER: "sign_in",
    Mistake.CREDENTIALS: "password",
    Mistake.CALL: "sign_in",
    Mistake.DESTINATION: "number_format",
    Mistake.PREFIX: "tech_prefix",
    Mistake.CALLER_ID: "caller_id",
    Mistake.HOST: "host",
    Mistake.CODEC: "codecs",
    Mistake.TRANSPORT: "transport",
    Mistake.SRTP: "srtp",
}
_DENIALS = (401, 403, 407)


def with_hints(
    findings: Iterable[Finding],
    trunk: Trunk,
    *,
    code: int,
    reason: str,
    answered_by: AnsweredBy | None,
    registering: bool,
) -> tuple[Finding, ...]:
    """The findings, the failed one first asking about what this provider is known to refuse this way.

    Args:
        findings: The worst first.
        trunk: Its provider is looked up; one that is not in the catalogue changes nothing.
        code, reason: Final SIP code and phrase.
        answered_by: A code made up here counts as no answer.
        registering: Whether it was REGISTER, else a call.
    """
    found = tuple(findings)
    if not found or found[0].verdict is not Verdict.FAIL or trunk.provider not in catalogue.IDS:
        return found
    provider = catalogue.find(trunk.provider)
    seen = code if answered_by is AnsweredBy.NETWORK else 0
    stage = _AT_REGISTER if registering else _AT_CALL
    fitting = [
        refusal
        for refusal in provider.refusals
        if refusal.mistake in stage and _fits(refusal, seen) and _possible(refusal.mistake, trunk)
    ]
    if not fitting:
        return found
    # A phrase of the provider's own settles which of several it is
    fitting.sort(key=lambda refusal: not (refusal.reason and refusal.reason.lower() in reason.lower()))
    causes = [f"{provider.name}: {refusal.cause or refusal.symptom}" for refusal in fitting]
    fixes = [refusal.fix for refusal in fitting if refusal.fix]
    first = found[0]
    hinted = replace(
        first,
        causes=_once([*causes, *first.causes]),
        do=_once([*fixes, *first.do]),
        field=_FIELDS[fitting[0].mistake],
    )
    return hinted, *found[1:]


def _fits(refusal: Refusal, seen: int) -> bool:
    if refusal.code is None:
        # What it is answered with is not known; that a wrong password is denied is
        return refusal.mistake is Mistake.CREDENTIALS and seen in _DENIALS
    if refusal.mistake is Mistake.CREDENTIALS and refusal.code in _DENIALS:
        return seen in _DENIALS
    return refusal.code == seen


def _possible(mistake: Mistake, trunk: Trunk) -> bool:
    """Whether the trunk can have made it at all."""
    if mistake is Mistake.REGISTER:
        return trunk.register
    if mistake is Mistake.CREDENTIALS:
        return trunk.needs_password
    return mistake is not Mistake.PREFIX or not trunk.tech_prefix


def _once(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lines))
