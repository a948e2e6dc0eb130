"""Host, user and caller ID as people type and paste them: kept, put right, shared out or refused."""

from __future__ import annotations

import string

import msgspec
import pytest

from app.errors import SettingError
from app.model.settings import apply_settings, check_trunk
from app.model.trunk import SignIn, Transport
from tests.helpers.typed_settings import BLANK, OFFICE, mend, read, refusal

# Host


@pytest.mark.parametrize(
    "host",
    [
        "sip.example.com",
        "localhost",
        "PBX",
        "a-b.c-d.example",
        "192.0.2.10",
        "2001:db8::1",
        "::ffff:192.0.2.1",
        "4you.example",
        "xn--bcher-kva.example",
        "a" * 63 + ".example",
    ],
)
def test_a_host_is_kept_as_typed(host: str) -> None:
    assert read("host", host) == host


@pytest.mark.parametrize(
    ("typed", "host", "told"),
    [
        ("  sip.example.com\t", "sip.example.com", "Blanks"),
        ("\u200bsip.example.com\u202c", "sip.example.com", "Blanks"),
        ("sip:sip.example.com", "sip.example.com", '"sip:"'),
        ("SIP:sip.example.com", "sip.example.com", '"SIP:"'),
        ("sip://sip.example.com", "sip.example.com", '"sip://"'),
        ("<sip:sip.example.com;lr>", "sip.example.com", "brackets"),
        ("sip.example.com.", "sip.example.com", "dot"),
        ("[2001:db8::1]", "2001:db8::1", "brackets"),
        ("bücher.example", "xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("BÜCHER.example.", "xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("пример.рф", "xn--e1afmkfd.xn--p1ai", "xn--e1afmkfd.xn--p1ai"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah", "xn--r8jz45g.xn--zckzah"),
        ("\uff11\uff19\uff12.0.2.10", "192.0.2.10", "192.0.2.10"),
    ],
)
def test_a_host_is_put_right_and_that_is_told(typed: str, host: str, told: str) -> None:
    trunk, what = mend("host", typed)
    assert trunk.host == host
    assert told in what
    check_trunk(msgspec.structs.replace(trunk, name="x", sign_in=SignIn.ADDRESS))


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("sip .example.com", "blank"),
        ("sip\u00a0x.example.com", "blank"),
        ("sip..example.com", "dot too many"),
        (".example.com", "dot too many"),
        ("example.com..", "dot too many"),
        ("-sip.example.com", '"-"'),
        ("sip-.example.com", '"-"'),
        ("sip_1.example.com", '"_"'),
        ("sip.example.com/voip", '"/"'),
        ("https://portal.example.com", "web address"),
        ("alice@sip.example.com", "user in front"),
        ("sip.example.com;transport=tcp", "more than a host"),
        ("a" * 64 + ".example", "63"),
        (".".join(["a" * 60] * 4) + ".example.com", "253"),
        ("a" * 300, "300 characters"),
        ("192.0.2.256", "IP address"),
        ("192.0.2", "IP address"),
        ("192.000.002.010", "IP address"),
        ("...1", "IP address"),
        ("host.1x", "number"),
        ("1:2:3", "IPv6"),
        ("2001:db8::g", "IPv6"),
        ("[192.0.2.1]", "brackets"),
        ("[2001:db8::1", "brackets"),
        ("[2001:db8::1]5060", "brackets"),
        ("fe80::1%eth0", "zone"),
        ("sip.exam\u0440le.com", "Cyrillic"),
        ("sip.ex\u03b1mple.com", "Greek"),
        ("straße.example", "xn--"),
        ("sip.\u200bexample.com", "U+200B"),
        ("sip.example.com:0", '"0"'),
        ("sip.example.com:65536", '"65536"'),
        ("sip.example.com:", '""'),
        ("sip.example.com:\uff15\uff10\uff16\uff10", "port"),
        ("sip:", "no host"),
        ("<>", "no host"),
        ("sip.exa\x00mple.com", "U+0000"),
        ("sip.example\udcff.com", "not text"),
        ("\ue000.example", "xn--"),
    ],
)
def test_a_host_that_can_not_be_one_is_refused_with_its_reason(typed: str, told: str) -> None:
    assert told in str(refusal("host", typed))


def test_a_port_pasted_behind_the_host_moves_to_the_port() -> None:
    trunk, what = mend("host", "sip.example.com:5070")
    assert (trunk.host, trunk.port) == ("sip.example.com", 5070)
    assert "5070" in what
    trunk, _ = mend("host", "[2001:db8::1]:5070")
    assert (trunk.host, trunk.port) == ("2001:db8::1", 5070)


