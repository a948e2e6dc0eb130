"""What an outcome shows, as lines of evidence."""

from __future__ import annotations

from app.checks.facts import Facts, is_unsent, last_of_each
from app.checks.far_words import explanation_lines
from app.checks.line_quality import quality_lines
from app.checks.sound_truth import sound_lines
from app.checks.values import valid
from app.checks.wording import clean, milliseconds, times
from app.model.outcome import (
    AnsweredBy,
    CallOutcome,
    Direction,
    HungUpBy,
    LocalCause,
    MediaFigures,
    RegisterOutcome,
    TlsFacts,
)
from app.model.signalling import (
    Bindings,
    ChallengeFacts,
    DialogFacts,
    Handling,
    IcmpError,
    MessageProblem,
    SentRequest,
)
from app.redact import redact_sip
from app.sip.status import cause_of

_ENDED_BY = {
    HungUpBy.US: "this side",
    HungUpBy.THEM: "the other side",
    HungUpBy.LIMIT: "the time limit of the test",
}
_HANDLED = {
    Handling.REPAIRED: "repaired here",
    Handling.SHORTENED: "passed on without it; the sender did nothing wrong",
    Handling.DROPPED: "left out here",
}


def lines_of(facts: Facts) -> tuple[str, ...]:
    """What a registration or a call showed, a line each."""
    call = facts.call
    lines = call_lines(call, facts) if call is not None else _registration_lines(facts)
    altered = [f"Came back changed: {clean(one)}" for one in facts.altered]
    return (*lines, *_icmp_lines(facts.outcome.icmp), *altered, *problem_lines(facts.problems))


def _registration_lines(facts: Facts) -> tuple[str, ...]:
    outcome, trunk = facts.outcome, facts.trunk
    assert isinstance(outcome, RegisterOutcome)
    lines = list(outcome.lookup)
    asked = "REGISTER" if trunk.register else "OPTIONS"
    if len(outcome.tried) > 1:
        lines.append("Tried in this order: " + ", ".join(str(target) for target in outcome.tried))
    if outcome.target is not None:
        repeated = f", {outcome.requests_sent} times" if outcome.requests_sent > 1 else ""
        lines.append(f"{asked} to {outcome.target}{repeated}")
    if outcome.challenges:
        often = "once" if outcome.challenges == 1 else f"{outcome.challenges} times"
        realm = f", realm {clean(' or '.join(outcome.realms))}" if outcome.realms else ""
        lines.append(f"The server asked for the password {often} (401 or 407{realm}).")
    lines += _challenge_lines(outcome.challenge)
    lines += _answer_lines(outcome.answered_by, outcome.sip_code, outcome.reason, outcome.local_cause)
    lines += explanation_lines(outcome.explanation)
    if outcome.round_trip_ms is not None:
        lines.append(f"Last {asked} to its answer: {milliseconds(outcome.round_trip_ms)}")
    if outcome.expires_s:
        lines.append(f"Lifetime: {trunk.expires} s asked for, {outcome.expires_s} s granted")
    return (*lines, *_binding_lines(outcome.bindings), *_tls_lines(outcome.tls))


def call_lines(outcome: CallOutcome, facts: Facts) -> tuple[str, ...]:
    """What a call showed, a line each."""
    lines: list[str] = []
    if facts.direction is Direction.OUT:
        typed = f" (typed {clean(outcome.number)})" if outcome.dialled != outcome.number else ""
        lines.append(f"Dialled {clean(outcome.dialled) or 'nothing'}{typed}")
    lines += _challenge_lines(outcome.challenge)
    lines += _end_lines(outcome, facts.direction)
    lines += explanation_lines(outcome.explanation)
    if outcome.setup_ms is not None:
        lines.append(f"INVITE to the first sign of the other side: {milliseconds(outcome.setup_ms)}")
    if outcome.early_media:
        lines.append("Sound or its description came before the call was answered.")
    by = outcome.hung_up_by
    if outcome.duration_s:
        lines.append(f"Answered for {outcome.duration_s:.1f} s{f', ended by {_ENDED_BY[by]}' if by else ''}")
    elif by is HungUpBy.LIMIT:
        lines.append("The time for ringing was over, and the call was taken back.")
    elif by is HungUpBy.US:
        lines.append("The call was taken back here before it was answered.")
    lines += _dialog_lines(outcome.dialog, facts.direction)
    return (*lines, *media_lines(outcome.media), *quality_lines(outcome))


def _end_lines(outcome: CallOutcome, direction: Direction) -> list[str]:
    lines: list[str] = []
    if outcome.duration_s and outcome.answered_by is AnsweredBy.LOCAL:
        words = _seen_here(outcome.reason, outcome.local_cause)
        lines.append(f"The call was answered, and its end was seen only here: {words}")
    elif direction is Direction.IN and not outcome.duration_s and outcome.answered_by is AnsweredBy.NETWORK:
        ours = f"This computer answered {outcome.sip_code} {clean(outcome.reason)}"
        lines.append("The caller gave up." if outcome.sip_code == 487 else ours.rstrip())
    else:
        lines += _answer_lines(outcome.answered_by, outcome.sip_code, outcome.reason, outcome.local_cause)
    headers = [outcome.reason_header, *outcome.explanation.reasons]
    for header in dict.fromkeys(clean(header) for header in headers if header):
        cause = cause_of(header)
        lines.append(f"Reason: {header}" + (f" ({cause.meaning.rstrip('.')})" if cause else ""))
    return lines


