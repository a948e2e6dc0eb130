"""URIs and addresses are read strictly: what is read can be written to another parser as it stands."""

from __future__ import annotations

import itertools

import pytest

from app.sip.syntax.address import (
    LONGEST_TAG,
    LONGEST_URI,
    Address,
    HostPort,
    MalformedError,
    Uri,
    bracketed,
    is_address,
    is_token,
    parse_address,
    parse_uri,
    read_params,
)

USERS = (
    "",
    "a@",
    "1001@",
    "+4930123@",
    "a;b=c@",
    "a:pw@",
    "a:@",
    "%22x%5C@",
    "*21#@",
    "a?b@",
    "a/b@",
    "x&=$,@",
)
HOSTS = (
    ("example.com", "example.com"),
    ("Example.COM.", "example.com."),
    ("a-b.c_d.example", "a-b.c_d.example"),
    ("_sip.example", "_sip.example"),
    ("192.0.2.1", "192.0.2.1"),
    ("[2001:DB8::1]", "2001:db8::1"),
    ("x" * 63, "x" * 63),
)
PORTS = (("", None), (":0", 0), (":1", 1), (":5060", 5060), (":65535", 65535), (":05060", 5060))
PARAMS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("", ()),
    (";lr", (("lr", ""),)),
    (";LR=on;x", (("lr", "on"), ("x", ""))),
    (";transport=TCP", (("transport", "TCP"),)),
    (";maddr=[::1];a=%20", (("maddr", "[::1]"), ("a", "%20"))),
)
HEADERS = (("", False), ("?", True), ("?a=b&c=%20d", True), ("?a=", True))


# URIs


@pytest.mark.parametrize("scheme", ["sip", "SIPS", "sIp"])
@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize(("host", "read_host"), HOSTS)
def test_every_combination_of_good_parts_is_read(scheme: str, user: str, host: str, read_host: str) -> None:
    for (port, read_port), (params, read_params_), (headers, has_headers) in itertools.product(
        PORTS, PARAMS, HEADERS
    ):
        text = f"{scheme}:{user}{host}{port}{params}{headers}"
        assert parse_uri(text) == Uri(
            text=text,
            scheme=scheme.lower(),
            user=user.partition("@")[0].partition(":")[0],
            host=read_host,
            port=read_port,
            params=read_params_,
            has_headers=has_headers,
        ), text


BAD_URIS = {
    "is not a URI": ("", "sip", "sip:", ":a@b", "1sip:a@b", "s ip:a@b", "<sip:a@b", "@", "//a"),
    "must be escaped": (
        "sip:a b@c",
        "sip:ä@b",
        "sip:a@bücher.example",
        "sip:a@b;x=\udce9",
        "sip:a\t@b",
        "sip:a\0@b",
        "sip:a\x7f@b",
        "tel:+49 30",
    ),
    "has a user part": (
        "sip:@b",
        "sip:a<b@c",
        'sip:"a"@b',
        "sip:a%2@b",
        "sip:a%zz@b",
        "sip:a:p<@b",
        "sip:a@b@c",
    ),
    "has a host that is neither": (
        "sip:a@",
        "sip:a@-b",
        "sip:a@b-",
        "sip:a@b..c",
        "sip:a@.b",
        "sip:a@b<c",
        "sip:a@" + "x" * 129,
        "sip:;lr",
        "sip:a@*",
    ),
    "has an IPv6 address without brackets": ("sip:a@2001:db8::1", "sip:::1;lr", "sip:a@::"),
    "has a host that is not an IPv6": (
        "sip:a@[b]",
        "sip:a@[192.0.2.1]",
        "sip:a@[]",
        "sip:a@[::1%25eth0]",
        "sip:[::::]",
    ),
    "has a host that can't be read": ("sip:a@[::1", "sip:a@[::1]x", "sip:a@[::1]5060"),
    "has a colon without a port": ("sip:a@b:", "sip:a@b:;lr"),
    "has a port": (
        "sip:a@b:x",
        "sip:a@b:65536",
        "sip:a@b:-1",
        "sip:a@b:5060:1",
        "sip:a@[::1]:x",
        "sip:b:123456",
        "sip:b:" + "0" * 100,
    ),
    "has a URI parameter": (
        "sip:a@b;",
        "sip:a@b;;lr",
        "sip:a@b;=x",
        "sip:a@b;x=",
        "sip:a@b;x=<",
        'sip:a@b;x="y"',
    ),
    "has headers in its URI": ("sip:a@b?x=<", 'sip:a@b?"', "sip:a@b?x=%"),
    "is longer than": ("sip:a@b;x=" + "y" * LONGEST_URI,),
}


