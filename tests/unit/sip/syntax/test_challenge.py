"""Challenges in every spelling, and digests against the vectors of the RFCs."""

from __future__ import annotations

import itertools

import pytest

from app.sip.syntax.address import MalformedError
from app.sip.syntax.challenge import (
    STRENGTH,
    Challenge,
    digest_response,
    parse_challenges,
    quoted,
    strongest,
)


def digest(**values: object) -> Challenge:
    """A digest challenge."""
    return Challenge(**{"scheme": "digest", "realm": "r", "nonce": "n", **values})  # type: ignore[arg-type]


# What is read


def test_a_whole_challenge_is_read() -> None:
    value = (
        'Digest realm="Office, \\"one\\"", domain="sip:a sip:b", nonce="a\\\\b", opaque="", stale=TRUE,'
        ' algorithm=SHA-256-sess, qop="auth,auth-int", userhash=true'
    )
    assert parse_challenges(value) == [
        Challenge(
            scheme="digest",
            realm='Office, "one"',
            nonce="a\\b",
            opaque="",
            algorithm="SHA-256-sess",
            algorithm_named=True,
            qop=("auth", "auth-int"),
            stale=True,
        )
    ]


def test_what_is_not_named_has_its_default() -> None:
    (challenge,) = parse_challenges('Digest realm="r", nonce="n"')
    assert challenge == Challenge(scheme="digest", realm="r", nonce="n")
    assert (challenge.algorithm, challenge.algorithm_named, challenge.opaque) == ("MD5", False, None)
    assert (challenge.qop, challenge.stale) == ((), False)


PARTS = ('realm="r"', 'nonce="n"', 'qop="auth"', "algorithm=MD5")


@pytest.mark.parametrize("order", list(itertools.permutations(PARTS)))
def test_order_does_not_matter(order: tuple[str, ...]) -> None:
    expected = [Challenge(scheme="digest", realm="r", nonce="n", qop=("auth",), algorithm_named=True)]
    for separator in (", ", ",", " , ", ",\t", " ", "\t", ",,", ", ,"):
        assert parse_challenges(f"Digest {separator.join(order)}") == expected, separator


@pytest.mark.parametrize("scheme", ["Digest", "digest", "DIGEST"])
@pytest.mark.parametrize("equals", ["=", " = ", "= ", "\t="])
def test_case_and_spaces_do_not_matter(scheme: str, equals: str) -> None:
    parts = ('REALM="R"', ' Nonce="n"', "QOP=AUTH", 'stale="True"', 'algorithm="md5"')
    value = f"{scheme}  " + ",".join(parts).replace("=", equals)
    (challenge,) = parse_challenges(value)
    assert (challenge.realm, challenge.nonce, challenge.qop) == ("R", "n", ("auth",))
    assert (challenge.stale, challenge.algorithm, challenge.hash_name) == (True, "md5", "MD5")


@pytest.mark.parametrize(
    ("realm", "read"),
    [
        ('"Entreprise \udce9t\udce9"', "Entreprise \udce9t\udce9"),
        ('"Bücher"', "Bücher"),
        ('"a=b, c"', "a=b, c"),
        ('"Digest realm=x"', "Digest realm=x"),
        ('""', ""),
        ("bare", "bare"),
        ("a.b:c/d", "a.b:c/d"),
        ('"*"', "*"),
        ('"\\a"', "a"),
    ],
)
def test_realms_are_read_as_they_are(realm: str, read: str) -> None:
    (challenge,) = parse_challenges(f'Digest realm={realm}, nonce="n"')
    assert (challenge.realm, challenge.nonce) == (read, "n")


def test_of_a_parameter_that_comes_twice_the_first_counts() -> None:
    (challenge,) = parse_challenges('Digest realm="one", realm="two", nonce="n"')
    assert challenge.realm == "one"


