"""The fingerprint of a SIP message: the same when it comes again, another for another message."""

from __future__ import annotations

import random
import string

import pytest

from app.sip.fingerprint import fingerprint

CHALLENGE = (
    "SIP/2.0 401 Unauthorized\r\n"
    "Via: SIP/2.0/UDP 192.0.2.7:{port};received=203.0.113.7:60571;rport={port};branch=z9hG4bK{branch}\r\n"
    "From: <sip:1001@sip.example.com>;tag={tag}\r\n"
    'To: "Büro" <sip:1001@sip.example.com>;tag={tag}\r\n'
    "Call-ID: {call_id}\r\n"
    "CSeq: {cseq} REGISTER\r\n"
    'WWW-Authenticate: Digest realm="example.com", nonce="{nonce}", opaque="", algorithm=MD5\r\n'
    "Date: {date}\r\n"
    "Contact: <sip:{user}@192.0.2.7:{port};ob>\r\n"
    "Content-Length: 0\r\n\r\n"
)


def word(chance: random.Random, length: int = 0) -> str:
    """Letters and digits, of any length between 4 and 40 if none is given."""
    return "".join(chance.choices(string.ascii_letters + string.digits, k=length or chance.randint(8, 40)))


def challenge(seed: int, template: str = CHALLENGE) -> str:
    """The same message with everything drawn anew."""
    chance = random.Random(seed)
    return template.format(
        port=chance.randint(1024, 65535),
        branch=word(chance),
        tag=chance.choice([word(chance), "".join(chance.choices(string.ascii_lowercase, k=12))]),
        call_id=f"{word(chance)}@{chance.choice(['pbx', '192.0.2.1'])}",
        cseq=chance.randint(1, 2**31),
        nonce=f"{word(chance)}+/=={word(chance)}",
        date=chance.choice(["Thu, 01 Dec 2030 16:00:00 GMT", "Mon, 7 Jan 2030 01:02:03 GMT"]),
        user=chance.choice(["1001", "1001-kfjsowqe", f"1001-{word(chance, 12)}"]),
    )


def test_a_message_is_known_again_whatever_is_drawn_anew_in_it() -> None:
    first = challenge(0, CHALLENGE.replace("{user}", "alice-kfjs"))
    for seed in range(1, 200):
        again = challenge(seed, CHALLENGE.replace("{user}", f"alice-{word(random.Random(seed), 6)}"))
        assert fingerprint(again) == fingerprint(first), again


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("401 Unauthorized", "403 Forbidden"),
        ("received=203.0.113.7:60571", "received=203.0.113.7"),
        ("Contact: <sip:{user}@192.0.2.7:{port};ob>", "Contact: *"),
        ("Contact: <sip:{user}@192.0.2.7:{port};ob>", "Contact: <tel:+4930123>"),
        ("CSeq: {cseq} REGISTER", "CSeq: {cseq} INVITE"),
        ("<sip:1001@sip.example.com>;tag={tag}\r\nCall", "<sip:1001@sip.example.com>\r\nCall"),
        ("branch=z9hG4bK{branch}", "branch=" + "b" * 300),
        ("algorithm=MD5", "algorithm=SHA-256"),
        ("Content-Length: 0", "Content-Length: 99999999999999999999999"),
        ("example.com>;tag={tag}\r\nTo", f"{'h' * 254}>;tag={{tag}}\r\nTo"),
    ],
)
def test_another_message_has_another_fingerprint(before: str, after: str) -> None:
    assert before in CHALLENGE
    assert fingerprint(challenge(1, CHALLENGE.replace(before, after))) != fingerprint(challenge(1))


@pytest.mark.parametrize("body", ["Identit\xe9 refus\xe9e", "\x01\x02 \udce9"])
def test_the_same_bytes_are_the_same_message_however_they_were_decoded(body: str) -> None:
    raw = f"SIP/2.0 403 {body}\r\nCSeq: 1 REGISTER\r\n\r\n".encode("latin-1", "surrogateescape")
    decoded = [
        raw.decode("latin-1"),
        raw.decode("utf-8", "surrogateescape"),
        raw.decode("utf-8", "replace"),
        raw.decode("ascii", "backslashreplace").replace("\\x", "\udcff"),
    ]
    assert len({fingerprint(text) for text in decoded[:3]}) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0",
        "a" * 70_000,
        "a1" * 35_000,
        'tag="' * 14_000,
        "sip:" * 17_000,
        "abcd-" * 14_000,
        "\x80" * 70_000,
    ],
    ids=["nothing", "nul", "letters", "words", "tags", "uris", "uuids", "bytes"],
)
def test_any_text_has_one(text: str) -> None:
    assert len(fingerprint(text)) == 32
