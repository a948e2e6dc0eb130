"""What calls of the history are called on screen."""

from __future__ import annotations

from datetime import datetime, timedelta

from PySide6.QtCore import QCoreApplication

from app.model.call import Source
from app.model.caller import caller_number
from app.model.finding import Verdict
from app.model.history import CUT_OFF, FOR_EVER, CallPlan, HistoryDetails, HistoryEntry, ResultGroup
from app.model.outcome import AnsweredBy, CallResult, Direction
from app.model.visible import one_line
from app.ui.style import Tone
from app.ui.words import caller_words, clock, hung_up_words, milliseconds, source_word

translate = QCoreApplication.translate
NOTHING = "\N{EN DASH}"

_LOOKS = {
    Verdict.PASS: (Tone.GOOD, "pass"),
    Verdict.WARNING: (Tone.WARNING, "warning"),
    Verdict.FAIL: (Tone.BAD, "fail"),
    Verdict.NOT_RUN: (Tone.QUIET, "not-run"),
}


def direction_look(direction: Direction) -> tuple[str, str]:
    """A direction as a word and an icon."""
    if direction is Direction.IN:
        return translate("history_words", "In"), "incoming"
    return translate("history_words", "Out"), "outgoing"


def result_look(entry: HistoryEntry) -> tuple[str, Tone, str]:
    """A result as a word, a tone and an icon; the tone is the verdict's: a silent call is not a good one."""
    if entry.running:
        return translate("history_words", "In progress"), Tone.ACCENT, "running"
    return (result_word(entry.result), *_LOOKS.get(entry.verdict or Verdict.NOT_RUN, (Tone.QUIET, "info")))


def result_word(result: str) -> str:
    """A result, with a capital."""
    words = {
        CallResult.ANSWERED: translate("history_words", "Answered"),
        CallResult.BUSY: translate("history_words", "Busy"),
        CallResult.NOT_FOUND: translate("history_words", "Not found"),
        CallResult.FORBIDDEN: translate("history_words", "Forbidden"),
        CallResult.UNAVAILABLE: translate("history_words", "Unavailable"),
        CallResult.NO_ANSWER: translate("history_words", "No answer"),
        CallResult.DECLINED: translate("history_words", "Declined"),
        CallResult.WRONG_CREDENTIALS: translate("history_words", "Wrong credentials"),
        CallResult.FAILED: translate("history_words", "Failed"),
        CallResult.CANCELLED: translate("history_words", "Cancelled"),
        CallResult.REFUSED_HERE: translate("history_words", "Refused here"),
        CallResult.LOST: translate("history_words", "Lost"),
        CUT_OFF: translate("history_words", "Cut off"),
    }
    return words.get(result, result)


def group_word(group: ResultGroup) -> str:
    """A group of results."""
    match group:
        case ResultGroup.ANSWERED:
            return translate("history_words", "Answered")
        case ResultGroup.NOT_ANSWERED:
            return translate("history_words", "Not answered")
        case ResultGroup.FAILED:
            return translate("history_words", "Failed")
        case ResultGroup.REFUSED_HERE:
            return translate("history_words", "Refused here")


def begun_words(at: float, now: datetime | None = None) -> str:
    """When a call began, in local time: `Today 14:03:22`, `2026-07-30 14:03`."""
    begun = datetime.fromtimestamp(at)
    today = (now or datetime.now()).date()
    time = begun.strftime("%H:%M:%S")
    if begun.date() == today:
        return translate("history_words", "Today {time}").format(time=time)
    if begun.date() == today - timedelta(days=1):
        return translate("history_words", "Yesterday {time}").format(time=time)
    return begun.strftime("%Y-%m-%d %H:%M")


