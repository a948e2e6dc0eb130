"""SRTP and SRTCP of one stream (RFC 3711)."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING

from app.model.trunk import CryptoSuite
from app.sip.carrier.sdes import KEY_BYTES, Crypto

if TYPE_CHECKING:
    from pylibsrtp import Session

log = logging.getLogger(__name__)


class Protection:
    """Seals what a stream sends and opens what it receives; without keys packets pass as they are."""

    def __init__(self) -> None:
        self._keys: dict[CryptoSuite, bytes] = {}
        self._senders: dict[CryptoSuite, Session] = {}
        self._crypto: Crypto | None = None
        self._out: Session | None = None
        self._in: Session | None = None

    def key(self, suite: CryptoSuite) -> bytes:
        """Our key for a suite: the same for the whole call, so that packet numbers go on under it."""
        return self._keys.setdefault(suite, secrets.token_bytes(KEY_BYTES))

    def use(self, crypto: Crypto | None) -> None:
        """Follow what was agreed: the other side's key and the suite of both, or None for plain sound."""
        known, self._crypto = self._crypto, crypto
        if crypto is None:
            self._out = self._in = None
            return
        if crypto.suite not in self._senders:
            self._senders[crypto.suite] = _session(crypto.suite, self.key(crypto.suite), sends=True)
        self._out = self._senders[crypto.suite]
        if known is None or (known.suite, known.key) != (crypto.suite, crypto.key):
            self._in = _session(crypto.suite, crypto.key, sends=False)

    def seal(self, packet: bytes) -> bytes:
        """An RTP packet for the wire; empty when it can't be encrypted."""
        return _through(self._out.protect, packet) if self._out else packet

    def seal_rtcp(self, packet: bytes) -> bytes:
        """The same for RTCP."""
        return _through(self._out.protect_rtcp, packet) if self._out else packet

    def open(self, packet: bytes) -> bytes:
        """The RTP packet in one from the wire; empty when it is not authentic, plain or a repeat."""
        return _through(self._in.unprotect, packet) if self._in else packet

    def open_rtcp(self, packet: bytes) -> bytes:
        """The same for RTCP."""
        return _through(self._in.unprotect_rtcp, packet) if self._in else packet


def _session(suite: CryptoSuite, key: bytes, *, sends: bool) -> Session:
    # Here: most calls are plain
    from pylibsrtp import Policy, Session

    profiles = {
        CryptoSuite.AES_CM_128_HMAC_SHA1_80: Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
        CryptoSuite.AES_CM_128_HMAC_SHA1_32: Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
    }
    direction = Policy.SSRC_ANY_OUTBOUND if sends else Policy.SSRC_ANY_INBOUND
    return Session(Policy(key=key, ssrc_type=direction, srtp_profile=profiles[suite]))


def _through(process: Callable[[bytes], bytes], packet: bytes) -> bytes:
    from pylibsrtp import Error

    try:
        return process(packet)
    except (Error, ValueError) as error:  # ValueError: longer than its buffer
        log.debug("SRTP packet dropped: %s", error)
        return b""
