"""The far end's own explanation is shown, and used: how long to wait, where to turn, what to set."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from app.checks.diagnosis import explain_call, explain_registration
from app.checks.facts import Facts
from app.checks.far_words import explanation_lines, other_host, other_number
from app.checks.wording import some, waiting_time
from app.model.finding import Finding
from app.model.outcome import CallOutcome, CallResult, Direction
from app.model.signalling import Explanation
from app.model.trunk import Trunk, Use
from tests.helpers.outcomes import TRUNK, everything, refused, unanswered

RESULTS = {486: CallResult.BUSY, 404: CallResult.NOT_FOUND, 403: CallResult.FORBIDDEN}


def outcome(code: int, **said: object) -> CallOutcome:
    result = RESULTS.get(code, CallResult.FAILED)
    return unanswered(result, code, "x", explanation=Explanation(**said))  # type: ignore[arg-type]  # by key


def call(code: int, trunk: Trunk = TRUNK, **said: object) -> Finding:
    return explain_call(outcome(code, **said), trunk)[0]


def registration(code: int, trunk: Trunk = TRUNK, **said: object) -> Finding:
    told = Explanation(**said)  # type: ignore[arg-type]  # by key
    return explain_registration(refused(code, "x", explanation=told), trunk)[0]


# How long to wait


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 seconds"),
        (1, "1 second"),
        (45, "45 seconds"),
        (60, "1 minute"),
        (90, "1 minute 30 seconds"),
        (120, "2 minutes"),
        (3600, "1 hour"),
        (5400, "1 hour 30 minutes"),
        (3661, "1 hour 1 minute"),
        (86_400, "1 day"),
        (31_536_000, "365 days"),
    ],
)
def test_a_time_to_wait_reads_as_people_say_it(seconds: int, words: str) -> None:
    assert waiting_time(seconds) == words


@pytest.mark.parametrize("code", [404, 408, 480, 486, 500, 503, 504, 600, 603])
def test_retry_after_sets_the_time_that_is_advised(code: int) -> None:
    finding = call(code, retry_after_s=3600)
    assert finding.do[0] == "Wait 1 hour before you try again: the server asks for that."
    for guess in ("Wait a minute", "in a few minutes", "Try again later", "in a minute"):
        assert not any(guess in step for step in finding.do)
    assert "Retry-After: 3600 s (1 hour)" in finding.evidence


@pytest.mark.parametrize("code", [403, 480, 486, 500, 503, 600])
def test_a_registration_waits_as_it_is_told(code: int) -> None:
    finding = registration(code, retry_after_s=90)
    assert finding.do[0] == "Wait 1 minute 30 seconds before you try again: the server asks for that."
    assert not any("15 minutes" in step or "few minutes" in step for step in finding.do)


@pytest.mark.parametrize("seconds", [None, 0, -5])
def test_without_a_time_to_wait_the_advice_is_the_usual_one(seconds: int | None) -> None:
    assert call(503, retry_after_s=seconds).do[0] == "Wait a minute and try again."
    assert not any("the server asks" in step for step in registration(503, retry_after_s=seconds).do)


def test_a_class_by_words_waits_too() -> None:
    said = Explanation(retry_after_s=60)
    busy = unanswered(CallResult.UNAVAILABLE, 503, "Channel limit exceeded", explanation=said)
    (finding,) = explain_call(busy, TRUNK)
    assert finding.id == "CAP"
    assert finding.do[0].startswith("Wait 1 minute before")
    assert not any("Wait until" in step for step in finding.do)


# Where it points to


@pytest.mark.parametrize(
    ("contacts", "number", "host"),
    [
        (("sip:+4930123456@other.example.test:5080;user=phone",), "+4930123456", "other.example.test:5080"),
        (("tel:+4930123456",), "+4930123456", ""),
        (("tel:+49-30-123456;phone-context=x",), "+49-30-123456", ""),
        (("<sip:1000@192.0.2.9>",), "1000", "192.0.2.9"),
        (("sip:442079460018@other.example.test",), "", "other.example.test"),
        (("sip:other.example.test",), "", "other.example.test"),
        (("sips:anna@[2001:db8::1]:5061",), "", "[2001:db8::1]:5061"),
        (("mailto:anna@example.test", "tel:+4930123456"), "+4930123456", ""),
        (("tel:112",), "", ""),
        (("sip:911@other.example.test",), "", "other.example.test"),
        (("http://example.test/",), "", ""),
        ((), "", ""),
    ],
)
def test_a_redirection_gives_a_number_to_dial_or_a_host(
    contacts: tuple[str, ...], number: str, host: str
) -> None:
    facts = Facts(outcome=outcome(302, contacts=contacts), trunk=replace(TRUNK, country="GB"))
    assert other_number(facts) == number
    assert other_host(facts) == host


def test_a_redirected_call_names_where_to() -> None:
    finding = call(302, contacts=("tel:+4930123456", "sip:+4930123457@other.example.test"))
    assert finding.meaning.endswith("It names tel:+4930123456 and sip:+4930123457@other.example.test.")
    assert finding.do[0] == "Dial +4930123456 instead, if that is whom you want to reach."
    assert finding.field == ""
    assert "It points to: tel:+4930123456" in finding.evidence
    assert "Dial" not in " ".join(call(302).do)
    assert call(301).field == "host"


def test_a_redirection_to_an_emergency_number_is_no_advice() -> None:
    finding = call(302, replace(TRUNK, country="GB"), contacts=("tel:999",))
    assert not any("Dial 999" in step for step in finding.do)


def test_a_redirected_registration_names_the_server() -> None:
    finding = registration(302, contacts=("sip:new.example.test:5080",))
    assert finding.causes[0] == "The server names sip:new.example.test:5080 as the place to sign in."
    assert finding.do[0] == "Set the host to new.example.test:5080, if your provider confirms it."
    hostile = registration(302, contacts=("sip:x y;z@<script>",))
    assert not any("script" in step for step in hostile.do)


# What to set


def test_a_minimum_is_the_number_to_set() -> None:
    finding = registration(423, min_expires_s=1800)
    assert finding.do[0] == "Set the registration time to 1800 seconds."
    assert finding.causes[0] == "The provider's minimum is 1800 seconds."
    assert registration(423).do[0] == "Raise the registration time, for example to 3600 seconds."
    assert not any("90000" in step for step in registration(423, min_expires_s=90_000).do)
    session = call(422, min_expires_s=3600)
    assert session.do[0] == "Set the session interval to 3600 seconds."


@pytest.mark.parametrize(
    ("code", "said", "trunk", "field", "step"),
    [
        (
            420,
            {"unsupported": ("timer",)},
            replace(TRUNK, session_timer=Use.REQUIRED),
            "session_timer",
            "Set session timers to supported instead of required.",
        ),
        (
            420,
            {"unsupported": ("100rel",)},
            replace(TRUNK, prack=Use.REQUIRED),
            "prack",
            "Set PRACK to supported instead of required.",
        ),
        (
            421,
            {"requires": ("timer",)},
            replace(TRUNK, session_timer=Use.OFF),
            "session_timer",
            "Switch session timers on.",
        ),
        (421, {"requires": ("100rel",)}, TRUNK, "prack", "Switch PRACK on."),
    ],
)
def test_an_extension_of_ours_leads_to_its_setting(
    code: int, said: dict[str, object], trunk: Trunk, field: str, step: str
) -> None:
    finding = call(code, trunk, **said)
    assert finding.do[0] == step
    assert "the extension" in finding.causes[1]
    assert finding.field == field


def test_a_missing_extension_is_named() -> None:
    finding = registration(420, unsupported=("path", "outbound"))
    assert finding.causes[0] == "The server does not know the extensions path and outbound."
    assert "codec" not in everything(finding)
    assert "Unsupported: path, outbound" in finding.evidence


def test_methods_and_contents_that_are_taken_are_named() -> None:
    finding = registration(405, allows=("OPTIONS", "INVITE"))
    assert finding.causes[0] == "The server accepts only OPTIONS and INVITE."
    assert finding.field == "sign_in"
    with_register = registration(405, allows=("OPTIONS", "register"))
    assert "accepts only" not in with_register.causes[0]
    media = call(415, accepts=("application/sdp",))
    assert media.causes[0] == "It accepts only these kinds of content: application/sdp."


@pytest.mark.parametrize(
    ("said", "who"),
    [
        ({"call_info": ("<https://block.example.net/complain.json>;purpose=jwscard",)}, "block.example.net"),
        ({"error_info": ("<sip:redress@analytics.example.com>",)}, "analytics.example.com"),
    ],
)
def test_a_blocked_call_names_who_blocked_it(said: dict[str, object], who: str) -> None:
    finding = call(608, **said)
    assert finding.causes[0] == f"{who} blocked the call."
    assert finding.do[0] == f"Ask {who} to stop blocking this caller ID."
    assert call(608).do[0] == "Use the contact that the network sent with the refusal."


def test_a_block_by_the_network_is_not_the_person_called() -> None:
    by_phrase = unanswered(CallResult.DECLINED, 603, "Network Blocked")
    (finding,) = explain_call(by_phrase, TRUNK)
    assert finding.causes[0] == "The network says that it blocked the call, and not the person called."
    by_reason = unanswered(
        CallResult.DECLINED,
        603,
        "Decline",
        reason_header='Q.850;cause=21;text="v=analytics1;url=https://x.example"',
    )
    causes = explain_call(by_reason, TRUNK)[0].causes
    assert "The network says that it blocked the call, and not the person called." in causes
    assert "The person called pressed reject." not in causes


@pytest.mark.parametrize(
    ("warning", "cause"),
    [
        ('305 sbc.example "Incompatible media format"', "none of the codecs"),
        ("302 sbc.example", "demand encryption"),
        ("370 sbc.example", "too little bandwidth"),
        ("301 sbc.example", "IPv4 or IPv6"),
    ],
)
def test_a_warning_code_comes_first_among_the_causes(warning: str, cause: str) -> None:
    finding = call(488, warnings=(warning,))
    assert cause in finding.causes[0]
    assert finding.evidence[2].startswith(f"Warning: {warning}")


def test_a_warning_in_words_alone_is_read_as_a_phrase() -> None:
    assert call(403, warnings=('399 sbc "Destination not allowed"',)).id == "DEST"
    assert call(403, text="Your account is suspended.").id == "ACCOUNT"
    assert registration(403, text="Too many failed attempts").id == "BLOCKED"
    said = Explanation(reasons=('SIP;cause=403;text="Insufficient funds"',))
    assert explain_call(unanswered(CallResult.FORBIDDEN, 403, "x", explanation=said), TRUNK)[0].id == "CREDIT"


def test_the_networks_cause_by_name_is_understood() -> None:
    (finding,) = explain_call(unanswered(CallResult.UNAVAILABLE, 503, "NORMAL_CIRCUIT_CONGESTION"), TRUNK)
    assert finding.id == "CALL-503"
    assert finding.causes[0] == "No line is free in the network."


# Evidence


def test_all_that_was_said_is_shown_on_one_line_each() -> None:
    lines = explanation_lines(
        Explanation(
            warnings=("399 no\r\nsuch\x1b[31m region",),
            retry_after_s=10,
            contacts=("sip:a@b",),
            error_info=("<https://e.example>",),
            call_info=("<https://c.example>",),
            unsupported=("path",),
            requires=("timer",),
            accepts=("application/sdp",),
            allows=("INVITE", "ACK"),
            min_expires_s=60,
            text="Hello\nyou",
            server="Box 1.0",
        )
    )
    assert lines == (
        "Warning: 399 no such [31m region",
        "Retry-After: 10 s (10 seconds)",
        "It points to: sip:a@b",
        "Error-Info: <https://e.example>",
        "Call-Info: <https://c.example>",
        "Unsupported: path",
        "Require: timer",
        "Accept: application/sdp",
        "Allow: INVITE, ACK",
        "Its minimum: 60 s",
        "It says: Hello you",
        "Its software: Box 1.0",
    )
    assert explanation_lines(Explanation()) == ()


def test_what_was_said_is_in_the_evidence_of_calls_and_registrations() -> None:
    assert "It says: Hello" in call(404, text="Hello").evidence
    assert "It says: Hello" in registration(404, text="Hello").evidence
    (missed,) = explain_call(outcome(486, text="Hello"), TRUNK, direction=Direction.IN)
    assert "It says: Hello" in missed.evidence


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ((), ""),
        (("a",), "a"),
        (("a", "b"), "a and b"),
        (("a", "b", "c"), "a, b and c"),
        (("a", "b", "c", "d", "e"), "a, b, c and 2 more"),
        (("a\n", "\x1b[0mb"), "a and [0mb"),
    ],
)
def test_some_of_several_texts(texts: tuple[str, ...], words: str) -> None:
    assert some(texts) == words


# Words outside the phrase


@pytest.mark.parametrize(
    ("reason", "said", "title"),
    [
        ("Forbidden", {"warnings": ("399 Account suspended",)}, "403 Forbidden (Account suspended)."),
        ("Forbidden", {"text": "Your account is suspended."}, "403 Forbidden (Your account is suspended)."),
        ("Account suspended", {"warnings": ("399 Account closed",)}, "403 Account suspended."),
        ("Forbidden", {"text": f"Account suspended {'x' * 300}"}, "x…)."),
    ],
)
def test_words_that_decide_stand_in_the_title(reason: str, said: dict[str, object], title: str) -> None:
    told = Explanation(**said)  # type: ignore[arg-type]  # by key
    called = explain_call(unanswered(CallResult.FORBIDDEN, 403, reason, explanation=told), TRUNK)[0]
    signed_in = explain_registration(refused(403, reason, explanation=told), TRUNK)[0]
    for finding in (called, signed_in):
        assert finding.id == "ACCOUNT"
        assert finding.title.endswith(title)
        assert len(finding.title) < 220


def test_words_that_decide_nothing_stay_out_of_the_title() -> None:
    assert "support" not in call(403, warnings=("399 Call our support",)).title


@pytest.mark.parametrize(
    ("contact", "port", "step"),
    [
        ("sip:b.example:5070", None, "Set the host to b.example:5070, if your provider confirms it."),
        ("sip:b.example:5070", 5070, "Set the host to b.example:5070, if your provider confirms it."),
        (
            "sip:b.example:5070",
            5060,
            "Set the host to b.example and the port to 5070, if your provider confirms it.",
        ),
        ("sip:b.example", 5060, "Set the host to b.example, if your provider confirms it."),
        ("sip:sip.example.test:5070", None, "Set the host to sip.example.test:5070"),
        (
            "sip:sip.example.test:5070",
            5060,
            "Set the host to sip.example.test and the port to 5070, if your provider confirms it.",
        ),
    ],
)
def test_a_redirection_to_another_port_is_advised_as_it_can_be_set(
    contact: str, port: int | None, step: str
) -> None:
    finding = registration(302, replace(TRUNK, port=port), contacts=(contact,))
    assert finding.do[0].startswith(step)
    assert sum("Set the host" in line for line in finding.do) == 1
