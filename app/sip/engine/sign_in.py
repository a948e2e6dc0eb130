"""Signing in: REGISTER, its refresh and its end, and OPTIONS for a trunk that does not register."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import pjsua2 as pj

from app.model.outcome import AnsweredBy, LocalCause
from app.sip.engine.account import Account
from app.sip.engine.causes import carry_out, refusal
from app.sip.engine.dialog_log import DialogLog
from app.sip.messages import Event, OpenAccount, OptionsAnswered, RegistrationChanged, RegistrationState
from app.sip.trace import Ledger, Progress

_BUSY = 171001
"""PJSIP_EBUSY: a REGISTER is under way."""


class SignIn:
    """The registration of one engine; belongs to the engine's thread.

    Args:
        emit: Gets every event.
        ledger, log: What the messages say.
        settle: Called before the ledger is asked, so that everything on its way to it has arrived.
        explain: Gives the cause behind a final code that was made up here, from code, status and phrase.
        drop_account: Forgets the account, with what it still waits for.

    Attributes:
        registered: Whether a registration stands.
        options_pending: OPTIONS that PJSIP has not come to an end with; it goes on for 32 s.
    """

    def __init__(
        self,
        *,
        emit: Callable[[Event], None],
        ledger: Ledger,
        log: DialogLog,
        settle: Callable[[], None],
        explain: Callable[[int, int, str], LocalCause],
        drop_account: Callable[[], None],
    ) -> None:
        self._emit = emit
        self._ledger = ledger
        self._log = log
        self._settle = settle
        self._explain = explain
        self._drop_account = drop_account
        self._limit: float | None = None
        self._limit_s = 0.0
        self._method = "REGISTER"
        self._refreshing = False
        self.registered = False
        self.options_pending = 0

    @property
    def waiting(self) -> bool:
        """Whether an answer is due, so that PJSIP's timers count."""
        return self._limit is not None or self._refreshing

    def reset(self) -> None:
        """Forget everything, for another account."""
        self._limit = None
        self.registered = self._refreshing = False

    def register(self, account: Account, limit_s: float) -> None:
        """Send REGISTER, or wait for the one that is under way; `on_registration` hears the outcome.

        Raises:
            EngineError: PJSIP refuses.
        """
        self._start("REGISTER", limit_s)
        try:
            account.setRegistration(True)
        except pj.Error as error:
            if error.status != _BUSY:
                raise refusal("REGISTER could not be sent.", error) from None

    def refresh(self, account: Account) -> None:
        """Send REGISTER again, because our address has changed; `on_registration` hears the outcome."""
        self._ledger.restart("REGISTER")
        self._log.restart("REGISTER")
        try:
            account.setRegistration(True)
        except pj.Error as error:
            # One that is under way carries the new address too
            if error.status != _BUSY:
                sys.stderr.write(f"register again: {error.reason}\n")
                return
        self._refreshing = True

    def unregister(self, account: Account | None) -> None:
        """Send REGISTER with Expires 0, or say at once that there was nothing to take back."""
        if account is None or not self.registered:
            self._emit(
                RegistrationChanged(
                    state=RegistrationState.UNREGISTERED,
                    sip_code=0,
                    reason="Not registered",
                    answered_by=AnsweredBy.LOCAL,
                )
            )
            return
        self._ledger.restart("REGISTER")
        self._log.restart("REGISTER")
        self._refreshing = True
        carry_out(lambda: account.setRegistration(False), "The registration could not be taken back.")

    def send_options(self, account: Account, settings: OpenAccount, limit_s: float) -> None:
        """Send OPTIONS; `on_options` hears the outcome."""
        self._start("OPTIONS", limit_s)
        carry_out(lambda: account.send_options(settings), "OPTIONS could not be sent.")
        self.options_pending += 1

    def watch(self, now: float) -> None:
        """Give up what has had no answer within its limit; `now` is monotonic seconds."""
        if self._limit is None or now < self._limit:
            return
        progress = self._ledger.latest(self._method)
        self._limit = None
        if self._method == "REGISTER":
            # PJSIP would go on for RFC 3261's 32 seconds; without its account it can't speak up any more.
            # An OPTIONS without an answer proves little: the account stays, and a call can be tried.
            self._drop_account()
        cause = self._explain(408, 0, "")
        if self._log.is_unreadable(self._log.latest(self._method)):
            cause = LocalCause.UNREADABLE
        self._tell(408, f"No answer within {self._limit_s:g} s", 0, progress, cause)

    def on_registration(self, code: int, reason: str, status: int, expires_s: int) -> None:
        """PJSIP has the final outcome of a REGISTER."""
        self._settle()
        self._method = "REGISTER"
        progress = self._ledger.latest("REGISTER")
        self._limit = None
        self._refreshing = False
        self.registered = code // 100 == 2 and expires_s > 0
        # After a second challenge PJSIP may report its own code; the challenge is what the network said
        if progress.code and (progress.code == code or progress.code in (401, 407)):
            self._tell(progress.code, progress.phrase, expires_s, progress, None)
            return
        cause = self._explain(code, status, reason)
        if self._log.is_unreadable(self._log.latest("REGISTER")):
            cause = LocalCause.UNREADABLE
        self._tell(code, reason, 0, progress, cause)

    def on_options(self, code: int, reason: str) -> None:
        """PJSIP has the final outcome of an OPTIONS."""
        self._settle()
        self.options_pending -= 1
        if self._limit is None or self._method != "OPTIONS":
            return
        self._limit = None
        progress = self._ledger.latest("OPTIONS")
        if progress.code:
            self._tell(progress.code, progress.phrase, 0, progress, None)
        else:
            cause = self._explain(code, 0, reason)
            if self._log.is_unreadable(self._log.latest("OPTIONS")):
                cause = LocalCause.UNREADABLE
            self._tell(code, reason, 0, progress, cause)

    def _start(self, method: str, limit_s: float) -> None:
        self._ledger.restart(method)
        self._log.restart(method)
        self._method = method
        self._limit_s = limit_s
        self._limit = time.monotonic() + limit_s

    def _tell(
        self, code: int, reason: str, expires_s: int, progress: Progress, cause: LocalCause | None
    ) -> None:
        by = AnsweredBy.NETWORK if cause is None else AnsweredBy.LOCAL
        log, call_id = self._log, self._log.latest(self._method)
        if self._method == "OPTIONS":
            self._emit(
                OptionsAnswered(
                    sip_code=code,
                    reason=reason,
                    answered_by=by,
                    local_cause=cause or LocalCause.NONE,
                    round_trip_ms=progress.round_trip_ms,
                    requests_sent=progress.requests_sent,
                    explanation=log.explanation(call_id),
                    problems=log.problems(call_id),
                    icmp=log.icmp(call_id),
                    altered=log.altered(call_id),
                )
            )
            return
        bindings = log.bindings(call_id)
        # A server that gives our Contact no time at all has not registered us
        if code // 100 != 2 or (bindings is not None and bindings.ours_s == 0):
            state = RegistrationState.FAILED
        else:
            state = RegistrationState.REGISTERED if expires_s > 0 else RegistrationState.UNREGISTERED
        self._emit(
            RegistrationChanged(
                state=state,
                sip_code=code,
                reason=reason,
                answered_by=by,
                local_cause=cause or LocalCause.NONE,
                expires_s=expires_s,
                round_trip_ms=progress.round_trip_ms,
                requests_sent=progress.requests_sent,
                challenges=progress.challenges,
                realms=progress.realms,
                explanation=log.explanation(call_id),
                challenge=log.challenge(call_id),
                bindings=bindings,
                problems=log.problems(call_id),
                icmp=log.icmp(call_id),
                altered=log.altered(call_id),
            )
        )
        # The next refresh is counted by itself
        self._ledger.restart("REGISTER")
        self._log.restart("REGISTER")