ONE = ('Digest realm="a", nonce="1"', [("digest", "a")])
OTHERS = [
    ('Basic realm="b"', [("basic", "b")]),
    ('BASIC realm=b, charset="UTF-8"', [("basic", "b")]),
    ("Negotiate", [("negotiate", "")]),
    ("Negotiate YIIJvwYGKwYBBQUCoIIJ==", [("negotiate", "")]),
    ('NTLM realm="SIP", targetname="x", version=4', [("ntlm", "SIP")]),
    ("NTLM TlRMTVNTUAACAAAA/+==", [("ntlm", "")]),
    ("NTLM /wAAAA", [("ntlm", "")]),
    ('Bearer authz_server="https://a.example/", scope="sip"', [("bearer", "")]),
    ('Kerberos realm="K", targetname="sip/x"', [("kerberos", "K")]),
    ('Digest realm="b", nonce="2", algorithm=SHA-256', [("digest", "b")]),
]


@pytest.mark.parametrize(("other", "found"), OTHERS)
@pytest.mark.parametrize("separator", [", ", ",", " , ", " "])
def test_several_in_one_header_are_told_apart(
    other: str, found: list[tuple[str, str]], separator: str
) -> None:
    text, first = ONE
    both = parse_challenges(text + separator + other)
    assert [(one.scheme, one.realm) for one in both] == first + found
    turned = parse_challenges(other + separator + text)
    assert [(one.scheme, one.realm) for one in turned] == found + first
    assert [one.nonce for one in turned][-1] == "1"


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ('realm="r", nonce="n"', "without a scheme"),
        ('="r"', "not a challenge"),
        ('Digest realm="r", "nonce"', "not a challenge"),
        ("<sip:a@b>", "not a challenge"),
        ('Digest realm="r", ;', "not a challenge"),
        ('Digest realm="r', "not a challenge"),
    ],
)
def test_what_is_not_a_challenge_is_refused(value: str, what: str) -> None:
    with pytest.raises(MalformedError, match=what):
        parse_challenges(value)


@pytest.mark.parametrize("value", ["", " ", ",", " , ,"])
def test_an_empty_header_has_none(value: str) -> None:
    assert parse_challenges(value) == []


# What can be answered


@pytest.mark.parametrize(
    ("challenge", "usable"),
    [
        (digest(), True),
        (digest(algorithm="md5"), True),
        (digest(algorithm="MD5-sess"), True),
        (digest(algorithm="SHA-256"), True),
        (digest(algorithm="sha-256-SESS"), True),
        (digest(algorithm="SHA-512-256"), True),
        (digest(algorithm="SHA-512-256-sess"), True),
        (digest(algorithm="SHA-512"), False),
        (digest(algorithm="SHA1"), False),
        (digest(algorithm="AKAv1-MD5"), False),
        (digest(algorithm="-sess"), False),
        (digest(algorithm="MD5-sess-sess"), False),
        (digest(qop=("auth",)), True),
        (digest(qop=("auth-int",)), True),
        (digest(qop=("auth-int", "auth")), True),
        (digest(qop=("auth-conf",)), False),
        (digest(qop=("auth-conf", "auth")), True),
        (digest(nonce=""), False),
        (digest(realm=""), True),
        (digest(scheme="basic"), False),
        (digest(scheme="negotiate"), False),
    ],
)
def test_only_a_digest_with_known_words_and_a_nonce_can_be_answered(
    challenge: Challenge, usable: bool
) -> None:
    assert challenge.usable is usable


def test_what_lacks_only_a_nonce_is_told_apart() -> None:
    assert digest(nonce="", qop=("auth",)).lacks_nonce
    assert not digest(qop=("auth",)).lacks_nonce
    assert not digest(nonce="", algorithm="SHA-1").lacks_nonce
    assert not digest(nonce="", scheme="basic").lacks_nonce


def test_every_strength_is_there_and_the_strongest_is_first() -> None:
    assert STRENGTH == ("SHA-512-256", "SHA-256", "MD5")


