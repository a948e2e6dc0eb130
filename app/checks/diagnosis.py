"""From the outcome of a registration or a call to findings that a person can act on: pure functions."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from app.checks import texts
from app.checks.evidence import (
    call_lines,
    call_values,
    gateway_cause,
    registration_lines,
    registration_values,
)
from app.checks.line_quality import line_troubles, nothing_playable
from app.checks.provider_hints import Refused, with_hints
from app.checks.sound_truth import both_ways, one_way, sound_findings
from app.checks.texts import Values, fill
from app.model.finding import Finding, Verdict
from app.model.outcome import (
    AnsweredBy,
    Audio,
    CallOutcome,
    CallResult,
    Direction,
    HungUpBy,
    LocalCause,
    RegisterOutcome,
)
from app.model.trunk import Transport, Trunk, TrunkState

SETUP_SLOW_MS = 8000.0

SHORT_CALL_S = 2.0
"""A call that ended sooner says nothing about sound that did not come."""

_ACK_TIMEOUT_S = (31.0, 33.5)
"""64 × T1 after the answer, the provider gives up waiting for ACK (RFC 3261 section 13.3.1.4)."""

_TURNED_AWAY = frozenset({400, 406, 415, 420, 421, 480, 488, 606})
"""Codes with which the stack refuses a call that comes in before anybody is asked."""

_WORST_FIRST = (Verdict.FAIL, Verdict.WARNING, Verdict.PASS, Verdict.NOT_RUN)

_LOCAL = {
    LocalCause.NAME_NOT_FOUND: "DNS-NX",
    LocalCause.NAME_SERVER_SILENT: "DNS-SILENT",
    LocalCause.NO_ANSWER: "NET-NOANS",
    LocalCause.REFUSED: "NET-ICMP",
    LocalCause.NO_ROUTE: "NET-NOROUTE",
    LocalCause.CONNECTION_LOST: "NET-LOST",
    LocalCause.PROHIBITED: "NET-PROHIBITED",
    LocalCause.UNREADABLE: "SIP-UNREADABLE",
    LocalCause.TLS_CA: "TLS-CA",
    LocalCause.TLS_NAME: "TLS-NAME",
    LocalCause.TLS_PIN: "TLS-PIN",
    LocalCause.TLS_TIME: "TLS-TIME",
    LocalCause.TLS_PROTOCOL: "TLS-PROTO",
    LocalCause.ENGINE_LOST: "ENGINE-LOST",
    LocalCause.NO_ACK: "CALL-CUT-ACK",
    LocalCause.SESSION_EXPIRED: "CALL-CUT-TIMER",
    LocalCause.CALL_UNKNOWN: "CALL-CUT-GONE",
    LocalCause.NO_SRTP: "SRTP-NONE",
    LocalCause.NO_CODEC: "CODEC-NONE",
    LocalCause.OTHER: "NET-OTHER",
    LocalCause.NONE: "NET-OTHER",
}

_REGISTER_CODES = {480: "REG-404", 604: "REG-404", 501: "REG-405"}
"""Codes that mean on REGISTER what another one says better."""

_HINTED_CODES = frozenset({403, 480, 486, 500, 503, 600, 603})
"""Codes whose reason text may hold the provider's real reason; others are clear by themselves."""


def explain_registration(outcome: RegisterOutcome, trunk: Trunk) -> tuple[Finding, ...]:
    """What came of signing in; at least one finding, the worst first.

    Args:
        outcome: What the engine saw. A code made up here is never told as the provider's answer.
        trunk: The settings that were used.
    """
    values = registration_values(outcome, trunk)
    lines = registration_lines(outcome, trunk)
    found = [fill(_registration_id(outcome, trunk), values, evidence=lines)]
    signed_in = outcome.state in (TrunkState.REGISTERED, TrunkState.REACHABLE)
    if signed_in and outcome.target is not None and outcome.tried[:1] not in ((), (outcome.target,)):
        found.append(fill("DNS-SRVDOWN", values, evidence=lines))
    return with_hints(
        _worst_first(_at_proxy(found, trunk)),
        trunk,
        reason=outcome.reason,
        refused=Refused(outcome.sip_code, outcome.answered_by, registering=trunk.register),
    )


