"""What the trace of one engine says about a request."""

from __future__ import annotations

import pytest

from app.sip.syntax.gate import examine
from app.sip.syntax.message import parse
from app.sip.trace import Challenge, Ledger, MessageHead, Progress, head_of, read_head

INVITE = (
    "INVITE sip:600@example.com SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK1\r\n"
    "From: <sip:1001@example.com>;tag=a\r\n"
    "To: <sip:600@example.com>\r\n"
    "Call-ID: one@192.0.2.7\r\n"
    "CSeq: 7 INVITE\r\n"
)


def response(code: int, phrase: str = "Phrase", *, cseq: int = 1, method: str = "INVITE", **more: str) -> str:
    """A response; `more` are Call-ID (`call_id`), `reason` and `body`."""
    lines = [
        f"SIP/2.0 {code} {phrase}",
        "Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK1",
        "From: <sip:1001@example.com>;tag=a",
        "To: <sip:600@example.com>;tag=b",
        f"Call-ID: {more.get('call_id', 'one')}",
        f"CSeq: {cseq} {method}",
    ]
    if "reason" in more:
        lines.append(f"Reason: {more['reason']}")
    return "\r\n".join([*lines, "", more.get("body", "")])


def request(method: str = "INVITE", *, cseq: int = 1, call_id: str = "one", reason: str = "") -> str:
    """A request."""
    lines = [f"{method} sip:600@example.com SIP/2.0", f"Call-ID: {call_id}", f"CSeq: {cseq} {method}"]
    if reason:
        lines.append(f"Reason: {reason}")
    return "\r\n".join([*lines, "", ""])


class Wire:
    """A ledger that is fed message by message, at times of our own."""

    def __init__(self) -> None:
        self.ledger = Ledger()

    def out(self, at: float, text: str) -> None:
        """We sent this."""
        self._note(at, text, outgoing=True)

    def back(self, at: float, text: str) -> None:
        """This came in."""
        self._note(at, text, outgoing=False)

    def _note(self, at: float, text: str, *, outgoing: bool) -> None:
        raw = text.encode()
        # As the edge does: of what comes in, the gate has read the challenges
        head = head_of(parse(raw), None if outgoing else examine(raw).head)
        assert head is not None
        self.ledger.note(head, at, outgoing=outgoing)

    def progress(self, method: str = "INVITE", call_id: str = "one") -> Progress:
        """What the ledger says."""
        return self.ledger.of(call_id, method)


# read_head


def test_a_request_has_a_method_and_no_code() -> None:
    head = read_head(INVITE + "\r\n")
    assert head is not None
    assert (head.code, head.phrase, head.method, head.cseq, head.call_id) == (
        0,
        "",
        "INVITE",
        7,
        "one@192.0.2.7",
    )
    assert (head.reason, head.has_sdp) == ("", False)


@pytest.mark.parametrize(
    ("line", "code", "phrase"),
    [
        ("SIP/2.0 200 OK", 200, "OK"),
        ("SIP/2.0 486 Busy Here", 486, "Busy Here"),
        ("SIP/2.0 200 ", 200, ""),
        ("SIP/2.0 200", 200, ""),
        ("SIP/2.0 404 Numéro inconnu  ", 404, "Numéro inconnu"),
        ("sip/2.0 180 Ringing", 180, "Ringing"),
    ],
)
def test_a_response_has_its_code_and_phrase(line: str, code: int, phrase: str) -> None:
    head = read_head(f"{line}\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n")
    assert head is not None
    assert (head.code, head.phrase) == (code, phrase)


@pytest.mark.parametrize(
    "name", ["Call-ID: x", "i: x", "I:x", "call-id : x", "CALL-ID:\tx", "Call-ID:\r\n x"]
)
@pytest.mark.parametrize("cseq", ["CSeq: 3 BYE", "cseq:3 BYE", "CSEQ :  3\tbye", "CSeq: 3\r\n\tBYE"])
def test_headers_are_read_compact_folded_and_in_any_case(name: str, cseq: str) -> None:
    head = read_head(f"BYE sip:x SIP/2.0\r\nVia: v\r\n{name}\r\n{cseq}\r\n\r\n")
    assert head is not None
    assert (head.call_id, head.cseq, head.method) == ("x", 3, "BYE")


@pytest.mark.parametrize("value", ['Q.850;cause=17;text="User busy"', "SIP;cause=200"])
def test_the_reason_header_is_read_whole(value: str) -> None:
    head = read_head(response(486, reason=value))
    assert head is not None
    assert head.reason == value


def test_a_folded_reason_header_is_read_to_its_end() -> None:
    head = read_head(response(486, reason='Q.850;\r\n  cause=17;\r\n\ttext="User busy"'))
    assert head is not None
    assert head.reason == 'Q.850; cause=17; text="User busy"'


