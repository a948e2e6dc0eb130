"""The settings that a finding advises are set at the command line, and the same far end is content then."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.checks.texts import text_of
from app.model.advice import as_line
from app.model.finding import Finding
from tests.engine.scripted import sdp
from tests.helpers.command import Ringback
from tests.helpers.sip_client import Message
from tests.hostile.answering import (
    NUMBER,
    Answer,
    Asked,
    answering,
    finding,
    in_turn,
    picking_up,
    ran,
    register,
    registering,
    saying,
    silence,
    status,
    when,
)
from tests.hostile.test_verdicts_digest import asking

REGISTER = ("register", "Far")
CALL = ("call", "Far", NUMBER, "--seconds", 3)
BY_ADDRESS = {"sign_in": "address"}
_CRYPTO = re.compile(r"(?m)^a=(crypto:\d+ AES_CM_128_HMAC_SHA1_80) ")


@dataclass(frozen=True)
class Case:
    """A far end that insists on a setting.

    Attributes:
        finding_id: What comes of it at first.
        setting: What the finding advises to set, `key=value`.
        answers: Of the far end, by method.
        settings: Of the trunk at first.
        command: What is run, before and after.
        left: What the command finds afterwards where the far end has no audio that fits, else empty.
    """

    finding_id: str
    setting: str
    answers: Mapping[str, Answer]
    settings: Mapping[str, str] = field(default_factory=lambda: BY_ADDRESS)
    command: tuple[object, ...] = CALL
    left: tuple[str, ...] = ()


def _encrypted(message: Message) -> bool:
    return "RTP/SAVP" in message.body


def picking_up_encrypted(asked: Asked) -> bytes | None:
    """200 with keys for the first suite that was offered and is known everywhere."""
    offered = _CRYPTO.search(asked.message.body)
    assert offered, asked.message.body
    keys = f"a={offered[1]} inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
    return picking_up(asked, profile="RTP/SAVP", more=[keys])


def picking_up_without_digits(asked: Asked) -> bytes | None:
    """200 with PCMU only."""
    contact = f"Contact: <sip:far@{asked.server[0]}:{asked.server[1]}>"
    return status("200 OK", contact, body=sdp(asked.rtp_port, formats="0"))(asked)


def registered_first() -> dict[str, Answer]:
    """The answers of a far end that takes calls only from a trunk that it has a registration of."""
    registered: list[Message] = []

    def register(asked: Asked) -> bytes | None:
        registered.append(asked.message)
        return registering(asked)

    return {
        "REGISTER": register,
        "INVITE": when(lambda _: registered, picking_up, status("403 Not registered")),
    }


CASES = [
    Case(
        "AUTH-REALM",
        "realm=*",
        {"REGISTER": asking("MD5", then=registering, seen=[])},
        {"realm": "office"},
        REGISTER,
    ),
    Case(
        "AUTH-407INV",
        "caller_id=",
        {
            "INVITE": asking(
                "MD5",
                then=picking_up,
                seen=[],
                proxy=True,
                accepts=lambda message: "1001@" in message.one("From"),
            )
        },
        {"caller_id": "+15145550123"},
    ),
    Case(
        "AUTH-NONE",
        "transport=tcp",
        {
            "REGISTER": when(
                lambda message: "/TCP" in message.one("Via"),
                asking("MD5", then=registering, seen=[]),
                in_turn(saying("challenge-md5"), silence),
            )
        },
        {},
        REGISTER,
    ),
    Case(
        "CALL-420",
        "session_timer=supported",
        {
            "INVITE": when(
                lambda message: "timer" in message.one("Require"),
                status("420 Bad Extension", "Unsupported: timer"),
                picking_up,
            )
        },
        {"session_timer": "required", **BY_ADDRESS},
    ),
    Case(
        "CALL-421",
        "session_timer=supported",
        {
            "INVITE": when(
                lambda message: "timer" in message.one("Supported"),
                picking_up,
                status("421 Extension Required", "Require: timer"),
            )
        },
        {"session_timer": "off", **BY_ADDRESS},
    ),
    Case(
        "CALL-413",
        "codecs=PCMU,PCMA",
        {
            "INVITE": when(
                lambda message: "G722" in message.body, status("413 Request Entity Too Large"), picking_up
            )
        },
    ),
    Case(
        "CODEC-NONE",
        "codecs=PCMU,PCMA",
        {"INVITE": picking_up},
        {"codecs": "G722", **BY_ADDRESS},
    ),
    Case(
        "SRTP-NEEDED",
        "srtp=require",
        {"INVITE": when(_encrypted, picking_up_encrypted, status("488 SRTP required"))},
        left=("RTP-NONE-RX", "SRTP-CLEAR", "CALL-ANSWERED"),
    ),
    Case(
        "SRTP-REFUSED",
        "srtp=off",
        {"INVITE": when(_encrypted, status("488 SRTP not supported"), picking_up)},
        {"srtp": "require", **BY_ADDRESS},
    ),
    Case("SRTP-NONE", "srtp=offer", {"INVITE": picking_up}, {"srtp": "require", **BY_ADDRESS}),
    Case(
        "CID",
        "privacy=no",
        {
            "INVITE": when(
                lambda message: message.one("Privacy"),
                status("403 Anonymous calls not allowed"),
                picking_up,
            )
        },
        {"privacy": "yes", **BY_ADDRESS},
    ),
    Case(
        "NUMBER-FORMAT",
        "number_format=e164-plus",
        {
            "INVITE": when(
                lambda message: " sip:+" in message.start_line,
                picking_up,
                status("404 Invalid number format"),
            )
        },
        {"country": "CA", "number_format": "nanp-10", **BY_ADDRESS},
        ("call", "Far", "+15145550199", "--seconds", 3),
    ),
    Case("REG-NEEDED", "sign_in=register", registered_first(), {"sign_in": "credentials"}),
    Case(
        "REG-405",
        "sign_in=credentials",
        {"REGISTER": status("405 Method Not Allowed", "Allow: INVITE, ACK, BYE")},
        {},
        REGISTER,
    ),
    Case(
        "DTMF",
        "dtmf=rfc4733",
        {"INFO": status("405 Method Not Allowed", "Allow: INVITE, ACK, BYE")},
        {"dtmf": "info", **BY_ADDRESS},
        (*CALL, "--digits", "12"),
    ),
    Case(
        "DTMF",
        "dtmf=info",
        {"INVITE": picking_up_without_digits},
        command=(*CALL, "--digits", "12"),
    ),
]


def advised(found: Finding) -> Iterator[str]:
    """The settings that the steps of a finding say to change, filled in as the steps are."""
    for line in map(as_line, text_of(found.id).do):
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(line.text))
        for step in found.do:
            if filled := re.fullmatch(pattern, step):
                yield from (setting.format_map(filled.groupdict()) for setting in line.sets)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.finding_id} {case.setting}")
def test_who_sets_what_a_finding_advises_is_rid_of_it(case: Case, tmp_path: Path) -> None:
    async def run() -> None:
        async with answering(**case.answers) as far:
            before = await ran(tmp_path, far, *case.command, **case.settings)
            assert case.setting in list(advised(finding(before, case.finding_id))), before.out
            changed = await asyncio.to_thread(Ringback(tmp_path).run, "set", "Far", case.setting)
            assert changed.code == 0, changed
            after = await ran(tmp_path, far, *case.command)
            assert case.finding_id not in after.finding_ids
            assert tuple(after.finding_ids) == case.left or (after.code, case.left) == (0, ()), after.out

    asyncio.run(run())


def test_a_minimum_lifetime_that_the_server_names_is_asked_for_at_once(tmp_path: Path) -> None:
    brief = when(
        lambda message: int(message.one("Expires")) in range(1, 600),
        status("423 Interval Too Brief", "Min-Expires: 600"),
        registering,
    )
    ended = register(tmp_path, brief, expires="60")
    assert (ended.code, ended.finding_ids) == (0, ["REG-OK"])
    assert ended.json["expires_s"] == 600


def test_a_registration_that_is_sent_elsewhere_works_at_the_place_that_the_finding_names(
    tmp_path: Path,
) -> None:
    async def run() -> None:
        async with answering() as other:
            moved = status("302 Moved Temporarily", f"Contact: <sip:127.0.0.1:{other.port}>")
            async with answering(REGISTER=moved) as far:
                before = await ran(tmp_path, far, *REGISTER, user="1001")
                step = (
                    f"Set the host to 127.0.0.1 and the port to {other.port}, if your provider confirms it."
                )
                assert finding(before, "REG-302").do[0] == step
                words = ("set", "Far", "host=127.0.0.1", f"port={other.port}")
                changed = await asyncio.to_thread(Ringback(tmp_path).run, *words)
                assert changed.code == 0, changed
                after = await ran(tmp_path, far, *REGISTER)
        assert (after.code, after.finding_ids) == (0, ["REG-OK"])

    asyncio.run(run())


def test_a_user_name_with_a_sign_is_written_as_advised_and_signs_in(tmp_path: Path) -> None:
    seen: list[dict[str, str]] = []

    async def run() -> None:
        async with answering(REGISTER=asking("MD5", then=registering, seen=seen)) as far:
            assert (await ran(tmp_path, far, *REGISTER, user="1001")).code == 0
            refused = await asyncio.to_thread(Ringback(tmp_path).run, "set", "Far", "user=9901#1", "--json")
            assert "write %23" in refused.error["do"]
            changed = await asyncio.to_thread(Ringback(tmp_path).run, "set", "Far", "user=9901%231")
            assert changed.code == 0, changed
            after = await ran(tmp_path, far, *REGISTER)
            assert (after.code, after.finding_ids) == (0, ["REG-OK"])

    asyncio.run(run())
    assert [given["username"] for given in seen][-1] == "9901#1"
