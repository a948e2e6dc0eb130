"""What a provider is known to refuse stands first among the causes, and leads to its field."""

from __future__ import annotations

import fnmatch
from typing import Any

import pytest
from msgspec.structs import replace

from app.checks import conditions, provider_hints, texts
from app.checks.facts import Facts
from app.checks.provider_hints import Refused
from app.model.finding import Finding, Verdict
from app.model.outcome import AnsweredBy, RegisterOutcome
from app.model.password import traits_of
from app.model.trunk import SignIn, Srtp, Transport, Trunk, TrunkState
from app.providers import catalogue
from app.providers.schema import Method, Mistake, Provider, Refusal, Trouble

TRUNK = Trunk(id="1" * 32, name="Office", host="sip.example.com", user="4711", provider="example")
FAILED = Finding(
    id="CALL-403", verdict=Verdict.FAIL, title="Refused.", causes=("General.",), do=("Look.",), field="host"
)
REAL = {provider_id: catalogue.find(provider_id) for provider_id in catalogue.IDS}
PASSED = Finding(id="CALL-OK", verdict=Verdict.PASS, title="Fine.")


def _refusal(mistake: Mistake, code: int | None, cause: str, reason: str = "") -> Refusal:
    return Refusal(
        mistake=mistake, code=code, reason=reason, symptom="It fails.", cause=cause, fix=f"Mend {cause}"
    )


