"""When to try again to bring a trunk back, and when to leave it to the person."""

from __future__ import annotations

import time

import msgspec

from app.model.outcome import AnsweredBy, RegisterOutcome


class Pauses(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds to wait; of several, the first time, the second, … and the last one from then on.

    Attributes:
        restart: Before an engine is started again that has ended.
        slow_restart: The same, when it ends again and again or always by the same message.
        retry: Before a registration that the network lost is asked for again.
        refused: After a refusal that may pass. Providers block addresses that ask more often.
        forbidden: After the second 403 in a row and later ones, which block first of all.
        longest_refusal: For so long a server is asked again that refuses.
        longest_wait: No longer than this, whatever `Retry-After` says.
        most_forbidden: So many 403 in a row are the last word.
    """

    restart: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
    slow_restart: tuple[float, ...] = (120.0, 300.0, 600.0)
    retry: tuple[float, ...] = (30.0, 60.0, 120.0, 300.0)
    refused: tuple[float, ...] = (30.0, 60.0, 120.0, 300.0, 600.0, 900.0)
    forbidden: float = 900.0
    longest_refusal: float = 86_400.0
    longest_wait: float = 86_400.0
    most_forbidden: int = 8


_FORBIDDEN = 403
# Too many at a time, overload, a device that still counts as signed in: another time it may be different
_MAY_PASS = frozenset({_FORBIDDEN, 408, 429, 480, 486, 600, *range(500, 600)})
_WRONG_PASSWORD = frozenset({401, 407})


def may_pass(outcome: RegisterOutcome) -> bool:
    """Whether the far end may take later what it has refused now (RFC 3261 section 21, RFC 6585)."""
    if outcome.answered_by is not AnsweredBy.NETWORK or outcome.sip_code in _WRONG_PASSWORD:
        return False
    return outcome.sip_code in _MAY_PASS or outcome.explanation.retry_after_s is not None


class Comeback:
    """One trunk's way back.

    Args:
        pauses: How long to wait.
        delays: Which of them, while nobody refuses.
        turn: How many of these to skip.

    Attributes:
        pause_s: Seconds before the next attempt; None when there is none.
    """

    def __init__(self, pauses: Pauses, delays: tuple[float, ...], turn: int = 0) -> None:
        self._pauses = pauses
        self._delays = delays
        self._turn = turn
        self._refused_since: float | None = None
        self._refusals = 0
        self._forbidden = 0
        self.pause_s: float | None = None

    def failed(self, delays: tuple[float, ...] | None = None) -> None:
        """Nothing came of an attempt, or there has been none yet; `delays` count from now on, if given."""
        if delays is not None and delays is not self._delays:
            self._delays, self._turn = delays, 0
        self.pause_s = _of(self._delays, self._turn)
        self._turn += 1

    def done(self) -> None:
        """The trunk is up."""
        self.pause_s = None

    def learn(self, outcome: RegisterOutcome) -> None:
        """Something other than success came of signing in."""
        if outcome.answered_by is not AnsweredBy.NETWORK:
            self.failed()
        elif may_pass(outcome):
            self.pause_s = self._after_refusal(outcome)
        else:
            self.pause_s = None

    def _after_refusal(self, outcome: RegisterOutcome) -> float | None:
        pauses, now = self._pauses, time.monotonic()
        self._refused_since = now if self._refused_since is None else self._refused_since
        self._forbidden = self._forbidden + 1 if outcome.sip_code == _FORBIDDEN else 0
        if now - self._refused_since > pauses.longest_refusal or self._forbidden > pauses.most_forbidden:
            return None
        pause = pauses.forbidden if self._forbidden > 1 else _of(pauses.refused, self._refusals)
        self._refusals += 1
        return max(pause, min(float(outcome.explanation.retry_after_s or 0), pauses.longest_wait))


def in_words(seconds: float) -> str:
    """A pause for people: `30 s`, `15 min`."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _of(delays: tuple[float, ...], turn: int) -> float:
    return delays[min(turn, len(delays) - 1)]
