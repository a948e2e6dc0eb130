"""The engine: carries out commands on PJSIP, watches limits, and tells what happens."""

from __future__ import annotations

import itertools
import queue
import socket
import sys
import time
from collections.abc import Callable

import pjsua2 as pj

from app.errors import EngineError, SettingError, UserError
from app.model.outcome import AnsweredBy, Direction, HungUpBy, LocalCause, TraceMessage
from app.model.trunk import Transport
from app.sip.emergency import guard
from app.sip.engine.account import Account, host_and_port, uri_host
from app.sip.engine.causes import local_cause
from app.sip.engine.endpoint import MAX_CALLS, Endpoint
from app.sip.engine.leg import Leg
from app.sip.engine.secure import SecurePath
from app.sip.messages import (
    AnswerCall,
    CallChanged,
    CallLevels,
    CallMedia,
    CallState,
    Capabilities,
    CloseAccount,
    Command,
    DigitReceived,
    Event,
    HangUp,
    OpenAccount,
    PlaceCall,
    Register,
    RegistrationChanged,
    RegistrationState,
    RejectCall,
    SendDigits,
    SetSource,
    Source,
    Stop,
    Traced,
    Unregister,
)
from app.sip.trace import Ledger

NO_RESPONSE_S = 8.0
"""Seconds without any response after which an INVITE is given up; four repeats have gone out by then."""
LONGEST_CALL_S = 120.0
"""No call lasts longer, whatever the command says."""
LONGEST_RING_S = 180.0
STOP_LIMIT_S = 2.0
"""Seconds that hanging up and unregistering may take when the engine is told to end."""
_LEVELS_EVERY_S = 0.1
_FIGURES_EVERY_S = 1.0
_IDLE_MS = 200
_BUSY_MS = 10


