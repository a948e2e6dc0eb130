"""The carrier while it plays a provider, seen by a phone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

import pytest
from aiosipua import SipResponse, parse_auth

from app.errors import SettingError
from app.model.trunk import NumberFormat
from app.providers.schema import (
    Field,
    Method,
    Mistake,
    Numbers,
    Page,
    Provider,
    Question,
    Signalling,
    SignInFacts,
)
from app.sip.carrier.digest import REALM
from app.sip.carrier.messages import CarrierOptions
from app.sip.carrier.profile import profile_of
from app.sip.carrier.profile_facts import facts_of
from app.sip.carrier.server import Carrier
from tests.carrier.ear import sdp
from tests.carrier.phone import ACCOUNTS, FAST, HOST, Call, Phone, until
from tests.carrier.providers import BY_ADDRESS, NAME, STRICT, TCP, UDP, provider, refusal

DOMAIN = "my-company.pstn.example.com"
CALLER = "+15145550100"
RIGHT = "+15145550199"

Work = Callable[[Carrier, Phone], Awaitable[None]]


def play(
    facts: Provider,
    work: Work,
    *,
    method: str = "",
    known_address: bool = True,
    notes: list[str] | None = None,
    auth_users: dict[str, str] | None = None,
) -> None:
    """Run `work` with a phone that does everything right, at a carrier that plays this provider."""

    async def test() -> None:
        async with (
            Carrier(
                accounts=ACCOUNTS,
                auth_users=auth_users,
                options=CarrierOptions(timing=FAST, known_address=known_address),
                profile=profile_of(facts, method),
                note=(notes if notes is not None else []).append,
            ) as carrier,
            await Phone.open(carrier.udp_port) as phone,
        ):
            phone.domain, phone.caller = DOMAIN, CALLER
            await work(carrier, phone)
            await until(lambda: carrier.calls_up == 0, "all calls to be over")

    asyncio.run(test())


async def outcome(phone: Phone, call: Call) -> SipResponse:
    """The final response, acknowledged; an answered call is hung up."""
    response = await phone.final(call.invite)
    if response.status_code < 300:
        call.ack(response)
        assert (await call.bye()).status_code == 200
    else:
        phone.send(phone.ack_refusal(call.invite, response))
    return response


async def dial(phone: Phone, number: str) -> tuple[int, str]:
    """Code and phrase of a call with a password."""
    response = await outcome(phone, await phone.invite(number))
    return response.status_code, response.reason_phrase


async def dial_by_address(phone: Phone, number: str) -> tuple[int, str]:
    """Code and phrase of a call without one."""
    response = await outcome(phone, await phone.invite_unchallenged(number))
    return response.status_code, response.reason_phrase


# Signing in


def test_a_call_answers_a_challenge_and_no_registration_is_needed() -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        assert await dial(phone, RIGHT) == (200, "OK")
        assert phone.received[0].status_code == 407  # type: ignore[union-attr] # the first thing is a response

    play(STRICT, work)


@pytest.mark.parametrize(("facts", "method"), [(STRICT, "credentials"), (BY_ADDRESS, "address")])
def test_registering_is_refused_at_once_where_nothing_registers(facts: Provider, method: str) -> None:
    notes: list[str] = []

    async def work(carrier: Carrier, phone: Phone) -> None:
        response = await phone.register()
        assert (response.status_code, response.reason_phrase) == (405, "Method Not Allowed")
        assert "REGISTER" not in (response.get_header("allow") or "")
        assert not carrier.is_registered("1001")

    play(facts, work, method=method, notes=notes)
    assert any("not documented, the demo carrier chooses 405" in note for note in notes)


def test_registering_works_with_the_providers_own_domain() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        phone.caller = ""
        assert (await phone.register()).status_code == 200
        assert carrier.is_registered("1001")
        assert await dial(phone, "15145550199") == (488, "Not Acceptable Here")  # PCMU stands first

    play(BY_ADDRESS, work)


def test_a_call_without_registration_is_refused_where_that_is_known() -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        assert await dial(phone, "4443") == (603, "Decline")

    play(BY_ADDRESS, work, method="register")


def test_a_known_address_calls_without_a_challenge() -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        assert await dial_by_address(phone, RIGHT) == (200, "OK")
        assert not any(
            isinstance(message, SipResponse) and message.status_code in (401, 407)
            for message in phone.received
        )

    play(provider(Method.ADDRESS), work)


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        (provider(Method.ADDRESS), (403, "Forbidden")),
        (provider(Method.ADDRESS, refusals=(refusal(Mistake.CALL, 603, "Decline"),)), (603, "Decline")),
        (
            provider(Method.ADDRESS, refusals=(refusal(Mistake.CALL, 407),)),
            (407, "Proxy Authentication Required"),
        ),
    ],
)
def test_an_unknown_address_is_refused(facts: Provider, wanted: tuple[int, str]) -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        assert await dial_by_address(phone, RIGHT) == wanted

    play(facts, work, known_address=False)


def test_without_any_account_calls_by_address_are_taken() -> None:
    async def test() -> None:
        async with (
            Carrier(
                accounts={},
                options=CarrierOptions(timing=FAST),
                profile=profile_of(provider(Method.ADDRESS)),
            ) as carrier,
            await Phone.open(carrier.udp_port, user="nobody") as phone,
        ):
            assert await dial_by_address(phone, RIGHT) == (200, "OK")

    asyncio.run(test())


@pytest.mark.parametrize(
    ("realm", "wanted"), [("sip.example.com", "sip.example.com"), ("{host}", DOMAIN), ("", REALM)]
)
def test_challenges_name_the_providers_realm_and_its_answer_is_taken(realm: str, wanted: str) -> None:
    facts = SignInFacts(method=Method.REGISTER, user=NAME, password=NAME, realm=realm)

    async def work(_carrier: Carrier, phone: Phone) -> None:
        assert (await phone.register()).status_code == 200
        assert await dial(phone, RIGHT) == (200, "OK")
        named = {
            parse_auth(value).params["realm"]
            for message in phone.received
            for header in ("www-authenticate", "proxy-authenticate")
            for value in message.get_header_values(header)
        }
        assert named == {wanted}

    play(provider(sign_ins=(facts,)), work)


@pytest.mark.parametrize("code", [401, 407])
def test_registering_is_challenged_with_the_providers_code(code: Literal[401, 407]) -> None:
    facts = SignInFacts(method=Method.REGISTER, user=NAME, password=NAME, register_challenge=code)

    async def work(carrier: Carrier, phone: Phone) -> None:
        phone.password = "not it"
        assert (await phone.register()).status_code == code
        assert not carrier.is_registered("1001")
        phone.password = ACCOUNTS["1001"]
        assert (await phone.register()).status_code == 200
        codes = [message.status_code for message in phone.received if isinstance(message, SipResponse)]
        assert codes == [code, code, code, 200]
        assert await dial(phone, RIGHT) == (200, "OK")

    plays = facts_of(provider(sign_ins=(facts,)), profile_of(provider(sign_ins=(facts,)))).plays
    assert any("challenged with 407" in line for line in plays) == (code == 407)
    play(provider(sign_ins=(facts,)), work)


@pytest.mark.parametrize(("user", "password"), [("1001", "not it"), ("nobody", "x")])
def test_wrong_credentials_get_the_code_that_is_documented(user: str, password: str) -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        phone.auth_user, phone.password = user, password
        assert await dial(phone, RIGHT) == (403, "Forbidden")

    play(STRICT, work)


@pytest.mark.parametrize("code", [None, 401])
def test_a_wrong_password_is_challenged_again_where_no_other_code_is_documented(code: int | None) -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        phone.password = "not it"
        for _ in range(3):
            assert (await phone.register()).status_code == 401
        phone.password = ACCOUNTS["1001"]
        assert (await phone.register()).status_code == 200

    play(provider(Method.REGISTER, refusals=(refusal(Mistake.CREDENTIALS, code),)), work)


def test_a_second_name_for_signing_in_belongs_to_its_user() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        phone.caller = ""
        phone.auth_user = "N7000001R"
        assert (await phone.register()).status_code == 200
        assert carrier.is_registered("1001")
        phone.auth_user = ""
        assert (await phone.register()).status_code == 403

    facts = provider(Method.REGISTER, refusals=(refusal(Mistake.CREDENTIALS, 403),))
    play(facts, work, auth_users={"1001": "N7000001R"})


# Host


@pytest.mark.parametrize("domain", ["", "pstn.example.com"])
def test_a_call_for_another_host_gets_no_answer_whatever_follows(domain: str) -> None:
    notes: list[str] = []

    async def work(_carrier: Carrier, phone: Phone) -> None:
        phone.domain = domain
        call = await phone.invite_unchallenged(RIGHT)
        phone.send(call.invite)
        cancel = phone.build(
            "CANCEL",
            call.invite.uri,
            to=call.invite.get_header("to") or "",
            call_id=call.invite.call_id or "",
            cseq=phone.cseq,
            branch=call.invite.via[0].branch or "",
        )
        phone.send(cancel)
        # Sent later and answered, so the silence before it is no delay
        assert (await phone.ask(phone.build("OPTIONS", f"sip:{HOST}"))).status_code == 200
        assert phone.responses(call.invite) == []
        assert phone.responses(cancel) == []

    play(STRICT, work, notes=notes)
    assert sum("gets no answer" in note for note in notes) == 1


# Called numbers and caller ID


@pytest.mark.parametrize("number", ["15145550199", "600", "0015145550199"])
def test_a_number_in_another_form_is_refused_in_the_providers_words(number: str) -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        response = await outcome(phone, await phone.invite(number))
        assert (response.status_code, response.reason_phrase) == (400, "Bad Request")
        warning = response.get_header("warning") or ""
        assert warning == f"399 {HOST} \"The number has no '+'.\""

    play(STRICT, work)


@pytest.mark.parametrize("caller", ["1001", "15145550100", "anonymous"])
def test_a_call_without_a_caller_id_of_the_right_form_is_refused(caller: str) -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        phone.caller = caller
        assert await dial(phone, RIGHT) == (403, "Caller Invalid D35")
        phone.more = (("P-Asserted-Identity", f'"Office" <sip:{CALLER}@{DOMAIN}>'),)
        assert await dial(phone, RIGHT) == (200, "OK")
        phone.more = (("P-Asserted-Identity", f"<tel:{CALLER}>"),)
        assert await dial(phone, RIGHT) == (200, "OK")

    play(STRICT, work)


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        ("+15145550403", 403),
        ("+15145550404", 404),
        ("+15145550480", 480),
        ("+15145550486", 486),
        ("+15145550503", 503),
        ("+15145550408", 480),
        ("+15145550199", 200),
        ("+15145550600", 200),
    ],
)
def test_the_last_three_digits_choose_what_happens(number: str, wanted: int) -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        assert (await dial(phone, number))[0] == wanted

    play(STRICT, work)


def test_a_number_in_the_right_form_echoes() -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        call = await phone.call(RIGHT)
        phone.ear.send(call.rtp_port, b"x" * 160)
        await until(lambda: phone.ear.packets, "the echo")
        assert phone.ear.packets[0].payload == b"x" * 160
        await call.bye()

    play(STRICT, work)


@pytest.mark.parametrize("number", ["911", "112"])
def test_an_emergency_number_is_never_anything_but_not_found(number: str) -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        assert await dial(phone, number) == (404, "Not Found")

    play(STRICT, work)


def test_the_tech_prefix_is_taken_off_before_the_number_is_looked_up() -> None:
    notes: list[str] = []

    async def work(_carrier: Carrier, phone: Phone) -> None:
        body = sdp(phone.ear.port, types="8 0 101")
        for number, wanted in (
            ("12345678*15145550199", 200),
            ("12345678*15145550486", 486),
            ("12345678*4443", 200),
            ("12345678*911", 404),
            ("15145550199", 403),
            ("12345678*15", 404),
        ):
            call = await phone.invite_unchallenged(number, body=body)
            assert (await outcome(phone, call)).status_code == wanted, number

    play(BY_ADDRESS, work, method="address", notes=notes)
    assert any(note.startswith("1001 calls 15145550199 from") for note in notes)
    assert any("not documented, the demo carrier chooses 403" in note for note in notes)


def test_a_tech_prefix_that_only_some_have_may_be_there_or_not() -> None:
    notes: list[str] = []
    field = Field(label="Tech prefix", pattern="[0-9#*]*", required=False)
    facts = provider(
        Method.ADDRESS,
        countries=("US",),
        questions=(Question(key="tech_prefix", page=Page.NUMBERS, field=field),),
        numbers=Numbers(destination=NumberFormat.NANP_11),
    )

    async def work(_carrier: Carrier, phone: Phone) -> None:
        for number, wanted in (
            ("12125550199", 200),
            ("5512125550199", 200),
            ("77%2312125550486", 486),
            ("12125550486", 486),
            ("55911", 404),
            ("600", 200),
        ):
            assert (await dial_by_address(phone, number))[0] == wanted, number

    play(facts, work, notes=notes)
    assert sum(note.startswith("1001 calls 12125550199 from") for note in notes) == 2


def test_where_no_form_is_known_the_carriers_own_numbers_work_as_ever() -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        for number, wanted in (("600", 200), ("486", 486), (RIGHT, 200), ("nobody", 404), ("911", 404)):
            assert (await dial(phone, number))[0] == wanted, number

    play(provider(Method.REGISTER), work)


# Sound and transports


def test_a_call_with_another_codec_first_is_refused() -> None:
    async def work(_carrier: Carrier, phone: Phone) -> None:
        for types, wanted in (("0 8", 488), ("8 0", 200)):
            call = await phone.invite_unchallenged("12345678*4443", body=sdp(phone.ear.port, types=types))
            assert (await outcome(phone, call)).status_code == wanted

    play(BY_ADDRESS, work, method="address")


def test_a_provider_without_tcp_has_no_tcp_port() -> None:
    async def work(carrier: Carrier, phone: Phone) -> None:
        assert carrier.udp_port
        assert carrier.tcp_port == 0
        with pytest.raises(ConnectionRefusedError):
            await Phone.open(carrier.udp_port, transport="tcp")

    play(provider(Method.REGISTER, signalling=Signalling(transports=(UDP,))), work)


def test_a_provider_with_tcp_only_is_reached_over_tcp() -> None:
    facts = provider(Method.REGISTER, signalling=Signalling(transports=(TCP,)), numbers=Numbers())

    async def test() -> None:
        async with Carrier(
            accounts=ACCOUNTS, options=CarrierOptions(timing=FAST), profile=profile_of(facts)
        ) as carrier:
            assert carrier.udp_port == 0
            async with await Phone.open(carrier.tcp_port, transport="tcp") as phone:
                assert (await phone.register()).status_code == 200

    asyncio.run(test())


def test_the_options_name_the_provider() -> None:
    carrier = Carrier(accounts={}, options=CarrierOptions(provider="flowroute", method="address"))
    assert carrier.profile is not None
    assert (carrier.profile.provider, carrier.profile.method) == ("flowroute", Method.ADDRESS)
    with pytest.raises(SettingError):
        Carrier(accounts={}, options=CarrierOptions(provider="nobody"))
