"""A provider whose customers switch encryption on: what the carrier makes of calls without it then."""

from __future__ import annotations

import pytest

from app.errors import SettingError
from app.model.trunk import Srtp, Transport
from app.providers.schema import Choice, Field, Media, Method, Mistake, Page, Provider, Question, Refusal
from app.sip.carrier.judge import Seen, judge_call
from app.sip.carrier.profile import profile_named, profile_of
from app.sip.carrier.profile_facts import facts_of
from tests.carrier.providers import provider, refusal


def with_switch(*refusals: Refusal, method: Method = Method.REGISTER, **sets: str) -> Provider:
    """A provider with a switch that is called Private Calls."""
    choices = (
        Choice(value="no", label="Off"),
        Choice(value="yes", label="On", sets={"srtp": "require", **sets}),
    )
    switch = Question(
        key="private",
        page=Page.SERVER,
        field=Field(label="Private Calls"),
        methods=(method,),
        choices=choices,
    )
    return provider(Method.REGISTER, questions=(switch,), media=Media(srtp=Srtp.OFF), refusals=refusals)


REFUSES = refusal(Mistake.SRTP, cause="Private Calls is on.")


@pytest.mark.parametrize(
    ("transport", "encrypted", "tls", "code"),
    [
        ("tls", True, True, None),
        ("tls", True, False, 488),
        ("tls", False, True, 488),
        ("", True, False, None),
        ("", False, True, 488),
    ],
)
def test_a_call_without_what_the_switch_asks_for_is_refused(
    transport: str, encrypted: bool, tls: bool, code: int | None
) -> None:
    facts = with_switch(REFUSES, **({"transport": transport} if transport else {}))
    seen = Seen(number="600", codecs=("PCMU",), encrypted=encrypted, tls=tls)
    answer = judge_call(profile_of(facts, encrypted=True), seen)
    assert (answer.code if answer else None) == code
    assert judge_call(profile_of(facts), seen) is None


def test_without_an_offer_only_the_transport_counts() -> None:
    profile = profile_of(with_switch(REFUSES, transport="tls"), encrypted=True)
    assert judge_call(profile, Seen(number="600", tls=True)) is None
    assert judge_call(profile, Seen(number="600")) is not None


def test_where_nothing_is_known_of_a_refusal_plain_calls_are_taken_and_that_is_said() -> None:
    facts = with_switch(transport="tls")
    profile = profile_of(facts, encrypted=True)
    assert judge_call(profile, Seen(number="600", codecs=("PCMU",))) is None
    assert profile.srtp is Srtp.OFFER
    said = facts_of(facts, profile)
    assert "Private Calls is switched on for its customer." in said.plays
    assert any("Private Calls" in line and "not known" in line for line in said.lenient)


def test_what_is_refused_is_said() -> None:
    facts = with_switch(REFUSES, transport="tls")
    on, off = (facts_of(facts, profile_of(facts, encrypted=encrypted)) for encrypted in (True, False))
    assert any(line.startswith("A call without TLS or without encrypted sound") for line in on.plays)
    assert any(line.startswith("Sound: SRTP only.") for line in on.plays)
    assert not any("Private Calls" in line for line in (*on.lenient, *off.plays, *off.lenient))


@pytest.mark.parametrize("facts", [provider(Method.REGISTER), with_switch(method=Method.ADDRESS)])
def test_a_provider_without_a_switch_is_refused(facts: Provider) -> None:
    with pytest.raises(SettingError) as caught:
        profile_of(facts, encrypted=True)
    assert caught.value.field == "encrypted"


def test_a_switch_needs_a_provider() -> None:
    with pytest.raises(SettingError, match="needs a provider"):
        profile_named("", encrypted=True)


def test_the_switches_of_the_catalogue_are_found() -> None:
    twilio = profile_named("twilio", encrypted=True)
    assert twilio is not None
    assert (twilio.switch, twilio.needs_tls, twilio.srtp) == ("Secure Trunking", True, Srtp.REQUIRE)
    assert Transport.UDP in twilio.transports
    voipms = profile_named("voipms", encrypted=True)
    assert voipms is not None
    assert (voipms.switch, voipms.answer(Mistake.SRTP)) == ("Encrypted SIP Traffic", None)
