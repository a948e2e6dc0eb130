"""Damages SIP messages where it hurts: whole headers, single values, numbers, quotes, octets, SDP lines."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

_DELIMITERS = b'"<>;,:=@?&/\\()[]{}% \t\r\n\0*#+-.'
_NUMBERS = (
    b"0",
    b"-1",
    b"1",
    b"65536",
    b"2147483648",
    b"4294967296",
    b"99999999999999999999",
    b"1e9",
    b"",
    b"0x1",
)
_HEADERS = (
    b"Via: SIP/2.0/UDP x;branch=z9hG4bKy",
    b"Contact: *",
    b"Contact: <tel:+49>",
    b"Record-Route: <sip:127.0.0.1;lr>",
    b"Record-Route: <tel:+49>",
    b"Route: <sip:127.0.0.1;lr>",
    b"Require: x",
    b"Require: 100rel",
    b"RSeq: 1",
    b"RAck: 1 1 INVITE",
    b"Session-Expires: 90;refresher=uas",
    b"Min-SE: 9999",
    b"Expires: 0",
    b"Replaces: a;to-tag=b;from-tag=c",
    b"Refer-To: <sip:a@b>",
    b"Event: refer",
    b"Subscription-State: active",
    b"Content-Encoding: gzip",
    b"Content-Type: multipart/mixed;boundary=x",
    b"Content-Length: 5",
    b"Supported: timer, 100rel, replaces",
    b"Proxy-Authenticate: Digest realm=x, nonce=y",
    b"WWW-Authenticate: Digest realm=x, nonce=y",
    b"Authorization: Digest username=x",
    b"From: <sip:x@y>;tag=z",
    b"To: <sip:x@y>;tag=z",
    b"CSeq: 1 BYE",
    b"Max-Forwards: 0",
    b"P-Asserted-Identity: x",
    b"Identity: x",
    b": x",
    b"x",
)
_SDP = (
    b"c=IN IP4 " + b"1" * 300,
    b"c=IN IP6 ::1",
    b"c=IN IP4 core.invalid",
    b"o=- 1 1 IN IP4 " + b"a" * 260,
    b"m=audio 0 RTP/AVP 0",
    b"m=audio 4000 RTP/AVP " + b"0 " * 100,
    b"m=audio 4000 UDP/TLS/RTP/SAVPF 0",
    b"m=image 4000 udptl t38",
    b"m=video 4000 RTP/AVP 96",
    b"a=rtpmap:0 /8000",
    b"a=rtpmap:96 telephone-event/8000",
    b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + b"A" * 40,
    b"a=fingerprint:sha-256 00",
    b"a=setup:actpass",
    b"a=inactive",
    b"a=ptime:0",
    b"a=rtcp:99999",
    b"a=candidate:1 1 UDP 1 1.1.1.1 1 typ host",
    b"a=ice-ufrag:x",
    b"a=" + b"x" * 2000,
)

Mutation = Callable[[bytes, random.Random], bytes]


def mutate(raw: bytes, rng: random.Random) -> bytes:
    """One to four mutations of a message."""
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        raw = rng.choice(MUTATIONS)(raw, rng)
    return raw[:65_000]


def _flip(raw: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(raw) + 1)
    return raw[:at] + bytes([rng.randrange(256)]) + raw[at + 1 :]


def _insert(raw: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(raw) + 1)
    return raw[:at] + bytes([rng.choice(_DELIMITERS)]) * rng.choice((1, 1, 1, 2, 300)) + raw[at:]


def _delete(raw: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(raw) + 1)
    return raw[:at] + raw[at + rng.choice((1, 1, 2, 8, 40)) :]


def _cut(raw: bytes, rng: random.Random) -> bytes:
    return raw[: rng.randrange(len(raw) + 1)]


def _number(raw: bytes, rng: random.Random) -> bytes:
    found = list(re.finditer(rb"\d+", raw))
    if not found:
        return raw
    one = rng.choice(found)
    return raw[: one.start()] + rng.choice(_NUMBERS) + raw[one.end() :]


def _lines(raw: bytes) -> tuple[list[bytes], bytes]:
    head, gap, body = raw.partition(b"\r\n\r\n")
    return head.split(b"\r\n"), gap + body


def _line(change: Callable[[list[bytes], int, random.Random], None]) -> Mutation:
    def mutation(raw: bytes, rng: random.Random) -> bytes:
        lines, rest = _lines(raw)
        change(lines, rng.randrange(len(lines)), rng)
        return b"\r\n".join(lines) + rest

    return mutation


def _double(lines: list[bytes], at: int, rng: random.Random) -> None:
    lines.insert(rng.randrange(len(lines) + 1), lines[at])


def _drop(lines: list[bytes], at: int, rng: random.Random) -> None:
    del lines[at]


def _swap(lines: list[bytes], at: int, rng: random.Random) -> None:
    other = rng.randrange(len(lines))
    lines[at], lines[other] = lines[other], lines[at]


def _add(lines: list[bytes], at: int, rng: random.Random) -> None:
    lines.insert(max(at, 1), rng.choice(_HEADERS))


def _replace(lines: list[bytes], at: int, rng: random.Random) -> None:
    new = rng.choice(_HEADERS)
    name = new.partition(b":")[0].lower()
    for index, line in enumerate(lines):
        if line.partition(b":")[0].lower() == name:
            lines[index] = new
            return
    lines.append(new)


def _fold(lines: list[bytes], at: int, rng: random.Random) -> None:
    lines[at] = lines[at].replace(b" ", b"\r\n ", rng.randrange(1, 3))


def _stretch(lines: list[bytes], at: int, rng: random.Random) -> None:
    lines[at] += rng.choice((b"x", b";p=v", b",", b'"', b"\xe9")) * rng.choice((1, 60, 300, 5000))


def _exchange(lines: list[bytes], at: int, rng: random.Random) -> None:
    """A value of another header."""
    name = lines[at].partition(b":")[0]
    lines[at] = name + b":" + lines[rng.randrange(len(lines))].partition(b":")[2]


def _method(raw: bytes, rng: random.Random) -> bytes:
    methods = (
        b"INVITE",
        b"ACK",
        b"BYE",
        b"CANCEL",
        b"UPDATE",
        b"PRACK",
        b"INFO",
        b"NOTIFY",
        b"REFER",
        b"XYZ",
    )
    old = rng.choice(methods)
    return raw.replace(old, rng.choice(methods), rng.choice((1, 2, 9)))


def _status(raw: bytes, rng: random.Random) -> bytes:
    code = rng.choice(
        (b"100", b"183", b"200", b"202", b"302", b"401", b"407", b"422", b"423", b"491", b"503", b"699")
    )
    return re.sub(rb"^SIP/2\.0 \d{3}", b"SIP/2.0 " + code, raw, count=1)


def _sdp(raw: bytes, rng: random.Random) -> bytes:
    head, gap, body = raw.partition(b"\r\n\r\n")
    lines = body.split(b"\r\n")
    new = rng.choice(_SDP)
    at = next((i for i, line in enumerate(lines) if line[:2] == new[:2]), len(lines))
    if rng.random() < 0.5:
        lines[at : at + 1] = [new]
    else:
        lines.insert(rng.randrange(len(lines) + 1), new)
    return head + gap + b"\r\n".join(lines)


def with_length(raw: bytes) -> bytes:
    """The message with the right Content-Length, where it has one."""
    head, gap, body = raw.partition(b"\r\n\r\n")
    return re.sub(rb"(?im)^(content-length[ \t]*:)[^\r\n]*", rb"\g<1> %d" % len(body), head) + gap + body


MUTATIONS: tuple[Mutation, ...] = (
    _flip,
    _insert,
    _insert,
    _delete,
    _cut,
    _number,
    _number,
    _line(_double),
    _line(_drop),
    _line(_swap),
    _line(_add),
    _line(_add),
    _line(_replace),
    _line(_replace),
    _line(_fold),
    _line(_stretch),
    _line(_exchange),
    _method,
    _status,
    _sdp,
    _sdp,
)
