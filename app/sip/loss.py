"""What the loss of an engine means for those who were connected through it, in words."""

from __future__ import annotations

import time

from app.sip.child import ChildOutcome
from app.sip.comeback import in_words
from app.sip.notices import EngineLost

LOST_CALL = "The engine was lost; the far end may still have the call open"
"""Nobody has said BYE: the other side notices by the missing sound, or not at all."""
UNKNOWN_CALL = "The engine does not know the call any more"
"""Its end was lost on the way."""

MANY_DEATHS = 5
MANY_WITHIN_S = 600.0
"""So many ends within so many seconds, and something is wrong that another start does not put right."""
SAME_DEATHS = 3
"""So many ends in a row by the same message say so as well."""
REMEMBER_S = 3600.0


def words_for_trunk(outcome: ChildOutcome, *, calls_lost: int, registered_s: float) -> str:
    """Why a trunk is down, and what the other side still has open.

    Args:
        outcome: How its engine ended.
        calls_lost: Calls that were up in it.
        registered_s: Seconds that its registration would have gone on, 0 for none.
    """
    if outcome.exit_code == 0:
        return str(outcome)  # it had time to hang up and to sign out
    open_ends = []
    if calls_lost:
        calls = "the call" if calls_lost == 1 else f"the {calls_lost} calls"
        open_ends.append(f"the far end may still have {calls} open")
    if registered_s > 0:
        open_ends.append(f"the server may list the trunk as registered for another {registered_s:.0f} s")
    if not open_ends:
        return str(outcome)
    words = ", and ".join(open_ends)
    return f"{outcome} {words[0].upper()}{words[1:]}."


def words_for_loss(notice: EngineLost) -> str:
    """What happened to an engine and what is done about it, on one line."""
    parts = [str(notice.outcome)]
    if notice.calls_lost:
        parts.append("The far end may still have the call open.")
    if notice.why_slowly:
        parts.append(notice.why_slowly)
    if notice.restart_in_s is not None:
        soon = notice.restart_in_s < 60
        parts.append(
            "It is started again." if soon else f"It is started again in {in_words(notice.restart_in_s)}."
        )
    return " ".join(parts)


class Deaths:
    """How often one trunk's engines have ended, and by what."""

    def __init__(self) -> None:
        self._known: list[tuple[float, str]] = []

    def add(self, outcome: ChildOutcome) -> None:
        """An engine has ended without having been asked."""
        message = outcome.last_message
        now = time.monotonic()
        self._known = [(at, by) for at, by in self._known if now - at < REMEMBER_S]
        self._known.append((now, message.fingerprint if message else ""))

    def within(self, seconds: float) -> int:
        """How many there were in the last so many seconds."""
        now = time.monotonic()
        return sum(now - at < seconds for at, _ in self._known)

    @property
    def count(self) -> int:
        """How many are remembered."""
        return len(self._known)

    @property
    def why_slowly(self) -> str:
        """Why the next start should wait for minutes, a sentence; empty when it need not."""
        last = [by for _, by in self._known[-SAME_DEATHS:]]
        if len(last) == SAME_DEATHS and last[0] and len(set(last)) == 1:
            return f"The same message has ended the engine {SAME_DEATHS} times in a row."
        if (count := self.within(MANY_WITHIN_S)) >= MANY_DEATHS:
            return f"The engine has ended {count} times within {MANY_WITHIN_S / 60:.0f} minutes."
        return ""