@pytest.mark.parametrize(("what", "text"), [(what, text) for what, all_ in BAD_URIS.items() for text in all_])
def test_damaged_uris_are_refused_with_what_is_wrong(what: str, text: str) -> None:
    with pytest.raises(MalformedError, match=what):
        parse_uri(text)


def test_a_uri_of_the_longest_length_is_read() -> None:
    text = "sip:a@b;x=" + "y" * (LONGEST_URI - 10)
    assert parse_uri(text).text == text
    with pytest.raises(MalformedError, match="longer than"):
        parse_uri(text + "y")


@pytest.mark.parametrize(
    "text", ["tel:+49-30-123;phone-context=x", "mailto:a@b", "http://a/b?c", "urn:x:y", "h323:a"]
)
def test_of_other_schemes_only_the_scheme_is_read(text: str) -> None:
    uri = parse_uri(text)
    assert (uri.text, uri.scheme, uri.host, uri.user, uri.is_sip) == (
        text,
        text.partition(":")[0],
        "",
        "",
        False,
    )


def test_a_loose_router_is_one_whatever_its_lr_says() -> None:
    for params in (";lr", ";LR", ";lr=on", ";lr=off", ";x=1;lr", ";lr;ftag=1"):
        assert parse_uri(f"sip:p.example{params}").is_loose
    for params in ("", ";x=lr", ";lrx"):
        assert not parse_uri(f"sip:p.example{params}").is_loose


def test_values_of_parameters_are_compared_in_lower_case() -> None:
    uri = parse_uri("sip:a@b;Transport=TCP;x")
    assert (uri.param("transport"), uri.param("x"), uri.param("maddr")) == ("tcp", "", "")


# Hosts and tokens


def test_ipv6_addresses_are_written_in_brackets() -> None:
    assert [bracketed(host) for host in ("::1", "192.0.2.1", "b.example")] == [
        "[::1]",
        "192.0.2.1",
        "b.example",
    ]
    assert str(HostPort("2001:db8::1", 5061)) == "[2001:db8::1]:5061"
    assert str(HostPort("b.example", 1)) == "b.example:1"


@pytest.mark.parametrize(
    ("text", "four", "six"),
    [
        ("192.0.2.1", True, False),
        ("0.0.0.0", True, False),
        ("::", False, True),
        ("2001:db8::1", False, True),
        ("::ffff:192.0.2.1", False, True),
        ("fe80::1%eth0", False, False),
        ("192.0.2.1:5060", False, False),
        ("192.0.2.256", False, False),
        ("192.0.2", False, False),
        ("1", False, False),
        ("192.0.2.01", False, False),
        ("١٩٢.0.2.1", False, False),
        ("", False, False),
        ("b.example", False, False),
    ],
)
def test_an_address_is_one_of_its_version(text: str, four: bool, six: bool) -> None:
    assert (is_address(text), is_address(text, 6)) == (four, six)


