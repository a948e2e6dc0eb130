"""Advice in a finding is tried: what it names is there, what it sets is accepted, none is given in vain."""

from __future__ import annotations

import argparse
import itertools
import re
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from app.checks import conditions, texts
from app.checks.diagnosis import explain_call, explain_registration
from app.checks.facts import Facts
from app.checks.texts import Values, text_of
from app.cli.arguments import build_parser
from app.model.advice import Line, as_line
from app.model.finding import Finding, Verdict
from app.model.outcome import (
    AnsweredBy,
    CallOutcome,
    CallResult,
    Direction,
    HungUpBy,
    LocalCause,
    RegisterOutcome,
)
from app.model.setting_table import BY_KEY
from app.model.settings import apply_settings, as_text
from app.model.signalling import (
    Bindings,
    ChallengeFacts,
    DialogFacts,
    Explanation,
    Handling,
    MessageProblem,
    Purpose,
)
from app.model.trunk import SignIn, Srtp, Transport, Trunk, TrunkState, Use
from app.providers import catalogue
from app.sip import status
from tests.helpers.outcomes import TRUNK, answered, figures, refused, sent, unanswered, unreached

SAMPLE = {"least": "600", "other_host": "new.example.test"}
"""Values as advice that sets something gets them."""
BY_HAND = {
    "Set host and port exactly as the provider gives them.": "host",
    "Set the host to a single server of the provider instead of a name for several.": "host",
    "Set the host to {other_name} and the port to {other_port}, if your provider confirms it.": "host",
    "Enter the server name exactly as on your provider's sheet.": "host",
    "Enter the authentication user name if the provider's sheet has one.": "auth_id",
    "Enter the outbound proxy from the provider's sheet.": "proxy",
    "Enter the password.": "password",
    "Type the password again.": "password",
    "Type the password again, or copy it again from the provider's portal.": "password",
    "Set the caller ID to a number of the trunk.": "caller_id",
    "Set the caller ID to a number of the trunk, as the provider writes it.": "caller_id",
    "Set a caller ID that belongs to the trunk.": "caller_id",
    "Use a number of the trunk as the caller ID.": "caller_id",
    "Use one of the names in the certificate if your provider confirms it.": "host",
    "Set encryption of sound as the provider wants it.": "srtp",
}
"""Steps that name a setting, and leave its value to the person."""
ELSEWHERE = {
    "Switch SIP ALG off in the router.",
    "Switch secure trunking on in the provider's portal.",
    "Use the contact that the network sent with the refusal.",
    "Use one device only with this account.",
}
"""Steps that begin like a setting, and are about something else."""
SETTING = re.compile(
    r"(Set|Use|Leave (the|only)|Offer|Raise the reg|Require|Shorten|Put|Send (keys|key)|Stop with|Switch"
    r"|Try with|Try T|Enter|Type)\b"
)
OPTION = re.compile(r"`([^`]+)`")


def entries() -> Iterator[tuple[str, Line]]:
    """Every cause and step of every text, with the name of its entry."""
    for finding_id in texts.ids():
        text = text_of(finding_id)
        yield from ((finding_id, as_line(line)) for line in (*text.causes, *text.do))
    for code in status.codes():
        known = status.status(code)
        yield from ((f"SIP {code}", as_line(line)) for line in (*known.causes, *known.do))


def steps() -> Iterator[tuple[str, Line]]:
    """Every step of every text."""
    for finding_id in texts.ids():
        yield from ((finding_id, as_line(line)) for line in text_of(finding_id).do)
    for code in status.codes():
        yield from ((f"SIP {code}", as_line(line)) for line in status.status(code).do)


def test_every_setting_that_is_advised_is_accepted() -> None:
    tried = 0
    for name, line in steps():
        for setting in line.sets:
            key, _, value = setting.format_map(SAMPLE).partition("=")
            changed, mended = apply_settings(TRUNK, {key: value})
            assert not mended, f"{name}: {setting}"
            assert as_text(changed)[key] == value, f"{name}: {setting}"
            tried += 1
    assert tried > 60


def test_every_step_that_names_a_setting_says_what_to_set() -> None:
    named = [(name, line.text) for name, line in steps() if SETTING.match(line.text) and not line.sets]
    unknown = [(name, text) for name, text in named if text not in BY_HAND and text not in ELSEWHERE]
    assert unknown == []
    assert {text for _, text in named} == {*BY_HAND, *ELSEWHERE}
    assert set(BY_HAND.values()) <= {*BY_KEY, "password"}


def test_only_steps_set_something_and_only_causes_have_a_field() -> None:
    all_steps = [line for _, line in steps()]
    for name, line in entries():
        assert not (line.field and line.sets), name
        if line.sets:
            assert line in all_steps, name
        if line.field:
            assert line not in all_steps, name
            assert line.field in {*BY_KEY, "password"}, name


