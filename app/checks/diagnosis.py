"""From the outcome of a registration or a call to findings that a person can act on: pure functions.

A trunk works only when nothing contradicts it: each module beside this one looks at one kind of facts and
names the findings that they lead to.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from app.checks import texts
from app.checks.audio_ways import way_ids
from app.checks.endings import ending_ids, request_ids, trouble_of
from app.checks.evidence import lines_of, problem_lines
from app.checks.facts import Facts
from app.checks.far_words import own_texts, warning_causes
from app.checks.line_quality import line_troubles
from app.checks.phrases import refused_call, refused_registration
from app.checks.provider_hints import Refused, with_hints
from app.checks.registrations import is_refused, registration_ids
from app.checks.sound_truth import both_ways, sound_findings
from app.checks.texts import Values, fill
from app.checks.unanswered import beside, unanswered_id
from app.checks.values import damage, values_of
from app.checks.wording import clean, waiting_time
from app.model.finding import Finding, Verdict
from app.model.outcome import AnsweredBy, CallOutcome, CallResult, Direction, RegisterOutcome
from app.model.trunk import Trunk
from app.sip.status import Q850Cause, cause_named, cause_of

SETUP_SLOW_MS = 8000.0

_LONGEST_WORDS = 120
"""Characters of the far end's explanation in a title; the evidence has all of it."""
_WARN_CODE = re.compile(r"^[0-9]{3} ")
_Classify = Callable[[str, int, Trunk], str]

_WORST_FIRST = (Verdict.FAIL, Verdict.WARNING, Verdict.PASS, Verdict.NOT_RUN)
_ABOUT_AUDIO = ("RTP-", "CALL-SHORT", "CALL-CUT", "STACK-CUT", "SRTP-FAIL")
"""Findings that stand in the place of the sentence about audio both ways."""
_WORDLESS_CAUSES = frozenset({16, 31, 127})
"""Q.850 causes that say nothing about why a call was not answered."""


def explain_registration(outcome: RegisterOutcome, trunk: Trunk) -> tuple[Finding, ...]:
    """What came of signing in; at least one finding, the worst first.

    Args:
        outcome: What the engine saw. A code made up here is never given as the provider's answer.
        trunk: The settings that were used.
    """
    facts = Facts(outcome=outcome, trunk=trunk)
    values, lines = values_of(facts), lines_of(facts)
    steps = _waiting(facts) if is_refused(outcome) else ()
    main, *others = registration_ids(outcome, facts)
    found = [
        fill(
            main,
            _in_full(values, facts, main, refused_registration),
            facts=facts,
            evidence=lines,
            first_steps=steps,
        ),
        *(fill(other, values, facts=facts, evidence=lines) for other in others),
        *_damage_findings(facts, values, main=main),
    ]
    return with_hints(
        _worst_first(_at_proxy(found, trunk)),
        facts,
        reason=" / ".join(own_texts(facts)),
        refused=Refused(outcome.sip_code, outcome.answered_by, registering=trunk.register),
    )


def explain_call(
    outcome: CallOutcome, trunk: Trunk, *, direction: Direction = Direction.OUT
) -> tuple[Finding, ...]:
    """What came of a call; at least one finding, the worst first.

    Args:
        outcome: What the engine saw. A code made up here is never given as the provider's answer.
        trunk: The trunk it went through.
        direction: Whether we called or were called.
    """
    facts = Facts(outcome=outcome, trunk=trunk, direction=direction)
    values, lines = values_of(facts), lines_of(facts)
    answered = outcome.result is CallResult.ANSWERED
    found = list((_answered if answered else _unanswered)(outcome, facts, values, lines))
    known = [finding.id for finding in found]
    others = [fill(i, v, facts=facts, evidence=lines) for i, v in request_ids(facts, values, known)]
    if facts.dialog.keys_in_clear:
        others.append(fill("SRTP-CLEAR", values, facts=facts, evidence=lines))
    found += _each_once([*others, *_trouble_findings(facts, values, lines)])
    found += _damage_findings(facts, values, main=" ".join(known))
    reason = f"{' / '.join(own_texts(facts))} {outcome.reason_header}"
    refused = Refused(outcome.sip_code, outcome.answered_by, registering=False)
    out = direction is Direction.OUT and not answered
    return with_hints(
        _worst_first(_at_proxy(found, trunk)), facts, reason=reason, refused=refused if out else None
    )


