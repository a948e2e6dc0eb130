"""What a provider is known to refuse stands first among the causes, and leads to its field."""

from __future__ import annotations

import pytest

from app.checks.provider_hints import with_hints
from app.model.finding import Finding, Verdict
from app.model.outcome import AnsweredBy
from app.model.trunk import SignIn, Trunk
from app.providers import catalogue
from app.providers.schema import Mistake, Provider, Refusal

TRUNK = Trunk(id="1" * 32, name="Office", host="sip.example.com", user="4711", provider="example")
FAILED = Finding(
    id="CALL-403", verdict=Verdict.FAIL, title="Refused.", causes=("General.",), do=("Look.",), field="host"
)
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
        ),
    )
    monkeypatch.setattr(catalogue, "IDS", ("example",))
    monkeypatch.setattr(catalogue, "find", lambda _: provider)


def hint(
    code: int,
    reason: str = "",
    *,
    trunk: Trunk = TRUNK,
    by: AnsweredBy = AnsweredBy.NETWORK,
    registering: bool = False,
    finding: Finding = FAILED,
) -> Finding:
    return with_hints([finding], trunk, code=code, reason=reason, answered_by=by, registering=registering)[0]


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
    assert hint(408, by=AnsweredBy.LOCAL).causes[0] == "Example: host name"
    assert hint(408).causes == ("General.",)


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


def test_a_success_and_another_provider_stay_as_they_are() -> None:
    assert hint(200, finding=PASSED) == PASSED
    other = Trunk(id="1" * 32, name="x", host="h.example", user="1", provider="gone")
    assert hint(400, trunk=other) == FAILED
