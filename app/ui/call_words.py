"""What is said about a call: its state, its quality, its protection, its transfer."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from app.model.caller import caller_number
from app.model.codec_quality import codec_quality
from app.model.outcome import AnsweredBy, CallOutcome, Direction, MediaFigures
from app.model.quality import CallQuality, Grade, Score
from app.model.trunk import Transport, Trunk
from app.model.visible import one_line
from app.ui.models.call_view import CallView, Transfer
from app.ui.style import Tone
from app.ui.words import (
    call_state_words,
    caller_words,
    clock,
    codec_word,
    hung_up_words,
    milliseconds,
    transport_word,
)

translate = QCoreApplication.translate

GRADE_TONES = {Grade.GOOD: Tone.GOOD, Grade.FAIR: Tone.WARNING, Grade.POOR: Tone.BAD}


def who(call: CallView) -> str:
    """The other side: the number as typed, or name and number of the caller."""
    if call.direction is Direction.OUT:
        return one_line(call.number)
    return caller_words(call.number) or translate("call_words", "unknown number")


def state_words(call: CallView) -> str:
    """A running call's state with its timer: `On hold  1:05`."""
    words = state_name(call)
    return f"{words}  {clock(call.seconds)}" if call.answered else words


def state_name(call: CallView) -> str:
    """A running call's state."""
    if not call.answered:
        return call_state_words(call.state, call.direction)
    if call.held_by_us and call.held_by_them:
        words = translate("call_words", "Held by both sides")
    elif call.held_by_us:
        words = translate("call_words", "On hold")
    elif call.held_by_them:
        words = translate("call_words", "Held by them")
    elif call.in_conference:
        words = translate("call_words", "In conference")
    else:
        words = call_state_words(call.state, call.direction)
    if call.muted:
        words = translate("call_words", "{state}, muted").format(state=words)
    return words


def state_tone(call: CallView) -> Tone | None:
    """What the state's colour says: a call in which one side can't be heard stands out."""
    if call.answered and (call.held_by_us or call.held_by_them or call.muted):
        return Tone.WARNING
    return None


def called_words(call: CallView) -> str:
    """Where a call goes, or which number of ours was called."""
    if call.direction is Direction.OUT:
        return translate("call_words", "To {uri}").format(uri=call.called) if call.called else ""
    words = translate("call_words", "Number called: {number} ({uri})")
    return words.format(number=caller_words(call.called), uri=call.called) if call.called else ""


def called_differ(call: CallView) -> bool:
    """Whether Request-URI and To name different numbers."""
    return bool(call.to and call.called) and caller_number(call.to) != caller_number(call.called)


def grade_word(grade: Grade) -> str:
    """A grade, with a capital."""
    match grade:
        case Grade.GOOD:
            return translate("call_words", "Good")
        case Grade.FAIR:
            return translate("call_words", "Fair")
        case Grade.POOR:
            return translate("call_words", "Poor")


def quality_words(quality: CallQuality | None, figures: MediaFigures | None, *, over: bool = False) -> str:
    """How the other side sounds here: `Good · MOS 4.4 · loss 0.1 % · jitter 3 ms · delay 82 ms`.

    Args:
        quality: The scores so far.
        figures: The media figures.
        over: Whether the call is over: then the mean, with the worst beside it.
    """
    if quality is None or figures is None:
        return "" if over else translate("call_words", "Quality is known after the first seconds of sound.")
    score = quality.mean if over else quality.now
    mos = translate("call_words", "MOS {mos}").format(mos=f"{score.mos:.1f}")
    if over and f"{quality.worst.mos:.1f}" != f"{score.mos:.1f}":
        mos = translate("call_words", "MOS {mean}, at worst {worst}").format(
            mean=f"{score.mos:.1f}", worst=f"{quality.worst.mos:.1f}"
        )
    parts = [
        grade_word(score.grade),
        mos,
        translate("call_words", "loss {loss}").format(loss=percent(score.loss_pct)),
        translate("call_words", "jitter {time}").format(time=milliseconds(figures.rx.jitter_ms)),
        delay_words(score),
    ]
    if score.limited_by_codec:
        parts.append(translate("call_words", "as good as this codec can be"))
    return " · ".join(parts)


