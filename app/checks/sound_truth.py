"""What was heard in an answered call, and what shows that the other side hears us."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from app.checks.line_quality import none_arrives
from app.checks.texts import Values
from app.model.outcome import Audio, CallOutcome, MediaFigures
from app.model.sound_figures import FarReport, NetworkTone, Returned

CLIPPED_PCT = 0.5
"""Share of clipped samples from which speech is heard to be harsh."""
ECHO_SLOW_MS = 400.0
"""There and back: twice the one-way delay that ITU-T G.114 calls good, and a jitter buffer at each end."""

_TONES = {
    NetworkTone.BUSY: "TONE-BUSY",
    NetworkTone.CONGESTION: "TONE-CONGESTION",
    NetworkTone.SPECIAL_INFORMATION: "TONE-SIT",
}
_REPORTS = {
    FarReport.RECEIVES: "The other side reports that it receives our packets.",
    FarReport.RECEIVES_NOTHING: "The other side sends reports, and none of them mentions our packets.",
}


def arrives(media: MediaFigures) -> bool:
    """Whether something shows that our sound arrives: it came back, or the far end reports that it does."""
    sound = media.sound
    if sound.returned is Returned.YES or media.echo_ms is not None:
        return True
    return _reported(media) and sound.sent_pct != 0.0


def _reported(media: MediaFigures) -> bool:
    """Whether the far end reports that it receives what we send."""
    said = media.sound.far_report is FarReport.RECEIVES or media.tx.reported > 0
    return said and not none_arrives(media)


def both_ways(outcome: CallOutcome) -> bool:
    """Whether it is shown that sound went both ways."""
    if outcome.media is None or outcome.audio is not Audio.TWO_WAY or outcome.heard is False:
        return False
    return arrives(outcome.media)


def one_way(outcome: CallOutcome) -> bool:
    """Whether it is shown that sound goes out and none comes in."""
    media = outcome.media
    if media is None or outcome.audio is not Audio.SEND_ONLY:
        return False
    return _reported(media)


def sound_findings(outcome: CallOutcome, values: Values) -> Iterable[tuple[str, Values]]:
    """Ids of findings about what an answered call sounded like, each with its values.

    Args:
        outcome: The call.
        values: What is known of it already.
    """
    media = outcome.media
    if media is None:
        return
    sound = media.sound
    deaf = sound.far_report is FarReport.RECEIVES_NOTHING or none_arrives(media)
    if deaf and outcome.audio is Audio.TWO_WAY and sound.returned is not Returned.YES:
        yield "RTP-UNHEARD", values
    if sound.returned is Returned.YES:
        filled = replace(values, echo=_delay(sound.delay_ms), level=_level(sound.returned_dbm0))
        slow = sound.delay_ms is not None and sound.delay_ms > ECHO_SLOW_MS
        yield from (("ECHO-BACK", filled), *([("ECHO-SLOW", filled)] if slow else []))
    for finding_id, share in (("CLIP-IN", sound.clipped_in_pct), ("CLIP-OUT", sound.clipped_out_pct)):
        if share > CLIPPED_PCT:
            yield finding_id, replace(values, clipped=f"{share:.1f} %")
    if sound.doubled:
        yield "DTMF-TWICE", values
    if sound.signal in _TONES:
        yield _TONES[sound.signal], values


def sound_lines(media: MediaFigures) -> tuple[str, ...]:
    """What the sound showed, a line each; none while nothing is known."""
    sound = media.sound
    lines: list[str] = []
    if sound.heard_pct is not None and media.rx.packets:
        lines.append(f"Sound in what came in: {sound.heard_pct:.0f} % of the time, the rest was silence")
    if sound.returned is Returned.YES:
        came = f"after {_delay(sound.delay_ms)}, at {_level(sound.returned_dbm0)}"
        lines.append(f"Our own sound came back {came}")
    elif media.echo_ms is not None:
        lines.append(f"Our own signal came back after {_delay(media.echo_ms)}")
    elif sound.returned is Returned.NO:
        lines.append("Our own sound did not come back.")
    if none_arrives(media):
        lines.append("The other side reports that our packets are lost on their way.")
    elif sound.far_report in _REPORTS:
        lines.append(_REPORTS[sound.far_report])
    if sound.signal is not NetworkTone.NONE:
        lines.append(f"Heard: {sound.signal}")
    if sound.tone_hz is not None:
        lines.append(f"Steady tone heard: {sound.tone_hz:.0f} Hz at {_level(sound.tone_dbm0)}")
    if sound.clipped_in_pct or sound.clipped_out_pct:
        coming, going = (f"{share:.1f} %" for share in (sound.clipped_in_pct, sound.clipped_out_pct))
        lines.append(f"Cut off at the top: {coming} coming in, {going} going out")
    if sound.digits:
        lines.append(f"Keys heard as tones in the sound: {sound.digits}")
    if sound.doubled:
        lines.append(f"Keys that came in two ways at once: {sound.doubled}")
    return tuple(lines)


def _delay(delay_ms: float | None) -> str:
    return "an unknown time" if delay_ms is None else f"{delay_ms:.0f} ms"


def _level(dbm0: float | None) -> str:
    return "an unknown level" if dbm0 is None else f"{dbm0:.0f} dBm0"