def _registration_id(outcome: RegisterOutcome, trunk: Trunk) -> str:
    states = {
        TrunkState.REGISTERED: "REG-OK",
        TrunkState.REACHABLE: "REACH-OK",
        TrunkState.FULL: "CAP-FULL",
        TrunkState.OFF: "REG-OFF",
        TrunkState.CONNECTING: "REG-WAIT",
    }
    if outcome.state in states:
        return states[outcome.state]
    if _made_up_here(outcome.answered_by, outcome.local_cause):
        return _local_id(outcome)
    if outcome.sip_code in (401, 407) or outcome.state is TrunkState.WRONG_CREDENTIALS:
        if _other_realm(outcome, trunk):
            return "AUTH-REALM"
        # One challenge that ended it means that no request with the password was answered
        return "AUTH-NONE" if outcome.challenges == 1 else "AUTH-LOOP"
    if not 300 <= outcome.sip_code <= 699:
        return "REG-FAILED"
    return _REGISTER_CODES.get(outcome.sip_code, f"REG-{outcome.sip_code}")


def _other_realm(outcome: RegisterOutcome | CallOutcome, trunk: Trunk) -> bool:
    """Whether the password was asked for in a realm that the settings do not have, and so was not sent."""
    asked = {realm.casefold() for realm in outcome.realms}
    return bool(asked) and trunk.realm not in ("", "*") and trunk.realm.casefold() not in asked


def _local_id(outcome: RegisterOutcome) -> str:
    cause = outcome.local_cause
    if cause is LocalCause.NONE and outcome.sip_code == 408:
        cause = LocalCause.NO_ANSWER
    if cause is LocalCause.NO_ANSWER and outcome.challenges:
        return "AUTH-NONE"
    if cause is LocalCause.NO_ROUTE and outcome.target is None:
        return "DNS-NOADDR"
    return _LOCAL[cause]


def explain_call(
    outcome: CallOutcome, trunk: Trunk, *, direction: Direction = Direction.OUT
) -> tuple[Finding, ...]:
    """What came of a call; at least one finding, the worst first.

    Args:
        outcome: What the engine saw. A code made up here is never told as the provider's answer.
        trunk: The trunk it went through.
        direction: Whether we called or were called.
    """
    values = call_values(outcome, trunk, direction)
    lines = call_lines(outcome, direction)
    if outcome.result is CallResult.ANSWERED:
        return with_hints(_worst_first(_answered(outcome, values, lines, direction)), trunk)
    cause = gateway_cause(outcome) if outcome.answered_by is AnsweredBy.NETWORK else None
    finding_id = _unanswered_id(outcome, trunk, direction)
    about_code = cause is not None and finding_id.startswith("CALL-") and finding_id != "CALL-CANCELLED"
    found = [
        fill(
            finding_id,
            values,
            evidence=lines,
            meaning=f"The telephone network gives as its reason: {cause.meaning}"
            if cause and about_code
            else "",
            first_cause=cause.meaning if cause and about_code and cause.cause not in (16, 31, 127) else "",
        )
    ]
    if finding_id == "NET-NOANS" and trunk.transport is Transport.UDP and trunk.register:
        found.append(fill("NET-BIG", values, evidence=lines))
    if outcome.early_media and direction is Direction.OUT and outcome.result is not CallResult.LOST:
        found.append(fill("EARLY-ONLY", values, evidence=lines))
    refused = Refused(outcome.sip_code, outcome.answered_by, registering=False)
    return with_hints(
        _worst_first(_at_proxy(found, trunk)),
        trunk,
        reason=f"{outcome.reason} {outcome.reason_header}",
        refused=refused if direction is Direction.OUT else None,
    )


def _unanswered_id(outcome: CallOutcome, trunk: Trunk, direction: Direction) -> str:
    by_result = {CallResult.LOST: "ENGINE-LOST", CallResult.REFUSED_HERE: "CALL-REFUSED-HERE"}
    if outcome.result in by_result:
        return by_result[outcome.result]
    if direction is Direction.IN:
        unasked = outcome.hung_up_by is HungUpBy.NOBODY and outcome.sip_code in _TURNED_AWAY
        return "CALL-IN-REFUSED" if unasked else "CALL-IN-MISSED"
    if outcome.result is CallResult.CANCELLED and outcome.hung_up_by is HungUpBy.US:
        return "CALL-CANCELLED"
    if outcome.result is CallResult.NO_ANSWER and _rang(outcome):
        return "CALL-NOANSWER"
    if _made_up_here(outcome.answered_by, outcome.local_cause):
        cause = outcome.local_cause
        if cause is LocalCause.NONE and outcome.sip_code == 408:
            cause = LocalCause.NO_ANSWER
        return _LOCAL[cause]
    if outcome.result is CallResult.WRONG_CREDENTIALS or outcome.sip_code in (401, 407):
        if _other_realm(outcome, trunk):
            return "AUTH-REALM"
        return "AUTH-407INV" if trunk.register else "AUTH-LOOP"
    if not 300 <= outcome.sip_code <= 699:
        return _WITHOUT_CODE.get(outcome.result, "CALL-FAILED")
    hinted = texts.hinted(outcome.reason) if outcome.sip_code in _HINTED_CODES else ""
    return hinted or f"CALL-{outcome.sip_code}"


