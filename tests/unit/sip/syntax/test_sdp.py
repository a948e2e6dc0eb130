"""Descriptions of audio are written again with what PJMEDIA can read and nothing else."""

from __future__ import annotations

import itertools
import re

import pytest

from app.sip.syntax.address import MalformedError
from app.sip.syntax.sdp import MOST_FORMATS, MOST_STREAMS, Sdp, key_tags, read_sdp

AUDIO = "m=audio 4000 RTP/AVP 0"


def sdp(*lines: str, connection: str = "c=IN IP4 192.0.2.1") -> Sdp:
    """What is read of a description that ends with these lines."""
    return read_sdp(
        text("v=0", "o=- 1 2 IN IP4 192.0.2.1", "s=-", *filter(None, [connection]), "t=0 0", *lines)
    )


def text(*lines: str) -> bytes:
    """The lines as they travel."""
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape")


def written(found: Sdp) -> list[str]:
    """What PJSIP gets of the streams."""
    head, *lines = found.body.decode("ascii").split("\r\n")[:-1]
    assert head == "v=0"
    assert lines[1:3] == ["s=-", "t=0 0"]
    return lines[3:]


def faults(found: Sdp) -> list[str]:
    """What was wrong with it."""
    return [fault.what for fault in found.faults]


# Whole descriptions


def test_a_plain_description_stays_what_it_is() -> None:
    found = sdp(
        "m=audio 4000 RTP/AVP 0 8 101",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000/1",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-16",
        "a=ptime:20",
        "a=rtcp:4001",
        "a=sendrecv",
    )
    assert found.body == text(
        "v=0",
        "o=- 1 2 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "m=audio 4000 RTP/AVP 0 8 101",
        "c=IN IP4 192.0.2.1",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:8 PCMA/8000/1",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-16",
        "a=ptime:20",
        "a=rtcp:4001",
        "a=sendrecv",
    )
    assert found == Sdp(
        body=found.body,
        direction="sendrecv",
        codecs=("pcmu", "pcma", "telephone-event"),
        port=4000,
        address="192.0.2.1",
        profile="RTP/AVP",
    )


def test_what_pjmedia_does_not_use_is_left_out() -> None:
    found = sdp(
        "i=x",
        "b=AS:64",
        "a=group:BUNDLE 0",
        "a=ice-lite",
        AUDIO,
        "i=y",
        "b=TIAS:64000",
        "a=candidate:1 1 UDP 1 192.0.2.1 4000 typ host",
        "a=ssrc:1 cname:x",
        "a=silenceSupp:off - - - -",
        "a=fingerprint:sha-256 00:11",
        "a=setup:actpass",
        "a=label:1",
    )
    assert written(found) == [AUDIO, "c=IN IP4 192.0.2.1", "a=sendrecv"]
    assert found.faults == ()


ENDS = ["\r\n", "\n", "\r", "\n\n", "\r\n\r\n"]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("last", ["", "\r\n"])
def test_every_line_end_is_read(end: str, last: str) -> None:
    lines = ["v=0", "o=- 1 2 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0", AUDIO, "a=sendonly"]
    assert read_sdp((end.join(lines) + last).encode()) == sdp(AUDIO, "a=sendonly")


@pytest.mark.parametrize(
    "raw", [b"", b"hello", b"v=1\r\n", b"\r\nv=0\r\n", b"\xef\xbb\xbfv=0\r\n", b"V=0\r\n", b"{}"]
)
def test_what_does_not_begin_with_its_version_is_no_description(raw: bytes) -> None:
    with pytest.raises(MalformedError, match="does not begin with v=0"):
        read_sdp(raw)


@pytest.mark.parametrize("lines", [(), ("a=sendrecv",), ("m",), ("M=audio 4000 RTP/AVP 0",)])
def test_without_a_stream_it_is_none(lines: tuple[str, ...]) -> None:
    with pytest.raises(MalformedError, match="describes no stream"):
        sdp(*lines)


@pytest.mark.parametrize("line", ["hello", "audio=1", "=x", " a=x", "a", "Ä=1", "1=2", "\udce9"])
def test_a_line_that_is_none_is_reported_and_left_out(line: str) -> None:
    found = sdp(AUDIO, line)
    assert faults(found) == ["is not a line of a description"]
    assert written(found) == [AUDIO, "c=IN IP4 192.0.2.1", "a=sendrecv"]


