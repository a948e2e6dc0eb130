"""Text behind the "copy details" buttons: in English, for support people, without secrets."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from app import __version__
from app.errors import UserError
from app.model.finding import Finding
from app.model.outcome import CallOutcome, RegisterOutcome
from app.model.trunk import Trunk
from app.redact import redact_sip

if TYPE_CHECKING:
    from app.model.history import HistoryDetails


def call_details(trunk: Trunk, outcome: CallOutcome, findings: Iterable[Finding]) -> str:
    """All that is known of a call that ended."""
    lines = [
        *_head(trunk),
        f"Number: {outcome.number}",
        f"Dialled: {outcome.dialled}",
        f"Result: {outcome.result}",
        *_outcome_lines(outcome),
    ]
    return "\n".join([*lines, *_findings(findings)])


def history_details(call: HistoryDetails) -> str:
    """All that is kept of a call, but for its SIP messages."""
    entry, outcome = call.entry, call.outcome
    lines = [
        *_machine(),
        f"Trunk: {entry.trunk}",
        f"Call: {entry.direction}, begun {_time(entry.begun_at)}",
        f"Number: {entry.number}",
        f"Dialled: {entry.dialled}",
        f"Result: {entry.result or 'running'}",
    ]
    if call.sip_call_id:
        lines.append(f"Call-ID: {call.sip_call_id}")
    if call.recording:
        lines.append(f"Recording: {call.recording}")
    if outcome:
        lines += _outcome_lines(outcome)
        if outcome.quality:
            lines.append(f"MOS: {outcome.quality.mean.mos:.2f}, at worst {outcome.quality.worst.mos:.2f}")
    elif entry.reason or entry.sip_code:
        lines.append(f"SIP: {_sip(entry.sip_code, entry.reason)}")
    return "\n".join([*lines, *_findings(call.findings)])


def registration_details(trunk: Trunk, outcome: RegisterOutcome, findings: Iterable[Finding]) -> str:
    """All that is known of a registration's last outcome."""
    lines = [
        *_head(trunk),
        f"State: {outcome.state}",
        f"SIP: {_sip(outcome.sip_code, outcome.reason)}",
    ]
    if outcome.answered_by:
        lines.append(f"Answered by: {outcome.answered_by} {outcome.local_cause}".rstrip())
    if outcome.round_trip_ms is not None:
        lines.append(f"Round trip: {outcome.round_trip_ms:.1f} ms")
    if outcome.expires_s:
        lines.append(f"Expires: {outcome.expires_s} s")
    lines.extend(f"Tried: {target}" for target in outcome.tried)
    if outcome.tls:
        tls = outcome.tls
        lines.append(f"TLS: {tls.version or tls.error} {tls.cipher} {tls.subject}".rstrip())
    return "\n".join([*lines, *_findings(findings)])


def error_details(error: UserError) -> str:
    """An error with its technical text."""
    return "\n".join(part for part in (error.what, error.do, error.details, *_machine()) if part)


def bug_details(text: str) -> str:
    """A traceback with what is needed to look into it."""
    return "\n".join([*_machine(), "", redact_sip(text)])


def _outcome_lines(outcome: CallOutcome) -> list[str]:
    lines = [f"SIP: {_sip(outcome.sip_code, outcome.reason)}"]
    if outcome.reason_header:
        lines.append(f"Reason header: {outcome.reason_header}")
    if outcome.answered_by:
        lines.append(f"Answered by: {outcome.answered_by} {outcome.local_cause}".rstrip())
    if outcome.setup_ms is not None:
        lines.append(f"Session request delay: {outcome.setup_ms:.0f} ms")
    lines.append(f"Duration: {outcome.duration_s:.1f} s")
    lines.append(f"Audio: {outcome.audio}")
    media = outcome.media
    if media:
        lines.append(f"Codec: {media.codec}")
        for name, stream in (("Sent", media.tx), ("Received", media.rx)):
            quality = f"loss {stream.loss_pct:.1f} %, jitter {stream.jitter_ms:.1f} ms"
            lines.append(f"{name}: {stream.packets} packets, {quality}")
        if media.round_trip_ms is not None:
            lines.append(f"Round trip: {media.round_trip_ms:.1f} ms")
        if media.echo_ms is not None:
            lines.append(f"Echo after: {media.echo_ms:.0f} ms")
    return lines


def _time(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().isoformat(timespec="milliseconds")


def _machine() -> list[str]:
    return [
        f"Ringback {__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"Time: {datetime.now().astimezone().isoformat(timespec='seconds')}",
    ]


def _head(trunk: Trunk) -> list[str]:
    port = f":{trunk.port}" if trunk.port else ""
    return [*_machine(), f"Trunk: {trunk.name} ({trunk.host}{port}, {trunk.transport}, user {trunk.user})"]


def _sip(code: int, reason: str) -> str:
    return f"{code} {reason}".strip() if code else reason or "no final response"


def _findings(findings: Iterable[Finding]) -> list[str]:
    lines: list[str] = []
    for finding in findings:
        lines += ["", f"{finding.id} ({finding.verdict}): {finding.title}"]
        lines += [f"  {line}" for line in finding.evidence]
    return lines
