"""PJSIP is shown MD5 challenges, and the provider gets the real answers; credentials are sent once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import pytest

from app.model.signalling import ChallengeFacts
from app.sip.engine.edge.digest import INNER_PASSWORD, KEEP, Authenticator
from app.sip.engine.edge.transactions import Sent
from app.sip.syntax.gate import examine
from app.sip.syntax.head import Head
from app.sip.syntax.message import Message, parse, serialise
from tests.unit.sip.samples import response

USER, PASSWORD = "1001", "s3cret"
HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}


def challenged(*challenges: str, code: int = 401, method: str = "REGISTER") -> Head:
    """A 401 or 407 with a header for each challenge."""
    name = "WWW-Authenticate" if code == 401 else "Proxy-Authenticate"
    head = examine(response(f"{code} x", *(f"{name}: {text}" for text in challenges), method=method)).head
    assert head is not None
    return head


def digest(realm: str = "carrier", nonce: str = "n0nce", more: str = ', qop="auth"') -> str:
    """A challenge."""
    return f'Digest realm="{realm}", nonce="{nonce}"{more}'


class Signing:
    """An authenticator, and a stand-in for PJSIP that answers what it is shown."""

    def __init__(self, password: str = PASSWORD, realm: str = "*", user: str = USER) -> None:
        self.authenticator = Authenticator(user, password, realm)
        self.facts = ChallengeFacts()
        self.cseq = 0

    def ask(
        self,
        *challenges: str,
        nonces: Sequence[str] = (),
        call_id: str = "call-1",
        code: int = 401,
        method: str = "REGISTER",
    ) -> str:
        """A request that answers these of our nonces is challenged; what PJSIP is shown."""
        sent = Sent(method, 1, 0.0)
        sent.call_id, sent.nonces = call_id, tuple(nonces)
        shown, self.facts = self.authenticator.challenge(
            sent, challenged(*challenges, code=code, method=method)
        )
        return shown

    def send(
        self,
        *shown: str,
        header: str = "Authorization",
        method: str = "REGISTER",
        uri: str = "sip:sip.example.com",
        body: bytes = b"",
    ) -> tuple[Message, tuple[str, ...]]:
        """PJSIP answers what it was shown; the request as it goes out, and the nonces of ours in it."""
        self.cseq += 1
        lines = [f"{method} {uri} SIP/2.0", f"CSeq: {self.cseq} {method}"]
        lines += [f"{header}: {inner_answer(text)}" for text in shown]
        return self.authenticator.answer(parse("\r\n".join([*lines, "", ""]).encode() + body))

    def answered(self, challenge: str, **request: object) -> dict[str, str]:
        """The parameters of the answer to one challenge."""
        message, _ = self.send(self.ask(challenge), **request)  # type: ignore[arg-type]  # those of `send`
        return parameters(message.first("authorization"))


def inner_answer(shown: str) -> str:
    """What PJSIP writes for a challenge: its own user, its own password, its own digest."""
    given = parameters(shown)
    assert given["algorithm"] == "MD5"
    parts = [
        'username="edge"',
        f'realm="{given["realm"]}"',
        f'nonce="{given["nonce"]}"',
        'uri="sip:inside"',
        'response="0123456789abcdef0123456789abcdef"',
        "algorithm=MD5",
    ]
    if "qop" in given:
        parts += ['cnonce="c0ffee"', "qop=auth", "nc=00000001"]
    return f"Digest {', '.join(parts)}"


def parameters(value: str) -> dict[str, str]:
    """Those of a challenge or an answer, as a server would read them."""
    scheme, _, rest = value.partition(" ")
    assert scheme == "Digest"
    found: dict[str, str] = {}
    for name, quoted, bare in re.findall(r'([a-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^,\s]+))', rest):
        assert name not in found
        found[name] = re.sub(r"\\(.)", r"\1", quoted) if quoted else bare
    return found


def verifies(
    answer: dict[str, str],
    method: str = "REGISTER",
    body: bytes = b"",
    user: str = USER,
    password: str = PASSWORD,
) -> bool:
    """Whether an answer proves the password, computed apart from the app (RFC 7616 section 3.4)."""
    algorithm = answer.get("algorithm", "MD5").upper()
    name = HASHES[algorithm.removesuffix("-SESS")]

    def h(text: str) -> str:
        return hashlib.new(name, text.encode("utf-8", "surrogateescape")).hexdigest()

    ha1 = h(f"{user}:{answer['realm']}:{password}")
    if algorithm.endswith("-SESS"):
        ha1 = h(f"{ha1}:{answer['nonce']}:{answer['cnonce']}")
    a2 = f"{method}:{answer['uri']}"
    if answer.get("qop") == "auth-int":
        a2 += ":" + hashlib.new(name, body).hexdigest()
    if "qop" not in answer:
        return answer["response"] == h(f"{ha1}:{answer['nonce']}:{h(a2)}")
    middle = f"{answer['nonce']}:{answer['nc']}:{answer['cnonce']}:{answer['qop']}"
    return answer["response"] == h(f"{ha1}:{middle}:{h(a2)}")


# What PJSIP is shown


def test_pjsip_is_shown_nothing_of_the_real_challenge() -> None:
    shown = Signing().ask(
        digest("Entit\udce9", "secret nonce", ', opaque="o", algorithm=SHA-256, qop="auth-int"')
    )
    assert re.fullmatch(r'Digest realm="realm-1", nonce="nonce-1", algorithm=MD5, qop="auth"', shown), shown


def test_without_qop_it_is_shown_none() -> None:
    assert Signing().ask(digest(more="")) == 'Digest realm="realm-1", nonce="nonce-1", algorithm=MD5'


def test_a_nonce_that_was_too_old_is_shown_as_such() -> None:
    assert Signing().ask(digest(more=", stale=true")).endswith(", stale=true")


def test_each_realm_has_one_name_and_each_challenge_one_nonce() -> None:
    signing = Signing()
    shown = [parameters(signing.ask(digest(realm), call_id=str(n))) for n, realm in enumerate("aba")]
    assert [one["realm"] for one in shown] == ["realm-1", "realm-2", "realm-1"]
    assert len({one["nonce"] for one in shown}) == 3


def test_a_server_that_makes_up_realms_fills_no_memory() -> None:
    signing = Signing()
    realms = [
        parameters(signing.ask(digest(f"realm of {n}"), call_id=str(n)))["realm"] for n in range(3 * KEEP)
    ]
    assert len(set(realms)) == 3 * KEEP
    assert parameters(signing.ask(digest(f"realm of {2 * KEEP}")))["realm"] == realms[2 * KEEP]
    assert parameters(signing.ask(digest("realm of 0")))["realm"] != realms[0]


# What goes out


ALGORITHMS = [
    "",
    "MD5",
    "md5",
    "MD5-sess",
    "SHA-256",
    "SHA-256-sess",
    "sha-256",
    "SHA-512-256",
    "SHA-512-256-sess",
]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("qop", ["", "auth", "auth-int", "auth-int,auth", "auth, auth-int", "AUTH"])
@pytest.mark.parametrize("method", ["REGISTER", "INVITE"])
def test_the_digest_verifies(algorithm: str, qop: str, method: str) -> None:
    more = (f", algorithm={algorithm}" if algorithm else "") + (f', qop="{qop}"' if qop else "")
    body = b"v=0\r\no=- 1 1 IN IP4 \xe9\r\n"
    answer = Signing().answered(digest(more=more), method=method, uri="sip:600@h;x=1", body=body)
    assert verifies(answer, method, body)
    assert not verifies(answer, method, body, password="wrong")
    assert (answer["username"], answer["realm"], answer["nonce"], answer["uri"]) == (
        USER,
        "carrier",
        "n0nce",
        "sip:600@h;x=1",
    )
    assert answer.get("algorithm", "") == algorithm
    expected = "" if not qop else "auth-int" if qop == "auth-int" else "auth"
    assert answer.get("qop", "") == expected
    assert ("nc" in answer) is bool(qop)
    assert ("cnonce" in answer) is (bool(qop) or algorithm.endswith("-sess"))


@pytest.mark.parametrize(
    ("realm", "nonce", "opaque"),
    [
        ('Office, \\"one\\"', "a\\\\b", "o"),
        ("Entit\udce9", "n", ""),
        ("Bücher", "ü", "ö"),
        ("", "n", None),
        ("*", "n=", "="),
        ("a\\\\", "b, c", "d"),
    ],
)
def test_realm_nonce_and_opaque_come_back_as_they_were(realm: str, nonce: str, opaque: str | None) -> None:
    more = "" if opaque is None else f', opaque="{opaque}"'
    signing = Signing()
    message, _ = signing.send(signing.ask(digest(realm, nonce, more)))
    value = message.first("authorization")
    assert f'realm="{realm}"' in value
    assert f'nonce="{nonce}"' in value
    assert (f'opaque="{opaque}"' in value) is (opaque is not None)
    assert ("opaque" in value) is (opaque is not None)
    assert verifies(parameters(value))
    assert f'realm="{realm}"'.encode("utf-8", "surrogateescape") in serialise(message)


@pytest.mark.parametrize("user", ["a b", 'quo"te', "back\\slash", "büro", "1001@sip.example.com"])
def test_any_user_name_and_password_can_be_proved(user: str) -> None:
    signing = Signing(password='pä:ss\\ "word"', user=user)
    answer = signing.answered(digest())
    assert answer["username"] == user
    assert verifies(answer, user=user, password='pä:ss\\ "word"')


@pytest.mark.parametrize(("code", "header"), [(401, "Authorization"), (407, "Proxy-Authorization")])
def test_the_answer_stands_in_the_header_that_pjsip_chose(code: int, header: str) -> None:
    signing = Signing()
    message, nonces = signing.send(signing.ask(digest(), code=code), header=header)
    assert [one.line.partition(":")[0] for one in message.headers] == ["CSeq", header]
    assert verifies(parameters(message.first(header.lower())))
    assert nonces == ("nonce-1",)


def test_a_proxy_and_the_server_behind_it_are_both_answered() -> None:
    signing = Signing()
    proxy, server = signing.ask(digest("proxy", "p"), code=407), signing.ask(digest("server", "s"))
    message, nonces = signing.send(proxy, server)
    answers = [parameters(header.value) for header in message.named("authorization")]
    assert [(one["realm"], one["nonce"]) for one in answers] == [("proxy", "p"), ("server", "s")]
    assert all(verifies(one) for one in answers)
    assert nonces == ("nonce-1", "nonce-2")


@pytest.mark.parametrize("order", [("MD5", "SHA-256"), ("SHA-256", "MD5"), ("MD5", "SHA-512-256", "SHA-256")])
@pytest.mark.parametrize("one_header", [True, False])
def test_the_strongest_algorithm_is_answered(order: tuple[str, ...], one_header: bool) -> None:
    offers = [digest(nonce=name, more=f", algorithm={name}") for name in order]
    signing = Signing()
    message, _ = signing.send(signing.ask(*([", ".join(offers)] if one_header else offers)))
    answer = parameters(message.first("authorization"))
    strongest = "SHA-512-256" if "SHA-512-256" in order else "SHA-256"
    assert (answer["algorithm"], answer["nonce"]) == (strongest, strongest)
    assert verifies(answer)


def test_nothing_of_pjsips_own_answer_goes_out() -> None:
    signing = Signing()
    message, _ = signing.send(signing.ask(digest()))
    raw = serialise(message).decode()
    assert "0123456789abcdef" not in raw
    assert "sip:inside" not in raw
    assert f'"{INNER_PASSWORD}"' not in raw


def test_an_answer_to_a_challenge_that_is_not_known_any_more_does_not_go_out() -> None:
    signing = Signing()
    first = signing.ask(digest(nonce="0"), call_id="0")
    for number in range(KEEP):
        signing.ask(digest(nonce=str(number)), call_id=str(number))
    message, nonces = signing.send(first)
    assert (message.named("authorization"), nonces) == ([], ())
    forged, _ = signing.authenticator.answer(
        parse(b'REGISTER sip:h SIP/2.0\r\nAuthorization: Digest nonce="x"\r\nAuthorization: x\r\n\r\n')
    )
    assert forged.headers == ()


def test_a_request_without_credentials_stays_what_it_is() -> None:
    message = parse(b"REGISTER sip:h SIP/2.0\r\nX: y\r\n\r\n")
    assert Signing().authenticator.answer(message) == (message, ())


def test_a_repeat_of_an_answer_counts_its_nonce_up() -> None:
    signing = Signing()
    shown = signing.ask(digest())
    second = inner_answer(shown).replace("nc=00000001", "nc=00000002")
    message, _ = signing.authenticator.answer(
        parse(f"BYE sip:h SIP/2.0\r\nAuthorization: {second}\r\n\r\n".encode())
    )
    answer = parameters(message.first("authorization"))
    assert answer["nc"] == "00000002"
    assert verifies(answer, "BYE")


# When it must not be answered


@pytest.mark.parametrize(
    "challenge",
    [
        'Basic realm="carrier"',
        "Negotiate",
        'NTLM realm="carrier"',
        'Bearer realm="carrier"',
        digest(more=", algorithm=SHA-512"),
        digest(more=", algorithm=AKAv1-MD5"),
        digest(more=', qop="auth-conf"'),
        digest(nonce=""),
    ],
)
def test_what_can_not_be_answered_is_not_shown_and_said_to_be(challenge: str) -> None:
    signing = Signing()
    assert signing.ask(challenge) == ""
    assert (signing.facts.usable, signing.facts.answered) == (False, False)


def test_a_digest_beside_others_is_answered() -> None:
    signing = Signing()
    assert signing.ask('Basic realm="carrier"', "Negotiate", digest())
    assert signing.facts == ChallengeFacts(
        schemes=("basic", "negotiate", "digest"), algorithms=("MD5",), qop=("auth",), usable=True
    )


def test_without_a_password_nothing_is_answered() -> None:
    signing = Signing(password="")
    assert signing.ask(digest()) == ""
    assert signing.facts.usable


@pytest.mark.parametrize(
    ("wanted", "offered", "answered"),
    [
        ("*", "carrier", True),
        ("", "carrier", True),
        ("carrier", "carrier", True),
        ("Carrier", "cARRIER", True),
        ("carrier", "other", False),
        ("carrier", "carrier ", False),
        ("carrier", "", False),
    ],
)
def test_a_realm_that_the_settings_name_is_the_only_one_that_is_answered(
    wanted: str, offered: str, answered: bool
) -> None:
    assert bool(Signing(realm=wanted).ask(digest(offered))) is answered


def test_of_two_realms_the_one_that_the_settings_name_is_answered() -> None:
    signing = Signing(realm="carrier")
    strong = digest("other", "o", ", algorithm=SHA-256")
    message, _ = signing.send(signing.ask(strong, digest("carrier", "c")))
    assert parameters(message.first("authorization"))["nonce"] == "c"


@pytest.mark.parametrize(
    "again",
    [
        digest(nonce="m"),
        digest(nonce="n0nce"),
        digest(nonce="m", more=", stale=false"),
        digest(nonce="m", more=', stale="FALSE"'),
        digest(nonce="m", more=", algorithm=SHA-256"),
    ],
)
def test_credentials_that_were_rejected_are_not_sent_again(again: str) -> None:
    signing = Signing()
    _, nonces = signing.send(signing.ask(digest()))
    assert not signing.facts.answered
    assert signing.ask(again, nonces=nonces) == ""
    assert (signing.facts.answered, signing.facts.stale) == (True, 0)


def test_one_of_several_realms_may_reject() -> None:
    signing = Signing()
    shown = signing.ask(digest("proxy"), code=407), signing.ask(digest("carrier"))
    _, nonces = signing.send(*shown)
    assert signing.ask(digest("other", "x"), digest("carrier", "y"), nonces=nonces) == ""


def test_another_realm_rejects_nothing() -> None:
    signing = Signing()
    _, nonces = signing.send(signing.ask(digest("proxy"), code=407))
    assert signing.ask(digest("carrier"), nonces=nonces)
    assert signing.facts.answered


@pytest.mark.parametrize("flag", ["stale=true", "stale=TRUE", 'stale="true"', "stale = True"])
def test_a_nonce_that_was_too_old_is_answered_once_more_and_not_twice(flag: str) -> None:
    signing = Signing()
    _, nonces = signing.send(signing.ask(digest()))
    shown = signing.ask(digest(nonce="m", more=f", {flag}"), nonces=nonces)
    assert (bool(shown), signing.facts.stale, signing.facts.answered) == (True, 1, True)
    message, nonces = signing.send(shown)
    assert parameters(message.first("authorization"))["nonce"] == "m"
    for count in (2, 3):
        assert signing.ask(digest(nonce="o", more=f", {flag}"), nonces=nonces) == ""
        assert signing.facts.stale == count


def test_a_stale_nonce_and_then_a_challenge_is_a_rejection() -> None:
    signing = Signing()
    _, nonces = signing.send(signing.ask(digest()))
    _, nonces = signing.send(signing.ask(digest(nonce="m", more=", stale=true"), nonces=nonces))
    assert signing.ask(digest(nonce="o"), nonces=nonces) == ""
    assert signing.facts.stale == 0


def test_stale_is_counted_anew_for_the_next_refresh() -> None:
    signing = Signing()
    for _ in range(5):
        _, nonces = signing.send(signing.ask(digest()))
        _, nonces = signing.send(signing.ask(digest(nonce="m", more=", stale=true"), nonces=nonces))
        assert signing.facts.stale == 1
        assert nonces


def test_stale_is_counted_for_each_dialog_by_itself() -> None:
    signing = Signing()
    for call_id in map(str, range(3 * KEEP)):
        _, nonces = signing.send(signing.ask(digest(), call_id=call_id))
        assert signing.ask(digest(nonce="m", more=", stale=true"), nonces=nonces, call_id=call_id)
        assert signing.facts.stale == 1


def test_a_stale_flag_on_the_first_challenge_means_nothing() -> None:
    signing = Signing()
    for _ in range(3):
        assert signing.ask(digest(more=", stale=true"))
        assert signing.facts.stale == 0


def test_facts_say_that_nothing_but_the_nonce_is_missing() -> None:
    signing = Signing()
    without = digest(nonce="")
    for offered, missing in (((without,), True), ((without, digest()), False), (('Basic realm="x"',), False)):
        signing.ask(*offered)
        assert signing.facts.without_nonce is missing


def test_facts_are_plain_and_short() -> None:
    signing = Signing()
    signing.ask(digest(more=f', algorithm="\x1b[31m{"x" * 500}", qop="{"q" * 500}, \x07a"'))
    for text in (*signing.facts.schemes, *signing.facts.algorithms, *signing.facts.qop):
        assert len(text) <= 40
        assert text.isprintable()


def test_the_password_is_in_no_repr() -> None:
    assert PASSWORD not in repr(Signing().authenticator)
