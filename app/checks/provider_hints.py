"""What the catalogue knows about a failure at this provider, beside what fails everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from msgspec.structs import replace

from app.checks.conditions import holds
from app.checks.facts import Facts
from app.model.finding import Finding, Verdict
from app.model.outcome import AnsweredBy
from app.model.trunk import Srtp, Transport, Trunk
from app.providers import catalogue
from app.providers.schema import Mistake, Provider, Refusal, Trouble

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
_WRONG = (Verdict.FAIL, Verdict.WARNING)
_FITTING = {
    "CID": frozenset({Mistake.CALLER_ID}),
    "NUMBER-FORMAT": frozenset({Mistake.DESTINATION, Mistake.PREFIX}),
    "SRTP-NEEDED": frozenset({Mistake.SRTP}),
    "REG-NEEDED": frozenset({Mistake.CALL}),
    "SOURCE": frozenset({Mistake.CALL, Mistake.PREFIX}),
}
"""What can be behind a refusal whose words say what it is about."""
_SILENT = frozenset({"NET-NOANS", "CALL-NOREPLY"})
"""Findings in which the provider did not answer at all."""
_UNKNOWN_CODES = {Mistake.CREDENTIALS: (401, 403, 407), Mistake.SRTP: (406, 488, 606)}
"""Codes of these as a rule, where the provider's own is not known (RFC 3261 section 21)."""
_AS_NEW = Trunk(id="", name="", host="")


class Refused(NamedTuple):
    """How a registration or a call was refused.

    Attributes:
        code: Final SIP code.
        answered_by: A code made up here counts as no answer.
        registering: Whether it was REGISTER, else a call.
    """

    code: int
    answered_by: AnsweredBy | None
    registering: bool


def with_hints(
    findings: Iterable[Finding], facts: Facts, *, reason: str = "", refused: Refused | None = None
) -> tuple[Finding, ...]:
    """The findings with what this provider is known to refuse this way, and what else goes wrong there.

    Args:
        findings: The worst first.
        facts: The trunk's provider is looked up; one that is not in the catalogue changes nothing.
        reason: The provider's words: its phrase, and its `Reason` header.
        refused: How it was refused, None where nothing was; the first finding is about it.
    """
    found, trunk = tuple(findings), facts.trunk
    if trunk.provider not in catalogue.IDS or not any(finding.verdict in _WRONG for finding in found):
        return found
    provider = catalogue.find(trunk.provider)
    refusals: list[Refusal] = []
    if refused is not None:
        refusals = _refusals(provider, trunk, found[0].id, refused, reason)
    return tuple(
        _hinted(finding, provider, [] if at else refusals, _troubles(provider, finding, facts, reason))
        for at, finding in enumerate(found)
    )


def _hinted(
    finding: Finding, provider: Provider, refusals: Sequence[Refusal], troubles: Sequence[Trouble]
) -> Finding:
    if finding.verdict not in _WRONG:
        return finding
    failed = finding.verdict is Verdict.FAIL
    sure = [trouble for trouble in troubles if trouble.is_sure]
    likely = [trouble for trouble in troubles if not trouble.is_sure]
    # A busy number is mostly just that, and not what this provider means by it now and then
    first: list[Refusal | Trouble] = [*sure, *refusals, *likely] if failed else [*sure]
    last = [] if failed else likely
    fields = (_FIELDS[one.mistake] if isinstance(one, Refusal) else one.field for one in first)
    return replace(
        finding,
        causes=_once([*_causes(provider, first), *finding.causes, *_causes(provider, last)]),
        do=_once([*_fixes(first), *finding.do, *_fixes(last)]),
        field=next(filter(None, fields), finding.field),
    )


def _causes(provider: Provider, known: Iterable[Refusal | Trouble]) -> list[str]:
    return [f"{provider.name}: {one.cause or one.symptom}" for one in known]


def _fixes(known: Iterable[Refusal | Trouble]) -> list[str]:
    return [one.fix for one in known if one.fix]


def _troubles(provider: Provider, finding: Finding, facts: Facts, reason: str) -> list[Trouble]:
    trunk = facts.trunk
    return [
        trouble
        for trouble in provider.troubles
        if any(fnmatchcase(finding.id, pattern) for pattern in trouble.findings)
        and (not trouble.methods or trunk.sign_in.value in {method.value for method in trouble.methods})
        and re.search(trouble.host, trunk.host, re.IGNORECASE)
        and re.search(trouble.reason, reason, re.IGNORECASE)
        and (not trouble.changed or getattr(trunk, trouble.changed) != getattr(_AS_NEW, trouble.changed))
        and (not trouble.when or holds(trouble.when, facts))
    ]


def _refusals(
    provider: Provider, trunk: Trunk, finding_id: str, refused: Refused, reason: str
) -> list[Refusal]:
    seen = refused.code if refused.answered_by is AnsweredBy.NETWORK else 0
    # A finding that says what is wrong rules out the rest; where no password was sent, none was refused
    by_code = finding_id.startswith(("CALL-", "REG-", "AUTH-LOOP", "AUTH-407INV")) and seen != 0
    if not (by_code or finding_id in _FITTING or (seen == 0 and finding_id in _SILENT)):
        return []
    possible = _FITTING.get(finding_id, _AT_REGISTER if refused.registering else _AT_CALL)
    fitting = [
        refusal
        for refusal in provider.refusals
        if refusal.mistake in possible and _fits(refusal, seen) and _possible(refusal.mistake, trunk)
    ]
    # A phrase of the provider's own settles which of several it is
    return sorted(fitting, key=lambda refusal: not _says(refusal, reason))


def _says(refusal: Refusal, reason: str) -> bool:
    return bool(refusal.reason) and refusal.reason.lower() in reason.lower()


def _fits(refusal: Refusal, seen: int) -> bool:
    usual = _UNKNOWN_CODES.get(refusal.mistake, ())
    if refusal.code is None or (refusal.mistake is Mistake.CREDENTIALS and refusal.code in usual):
        return seen in usual
    return refusal.code == seen


def _possible(mistake: Mistake, trunk: Trunk) -> bool:
    """Whether the trunk can have made it at all."""
    if mistake is Mistake.REGISTER:
        return trunk.register
    if mistake is Mistake.CREDENTIALS:
        return trunk.needs_password
    if mistake is Mistake.SRTP:
        return trunk.srtp is not Srtp.REQUIRE or trunk.transport is not Transport.TLS
    return mistake is not Mistake.PREFIX or not trunk.tech_prefix


def _once(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(lines))
