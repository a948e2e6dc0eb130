"""The account of an engine: who we are towards the trunk, and where requests go."""

from __future__ import annotations

from collections.abc import Callable

import pjsua2 as pj

from app.model.trunk import Srtp, Use
from app.sip.engine.callbacks import contained
from app.sip.engine.edge.digest import INNER_PASSWORD
from app.sip.engine.identity import account_user
from app.sip.messages import OpenAccount

_SRTP = {
    Srtp.OFF: pj.PJMEDIA_SRTP_DISABLED,
    Srtp.OFFER: pj.PJMEDIA_SRTP_OPTIONAL,
    Srtp.REQUIRE: pj.PJMEDIA_SRTP_MANDATORY,
}
_SESSION_TIMER = {
    Use.OFF: pj.PJSUA_SIP_TIMER_INACTIVE,
    Use.SUPPORTED: pj.PJSUA_SIP_TIMER_OPTIONAL,
    Use.REQUIRED: pj.PJSUA_SIP_TIMER_REQUIRED,
}
# PJSIP lists 100rel under Supported even when it is not used, and nothing from here can change that
_PRACK = {
    Use.OFF: pj.PJSUA_100REL_NOT_USED,
    Use.SUPPORTED: pj.PJSUA_100REL_OPTIONAL,
    Use.REQUIRED: pj.PJSUA_100REL_MANDATORY,
}
SHORTEST_SESSION_S = 90
"""Shortest session interval that we accept, seconds (RFC 4028 section 5)."""

RegistrationCallback = Callable[[int, str, int, int], None]
"""Gets SIP code, reason phrase, PJSIP status and lifetime in seconds."""


def uri_host(host: str) -> str:
    """A host as a URI wants it: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host else host


def host_and_port(settings: OpenAccount) -> str:
    """The domain of the trunk's URIs, with the port when one is set."""
    host = uri_host(settings.host)
    return f"{host}:{settings.port}" if settings.port else host


class Account(pj.Account):  # type: ignore[misc]  # the wheel has no types
    """One account, opened with its settings and the address to send to.

    Args:
        on_registration: Told the outcome of every REGISTER.
        on_incoming: Told PJSIP's id of every incoming call.
        on_options: Told the final code and phrase of every OPTIONS.
    """

    def __init__(
        self,
        on_registration: RegistrationCallback,
        on_incoming: Callable[[int], None],
        on_options: Callable[[int, str], None],
    ) -> None:
        super().__init__()
        self._on_options = on_options
        self._on_registration = on_registration
        self._on_incoming = on_incoming

    def open(self, settings: OpenAccount, route: str, local: str) -> None:
        """Create it.

        Args:
            settings: Who we are.
            route: URI that every request goes to; it never appears on the wire.
            local: Our address, for SDP.
        """
        config = pj.AccountConfig()
        config.idUri = f"<sip:{account_user(settings)}@{uri_host(settings.host)}>"
        config.regConfig.registrarUri = f"sip:{host_and_port(settings)}" if settings.register else ""
        config.regConfig.registerOnAdd = False
        config.regConfig.timeoutSec = settings.expires
        # Trying again is a decision, and it is not made here
        config.regConfig.retryIntervalSec = 0
        config.regConfig.unregWaitMsec = 0
        if settings.password:
            # The edge puts the real answer in, so the password itself is not needed here
            config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", "edge", 0, INNER_PASSWORD))
        config.sipConfig.proxies.append(route)
        # The edge speaks with the provider: it keeps routers awake and says which address is ours
        config.natConfig.udpKaIntervalSec = 0
        config.natConfig.contactRewriteUse = 0
        config.natConfig.viaRewriteUse = False
        config.mediaConfig.transportConfig.publicAddress = local
        config.mediaConfig.transportConfig.port = 0
        # A re-INVITE to narrow an answer with two codecs: nobody asked for it, and some never answer it
        config.mediaConfig.lockCodecEnabled = False
        config.mediaConfig.srtpUse = _SRTP[settings.srtp]
        # Keys are worth offering over UDP and TCP too: whoever asks for SRTP knows how SIP itself travels
        config.mediaConfig.srtpSecureSignaling = 0
        config.mediaConfig.srtpOpt.keyings = pj.IntVector([pj.PJMEDIA_SRTP_KEYING_SDES])
        config.callConfig.timerUse = _SESSION_TIMER[settings.session_timer]
        config.callConfig.timerSessExpiresSec = settings.session_expires
        config.callConfig.timerMinSESec = SHORTEST_SESSION_S
        config.callConfig.prackUse = _PRACK[settings.prack]
        self.create(config)

    @contained
    def onRegState(self, param: pj.OnRegStateParam) -> None:
        """Copy the values and leave."""
        self._on_registration(param.code, param.reason, param.status, param.expiration)

    @contained
    def onIncomingCall(self, param: pj.OnIncomingCallParam) -> None:
        """Copy the values and leave."""
        self._on_incoming(param.callId)

    def send_options(self, settings: OpenAccount) -> None:
        """Ask the far end what it can do; any answer shows that it is there."""
        param = pj.SendRequestParam()
        param.method = "OPTIONS"
        param.txOption.targetUri = f"sip:{host_and_port(settings)}"
        self.sendRequest(param)

    @contained
    def onSendRequest(self, param: pj.OnSendRequestParam) -> None:
        """Copy the values and leave."""
        transaction = param.e.body.tsxState.tsx
        if transaction.method == "OPTIONS":
            self._on_options(transaction.statusCode, transaction.statusText)
