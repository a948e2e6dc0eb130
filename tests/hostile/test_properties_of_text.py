"""Text of the network is made clean, and secrets do not leave in it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.redact import HIDDEN, redact_sip, redact_text
from app.sip.syntax.text import one_line, readable, readable_lines
from app.sip.trace import read_head, split_message
from tests.hostile import strategies as sip
from tests.hostile.fuzz.invariants import check_redacted

short = st.one_of(
    sip.octets, sip.anything.map(str.encode), sip.anything.map(lambda text: text.encode("utf-16"))
)
raw_text = st.one_of(short, sip.messages)
as_text = short.map(lambda raw: raw.decode("utf-8", "surrogateescape"))


@given(st.one_of(short, as_text))
def test_readable_text_can_be_written_anywhere(text: str | bytes) -> None:
    found = readable(text)
    assert found.encode("utf-8").decode("utf-8") == found
    assert readable(found) == found


@given(st.one_of(short, as_text), st.integers(2, 40))
def test_one_line_is_one_plain_line_of_limited_length(text: str | bytes, limit: int) -> None:
    found = one_line(text, limit)
    assert found.isprintable()
    assert found.encode("utf-8") is not None
    assert len(found) <= limit
    assert found == found.strip()
    assert one_line(found, limit) == found


@given(raw_text)
def test_a_message_for_people_keeps_its_lines(raw: bytes) -> None:
    found = readable_lines(raw)
    assert found.encode("utf-8").count(b"\n") == raw.count(b"\n")


@given(st.one_of(raw_text.map(readable_lines), sip.anything))
def test_a_head_is_read_from_any_text(text: str) -> None:
    head = read_head(text)
    assert split_message(text)[0].isascii() or text
    if head is not None:
        assert head.call_id
        assert all(part.isprintable() for part in (head.phrase, head.reason, head.method))
        assert 0 <= head.code < 1000


# Secrets

SECRET = "s3cr3t0f0bs3rv3r5"
_PLACES = (
    'Authorization: Digest username="1001", realm="r", nonce="{}", response="{}", cnonce="{}"',
    "Proxy-Authorization: Digest username=1001,response={}",
    "Proxy-Authorization:\r\n Digest username=1001,\r\n\tresponse={}",
    'WWW-Authenticate: Digest realm="r", nonce="{}", opaque="{}", qop="auth"',
    'Authentication-Info: nextnonce="{}", rspauth="{}"',
    "Authorization: Basic {}",
    "Authorization: Bearer {}",
    "authorization : digest unheard-of={}",
    "Contact: <sip:1001:{}@192.0.2.1>",
    "Subject: sips:u:{}@h",
    "X-Api-Token: {}",
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{}",
    "k=clear:{}",
    "a=ice-pwd:{}",
    "a=key-mgmt:mikey {}",
    "Signal={}",
)


@given(sip.whole_messages(), st.lists(st.sampled_from(_PLACES), min_size=1, max_size=3), st.integers(0, 9))
def test_a_secret_is_hidden_wherever_it_stands_in_a_message(raw: bytes, places: list[str], at: int) -> None:
    lines = readable_lines(raw).split("\r\n")
    folded = {number for number, line in enumerate(lines) if line[:1] in (" ", "\t")}
    at = min(at, len(lines))
    while at in folded:
        at += 1
    lines[at:at] = [place.replace("{}", SECRET) for place in places]
    found = redact_sip("\r\n".join(lines))
    assert SECRET not in found
    assert found.count(HIDDEN) >= len(places)


@given(raw_text.map(readable_lines), st.booleans())
def test_any_text_can_be_redacted_and_once_is_enough(text: str, numbers: bool) -> None:
    check_redacted(text, numbers=numbers)


@given(sip.anything, sip.anything, st.text("abcdef\"'&<>%\\ü", min_size=3, max_size=12))
def test_a_known_secret_is_hidden_in_any_text(before: str, behind: str, secret: str) -> None:
    assert secret not in redact_text(before + secret + behind, [secret]).replace(HIDDEN, "")
