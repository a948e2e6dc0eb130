"""REGISTER over UDP and TCP: digest, lifetimes, bindings."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from aiosipua import parse_auth

from app.sip.carrier.messages import Algorithm, CarrierOptions
from app.sip.carrier.server import Carrier
from tests.carrier.phone import ACCOUNTS, FAST, HOST, QUICK, Phone


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_register_is_challenged_then_granted_and_lists_the_binding(transport: str) -> None:
    async def test() -> None:
        async with (
            Carrier(accounts=ACCOUNTS, options=QUICK) as carrier,
            await Phone.open(carrier.udp_port, transport=transport) as phone,
        ):
            response = await phone.register(expires=120)
            assert response.status_code == 200
            assert response.get_header_values("contact") == [f"{phone.contact};expires=120"]
            statuses = [r.status_code for r in phone.received]
            assert statuses == [401, 200]

    run(test())


@pytest.mark.parametrize("algorithm", list(Algorithm))
@pytest.mark.parametrize("offered", [(Algorithm.MD5,), (Algorithm.SHA_256,), tuple(Algorithm)])
def test_each_algorithm_offered_can_be_used(algorithm: Algorithm, offered: tuple[Algorithm, ...]) -> None:
    async def test() -> None:
        options = CarrierOptions(algorithms=offered, timing=FAST)
        async with (
            Carrier(accounts=ACCOUNTS, options=options) as carrier,
            await Phone.open(carrier.udp_port) as phone,
        ):
            uri = f"sip:{HOST}"
            first = phone.build("REGISTER", uri, to=f"<sip:1001@{HOST}>")
            challenge = await phone.ask(first)
            values = [parse_auth(v) for v in challenge.get_header_values("www-authenticate")]
            assert [v.params["algorithm"] for v in values] == [a.value for a in offered]
            for value in values:
                assert value.params["qop"] == "auth"
                assert value.params["opaque"]
            if algorithm not in offered:
                return
            header = phone.credentials(challenge, first, algorithm=algorithm)
            again = phone.build("REGISTER", uri, to=f"<sip:1001@{HOST}>", headers=(header,))
            assert (await phone.ask(again)).status_code == 200

    run(test())


def test_a_wrong_password_is_challenged_again_without_stale() -> None:
    async def test() -> None:
        async with (
            Carrier(accounts=ACCOUNTS, options=QUICK) as carrier,
            await Phone.open(carrier.udp_port, password="not it") as phone,
        ):
            for _ in range(4):
                response = await phone.register()
                assert response.status_code == 401
                assert "stale" not in (response.get_header("www-authenticate") or "")
            phone.password = ACCOUNTS["1001"]
            assert (await phone.register()).status_code == 200

    run(test())


def test_an_unknown_user_is_challenged_then_not_found() -> None:
    async def test() -> None:
        async with (
            Carrier(accounts=ACCOUNTS, options=QUICK) as carrier,
            await Phone.open(carrier.udp_port, user="nobody", password="x") as phone,
        ):
            assert (await phone.register()).status_code == 404
            assert [r.status_code for r in phone.received] == [401, 404]

    run(test())


def test_another_accounts_address_of_record_is_forbidden() -> None:
    async def test() -> None:
        async with (
            Carrier(accounts=ACCOUNTS, options=QUICK) as carrier,
            await Phone.open(carrier.udp_port) as phone,
        ):
            assert (await phone.register(aor="1002")).status_code == 403
            assert (await phone.register(aor="1003")).status_code == 404
            phone.user = "nobody"
            assert (await phone.register(aor="1002")).status_code == 403

    run(test())


def test_an_expired_nonce_is_answered_with_stale_and_a_fresh_one_works() -> None:
    async def test() -> None:
        options = CarrierOptions(nonce_s=0.0, timing=FAST)
        async with (
            Carrier(accounts=ACCOUNTS, options=options) as carrier,
            await Phone.open(carrier.udp_port) as phone,
        ):
            response = await phone.register()
            assert response.status_code == 401
            assert parse_auth(response.get_header("www-authenticate") or "").params["stale"] == "true"
            phone.password = "not it"
            response = await phone.register()
            assert "stale" not in (response.get_header("www-authenticate") or "")

    run(test())


def test_a_nonce_serves_again_with_a_higher_count_but_not_with_the_same() -> None:
    async def test() -> None:
        async with (
            Carrier(accounts=ACCOUNTS, options=QUICK) as carrier,
            await Phone.open(carrier.udp_port) as phone,
        ):
            uri, to = f"sip:{HOST}", f"<sip:1001@{HOST}>"
            first = phone.build("REGISTER", uri, to=to)
            challenge = await phone.ask(first)

            async def with_count(count: int) -> tuple[int, str]:
                header = phone.credentials(challenge, first, count=count)
                response = await phone.ask(phone.build("REGISTER", uri, to=to, headers=(header,)))
                return response.status_code, response.get_header("www-authenticate") or ""

            assert (await with_count(1))[0] == 200
            assert (await with_count(2))[0] == 200
            code, challenge_again = await with_count(2)
            assert code == 401
            assert "stale=true" in challenge_again

    run(test())


def test_too_short_a_lifetime_is_refused_with_the_minimum_and_too_long_a_one_cut() -> None:
    async def test() -> None:
        options = CarrierOptions(min_expires_s=100, max_expires_s=500, timing=FAST)
        async with (
            Carrier(accounts=ACCOUNTS, options=options) as carrier,
            await Phone.open(carrier.udp_port) as phone,
        ):
            response = await phone.register(expires=99)
            assert (response.status_code, response.get_header("min-expires")) == (423, "100")
            assert (await phone.register(expires=100)).status_code == 200
            response = await phone.register(expires=86_400)
            assert response.get_header("contact") == f"{phone.contact};expires=500"

    run(test())


def test_unregistering_removes_one_contact_and_the_star_all() -> None:
    async def test() -> None:
        async with (
            Carrier(accounts=ACCOUNTS, options=QUICK) as carrier,
            await Phone.open(carrier.udp_port) as phone,
        ):
            other = f"<sip:1001@{HOST}:9999>"
            response = await phone.register(contacts=(phone.contact, f"{other};expires=70"))
            assert len(response.get_header_values("contact")) == 2
            response = await phone.register(expires=0)
            assert response.get_header_values("contact") == [f"{other};expires=70"]
            response = await phone.register(contacts=())
            assert response.get_header_values("contact") == [f"{other};expires=70"]
            assert (await phone.register(contacts=("*",), expires=60)).status_code == 400
            assert (await phone.register(contacts=("*", other), expires=0)).status_code == 400
            response = await phone.register(contacts=("*",), expires=0)
            assert response.status_code == 200
            assert response.get_header_values("contact") == []

    run(test())


def test_an_older_cseq_of_the_same_call_id_changes_nothing() -> None:
    async def test() -> None:
        async with (
            Carrier(accounts=ACCOUNTS, options=QUICK) as carrier,
            await Phone.open(carrier.udp_port) as phone,
        ):
            assert (await phone.register(call_id="same")).status_code == 200
            phone.cseq = 0
            assert (await phone.register(call_id="same", expires=0)).status_code == 500
            assert len((await phone.register(contacts=())).get_header_values("contact")) == 1

    run(test())


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "example.com", "10.0.0.1", "0.0.0.0", "[::1]", "127.0.0.1.nip.io"]
)
def test_a_contact_off_loopback_is_forbidden(host: str) -> None:
    async def test() -> None:
        async with (
            Carrier(accounts=ACCOUNTS, options=QUICK) as carrier,
            await Phone.open(carrier.udp_port) as phone,
        ):
            response = await phone.register(contacts=(f"<sip:1001@{host}:5060>",))
            assert (response.status_code, response.reason_phrase) == (
                403,
                "Contact is not a loopback address",
            )
            assert (await phone.register(contacts=())).get_header_values("contact") == []

    run(test())


def test_a_contact_without_angle_brackets_has_its_own_expires() -> None:
    async def test() -> None:
        async with (
            Carrier(accounts=ACCOUNTS, options=QUICK) as carrier,
            await Phone.open(carrier.udp_port) as phone,
        ):
            response = await phone.register(contacts=(f"sip:1001@{HOST}:{phone.port};expires=75",))
            assert response.get_header("contact") == f"<sip:1001@{HOST}:{phone.port}>;expires=75"

    run(test())


def test_a_binding_ends_with_its_lifetime() -> None:
    async def test() -> None:
        options = CarrierOptions(min_expires_s=1, timing=FAST)
        async with (
            Carrier(accounts=ACCOUNTS, options=options) as carrier,
            await Phone.open(carrier.udp_port) as phone,
        ):
            assert (await phone.register(expires=1)).status_code == 200
            assert carrier.is_registered("1001")
            async with asyncio.timeout(3):
                while carrier.is_registered("1001"):
                    await asyncio.sleep(0.02)

    run(test())