def test_bytes_of_another_alphabet_in_a_name_do_no_harm() -> None:
    found = read_sdp(
        b"v=0\r\no=J\xf6rg 1 2 IN IP4 h\r\ns=B\xfcro\r\nc=IN IP4 192.0.2.1\r\nm=audio 1 RTP/AVP 0\r\n"
    )
    assert (found.faults, found.port) == ((), 1)


def test_what_is_written_is_read_as_the_same() -> None:
    directions = ("a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive")
    streams = (AUDIO, "m=audio 0 RTP/AVP 0", "m=audio 5000 RTP/SAVP 8 0 96", "m=video 6000 RTP/AVP 96")
    for direction, first, second in itertools.product(directions, streams, ("", *streams)):
        once = sdp(
            first, "a=rtpmap:96 opus/48000/2", "a=crypto:1 X inline:abc", direction, *filter(None, [second])
        )
        again = read_sdp(once.body)
        assert again.body == once.body
        assert again.faults == ()


# The origin


@pytest.mark.parametrize(
    ("session", "version", "expected"),
    [
        ("0", "0", "0 0"),
        ("2890844526", "1", f"{2890844526 % 2**31} 1"),
        ("18446744073709551615", "2147483648", f"{2**31 - 1} 0"),
        ("0007", "2", "7 2"),
        ("-1", "1", None),
        ("1a2b3c", "1", None),
        ("9" * 100, "1", None),
        ("٣", "1", None),
    ],
)
def test_numbers_of_the_origin_fit_31_bits(session: str, version: str, expected: str | None) -> None:
    found = read_sdp(text("v=0", f"o=u {session} {version} IN IP4 h", "c=IN IP4 192.0.2.1", AUDIO))
    line = found.body.decode().split("\r\n")[1]
    match = re.fullmatch(r"o=- ([0-9]+) ([0-9]+) IN IP4 0\.0\.0\.0", line)
    assert match
    assert int(match[1]) < 2**31
    assert int(match[2]) < 2**31
    assert expected is None or line == f"o=- {expected} IN IP4 0.0.0.0"
    assert found.faults == ()


def test_another_version_of_the_same_session_has_another_number() -> None:
    # A session id that is no number stays the same, and its versions tell each other apart
    first, second = (
        read_sdp(text("v=0", f"o=u abc {version} IN IP4 h", "c=IN IP4 192.0.2.1", AUDIO)).body.split(b"\r\n")[
            1
        ]
        for version in ("x1", "x2")
    )
    assert first.split()[1] == second.split()[1]
    assert first.split()[2] != second.split()[2]


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "-",
        "- 1 2 IN IP4",
        "- 1 2 XX IP4 h",
        "- 1 2 IN IP5 h",
        "a b 1 2 IN IP4 h",
        "- 1 2 IN IP4 " + "a" * 254,
    ],
)
def test_a_damaged_origin_is_reported_and_replaced(origin: str) -> None:
    found = read_sdp(text("v=0", f"o={origin}", "c=IN IP4 192.0.2.1", AUDIO))
    assert faults(found) == ["is not an origin"]
    assert found.body.startswith(b"v=0\r\no=- 0 0 IN IP4 0.0.0.0\r\n")
    assert found.port == 4000


# Where audio goes


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("IN IP4 192.0.2.9", "192.0.2.9"),
        ("IN  IP4  192.0.2.9 ", "192.0.2.9"),
        ("IN IP4 224.2.1.1/127", "224.2.1.1"),
        ("IN IP4 224.2.1.1/127/3", "224.2.1.1"),
        ("IN IP4 0.0.0.0", "0.0.0.0"),
    ],
)
def test_an_address_is_taken_from_the_stream_or_the_session(value: str, address: str) -> None:
    for found in (
        sdp(AUDIO, connection=f"c={value}"),
        sdp(AUDIO, f"c={value}", connection=""),
        sdp(AUDIO, f"c={value}"),
        sdp(AUDIO, f"c={value}", "c=IN IP4 192.0.2.77"),
        sdp(f"c={value}", "c=IN IP4 192.0.2.77", AUDIO, connection=""),
    ):
        assert (found.address, found.name, found.faults) == (address, "", ())
        assert written(found)[1] == f"c=IN IP4 {address}"