def with_registration(
    call: Iterable[Finding], registration: Iterable[Finding], *, registers: bool
) -> tuple[Finding, ...]:
    """The findings of a call and what was wrong with signing in: a call alone does not prove the trunk.

    Args:
        call: Findings of a call that was placed or taken.
        registration: Findings of signing in before it.
        registers: Whether the trunk registers. Of one that does not, an OPTIONS that failed proves nothing
            against a call: many servers never answer it.
    """
    wrong = (Verdict.FAIL, Verdict.WARNING) if registers else (Verdict.WARNING,)
    return _worst_first([*call, *(finding for finding in registration if finding.verdict in wrong)])


def _unanswered(
    outcome: CallOutcome, facts: Facts, values: Values, lines: tuple[str, ...]
) -> Iterable[Finding]:
    finding_id = unanswered_id(outcome, facts)
    cause = _gateway_cause(outcome) if outcome.answered_by is AnsweredBy.NETWORK else None
    about_code = finding_id.startswith("CALL-") and finding_id != "CALL-CANCELLED"
    causes: list[str] = []
    if about_code and not facts.made_up_here:
        if cause is not None and cause.cause not in _WORDLESS_CAUSES:
            causes.append(cause.meaning)
        causes += [entry.cause for entry in warning_causes(outcome.explanation)]
    network = f"The telephone network gives as its reason: {cause.meaning}" if cause and about_code else ""
    yield fill(
        finding_id,
        _in_full(values, facts, finding_id, refused_call),
        facts=facts,
        evidence=lines,
        meaning=" ".join(filter(None, (network, _elsewhere(facts, values)))),
        first_causes=tuple(causes),
        first_steps=() if facts.made_up_here or facts.direction is Direction.IN else _waiting(facts),
    )
    for other in beside(finding_id, outcome, facts):
        yield fill(other, values, facts=facts, evidence=lines)


def _in_full(values: Values, facts: Facts, finding_id: str, classify: _Classify) -> Values:
    """The answer with the words that led to the finding, where they do not stand in its phrase."""

    def decides(text: str) -> bool:
        return classify(text, facts.outcome.sip_code, facts.trunk) == finding_id

    if decides(facts.outcome.reason):
        return values
    words = next((_WARN_CODE.sub("", text) for text in own_texts(facts) if decides(text)), "")
    if not words:
        return values
    short = words if len(words) <= _LONGEST_WORDS else f"{words[:_LONGEST_WORDS].rstrip()}…"
    return replace(values, answer=f"{values.answer} ({short.rstrip('.')})")


def _gateway_cause(outcome: CallOutcome) -> Q850Cause | None:
    """What the telephone network behind the provider says, where it says it."""
    headers = (outcome.reason_header, *outcome.explanation.reasons)
    causes = (cause_of(header) for header in headers if header)
    return next((cause for cause in causes if cause is not None), None) or cause_named(outcome.reason)


def _elsewhere(facts: Facts, values: Values) -> str:
    """Where a 3xx points to."""
    redirected = 300 <= facts.outcome.sip_code <= 399 and values.elsewhere and not facts.made_up_here
    return f"It names {values.elsewhere}." if redirected else ""


def _waiting(facts: Facts) -> tuple[str, ...]:
    """The step that the far end itself asks for."""
    if not facts.retry_after_s:
        return ()
    return (f"Wait {waiting_time(facts.retry_after_s)} before you try again: the server asks for that.",)


