"""From the facts about a provider to what the carrier does."""

from __future__ import annotations

import itertools

import pytest

from app.errors import SettingError
from app.model.trunk import IdentityHeader, NumberFormat, Srtp, Transport
from app.providers import catalogue
from app.providers.schema import (
    Media,
    Method,
    Mistake,
    Numbers,
    Server,
    Signalling,
    SignInFacts,
    TransportFacts,
)
from app.sip.carrier.judge import (
    FORMS,
    Seen,
    judge_call,
    wrong_host,
)
from app.sip.carrier.profile import PLAYABLE, Profile, profile_named, profile_of
from app.sip.carrier.profile_facts import chosen, facts_of
from tests.carrier.providers import (
    BY_ADDRESS,
    CALLER,
    NAME,
    STRICT,
    TCP,
    TLS,
    UDP,
    UNKNOWN,
    code_of,
    provider,
    refusal,
)


def test_without_a_provider_nothing_is_played() -> None:
    assert profile_named("") is None


def test_a_way_to_sign_in_needs_a_provider() -> None:
    with pytest.raises(SettingError, match="needs a provider"):
        profile_named("", "address")


def test_an_unknown_provider_is_refused_with_near_ones() -> None:
    with pytest.raises(SettingError) as caught:
        profile_named("flowrout")
    assert "flowroute" in caught.value.do


# How customers sign in


def test_the_usual_way_is_the_first_and_others_can_be_chosen() -> None:
    assert profile_of(BY_ADDRESS).method is Method.REGISTER
    assert profile_of(BY_ADDRESS, "address").method is Method.ADDRESS


def test_a_way_that_the_provider_has_not_is_refused_with_those_it_has() -> None:
    with pytest.raises(SettingError) as caught:
        profile_of(STRICT, "register")
    assert "credentials" in caught.value.do
    assert caught.value.field == "method"


def test_a_way_that_a_trunk_can_not_have_is_never_played() -> None:
    facts = provider(Method.ACCEPT, Method.ADDRESS)
    assert profile_of(facts).method is Method.ADDRESS
    with pytest.raises(SettingError):
        profile_of(facts, "accept")


@pytest.mark.parametrize("method", PLAYABLE)
def test_where_no_way_is_known_all_can_be_played(method: Method) -> None:
    assert profile_of(UNKNOWN).method is Method.REGISTER
    assert profile_of(UNKNOWN, method).method is method


@pytest.mark.parametrize("method", PLAYABLE)
def test_registering_is_refused_where_nothing_registers(method: Method) -> None:
    answer = profile_of(provider(*PLAYABLE), method).answer(Mistake.REGISTER)
    if method is Method.REGISTER:
        assert answer is None
    else:
        assert answer is not None
        assert (answer.code, answer.known) == (405, False)


def test_a_code_that_is_documented_is_kept_and_another_one_is_called_the_carriers_choice() -> None:
    profile = profile_of(STRICT)
    known, own = profile.answer(Mistake.CALLER_ID), profile.answer(Mistake.REGISTER)
    assert known is not None
    assert own is not None
    assert (known.code, known.reason, chosen(known)) == (403, "Caller Invalid D35", "")
    assert chosen(own) == " (not documented, the demo carrier chooses 405)"


def test_a_wrong_password_is_refused_only_with_a_code_that_is_known() -> None:
    assert code_of(profile_of(STRICT).answer(Mistake.CREDENTIALS)) == 403
    vague = provider(Method.REGISTER, refusals=(refusal(Mistake.CREDENTIALS),))
    assert profile_of(vague).answer(Mistake.CREDENTIALS) is None


def test_calls_need_a_registration_only_where_that_is_known() -> None:
    assert code_of(profile_of(BY_ADDRESS).answer(Mistake.CALL)) == 603
    assert profile_of(provider(Method.REGISTER)).answer(Mistake.CALL) is None
    assert profile_of(STRICT).answer(Mistake.CALL) is None