_WITHOUT_CODE = {
    CallResult.BUSY: "CALL-486",
    CallResult.NOT_FOUND: "CALL-404",
    CallResult.FORBIDDEN: "CALL-403",
    CallResult.UNAVAILABLE: "CALL-503",
    CallResult.NO_ANSWER: "CALL-NOANSWER",
    CallResult.DECLINED: "CALL-603",
    CallResult.CANCELLED: "CALL-CANCELLED",
}


def _rang(outcome: CallOutcome) -> bool:
    """Whether the time for ringing was over, as against the network's own 408 or 480."""
    if outcome.hung_up_by is HungUpBy.LIMIT or outcome.sip_code == 487:
        return outcome.answered_by is AnsweredBy.NETWORK or outcome.setup_ms is not None
    # A timer of ours that ended a call which had come as far as ringing
    return outcome.answered_by is AnsweredBy.LOCAL and outcome.setup_ms is not None


def _made_up_here(by: AnsweredBy | None, cause: LocalCause) -> bool:
    return by is AnsweredBy.LOCAL or cause is not LocalCause.NONE


def _answered(
    outcome: CallOutcome, values: Values, lines: tuple[str, ...], direction: Direction
) -> Iterable[Finding]:
    kind = "CALL-IN" if direction is Direction.IN else "CALL"
    troubles = [fill(trouble, filled, evidence=lines) for trouble, filled in _troubles(outcome, values)]
    about_sound = any(trouble.id.startswith(("RTP-", "CALL-SHORT", "CALL-CUT")) for trouble in troubles)
    good = "ANSWERED" if about_sound else "OK" if both_ways(outcome) else "HEARD"
    return [fill(f"{kind}-{good}", values, evidence=lines), *troubles]


def _troubles(outcome: CallOutcome, values: Values) -> Iterable[tuple[str, Values]]:
    """Ids of what was wrong with an answered call, each with its values."""
    if outcome.local_cause not in (LocalCause.NONE, LocalCause.OTHER):
        own = _LOCAL[outcome.local_cause]
        yield (
            own if own.startswith("CALL-CUT") else "CALL-CUT",
            replace(values, problem=f"{outcome.local_cause}."),
        )
    low, high = _ACK_TIMEOUT_S
    if outcome.hung_up_by is HungUpBy.THEM and low <= outcome.duration_s <= high:
        yield "ACK-LOST-OUT", values
    ended_here = outcome.hung_up_by in (HungUpBy.US, HungUpBy.LIMIT)
    if ended_here and outcome.local_cause is LocalCause.NONE and outcome.hang_up_ms is None:
        yield "BYE-LOST", values
    if outcome.setup_ms is not None and outcome.setup_ms > SETUP_SLOW_MS:
        yield "CALL-SLOW", values
    silent_ways = {
        Audio.NONE: "RTP-NONE",
        Audio.SEND_ONLY: "RTP-NONE-RX",
        Audio.RECEIVE_ONLY: "RTP-NONE-TX",
    }
    too_short = outcome.duration_s < SHORT_CALL_S
    if outcome.audio in silent_ways:
        silent = "RTP-ONE-WAY" if one_way(outcome) else silent_ways[outcome.audio]
        yield ("CALL-SHORT" if too_short else silent), values
    elif outcome.media is not None and nothing_playable(outcome.media):
        yield "RTP-PT", values
    elif outcome.heard is False:
        yield ("CALL-SHORT" if too_short else "RTP-SILENT"), values
    yield from line_troubles(outcome, values)
    yield from sound_findings(outcome, values)


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
    pattern = {
        Verdict.PASS: patterns.passed,
        Verdict.WARNING: patterns.call_warning if is_call else patterns.warning,
        Verdict.FAIL: patterns.call_fail if is_call else patterns.fail,
        Verdict.NOT_RUN: patterns.not_run,
    }[text.verdict]
    return pattern.format(short=text.short)
