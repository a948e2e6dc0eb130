"""What an outcome shows, as values for texts and as lines of evidence."""

from __future__ import annotations

from app.checks.line_quality import quality_lines
from app.checks.sound_truth import sound_lines
from app.checks.texts import Values
from app.model.outcome import (
    AnsweredBy,
    CallOutcome,
    Direction,
    HungUpBy,
    LocalCause,
    MediaFigures,
    RegisterOutcome,
    Target,
    TlsFacts,
)
from app.model.trunk import Trunk
from app.sip.status import Q850Cause, cause_of, status

_ENDED_BY = {
    HungUpBy.US: "this side",
    HungUpBy.THEM: "the other side",
    HungUpBy.LIMIT: "the time limit of the test",
}


def registration_values(outcome: RegisterOutcome, trunk: Trunk) -> Values:
    """The values of signing in."""
    tls = outcome.tls or TlsFacts()
    return Values(
        trunk=trunk.name,
        host=trunk.host,
        transport=trunk.transport.upper(),
        user=trunk.user or "this address",
        auth_id=trunk.auth_id or trunk.user or "this address",
        caller_id=trunk.caller_id or trunk.user or "of this trunk",
        realm=trunk.realm,
        asked_realm=_clean(" or ".join(outcome.realms)),
        asked=str(trunk.expires),
        server=trunk.proxy or trunk.host,
        address=_address(outcome.target, trunk),
        answer=_answer(outcome.sip_code, outcome.reason),
        problem=_problem(outcome.reason, outcome.local_cause),
        round_trip=_milliseconds(outcome.round_trip_ms),
        expires=str(outcome.expires_s),
        names=_names(tls),
        valid=_valid(tls),
    )


def registration_lines(outcome: RegisterOutcome, trunk: Trunk) -> tuple[str, ...]:
    """What signing in showed, a line each."""
    lines = list(outcome.lookup)
    asked = "REGISTER" if trunk.register else "OPTIONS"
    if len(outcome.tried) > 1:
        lines.append("Tried in this order: " + ", ".join(str(target) for target in outcome.tried))
    if outcome.target is not None:
        times = f", {outcome.requests_sent} times" if outcome.requests_sent > 1 else ""
        lines.append(f"{asked} to {outcome.target}{times}")
    if outcome.challenges:
        times = "once" if outcome.challenges == 1 else f"{outcome.challenges} times"
        realm = f", realm {_clean(' or '.join(outcome.realms))}" if outcome.realms else ""
        lines.append(f"The server asked for the password {times} (401 or 407{realm}).")
    lines += _answer_lines(outcome.answered_by, outcome.sip_code, outcome.reason, outcome.local_cause)
    if outcome.round_trip_ms is not None:
        lines.append(f"Last {asked} to its answer: {_milliseconds(outcome.round_trip_ms)}")
    if outcome.expires_s:
        lines.append(f"Lifetime: {trunk.expires} s asked for, {outcome.expires_s} s granted")
    return (*lines, *_tls_lines(outcome.tls))


def call_values(outcome: CallOutcome, trunk: Trunk, direction: Direction) -> Values:
    """The values of a call."""
    media = outcome.media
    return Values(
        trunk=trunk.name,
        host=trunk.host,
        transport=trunk.transport.upper(),
        user=trunk.user or "this address",
        auth_id=trunk.auth_id or trunk.user or "this address",
        caller_id=trunk.caller_id or trunk.user or "of this trunk",
        realm=trunk.realm,
        asked_realm=_clean(" or ".join(outcome.realms)),
        asked=str(trunk.expires),
        server=trunk.proxy or trunk.host,
        address=_address(None, trunk),
        answer=_answer(outcome.sip_code, outcome.reason),
        problem=_problem(outcome.reason, outcome.local_cause),
        round_trip=_milliseconds(media.round_trip_ms if media else None),
        names=_names(TlsFacts()),
        valid=_valid(TlsFacts()),
        number=_number(outcome, direction),
        duration=f"{outcome.duration_s:.0f} s" if outcome.duration_s >= 1 else "less than a second",
        setup=f"{(outcome.setup_ms or 0) / 1000:.1f} s",
        sent=str(media.tx.packets if media else 0),
        received=str(media.rx.packets if media else 0),
    )


def call_lines(outcome: CallOutcome, direction: Direction) -> tuple[str, ...]:
    """What a call showed, a line each."""
    lines: list[str] = []
    if direction is Direction.OUT:
        typed = f" (typed {_clean(outcome.number)})" if outcome.dialled != outcome.number else ""
        lines.append(f"Dialled {_clean(outcome.dialled) or 'nothing'}{typed}")
    if outcome.duration_s and outcome.answered_by is AnsweredBy.LOCAL:
        words = _seen_here(outcome.reason, outcome.local_cause)
        lines.append(f"The call was answered, and its end was seen only here: {words}")
    elif direction is Direction.IN and not outcome.duration_s and outcome.answered_by is AnsweredBy.NETWORK:
        answer = f"This computer answered {outcome.sip_code} {_clean(outcome.reason)}"
        lines.append("The caller gave up." if outcome.sip_code == 487 else answer.rstrip())
    else:
        lines += _answer_lines(outcome.answered_by, outcome.sip_code, outcome.reason, outcome.local_cause)
    if outcome.reason_header:
        cause = cause_of(outcome.reason_header)
        lines.append(
            f"Reason: {_clean(outcome.reason_header)}" + (f" ({cause.meaning.rstrip('.')})" if cause else "")
        )
    if outcome.setup_ms is not None:
        lines.append(f"INVITE to the first sign of the other side: {_milliseconds(outcome.setup_ms)}")
    if outcome.early_media:
        lines.append("Sound or its description came before the call was answered.")
    by = outcome.hung_up_by
    if outcome.duration_s:
        lines.append(f"Answered for {outcome.duration_s:.1f} s{f', ended by {_ENDED_BY[by]}' if by else ''}")
    elif by is HungUpBy.LIMIT:
        lines.append("The time for ringing was over, and the call was taken back.")
    elif by is HungUpBy.US:
        lines.append("The call was taken back here before it was answered.")
    return (*lines, *media_lines(outcome.media), *quality_lines(outcome))