class Engine:
    """One engine. Every method but `wake` and `post` belongs to the one thread that made it.

    Args:
        emit: Gets every event, on that thread.
    """

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._ledger = Ledger()
        self._posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._endpoint = Endpoint(self._on_trace)
        self._account: Account | None = None
        self._settings: OpenAccount | None = None
        self._secure: SecurePath | None = None
        self._legs: dict[str, Leg] = {}
        self._ended: list[Leg] = []
        self._incoming_ids = itertools.count(1)
        self._register_limit: float | None = None
        self._register_limit_s = 0.0
        self._registered = False
        self._next_levels = self._next_figures = 0.0
        self._stopping: float | None = None
        self._wake_port = 0
        self._waker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def capabilities(self) -> Capabilities:
        """What this engine can do here."""
        return self._endpoint.capabilities()

    # From any thread

    def wake(self) -> None:
        """Make a waiting `poll` return: two CRLF, a keep-alive that PJSIP drops unread (RFC 5626 4.4.1)."""
        if self._wake_port:
            try:
                self._waker.sendto(b"\r\n\r\n", ("127.0.0.1", self._wake_port))
            except OSError:
                self._wake_port = 0  # poll() then falls back to short waits

    def post(self, act: Callable[[], None]) -> None:
        """Have `act` run on the engine's thread soon."""
        self._posted.put(act)
        self.wake()

    # The loop

    def poll(self) -> None:
        """Handle what is due, once; waits a moment when nothing is."""
        self._run_posted()
        limit = _BUSY_MS if self._legs or self._stopping or not self._wake_port else _IDLE_MS
        self._endpoint.poll(limit)
        self._run_posted()
        self._watch(time.monotonic())
        self._ended.clear()

    @property
    def finished(self) -> bool:
        """Whether a `Stop` has been carried out: nothing is up any more, or its limit has passed."""
        if self._stopping is None:
            return False
        return not (self._legs or self._registered) or time.monotonic() > self._stopping

    def close(self) -> None:
        """End PJSIP."""
        self._legs.clear()
        self._ended.clear()
        self._close_account()
        self._endpoint.close()
        self._waker.close()

    def _run_posted(self) -> None:
        while not self._posted.empty():
            self._posted.get_nowait()()

    def _watch(self, now: float) -> None:
        for leg in list(self._legs.values()):
            self._watch_limits(leg, now)
        if self._legs and now >= self._next_levels:
            self._next_levels = now + _LEVELS_EVERY_S
            figures_due = now >= self._next_figures
            if figures_due:
                self._next_figures = now + _FIGURES_EVERY_S
            for leg in self._legs.values():
                self._measure(leg, figures_due)
        if self._register_limit is not None and now > self._register_limit:
            self._give_up_registering()

    def _measure(self, leg: Leg, figures_due: bool) -> None:
        if leg.figures is None and leg.answered_at is None and not figures_due:
            return
        tx, rx = leg.voice.levels(int(_LEVELS_EVERY_S * 1000))
        if leg.figures is not None:
            self._emit(CallLevels(call_id=leg.call_id, tx_dbm0=tx, rx_dbm0=rx))
        if figures_due and leg.measure() and leg.figures:
            self._emit(CallMedia(call_id=leg.call_id, figures=leg.figures))

    def _watch_limits(self, leg: Leg, now: float) -> None:
        if leg.hung_up_by is not HungUpBy.NOBODY:
            return
        if leg.answered_at is not None:
            if now - leg.answered_at >= leg.max_seconds:
                self._end(leg, HungUpBy.LIMIT)
        elif now - leg.started_at >= leg.ring_seconds:
            self._end(leg, HungUpBy.LIMIT)
        elif leg.direction is Direction.OUT and now - leg.started_at >= NO_RESPONSE_S:
            progress = self._ledger.of(leg.sip_call_id, "INVITE")
            if not progress.provisional and not progress.challenges:
                self._end(leg, HungUpBy.NOBODY)
                self._ended_as(leg, 408, "No answer", LocalCause.NO_ANSWER)

    # Commands

    def handle(self, command: Command) -> None:
        """Carry out one command.

        Raises:
            UserError: It can't be done, in words.
        """
        match command:
            case OpenAccount():
                self._open_account(command)
            case CloseAccount():
                self._close_account()
            case Register():
                self._register(command.limit_s)
            case Unregister():
                self._unregister()
            case PlaceCall():
                self._place_call(command)
            case AnswerCall():
                leg = self._leg(command.call_id)
                leg.max_seconds = min(command.max_seconds, LONGEST_CALL_S)
                leg.voice.source = command.source
                _pj(lambda: leg.answer(_status(200)), "The call could not be answered.")
            case RejectCall():
                leg = self._leg(command.call_id)
                leg.hung_up_by = HungUpBy.US
                _pj(lambda: leg.hangup(_status(command.code)), "The call could not be refused.")
            case HangUp():
                self._end(self._leg(command.call_id), HungUpBy.US)
            case SetSource():
                self._leg(command.call_id).voice.source = command.source
            case SendDigits():
                leg, digits = self._leg(command.call_id), command.digits
                _pj(lambda: leg.dialDtmf(digits), f"The digits {digits} could not be sent.")
            case Stop():
                self._stop()

    def _open_account(self, settings: OpenAccount) -> None:
        self._close_account()
        target = settings.target
        try:
            local = self._endpoint.open_transports(target)
        except OSError as error:
            raise EngineError(
                f"This computer has no route to {target}.",
                do="Check the network connection and any VPN.",
                details=str(error),
            ) from error
        self._wake_port = self._endpoint.udp_port if ":" not in local else 0
        self._endpoint.choose_codecs(settings.codecs)
        if target.transport is Transport.TLS:
            self._secure = SecurePath(settings, post=self.post, emit=self._emit, note=self._note)
            route = self._secure.start()
        else:
            tcp = ";transport=tcp" if target.transport is Transport.TCP else ""
            route = f"sip:{uri_host(target.address)}:{target.port}{tcp};lr;hide"
        self._account = Account(self._on_registration, self._on_incoming)
        self._settings = settings
        account = self._account
        _pj(lambda: account.open(settings, route, local), "The stack refuses this trunk's settings.")

    def _close_account(self) -> None:
        for leg in list(self._legs.values()):
            self._end(leg, HungUpBy.US)
            self._ended_as(leg, 487, "The trunk was closed", LocalCause.NONE)
        if self._account is not None:
            self._account.shutdown()
            self._account = None
        if self._secure is not None:
            self._secure.stop()
            self._secure = None
        self._settings = None
        self._registered = False
        self._register_limit = None

    def _register(self, limit_s: float) -> None:
        account, settings = self._open()
        if not settings.register:
            raise SettingError(
                "This trunk does not register.",
                do="Switch registration on in its settings.",
                field="register",
            )
        self._ledger.restart("REGISTER")
        if self._secure:
            self._secure.failure = None
        self._register_limit_s = limit_s
        self._register_limit = time.monotonic() + limit_s
        _pj(lambda: account.setRegistration(True), "REGISTER could not be sent.")

    def _unregister(self) -> None:
        if self._account is None or not self._registered:
            self._emit(
                RegistrationChanged(
                    state=RegistrationState.UNREGISTERED,
                    sip_code=0,
                    reason="Not registered",
                    answered_by=AnsweredBy.LOCAL,
                )
            )
            return
        account = self._account
        self._ledger.restart("REGISTER")
        _pj(lambda: account.setRegistration(False), "The registration could not be taken back.")

    def _place_call(self, command: PlaceCall) -> None:
        account, settings = self._open()
        guard(command.user, command.country)
        if len(self._legs) >= MAX_CALLS:
            raise UserError(
                f"This trunk already has {MAX_CALLS} calls up, the most one engine can hold.",
                do="End one of them first.",
            )
        if command.call_id in self._legs:
            raise EngineError(f"There is a call {command.call_id} already.")
        leg = Leg(
            account,
            command.call_id,
            Direction.OUT,
            source=command.source,
            started_at=time.monotonic(),
            max_seconds=min(command.max_seconds, LONGEST_CALL_S),
            ring_seconds=min(command.ring_seconds, LONGEST_RING_S),
            on_state=self._on_call_state,
            on_digit=self._on_digit,
        )
        param = pj.CallOpParam(True)
        param.opt.videoCount = 0
        if settings.caller_id and settings.caller_id != settings.user:
            param.txOption.localUri = f"sip:{settings.caller_id}@{uri_host(settings.host)}"
        uri = f"sip:{command.user}@{host_and_port(settings)}"
        self._legs[command.call_id] = leg
        try:
            _pj(lambda: leg.makeCall(uri, param), f"{command.user} can't be dialled.")
        except UserError:
            self._legs.pop(command.call_id, None)
            raise

    def _stop(self) -> None:
        self._stopping = time.monotonic() + STOP_LIMIT_S
        for leg in list(self._legs.values()):
            self._end(leg, HungUpBy.US)
        if self._account is not None and self._registered:
            self._unregister()

    def _open(self) -> tuple[Account, OpenAccount]:
        if self._account is None or self._settings is None:
            raise EngineError("The trunk is not connected.", do="Connect it first.")
        return self._account, self._settings

    def _leg(self, call_id: str) -> Leg:
        leg = self._legs.get(call_id)
        if leg is None:
            raise EngineError("That call is over.")
        return leg

    def _end(self, leg: Leg, by: HungUpBy) -> None:
        if leg.hung_up_by is HungUpBy.NOBODY:
            leg.hung_up_by = by
        leg.measure()
        busy = leg.direction is Direction.IN and leg.answered_at is None
        try:
            leg.hangup(_status(480 if busy else 0))
        except pj.Error as error:
            # The call ended by itself in the same moment; its last state is on its way
            sys.stderr.write(f"hang up: {error.reason}\n")

    # What PJSIP tells

    def _note(self, message: TraceMessage) -> None:
        self._ledger.note(message)
        self._emit(Traced(message=message))

    def _on_trace(self, message: TraceMessage) -> None:
        # Over TLS the messages between PJSIP and the edge are not those of the wire; the edge tells those
        if self._secure is None:
            self._note(message)

    def _on_registration(self, code: int, reason: str, status: int, expires_s: int) -> None:
        self._run_posted()
        progress = self._ledger.latest("REGISTER")
        self._register_limit = None
        from_network = progress.code != 0 and (progress.code == code or progress.code in (401, 407))
        ok = code // 100 == 2
        self._registered = ok and expires_s > 0
        if ok:
            state = RegistrationState.REGISTERED if expires_s > 0 else RegistrationState.UNREGISTERED
        else:
            state = RegistrationState.FAILED
        self._emit(
            RegistrationChanged(
                state=state,
                sip_code=progress.code if from_network else code,
                reason=progress.phrase if from_network else reason,
                answered_by=AnsweredBy.NETWORK if from_network else AnsweredBy.LOCAL,
                local_cause=LocalCause.NONE if from_network else self._local_cause(code, status, reason),
                expires_s=expires_s if ok else 0,
                round_trip_ms=progress.round_trip_ms,
                requests_sent=progress.requests_sent,
                challenges=progress.challenges,
            )
        )

    def _give_up_registering(self) -> None:
        progress = self._ledger.latest("REGISTER")
        self._register_limit = None
        if self._account is not None:
            self._account.shutdown()
            self._account = None
        self._emit(
            RegistrationChanged(
                state=RegistrationState.FAILED,
                sip_code=408,
                reason=f"No answer within {self._register_limit_s:g} s",
                answered_by=AnsweredBy.LOCAL,
                local_cause=self._local_cause(408, 0, ""),
                requests_sent=progress.requests_sent,
                challenges=progress.challenges,
            )
        )

    def _local_cause(self, code: int, status: int, reason: str) -> LocalCause:
        if self._secure is not None and self._secure.failure is not None:
            return self._secure.failure
        return local_cause(code, status, reason)

    def _on_incoming(self, pj_id: int) -> None:
        if self._account is None:
            return
        leg = Leg(
            self._account,
            f"in-{next(self._incoming_ids)}",
            Direction.IN,
            source=Source.SILENCE,
            started_at=time.monotonic(),
            max_seconds=LONGEST_CALL_S,
            ring_seconds=LONGEST_RING_S,
            on_state=self._on_call_state,
            on_digit=self._on_digit,
            pj_id=pj_id,
        )
        self._legs[leg.call_id] = leg
        leg.sip_call_id = leg.getInfo().callIdString
        leg.answer(_status(180))
        self._emit(self._changed(leg, CallState.INCOMING))

    def _on_digit(self, leg: Leg, digit: str) -> None:
        self._emit(DigitReceived(call_id=leg.call_id, digit=digit))

    def _on_call_state(self, leg: Leg, state: CallState) -> None:
        self._run_posted()
        if leg.call_id not in self._legs:
            return
        if state is CallState.ENDED:
            self._call_ended(leg)
            return
        progress = self._ledger.of(leg.sip_call_id, "INVITE")
        if leg.direction is Direction.IN and state is not CallState.ANSWERED:
            return
        if state is CallState.RINGING and progress.early_sdp:
            state = CallState.EARLY_MEDIA
        if state is leg.state and state is not CallState.CALLING:
            return
        if state is CallState.ANSWERED:
            leg.answered_at = time.monotonic()
        leg.state = state
        self._emit(self._changed(leg, state))

    def _changed(self, leg: Leg, state: CallState) -> CallChanged:
        progress = self._ledger.of(leg.sip_call_id, "INVITE")
        info = leg.getInfo()
        return CallChanged(
            call_id=leg.call_id,
            direction=leg.direction,
            state=state,
            remote=info.remoteUri,
            called=info.localUri if leg.direction is Direction.IN else info.remoteUri,
            sip_code=info.lastStatusCode,
            reason=info.lastReason,
            setup_ms=progress.setup_ms,
            sip_call_id=leg.sip_call_id,
        )

    def _call_ended(self, leg: Leg) -> None:
        info = leg.getInfo()
        progress = self._ledger.of(leg.sip_call_id, "INVITE")
        if leg.answered_at is not None:
            if leg.hung_up_by is HungUpBy.NOBODY:
                leg.hung_up_by = HungUpBy.THEM
            self._ended_as(leg, 200, "OK", None, self._ledger.bye_reason(leg.sip_call_id))
        elif leg.direction is Direction.IN or progress.code >= 300:
            code = progress.code or info.lastStatusCode
            reason_header = progress.reason or self._ledger.bye_reason(leg.sip_call_id)
            self._ended_as(leg, code, progress.phrase or info.lastReason, None, reason_header)
        else:
            cause = self._local_cause(info.lastStatusCode, 0, info.lastReason)
            self._ended_as(leg, info.lastStatusCode, info.lastReason, cause)

    def _ended_as(
        self, leg: Leg, code: int, phrase: str, cause: LocalCause | None, reason_header: str = ""
    ) -> None:
        """Report a call's end and forget it; `cause` None means that the network gave the code."""
        progress = self._ledger.of(leg.sip_call_id, "INVITE")
        duration = time.monotonic() - leg.answered_at if leg.answered_at is not None else 0.0
        leg.state = CallState.ENDED
        if leg.figures is not None:
            self._emit(CallMedia(call_id=leg.call_id, figures=leg.figures))
        self._emit(
            CallChanged(
                call_id=leg.call_id,
                direction=leg.direction,
                state=CallState.ENDED,
                sip_code=code,
                reason=phrase,
                reason_header=reason_header,
                answered_by=AnsweredBy.NETWORK if cause is None else AnsweredBy.LOCAL,
                local_cause=cause or LocalCause.NONE,
                setup_ms=progress.setup_ms,
                duration_s=round(duration, 3),
                hung_up_by=leg.hung_up_by,
                sip_call_id=leg.sip_call_id,
            )
        )
        self._ledger.forget(leg.sip_call_id)
        del self._legs[leg.call_id]
        # PJSIP is still inside a callback of this object: it is dropped after the poll
        self._ended.append(leg)


def _status(code: int) -> pj.CallOpParam:
    param = pj.CallOpParam(True)
    param.opt.videoCount = 0
    param.statusCode = code
    return param


def _pj(act: Callable[[], None], what: str) -> None:
    """Run a PJSIP function; its refusal becomes a message for the person, with PJSIP's words as details."""
    try:
        act()
    except pj.Error as error:
        raise EngineError(what, details=f"{error.title}: {error.reason}") from None
