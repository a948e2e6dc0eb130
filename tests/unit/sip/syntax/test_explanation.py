"""What the far end says about its own answer is read and kept short."""

from __future__ import annotations

import pytest

from app.model.signalling import LONGEST_TEXT, Explanation
from app.sip.syntax.explanation import explanation_of
from app.sip.syntax.gate import examine


def explained(*lines: str, start: str = "SIP/2.0 503 Service Unavailable", body: bytes = b"") -> Explanation:
    """What a message with these headers explains."""
    method = start.split()[0] if not start.startswith("SIP/") else "INVITE"
    head = [
        start,
        "Via: SIP/2.0/UDP h;branch=z9hG4bK1",
        "From: <sip:a@b>;tag=1",
        "To: <sip:c@d>;tag=2",
        "Call-ID: c",
        f"CSeq: 1 {method}",
        *lines,
    ]
    raw = "\r\n".join([*head, "", ""]).encode("utf-8", "surrogateescape") + body
    examined = examine(raw)
    assert examined.message is not None
    assert examined.head is not None
    return explanation_of(examined.message, examined.head)


def test_an_answer_that_says_nothing_explains_nothing() -> None:
    assert explained() == Explanation()


@pytest.mark.parametrize(
    ("value", "warnings"),
    [
        ('399 p.example "No such region"', ("399 No such region",)),
        ('370 h:5060 "a", 399 [::1]:5060 "b, c"', ("370 a", "399 b, c")),
        ('399 h "a \\"b\\" \\\\"', ('399 a "b" \\',)),
        ("399 h unquoted", ("399 h unquoted",)),
        ("not one", ("not one",)),
        ('399 h "refus\udce9"', ("399 refusé",)),
        ('399 h ""', ("399",)),
        ("", ()),
    ],
)
def test_warnings_are_read_as_code_and_text(value: str, warnings: tuple[str, ...]) -> None:
    assert explained(f"Warning: {value}").warnings == warnings


@pytest.mark.parametrize(
    ("value", "read"), [("3600", 3600), ("30 (busy)", 30), ("0", 0), ("soon", None), ("-1", None)]
)
def test_retry_after_is_read_in_seconds(value: str, read: int | None) -> None:
    assert explained(f"Retry-After: {value}").retry_after_s == read


def test_of_a_redirection_the_contacts_are_kept_whatever_their_scheme() -> None:
    contact = 'Contact: "B" <sip:+1@b.example:5070>;q=0.9, <tel:+49301>, <mailto:a@b>'
    found = explained(contact, "m: <sips:c@d>", start="SIP/2.0 302 Moved").contacts
    assert found == ("sip:+1@b.example:5070", "tel:+49301", "mailto:a@b", "sips:c@d")
    assert explained(contact).contacts == ()


@pytest.mark.parametrize(
    ("contact", "first"),
    [
        ("<sip:a@b>;q=0.1, <tel:+49301>;q=0.9", "tel:+49301"),
        ("<sip:a@b>;q=1.0, <tel:+49301>;q=0.9", "sip:a@b"),
        ("<sip:a@b>;q=0.5, <tel:+49301>;q=0.5", "sip:a@b"),
        ("<sip:a@b>;q=0.5, <tel:+49301>", "sip:a@b"),
        ("<sip:a@b>;q=much, <tel:+49301>;q=0.5", "sip:a@b"),
    ],
)
def test_of_a_redirection_the_contact_that_is_preferred_comes_first(contact: str, first: str) -> None:
    found = explained(f"Contact: {contact}", start="SIP/2.0 302 Moved").contacts
    assert (found[0], len(found)) == (first, 2)