def media_lines(media: MediaFigures | None) -> tuple[str, ...]:
    """The figures of a call's sound, a line each way."""
    if media is None:
        return ()
    sent, received = media.tx, media.rx
    lines = [
        f"Received: {received.packets} packets, {received.lost} lost, {received.discarded} too late,"
        f" jitter {received.jitter_ms:.1f} ms",
        f"Sent: {sent.packets} packets, {sent.lost} lost as the other side reports,"
        f" jitter {sent.jitter_ms:.1f} ms",
    ]
    if received.jitter_max_ms:
        lines.append(f"Highest jitter received: {received.jitter_max_ms:.1f} ms")
    if received.reordered or received.duplicated:
        lines.append(f"Out of order: {received.reordered} packets; twice: {received.duplicated}")
    if media.codec:
        secure = f", encrypted with {media.srtp}" if media.srtp else ""
        lines.append(f"Codec: {media.codec}, {media.ptime_ms} ms in a packet{secure}")
    if media.first_rtp_ms is not None:
        lines.append(f"Answer to the first packet: {_milliseconds(media.first_rtp_ms)}")
    if media.round_trip_ms is not None:
        lines.append(f"Network round trip of the sound: {_milliseconds(media.round_trip_ms)}")
    return (*lines, *sound_lines(media))


def gateway_cause(outcome: CallOutcome) -> Q850Cause | None:
    """What the telephone network behind the provider says, where it says it."""
    return cause_of(outcome.reason_header) if outcome.reason_header else None


def _answer_lines(by: AnsweredBy | None, code: int, reason: str, cause: LocalCause) -> list[str]:
    if by is AnsweredBy.NETWORK and code:
        return [f"The network answered {code} {_clean(reason)}".rstrip()]
    if by is not AnsweredBy.LOCAL and cause is LocalCause.NONE:
        return []
    # A code that nobody sent must not look like an answer
    lines = [f"No answer came from the network. Seen here: {_seen_here(reason, cause)}"]
    if code:
        lines.append(f"The code {code} was made up by this computer.")
    return lines


def _seen_here(reason: str, cause: LocalCause) -> str:
    words = _clean(reason)
    says_it = words.lower().startswith(cause) or cause is LocalCause.OTHER
    known = "" if words and says_it else str(cause)
    return ": ".join(filter(None, (known, words))) or "nothing"


def _tls_lines(tls: TlsFacts | None) -> list[str]:
    if tls is None:
        return []
    lines: list[str] = []
    if tls.version:
        lines.append(f"Encrypted by {tls.version}" + (f", {tls.cipher}" if tls.cipher else ""))
    if tls.subject:
        lines.append(
            f"Certificate of {_clean(tls.subject)}, issued by {_clean(tls.issuer) or 'nobody named'}"
        )
    if tls.names:
        lines.append(f"Names in the certificate: {', '.join(_clean(name) for name in tls.names)}")
    if tls.not_before or tls.not_after:
        lines.append(f"Certificate valid {_valid(tls)}")
    if tls.fingerprint:
        lines.append(f"Fingerprint of the certificate (SHA-256): {tls.fingerprint}")
    if tls.server_name:
        lines.append(f"Name that was checked: {tls.server_name}")
    if tls.error:
        trust = {"system": "the system's trust", "pin": "the pinned one"}.get(tls.trust, tls.trust)
        lines.append(f"TLS error: {_clean(tls.error)} (checked against {trust})")
    return lines


def _names(tls: TlsFacts) -> str:
    names = [_clean(name) for name in tls.names or (tls.subject,) if name]
    if len(names) > 3:
        return f"{', '.join(names[:3])} and {len(names) - 3} more"
    return ", ".join(names) or "another name"


def _valid(tls: TlsFacts) -> str:
    if not tls.not_before and not tls.not_after:
        return "at another time"
    return f"{tls.not_before[:10] or '?'} to {tls.not_after[:10] or '?'}"


def _problem(reason: str, cause: LocalCause) -> str:
    words = _clean(reason) or str(cause) or "no reason is known"
    return words if words.endswith((".", "!", "?")) else f"{words}."


def _answer(code: int, reason: str) -> str:
    phrase = _clean(reason).rstrip(".")
    if not phrase and 100 <= code <= 699:
        phrase = status(code).phrase
    return f"{code} {phrase}".strip()


def _number(outcome: CallOutcome, direction: Direction) -> str:
    number = _clean(outcome.dialled or outcome.number if direction is Direction.OUT else outcome.number)
    return number or "an unknown number"


def _address(target: Target | None, trunk: Trunk) -> str:
    if target is not None:
        return f"{target.name} port {target.port}"
    if trunk.proxy or trunk.port is None:
        return trunk.proxy or trunk.host
    return f"{trunk.host} port {trunk.port}"


def _milliseconds(value: float | None) -> str:
    if value is None:
        return "an unknown time"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.1f} ms"


def _clean(text: str) -> str:
    """Text from the network on one line, without what a terminal or a label might obey."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