def test_every_field_that_a_finding_leads_to_is_one_that_there_is() -> None:
    fields = {text_of(finding_id).field for finding_id in texts.ids()}
    fields |= {status.status(code).field for code in status.codes()}
    assert fields <= {"", "password", *BY_KEY}
    for provider_id in catalogue.IDS:
        provider = catalogue.find(provider_id)
        assert {trouble.field for trouble in provider.troubles} <= {"", "password", *BY_KEY}, provider_id


def test_every_command_and_option_that_is_advised_is_understood() -> None:
    parser = build_parser()
    found = [command for _, line in entries() for command in OPTION.findall(line.text)]
    assert found
    for command in found:
        words = command.split()
        line = words[1:] if words[0] == "ringback" else ["call", "Office", "600", *words]
        assert isinstance(parser.parse_args(line), argparse.Namespace), command


# Conditions


def test_every_condition_is_used_and_every_one_used_is_known() -> None:
    used = {
        name.removeprefix("not ")
        for _, line in entries()
        for conditions_of in (line.when, line.unless)
        for name in ((conditions_of,) if isinstance(conditions_of, str) else conditions_of)
    }
    used |= {
        trouble.when
        for provider_id in catalogue.IDS
        for trouble in catalogue.find(provider_id).troubles
        if trouble.when
    }
    assert used == set(conditions.CONDITIONS)


def test_not_turns_a_condition_round_and_unless_leaves_the_order_alone() -> None:
    over_udp = Facts(outcome=unreached(LocalCause.NO_ANSWER), trunk=TRUNK)
    over_tls = replace(over_udp, trunk=replace(TRUNK, transport=Transport.TLS))
    assert conditions.holds("over-tls", over_tls)
    assert not conditions.holds("over-tls", over_udp)
    assert conditions.holds("not over-tls", over_udp)
    assert not conditions.holds("not over-tls", over_tls)
    both = Line(text="x", when=("over-tls", "over-stream"))
    assert conditions.applies(both, over_tls)
    assert not conditions.applies(both, over_udp)
    either = Line(text="x", unless=("over-tls", "srtp-off"))
    assert not conditions.applies(either, over_udp)
    assert not conditions.is_known("full-moon")
    assert conditions.is_known("not over-tls")


@pytest.mark.parametrize(
    ("setting", "changed"),
    [
        ("realm=*", False),
        ("realm=office", True),
        ("transport=tls", True),
        ("transport=udp", False),
        ("port=", False),
        ("expires=600", True),
        ("expires=999999", False),
        ("expires=", False),
        ("host=not a host", False),
        ("nothing=1", False),
    ],
)
def test_a_step_is_left_to_do_when_it_changes_something_that_can_be_set(setting: str, changed: bool) -> None:
    after = conditions.changes(setting, TRUNK)
    assert (after is not None) is changed
    assert after != TRUNK


# All outcomes together

TRUNKS = (
    TRUNK,
    replace(TRUNK, transport=Transport.TLS, session_timer=Use.OFF),
    replace(TRUNK, transport=Transport.TLS, srtp=Srtp.REQUIRE, sign_in=SignIn.CREDENTIALS),
    replace(
        TRUNK, transport=Transport.TCP, sign_in=SignIn.ADDRESS, session_timer=Use.REQUIRED, prack=Use.REQUIRED
    ),
    replace(
        TRUNK,
        codecs=("PCMU", "PCMA"),
        realm="office",
        auth_id="x",
        caller_id="",
        privacy=True,
        port=5099,
        keep_alive=0,
        expires=3600,
        country="US",
    ),
    replace(TRUNK, keep_alive=300, codecs=("GSM",), proxy="proxy.example.test", public_address="192.0.2.7"),
)
DAMAGED = MessageProblem(
    start="SIP/2.0 200 OK",
    header="Contact",
    line="Contact: *",
    what="is no address",
    handling=Handling.DROPPED,
)
SAID = Explanation(
    warnings=("305 x",),
    retry_after_s=60,
    contacts=("sip:4321@new.example.test",),
    unsupported=("timer", "100rel"),
    requires=("timer",),
    accepts=("application/sdp",),
    allows=("INVITE",),
    min_expires_s=600,
    call_info=("<https://block.example>",),
)
CHALLENGES = (
    None,
    ChallengeFacts(schemes=("digest",), algorithms=("MD5",), answered=True),
    ChallengeFacts(schemes=("digest",), algorithms=("MD5",), stale=2, answered=True),
    ChallengeFacts(schemes=("digest",), algorithms=("X",), usable=False),
    ChallengeFacts(schemes=("basic",), usable=False),
    ChallengeFacts(schemes=("digest",)),
)


def registrations() -> Iterator[RegisterOutcome]:
    """Outcomes of signing in, of every kind."""
    for cause, challenge in itertools.product(LocalCause, CHALLENGES):
        yield unreached(cause, challenge=challenge, challenges=int(challenge is not None))
    yield unreached(LocalCause.NO_ANSWER, problems=(DAMAGED,), altered=("Via",))
    yield unreached(LocalCause.CONNECTION_LOST, lost_after_s=70.0)
    for code, said in itertools.product((*range(300, 700, 3), *status.codes()), (Explanation(), SAID)):
        if code >= 300:
            yield refused(code, "x", explanation=said)
    for challenge in CHALLENGES:
        yield refused(401, "x", state=TrunkState.WRONG_CREDENTIALS, challenge=challenge, challenges=2)
    for ours_s in (None, 0, 20, 300):
        bindings = Bindings(asked_s=300, ours_s=ours_s, others=1, listed=True)
        yield refused(200, "OK", state=TrunkState.REGISTERED, expires_s=300, bindings=bindings)
    yield refused(0, "", answered_by=None)