def delay_words(score: Score) -> str:
    """The delay from mouth to ear."""
    if score.one_way_ms is None:
        return translate("call_words", "delay unknown")
    return translate("call_words", "delay {time}").format(time=milliseconds(score.one_way_ms))


def far_words(quality: CallQuality | None) -> str:
    """How the other side hears us."""
    if quality is None:
        return ""
    if quality.far is None:
        return translate("call_words", "The other side does not report how it hears us.")
    return translate("call_words", "The other side hears us: {grade}, MOS {mos}, loss {loss}").format(
        grade=grade_word(quality.far.grade).lower(),
        mos=f"{quality.far.mos:.1f}",
        loss=percent(quality.far.loss_pct),
    )


def percent(value: float) -> str:
    """A share for people: `0.1 %`, `12 %`."""
    return f"{value:.0f} %" if value >= 10 else f"{value:.1f} %"


def codec_words(figures: MediaFigures | None, trunk: Trunk) -> str:
    """Codec and protection of a call's sound: `G.711 µ-law · SRTP AES-128`; empty while there is no codec."""
    if figures is None or not figures.codec:
        return ""
    known = codec_quality(figures.codec.partition("/")[0])
    codec = known.shown if known else codec_word(figures.codec)
    secure = trunk.transport is Transport.TLS
    if figures.srtp and secure:
        words = suite_word(figures.srtp)
    elif figures.srtp:
        words = translate("call_words", "{suite}, but its key was sent in the clear by {transport}").format(
            suite=suite_word(figures.srtp), transport=transport_word(trunk.transport)
        )
    elif secure:
        words = translate("call_words", "sound not encrypted, only the signalling (TLS)")
    else:
        words = translate("call_words", "not encrypted")
    return f"{codec} · {words}"


def suite_word(suite: str) -> str:
    """An SRTP suite (RFC 4568 and its kin) as people call it: `SRTP AES-128`."""
    name = suite.upper()
    for bits in ("256", "192", "128"):
        if f"AES_CM_{bits}" in name or f"AES_{bits}" in name or f"AEAD_AES_{bits}" in name:
            return f"SRTP AES-{bits}"
    return name if name.startswith("SRTP") else f"SRTP {suite}"


def transfer_words(transfer: Transfer) -> tuple[str, Tone]:
    """What a transfer has come to, and its tone."""
    to = transfer.to or translate("call_words", "the other number")
    answer = f"{transfer.sip_code} {one_line(transfer.reason)}".strip() if transfer.sip_code else ""
    if transfer.refused:
        words = translate("call_words", "Not transferred: {to} answered {answer}. This call goes on.")
        if not answer:
            words = translate("call_words", "Not transferred to {to}. This call goes on.")
        return words.format(to=to, answer=answer), Tone.BAD
    if transfer.final:
        return translate("call_words", "Transferred to {to}.").format(to=to), Tone.GOOD
    if 180 <= transfer.sip_code < 200:
        return translate("call_words", "Transferring: {to} rings.").format(to=to), Tone.ACCENT
    return translate("call_words", "Transferring to {to}…").format(to=to), Tone.ACCENT


def story_words(call: CallView, outcome: CallOutcome) -> str:
    """A call that is over, in one line."""
    parts = [who(call)]
    if call.direction is Direction.IN:
        parts = [translate("call_words", "From {number}").format(number=who(call))]
    if outcome.duration_s:
        parts.append(clock(outcome.duration_s))
    by_network = outcome.sip_code and outcome.answered_by is AnsweredBy.NETWORK
    if call.transfer and call.transfer.final and not call.transfer.refused:
        parts.append(transfer_words(call.transfer)[0].rstrip("."))
    elif hung_up_words(outcome.hung_up_by):
        parts.append(hung_up_words(outcome.hung_up_by))
    elif not by_network:
        parts.append(str(outcome.result))
    if by_network:
        parts.append(f"{outcome.sip_code} {one_line(outcome.reason)}".strip())
    if outcome.setup_ms is not None:
        words = translate("call_words", "first response after {time}")
        parts.append(words.format(time=milliseconds(outcome.setup_ms)))
    return " · ".join(parts)