@pytest.fixture(autouse=True)
def example(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = Provider(
        id="example",
        name="Example",
        countries=("CA",),
        summary="x",
        checked="2026-11",
        confidence="documented",  # type: ignore[arg-type]  # as in a file
        refusals=(
            _refusal(Mistake.CALLER_ID, 403, "caller ID", "D35"),
            _refusal(Mistake.DESTINATION, 400, "number"),
            _refusal(Mistake.PREFIX, 403, "prefix"),
            _refusal(Mistake.HOST, 0, "host name"),
            _refusal(Mistake.CREDENTIALS, None, "password"),
            _refusal(Mistake.REGISTER, 405, "registering"),
            _refusal(Mistake.SRTP, None, "encryption"),
        ),
    )
    monkeypatch.setattr(catalogue, "IDS", ("example",))
    monkeypatch.setattr(catalogue, "find", lambda _: provider)


def with_hints(
    findings: list[Finding],
    trunk: Trunk,
    *,
    reason: str = "",
    refused: Refused | None = None,
    password: str = "",
) -> tuple[Finding, ...]:
    """The findings with what is known about the provider."""
    outcome = RegisterOutcome(
        trunk="Office", state=TrunkState.REJECTED, password_traits=traits_of(password), had_password=True
    )
    facts = Facts(outcome=outcome, trunk=trunk)
    return provider_hints.with_hints(findings, facts, reason=reason, refused=refused)


def hint(
    code: int,
    reason: str = "",
    *,
    trunk: Trunk = TRUNK,
    by: AnsweredBy = AnsweredBy.NETWORK,
    registering: bool = False,
    finding: Finding = FAILED,
) -> Finding:
    return with_hints([finding], trunk, reason=reason, refused=Refused(code, by, registering))[0]


def test_the_documented_cause_comes_first_with_its_fix_and_field() -> None:
    found = hint(400)
    assert found.causes == ("Example: number", "General.")
    assert found.do == ("Mend number", "Look.")
    assert found.field == "number_format"


def test_the_providers_own_phrase_settles_which_it_is() -> None:
    found = hint(403, "Caller Origination Number is Invalid D35")
    assert found.causes[0] == "Example: caller ID"
    assert found.field == "caller_id"


def test_no_answer_is_what_the_network_did_not_say() -> None:
    silent = replace(FAILED, id="NET-NOANS")
    assert hint(408, by=AnsweredBy.LOCAL, finding=silent).causes[0] == "Example: host name"
    assert hint(408).causes == ("General.",)


@pytest.mark.parametrize("finding_id", ["TLS-CA", "DNS-NX", "NET-PROHIBITED", "SIP-UNREADABLE", "AUTH-ALGO"])
def test_a_provider_that_stays_silent_is_not_behind_an_end_whose_cause_is_known(finding_id: str) -> None:
    known = replace(FAILED, id=finding_id)
    assert hint(503, by=AnsweredBy.LOCAL, finding=known).causes == ("General.",)
    assert hint(401, finding=known).causes == ("General.",)


@pytest.mark.parametrize(
    ("finding_id", "first"),
    [
        ("CID", "Example: caller ID"),
        ("SRTP-NEEDED", "General."),
        ("DEST", "General."),
        ("CAP", "General."),
        ("ACCOUNT", "General."),
    ],
)
def test_words_that_say_what_it_is_rule_out_the_providers_other_refusals(finding_id: str, first: str) -> None:
    found = hint(403, finding=replace(FAILED, id=finding_id))
    assert found.causes[0] == first
    assert "Example: prefix" not in found.causes
    assert "Example: password" not in found.causes


def test_registering_has_its_own_mistakes() -> None:
    assert hint(405, registering=True).field == "sign_in"
    assert hint(405).causes == ("General.",)
    assert hint(401, registering=True).field == "password"


def test_what_the_trunk_can_not_have_done_is_not_said() -> None:
    without = Trunk(id="1" * 32, name="x", host="h.example", provider="example", sign_in=SignIn.ADDRESS)
    assert hint(401, trunk=without).causes == ("General.",)
    with_prefix = Trunk(
        id="1" * 32, name="x", host="h.example", user="1", provider="example", tech_prefix="12"
    )
    assert "Example: prefix" not in hint(403, trunk=with_prefix).causes
    assert "Example: prefix" in hint(403).causes


def test_calls_without_encryption_are_told_of_it_where_they_are_not_acceptable() -> None:
    assert hint(488).causes[0] == "Example: encryption"
    assert hint(488).field == "srtp"
    assert hint(480).causes == ("General.",)
    half = replace(TRUNK, srtp=Srtp.REQUIRE)
    assert hint(488, trunk=half).causes[0] == "Example: encryption"
    assert hint(488, trunk=replace(half, transport=Transport.TLS)).causes == ("General.",)


def test_a_success_and_another_provider_stay_as_they_are() -> None:
    assert hint(200, finding=PASSED) == PASSED
    other = Trunk(id="1" * 32, name="x", host="h.example", user="1", provider="gone")
    assert hint(400, trunk=other) == FAILED


# What else goes wrong at a provider


def _trouble(cause: str, *findings: str, **conditions: Any) -> Trouble:
    return Trouble(symptom="It fails.", cause=cause, fix=f"Mend {cause}", findings=findings, **conditions)


def _with(monkeypatch: pytest.MonkeyPatch, *troubles: Trouble) -> None:
    provider = replace(catalogue.find("example"), troubles=troubles)
    monkeypatch.setattr(catalogue, "find", lambda _: provider)


def _finding(finding_id: str, verdict: Verdict = Verdict.FAIL) -> Finding:
    return replace(FAILED, id=finding_id, verdict=verdict)


def test_a_trouble_stands_with_every_finding_it_can_be_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    _with(monkeypatch, _trouble("NAT", "RTP-*", field="public_address"), _trouble("nothing"))
    one_way, lost, fine = with_hints(
        [_finding("RTP-NONE-RX"), _finding("MEDIA-LOSS", Verdict.WARNING), PASSED], TRUNK
    )
    assert one_way.causes == ("Example: NAT", "General.")
    assert one_way.do == ("Mend NAT", "Look.")
    assert one_way.field == "public_address"
    assert lost.causes == ("General.",)
    assert fine == PASSED


def test_after_what_was_refused_here_and_before_what_fails_everywhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _with(monkeypatch, _trouble("fraud control", "CALL-403", field="channels"))
    found = hint(403, "Caller Origination Number is Invalid D35")
    refused = ("Example: caller ID", "Example: prefix", "Example: password")
    assert found.causes == (*refused, "Example: fraud control", "General.")
    assert found.field == "caller_id"


def test_the_trunks_own_settings_and_the_providers_words_make_it_sure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _with(
        monkeypatch,
        _trouble("old host", "CALL-*", host=r"^old\.", field="host"),
        _trouble("profile", "CALL-*", reason=r"\bD38\b"),
        _trouble("realm", "CALL-*", changed="realm", field="realm"),
    )
    assert hint(403).causes == ("Example: caller ID", "Example: prefix", "Example: password", "General.")
    old = replace(TRUNK, host="OLD.example.com")
    assert hint(403, trunk=old).causes[0] == "Example: old host"
    assert hint(403, trunk=old).field == "host"
    assert hint(403, "no profile, D38").causes[0] == "Example: profile"
    assert hint(403, "D381").causes[0] == "Example: caller ID"
    assert hint(403, trunk=replace(TRUNK, realm="x")).field == "realm"


def test_what_is_known_of_the_password_rules_a_trouble_in_and_out() -> None:
    trunk = replace(TRUNK, provider="voipms")
    provider = REAL["voipms"]
    wrong = [_finding("AUTH-LOOP")]

    def causes(password: str) -> str:
        return str(with_hints(wrong, trunk, password=password)[0].causes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "IDS", ("voipms",))
        patch.setattr(catalogue, "find", lambda _: provider)
        assert "A password with a #" in causes("ab#cd")
        assert "A password with a #" not in causes("abcd")


@pytest.mark.parametrize("provider_id", REAL)
def test_conditions_of_troubles_are_known(provider_id: str) -> None:
    for trouble in REAL[provider_id].troubles:
        assert not trouble.when or conditions.is_known(trouble.when), trouble.when


def test_only_of_those_who_sign_in_so(monkeypatch: pytest.MonkeyPatch) -> None:
    _with(monkeypatch, _trouble("address list", "CALL-403", methods=(Method.ADDRESS,)))
    by_address = replace(TRUNK, sign_in=SignIn.ADDRESS)
    assert "Example: address list" in hint(403, trunk=by_address).causes
    assert "Example: address list" not in hint(403).causes


def test_a_warning_has_it_last_unless_it_is_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = _finding("CALL-486", Verdict.WARNING)
    _with(
        monkeypatch,
        _trouble("no caller ID", "CALL-486", field="caller_id"),
        _trouble("limit", "CALL-486", reason="limit"),
    )
    found = hint(486, finding=busy)
    assert found.causes == ("General.", "Example: no caller ID")
    assert found.do == ("Look.", "Mend no caller ID")
    assert found.field == "host"
    assert hint(486, "limit reached", finding=busy).causes[0] == "Example: limit"


@pytest.mark.parametrize("provider_id", REAL)
def test_the_catalogue_names_findings_that_there_are(provider_id: str) -> None:
    codes = {f"{kind}-{code}" for kind in ("CALL", "REG") for code in range(400, 700)}
    known = {*texts.ids(), *codes}
    for trouble in REAL[provider_id].troubles:
        for pattern in trouble.findings:
            assert fnmatch.filter(known, pattern), f"{provider_id}: {pattern}"