def calls() -> Iterator[CallOutcome]:
    """Outcomes of calls, of every kind."""
    for code, said in itertools.product(status.codes(), (Explanation(), SAID)):
        if code >= 300:
            yield unanswered(CallResult.FAILED, code, "x", explanation=said)
    for cause, direction in itertools.product(LocalCause, ("", "inactive", "recvonly")):
        dialog = DialogFacts(answer_direction=direction, far_codecs=("pcmu",))
        local = {"answered_by": AnsweredBy.LOCAL, "local_cause": cause, "dialog": dialog}
        yield unanswered(CallResult.FAILED, 503, "x", **local)
        yield answered(None, **local)
        yield answered(figures(received=0), **local)
    for purpose, code in itertools.product(Purpose, (0, 405, 481)):
        dialog = DialogFacts(requests=(sent("X", purpose, code),), answer_repeats=code // 200)
        yield answered(figures(), dialog=dialog)
        yield answered(figures(sent=0), dialog=dialog)
    for phrase in ("Channel limit", "CPS", "No credit", "Caller ID", "Account suspended", "SRTP required"):
        yield unanswered(CallResult.FORBIDDEN, 403, phrase)
    for phrase in ("SRTP not supported", "Invalid number format", "Not registered", "IP blocked"):
        yield unanswered(CallResult.FORBIDDEN, 403, phrase)
    for phrase in ("IP not allowed", "Trial account", "Destination blocked", "Price too high"):
        yield unanswered(CallResult.FORBIDDEN, 403, phrase)
    yield unanswered(CallResult.NO_ANSWER, 487, "x", hung_up_by=HungUpBy.LIMIT, setup_ms=None)
    for reason in ("Q.850;cause=34", "RTP Timeout", "Session timer", "Credit exhausted", "Max call duration"):
        yield answered(figures(), hung_up_by=HungUpBy.THEM, reason_header=reason)


def lines_behind(finding: Finding) -> dict[str, Line]:
    """The steps of a finding's text, by what they read like without values."""
    return {line.text: line for line in map(as_line, text_of(finding.id).do) if "{" not in line.text}


def check(findings: tuple[Finding, ...], trunk: Trunk) -> Iterator[tuple[Finding, Trunk]]:
    """Looks at the findings of one outcome; gives each setting that one of them advises."""
    for finding in findings:
        assert finding.field in {"", "password", *BY_KEY}
        if finding.verdict not in (Verdict.FAIL, Verdict.WARNING):
            continue
        assert finding.causes, finding.id
        assert finding.do, finding.id
        assert len(set(finding.do)) == len(finding.do), finding.id
        for step in finding.do:
            line = lines_behind(finding).get(step)
            for setting in line.sets if line is not None else ():
                changed = conditions.changes(setting, trunk)
                assert changed is not None, f"{finding.id}: {step}"
                yield finding, changed


def test_no_outcome_gives_advice_in_vain_or_none() -> None:
    seen: set[str] = set()
    for trunk in TRUNKS:
        for outcome in registrations():
            found = explain_registration(outcome, trunk)
            for finding, changed in check(found, trunk):
                # Who follows the advice does not get it again
                again = explain_registration(outcome, changed)
                same = [other for other in again if other.id == finding.id]
                assert not same or set(same[0].do) != set(finding.do), finding.id
            seen |= {finding.id for finding in found}
        for call in calls():
            for direction in Direction:
                found = explain_call(call, trunk, direction=direction)
                for _ in check(found, trunk):
                    pass
                seen |= {finding.id for finding in found}
    assert len(seen) > 90


def test_every_trouble_keeps_a_cause_and_a_step_whatever_the_settings() -> None:
    codes = [code for code in status.codes() if code >= 300]
    every = [*texts.ids(), *(f"CALL-{code}" for code in codes)]
    outcomes = (unreached(LocalCause.NONE), refused(403, "x"), unanswered(CallResult.FAILED, 403, "x"))
    for finding_id, trunk, outcome in itertools.product(every, TRUNKS, outcomes):
        finding = texts.fill(finding_id, Values(), facts=Facts(outcome=outcome, trunk=trunk))
        if finding.verdict in (Verdict.FAIL, Verdict.WARNING):
            assert finding.causes, finding_id
            assert finding.do, finding_id


def test_a_sample_has_every_value_that_advice_sets() -> None:
    values = set(Values.__struct_fields__)
    for name, line in steps():
        for setting in line.sets:
            used = {part for part in values if f"{{{part}}}" in setting}
            assert used <= set(SAMPLE), name