def whole_time(at: float) -> str:
    """A time that a support team anywhere understands: `2026-07-30 14:03:22.123 UTC-04:00`."""
    local = datetime.fromtimestamp(at).astimezone()
    offset = local.strftime("%z")
    return f"{local.strftime('%Y-%m-%d %H:%M:%S.%f')[:-3]} UTC{offset[:3]}:{offset[3:5]}"


def party(entry: HistoryEntry) -> str:
    """The other side: the number as typed, or name and number of the caller."""
    return caller_words(entry.number) or translate("history_words", "unknown number")


def length_words(entry: HistoryEntry) -> str:
    """How long a call was; a dash for one that was not answered."""
    return clock(entry.duration_s) if entry.duration_s else NOTHING


def mos_words(entry: HistoryEntry) -> str:
    """A call's score; a dash without one."""
    return NOTHING if entry.mos is None else f"{entry.mos:.1f}"


def headline_of(call: HistoryDetails) -> str:
    """What is to be thought of a call."""
    return call.entry.headline or translate("history_words", "This call is still up.")


def story_words(call: HistoryDetails) -> str:
    """A call in one line, below its headline."""
    entry, outcome = call.entry, call.outcome
    if entry.direction is Direction.IN:
        parts = [translate("history_words", "From {number}").format(number=party(entry))]
    else:
        parts = [party(entry)]
    parts.append(whole_time(entry.begun_at))
    if entry.duration_s:
        parts.append(clock(entry.duration_s))
    if hung_up_words(entry.hung_up_by):
        parts.append(hung_up_words(entry.hung_up_by))
    # A code that was made up here is not told as the provider's
    if entry.sip_code and outcome and outcome.answered_by is AnsweredBy.NETWORK:
        parts.append(f"{entry.sip_code} {one_line(entry.reason)}".strip())
    elif entry.reason and not entry.running:
        parts.append(one_line(entry.reason).rstrip("."))
    if entry.setup_ms is not None:
        words = translate("history_words", "first response after {time}")
        parts.append(words.format(time=milliseconds(entry.setup_ms)))
    return " · ".join(parts)


def route_words(call: HistoryDetails) -> str:
    """Through which trunk, what was dialled or called, and what was asked for."""
    entry, plan = call.entry, call.plan
    dialled = caller_number(entry.dialled)
    if entry.direction is Direction.IN:
        words = translate("history_words", "Through {trunk}, which was called at {number}")
    elif dialled:
        words = translate("history_words", "Through {trunk}, sent as {number}")
    else:
        words = translate("history_words", "Through {trunk}, nothing was sent")
    number = one_line(dialled) or translate("history_words", "an unknown number")
    line = words.format(trunk=one_line(entry.trunk), number=number)
    return f"{line}. {_plan_words(plan)}" if plan else f"{line}."


def _plan_words(plan: CallPlan) -> str:
    source = source_word(Source(plan.source)) if plan.source in set(Source) else plan.source
    if plan.ring_seconds is None:
        words = translate("history_words", "Planned: {source}, at most {seconds} s.")
        return words.format(source=source, seconds=f"{plan.max_seconds:g}")
    words = translate("history_words", "Planned: {source}, at most {seconds} s, ringing at most {ring} s.")
    return words.format(source=source, seconds=f"{plan.max_seconds:g}", ring=f"{plan.ring_seconds:g}")


def keep_words(days: int) -> str:
    """How long calls are kept."""
    if days == FOR_EVER:
        return translate("history_words", "for ever")
    if days == 1:
        return translate("history_words", "1 day")
    if days == 365:
        return translate("history_words", "1 year")
    return translate("history_words", "{days} days").format(days=days)


def kept_words(days: int) -> str:
    """How long calls are kept, within a sentence."""
    if days == FOR_EVER:
        return keep_words(days)
    return translate("history_words", "for {time}").format(time=keep_words(days))


def count_words(count: int) -> str:
    """A number of calls."""
    if count == 1:
        return translate("history_words", "1 call")
    return translate("history_words", "{count} calls").format(count=f"{count:,}")
