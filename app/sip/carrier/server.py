"""The demo carrier: registrar, digest, and calls to its numbers and between its users."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any

from aiosipua import SipRequest, SipResponse, generate_tag, parse_uri

from app.sip.carrier.digest import DigestGuard, Verdict
from app.sip.carrier.exchange import Exchange
from app.sip.carrier.incoming import IncomingLeg
from app.sip.carrier.loopback import loopback_address
from app.sip.carrier.media import MediaStream
from app.sip.carrier.messages import CarrierNumber, CarrierOptions
from app.sip.carrier.offers import UnusableSdpError
from app.sip.carrier.outgoing import OutgoingLeg
from app.sip.carrier.registrar import Registrar
from app.sip.carrier.scenarios import NUMBERS, Scenario, cause, ring_user
from app.sip.carrier.sipmessage import ALLOW, Headers, parse_contact, response_to, tag_of, target_fault
from app.sip.carrier.transactions import ServerTransaction, TransactionLayer
from app.sip.carrier.transports import Peer, SipSockets

log = logging.getLogger(__name__)


class Carrier:
    """A carrier on loopback, usable as `async with Carrier(accounts={"1001": "secret"}) as carrier`.

    How it decides, where RFC 3261 leaves it open or providers differ:

    - Every REGISTER and every INVITE outside a dialog is challenged (401, 407), whoever sends it. A wrong
      password gets another challenge, without end, as most registrars do it.
    - Credentials of an unknown user: 404 on REGISTER when the address of record is unknown too (RFC 3261
      section 10.3, step 5), else 403. On INVITE 403.
    - An account that registers another one's address of record: 403.
    - More calls than channels: 503 `Channel limit reached` with Q.850 cause 34 and without `Retry-After`
      (RFC 3398 section 7.2.4.1 maps no circuit to 503; some providers say 403 or 486 instead).
    - From may name any caller, as on a trunk with a caller ID of its own.
    - A Contact, route or media address that is not loopback: 403, or 488 for media.

    Args:
        accounts: User to password.
        host: IPv4 loopback address to listen on.
        udp_port, tcp_port: 0 for a free one; both 0 gives the same number for both.
        options: Strictness, faults, times.
        note: Gets one line for people for every REGISTER and call.
    """

    def __init__(
        self,
        *,
        accounts: Mapping[str, str],
        host: str = "127.0.0.1",
        udp_port: int = 0,
        tcp_port: int = 0,
        options: CarrierOptions | None = None,
        note: Callable[[str], None] = log.info,
    ) -> None:
        self._accounts = dict(accounts)
        self._options = options or CarrierOptions()
        self._note = note
        self._where = (host, udp_port, tcp_port)
        self._host = loopback_address(host) or host
        self._scenarios = {number.public.number: number.scenario for number in NUMBERS}
        self._sockets = SipSockets(lambda message, peer: self._transactions.received(message, peer))
        self._transactions = TransactionLayer(self._sockets, self._options.timing, self._requested)
        self._exchange = Exchange(self._host, self._sockets, self._transactions, self._options, note)
        self._closing = False

    @property
    def udp_port(self) -> int:
        """Where it listens for UDP; 0 before it does."""
        return self._sockets.udp_port

    @property
    def tcp_port(self) -> int:
        """Where it listens for TCP; 0 before it does."""
        return self._sockets.tcp_port

    @property
    def numbers(self) -> tuple[CarrierNumber, ...]:
        """What can be dialled."""
        return tuple(number.public for number in NUMBERS)

    @property
    def calls_up(self) -> int:
        """Legs that have not ended."""
        return len(self._exchange.legs)

    async def __aenter__(self) -> Carrier:
        """Open the sockets; raises UserError when that is impossible."""
        clock = asyncio.get_running_loop().time
        self._digest = DigestGuard(
            self._accounts, algorithms=self._options.algorithms, nonce_s=self._options.nonce_s, clock=clock
        )
        self._registrar = Registrar(
            self._accounts,
            min_expires_s=self._options.min_expires_s,
            max_expires_s=self._options.max_expires_s,
            clock=clock,
        )
        await self._sockets.open(*self._where)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Hang up all calls and close."""
        self._closing = True
        await self._exchange.close()
        self._transactions.close()
        await self._sockets.close()

    # Requests

    def _requested(self, request: SipRequest, peer: Peer, transaction: ServerTransaction | None) -> None:
        leg = self._exchange.leg_of(request) if tag_of(request.headers.get_first("to") or "") else None
        if leg:
            leg.received(request, peer, transaction)
            return
        if transaction is None:
            return  # an ACK for nothing
        in_dialog = bool(tag_of(request.headers.get_first("to") or ""))
        unsupported = request.headers.get("require") + request.headers.get("proxy-require")
        if unsupported and request.method != "CANCEL":
            self._answer(transaction, 420, headers=[("Unsupported", ", ".join(unsupported))])
        elif request.method == "REGISTER":
            self._register(request, peer, transaction)
        elif request.method == "OPTIONS":
            self._answer(transaction, 200, headers=[("Accept", "application/sdp"), ("Allow", ALLOW)])
        elif request.method == "CANCEL":
            self._cancel(request, transaction)
        elif request.method == "INVITE" and not in_dialog:
            self._invite(request, transaction)
        elif in_dialog or request.method in ("BYE", "UPDATE"):
            self._answer(transaction, 481)
        else:
            self._answer(transaction, 405, headers=[("Allow", ALLOW)])

    def _answer(
        self, transaction: ServerTransaction, code: int, reason: str = "", headers: Headers = ()
    ) -> SipResponse:
        tag = "" if code == 100 else generate_tag()
        response = response_to(transaction.request, code, reason, tag=tag, headers=headers)
        transaction.respond(response)
        return response

    def _authenticated(self, transaction: ServerTransaction, header: str, challenge: str, code: int) -> str:
        """The account that sent a request; empty when it was answered with a challenge or a refusal."""
        request = transaction.request
        check = self._digest.check(request.headers.get(header), request.method, request.uri)
        match check.verdict:
            case Verdict.ACCEPTED:
                return check.user
            case Verdict.UNKNOWN_USER:
                to = parse_contact(request.headers.get_first("to") or "").uri.user
                unknown = request.method == "REGISTER" and to not in self._accounts
                self._answer(transaction, 404 if unknown else 403)
                self._note(f"{request.method} from {transaction.peer}: no account {check.user!r}")
            case Verdict.MALFORMED:
                self._answer(transaction, 400, check.reason)
                self._note(f"{request.method} from {transaction.peer}: {check.reason}")
            case _:
                values = self._digest.challenges(stale=check.verdict is Verdict.STALE)
                self._answer(transaction, code, headers=[(challenge, value) for value in values])
                if check.verdict is Verdict.WRONG:
                    self._note(f"{request.method} from {transaction.peer}: wrong password for {check.user}")
        return ""

    def _register(self, request: SipRequest, peer: Peer, transaction: ServerTransaction) -> None:
        account = self._authenticated(transaction, "authorization", "WWW-Authenticate", 401)
        if not account:
            return
        user = parse_contact(request.headers.get_first("to") or "").uri.user or ""
        if user not in self._accounts:
            self._answer(transaction, 404)
            self._note(f"{account} wants to register {user!r}, which does not exist")
            return
        if user != account:
            self._answer(transaction, 403, "Not your address of record")
            self._note(f"{account} wants to register {user}: refused")
            return
        outcome = self._registrar.register(user, request, peer)
        response = self._answer(transaction, outcome.code, outcome.reason, outcome.headers)
        if outcome.code != 200:
            self._note(f"{user} can't register: {outcome.code} {response.reason_phrase}")
        elif outcome.granted_s:
            self._note(f"{user} registered from {peer} for {outcome.granted_s} s")
        elif request.headers.get("contact"):
            self._note(f"{user} unregistered from {peer}")

    def _cancel(self, request: SipRequest, transaction: ServerTransaction) -> None:
        invite = self._transactions.cancelled_by(request)
        for leg in self._exchange.legs:
            if isinstance(leg, IncomingLeg) and invite and leg.invite is invite.request:
                leg.cancelled(request, transaction)
                return
        # A refusal that crossed the CANCEL has ended its leg; the transaction still knows it
        self._answer(transaction, 200 if invite else 481)

    def _invite(self, request: SipRequest, transaction: ServerTransaction) -> None:
        account = self._authenticated(transaction, "proxy-authorization", "Proxy-Authenticate", 407)
        if not account:
            return
        self._answer(transaction, 100)
        number = parse_uri(request.uri).user or ""
        refusal: tuple[int, str, Headers] | None = None
        wrong_target = _target_refusal(request)
        if wrong_target:
            refusal = (*wrong_target, ())
        elif request.body and (request.content_type or "").split(";")[0].strip().lower() != "application/sdp":
            refusal = (415, "", [("Accept", "application/sdp")])
        elif self._closing or not self._exchange.has_free_channel(account):
            refusal = (503, "Channel limit reached", [cause(34, "No circuit available")])
        scenario = self._scenario(number)
        if scenario is None:
            refusal = refusal or (404, "", [cause(1, "Unallocated number")])
        if refusal or scenario is None:
            code, reason, headers = refusal or (404, "", ())
            response = self._answer(transaction, code, reason, headers)
            self._note(f"{account}'s call to {number} refused: {code} {response.reason_phrase}")
            return
        try:
            stream = self._stream()
        except OSError as error:
            self._answer(transaction, 500, "No free media ports")
            self._note(f"{account}'s call to {number} refused: {error}")
            return
        leg = IncomingLeg(self._exchange, transaction, account=account, number=number, stream=stream)
        self._note(f"{account} calls {number} from {transaction.peer}")
        leg.run(self._take(leg, scenario))

    async def _take(self, leg: IncomingLeg, scenario: Scenario) -> None:
        """Let the scenario have the call, if it is one that can be answered."""
        await leg.stream.open()
        try:
            leg.negotiate()
        except UnusableSdpError as error:
            leg.refuse_offer(error)
            return
        await scenario(leg, self)

    def _stream(self) -> MediaStream:
        return MediaStream(
            self._host, rtcp_s=self._options.timing.rtcp_s, drop_pct=self._options.drop_rtp_pct
        )

    def _scenario(self, number: str) -> Scenario | None:
        if number in self._scenarios:
            return self._scenarios[number]
        return ring_user if number in self._accounts else None

    # What scenarios ask for

    def is_registered(self, account: str) -> bool:
        """Whether the account has a contact."""
        return bool(self._registrar.bindings(account))

    async def dial(
        self, account: str, *, caller: str, codecs: tuple[str, ...], near: str = ""
    ) -> OutgoingLeg | None:
        """A leg to the account's newest contact, or to the one at the address of `near`."""
        bindings = self._registrar.bindings(account)
        if not bindings or self._closing or not self._exchange.has_free_channel(account):
            self._note(f"no call to {account}: {'no free channel' if bindings else 'not registered'}")
            return None
        wanted = parse_uri(near)
        binding = next(
            (b for b in bindings if (b.host, b.port) == (loopback_address(wanted.host), wanted.port)),
            bindings[0],
        )
        self._note(f"calling {account} at {binding.host}:{binding.port} as {caller}")
        leg = OutgoingLeg(
            self._exchange,
            account=account,
            caller=caller,
            binding=binding,
            stream=self._stream(),
            codecs=codecs,
        )
        await leg.stream.open()
        return leg

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something that goes on after its call."""
        self._exchange.spawn(work)


def _target_refusal(request: SipRequest) -> tuple[int, str] | None:
    """Code and reason to refuse an INVITE with whose Contact or route can't be used."""
    contacts = request.headers.get("contact")
    if len(contacts) != 1:
        return 400, "INVITE needs one Contact"
    for name, values in (("Contact", contacts), ("Record-Route", request.headers.get("record-route"))):
        for value in values:
            fault = target_fault(parse_contact(value).uri)
            if fault:
                return 403, f"{name} {fault}"
    return None
