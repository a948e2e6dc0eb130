"""Values that are written can be read again, and streams are cut the same however they come."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator

from hypothesis import assume, given
from hypothesis import strategies as st

from app.sip.carrier.offers import CODECS, UnusableSdpError, plan_for_offer
from app.sip.carrier.offers import read_sdp as carrier_reads
from app.sip.syntax.address import (
    Address,
    MalformedError,
    Uri,
    bracketed,
    is_address,
    parse_address,
    parse_uri,
    parse_via,
    via_faults,
)
from app.sip.syntax.challenge import parse_challenges, quoted
from app.sip.syntax.framing import Framer, FramingError, KeepAlive
from tests.hostile import strategies as sip
from tests.hostile.fuzz.invariants import check_sdp

# Addresses

param_values = st.one_of(st.just(""), sip.tokens, sip.anything.map(quoted))
params = st.lists(st.tuples(sip.tokens, param_values), max_size=3)


def written(uri: Uri) -> str:
    """A URI from its parts."""
    user = f"{uri.user}@" if uri.user else ""
    port = f":{uri.port}" if uri.port is not None else ""
    more = "".join(f";{name}={value}" if value else f";{name}" for name, value in uri.params)
    return f"{uri.scheme}:{user}{bracketed(uri.host)}{port}{more}"


@given(sip.sip_uris())
def test_a_uri_has_the_parts_that_it_was_written_from(text: str) -> None:
    uri = parse_uri(text)
    again = parse_uri(written(uri))
    assert (again.user, again.host, again.port, again.params) == (uri.user, uri.host, uri.port, uri.params)
    assert uri.text == text
    assert text.lower().startswith(f"{uri.scheme}:")
    assert not uri.user or f":{uri.user}@" in text
    assert bracketed(uri.host) in text.lower()


@given(st.one_of(sip.uris, sip.anything, sip.anything.map(lambda text: f"sip:{text}")))
def test_what_is_read_as_a_uri_is_plain(text: str) -> None:
    with contextlib.suppress(MalformedError):
        uri = parse_uri(text)
        assert uri.text.isascii()
        assert uri.text.isprintable()
        assert not uri.is_sip or parse_uri(written(uri)).host == uri.host


@given(sip.anything, sip.sip_uris(), params)
def test_an_address_is_what_it_was_written_from(display: str, uri: str, more: list[tuple[str, str]]) -> None:
    tail = "".join(f" ; {name} = {value}" if value else f";{name}" for name, value in more)
    address = parse_address(f"{quoted(display)} <{uri}>{tail}")
    assert address.display == display
    assert address.uri == parse_uri(uri)
    assert address.params == tuple((name.lower(), unquoted(value)) for name, value in more)


def unquoted(value: str) -> str:
    """What `quoted` was given."""
    return value[1:-1].replace('\\"', '"').replace("\\\\", "\\") if value.startswith('"') else value


@given(st.one_of(sip.addresses(tag=True), sip.anything))
def test_an_address_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(MalformedError):
        address = parse_address(text)
        assert isinstance(address, Address)
        assert all(name.isascii() and name == name.lower() for name, _ in address.params)


@given(sip.hosts, st.integers(1, 65535), sip.tokens, st.sampled_from(("UDP", "tcp", "TLS")), params)
def test_a_via_is_what_it_was_written_from(
    host: str, port: int, branch: str, transport: str, more: list[tuple[str, str]]
) -> None:
    tail = "".join(f";x{name}={value}" if value else f";x{name}" for name, value in more)
    text = f"SIP/2.0/{transport} {host}:{port};rport;branch={branch};received=192.0.2.1{tail}"
    via = parse_via(text)
    assert (bracketed(via.host), via.port, via.branch) == (host, port, branch)
    assert (via.transport, via.wants_rport, via.received) == (transport.upper(), True, "192.0.2.1")
    assert via_faults(text) == ""


@given(st.one_of(sip.vias(), sip.anything))
def test_a_via_is_read_or_refused_and_what_is_read_can_be_used(text: str) -> None:
    with contextlib.suppress(MalformedError):
        via = parse_via(text)
        assert via.port is None or 0 < via.port < 65_536
        assert via.rport is None or 0 < via.rport < 65_536
        assert via.received is None or is_address(via.received) or is_address(via.received, 6)
        assert isinstance(via_faults(text), str)


# Challenges


@st.composite
def written_challenges(draw: st.DrawFn) -> tuple[str, dict[str, str | None]]:
    """A challenge, and what stands in it."""
    facts: dict[str, str | None] = {
        "realm": draw(sip.anything),
        "nonce": draw(sip.anything),
        "opaque": draw(st.one_of(st.none(), sip.anything)),
        "algorithm": draw(st.sampled_from(("MD5", "sha-256", "SHA-512-256-sess", None))),
    }
    parts = [f"{name}={quoted(value)}" for name, value in facts.items() if value is not None]
    space = draw(st.sampled_from((", ", ",", " , ", ",\t", ",, ")))
    return f"Digest {space.join(draw(st.permutations(parts)))}", facts


@given(st.lists(written_challenges(), min_size=1, max_size=3))
def test_challenges_are_what_they_were_written_from(several: list[tuple[str, dict[str, str | None]]]) -> None:
    found = parse_challenges(", ".join(text for text, _ in several))
    for challenge, (_, facts) in zip(found, several, strict=True):
        assert challenge.scheme == "digest"
        assert (challenge.realm, challenge.nonce, challenge.opaque) == (
            facts["realm"],
            facts["nonce"],
            facts["opaque"],
        )
        assert challenge.algorithm == (facts["algorithm"] or "MD5")
        assert challenge.algorithm_named == (facts["algorithm"] is not None)


@given(st.one_of(sip.challenges, sip.anything))
def test_challenges_are_read_or_refused(text: str) -> None:
    with contextlib.suppress(MalformedError):
        for challenge in parse_challenges(text):
            assert challenge.scheme == challenge.scheme.lower() != ""
            assert not challenge.usable or challenge.hash_name


# Descriptions of audio


@given(sip.damaged(sip.sdp_bodies().map(str.encode)))
def test_a_description_that_was_read_reads_the_same_again(raw: bytes) -> None:
    check_sdp(raw)


@given(sip.damaged(sip.sdp_bodies().map(str.encode)))
def test_the_carrier_takes_or_refuses_every_description(raw: bytes) -> None:
    with contextlib.suppress(UnusableSdpError):
        plan = plan_for_offer(carrier_reads(raw.decode("utf-8", "replace")), tuple(CODECS))
        assert plan.remote[0].startswith("127.")


# Streams

frames = st.one_of(
    sip.messages,
    st.sampled_from((b"\r\n\r\n", b"\r\n", b"\n", b"\r", b"SIP/2.0 200 OK\r\nl: 3\r\n\r\nabc")),
    sip.octets,
)
streams = st.lists(frames, min_size=1, max_size=4).map(b"".join)
cuts = st.lists(st.integers(0, 2000), max_size=8)


def pieces(stream: bytes, at: list[int]) -> Iterator[bytes]:
    """The stream cut at these places."""
    places = [0, *sorted(place % (len(stream) + 1) for place in at), len(stream)]
    for start, end in itertools.pairwise(places):
        yield stream[start:end]


def framed(parts: Iterator[bytes]) -> tuple[list[bytes | KeepAlive], str]:
    """What a framer gives, and why it gave up."""
    framer, found = Framer(), []
    try:
        for part in parts:
            found += framer.frames(part)
    except FramingError as error:
        return found, str(error)
    return found, ""


@given(streams, cuts)
@sip.examples(0.8)
def test_no_byte_of_a_stream_is_lost_moved_or_doubled(stream: bytes, at: list[int]) -> None:
    found, _ = framed(pieces(stream, at))
    place = 0
    for frame in found:
        if isinstance(frame, bytes):
            while not stream.startswith(frame, place):
                assert stream[place : place + 1] in (b"\r", b"\n")
                place += 1
            place += len(frame)


@given(streams, cuts)
@sip.examples(0.8)
def test_a_stream_is_cut_the_same_however_it_comes(stream: bytes, at: list[int]) -> None:
    whole, why = framed(iter([stream]))
    messages = [frame for frame in whole if isinstance(frame, bytes)]
    # What has a body and does not say how long it is ends with what has come so far
    assume(
        not any(b"ontent-" in frame or b"c:" in frame.lower() for frame in messages if not has_length(frame))
    )
    found, why_cut = framed(pieces(stream, at))
    assert [frame for frame in found if isinstance(frame, bytes)] == messages
    assert why_cut == why


def has_length(frame: bytes) -> bool:
    head = frame.partition(b"\r\n\r\n")[0].lower()
    return b"\r\ncontent-length" in head or b"\r\nl:" in head