@pytest.mark.parametrize(
    ("body", "has_sdp"),
    [
        ("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n", True),
        ("\r\nv=0\r\n", True),
        ("", False),
        ("Signal=5\r\n", False),
    ],
)
def test_a_body_counts_as_sdp_when_it_is_one(body: str, has_sdp: bool) -> None:
    head = read_head(response(183, body=f"\r\n{body}"))
    assert head is not None
    assert head.has_sdp is has_sdp


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\r\n\r\n",
        "\r\n",
        "\0",
        "hello",
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "SIP/2.0 200 OK\r\nCall-ID: x\r\n\r\n",
        "SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n",
        "SIP/2.0 200 OK\r\nCall-ID: x\r\nCSeq: one INVITE\r\n\r\n",
        "SIP/2.0 200 OK\r\nCall-ID: x\r\nX-CSeq: 1 INVITE\r\n\r\n",
        "SIP/2.0 200 OK\r\nCall-ID: x\r\nCSeq: " + "9" * 5000 + " INVITE\r\n\r\n",
        "SIP/2.0 200 OK\r\nCall-ID: x\r\n\r\nCSeq: 1 INVITE\r\n",
    ],
)
def test_what_is_no_sip_message_has_no_head(text: str) -> None:
    assert read_head(text) is None


def test_what_a_person_may_see_of_a_head_is_plain() -> None:
    asked = 'WWW-Authenticate: Digest realm="r\x1b[2J"\r\nReason: SIP;text="\x07\u202e"\r\nCSeq:'
    head = read_head(response(401, "No\x1b[31m").replace("CSeq:", asked))
    assert head is not None
    assert (head.phrase, head.reason) == ("No [31m", 'SIP;text=" "')
    assert head.challenges == (Challenge("r [2J", stale=False),)


# Progress and Ledger


def test_a_challenge_and_the_attempt_after_it_are_one_success() -> None:
    wire = Wire()
    wire.out(10.0, request("REGISTER"))
    wire.back(10.1, response(401, "Unauthorized", method="REGISTER"))
    wire.out(10.2, request("REGISTER", cseq=2))
    wire.back(10.5, response(200, "OK", cseq=2, method="REGISTER"))
    progress = wire.progress("REGISTER")
    assert (progress.code, progress.phrase) == (200, "OK")
    assert (progress.requests_sent, progress.challenges) == (2, 1)
    assert progress.round_trip_ms == pytest.approx(300)
    assert progress.first_sent == 10.0


def test_retransmissions_count_as_requests_and_do_not_move_the_clock() -> None:
    wire = Wire()
    for at in (1.0, 1.5, 2.5):
        wire.out(at, request("OPTIONS"))
    for at in (3.0, 3.2):
        wire.back(at, response(200, "OK", method="OPTIONS"))
    progress = wire.progress("OPTIONS")
    assert progress.requests_sent == 3
    assert progress.round_trip_ms == pytest.approx(2000)


def test_setup_time_ends_with_the_first_response_that_tells_something() -> None:
    wire = Wire()
    wire.out(1.0, request())
    wire.back(1.1, response(100))
    wire.back(1.2, response(407))
    wire.out(1.3, request("ACK"))
    wire.out(1.4, request(cseq=2))
    wire.back(1.5, response(100, cseq=2))
    assert wire.progress().setup_ms is None
    wire.back(2.0, response(180, cseq=2))
    wire.back(5.0, response(200, cseq=2))
    assert wire.progress().setup_ms == pytest.approx(1000)
    assert wire.progress().requests_sent == 2


@pytest.mark.parametrize("code", [180, 183, 200, 302, 404, 486, 503, 603])
def test_setup_time_is_that_of_any_18x_2xx_or_final(code: int) -> None:
    wire = Wire()
    wire.out(1.0, request())
    wire.back(1.25, response(code))
    assert wire.progress().setup_ms == pytest.approx(250)


def test_a_call_that_was_taken_back_has_no_setup_time_by_that() -> None:
    wire = Wire()
    wire.out(1.0, request())
    wire.back(1.1, response(100))
    wire.back(6.0, response(487))
    assert (wire.progress().code, wire.progress().setup_ms) == (487, None)


@pytest.mark.parametrize("code", [401, 407])
def test_a_challenge_alone_is_the_final_word_but_no_setup_time(code: int) -> None:
    wire = Wire()
    wire.out(1.0, request())
    wire.back(1.25, response(code))
    progress = wire.progress()
    assert (progress.code, progress.setup_ms, progress.challenges) == (code, None, 1)