@pytest.mark.parametrize("name", ["media.example.com", "host", "a-b.example.", "x" * 128])
def test_a_name_is_left_to_be_looked_up(name: str) -> None:
    found = sdp(AUDIO, connection=f"c=IN IP4 {name}")
    assert (found.address, found.name, found.port, found.faults) == (name, name, 4000, ())
    assert written(found)[1] == "c=IN IP4 {address}"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "IN IP4",
        "IN IP4 ",
        "IN IP7 192.0.2.9",
        "XX IP4 192.0.2.9",
        "192.0.2.9",
        "IN IP4 " + "a" * 129,
        "IN IP4 " + "1" * 300,
        "IN IP4 büro.example",
        "IN IP4 a_b",
        "IN IP4 \udce9",
        "IN IP4 %s%s%n",
        "IN IP4 a b",
    ],
)
def test_a_damaged_address_is_reported_and_the_stream_is_off_without_another(value: str) -> None:
    lost = sdp(AUDIO, connection=f"c={value}")
    assert faults(lost) == ["is not an address for audio", "has no address for audio (c=)"]
    assert (lost.port, lost.direction) == (0, "inactive")
    assert written(lost) == ["m=audio 0 RTP/AVP 0", "c=IN IP4 0.0.0.0"]
    kept = sdp(AUDIO, f"c={value}")
    assert faults(kept) == ["is not an address for audio"]
    assert kept.address == "192.0.2.1"


def test_an_ipv6_address_is_reported_and_the_stream_is_off() -> None:
    found = sdp(AUDIO, connection="c=IN IP6 2001:db8::1")
    assert faults(found) == ["is an IPv6 address, which Ringback can't use"]
    assert found.faults[0].line == "c=IN IP6 2001:db8::1"
    assert (found.port, found.direction) == (0, "inactive")


def test_without_any_address_the_stream_is_off() -> None:
    found = sdp(AUDIO, connection="")
    assert faults(found) == ["has no address for audio (c=)"]
    assert found.port == 0


# Streams


@pytest.mark.parametrize(
    "line",
    [
        "audio",
        "audio 4000",
        "audio x RTP/AVP 0",
        "audio -1 RTP/AVP 0",
        "audio 65536 RTP/AVP 0",
        "au dio 1 RTP/AVP 0",
        "audio 99999999999 RTP/AVP 0",
        "audio 4000 RTP AVP 0 é" + "x" * 80,
        "",
        "audio 4000 RTP/\udce9VP 0",
    ],
)
def test_a_damaged_stream_keeps_its_place_and_is_off(line: str) -> None:
    found = sdp(f"m={line}", AUDIO)
    assert faults(found) == ["is not a stream that can be read"]
    assert written(found)[:2] == ["m=audio 0 RTP/AVP 0", "c=IN IP4 0.0.0.0"]
    assert (found.port, written(found)[2]) == (4000, AUDIO)


def test_only_the_first_audio_stream_that_is_on_is_kept_and_all_keep_their_place() -> None:
    found = sdp(
        "m=video 5000 RTP/AVP 96",
        "a=rtpmap:96 VP8/90000",
        "a=inactive",
        "m=audio 0 RTP/AVP 0",
        "m=audio 4000/2 RTP/AVP 8",
        "a=recvonly",
        "m=audio 4010 RTP/AVP 0",
        "m=image 4020 udptl t38",
        "m=Application 9 UDP/BFCP *",
    )
    assert written(found) == [
        "m=video 0 RTP/AVP 0", "c=IN IP4 0.0.0.0",
        "m=audio 0 RTP/AVP 0", "c=IN IP4 0.0.0.0",
        "m=audio 4000 RTP/AVP 8", "c=IN IP4 192.0.2.1", "a=recvonly",
        "m=audio 0 RTP/AVP 0", "c=IN IP4 0.0.0.0",
        "m=image 0 RTP/AVP 0", "c=IN IP4 0.0.0.0",
        "m=application 0 RTP/AVP 0", "c=IN IP4 0.0.0.0",
    ]  # fmt: skip
    assert (found.codecs, found.direction, found.faults) == (("pcma",), "recvonly", ())


