"""The hostile messages hold what they say, octet for octet, and can be filled in for a live engine."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from pathlib import Path

import pytest

from app.model.trunk import Transport
from app.shipped import ShippedDataError
from tests.helpers.sip_client import Message
from tests.hostile.hostile_messages import FOLDER, MESSAGES, Hostile, chosen, load
from tests.hostile.hostile_values import PLACEHOLDERS, answer_values, request_values

SECTIONS = {"A", "B", "C", "D", "H", "I", "J", "K", "M2", "M3", "M4", "M7"}
SERVER = ("127.0.0.1", 5070)
SOURCE = ("127.0.0.1", 40123)

_REQUEST = (
    "{method} sip:far@127.0.0.1:5070 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:5060;rport;branch=z9hG4bKours\r\n"
    'From: "Alice" <sip:alice@127.0.0.1>;tag=ours\r\n'
    "To: <sip:alice@127.0.0.1>{tag}\r\n"
    "Call-ID: call-1\r\n"
    "CSeq: 7 {method}\r\n"
    "Contact: <sip:alice@127.0.0.1:5060>\r\n"
    "Content-Length: 0\r\n\r\n"
)


def sent(method: str, tag: str = "") -> bytes:
    """A request as an engine sends it."""
    return _REQUEST.format(method=method, tag=tag).encode()


def filled(hostile: Hostile) -> bytes:
    """The message as a test would send it."""
    return hostile.filled(values_for(hostile))


def values_for(hostile: Hostile) -> dict[str, str | bytes]:
    """For an answer those of a request, for a request those of the far end."""
    values = request_values(
        hostile.method or "OPTIONS", target="sip:alice@127.0.0.1:5060", server=SERVER, user="alice", mark="m1"
    )
    if hostile.answers or not hostile.method:
        values |= answer_values(sent(hostile.answers or "INVITE"), server=SERVER, source=SOURCE)
    if hostile.inside:
        values["to"] = "<sip:alice@127.0.0.1>;tag=theirs"
    return values


def test_every_part_has_its_messages() -> None:
    assert {hostile.section for hostile in MESSAGES.values()} == SECTIONS
    assert len(MESSAGES) > 3000


@pytest.mark.parametrize("section", sorted(SECTIONS))
def test_every_example_has_three_more_of_its_kind(section: str) -> None:
    examples = chosen(section, examples=True)
    assert examples
    assert len(chosen(section)) >= 4 * len(examples)


def test_every_group_with_examples_goes_beyond_them() -> None:
    sizes = Counter(hostile.group.name for hostile in MESSAGES.values())
    for group in {hostile.group.name: hostile.group for hostile in MESSAGES.values()}.values():
        assert sizes[group.name] >= 3 + len(group.examples), group.name
        assert group.wrong, group.name
        assert group.right, group.name


def test_no_two_messages_of_a_group_are_the_same() -> None:
    seen: dict[object, str] = {}
    for hostile in MESSAGES.values():
        change = hostile.change
        key = (
            hostile.group.name,
            hostile.answers,
            hostile.template,
            hostile.earlier,
            (change.before, change.behind, change.ends, change.cut),
        )
        assert seen.setdefault(key, hostile.name) == hostile.name


@pytest.mark.parametrize(
    ("name", "octets"),
    [
        ("via-received-port", b"Via: {via};received=203.0.113.7:60571\r\n"),
        ("contact-star-alone", b"\r\nContact: *\r\n"),
        ("contact-tel", b"\r\nContact: <tel:+4930123>\r\n"),
        ("record-route-tel", b"\r\nRecord-Route: <tel:+4930123>\r\n"),
        ("phrase-latin-1", b"SIP/2.0 403 Identit\xe9 refus\xe9e\r\n"),
        ("phrase-utf-8", "SIP/2.0 403 Identité refusée\r\n".encode()),
        ("phrase-nul", b"SIP/2.0 403 No\x00pe\r\n"),
        ("phrase-utf-8-overlong", b"SIP/2.0 403 No\xc0\xaf\xc1\x81\xe0\x80\xaf\r\n"),
        ("display-name-latin-1", b'\r\nFrom: "Identit\xe9 refus\xe9e" <sip:far@{server}>;tag={from_tag}\r\n'),
        ("realm-utf-16-be", b'realm="\xfe\xff\x00N\x00o"'),
        ("expires-date", b"\r\nExpires: Thu, 01 Dec 2030 16:00:00 GMT\r\n"),
        ("min-expires-none", b"\r\nMin-Expires: none\r\n"),
        ("list-record-route-star", b"\r\nRecord-Route: *\r\n"),
        ("address-c-254", b"\r\nc=IN IP4 " + 254 * b"a" + b"\r\n"),
        ("address-invite-o-256", b"\r\no=far 1 1 IN IP4 " + 256 * b"a" + b"\r\n"),
        ("sdp-line-media-100", 99 * b"m=audio 40000 RTP/AVP 0\r\n"),
        ("bye-q850-102", b'\r\nReason: Q.850;cause=102;text="Recovery on timer expiry"\r\n'),
        ("in-call-options", b"OPTIONS {target} SIP/2.0\r\n"),
        ("out-of-call-newmethod", b"\r\nCSeq: {number} NEWMETHOD\r\n"),
        ("explained-retry-after", b"\r\nRetry-After: 3600\r\n"),
        ("challenge-auth-int", b'qop="auth-int"\r\n'),
        ("challenge-realm-quotes", rb'realm="a \"quoted\" \\ realm"'),
        ("key-tag-other", b"\r\na=crypto:7 AES_CM_128_HMAC_SHA1_80 inline:"),
        ("unusual-folded", b"\r\nCSeq: {number}\r\n {method}\r\n"),
        ("stream-cut-in-header", b"SIP/2.0 200 OK\r\n"),
    ],
)
def test_a_message_holds_what_its_name_says(name: str, octets: bytes) -> None:
    assert octets in MESSAGES[name].template


def test_a_header_that_is_set_is_there_once() -> None:
    message = MESSAGES["contact-star-alone"].template
    assert message.count(b"\r\nContact:") == 1
    assert message.startswith(b"SIP/2.0 200 OK\r\nVia: {via}\r\n")


def test_a_line_that_is_left_out_is_gone() -> None:
    assert b"Content-Length" not in MESSAGES["no-length-invite-200"].template
    assert b"a=sendrecv" not in MESSAGES["silent-inactive"].template
    assert MESSAGES["silent-inactive"].template.endswith(b"a=inactive\r\n")
    assert b"\r\nc=" not in MESSAGES["sdp-no-connection"].template


def test_every_placeholder_has_a_value() -> None:
    left = re.compile(rb"\{(?:%b)\}" % "|".join(PLACEHOLDERS).encode())
    for hostile in MESSAGES.values():
        values = values_for(hostile)
        assert left.search(hostile.filled(values)) is None, hostile.name
        assert all(left.search(earlier) is None for earlier in hostile.filled_earlier(values)), hostile.name


def test_every_placeholder_is_used() -> None:
    used = frozenset.union(*(hostile.placeholders for hostile in MESSAGES.values()))
    assert used | {"length"} == PLACEHOLDERS.keys()


def test_content_length_counts_the_body_that_is_sent() -> None:
    counted = 0
    for hostile in MESSAGES.values():
        change = hostile.change
        if b"{length}" not in hostile.template or change.cut or change.behind or change.before or change.ends:
            continue
        head, _, body = filled(hostile).partition(b"\r\n\r\n")
        lengths = re.findall(rb"\r\n(?:Content-Length|l): (\d+)", head)
        assert str(len(body)).encode() in lengths, hostile.name
        counted += 1
    assert counted > 3000


def test_an_answer_belongs_to_its_request() -> None:
    answer = Message.parse(
        MESSAGES["silent-inactive"]
        .filled(answer_values(sent("INVITE"), server=SERVER, source=SOURCE, rtp_port="41000"))
        .decode()
    )
    assert answer.start_line == "SIP/2.0 200 OK"
    assert answer.one("Via") == "SIP/2.0/UDP 127.0.0.1:5060;rport=40123;branch=z9hG4bKours"
    assert answer.one("From") == '"Alice" <sip:alice@127.0.0.1>;tag=ours'
    assert answer.one("To") == "<sip:alice@127.0.0.1>;tag=far"
    assert answer.one("Call-ID") == "call-1"
    assert answer.one("CSeq") == "7 INVITE"
    assert answer.one("Contact") == "<sip:far@127.0.0.1:5070>"
    assert "m=audio 41000 RTP/AVP 0 101" in answer.body


def test_an_answer_inside_a_call_keeps_the_tag() -> None:
    values = answer_values(sent("BYE", ";tag=theirs"), server=SERVER, source=SOURCE)
    answer = Message.parse(MESSAGES["answer-bye-481"].filled(values).decode())
    assert answer.one("To") == "<sip:alice@127.0.0.1>;tag=theirs"
    assert answer.one("CSeq") == "7 BYE"


def test_a_request_is_one_of_its_own() -> None:
    first, second = (
        request_values(
            "ACK", target="sip:a@b", server=SERVER, user="alice", mark=mark, transport=Transport.TCP
        )
        for mark in ("m1", "m2")
    )
    assert first["via"] == "SIP/2.0/TCP 127.0.0.1:5070;branch=z9hG4bKm1;rport"
    for name in ("via", "from_tag", "call_id", "branch", "other_branch"):
        assert first[name] != second[name]


def test_an_ack_without_tag_comes_after_its_invite() -> None:
    hostile = MESSAGES["ack-no-tag-other-branch"]
    values = request_values("ACK", target="sip:alice@127.0.0.1:5060", server=SERVER, user="alice", mark="m1")
    (invite,) = (Message.parse(message.decode()) for message in hostile.filled_earlier(values))
    ack = Message.parse(hostile.filled(values).decode())
    assert invite.start_line == "INVITE sip:alice@127.0.0.1:5060 SIP/2.0"
    assert invite.one("CSeq") == "1 INVITE"
    assert ack.one("CSeq") == "1 ACK"
    assert ack.one("Call-ID") == invite.one("Call-ID")
    assert ack.one("From") == invite.one("From")
    assert "tag=" not in ack.one("To")
    assert ack.one("Via") != invite.one("Via")
    assert MESSAGES["ack-for-nothing"].earlier == ()


def test_a_message_can_be_cut_respelt_and_surrounded() -> None:
    assert len(filled(MESSAGES["stream-cut-in-header"])) == 120
    assert b"\r" not in filled(MESSAGES["unreadable-line-feeds"])
    assert filled(MESSAGES["stream-ping-before-request"]).startswith(b"\r\n\r\nOPTIONS ")
    assert filled(MESSAGES["stream-second-request-in-length"]).endswith(
        b"\r\n\r\nBYE sip:a@127.0.0.1 SIP/2.0\r\n\r\n"
    )
    assert filled(MESSAGES["stream-pong"]) == b"\r\n"


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="via"):
        MESSAGES["contact-tel"].filled({})


def test_the_kind_of_a_message_is_known() -> None:
    assert (MESSAGES["contact-tel"].answers, MESSAGES["contact-tel"].method) == ("INVITE", "")
    assert (MESSAGES["answer-info-405"].answers, MESSAGES["answer-info-405"].method) == ("INFO", "")
    assert (MESSAGES["in-call-options"].answers, MESSAGES["in-call-options"].method) == ("", "OPTIONS")
    assert MESSAGES["in-call-options"].inside
    assert not MESSAGES["out-of-call-bye"].inside
    assert (MESSAGES["stream-ssh"].answers, MESSAGES["stream-ssh"].method) == ("", "")
    assert MESSAGES["stream-ssh"].group.over is Transport.TCP
    assert MESSAGES["phrase-403-credit-funds"].value == "credit-funds"


def test_a_part_without_messages_is_an_error() -> None:
    with pytest.raises(ValueError, match="no messages for F"):
        chosen("A", "F")


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A folder of messages that a test may spoil."""
    return Path(shutil.copytree(FOLDER, tmp_path / "messages"))


@pytest.mark.parametrize(
    ("right", "wrong", "error"),
    [
        ('base = "register-401"', 'base = "register-999"', "no base 'register-999'"),
        ('examples = ["via-received-port"]', 'examples = ["via-received-prot"]', "no case via-received-prot"),
        ("{via}{value}", "{vai}{value}", r"has \{vai\}"),
        ('name = "contact-star-in-302"', 'name = "contact-star"', "contact-star-alone stands twice"),
        ('section = "A"', 'section = "Z"', r"a\.toml"),
        ("set = [", "sit = [", r"a\.toml"),
        ('name = "via"', 'name = "Via 1"', r"a\.toml"),
    ],
)
def test_a_wrong_file_is_an_error(copied: Path, right: str, wrong: str, error: str) -> None:
    file = copied / "a.toml"
    text = file.read_text(encoding="utf-8")
    assert right in text
    file.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(ShippedDataError, match=error):
        load(copied)