def test_a_challenge_names_the_realms_that_it_takes_a_password_for() -> None:
    wire = Wire()
    wire.out(1.0, request())
    challenge = response(401).replace(
        "CSeq:",
        'WWW-Authenticate: Digest nonce="realm=\\"no", realm="Office, one", algorithm=MD5\r\n'
        'www-authenticate :\r\n  Digest realm="two"\r\nCSeq:',
    )
    wire.back(1.1, challenge)
    assert wire.progress().realms == ("Office, one", "two")
    wire.out(1.2, request(cseq=2))
    wire.back(1.3, response(403, cseq=2))
    assert wire.progress().realms == ("Office, one", "two")
    granted = read_head(response(200).replace("CSeq:", 'WWW-Authenticate: Digest realm="x"\r\nCSeq:'))
    assert granted
    assert granted.challenges == ()


def test_a_new_attempt_has_no_final_response_yet() -> None:
    wire = Wire()
    wire.out(1.0, request())
    wire.back(1.1, response(407, reason="SIP;cause=407"))
    wire.out(1.2, request(cseq=2))
    progress = wire.progress()
    assert (progress.code, progress.phrase, progress.reason, progress.round_trip_ms) == (0, "", "", None)


def test_a_late_copy_of_the_challenge_does_not_spoil_the_success() -> None:
    wire = Wire()
    wire.out(1.0, request())
    wire.back(1.1, response(407))
    wire.out(1.2, request(cseq=2))
    wire.back(1.3, response(407))
    assert (wire.progress().code, wire.progress().challenges) == (0, 1)
    wire.back(1.4, response(200, cseq=2))
    wire.back(1.5, response(407))
    progress = wire.progress()
    assert (progress.code, progress.challenges) == (200, 1)
    assert progress.round_trip_ms == pytest.approx(200)


def test_early_sdp_is_that_of_a_provisional_response() -> None:
    wire = Wire()
    wire.out(1.0, request())
    wire.back(1.1, response(180))
    assert wire.progress().provisional is True
    assert wire.progress().early_sdp is False
    wire.back(1.2, response(183, body="\r\nv=0\r\n"))
    wire.back(1.3, response(180))
    assert wire.progress().early_sdp is True


def test_sdp_in_the_answer_is_not_early() -> None:
    wire = Wire()
    wire.out(1.0, request())
    wire.back(1.1, response(200, body="\r\nv=0\r\n"))
    assert (wire.progress().early_sdp, wire.progress().provisional) == (False, False)


def test_two_dialogs_and_two_methods_are_kept_apart() -> None:
    wire = Wire()
    wire.out(1.0, request(call_id="one"))
    wire.out(1.0, request(call_id="two"))
    wire.out(1.5, request("BYE", call_id="one", cseq=2))
    wire.back(2.0, response(486, call_id="one"))
    wire.back(3.0, response(200, call_id="two"))
    wire.back(3.5, response(481, call_id="one", cseq=2, method="BYE"))
    codes = [
        wire.progress(method, i).code for method, i in (("INVITE", "one"), ("INVITE", "two"), ("BYE", "one"))
    ]
    assert codes == [486, 200, 481]


def test_what_comes_in_is_not_what_we_asked() -> None:
    wire = Wire()
    wire.back(1.0, request("INVITE"))
    wire.out(1.1, response(486))
    progress = wire.progress()
    assert (progress.requests_sent, progress.code) == (0, 0)


def test_the_bye_that_comes_in_gives_its_reason() -> None:
    wire = Wire()
    wire.back(1.0, request("BYE", reason="Q.850;cause=16"))
    wire.out(1.0, request("BYE", call_id="two", reason="Q.850;cause=31"))
    assert wire.ledger.bye_reason("one") == "Q.850;cause=16"
    assert wire.ledger.bye_reason("two") == ""


def test_byes_that_nobody_asked_for_do_not_pile_up() -> None:
    wire = Wire()
    for number in range(5_000):
        wire.back(1.0, request("BYE", call_id=str(number), reason=f"Q.850;cause={number % 127}"))
    kept = [number for number in range(5_000) if wire.ledger.bye_reason(str(number))]
    assert kept == list(range(4_936, 5_000))


def test_a_forgotten_dialog_stays_forgotten_when_a_late_response_comes() -> None:
    wire = Wire()
    for call_id in ("one", "two"):
        wire.out(1.0, request(call_id=call_id))
        wire.back(1.1, response(200, call_id=call_id))
        wire.back(1.2, request("BYE", call_id=call_id, reason="Q.850;cause=16"))
    wire.ledger.forget("one")
    wire.back(1.3, response(200, call_id="one"))
    assert wire.progress(call_id="one").answered_at is None
    assert wire.ledger.bye_reason("one") == ""
    assert wire.progress(call_id="two").code == 200
    assert wire.ledger.bye_reason("two") == "Q.850;cause=16"


