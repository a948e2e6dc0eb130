"""Strategies for SIP messages: well written, nearly so, and damaged.

A message is built of header values that each have a strategy of their own, so that damage meets the place
where it hurts; `tests.hostile.mutations` does the rest.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.hostile.mutations import mutate, with_length

Text = SearchStrategy[str]


def examples(share: float) -> settings:
    """So many times as many examples as a test has by default."""
    return settings(max_examples=round(settings().max_examples * share))


TOKEN_CHARS = "abcxyzABCXYZ0189-.!%*_+`'~"
tokens = st.text(TOKEN_CHARS, min_size=1, max_size=12)
anything = st.text(st.characters(max_codepoint=0x2FFF, exclude_characters="\r\n"), max_size=24)
"""One line of any text; no surrogates."""
octets = st.binary(max_size=40)
seeds = st.integers(0, 2**32 - 1)
numbers = st.one_of(
    st.integers(0, 2**33).map(str),
    st.sampled_from(("", "-1", "0x1", "1e9", "٣", "4294967296", "9" * 30, "00060", "60 (comment)", "60;x=y")),
)


def mostly(good: Text, *bad: Text) -> Text:
    """Good three times of four."""
    return st.one_of(good, good, good, *bad, anything)


# Places

hosts = st.one_of(
    st.sampled_from(("h", "sip.example.com", "192.0.2.1", "[2001:db8::1]", "core.invalid", "a_b-c.example.")),
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z0-9]{1,6}){0,3}", fullmatch=True),
)
ports = st.one_of(st.just(""), st.integers(1, 65535).map(lambda port: f":{port}"))
users = st.text("abcXYZ0189-_.!~*'()&=+$,;?/#", min_size=1, max_size=10)
uri_params = st.lists(
    st.sampled_from((";transport=tcp", ";lr", ";user=phone", ";ob", ";x=%20", ";maddr=239.1.1.1")), max_size=3
).map("".join)


@st.composite
def sip_uris(draw: st.DrawFn) -> str:
    """A SIP URI as RFC 3261 section 25.1 allows it."""
    user = draw(st.one_of(st.just(""), users.map(lambda user: f"{user}@")))
    scheme = draw(st.sampled_from(("sip:", "sip:", "sips:", "SIP:")))
    return f"{scheme}{user}{draw(hosts)}{draw(ports)}{draw(uri_params)}"


uris = mostly(
    sip_uris(),
    st.sampled_from(
        ("tel:+4930", "mailto:a@b", "http://x", "sip:", "sip:@", "sip:[::1", "sip:a b@h", "sip:h:99999", "*")
    ),
)
display_names = st.one_of(
    st.just(""),
    st.sampled_from(("Ann ", '"Ann B." ', '"a \\" <b>;tag=c" ', '"', '"\\', "Ann, B ", '"\N{PILE OF POO}" ')),
    anything.map(lambda text: f'"{text}" '),
)
header_params = st.lists(
    st.one_of(
        st.sampled_from(
            (";q=0.5", ";expires=60", ";expires=x", '; x = "y;z"', ";tag=other", ";;", ";=", ';"')
        ),
        tokens.map(lambda token: f";{token}"),
    ),
    max_size=3,
).map("".join)


@st.composite
def addresses(draw: st.DrawFn, tag: bool = False) -> str:
    """A name-addr or an addr-spec, with a tag where that is usual."""
    uri, bare = draw(uris), draw(st.integers(0, 4)) == 0
    place = uri if bare else f"{draw(display_names)}<{uri}>"
    tagged = f";tag={draw(tokens)}" if tag and draw(st.integers(0, 7)) else ""
    return f"{place}{tagged}{draw(header_params)}"


@st.composite
def vias(draw: st.DrawFn) -> str:
    """A Via value."""
    transport = draw(st.sampled_from(("UDP", "TCP", "TLS", "udp", "SCTP", "")))
    params = draw(
        st.lists(
            st.sampled_from(
                (
                    ";rport",
                    ";rport=5060",
                    ";rport=x",
                    ";received=192.0.2.9",
                    ";received=1.2.3.4:5",
                    ";received=[::1]",
                    ";maddr=224.0.0.1",
                    ";ttl=1",
                    ';x=";rport"',
                    ";x=\x00",
                )
            ),
            max_size=3,
        )
    )
    branch = draw(st.sampled_from((";branch=z9hG4bKx", ";branch=z9hG4bKrport", ";branch=1", ";branch=", "")))
    return f"SIP/2.0/{transport} {draw(hosts)}{draw(ports)}{branch}{''.join(params)}"


# Values

challenges = st.lists(
    st.sampled_from(
        (
            'Digest realm="r", nonce="n"',
            'Digest realm="r\\"q", nonce="n", algorithm=SHA-256, qop="auth,auth-int", opaque=""',
            'Digest realm="r", nonce="n", algorithm=MD5-sess, qop=auth, stale=TRUE',
            'Digest realm="r", nonce="n", algorithm=SHA-512-256',
            'Digest realm="r',
            'Basic realm="x"',
            "Negotiate dG9rZW4=",
            "Digest",
            "=",
        )
    ),
    min_size=1,
    max_size=4,
).map(", ".join)
word_lists = st.lists(
    st.one_of(
        tokens,
        st.sampled_from(("INVITE", "timer", "100rel", "", "a b", "application/sdp", "x" * 64, "*/*;q=0.1")),
    ),
    max_size=40,
).map(", ".join)
media_types = mostly(
    st.sampled_from(
        (
            "application/sdp",
            "Application / SDP;x=y",
            "multipart/mixed;boundary=b",
            'multipart/mixed; boundary="b"',
            "application/dtmf-relay",
            "application/dtmf",
            "message/sipfrag;version=2.0",
            "text/plain",
        )
    ),
    st.sampled_from(("", "application", "a/b/c")),
)
METHODS = (
    *("INVITE", "ACK", "BYE", "CANCEL", "UPDATE", "PRACK"),
    *("INFO", "OPTIONS", "NOTIFY", "REFER", "REGISTER", "X"),
)
methods = st.one_of(st.sampled_from(METHODS), tokens)
HEADERS: dict[str, Text] = {
    "Via": mostly(vias()),
    "From": addresses(tag=True),
    "To": addresses(tag=True),
    "Contact": st.lists(addresses(), min_size=1, max_size=3).map(", ".join),
    "Record-Route": st.lists(addresses(), min_size=1, max_size=3).map(", ".join),
    "Route": addresses(),
    "Call-ID": mostly(tokens),
    "Max-Forwards": numbers,
    "Expires": numbers,
    "Min-Expires": numbers,
    "Min-SE": numbers,
    "Session-Expires": st.tuples(numbers, st.sampled_from(("", ";refresher=uas", ";refresher=", ";x=y"))).map(
        "".join
    ),
    "Retry-After": numbers,
    "RSeq": numbers,
    "RAck": st.tuples(numbers, numbers, methods).map(" ".join),
    "WWW-Authenticate": mostly(challenges),
    "Proxy-Authenticate": mostly(challenges),
    "Allow": word_lists,
    "Supported": word_lists,
    "Require": word_lists,
    "Unsupported": word_lists,
    "Accept": word_lists,
    "Event": st.sampled_from(("refer", "refer;id=1", "REFER ; id=\x00", "presence", "")),
    "Subscription-State": st.sampled_from(("active;expires=60", "terminated", "\x1b[2J")),
    "Reason": st.sampled_from(('Q.850;cause=16;text="x"', "SIP;cause=200", "\x00")),
    "Warning": mostly(st.just('399 h "words"')),
    "Server": anything,
    "Subject": anything,
    "Content-Type": media_types,
    "Content-Encoding": tokens,
    "X-Any": anything,
}
SHORT = {
    "Via": "v",
    "From": "f",
    "To": "t",
    "Contact": "m",
    "Call-ID": "i",
    "Content-Type": "c",
    "Supported": "k",
}


_STYLES = (
    *(("{0}: {1}",) * 6),
    "{2}: {1}",
    "{3}:{1}",
    "{0} \t: {1}",
    "{0}:\r\n  {1}",
    "{0}:\n\t{1}",
    "{0}: {1}\r\n ",
)


@st.composite
def header_lines(draw: st.DrawFn, name: str) -> str:
    """A line with this header, spelled as it may be, folded now and then."""
    style = draw(st.sampled_from(_STYLES))
    return style.format(name, draw(HEADERS[name]), name.upper(), SHORT.get(name, name))


# Bodies

_KINDS = range(96, 128)
_SDP_BLOCKS = (
    "c=IN IP4 192.0.2.1",
    "c=IN IP4 127.0.0.1",
    "c=IN IP4 core.invalid",
    "c=IN IP4 0.0.0.0",
    "c=IN IP6 ::1",
    "m=audio 4000 RTP/AVP 0 8 101",
    "m=audio 4000 RTP/SAVP 96 97 98",
    "m=audio 0 RTP/AVP 0",
    "m=video 4000 RTP/AVP 99",
    "m=image 4000 udptl t38",
    "m=audio 4000/2 UDP/TLS/RTP/SAVP 0",
    "m=audio 99999 RTP/AVP 0",
    "\n".join(["m=video 0 RTP/AVP 0"] * 12),
    "a=rtpmap:101 TELEPHONE-EVENT/8000",
    "a=rtpmap:96 opus/48000/2",
    "a=fmtp:96 " + "y" * 200,
    "a=fmtp:101 0-16",
    "\n".join(f"a=rtpmap:{kind} {'n' * 32}/8000" for kind in _KINDS),
    "\n".join(f"a=rtpmap:{kind} G729/8000\na=fmtp:{kind} annexb=no;{'z' * 150}" for kind in _KINDS),
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + "A" * 40,
    "a=crypto:2 AES_256_CM_HMAC_SHA1_80 inline:" + "B" * 64 + "|2^31",
    "\n".join(f"a=crypto:{tag} AES_CM_128_HMAC_SHA1_80 inline:{'A' * 110}" for tag in range(20)),
    "a=sendonly",
    "a=inactive",
    "a=ptime:20",
    "a=maxptime:0",
    "a=rtcp:4001",
    "a=rtcp-mux",
    "\n".join(f"a=rtcp:{port} IN IP4 192.0.2.1\na=ptime:{port % 250}" for port in range(0, 70_000, 500)),
    "b=AS:64",
    "x",
)
sdp_lines = st.one_of(
    st.sampled_from(_SDP_BLOCKS),
    st.sampled_from(_SDP_BLOCKS),
    anything.map(lambda text: f"a={text}"),
    anything,
)
_ORIGINS = st.sampled_from(
    (
        "o=- 1 1 IN IP4 192.0.2.1",
        f"o=- 1 1 IN IP4 {'a' * 300}",
        "o=- 99999999999999999999 x IN IP6 ::",
        "o=x",
        "",
    )
)


@st.composite
def sdp_bodies(draw: st.DrawFn) -> str:
    """A description of audio: the lines that every one has, and any others among and behind them."""
    lines = draw(st.lists(sdp_lines, max_size=8))
    head = ["v=0", draw(_ORIGINS), "s=-", "t=0 0", "c=IN IP4 192.0.2.1"]
    if draw(st.booleans()):
        head.append(f"m=audio 4000 RTP/AVP 0 8 {' '.join(map(str, _KINDS))}")
    end = draw(st.sampled_from(("\r\n", "\r\n", "\n", "\r")))
    return end.join([*head, *lines, ""])


bodies = st.one_of(
    st.just(b""),
    sdp_bodies().map(str.encode),
    sdp_bodies().map(
        lambda text: f"--b\r\nContent-Type: application/sdp\r\n\r\n{text}\r\n--b--\r\n".encode()
    ),
    st.sampled_from((b"Signal=5\r\nDuration=160\r\n", b"5", b"SIP/2.0 200 OK\r\n", b"Signal=\x00", b"v=0")),
    octets,
)


# Messages


@st.composite
def starts(draw: st.DrawFn, request: bool) -> tuple[str, str]:
    """A start line, and the method that belongs to it."""
    method = draw(methods)
    if request:
        return draw(st.sampled_from(("{} {} SIP/2.0",) * 6 + ("{}  {} SIP/2.0", "{} {} SIP/3.0"))).format(
            method, draw(uris)
        ), method
    code = draw(
        st.one_of(st.sampled_from((100, 180, 183, 200, 302, 401, 407, 422, 486)), st.integers(0, 999))
    )
    return f"SIP/2.0 {code:03} {draw(anything)}", method


def framed(start: str, lines: Sequence[str], body: bytes, length: str) -> bytes:
    """One message; `length` is `right`, `none` or what Content-Length says."""
    if length != "none":
        lines = [*lines, f"Content-Length: {len(body) if length == 'right' else length}"]
    return "\r\n".join([start, *lines, "", ""]).encode() + body


lengths = st.one_of(st.just("right"), st.just("right"), st.just("right"), st.just("none"), numbers)
_OTHERS = tuple(name for name in HEADERS if name not in ("Via", "From", "To", "Call-ID"))
_rarely = st.sampled_from((False,) * 11 + (True,))


@st.composite
def more_headers(draw: st.DrawFn) -> list[str]:
    """Any headers that a message need not have, and lines that are not headers."""
    names = draw(st.lists(st.sampled_from(_OTHERS), max_size=5))
    junk = draw(st.lists(anything, max_size=1)) if draw(_rarely) else []
    return [*(draw(header_lines(name)) for name in names), *junk]


@st.composite
def needed_lines(draw: st.DrawFn, good: Mapping[str, str]) -> list[str]:
    """What every message has: these values, often another for one of them, or a line too few or too many."""
    lines = {name: f"{name}: {value}" for name, value in good.items()}
    spoilt = draw(
        st.sampled_from((*(("",) * 8), "twice", "lost", *(name for name in good if name in HEADERS)))
    )
    if spoilt in lines:
        lines[spoilt] = draw(header_lines(spoilt))
    found = list(lines.values())
    if spoilt == "twice":
        found.append(draw(st.sampled_from(found)).replace("1", "2"))
    if spoilt == "lost":
        found.remove(draw(st.sampled_from(found)))
    return found


_CSEQS = ("1 {}", "0007 {}", "2147483647 {}", "2147483648 {}", "1  {}", "x {}", "{}", "1 OTHER")


@st.composite
def whole_messages(draw: st.DrawFn) -> bytes:
    """A message, nearly always with what every message needs."""
    start, method = draw(starts(draw(st.booleans())))
    good = {
        "Via": "SIP/2.0/UDP h:5070;branch=z9hG4bKx",
        "From": f"Ann <{draw(sip_uris())}>;tag=1",
        "To": "<sip:7@sip.example.com>",
        "Call-ID": "c1@h",
        "CSeq": draw(st.sampled_from(("7 {}",) * 9 + _CSEQS)).format(method),
    }
    lines = [*draw(needed_lines(good)), *draw(more_headers())]
    return framed(start, lines, draw(bodies), draw(lengths))


@st.composite
def requests_for_us(draw: st.DrawFn) -> list[bytes]:
    """Requests of the provider's for the account of the tests, the first of them nearly always a call.

    What belongs to that call has `mine` for our tag.
    """
    found: list[bytes] = []
    for at in range(draw(st.integers(1, 4))):
        method = "INVITE" if at == 0 and not draw(_rarely) else draw(st.sampled_from(METHODS))
        tag = "" if at == 0 or draw(_rarely) else ";tag=mine"
        good = {
            "Via": f"SIP/2.0/UDP 203.0.113.1;rport;branch=z9hG4bK{at}",
            "From": "<sip:7@sip.example.com>;tag=far",
            "To": f"<sip:1001@sip.example.com>{tag}",
            "Call-ID": "in-1",
            "CSeq": f"{at + 1} {method}",
            "Contact": draw(HEADERS["Contact"]) if draw(_rarely) else "<sip:7@203.0.113.1:5070>",
        }
        kind = draw(
            st.sampled_from(("application/sdp", "application/sdp", "multipart/mixed;boundary=b", "x/y"))
        )
        lines = [*draw(needed_lines(good)), *draw(more_headers()), f"Content-Type: {kind}"]
        start = f"{method} sip:1001@192.0.2.7:5060 SIP/2.0"
        raw = framed(start, lines, draw(bodies), "none" if draw(_rarely) else "right")
        found.append(damage(raw, draw(seeds)) if draw(st.integers(0, 3)) == 0 else raw)
    return found


def damage(raw: bytes, seed: int) -> bytes:
    """A message with some mutations, half of them with a Content-Length that fits again."""
    bad = mutate(raw, random.Random(seed))
    return with_length(bad) if seed % 2 else bad


def damaged(messages: SearchStrategy[bytes]) -> SearchStrategy[bytes]:
    """Half of them damaged."""
    return st.one_of(messages, st.builds(damage, messages, seeds))


messages = damaged(whole_messages())