@pytest.mark.parametrize(
    "lines", [("m=video 5000 RTP/AVP 96",), ("m=audio 0 RTP/AVP 0",), ("m=image 1 udptl t38",)]
)
def test_without_audio_that_is_on_it_is_inactive(lines: tuple[str, ...]) -> None:
    found = sdp(*lines)
    assert (found.port, found.direction, found.codecs, found.profile) == (0, "inactive", (), "")


def test_more_streams_than_anybody_needs_are_cut_off() -> None:
    found = sdp(*[AUDIO] * (MOST_STREAMS + 5))
    assert sum(line.startswith("m=") for line in written(found)) == MOST_STREAMS
    assert faults(found) == [f"is more than {MOST_STREAMS} streams"]


@pytest.mark.parametrize(
    "profile", ["UDP/TLS/RTP/SAVP", "UDP/TLS/RTP/SAVPF", "udp/tls/rtp/savpf", "TCP/TLS/RTP/SAVP"]
)
def test_dtls_is_off_as_it_ends_pjsip(profile: str) -> None:
    found = sdp(f"m=audio 4000 {profile} 0")
    assert written(found) == ["m=audio 0 RTP/AVP 0", "c=IN IP4 0.0.0.0"]
    assert found.profile == profile.upper()


@pytest.mark.parametrize("profile", ["RTP/AVP", "rtp/avp", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF"])
def test_other_profiles_are_kept(profile: str) -> None:
    assert written(sdp(f"m=audio 4000 {profile} 0"))[0] == f"m=audio 4000 {profile.upper()} 0"


# Formats


@pytest.mark.parametrize(
    ("formats", "kept", "wrong"),
    [
        ("0 8", "0 8", 0),
        ("0 0 8 0", "0 8", 0),
        ("00 8", "0 8", 0),
        ("128 8", "8", 1),
        ("999 8", "8", 1),
        ("x 8 -1", "8", 2),
        ("8 ٣", "8", 1),
        ("96 8", "8", 1),
        ("35 8", "35 8", 0),
    ],
)
def test_formats_that_are_no_payload_types_are_reported_and_left_out(
    formats: str, kept: str, wrong: int
) -> None:
    found = sdp(f"m=audio 4000 RTP/AVP {formats}")
    assert written(found)[0] == f"m=audio 4000 RTP/AVP {kept}"
    assert len(found.faults) == wrong


@pytest.mark.parametrize("formats", ["", " 96", " x", " 128 129"])
def test_a_stream_without_a_format_that_is_known_is_off(formats: str) -> None:
    found = sdp(f"m=audio 4000 RTP/AVP{formats}")
    assert written(found) == ["m=audio 0 RTP/AVP 0", "c=IN IP4 0.0.0.0"]
    assert (found.port, found.direction) == (0, "inactive")


def test_more_formats_than_anybody_needs_are_cut_off() -> None:
    found = sdp("m=audio 4000 RTP/AVP " + " ".join(map(str, range(90))))
    assert written(found)[0].split()[3:] == [str(kind) for kind in range(MOST_FORMATS)]


def test_what_is_used_here_is_kept_where_there_is_no_room_for_all() -> None:
    kinds = range(96, 126)
    lines = [f"a=rtpmap:{kind} codec-{kind}/8000" for kind in kinds]
    lines += [f"a=fmtp:{kind} {'x' * 190}" for kind in kinds]
    used = ("a=rtpmap:126 iLBC/8000", f"a=fmtp:126 mode=20;{'x' * 180}", "a=rtpmap:127 telephone-event/8000")
    formats = " ".join(map(str, (*kinds, 126, 8, 127)))
    found = sdp(f"m=audio 4000 RTP/AVP {formats}", *lines, *used)
    kept = written(found)
    assert kept[0].split()[-3:] == ["126", "8", "127"]
    assert set(used) < set(kept)
    assert found.codecs == (*(f"codec-{kind}" for kind in kinds), "ilbc", "pcma", "telephone-event")
    assert found.faults == ()


def test_of_what_can_stand_there_once_the_first_counts() -> None:
    found = sdp(AUDIO, *(f"a=ptime:{length}" for length in range(20, 90)), "a=rtcp:1", "a=rtcp:2")
    assert written(found)[2:-1] == ["a=ptime:20", "a=rtcp:1"]


def test_keys_are_kept_as_far_as_there_is_room() -> None:
    keys = [f"a=crypto:{tag} {'S' * 64} inline:{'k' * 100}" for tag in (1, 2, 3)]
    assert sdp("m=audio 4000 RTP/SAVP 0", *keys).key_tags == (1, 2)


@pytest.mark.parametrize("name", ["telephone-event", "TELEPHONE-EVENT", "Telephone-Event"])
def test_telephone_event_is_written_as_pjmedia_compares_it(name: str) -> None:
    found = sdp("m=audio 4000 RTP/AVP 0 101", f"a=rtpmap:101 {name}/8000", "a=fmtp:101 0-15")
    assert "a=rtpmap:101 telephone-event/8000" in written(found)
    assert found.codecs == ("pcmu", "telephone-event")


def test_static_payload_types_need_no_name_and_other_names_keep_their_spelling() -> None:
    found = sdp("m=audio 4000 RTP/AVP 0 3 4 8 9 10 13 15 18 97", "a=rtpmap:97 iLBC/8000")
    assert found.codecs == ("pcmu", "gsm", "g723", "pcma", "g722", "l16", "cn", "g728", "g729", "ilbc")
    assert "a=rtpmap:97 iLBC/8000" in written(found)


@pytest.mark.parametrize(
    "value",
    [
        "96",
        "96 ",
        "96 opus",
        "96 /8000",
        "96 opus/",
        "96 opus/0",
        "96 opus/x",
        "96 opus/999999",
        "128 opus/8000",
        "x opus/8000",
        "96 op us/8000",
        "96 opus/8000/",
        "96 opus/8000/100",
        "96 \udce9/8000",
        "96 " + "o" * 33 + "/8000",
    ],
)
def test_a_damaged_name_of_a_codec_is_reported_and_its_format_left_out(value: str) -> None:
    found = sdp("m=audio 4000 RTP/AVP 0 96", f"a=rtpmap:{value}")
    assert faults(found)[0] == "is not the name of a codec"
    assert written(found)[0] == AUDIO


def test_of_two_names_for_a_format_the_first_counts() -> None:
    found = sdp("m=audio 4000 RTP/AVP 96", "a=rtpmap:96 opus/48000/2", "a=rtpmap:96 speex/8000")
    assert written(found)[2:3] == ["a=rtpmap:96 opus/48000/2"]
    assert found.codecs == ("opus",)


@pytest.mark.parametrize(
    "value", ["", "0", "0 ", "x mode=20", "128 mode=20", "0 é", "0 " + "x" * 201, "0 a\tb", "0 \udce9"]
)
def test_damaged_parameters_of_a_codec_are_as_if_not_given(value: str) -> None:
    found = sdp(AUDIO, f"a=fmtp:{value}")
    assert written(found) == [AUDIO, "c=IN IP4 192.0.2.1", "a=sendrecv"]
    assert found.faults == ()


# Attributes


@pytest.mark.parametrize("session", ["", "a=sendrecv", "a=sendonly", "a=RECVONLY", "a=inactive"])
@pytest.mark.parametrize("stream", ["", "a=sendrecv", "a=sendonly", "a=recvonly", "a=Inactive"])
def test_the_direction_of_the_stream_counts_more_than_that_of_the_session(session: str, stream: str) -> None:
    found = sdp(*filter(None, [session, AUDIO, stream, "a=sendonly" if stream else ""]))
    expected = (stream or session or "a=sendrecv")[2:].lower()
    assert found.direction == expected
    assert written(found)[-1] == f"a={expected}"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("ptime:20", "a=ptime:20"),
        ("ptime: 20 ", "a=ptime:20"),
        ("ptime:20.5", "a=ptime:20"),
        ("PTIME:20", "a=ptime:20"),
        ("ptime:0.5", "a=ptime:1"),
        ("maxptime:150", "a=maxptime:150"),
        ("ptime:200", "a=ptime:200"),
        ("ptime:201", ""),
        ("ptime:0", ""),
        ("ptime:-20", ""),
        ("ptime:", ""),
        ("ptime", ""),
        ("ptime:x", ""),
        ("maxptime:99999", ""),
    ],
)
def test_lengths_of_packets_are_kept_where_they_make_sense(value: str, kept: str) -> None:
    found = sdp(AUDIO, f"a={value}")
    assert [line for line in written(found) if "ptime" in line] == [kept] * bool(kept)
    assert faults(found) == ["is not a length of packets"] * (not kept)


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("rtcp:4001", True),
        ("rtcp:4001 IN IP4 192.0.2.7", True),
        ("rtcp:0", True),
        ("rtcp:65536", False),
        ("rtcp:x", False),
        ("rtcp:4001 IN IP4 h.example", False),
        ("rtcp:4001 IN IP6 ::1", False),
        ("rtcp:", False),
    ],
)
def test_where_reports_go_is_kept_where_it_makes_sense(value: str, kept: bool) -> None:
    assert (f"a={value}" in written(sdp(AUDIO, f"a={value}"))) is kept