def test_everything_else_is_kept_where_it_stands() -> None:
    found = explained(
        'Reason: Q.850;cause=41;text="Temporary, failure", SIP;cause=503',
        "Reason: X;cause=1",
        "Error-Info: <sip:no-such-route@a.example>, <https://a.example/e>",
        'Call-Info: <https://a.example/jcard>;purpose="jwscard"',
        "Unsupported: 100rel, timer",
        "Accept: application/sdp, text/*;q=0.5",
        "Allow: INVITE, ACK,BYE",
        "Server: Kamailio 5.7\x1b[31m",
    )
    assert found == Explanation(
        reasons=('Q.850;cause=41;text="Temporary, failure"', "SIP;cause=503", "X;cause=1"),
        error_info=("<sip:no-such-route@a.example>", "<https://a.example/e>"),
        call_info=('<https://a.example/jcard>;purpose="jwscard"',),
        unsupported=("100rel", "timer"),
        accepts=("application/sdp", "text/*"),
        allows=("INVITE", "ACK", "BYE"),
        server="Kamailio 5.7 [31m",
    )


@pytest.mark.parametrize(
    ("status", "required"),
    [("421 Extension Required", ("timer", "100rel")), ("420 Bad Extension", ()), ("200 OK", ())],
)
def test_what_a_421_requires_is_kept(status: str, required: tuple[str, ...]) -> None:
    assert explained("Require: timer, 100rel", start=f"SIP/2.0 {status}").requires == required


@pytest.mark.parametrize(
    ("lines", "least"),
    [
        (("Min-Expires: 1800",), 1800),
        (("Min-SE: 90",), 90),
        (("Min-SE: 90;x=1",), 90),
        (("Min-Expires: none",), None),
        (("Min-Expires: 60", "Min-SE: 90"), 60),
    ],
)
def test_the_shortest_time_that_is_accepted_is_read(lines: tuple[str, ...], least: int | None) -> None:
    assert explained(*lines).min_expires_s == least


def test_a_text_body_is_kept_and_no_other() -> None:
    text = "Guthaben\r\naufgebraucht, müssen Sie aufladen".encode()
    assert (
        explained("Content-Type: text/plain", body=text).text == "Guthaben aufgebraucht, müssen Sie aufladen"
    )
    assert explained("Content-Type: text/html", body=b"<p>no</p>").text == ""
    assert explained(body=b"no").text == ""


def test_a_long_text_in_another_alphabet_is_not_garbled() -> None:
    text = "Недостаточно средств на счёте. " * 100
    found = explained("Content-Type: text/plain; charset=utf-8", body=text.encode()).text
    assert found == text[: LONGEST_TEXT - 1] + "…"


def test_a_bye_explains_itself_too() -> None:
    found = explained("Reason: Q.850;cause=102", "User-Agent: PBX 1", start="BYE sip:a@b SIP/2.0")
    assert (found.reasons, found.server) == (("Q.850;cause=102",), "PBX 1")


def test_server_counts_more_than_user_agent() -> None:
    assert explained("User-Agent: ua", "Server: server").server == "server"


def test_of_many_values_five_are_kept_and_of_long_ones_the_beginning() -> None:
    many = ", ".join(f'399 h "{number}"' for number in range(50))
    assert explained(f"Warning: {many}").warnings == tuple(f"399 {number}" for number in range(5))
    assert len(explained(f"Reason: Q.850;text={'x' * 5000}").reasons[0]) == LONGEST_TEXT
    assert len(explained(f"Server: {'x' * 5000}").server) == 120
    assert len(explained(*(f"Reason: X;cause={n}" for n in range(20))).reasons) == 5


def test_a_message_that_did_not_pass_explains_what_it_can() -> None:
    examined = examine(
        b"SIP/2.0 403 Forbidden\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nCSeq: x\r\nRetry-After: 5\r\n"
        b'Warning: 399 h "no"\r\nReason: Q.850;cause=21\r\nServer: S\r\n\r\n'
    )
    assert examined.head is None
    assert examined.message is not None
    found = explanation_of(examined.message, None)
    assert (found.warnings, found.reasons, found.server) == (("399 no",), ("Q.850;cause=21",), "S")
    assert found.retry_after_s is None
