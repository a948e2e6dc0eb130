"""SDP offers and answers for one audio stream, plain or with SRTP (RFC 3264, RFC 4566, RFC 4568)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import msgspec
from aiosipua import (
    Codec,
    ConnectionData,
    MediaDescription,
    Origin,
    SdpMessage,
    parse_sdp,
    serialize_sdp,
)

from app.model.trunk import CryptoSuite, Srtp
from app.sip.carrier.loopback import loopback_address
from app.sip.carrier.sdes import ALL_SUITES, Crypto, choose

CODECS: dict[str, int] = {"PCMU": 0, "PCMA": 8, "G722": 9}
"""Codec to static payload type (RFC 3551 table 4); all have an RTP clock of 8000 Hz, G.722 too."""

EVENT_TYPE = 101
"""Payload type of telephone-event in our own offers."""

PLAIN, ENCRYPTED = "RTP/AVP", "RTP/SAVP"
"""Profiles in the media line (RFC 3551, RFC 3711)."""

_ANSWERS = {"sendrecv": "sendrecv", "sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive"}


class UnusableSdpError(Exception):
    """An offer or answer that can't be accepted: `code` is 400 or 488, the text says why."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code
        self.why = why


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What was agreed for one stream.

    Attributes:
        codec: Name, one of `CODECS`.
        payload_type: Its payload type, as the other side numbers it.
        event_type: Payload type of telephone-event, None when there is none.
        remote, remote_rtcp: Where RTP and RTCP go: loopback address and port.
        direction: Ours: sendrecv, sendonly, recvonly or inactive.
        crypto: The other side's key for SRTP, None for plain sound.
        position: Which of the media in its description it is.
    """

    codec: str
    payload_type: int
    event_type: int | None
    remote: tuple[str, int]
    remote_rtcp: tuple[str, int]
    direction: str = "sendrecv"
    crypto: Crypto | None = None
    position: int = 0

    @property
    def sends(self) -> bool:
        """Whether we send."""
        return self.direction in ("sendrecv", "sendonly")


class LocalSdp:
    """Our side of one session: its address and its version, which grows with every description sent.

    Args:
        host: Address for RTP.
        port: RTP port.
        key: Our SRTP key for a suite.
        packet_ms: Length of the packets that we ask for.
    """

    def __init__(
        self, host: str, port: int, key: Callable[[CryptoSuite], bytes], *, packet_ms: int = 20
    ) -> None:
        self._host = host
        self._port = port
        self._key = key
        self._packet_ms = packet_ms
        self._id = str(int(time.time()))
        self._version = 0

    def offer(self, codecs: Sequence[str], suites: Sequence[CryptoSuite] = ()) -> str:
        """An offer of these codecs and telephone-event, encrypted where suites are given."""
        types = {CODECS[name]: f"{name}/8000" for name in codecs}
        types[EVENT_TYPE] = "telephone-event/8000"
        audio = self._audio(types, EVENT_TYPE, "sendrecv")
        if suites:
            audio.proto = ENCRYPTED
            audio.attributes["crypto"] = [
                Crypto(tag=str(tag), suite=suite, key=self._key(suite)).line()
                for tag, suite in enumerate(suites, 1)
            ]
        return self._text([audio])

    def answer(self, offer: SdpMessage, plan: Plan) -> str:
        """The answer to an offer that `plan_for_offer` accepted; other media are refused with port 0."""
        types = {plan.payload_type: f"{plan.codec}/8000"}
        if plan.event_type is not None:
            types[plan.event_type] = "telephone-event/8000"
        audio = self._audio(types, plan.event_type, plan.direction)
        audio.proto = offer.media[plan.position].proto
        if plan.crypto:
            ours = msgspec.structs.replace(plan.crypto, key=self._key(plan.crypto.suite))
            audio.attributes["crypto"] = [ours.line()]
        return self._text(
            [
                audio
                if position == plan.position
                else MediaDescription(
                    media=media.media, port=0, proto=media.proto, formats=list(media.formats)
                )
                for position, media in enumerate(offer.media)
            ]
        )

    def _audio(self, types: dict[int, str], event_type: int | None, direction: str) -> MediaDescription:
        attributes = {"rtpmap": [f"{number} {name}" for number, name in types.items()]}
        if event_type is not None:
            attributes["fmtp"] = [f"{event_type} 0-15"]
        attributes["ptime"] = [str(self._packet_ms)]
        attributes[direction] = []
        return MediaDescription(
            media="audio",
            port=self._port,
            proto=PLAIN,
            formats=[str(number) for number in types],
            attributes=attributes,
        )

    def _text(self, media: list[MediaDescription]) -> str:
        self._version += 1
        return serialize_sdp(
            SdpMessage(
                origin=Origin(session_id=self._id, session_version=str(self._version), address=self._host),
                session_name="Ringback",
                connection=ConnectionData(address=self._host),
                media=media,
            )
        )


def read_sdp(text: str) -> SdpMessage:
    """Parse a description.

    Raises:
        UnusableSdpError: It is malformed (400).
    """
    try:
        sdp = parse_sdp(text)
    except ValueError as error:
        raise UnusableSdpError(400, "Malformed SDP") from error
    if not text.startswith("v=") or not sdp.media:
        raise UnusableSdpError(400, "Malformed SDP")
    return sdp


def plan_for_offer(
    offer: SdpMessage,
    codecs: Sequence[str],
    srtp: Srtp = Srtp.OFFER,
    suites: Sequence[CryptoSuite] = ALL_SUITES,
) -> Plan:
    """Choose from an offer: the offerer's first codec that is one of `codecs`.

    Args:
        offer: What is offered.
        codecs: What is taken.
        srtp: OFF: encrypted where the offer insists on it (RTP/SAVP). OFFER: also where it merely has keys
            beside plain sound. REQUIRE: never plain.
        suites: Those of which a key is taken.

    Raises:
        UnusableSdpError: No audio, no codec in common, no key that can be used, plain sound where that is
            not taken, or an address that is not loopback (488).
    """
    position, crypto = _audio_of(offer, srtp, suites)
    audio = offer.media[position]
    chosen = next((codec for codec in audio.codecs if _name(codec) in codecs), None)
    if chosen is None:
        raise UnusableSdpError(488, f"No codec in common; here: {', '.join(codecs)}")
    return _plan(offer, position, chosen, crypto)


def offered_codecs(offer: SdpMessage, srtp: Srtp, suites: Sequence[CryptoSuite]) -> tuple[str, ...]:
    """Those of our codecs that are in the offer, in its order; raises as `plan_for_offer` does."""
    position, _ = _audio_of(offer, srtp, suites)
    names = (_name(codec) for codec in offer.media[position].codecs)
    return tuple(dict.fromkeys(name for name in names if name in CODECS))


def offered_names(text: str) -> tuple[tuple[str, ...], bool]:
    """Names of all audio codecs in an offer, in capitals and in its order, and whether SRTP is in it.

    Raises:
        UnusableSdpError: It is malformed.
    """
    audio = [media for media in read_sdp(text).media if media.media == "audio" and media.port]
    if not audio:
        return (), False
    names = tuple(codec.encoding_name.upper() for codec in audio[0].codecs)
    return tuple(name for name in names if name != "TELEPHONE-EVENT"), any(
        "SAVP" in media.proto.upper() for media in audio
    )


def plan_for_answer(answer: SdpMessage, codecs: Sequence[str], *, encrypted: bool = False) -> Plan:
    """Read the answer to our own offer, encrypted as that one was; raises as `plan_for_offer` does."""
    return plan_for_offer(answer, codecs, Srtp.REQUIRE if encrypted else Srtp.OFF)


def _plan(sdp: SdpMessage, position: int, chosen: Codec, crypto: Crypto | None) -> Plan:
    audio = sdp.media[position]
    events = [
        codec.payload_type
        for codec in audio.codecs
        if codec.encoding_name.lower() == "telephone-event" and codec.clock_rate == 8000
    ]
    connection = audio.connection or sdp.connection
    if connection is None:
        raise UnusableSdpError(400, "SDP without connection address")
    direction = _ANSWERS[_direction(sdp, audio)]
    if connection.address == "0.0.0.0":
        # Hold as RFC 2543 did it; nothing is sent, so the address does not matter
        address, direction = "127.0.0.1", "recvonly" if direction == "sendrecv" else "inactive"
    else:
        address = _checked(connection.address)
    return Plan(
        codec=_name(chosen),
        payload_type=chosen.payload_type,
        event_type=events[0] if events else None,
        remote=(address, audio.port),
        remote_rtcp=_rtcp(audio, address),
        direction=direction,
        crypto=crypto,
        position=position,
    )


def _name(codec: Codec) -> str:
    """Codec name as in `CODECS`, empty for another one."""
    name = codec.encoding_name.upper()
    return name if name in CODECS and codec.clock_rate in (0, 8000) and codec.channels in (None, 1) else ""


def _audio_of(sdp: SdpMessage, srtp: Srtp, suites: Sequence[CryptoSuite]) -> tuple[int, Crypto | None]:
    """Position of the first audio stream that can be used, and its key where it is encrypted."""
    why = "No audio stream with RTP/AVP or RTP/SAVP"
    for position, media in enumerate(sdp.media):
        if media.media != "audio" or not media.port:
            continue
        profile, crypto = media.proto.upper(), choose(media.attributes.get("crypto", ()), suites)
        if profile == PLAIN and srtp is Srtp.REQUIRE:
            why = "The sound is not encrypted"
        elif profile == ENCRYPTED and crypto is None:
            why = f"No SRTP key that can be used; here: {', '.join(suites)}"
        elif profile in (PLAIN, ENCRYPTED):
            if not 0 < media.port < 65_535:
                raise UnusableSdpError(400, "SDP audio port is out of range")
            return position, None if profile == PLAIN and srtp is Srtp.OFF else crypto
    raise UnusableSdpError(488, why)


def _direction(sdp: SdpMessage, audio: MediaDescription) -> str:
    for attributes in (audio.attributes, sdp.attributes):
        for direction in _ANSWERS:
            if direction in attributes:
                return direction
    return "sendrecv"


def _rtcp(audio: MediaDescription, address: str) -> tuple[str, int]:
    """Where RTCP goes: `a=rtcp` (RFC 3605), else the next port."""
    words = (audio.attributes.get("rtcp") or [""])[0].split()
    if words and words[0].isdigit() and 0 < int(words[0]) < 65_536:
        return (_checked(words[3]) if len(words) > 3 else address, int(words[0]))
    return (address, audio.port + 1)


def _checked(address: str) -> str:
    loopback = loopback_address(address)
    if loopback is None:
        raise UnusableSdpError(488, "Media address is not a loopback address")
    return loopback