def test_a_token_has_every_character_of_the_rfc_and_no_other() -> None:
    allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.!%*_+`'~"
    for number in range(0x180):
        assert is_token(chr(number)) is (chr(number) in allowed), hex(number)
    assert is_token("x" * LONGEST_TAG)
    assert not is_token("x" * (LONGEST_TAG + 1))
    assert not is_token("")
    assert not is_token("a\n")
    assert is_token("abc", 3)
    assert not is_token("abcd", 3)


# Addresses with names and parameters

GOOD_ADDRESSES = [
    ("<sip:a@b>", "", "sip:a@b", ()),
    ("  < sip:a@b >  ", "", "sip:a@b", ()),
    ("sip:a@b", "", "sip:a@b", ()),
    ("sip:a@b;tag=1", "", "sip:a@b", (("tag", "1"),)),
    ("sip:a@b ; tag = 1 ;x", "", "sip:a@b", (("tag", "1"), ("x", ""))),
    ("<sip:a@b;lr>;tag=1", "", "sip:a@b;lr", (("tag", "1"),)),
    ("<sip:a@b;tag=no>", "", "sip:a@b;tag=no", ()),
    ("Ann Lee <sip:a@b>", "Ann Lee", "sip:a@b", ()),
    ('"Lee, \\"Ann\\" \\\\ <x>" <sip:a@b>;TAG=1', 'Lee, "Ann" \\ <x>', "sip:a@b", (("tag", "1"),)),
    ('""<sip:a@b>', "", "sip:a@b", ()),
    ("Jos\udce9 <sip:a@b>", "Jos\udce9", "sip:a@b", ()),
    ('"Jörg" <sip:a@b>', "Jörg", "sip:a@b", ()),
    ('<sip:a@b>;x="a;b,c\\"d"', "", "sip:a@b", (("x", 'a;b,c"d'),)),
    ("<tel:+49-30>;q=0.5", "", "tel:+49-30", (("q", "0.5"),)),
    ("<sip:a@b?Subject=x>", "", "sip:a@b?Subject=x", ()),
    ("<sip:a@b> ;; tag=1;", "", "sip:a@b", (("tag", "1"),)),
    ("<sip:a@b>;tag=", "", "sip:a@b", (("tag", ""),)),
]


@pytest.mark.parametrize(("text", "display", "uri", "params"), GOOD_ADDRESSES)
def test_good_addresses_are_read(
    text: str, display: str, uri: str, params: tuple[tuple[str, str], ...]
) -> None:
    assert parse_address(text) == Address(display=display, uri=parse_uri(uri), params=params)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is not a URI"),
        ("*", "is not a URI"),
        ("<>", "is not a URI"),
        ("Ann Lee", "is not a URI"),
        ("<sip:a@b", "an angle bracket that is not closed"),
        ("a <sip:a@b", "an angle bracket that is not closed"),
        ('"Ann" sip:a@b', "a name in quotes and no address"),
        ('"Ann', "is not a URI"),
        ("<sip:a@b> x", "text after its address"),
        ("<sip:a@b>x=1", "text after its address"),
        ("sip:a@b?Subject=x", "needs angle brackets"),
        ("sip:a,b@c", "needs angle brackets"),
        ("<sip:a@b>;tag=1 2", "parameters that can't be read"),
        ("<sip:a@b>;=1", "parameters that can't be read"),
        ('<sip:a@b>;x="1"2', "parameters that can't be read"),
        ("<sip:a@b>;<", "parameters that can't be read"),
        ("<sip:a@[b]>", "not an IPv6 address"),
    ],
)
def test_damaged_addresses_are_refused_with_what_is_wrong(text: str, what: str) -> None:
    with pytest.raises(MalformedError, match=what):
        parse_address(text)


def test_a_missing_tag_is_empty_and_a_missing_parameter_none() -> None:
    address = parse_address("<sip:a@b>;expires=5;expires=6;x")
    assert (address.tag, address.param("expires"), address.param("x"), address.param("q")) == (
        "",
        "5",
        "",
        None,
    )
    assert parse_address("<sip:a@b>;Tag=Ab").tag == "Ab"


@pytest.mark.parametrize("gap", ["", " ", "\t", "  \t"])
def test_spaces_around_parameters_change_nothing(gap: str) -> None:
    text = f'{gap};{gap}a{gap}={gap}1{gap};{gap}b{gap};{gap}c{gap}={gap}"x y"{gap}'
    assert list(read_params(text)) == [("a", "1"), ("b", ""), ("c", "x y")]


def test_whatever_one_octet_is_changed_to_an_address_is_read_or_refused_and_nothing_else() -> None:
    whole = '"Ann" <sip:a:p@b.example:5060;lr?x=y>;tag=1;q="z"'
    for at in range(len(whole)):
        for number in (*range(0x80), 0xDC80, 0xDCFF, 0x2028):
            text = whole[:at] + chr(number) + whole[at + 1 :]
            try:
                uri = parse_address(text).uri
            except MalformedError:
                continue
            assert uri.text.isascii(), text
            assert uri.text.isprintable(), text
            assert not set(uri.text) & set('<>" '), text
