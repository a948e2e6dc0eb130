"""The engine: carries out commands on PJSIP, watches limits, and tells what happens."""

from __future__ import annotations

import queue
import sys
import time
from collections.abc import Callable

from app.errors import EngineError, SettingError
from app.model.outcome import LocalCause, TlsFacts
from app.model.signalling import IcmpError
from app.sip.engine.account import Account
from app.sip.engine.audio.live import LiveAudio
from app.sip.engine.audio.microphone import Microphone
from app.sip.engine.call_rate import CallRate
from app.sip.engine.calls import Calls
from app.sip.engine.causes import carry_out, local_cause
from app.sip.engine.dialog_log import DialogLog
from app.sip.engine.edge.edge import Edge
from app.sip.engine.edge.hop import Hop
from app.sip.engine.edge.seen import Seen
from app.sip.engine.endpoint import Endpoint, local_address
from app.sip.engine.sign_in import SignIn
from app.sip.engine.strangers import Strangers
from app.sip.engine.voice import FRAME
from app.sip.messages import (
    AnswerCall,
    CallCommand,
    Capabilities,
    CloseAccount,
    Command,
    ConnectionLost,
    Event,
    ForwardCall,
    HangUp,
    HoldCall,
    MuteCall,
    OpenAccount,
    PlaceCall,
    Register,
    RejectCall,
    ResumeCall,
    SendDigits,
    SendOptions,
    SetConference,
    SetSource,
    StartRecording,
    Stop,
    StopRecording,
    TlsHandshake,
    Traced,
    TransferCall,
    TransferToCall,
    Unregister,
    UseAudio,
    WatchDevices,
)
from app.sip.trace import Ledger, head_of

STOP_LIMIT_S = 2.0
"""Seconds that hanging up and unregistering may take when the engine is told to end."""
MOVE_INTERVAL_S = 30.0
"""Seconds between two registrations because our address has changed."""
_IDLE_S = 0.2
_BUSY_S = 0.02
_MOST_TURNS = 50
"""Times that PJSIP and the edge hand messages to each other before anything else has its turn."""


