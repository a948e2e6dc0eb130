"""Notices as lines for the status bar and the log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication

from app.model.call import CallState
from app.model.outcome import AnsweredBy, CallOutcome, Direction
from app.model.typed import shown
from app.model.visible import one_line
from app.ui.words import caller_words, clock, trunk_state_word

if TYPE_CHECKING:
    from app.sip.notices import CallProgress, EngineLost, Notice

translate = QCoreApplication.translate

_LONGEST_NAME = 80


def notice_line(notice: Notice, trunk: str) -> str:
    """A line for people, empty for a notice that is not worth one.

    Args:
        notice: What happened.
        trunk: The trunk's name.
    """
    from app.sip import notices

    trunk = one_line(trunk, _LONGEST_NAME)
    match notice:
        case notices.TrunkChanged(state=state, cause=cause):
            words = f"{trunk}: {trunk_state_word(state)}"
            return f"{words} ({one_line(cause)})" if cause else words
        case notices.CallProgress():
            return _progress_line(notice, trunk)
        case notices.CallEnded(outcome=outcome):
            return _end_line(outcome, trunk)
        case notices.EngineLost():
            return _engine_line(notice, trunk)
    return ""


def _progress_line(notice: CallProgress, trunk: str) -> str:
    if notice.state is CallState.INCOMING:
        words = translate("notice_lines", "{trunk}: incoming call from {number}")
    elif notice.state is CallState.ANSWERED and notice.direction is Direction.OUT:
        words = translate("notice_lines", "{trunk}: {number} answered")
    elif notice.state is CallState.ANSWERED:
        words = translate("notice_lines", "{trunk}: call from {number} answered")
    elif notice.state is CallState.CALLING:
        words = translate("notice_lines", "{trunk}: calling {number}")
    else:
        words = translate("notice_lines", "{trunk}: {number} is ringing")
    return words.format(trunk=trunk, number=caller_words(notice.number))


def _end_line(outcome: CallOutcome, trunk: str) -> str:
    if outcome.duration_s:
        words = translate("notice_lines", "{trunk}: call with {number} ended after {time}")
    else:
        words = translate("notice_lines", "{trunk}: call with {number} ended, {result}")
    time = clock(outcome.duration_s)
    number = caller_words(outcome.number)
    line = words.format(trunk=trunk, number=number, result=outcome.result, time=time)
    if outcome.sip_code != 200 and outcome.answered_by is AnsweredBy.NETWORK:
        line += f" ({outcome.sip_code} {one_line(outcome.reason)})"
    return line


def _engine_line(notice: EngineLost, trunk: str) -> str:
    outcome = notice.outcome
    how = outcome.signal_name or translate("notice_lines", "exit code {code}").format(code=outcome.exit_code)
    how = outcome.why.rstrip(".") or how
    if outcome.last_message is not None:
        how += translate("notice_lines", "; the last message was {start} from {peer}").format(
            start=shown(outcome.last_message.start), peer=outcome.last_message.peer
        )
    if notice.restart_in_s is None:
        words = translate("notice_lines", "The engine for {trunk} stopped ({how})")
    else:
        words = translate("notice_lines", "The engine for {trunk} stopped ({how}); starting again")
    line = words.format(trunk=trunk, how=how)
    if notice.calls_lost:
        line += "; " + translate("notice_lines", "calls lost: {count}").format(count=notice.calls_lost)
    return f"{line}. {notice.why_slowly}" if notice.why_slowly else line