def _dialog_lines(dialog: DialogFacts, direction: Direction) -> list[str]:
    lines: list[str] = []
    if dialog.answer_repeats:
        whose = "The other side" if direction is Direction.OUT else "This computer"
        lines.append(f"{whose} sent the answer to the call again {times(dialog.answer_repeats)}.")
    if dialog.acknowledged is False:
        lines.append("The answer was not confirmed (ACK).")
    lines += [_request_line(request) for request in last_of_each(dialog) if not 200 <= request.code < 300]
    if dialog.answer_direction not in ("", "sendrecv"):
        lines.append(f"The other side describes its audio as {clean(dialog.answer_direction)}.")
    if dialog.far_codecs:
        lines.append(f"The other side's codecs: {clean(', '.join(dialog.far_codecs))}")
    if dialog.keys_in_clear:
        lines.append("Keys for SRTP were sent over a transport without encryption.")
    return lines


def _request_line(request: SentRequest) -> str:
    what = f"{clean(request.method)} ({request.purpose}), {request.after_s:.1f} s after the answer"
    if request.code:
        return f"{what}: answered {request.code} {clean(request.reason)}".rstrip()
    if is_unsent(request):
        return f"{what}: could not be sent: {clean(request.obstacle) or 'no reason is known'}"
    # An ACK gets no answer
    return f"{what}: sent" if request.method == "ACK" else f"{what}: no answer"


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
        lines.append(f"Answer to the first packet: {milliseconds(media.first_rtp_ms)}")
    if media.longest_gap_s >= 1:
        lines.append(f"Longest time without a packet: {media.longest_gap_s:.1f} s")
    if media.stopped_s is not None and media.stopped_s >= 1:
        lines.append(f"Last packet before the end: {media.stopped_s:.1f} s")
    if media.round_trip_ms is not None:
        lines.append(f"Network round trip of the sound: {milliseconds(media.round_trip_ms)}")
    return (*lines, *sound_lines(media))


def problem_lines(problems: tuple[MessageProblem, ...]) -> tuple[str, ...]:
    """Damaged messages, a line each: which, what is wrong with it, and the line at fault as received."""
    lines: list[str] = []
    for problem in problems:
        start = clean(problem.start) or "A message without a start line"
        sender = f" from {clean(problem.peer)}" if problem.peer else ""
        where = problem.header or "the message"
        # The line may be one with a key in it
        shown = clean(redact_sip(problem.line))
        received = f': "{shown}"' if shown else ""
        lines.append(
            f"{start}{sender}: {clean(where)} {clean(problem.what)}{received} ({_HANDLED[problem.handling]})"
        )
    return tuple(lines)


def _icmp_lines(icmp: IcmpError | None) -> list[str]:
    if icmp is None:
        return []
    who = f"{clean(icmp.reported_by)} reported" if icmp.reported_by else "The network reported"
    target = f", for {clean(icmp.target)}" if icmp.target else ""
    return [f"{who} by ICMP: {icmp.kind}{target}"]


def _challenge_lines(challenge: ChallengeFacts | None) -> list[str]:
    if challenge is None:
        return []
    lines: list[str] = []
    offered = [clean(", ".join(challenge.schemes))]
    if challenge.algorithms:
        offered.append(f"algorithm {clean(', '.join(challenge.algorithms))}")
    if challenge.qop:
        offered.append(f"qop {clean(', '.join(challenge.qop))}")
    if any(offered):
        lines.append(f"Password checks on offer: {'; '.join(filter(None, offered))}")
    if challenge.stale:
        lines.append(f"The server called its own nonce stale {times(challenge.stale)} in a row.")
    lines.append("A request with the password went out." if challenge.answered else "No password was sent.")
    return lines


def _binding_lines(bindings: Bindings | None) -> list[str]:
    if bindings is None:
        return []
    ours = "not this computer" if bindings.ours_s is None else f"this computer for {bindings.ours_s} s"
    others = {0: "", 1: " and 1 other device"}.get(bindings.others, f" and {bindings.others} other devices")
    if not bindings.listed:
        return ["The server's answer lists no devices."]
    return [f"Registered, by the server's answer: {ours}{others}"]


def _answer_lines(by: AnsweredBy | None, code: int, reason: str, cause: LocalCause) -> list[str]:
    if by is AnsweredBy.NETWORK and code:
        return [f"The network answered {code} {clean(reason)}".rstrip()]
    if by is not AnsweredBy.LOCAL and cause is LocalCause.NONE:
        return []
    # A code that nobody sent must not look like an answer
    lines = [f"No answer came from the network. Seen here: {_seen_here(reason, cause)}"]
    if code:
        lines.append(f"The code {code} was made up by this computer.")
    return lines


def _seen_here(reason: str, cause: LocalCause) -> str:
    words = clean(reason)
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
        lines.append(f"Certificate of {clean(tls.subject)}, issued by {clean(tls.issuer) or 'nobody named'}")
    if tls.names:
        lines.append(f"Names in the certificate: {', '.join(clean(name) for name in tls.names)}")
    if tls.not_before or tls.not_after:
        lines.append(f"Certificate valid {valid(tls)}")
    if tls.fingerprint:
        lines.append(f"Fingerprint of the certificate (SHA-256): {tls.fingerprint}")
    if tls.server_name:
        lines.append(f"Name that was checked: {tls.server_name}")
    if tls.error:
        trust = {"system": "the system's trust", "pin": "the pinned one"}.get(tls.trust, tls.trust)
        lines.append(f"TLS error: {clean(tls.error)} (checked against {trust})")
    return lines