def test_asked_for_anew_a_method_starts_from_nothing() -> None:
    wire = Wire()
    wire.out(1.0, request("REGISTER", call_id="reg"))
    wire.back(1.1, response(403, method="REGISTER", call_id="reg"))
    wire.out(1.2, request("INVITE"))
    wire.ledger.restart("REGISTER")
    assert wire.ledger.latest("REGISTER").requests_sent == 0
    assert wire.ledger.latest("INVITE").requests_sent == 1


def test_the_latest_is_the_dialog_that_sent_last() -> None:
    wire = Wire()
    wire.out(2.0, request("REGISTER", call_id="new"))
    wire.out(1.0, request("REGISTER", call_id="old"))
    wire.back(2.1, response(403, method="REGISTER", call_id="new"))
    wire.back(2.2, response(200, method="REGISTER", call_id="old"))
    assert wire.ledger.latest("REGISTER").code == 403


def test_a_clock_set_back_gives_no_negative_round_trip() -> None:
    wire = Wire()
    wire.out(5.0, request())
    wire.back(4.0, response(200))
    assert wire.progress().round_trip_ms is None
    assert wire.progress().setup_ms is None


def test_reasons_of_calls_that_nobody_knows_are_not_kept_for_ever() -> None:
    wire = Wire()
    for number in range(1000):
        wire.back(1.0, request("BYE", call_id=f"call-{number}", reason="Q.850;cause=16"))
    assert wire.ledger.bye_reason("call-0") == ""
    assert wire.ledger.bye_reason("call-999") == "Q.850;cause=16"


# head_of


def head(
    *lines: str, start: str = "SIP/2.0 401 Unauthorized", body: bytes = b"", call_id: str = ""
) -> MessageHead:
    """The head of a message that the gate has read."""
    whole = [
        start,
        "Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK1",
        "f: <sip:1001@example.com>;tag=a",
        "t: <sip:600@example.com>",
        "i: one",
        f"CSeq: 7 {'REGISTER' if start.startswith('SIP') else start.split()[0]}",
        *lines,
    ]
    raw = "\r\n".join([*whole, "", ""]).encode("utf-8", "surrogateescape") + body
    found = head_of(parse(raw), examine(raw).head, call_id)
    assert found is not None
    return found


def test_the_head_of_a_message_that_was_read_says_the_same_as_its_text() -> None:
    whole = INVITE + "Reason: Q.850;cause=16\r\n\r\nv=0\r\n"
    assert head_of(parse(whole.encode())) == read_head(whole)
    answer = response(486, "Busy Here", reason="SIP;cause=486", body="\r\nv=0\r\n")
    assert head_of(parse(answer.encode())) == read_head(answer)


def test_its_text_is_plain_whatever_the_far_end_wrote() -> None:
    found = head(
        'WWW-Authenticate: Digest realm="Entit\udce9\x1b", nonce="n", stale=true',
        "Reason: SIP;text=\udce9",
        "Reason: Q.850;cause=1",
        start="SIP/2.0 401 refus\udce9\x07",
    )
    assert found.challenges == (Challenge("Entité", stale=True),)
    assert (found.phrase, found.reason) == ("refusé", "SIP;text=é, Q.850;cause=1")


def test_a_method_is_plain_text_too() -> None:
    found = head_of(parse(b"SIP/2.0 200 OK\r\nCall-ID: x\r\nCSeq: 1 INV\xe9\x07" + b"x" * 500 + b"\r\n\r\n"))
    assert found is not None
    assert found.method.startswith("INVÉ X")
    assert len(found.method) == 32


def test_the_call_id_can_be_that_of_the_stack() -> None:
    assert head().call_id == "one"
    assert head(call_id="other").call_id == "other"


def test_a_request_has_neither_code_nor_phrase() -> None:
    found = head(start="BYE sip:1001@example.com SIP/2.0", body=b"v=0\r\n")
    assert (found.code, found.phrase, found.method, found.cseq, found.has_sdp) == (0, "", "BYE", 7, True)


@pytest.mark.parametrize(
    "lines",
    [
        ("CSeq: 1 INVITE",),
        ("Call-ID: x",),
        ("Call-ID: x", "CSeq: x INVITE"),
        ("Call-ID: x", f"CSeq: {'9' * 5000} INVITE"),
        ("Call-ID:", "CSeq: 1 INVITE"),
    ],
)
def test_without_call_id_or_cseq_there_is_no_head(lines: tuple[str, ...]) -> None:
    assert head_of(parse("\r\n".join(["SIP/2.0 200 OK", *lines, "", ""]).encode())) is None