def _answered(
    outcome: CallOutcome, facts: Facts, values: Values, lines: tuple[str, ...]
) -> Iterable[Finding]:
    kind = "CALL-IN" if facts.direction is Direction.IN else "CALL"
    named = [
        *ending_ids(outcome, facts, values),
        *([("CALL-SLOW", values)] if (outcome.setup_ms or 0.0) > SETUP_SLOW_MS else []),
        *way_ids(outcome, facts, values),
        *line_troubles(outcome, values),
        *sound_findings(outcome, values),
    ]
    troubles = [fill(name, filled, facts=facts, evidence=lines) for name, filled in named]
    about_audio = any(trouble.id.startswith(_ABOUT_AUDIO) for trouble in troubles)
    good = "ANSWERED" if about_audio else "OK" if both_ways(outcome) else "HEARD"
    return [fill(f"{kind}-{good}", values, facts=facts, evidence=lines), *troubles]


def _trouble_findings(facts: Facts, values: Values, lines: tuple[str, ...]) -> Iterable[Finding]:
    """Steps within the call that did not work, each in its own words."""
    call = facts.call
    for trouble in call.troubles if call is not None else ():
        name, filled = trouble_of(trouble, values)
        details = (clean(trouble.details),) if trouble.details else ()
        finding = fill(name, filled, facts=facts, evidence=(*details, *lines))
        steps = (clean(trouble.do),) if trouble.do else ()
        yield replace(finding, title=filled.problem, do=(*steps, *finding.do))


def _damage_findings(facts: Facts, values: Values, *, main: str) -> Iterable[Finding]:
    """Damaged messages, unless one is what the outcome is about, and what came back changed."""
    kinds = (("SIP-DROPPED", facts.dropped), ("SIP-REPAIRED", facts.repaired))
    for name, problems in kinds:
        if problems and not (name == "SIP-DROPPED" and "SIP-UNREADABLE" in main):
            filled = replace(values, damage=damage(problems))
            yield fill(name, filled, facts=facts, evidence=problem_lines(problems))
    if facts.altered:
        evidence = tuple(f"Came back changed: {clean(one)}" for one in facts.altered)
        yield fill("NET-ALG", values, facts=facts, evidence=evidence)


def _each_once(findings: Iterable[Finding]) -> list[Finding]:
    """Each id once: a refused request may have been noted as a step that did not work, too."""
    first: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        own_words = finding.title if finding.id == "STEP" else ""
        first.setdefault((finding.id, own_words), finding)
    return list(first.values())


def _at_proxy(findings: Iterable[Finding], trunk: Trunk) -> Iterable[Finding]:
    """With an outbound proxy, that is where the name or the address to look at stands."""
    for finding in findings:
        elsewhere = trunk.proxy and finding.id.startswith(("DNS-", "NET-"))
        yield (
            replace(finding, field="proxy") if elsewhere and finding.field in ("host", "port") else finding
        )


def _worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda finding: _WORST_FIRST.index(finding.verdict)))


def worst(findings: Iterable[Finding]) -> Verdict:
    """The verdict over all: fail over warning over pass; what was not run counts only by itself."""
    verdicts = {finding.verdict for finding in findings}
    return next((verdict for verdict in _WORST_FIRST if verdict in verdicts), Verdict.NOT_RUN)


def headline(findings: Iterable[Finding]) -> str:
    """The one-line verdict for the top of a page: `This trunk does not work: wrong user name or password.`"""
    found = _worst_first(findings)
    patterns = texts.headlines()
    if not found:
        return patterns.not_run.format(short="no check has run yet")
    text = texts.text_of(found[0].id)
    if text.headline:
        return text.headline
    is_call = text.id.startswith("CALL-")
    # Without anything that passed, a warning is no proof that the rest works
    works = any(finding.verdict is Verdict.PASS for finding in found)
    warning = patterns.warning if works else patterns.unsure
    pattern = {
        Verdict.PASS: patterns.passed,
        Verdict.WARNING: patterns.call_warning if is_call else warning,
        Verdict.FAIL: patterns.call_fail if is_call else patterns.fail,
        Verdict.NOT_RUN: patterns.not_run,
    }[text.verdict]
    return pattern.format(short=text.short)