def test_what_comes_twice_is_written_once() -> None:
    assert written(sdp(AUDIO, "a=rtcp-mux", "a=rtcp-mux", "a=ptime:20", "a=ptime:20"))[2:-1] == [
        "a=rtcp-mux",
        "a=ptime:20",
    ]


KEY = "AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^20|1:4"


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        (f"1 {KEY}", 1),
        (f"0999 {KEY}", 999),
        (f"1 {KEY} KDR=1 UNENCRYPTED_SRTP", 1),
        ("1 X inline:abc=", 1),
        (f"{KEY}", None),
        (f"x {KEY}", None),
        ("1 X", None),
        ("1 X inline:", None),
        ("1 X inline:<>", None),
        ("1 X inline:" + "a" * 121, None),
        ("1 X uri:http://a", None),
        (f"1 {KEY} \udce9", None),
        ("", None),
    ],
)
def test_keys_are_kept_where_they_can_be_read(value: str, tag: int | None) -> None:
    found = sdp("m=audio 4000 RTP/SAVP 0", f"a=crypto:{value}")
    assert found.key_tags == (() if tag is None else (tag,))
    assert (f"a=crypto:{value}" in written(found)) is (tag is not None)
    assert faults(found) == ["has keys that can't be read"] * (tag is None)


def test_of_many_keys_eight_are_kept_and_of_two_with_one_tag_the_first() -> None:
    found = sdp("m=audio 4000 RTP/SAVP 0", *(f"a=crypto:{tag} X{tag} inline:a" for tag in range(1, 20)))
    assert found.key_tags == tuple(range(1, 9))
    twice = sdp("m=audio 4000 RTP/SAVP 0", "a=crypto:1 A inline:a", "a=crypto:01 B inline:b")
    assert twice.key_tags == (1,)
    assert "a=crypto:1 A inline:a" in written(twice)