def test_an_unknown_address_is_refused_with_403_where_no_code_is_known() -> None:
    answer = profile_of(provider(Method.ADDRESS)).answer(Mistake.CALL)
    assert answer is not None
    assert (answer.code, answer.known) == (403, False)


# Realm


@pytest.mark.parametrize(
    ("realm", "wanted"),
    [
        ("sip.example.com", "sip.example.com"),
        ("{host}", "us.example.net"),
        ("{trunk}.example.org", "my-company.example.org"),
        ("", ""),
    ],
)
def test_the_realm_is_the_providers(realm: str, wanted: str) -> None:
    facts = SignInFacts(method=Method.CREDENTIALS, user=NAME, password=NAME, realm=realm)
    profile = profile_of(provider(sign_ins=(facts,), questions=STRICT.questions))
    assert profile.realm_for("US.example.net") == wanted


# Transports


@pytest.mark.parametrize(
    ("offered", "played"),
    [
        ((UDP,), (Transport.UDP,)),
        ((TCP, UDP), (Transport.UDP, Transport.TCP)),
        ((TLS, TCP), (Transport.TCP, Transport.TLS)),
        ((TLS,), (Transport.TLS,)),
        ((), tuple(Transport)),
    ],
)
def test_it_listens_on_what_the_provider_offers(
    offered: tuple[TransportFacts, ...], played: tuple[Transport, ...]
) -> None:
    facts = provider(Method.REGISTER, signalling=Signalling(transports=offered))
    profile = profile_of(facts)
    assert profile.transports == played
    said = "\n".join(facts_of(facts, profile).plays)
    assert all((transport.upper() in said) == (transport in played) for transport in Transport)


def test_the_certificate_is_for_the_providers_hosts() -> None:
    facts = provider(
        sign_ins=(
            SignInFacts(method=Method.REGISTER, user=NAME, password=NAME, host="{trunk}.example.net"),
            SignInFacts(method=Method.ADDRESS, host="{trunk}"),
        ),
        questions=STRICT.questions,
        signalling=Signalling(
            servers=(
                Server(host="192.0.2.10"),
                Server(host="sip.{trunk}.example.org"),
                Server(host="192.0.2.10"),
            )
        ),
    )
    wanted = ("*.example.net", "my-company", "192.0.2.10", "sip.my-company.example.org")
    assert profile_of(facts).certificate_names == wanted
    assert profile_of(UNKNOWN).certificate_names == ()


# Host


@pytest.mark.parametrize("host", ["my-company.pstn.example.com", "A.B.PSTN.example.com"])
def test_a_host_of_the_providers_is_right(host: str) -> None:
    assert wrong_host(profile_of(STRICT), host) is None


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "pstn.example.com", "my-company.pstn.example.com.evil.example", "xpstn.example.com", ""],
)
def test_another_host_gets_no_answer_where_that_is_known(host: str) -> None:
    assert code_of(wrong_host(profile_of(STRICT), host)) == 0


def test_any_host_is_right_where_nothing_is_known_about_it() -> None:
    for host in ("127.0.0.1", "anything.example"):
        assert wrong_host(profile_of(BY_ADDRESS), host) is None


def test_a_host_that_only_the_customer_knows_is_any_name_but_no_address() -> None:
    facts = provider(
        Method.REGISTER,
        sign_ins=(SignInFacts(method=Method.REGISTER, user=NAME, password=NAME, host="{domain}"),),
        refusals=(refusal(Mistake.HOST),),
    )
    profile = profile_of(facts)
    assert wrong_host(profile, "customer.example") is None
    assert code_of(wrong_host(profile, "192.0.2.1")) == 404


def test_servers_for_another_way_to_sign_in_do_not_count() -> None:
    servers = (
        Server(host="reg.example.com", methods=(Method.REGISTER,)),
        Server(host="192.0.2.10", methods=(Method.ADDRESS,)),
    )
    facts = provider(
        Method.REGISTER,
        Method.ADDRESS,
        signalling=Signalling(servers=servers),
        refusals=(refusal(Mistake.HOST, 403),),
    )
    assert wrong_host(profile_of(facts, "address"), "192.0.2.10") is None
    assert code_of(wrong_host(profile_of(facts, "register"), "192.0.2.10")) == 403


