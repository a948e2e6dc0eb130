"""The engine: carries out commands on PJSIP, watches limits, and tells what happens."""

from __future__ import annotations

import queue
import socket
import sys
import time
from collections.abc import Callable

from app.errors import EngineError, SettingError
from app.model.outcome import LocalCause, TraceMessage
from app.model.trunk import Transport
from app.sip.engine.account import Account, uri_host
from app.sip.engine.audio.live import LiveAudio
from app.sip.engine.audio.microphone import Microphone
from app.sip.engine.calls import Calls
from app.sip.engine.causes import carry_out, local_cause
from app.sip.engine.endpoint import Endpoint
from app.sip.engine.rejection import RejectionWatch
from app.sip.engine.secure import SecurePath
from app.sip.engine.sign_in import SignIn
from app.sip.engine.voice import FRAME
from app.sip.messages import (
    AnswerCall,
    CallCommand,
    Capabilities,
    CloseAccount,
    Command,
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
    Traced,
    TransferCall,
    TransferToCall,
    Unregister,
    UseAudio,
    WatchDevices,
)
from app.sip.trace import Ledger

STOP_LIMIT_S = 2.0
"""Seconds that hanging up and unregistering may take when the engine is told to end."""
_IDLE_MS = 200
_BUSY_MS = 20


class Engine:
    """One engine. Every method but `wake` and `post` belongs to the one thread that made it.

    Args:
        emit: Gets every event, on that thread.
    """

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._ledger = Ledger()
        self._rejections = RejectionWatch()
        self._posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._endpoint = Endpoint(self._on_trace)
        self._account: Account | None = None
        self._settings: OpenAccount | None = None
        self._secure: SecurePath | None = None
        microphone = Microphone(FRAME)
        self._audio = LiveAudio(emit=emit, post=self.post, microphone=microphone)
        self._calls = Calls(
            emit=emit,
            ledger=self._ledger,
            settle=self._run_posted,
            explain=lambda code, reason: self._explain(code, 0, reason),
            microphone=microphone,
        )
        self._sign_in = SignIn(
            emit=emit,
            ledger=self._ledger,
            settle=self._run_posted,
            explain=self._explain,
            drop_account=self._drop_account,
        )
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
        busy = len(self._calls) or self._stopping or not self._wake_port
        self._endpoint.poll(_BUSY_MS if busy else _IDLE_MS)
        self._run_posted()
        now = time.monotonic()
        self._calls.watch(now)
        self._audio.watch(self._calls.legs)
        self._sign_in.watch(now)
        self._calls.forget_ended()

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
        self._waker.close()
        if self._sign_in.options_pending or not silent:
            return False
        self._endpoint.close()
        return True

    def _run_posted(self) -> None:
        while not self._posted.empty():
            self._posted.get_nowait()()

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
                self._sign_in.send_options(*self._open(), limit_s)
            case PlaceCall():
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
            local = self._endpoint.open_transports(target, settings.public_address)
        except OSError as error:
            raise EngineError(
                f"This computer has no route to {target}.",
                do="Check the network connection and any VPN.",
                details=str(error),
            ) from error
        self._wake_port = self._endpoint.udp_port
        self._endpoint.choose_codecs(settings.codecs)
        if target.transport is Transport.TLS:
            self._secure = SecurePath(
                settings,
                inner_port=self._endpoint.tcp_port,
                post=self.post,
                emit=self._emit,
                note=self._note,
            )
            route = self._secure.start()
        else:
            tcp = ";transport=tcp" if target.transport is Transport.TCP else ""
            route = f"sip:{uri_host(target.address)}:{target.port}{tcp};lr;hide"
        account = Account(self._sign_in.on_registration, self._on_incoming, self._sign_in.on_options)
        self._account, self._settings = account, settings
        carry_out(
            lambda: account.open(settings, route, local), "The SIP stack refuses this trunk's settings."
        )

    def _close_account(self) -> None:
        self._calls.drop_all()
        self._drop_account()
        if self._secure is not None:
            self._secure.stop()
            self._secure = None
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
        if self._secure:
            self._secure.failure = None
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

    # What PJSIP tells

    def _note(self, message: TraceMessage) -> None:
        self._ledger.note(message)
        self._emit(Traced(message=message))

    def _on_trace(self, message: TraceMessage) -> None:
        rejected = self._rejections.note(message)
        self._calls.note(message, self._settings)
        # Over TLS the messages between PJSIP and the edge are not those of the wire; the edge tells those
        if self._secure is None:
            self._note(message)
        # PJSIP has not read the response yet: what it would send next can still be kept back
        if rejected is not None and rejected.method == "REGISTER":
            if not len(self._calls):
                # The only way to keep PJSIP from sending: a deleted account does not stop it
                self._endpoint.shut_transports()
                self._wake_port = 0
            self._sign_in.credentials_rejected()
        elif rejected is not None and rejected.method == "INVITE":
            self._calls.credentials_rejected(rejected.call_id)

    def _on_incoming(self, pj_id: int, request_uri: str) -> None:
        if self._account is not None and self._settings is not None:
            self._run_posted()
            self._calls.incoming(self._account, pj_id, request_uri, self._settings)

    def _explain(self, code: int, status: int, reason: str) -> LocalCause:
        if self._secure is not None and self._secure.failure is not None:
            return self._secure.failure
        return local_cause(code, status, reason)