def test_the_tags_of_our_own_keys_are_found() -> None:
    assert key_tags(text(AUDIO, f"a=crypto:1 {KEY}", f"a=crypto:22 {KEY}", "a=cryptox:3 y")) == (1, 22)
    assert key_tags(b"") == ()


def test_only_the_first_faults_are_kept() -> None:
    found = sdp(AUDIO, *["nonsense"] * 100)
    assert len(found.faults) == MOST_STREAMS
    assert all(len(fault.line) <= 300 for fault in sdp(AUDIO, "x" * 5000).faults)


def test_whatever_one_octet_is_changed_to_the_result_is_ascii_and_can_be_read_again() -> None:
    whole = text(
        "v=0", "o=- 1 2 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0", "m=audio 4000 RTP/SAVP 0 96",
        "a=rtpmap:96 opus/48000/2", "a=fmtp:96 x=1", f"a=crypto:1 {KEY}", "a=ptime:20", "a=sendonly",
    )  # fmt: skip
    for at in range(len(whole)):
        for octet in b'\0\t\n\r "%-/0:<=a\x7f\x80\xe9\xff':
            try:
                found = read_sdp(whole[:at] + bytes([octet]) + whole[at + 1 :])
            except MalformedError:
                continue
            assert found.body.isascii(), (at, octet)
            assert set(found.body) <= {10, 13, *range(32, 127)}, (at, octet)
            if not found.name:
                assert read_sdp(found.body).body == found.body, (at, octet)