# Caller ID


@pytest.mark.parametrize(
    ("callers", "right"),
    [
        (CALLER, True),
        ({IdentityHeader.P_ASSERTED_IDENTITY: "+15145550100", IdentityHeader.FROM: "office"}, True),
        ({IdentityHeader.FROM: "15145550100"}, False),
        ({IdentityHeader.REMOTE_PARTY_ID: "+15145550100", IdentityHeader.FROM: "office"}, False),
        ({}, False),
    ],
)
def test_the_caller_id_must_stand_in_one_of_the_headers_in_the_right_form(
    callers: dict[IdentityHeader, str], right: bool
) -> None:
    seen = Seen(number="+15145550199", callers=callers)
    assert code_of(judge_call(profile_of(STRICT), seen)) == (None if right else 403)


def test_any_caller_id_is_taken_where_no_refusal_is_known() -> None:
    facts = provider(Method.REGISTER, numbers=Numbers(caller_id=NumberFormat.E164_PLUS))
    assert judge_call(profile_of(facts), Seen(number="600")) is None


@pytest.mark.parametrize("form", NumberFormat)
def test_every_number_format_has_a_form(form: NumberFormat) -> None:
    assert FORMS[form]


# Sound


@pytest.mark.parametrize(
    ("codecs", "code"), [(("PCMA", "PCMU"), None), (("G729",), None), (("PCMU", "PCMA"), 488), (None, None)]
)
def test_the_first_codec_counts_where_that_is_known(codecs: tuple[str, ...] | None, code: int | None) -> None:
    seen = Seen(number="15145550199", codecs=codecs)
    assert code_of(judge_call(profile_of(BY_ADDRESS), seen)) == code


@pytest.mark.parametrize(("encrypted", "code"), [(False, 488), (True, None)])
def test_plain_sound_is_refused_where_encryption_is_a_must(encrypted: bool, code: int | None) -> None:
    facts = provider(Method.REGISTER, media=Media(srtp=Srtp.REQUIRE))
    seen = Seen(number="600", codecs=("PCMU",), encrypted=encrypted)
    assert code_of(judge_call(profile_of(facts), seen)) == code


# Words


def test_what_is_played_and_what_is_not_known_is_said() -> None:
    facts = facts_of(STRICT, profile_of(STRICT))
    said = "\n".join(facts.plays)
    for words in (
        "realm of its challenges is sip.example.com",
        "A registration is refused with 405",
        "405 Method Not Allowed (not documented, the demo carrier chooses 405)",
        "my-company.pstn.example.com gets no answer",
        "refused with 400 Bad Request",
        "refused with 403 Caller Invalid D35",
    ):
        assert words in said


def test_of_an_unknown_provider_everything_is_said_to_be_taken_as_it_comes() -> None:
    facts = facts_of(UNKNOWN, profile_of(UNKNOWN))
    said = "\n".join(facts.lenient)
    for words in ("sign in", "realm", "wrong password", "transports", "host", "called number", "caller ID"):
        assert words in said
    assert "refused" not in "\n".join(facts.plays)


def _catalogue() -> list[tuple[str, Profile]]:
    """Every provider in every way that it has, all of them where none is known."""
    found = []
    for one in catalogue.providers():
        offered = [facts.method for facts in one.sign_ins if facts.method in PLAYABLE] or PLAYABLE
        found += [(f"{one.id} by {method}", profile_of(one, method)) for method in offered]
    return found


def test_every_provider_can_be_played_in_every_way_it_has() -> None:
    profiles = _catalogue()
    assert {profile.provider for _, profile in profiles} == set(catalogue.IDS)
    for name, profile in profiles:
        facts = facts_of(catalogue.find(profile.provider), profile)
        for sentence in itertools.chain(facts.plays, facts.lenient):
            assert sentence.endswith("."), (name, sentence)
            assert "  " not in sentence, (name, sentence)
        if profile.host:
            assert wrong_host(profile, profile.host) is None, name