@pytest.mark.parametrize("order", list(itertools.permutations(("MD5", "SHA-256", "SHA-512-256", "SHA-1"))))
def test_the_strongest_that_can_be_answered_is_chosen_whatever_their_order(order: tuple[str, ...]) -> None:
    offered = [digest(algorithm=name, nonce=name) for name in order]
    for count in range(1, 5):
        known = [name for name in STRENGTH if name in order[:count]]
        chosen = strongest(offered[:count])
        assert (chosen.nonce if chosen else None) == (known[0] if known else None)


def test_of_two_that_are_equally_strong_the_first_is_chosen() -> None:
    first, second = digest(nonce="1"), digest(nonce="2", algorithm="MD5-sess")
    assert strongest([first, second]) is first
    assert strongest([digest(scheme="basic")]) is None
    assert strongest([]) is None


# Vectors

BOB_SDP = (
    "v=0\r\no=bob 2890844526 2890844526 IN IP4 media.biloxi.com\r\ns=-\r\nc=IN IP4 media.biloxi.com\r\n"
    "t=0 0\r\nm=audio 49170 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\nm=video 51372 RTP/AVP 31\r\n"
    "a=rtpmap:31 H261/90000\r\nm=video 53000 RTP/AVP 32\r\na=rtpmap:32 MPV/90000\r\n"
)


@pytest.mark.parametrize(
    ("algorithm", "qop", "response"),
    [
        ("MD5", "", "bf57e4e0d0bffc0fbaedce64d59add5e"),
        ("MD5", "auth", "89eb0059246c02b2f6ee02c7961d5ea3"),
        ("MD5-sess", "auth", "e4e4ea61d186d07a92c9e1f6919902e9"),
        ("MD5", "auth-int", "bdbeebb2da6adb6bca02599c2239e192"),
        ("MD5-sess", "auth-int", "91984da2d8663716e91554859c22ca70"),
    ],
)
def test_sip_examples_of_draft_smith_sipping_auth_examples(algorithm: str, qop: str, response: str) -> None:
    challenge = digest(realm="biloxi.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", algorithm=algorithm)
    answer = digest_response(
        challenge,
        user="bob",
        password="zanzibar",
        method="INVITE",
        uri="sip:bob@biloxi.com",
        body=BOB_SDP.encode(),
        nc="00000001",
        cnonce="0a4f113b",
        qop=qop,
    )
    assert answer == response


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_example_of_rfc_7616_section_3_9_1(algorithm: str, response: str) -> None:
    challenge = digest(
        realm="http-auth@example.org",
        nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        algorithm=algorithm,
    )
    answer = digest_response(
        challenge,
        user="Mufasa",
        password="Circle of Life",
        method="GET",
        uri="/dir/index.html",
        body=b"",
        nc="00000001",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        qop="auth",
    )
    assert answer == response


def test_example_of_rfc_7616_section_3_9_2_as_erratum_4897_puts_it_right() -> None:
    challenge = digest(
        realm="api@example.org",
        nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK",
        algorithm="SHA-512-256",
    )
    answer = digest_response(
        challenge,
        user="Jäsøn Doe",
        password="Secret, or not?",
        method="GET",
        uri="/doe.json",
        body=b"",
        nc="00000001",
        cnonce="NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v",
        qop="auth",
    )
    assert answer == "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"


def test_a_realm_that_is_not_utf_8_is_hashed_as_it_came() -> None:
    def response(realm: str) -> str:
        return digest_response(
            digest(realm=realm),
            user="u",
            password="p",
            method="REGISTER",
            uri="sip:x",
            body=b"",
            nc="",
            cnonce="",
            qop="",
        )

    # MD5 of u:<E9>:p in Latin-1, which is what a server of that kind has stored
    assert response("\udce9") != response("é")
    assert response("\udce9") == "87a33a42a80b9552105de412381134fc"


@pytest.mark.parametrize(
    ("text", "written"),
    [("a", '"a"'), ("", '""'), ('a"b', '"a\\"b"'), ("a\\", '"a\\\\"'), ("é, b", '"é, b"')],
)
def test_quotes_and_backslashes_are_escaped(text: str, written: str) -> None:
    assert quoted(text) == written
    (challenge,) = parse_challenges(f"Digest realm={written}")
    assert challenge.realm == text
