"""The demo carrier: registrar, digest, and calls to its numbers and between its users."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any

from app.model.trunk import Srtp, Transport
from app.providers.schema import Method, Mistake
from app.sip.carrier.digest import DigestGuard
from app.sip.carrier.exchange import Exchange
from app.sip.carrier.gate import Gate, answer
from app.sip.carrier.impairment import Impairment
from app.sip.carrier.incoming import IncomingLeg
from app.sip.carrier.judge import (
    called_number,
    is_emergency,
    is_reachable,
    judge_call,
    seen_in,
    without_prefix,
)
from app.sip.carrier.loopback import loopback_address
from app.sip.carrier.media import MediaStream
from app.sip.carrier.messages import CarrierNumber, CarrierOptions
from app.sip.carrier.offers import UnusableSdpError
from app.sip.carrier.outgoing import OutgoingLeg
from app.sip.carrier.profile import Profile, profile_named
from app.sip.carrier.received import Received
from app.sip.carrier.registrar import Registrar
from app.sip.carrier.scenarios import ECHO, NUMBERS, Scenario, cause, ring_user
from app.sip.carrier.sdes import ALL_SUITES
from app.sip.carrier.sipmessage import ALLOW, Headers, tag_of, target_refusal
from app.sip.carrier.transactions import ServerTransaction, TransactionLayer
from app.sip.carrier.transports import SipSockets
from app.sip.syntax.address import parse_uri
from app.sip.syntax.text import one_line

log = logging.getLogger(__name__)

BY_ADDRESS = "customer"
"""Account of calls that are known by their address, when there is none by name."""


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

    While it plays a provider, that one's rules come first: see `Profile`.

    Args:
        accounts: User to password.
        auth_users: User to the name that signs in for it, where that is another one.
        host: IPv4 loopback address to listen on.
        udp_port, tcp_port: 0 for a free one; both 0 gives the same number for both.
        tls_port: 0 for a free one.
        options: Strictness, faults, times, provider to play.
        profile: The provider to play, in place of the one in the options.
        note: Gets one line for people for every REGISTER and call.

    Attributes:
        profile: The provider that is played, if any.
        ca_pem: The certificate to trust for TLS; empty before it listens, and without TLS.

    Raises:
        SettingError: The options name a provider or a method that there is not.
    """

    def __init__(
        self,
        *,
        accounts: Mapping[str, str],
        auth_users: Mapping[str, str] | None = None,
        host: str = "127.0.0.1",
        udp_port: int = 0,
        tcp_port: int = 0,
        tls_port: int = 0,
        options: CarrierOptions | None = None,
        profile: Profile | None = None,
        note: Callable[[str], None] = log.info,
    ) -> None:
        self._accounts = dict(accounts)
        self._users = {(auth_users or {}).get(user, user): user for user in accounts}
        self._options = options or CarrierOptions()
        self.profile = profile or profile_named(
            self._options.provider, self._options.method, encrypted=self._options.encrypted
        )

        def note_clean(line: str) -> None:
            note(one_line(line))  # much of it is what somebody has sent

        self._note = note_clean
        self._where = (host, udp_port, tcp_port)
        self._tls_port = tls_port
        self.ca_pem = ""
        self._host = loopback_address(host) or host
        self._scenarios = {number.public.number: number.scenario for number in NUMBERS}
        self._sockets = SipSockets(
            lambda examined, peer: self._transactions.received(examined, peer), self._note
        )
        self._transactions = TransactionLayer(
            self._sockets, self._options.timing, self._requested, self._note
        )
        srtp, suites = (self.profile.srtp, self.profile.suites) if self.profile else (Srtp.OFFER, ALL_SUITES)
        self._exchange = Exchange(
            self._host, self._sockets, self._transactions, self._options, srtp, suites, self._note
        )
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
    def tls_port(self) -> int:
        """Where it listens for TLS; 0 before it does, and without TLS."""
        return self._sockets.tls_port

    @property
    def transports(self) -> tuple[Transport, ...]:
        """What it listens on, open or not."""
        if self.profile:
            return self.profile.transports
        return (Transport.UDP, Transport.TCP, *((Transport.TLS,) if self._options.tls else ()))

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
        digest = DigestGuard(
            {name: self._accounts[user] for name, user in self._users.items()},
            algorithms=self._options.algorithms,
            nonce_s=self._options.nonce_s,
            clock=clock,
        )
        self._gate = Gate(digest, self._users, self.profile, self._host, self._note)
        self._registrar = Registrar(
            self._accounts,
            min_expires_s=self._options.min_expires_s,
            max_expires_s=self._options.max_expires_s,
            clock=clock,
        )
        context = None
        if Transport.TLS in self.transports:
            # Here: the library takes longer to load than all the rest
            from app.sip.carrier.certificates import Identity

            names = self.profile.certificate_names if self.profile else ()
            identity = Identity((self._host, "localhost", *names))
            context, self.ca_pem = identity.context, identity.ca_pem
        await self._sockets.open(*self._where, self.transports, tls_port=self._tls_port, tls=context)
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

    def _requested(self, request: Received, transaction: ServerTransaction | None) -> None:
        head = request.head
        leg = self._exchange.leg_of(head)
        if leg:
            leg.received(request, transaction)
            return
        if transaction is None:
            return  # an ACK for nothing
        method, in_dialog = head.method, bool(tag_of(head))
        unsupported = head.tokens.get("require", ()) + head.tokens.get("proxy-require", ())
        if method in ("REGISTER", "INVITE") and self._gate.names_wrong_host(transaction):
            return
        if unsupported and method != "CANCEL":
            answer(transaction, 420, headers=[("Unsupported", ", ".join(unsupported))])
        elif method == "REGISTER":
            self._register(request, transaction)
        elif method == "OPTIONS" and not self._options.answers_options:
            self._note(f"OPTIONS from {transaction.peer}: not answered")
        elif method == "OPTIONS":
            answer(transaction, 200, headers=[("Accept", "application/sdp"), ("Allow", ALLOW)])
        elif method == "CANCEL":
            self._cancel(request, transaction)
        elif method == "INVITE" and not in_dialog:
            self._invite(request, transaction)
        elif in_dialog or method in ("BYE", "UPDATE"):
            answer(transaction, 481)
        else:
            answer(transaction, 405, headers=[("Allow", ALLOW)])

    def _register(self, request: Received, transaction: ServerTransaction) -> None:
        denial = self.profile.answer(Mistake.REGISTER) if self.profile else None
        if denial:
            self._gate.deny(transaction, denial, f"REGISTER from {request.peer}")
            return
        code = self.profile.register_challenge if self.profile else 401
        account = self._gate.authenticated(transaction, code)
        if not account:
            return
        user = request.head.to.uri.user if request.head.to else ""
        if user not in self._accounts:
            answer(transaction, 404)
            self._note(f"{account} wants to register {user!r}, which does not exist")
            return
        if user != account:
            answer(transaction, 403, "Not your address of record")
            self._note(f"{account} wants to register {user}: refused")
            return
        outcome = self._registrar.register(user, request)
        response = answer(transaction, outcome.code, outcome.reason, outcome.headers)
        if outcome.code != 200:
            self._note(f"{user} can't register: {outcome.code} {response.phrase}")
        elif outcome.granted_s:
            self._note(f"{user} registered from {request.peer} for {outcome.granted_s} s")
        elif request.head.contacts or request.head.star:
            self._note(f"{user} unregistered from {request.peer}")

    def _cancel(self, request: Received, transaction: ServerTransaction) -> None:
        invite = self._transactions.cancelled_by(request.head)
        if invite and invite.ignored:
            transaction.ignore()
            return
        for leg in self._exchange.legs:
            if isinstance(leg, IncomingLeg) and invite and leg.invite is invite.request:
                leg.cancelled(request, transaction)
                return
        # A refusal that crossed the CANCEL has ended its leg; the transaction still knows it
        answer(transaction, 200 if invite else 481)

    def _caller(self, transaction: ServerTransaction) -> str:
        """The account that a call is from; empty when it was answered with a challenge or a refusal."""
        profile = self.profile
        if profile is None or profile.method is not Method.ADDRESS:
            account = self._gate.authenticated(transaction, 407)
            stranger = bool(account) and not self.is_registered(account)
        else:
            account = next(iter(self._accounts), BY_ADDRESS)
            stranger = not self._options.known_address
        denial = profile.answer(Mistake.CALL) if profile and stranger else None
        if denial:
            self._gate.deny(transaction, denial, f"a call from {transaction.peer}")
            return ""
        return account

    def _invite(self, request: Received, transaction: ServerTransaction) -> None:
        account = self._caller(transaction)
        if not account:
            return
        number = called_number(request)
        emergency = False
        if self.profile:
            seen = seen_in(request)
            emergency = is_emergency(self.profile, seen.number)
            denial = None if emergency else judge_call(self.profile, seen)
            if denial:
                self._gate.deny(transaction, denial, f"{account}'s call to {seen.number}")
                return
            number = without_prefix(self.profile, seen.number) or seen.number
        answer(transaction, 100)
        refusal: tuple[int, str, Headers] | None = None
        wrong_target = target_refusal(request)
        if wrong_target:
            refusal = (*wrong_target, ())
        elif request.message.body and request.head.media_type != "application/sdp":
            refusal = (415, "", [("Accept", "application/sdp")])
        elif self._closing or not self._exchange.has_free_channel(account):
            refusal = (503, "Channel limit reached", [cause(34, "No circuit available")])
        scenario = None if emergency else self._scenario(number)
        if scenario is None:
            refusal = refusal or (404, "", [cause(1, "Unallocated number")])
        if refusal or scenario is None:
            code, reason, headers = refusal or (404, "", ())
            response = answer(transaction, code, reason, headers)
            self._note(f"{account}'s call to {number} refused: {code} {response.phrase}")
            return
        try:
            stream = self._stream()
        except OSError as error:
            answer(transaction, 500, "No free media ports")
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
        options = self._options
        line = Impairment(loss_pct=options.loss_pct, jitter_ms=options.jitter_ms, delay_ms=options.delay_ms)
        return MediaStream(self._host, rtcp_s=options.timing.rtcp_s, impairment=line)

    def _scenario(self, number: str) -> Scenario | None:
        if number in self._scenarios:
            return self._scenarios[number]
        if number in self._accounts:
            return ring_user
        if self.profile is None or not is_reachable(self.profile, number):
            return None
        # In a provider's form the last three digits say which of our numbers is meant
        plain = number not in self.profile.test_numbers
        return self._scenarios[number[-3:] if plain and number[-3:] in self._scenarios else ECHO]

    # What scenarios ask for

    def is_registered(self, account: str) -> bool:
        """Whether the account has a contact."""
        return bool(self._registrar.bindings(account))

    async def dial(
        self,
        account: str,
        *,
        caller: str,
        codecs: tuple[str, ...],
        encrypted: bool = False,
        near: str = "",
    ) -> OutgoingLeg | None:
        """A leg to the account's newest contact, or to the one at the address of `near`."""
        bindings = self._registrar.bindings(account)
        if not bindings or self._closing or not self._exchange.has_free_channel(account):
            self._note(f"no call to {account}: {'no free channel' if bindings else 'not registered'}")
            return None
        binding = bindings[0]
        if near:
            wanted = parse_uri(near)
            place = (loopback_address(wanted.host), wanted.port)
            binding = next((b for b in bindings if (b.host, b.port) == place), binding)
        self._note(f"calling {account} at {binding.host}:{binding.port} as {caller}")
        leg = OutgoingLeg(
            self._exchange,
            account=account,
            caller=caller,
            binding=binding,
            stream=self._stream(),
            codecs=codecs,
            encrypted=encrypted,
        )
        await leg.stream.open()
        return leg

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something that goes on after its call."""
        self._exchange.spawn(work)
