"""The carrier with an independent SIP stack as its client: plain pjsua2 in processes of their own."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from app.sip.carrier.messages import Algorithm, CarrierOptions
from app.sip.carrier.offers import CODECS
from app.sip.carrier.server import Carrier
from app.sip.carrier.sound import TONE_DBM0
from tests.carrier.phone import ACCOUNTS, HOST, until

CLIENT = Path(__file__).parents[1] / "peers" / "pjsua2_client.py"
EAR = Path(__file__).with_name("pjsua2_ear.py")


async def pjsua2(carrier: Carrier, transport: str, number: str, *, user: str = "1001") -> dict[str, Any]:
    """Register and call with pjsua2; what it saw."""
    seen: dict[str, Any] = json.loads(
        await _said(CLIENT, user, HOST, str(carrier.udp_port), transport, user, number)
    )
    return seen


async def _said(script: Path, user: str, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await asyncio.wait_for(process.communicate(f"{ACCOUNTS[user]}\n".encode()), 30)
    assert process.returncode == 0, errors.decode()
    # PJLIB's own lines may come before or after, whenever the C library empties its buffer
    (said,) = (line for line in out.decode().splitlines() if line.startswith(("{", "heard ")))
    return said.removeprefix("heard ")


@pytest.mark.parametrize(
    ("transport", "algorithms"),
    [("udp", tuple(Algorithm)), ("tcp", (Algorithm.MD5,)), ("udp", (Algorithm.SHA_256,))],
)
def test_pjsua2_registers_and_hears_its_echo(transport: str, algorithms: tuple[Algorithm, ...]) -> None:
    async def test() -> None:
        async with Carrier(accounts=ACCOUNTS, options=CarrierOptions(algorithms=algorithms)) as carrier:
            seen = await pjsua2(carrier, transport, "600")
            assert seen["registered"] == 200
            assert seen["codes"][-1] == 200
            assert seen["tx_packets"] > 40
            assert abs(seen["tx_packets"] - seen["rx_packets"]) <= 2
            await until(lambda: carrier.calls_up == 0, "the end of the call")
            assert not carrier.is_registered("1001")

    asyncio.run(test())


def test_two_pjsua2_users_talk_through_the_carrier() -> None:
    async def test() -> None:
        async with Carrier(accounts=ACCOUNTS) as carrier:
            callee = asyncio.create_task(pjsua2(carrier, "tcp", "", user="1002"))
            await until(lambda: carrier.is_registered("1002"), "the one who is called to register")
            caller = await pjsua2(carrier, "udp", "1002")
            called = await callee
            for seen in (caller, called):
                assert seen["codes"][-1] == 200
                assert seen["tx_packets"] > 30
                assert seen["rx_packets"] > 30

    asyncio.run(test())


def test_pjsua2_is_told_of_a_refusal() -> None:
    async def test() -> None:
        async with Carrier(accounts=ACCOUNTS) as carrier:
            seen = await pjsua2(carrier, "udp", "486")
            assert seen["codes"][-1] == 486

    asyncio.run(test())


@pytest.mark.parametrize("codec", list(CODECS))
def test_pjsua2_hears_the_tone_at_its_level_in_every_codec(codec: str) -> None:
    async def test() -> None:
        async with Carrier(accounts=ACCOUNTS) as carrier:
            level = await _said(EAR, "1001", str(carrier.udp_port), "1001", "601", codec)
            assert float(level) == pytest.approx(TONE_DBM0, abs=0.2)

    asyncio.run(test())