def test_a_port_pasted_behind_the_host_may_repeat_the_port_but_not_contradict_it() -> None:
    trunk, _ = apply_settings(BLANK, {"host": "sip.example.com:5070", "port": "5070"})
    assert trunk.port == 5070
    with pytest.raises(SettingError, match=r"port 5070 .* 5060"):
        apply_settings(BLANK, {"host": "sip.example.com:5070", "port": "5060"})


def test_sips_in_front_of_the_host_turns_on_tls_or_is_refused_where_another_transport_is_asked_for() -> None:
    trunk, what = mend("host", "sips:sip.example.com")
    assert (trunk.host, trunk.transport) == ("sip.example.com", Transport.TLS)
    assert "tls" in what
    trunk, _ = apply_settings(BLANK, {"host": "sips:sip.example.com", "transport": "tls"})
    assert trunk.transport is Transport.TLS
    with pytest.raises(SettingError, match="asks for TLS"):
        apply_settings(BLANK, {"host": "sips:sip.example.com", "transport": "udp"})
    trunk, _ = apply_settings(BLANK, {"proxy": "sips:sip.example.com"})
    assert (trunk.proxy, trunk.transport) == ("sip.example.com", Transport.TLS)
    trunk, _ = apply_settings(BLANK, {"user": "sips:alice@sip.example.com"})
    assert (trunk.user, trunk.host, trunk.transport) == ("alice", "sip.example.com", Transport.TLS)


# User and caller ID


@pytest.mark.parametrize("user", ["alice", "+4930123456", "a-_.!~*'()&=+$,;?/", "alice%40example", ""])
@pytest.mark.parametrize("key", ["user", "caller_id"])
def test_a_sip_user_is_kept_as_typed(key: str, user: str) -> None:
    assert read(key, user) == user


def test_every_ascii_character_is_either_allowed_in_a_user_by_rfc_3261_or_refused() -> None:
    allowed = set(string.ascii_letters + string.digits + "-_.!~*'()" + "&=+$,;?/")
    for char in map(chr, range(128)):
        if char in allowed:
            assert read("user", f"a{char}b") == f"a{char}b"
        else:
            refusal("user", f"a{char}b", OFFICE)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("al ice", "blank"),
        ('"alice"', "%22"),
        ("jürgen", '"ü"'),
        ("50%", "%25"),
        ("a#b", "%23"),
        ("@sip.example.com", "@"),
        ("alice@", "@"),
        ("alice@b@sip.example.com", "@"),
    ],
)
@pytest.mark.parametrize("key", ["user", "caller_id"])
def test_a_user_that_sip_does_not_allow_is_refused_with_its_reason(key: str, typed: str, told: str) -> None:
    assert told in str(refusal(key, typed, OFFICE))


@pytest.mark.parametrize("typed", ["+49 30 123-456", "+49 (0)30 123456"])
def test_separators_are_not_taken_off_a_user_because_it_must_be_the_providers_spelling(typed: str) -> None:
    assert "Write the number without them: +4930123456." in refusal("user", typed).do


@pytest.mark.parametrize(
    ("key", "typed"),
    [
        ("user", "alice:hunter2"),
        ("caller_id", "alice:hunter2"),
        *(
            (key, typed)
            for key in ("user", "caller_id", "host", "proxy")
            for typed in ("alice:hunter2@sip.example.com", "sip:alice:hunter2@b.example", "<sip:a:hunter2@b>")
        ),
    ],
)
def test_a_password_pasted_with_the_user_is_refused_and_not_shown(key: str, typed: str) -> None:
    error = refusal(key, typed, OFFICE)
    assert "hunter2" not in f"{error!r} {error} {error.do} {error.details}"


def test_a_host_pasted_behind_the_user_fills_an_empty_host() -> None:
    trunk, what = mend("user", "<sip:alice@sip.example.com:5070>")
    assert (trunk.user, trunk.host, trunk.port) == ("alice", "sip.example.com", 5070)
    assert "sip.example.com" in what


def test_a_host_pasted_behind_the_user_may_repeat_the_host_but_not_contradict_it() -> None:
    trunk, _ = mend("user", "alice@SIP.example.com", OFFICE)
    assert (trunk.user, trunk.host) == ("alice", "sip.example.com")
    error = refusal("user", "alice@other.example", OFFICE)
    assert "other.example" in error.what
    assert "sip.example.com" in error.what
    assert "auth_id" in error.do