class Engine:
    """One engine. Every method but `wake` and `post` belongs to the one thread that made it.

    Args:
        emit: Gets every event, on that thread.
    """

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._ledger = Ledger()
        self._log = DialogLog()
        self._posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        rate = CallRate()
        self._edge = Edge(self, self.post, rate)
        self._endpoint = Endpoint()
        self._account: Account | None = None
        self._settings: OpenAccount | None = None
        self._failure: LocalCause | None = None
        self._strangers = Strangers(emit)
        microphone = Microphone(FRAME)
        self._audio = LiveAudio(emit=emit, post=self.post, microphone=microphone)
        self._calls = Calls(
            emit=emit,
            ledger=self._ledger,
            log=self._log,
            settle=self._settle,
            explain=lambda code, reason: self._explain(code, 0, reason),
            rate=rate,
            microphone=microphone,
        )
        self._sign_in = SignIn(
            emit=emit,
            ledger=self._ledger,
            log=self._log,
            settle=self._settle,
            explain=self._explain,
            drop_account=self._drop_account,
        )
        self._stopping: float | None = None
        self._moved = False
        self._next_move = 0.0

    def capabilities(self) -> Capabilities:
        """What this engine can do here."""
        return self._endpoint.capabilities()

    # From any thread

    def wake(self) -> None:
        """Make a waiting `poll` return."""
        self._edge.wake()

    def post(self, act: Callable[[], None]) -> None:
        """Have `act` run on the engine's thread soon."""
        self._posted.put(act)
        self.wake()

    # The loop

    def poll(self) -> None:
        """Handle what is due, once; waits a moment when nothing is."""
        self._run_posted()
        busy = len(self._calls) or self._stopping or self._sign_in.waiting
        self._edge.wait(_BUSY_S if busy else _IDLE_S)
        self._run_posted()
        self._exchange()
        now = time.monotonic()
        self._edge.watch(now)
        self._calls.watch(now)
        self._audio.watch(self._calls.legs)
        self._sign_in.watch(now)
        self._strangers.watch(now)
        self._calls.forget_ended()
        self._exchange()

    def _exchange(self) -> None:
        """Let PJSIP and the edge hand each other what they have, until nothing is left."""
        for _ in range(_MOST_TURNS):
            handled = self._endpoint.poll()
            if not (self._edge.drain() or handled or self._edge.hand_over()):
                return

    @property
    def finished(self) -> bool:
        """Whether a `Stop` has been carried out: nothing is up any more, or its limit has passed."""
        if self._stopping is None:
            return False
        return not (len(self._calls) or self._sign_in.registered) or time.monotonic() > self._stopping

    def close(self) -> bool:
        """End PJSIP.

        Returns:
            Whether it has ended. With an OPTIONS under way it can't: PJSIP would tell the outcome to an
            account that is gone, and abort the process, which must then be left as it is. Nor can it while
            the driver of a sound device hangs.
        """
        self._close_account()
        self._endpoint.stop_clock()
        silent = self._audio.close()
        self._calls.close()
        self._edge.close()
        if self._sign_in.options_pending or not silent:
            return False
        self._endpoint.close()
        return True

    def _run_posted(self) -> None:
        while not self._posted.empty():
            self._posted.get_nowait()()

    def _settle(self) -> None:
        """See everything that PJSIP has sent so far."""
        self._edge.drain()
        self._run_posted()

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
            case Register(limit_s=limit_s):
                self._register(limit_s)
            case Unregister():
                self._sign_in.unregister(self._account)
            case SendOptions(limit_s=limit_s):
                self._failure = None
                self._sign_in.send_options(*self._open(), limit_s)
            case PlaceCall():
                self._failure = None  # of what was sent before
                self._calls.place(command, *self._open())
            case AnswerCall():
                self._calls.answer(command)
            case RejectCall(call_id=call_id, code=code):
                self._calls.reject(call_id, code)
            case HangUp(call_id=call_id):
                self._calls.hang_up(call_id)
            case SetSource(call_id=call_id, source=source):
                self._calls.set_source(call_id, source)
            case (
                ForwardCall()
                | HoldCall()
                | ResumeCall()
                | MuteCall()
                | TransferCall()
                | TransferToCall()
                | SetConference()
                | StartRecording()
                | StopRecording()
            ):
                self._control(command)
            case UseAudio(choice=choice):
                self._audio.use(choice)
            case WatchDevices(on=on):
                self._audio.watch_devices(on)
            case SendDigits(call_id=call_id, digits=digits):
                self._calls.send_digits(call_id, digits, self._open()[1].dtmf)
                self._audio.play_digits(digits)
            case Stop():
                self._stop()

    def _control(self, command: CallCommand) -> None:
        control = self._calls.control
        match command:
            case ForwardCall():
                control.forward(command, self._open()[1])
            case HoldCall(call_id=call_id):
                control.hold(call_id)
            case ResumeCall(call_id=call_id):
                control.resume(call_id)
            case MuteCall(call_id=call_id, muted=muted):
                control.mute(call_id, muted)
            case TransferCall():
                control.transfer(command, self._open()[1])
            case TransferToCall(call_id=call_id, other_id=other_id):
                control.transfer_to(call_id, other_id)
            case SetConference(call_ids=call_ids):
                control.set_conference(call_ids)
            case StartRecording(call_id=call_id, path=path):
                control.start_recording(call_id, path)
            case StopRecording(call_id=call_id):
                control.stop_recording(call_id)

    def _open_account(self, settings: OpenAccount) -> None:
        self._close_account()
        target = settings.target
        if ":" in target.address:
            raise EngineError(
                f"{target} is an IPv6 address, which this version of Ringback can't use.",
                do="Use a name or an IPv4 address of your provider.",
            )
        try:
            local = local_address(target)
            self._edge.open(settings, local=local, pjsip_port=self._endpoint.port)
        except OSError as error:
            raise EngineError(
                f"This computer has no route to {target}.",
                do="Check the network connection and any VPN.",
                details=str(error),
            ) from error
        self._endpoint.choose_codecs(settings.codecs)
        account = Account(self._on_registration, self._on_incoming, self._sign_in.on_options)
        self._account, self._settings = account, settings
        self._failure = None
        self._strangers.reset()
        route = f"sip:127.0.0.1:{self._edge.port};lr;hide"
        carry_out(
            lambda: account.open(settings, route, settings.public_address or local),
            "The SIP stack refuses this trunk's settings.",
        )

    def _close_account(self) -> None:
        self._calls.drop_all()
        self._drop_account()
        self._edge.shut()
        self._sign_in.reset()

    def _drop_account(self) -> None:
        if self._account is not None:
            self._account.shutdown()
            self._account = self._settings = None

    def _register(self, limit_s: float) -> None:
        account, settings = self._open()
        if not settings.register:
            raise SettingError(
                "This trunk does not register.",
                do="Switch registration on in its settings.",
                field="register",
            )
        self._failure = None
        self._sign_in.register(account, limit_s)

    def _stop(self) -> None:
        if self._stopping is not None:
            return  # asked already; the end of the wire then asks once more
        self._stopping = time.monotonic() + STOP_LIMIT_S
        self._calls.hang_up_all()
        if self._account is not None and self._sign_in.registered:
            try:
                self._sign_in.unregister(self._account)
            except EngineError as error:
                # It can't be sent any more; the registration then ends by itself
                sys.stderr.write(f"unregister: {error.details}\n")

    def _open(self) -> tuple[Account, OpenAccount]:
        if self._account is None or self._settings is None:
            raise EngineError("The trunk is not connected.", do="Connect it first.")
        return self._account, self._settings

    # What PJSIP and the edge report

    def on_seen(self, seen: Seen) -> None:
        """A message passes the edge: it is in the trace before PJSIP gets it, whatever comes of it."""
        self._emit(Traced(message=seen.trace))
        self._log.note(seen)
        if seen.message is None:
            return
        head = head_of(seen.message, seen.head, seen.call_id)
        if head is None:
            return
        if seen.passed or seen.outgoing:
            self._ledger.note(head, seen.trace.at, outgoing=seen.outgoing)
        self._calls.note(seen, head, self._settings)

    def on_detour(self, method: str, call_id: str, obstacle: str) -> None:
        """A request could not go where the far end wants it."""
        self._log.detour(call_id, method, obstacle)

    def on_stranger(self, method: str, user: str, source: Hop, code: int) -> None:
        """Somebody who is not the provider was refused."""
        self._strangers.count(method, user, source, code)

    def on_new_address(self) -> None:
        """The provider sees us at another address than the one it was given: it is given that one."""
        self._moved = True

    def on_handshake(self, facts: TlsFacts) -> None:
        """A TLS handshake ended."""
        self._failure = facts.cause if facts.cause is not LocalCause.NONE else None
        if self._settings is not None:
            self._emit(TlsHandshake(target=self._settings.target, facts=facts))

    def on_failure(self, cause: LocalCause, icmp: IcmpError | None, hop: Hop) -> None:
        """Nothing can be sent to a place."""
        self._failure = cause
        if icmp is not None:
            self._log.unreachable(icmp)

    def on_lost(self, cause: LocalCause, words: str) -> None:
        """The connection with the provider ended."""
        self._emit(ConnectionLost(cause=cause, words=words, registered=self._sign_in.registered))

    def on_unreadable(self, words: str, line: str, peer: str) -> None:
        """A connection's bytes are not SIP."""
        self._log.unreadable(words, line, peer)

    def _on_registration(self, code: int, reason: str, status: int, expires_s: int) -> None:
        self._sign_in.on_registration(code, reason, status, expires_s)
        now = time.monotonic()
        # A server that sees us somewhere else each time would have us register without end
        if self._moved and now >= self._next_move:
            self._next_move = now + MOVE_INTERVAL_S
            self.post(self._register_again)
        self._moved = False

    def _register_again(self) -> None:
        if self._account is not None and self._sign_in.registered:
            self._sign_in.refresh(self._account)

    def _on_incoming(self, pj_id: int) -> None:
        if self._account is not None and self._settings is not None:
            self._settle()
            self._calls.incoming(self._account, pj_id, self._settings)

    def _explain(self, code: int, status: int, reason: str) -> LocalCause:
        return self._failure or local_cause(code, status, reason)
