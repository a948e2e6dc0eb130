"""Descriptions of audio (RFC 4566, RFC 3264) of the far end: read strictly, written again without the rest.

PJMEDIA parses what it is given in C with assertions on, blocks while it looks names up, and compares
`telephone-event` with case. What this module writes has none of that in it: one audio stream with what
PJMEDIA uses, every other stream switched off in its place.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

import msgspec

from app.model.codecs import CODECS
from app.sip.syntax.address import MalformedError, is_address
from app.sip.syntax.text import one_line

MOST_STREAMS = 8
MOST_FORMATS = 24
LONGEST_LINE = 256
_MOST_KEYS = 8
_CODEC_BYTES = 700
_KEY_BYTES = 380
"""Of rtpmap and fmtp lines, and of keys; PJSIP drops messages of 4000 bytes, all headers included."""
_USED = frozenset(name.lower() for name in CODECS) | {"telephone-event"}

_LINE = re.compile(r"([a-z])=(.*)")
_MEDIA = re.compile(
    r"([A-Za-z0-9-]{1,32}) +([0-9]{1,10})(?:/[0-9]{1,5})? +([A-Za-z0-9/.-]{1,32})((?: +[^\s]{1,64})*) *"
)
_CONNECTION = re.compile(r"IN +(IP[46]) +([^\s/]+)(?:/\S*)? *")
_ORIGIN = re.compile(r"(\S+) +(\S+) +(\S+) +IN +(IP[46]) +(\S+) *")
_RTPMAP = re.compile(r"([0-9]{1,3}) +([A-Za-z0-9._-]{1,32})/([0-9]{1,6})(?:/([0-9]{1,2}))? *")
_FMTP = re.compile(r"([0-9]{1,3}) +([\x20-\x7e]{1,200})")
_CRYPTO = re.compile(
    r"([0-9]{1,9}) +[A-Za-z0-9_]{1,64} +inline:[A-Za-z0-9+/=|:^]{1,120}(?: +[\x21-\x7e]{1,64}){0,4} *"
)
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_FIRST_DYNAMIC = 96
STATIC = {
    0: "pcmu",
    3: "gsm",
    4: "g723",
    8: "pcma",
    9: "g722",
    10: "l16",
    11: "l16",
    13: "cn",
    15: "g728",
    18: "g729",
}
"""Payload types of audio that need no rtpmap (RFC 3551 table 4)."""


class SdpFault(msgspec.Struct, frozen=True):
    """A line that breaks the standard.

    Attributes:
        line: As received, on one line.
        what: What is wrong with it.
    """

    line: str
    what: str


class Sdp(msgspec.Struct, frozen=True, kw_only=True):
    """One description of audio.

    Attributes:
        body: As PJSIP gets it; `{address}` stands for a name that has to be looked up first.
        name: That name, empty when there is none.
        direction: Of the audio, as the far end sees it.
        codecs: Names of its codecs, lower case; also of those that there is no room for in the body.
        port: Of its audio, 0 when it has none.
        address: Where its audio is to be sent, as written.
        profile: For example `RTP/AVP`.
        key_tags: Tags of its keys for SRTP (RFC 4568).
        faults: What was repaired.
    """

    body: bytes
    name: str = ""
    direction: str = "sendrecv"
    codecs: tuple[str, ...] = ()
    port: int = 0
    address: str = ""
    profile: str = ""
    key_tags: tuple[int, ...] = ()
    faults: tuple[SdpFault, ...] = ()


class _Stream:
    """One m= line and what follows it."""

    def __init__(self, line: str, kind: str, port: int, profile: str, formats: list[str]) -> None:
        self.line = line
        self.kind = kind
        self.port = port
        self.profile = profile
        self.formats = formats
        self.address = ""
        self.family = ""
        self.direction = ""
        self.names: dict[int, str] = {}
        self.maps: dict[int, str] = {}
        self.parameters: dict[int, str] = {}
        self.keys: dict[int, str] = {}
        self.others: dict[str, str] = {}


def read_sdp(raw: bytes) -> Sdp:
    """Read a description.

    Raises:
        MalformedError: It can't be read at all; the text names the line: `SDP m=: is not a stream`.
    """
    reader = _Reader()
    lines = raw.decode("utf-8", "surrogateescape").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not lines[0].startswith("v=0"):
        raise MalformedError("does not begin with v=0")
    for line in lines[1:]:
        if line:
            reader.take(line)
    return reader.finish()


class _Reader:
    def __init__(self) -> None:
        self._faults: list[SdpFault] = []
        self._streams: list[_Stream] = []
        self._family = self._address = ""
        self._direction = ""
        self._origin = ("0", "0")

    def take(self, line: str) -> None:
        found = _LINE.fullmatch(line)
        if found is None:
            self._fault(line, "is not a line of a description")
            return
        kind, value = found[1], found[2]
        try:
            if kind == "o":
                self._take_origin(line, value)
            elif kind == "c":
                self._take_connection(value)
            elif kind == "m":
                self._streams.append(self._stream(line, value))
            elif kind == "a":
                self._take_attribute(line, value)
        except MalformedError as fault:
            self._fault(line, str(fault))

    def _fault(self, line: str, what: str) -> None:
        if len(self._faults) < MOST_STREAMS:
            self._faults.append(SdpFault(one_line(line), what))

    def _take_origin(self, line: str, value: str) -> None:
        found = _ORIGIN.fullmatch(value)
        if found is None or len(value) > LONGEST_LINE:
            raise MalformedError("is not an origin")
        self._origin = (_number(found[2]), _number(found[3]))

    def _take_connection(self, value: str) -> None:
        found = _CONNECTION.fullmatch(value)
        if found is None or len(found[2]) > 128 or not found[2].isascii():
            raise MalformedError("is not an address for audio")
        family, address = found[1], found[2]
        if family == "IP4" and not is_address(address) and not re.fullmatch(r"[A-Za-z0-9.-]+", address):
            raise MalformedError("is not an address for audio")
        if self._streams:
            stream = self._streams[-1]
            if not stream.address:
                stream.family, stream.address = family, address
        elif not self._address:
            self._family, self._address = family, address

    def _stream(self, line: str, value: str) -> _Stream:
        found = _MEDIA.fullmatch(value)
        if found is None or int(found[2]) > 65_535:
            # Its place counts (RFC 3264 section 6), so it stays, switched off
            self._fault(line, "is not a stream that can be read")
            return _Stream(line, "audio", 0, "RTP/AVP", ["0"])
        return _Stream(line, found[1].lower(), int(found[2]), found[3].upper(), found[4].split())

    def _take_attribute(self, line: str, value: str) -> None:
        name, _, text = value.partition(":")
        name = name.strip().lower()
        if name in _DIRECTIONS:
            if not self._streams:
                self._direction = self._direction or name
            elif not self._streams[-1].direction:
                self._streams[-1].direction = name
            return
        if not self._streams or self._streams[-1].kind != "audio":
            return
        stream = self._streams[-1]
        if name == "rtpmap":
            found = _RTPMAP.fullmatch(text)
            if found is None or int(found[1]) > 127 or not 0 < int(found[3]) <= 192_000:
                raise MalformedError("is not the name of a codec")
            kind = int(found[1])
            codec = found[2].lower() if found[2].lower() == "telephone-event" else found[2]
            channels = f"/{found[4]}" if found[4] else ""
            stream.names.setdefault(kind, codec.lower())
            stream.maps.setdefault(kind, f"a=rtpmap:{kind} {codec}/{found[3]}{channels}")
        elif name == "fmtp":
            found = _FMTP.fullmatch(text)
            # Parameters that can't be read are as if not given: they are hints for most codecs
            if found and int(found[1]) <= 127:
                stream.parameters.setdefault(int(found[1]), f"a=fmtp:{found[1]} {found[2]}")
        elif name == "crypto":
            found = _CRYPTO.fullmatch(text)
            if found is None:
                raise MalformedError("has keys that can't be read")
            if len(stream.keys) < _MOST_KEYS:
                stream.keys.setdefault(int(found[1]), f"a=crypto:{text.strip()}")
        elif name in ("ptime", "maxptime"):
            if not re.fullmatch(r" *[0-9]{1,4}(?:\.[0-9]*)? *", text) or not 0 < float(text) <= 200:
                raise MalformedError("is not a length of packets")
            stream.others.setdefault(name, f"a={name}:{int(float(text)) or 1}")
        elif name == "rtcp" and (found := re.fullmatch(r"([0-9]{1,5})(?: IN IP4 (\S+))? *", text)):
            if int(found[1]) <= 65_535 and (not found[2] or is_address(found[2])):
                stream.others.setdefault(name, f"a=rtcp:{text.strip()}")
        elif name == "rtcp-mux":
            stream.others.setdefault(name, "a=rtcp-mux")

    def finish(self) -> Sdp:
        if not self._streams:
            raise MalformedError("describes no stream")
        if len(self._streams) > MOST_STREAMS:
            self._fault(self._streams[MOST_STREAMS].line, f"is more than {MOST_STREAMS} streams")
            del self._streams[MOST_STREAMS:]
        audio = next((stream for stream in self._streams if stream.kind == "audio" and stream.port), None)
        lines = ["v=0", f"o=- {self._origin[0]} {self._origin[1]} IN IP4 0.0.0.0", "s=-", "t=0 0"]
        family = address = name = ""
        codecs: tuple[str, ...] = ()
        if audio is not None:
            family, address = audio.family or self._family, audio.address or self._address
            name = self._check_address(audio, family, address)
            self._keep_known_formats(audio)
            codecs = tuple(_codecs(audio))
            _shorten(audio)
        for stream in self._streams:
            lines += self._written(stream, address, name) if stream is audio else _switched_off(stream)
        direction = (audio.direction if audio else "") or self._direction or "sendrecv"
        live = audio is not None and audio.port
        return Sdp(
            body="".join(f"{line}\r\n" for line in lines).encode(),
            name=name,
            direction=direction if live else "inactive",
            codecs=codecs,
            port=audio.port if audio is not None else 0,
            address=address,
            profile=audio.profile if audio is not None else "",
            key_tags=tuple(audio.keys) if audio is not None else (),
            faults=tuple(self._faults),
        )

    def _check_address(self, audio: _Stream, family: str, address: str) -> str:
        """A name that has to be looked up; a stream whose address is of no use is switched off."""
        if not address:
            self._fault(audio.line, "has no address for audio (c=)")
            audio.port = 0
        elif family == "IP6":
            self._fault(f"c=IN IP6 {address}", "is an IPv6 address, which Ringback can't use")
            audio.port = 0
        elif not is_address(address):
            return address
        return ""

    def _keep_known_formats(self, audio: _Stream) -> None:
        kept: list[str] = []
        for text in audio.formats:
            kind = int(text) if text.isascii() and text.isdecimal() and len(text) <= 3 else 128
            if kind > 127:
                self._fault(audio.line, f"has {one_line(text, 20)}, which is not a payload type")
            elif kind >= _FIRST_DYNAMIC and kind not in audio.maps:
                self._fault(audio.line, f"has payload type {kind}, and no a=rtpmap says what it is")
            elif str(kind) not in kept:
                kept.append(str(kind))
        audio.formats = kept
        if not kept:
            audio.port = 0

    def _written(self, stream: _Stream, address: str, name: str) -> list[str]:
        if not stream.port or "TLS" in stream.profile:
            # DTLS-SRTP in an offer ends PJSIP where SRTP is on
            return _switched_off(stream)
        kinds = [int(text) for text in stream.formats]
        return [
            f"m=audio {stream.port} {stream.profile} {' '.join(stream.formats)}",
            f"c=IN IP4 {'{address}' if name else address}",
            *(stream.maps[kind] for kind in kinds if kind in stream.maps),
            *(stream.parameters[kind] for kind in kinds if kind in stream.parameters),
            *stream.keys.values(),
            *stream.others.values(),
            f"a={stream.direction or self._direction or 'sendrecv'}",
        ]


def key_tags(body: bytes) -> tuple[int, ...]:
    """Tags of the keys for SRTP in a description of ours (RFC 4568 section 4.1)."""
    return tuple(int(tag) for tag in re.findall(rb"^a=crypto:([0-9]{1,9}) ", body, re.MULTILINE))


def _shorten(audio: _Stream) -> None:
    """Leave out what there is no room for: codecs that are not used here first, and the longest first."""

    def size(text: str) -> int:
        kind = int(text)
        return len(audio.maps.get(kind, "")) + len(audio.parameters.get(kind, ""))

    def spare(place: tuple[int, str]) -> tuple[bool, int, int]:
        at, text = place
        kind = int(text)
        return (audio.names.get(kind) or STATIC.get(kind)) not in _USED, size(text), at

    total = sum(map(size, audio.formats))
    for _, text in sorted(enumerate(audio.formats), key=spare, reverse=True):
        if len(audio.formats) <= MOST_FORMATS and total <= _CODEC_BYTES:
            break
        audio.formats.remove(text)
        total -= size(text)
    while len(audio.keys) > 1 and sum(map(len, audio.keys.values())) > _KEY_BYTES:
        audio.keys.popitem()


def _switched_off(stream: _Stream) -> list[str]:
    kind = stream.kind if re.fullmatch(r"[a-z]{1,16}", stream.kind) else "audio"
    return [f"m={kind} 0 RTP/AVP 0", "c=IN IP4 0.0.0.0"]


def _codecs(audio: _Stream) -> Iterator[str]:
    for text in audio.formats:
        kind = int(text)
        if name := audio.names.get(kind) or STATIC.get(kind):
            yield name


def _number(text: str) -> str:
    """A session id or version within 31 bits; PJMEDIA reads no more, RFC 4566 sets no limit."""
    if text.isascii() and text.isdecimal() and len(text) < 40:
        return str(int(text) % 2**31)
    return str(zlib.crc32(text.encode("utf-8", "surrogateescape")) % 2**31)
