"""What the command line prints: plain lines for people, one object with stable keys for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from app.errors import UserError
from app.model.finding import Finding, Verdict
from app.model.outcome import CallOutcome, RegisterOutcome
from app.model.quality import Score, summary
from app.model.settings import Mended
from app.model.trunk import Trunk
from app.terminal import say, say_lines

_MARKS = {Verdict.PASS: "ok", Verdict.WARNING: "note", Verdict.FAIL: "FAILED", Verdict.NOT_RUN: "not run"}


def _round(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)


def findings_json(findings: tuple[Finding, ...]) -> list[dict[str, Any]]:
    """The findings as `--json` gives them."""
    return [msgspec.to_builtins(finding) for finding in findings]


def register_json(outcome: RegisterOutcome, findings: tuple[Finding, ...]) -> dict[str, Any]:
    """What `register --json` gives; the keys are documented in docs/command-line.md and stay."""
    return {
        "trunk": outcome.trunk,
        "state": outcome.state,
        "sip_code": outcome.sip_code,
        "reason": outcome.reason,
        "answered_by": outcome.answered_by,
        "local_cause": outcome.local_cause or None,
        "round_trip_ms": _round(outcome.round_trip_ms),
        "expires_s": outcome.expires_s,
        "target": str(outcome.target) if outcome.target else None,
        "tried": [str(target) for target in outcome.tried],
        "requests_sent": outcome.requests_sent,
        "tls": msgspec.to_builtins(outcome.tls) if outcome.tls else None,
        "findings": findings_json(findings),
    }


def call_json(outcome: CallOutcome, findings: tuple[Finding, ...]) -> dict[str, Any]:
    """What `call --json` gives; the keys are documented in docs/command-line.md and stay."""
    media = outcome.media
    return {
        "trunk": outcome.trunk,
        "number": outcome.number,
        "dialled": outcome.dialled,
        "result": outcome.result,
        "sip_code": outcome.sip_code,
        "reason": outcome.reason,
        "reason_header": outcome.reason_header or None,
        "answered_by": outcome.answered_by,
        "local_cause": outcome.local_cause or None,
        "setup_ms": _round(outcome.setup_ms),
        "duration_s": outcome.duration_s,
        "hung_up_by": outcome.hung_up_by or None,
        "codec": media.codec if media else None,
        "tx_packets": media.tx.packets if media else 0,
        "rx_packets": media.rx.packets if media else 0,
        "loss_pct": _round(media.rx.loss_pct) if media else None,
        "tx_loss_pct": _round(media.tx.loss_pct) if media else None,
        "jitter_ms": _round(media.rx.jitter_ms) if media else None,
        "jitter_max_ms": _round(media.rx.jitter_max_ms) if media else None,
        "burst": _round(media.rx.burst) if media else None,
        "late_packets": media.rx.discarded if media else 0,
        "reordered_packets": media.rx.reordered if media else 0,
        "duplicate_packets": media.rx.duplicated if media else 0,
        "jitter_buffer_ms": _round(media.jitter_buffer_ms) if media else None,
        "packet_ms": media.ptime_ms if media else None,
        "srtp": media.srtp or None if media else None,
        "first_rtp_ms": _round(media.first_rtp_ms) if media else None,
        "hang_up_ms": _round(outcome.hang_up_ms),
        "round_trip_ms": _round(media.round_trip_ms) if media else None,
        "echo_ms": _round(media.echo_ms) if media else None,
        "tx_level_dbm0": _round(media.tx.level_dbm0, 1) if media else None,
        "rx_level_dbm0": _round(media.rx.level_dbm0, 1) if media else None,
        "audio": outcome.audio,
        "heard": outcome.heard,
        "troubles": [msgspec.to_builtins(trouble) for trouble in outcome.troubles],
        "quality": _quality_json(outcome),
        "findings": findings_json(findings),
    }


def _quality_json(outcome: CallOutcome) -> dict[str, Any] | None:
    quality = outcome.quality
    if quality is None or outcome.media is None:
        return None
    return {
        "summary": summary(quality.mean, outcome.media.codec),
        "windows": quality.windows,
        "mean": _score_json(quality.mean),
        "worst": _score_json(quality.worst),
        "far": _score_json(quality.far) if quality.far else None,
    }


def _score_json(score: Score) -> dict[str, Any]:
    return {
        "r": _round(score.r, 1),
        "mos": _round(score.mos),
        "grade": score.grade,
        "loss_pct": _round(score.loss_pct),
        "one_way_ms": _round(score.one_way_ms),
        "limited_by_codec": score.limited_by_codec,
    }


def trunk_json(trunk: Trunk) -> dict[str, Any]:
    """A trunk as `trunks --json` gives it; there is no secret in a trunk."""
    value: dict[str, Any] = msgspec.to_builtins(trunk)
    del value["id"]
    # As it was documented before there were more ways to sign in than two
    value["register"] = trunk.register
    return value


def mended_json(mended: Iterable[Mended]) -> list[dict[str, str]]:
    """What was put right, as `--json` gives it."""
    return [{"field": mend.key, "what": mend.what, "was": mend.was, "now": mend.now} for mend in mended]


def error_json(error: UserError) -> dict[str, Any]:
    """A refusal as `--json` gives it."""
    return {"error": {"what": error.what, "do": error.do, "field": error.field, "details": error.details}}


def say_findings(findings: tuple[Finding, ...]) -> None:
    """The findings for a person: what, what it means, what to do, and how it is known."""
    for finding in findings:
        say_lines(finding.title, "    ", first=f"[{_MARKS[finding.verdict]}] ")
        if finding.verdict is Verdict.PASS:
            continue
        if finding.meaning:
            say_lines(finding.meaning, "    ")
        if finding.causes:
            say("    Likely causes:")
            for cause in finding.causes:
                say_lines(cause, "        ", first="      - ")
        if finding.do:
            say("    What to do:")
            for number, step in enumerate(finding.do, 1):
                say_lines(step, "         ", first=f"      {number}. ")
        if finding.evidence:
            say("    Seen:")
            for line in finding.evidence:
                say_lines(line, "        ", first="      ")


def say_figures(outcome: CallOutcome) -> None:
    """A call's sound in a few lines, where there was any."""
    media = outcome.media
    if media is None:
        return
    parts = [
        f"sent {media.tx.packets} packets",
        f"received {media.rx.packets}",
        f"{media.rx.loss_pct:.1f} % lost",
        f"jitter {media.rx.jitter_ms:.1f} ms",
    ]
    if media.codec:
        parts.append(f"codec {media.codec}")
    if media.echo_ms is not None:
        parts.append(f"our signal came back after {media.echo_ms:.0f} ms")
    say(f"Sound: {', '.join(parts)}.")
    quality = outcome.quality
    if quality is None:
        return
    say(f"Quality: {summary(quality.mean, media.codec)}.")
    if quality.windows > 1:
        say(f"At worst: {summary(quality.worst, media.codec)}.")
    if quality.far is not None:
        say(f"As the other side reports it: {summary(quality.far, media.codec)}.")


def say_error(error: UserError) -> None:
    """A refusal for a person, on standard error."""
    say_lines(error.what, "  ", first="ringback: ", err=True)
    if error.do:
        say_lines(error.do, "  ", err=True)
