"""Every digest algorithm is answered, the strongest on offer first; the far end checks each answer."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.helpers.sip_client import Message
from tests.hostile.answering import Answer, Asked, call, finding, picking_up, register, registering, status
from tests.hostile.at_the_command_line import PASSWORD

REALM = "far"
HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
_PARAMETER = re.compile(r'([a-z]+)=(?:"([^"]*)"|([^,\s]+))')


def _is_right(given: dict[str, str], message: Message, password: str) -> bool:
    """Whether an answer proves the password; RFC 7616 section 3.4, computed apart from the app."""
    name = given.get("algorithm", "MD5")

    def h(*parts: str) -> str:
        return hashlib.new(HASHES[name.removesuffix("-sess")], ":".join(parts).encode()).hexdigest()

    a1 = h(given["username"], REALM, password)
    if name.endswith("-sess"):
        a1 = h(a1, given["nonce"], given["cnonce"])
    method, uri, _ = message.start_line.split(" ")
    body = [h(message.body)] if given.get("qop") == "auth-int" else []
    a2 = h(method, given["uri"], *body)
    middle = [given["nc"], given["cnonce"], given["qop"]] if "qop" in given else []
    return given["uri"] == uri and given["response"] == h(a1, given["nonce"], *middle, a2)


def asking(
    *algorithms: str,
    then: Answer,
    seen: list[dict[str, str]],
    qop: str = ', qop="auth"',
    accepts: Callable[[Message], object] = lambda message: True,
    proxy: bool = False,
) -> Answer:
    """Asks for the password by these algorithms, a header each, and checks the answer.

    Args:
        algorithms: On offer, in this order.
        then: The answer to a request that proves the password.
        seen: Gets the parameters of each proof.
        qop: What follows the algorithm in each challenge.
        accepts: Whether a request that proves the password is accepted; asked for it again if not.
        proxy: Whether it is 407 instead of 401.
    """
    name = "Proxy-Authenticate" if proxy else "WWW-Authenticate"
    code = "407 Proxy Authentication Required" if proxy else "401 Unauthorized"
    offered = [
        f'{name}: Digest realm="{REALM}", nonce="n-{algorithm}", algorithm={algorithm}{qop}'
        for algorithm in algorithms
    ]

    def answer(asked: Asked) -> bytes | None:
        proof = asked.message.one("Proxy-Authorization" if proxy else "Authorization")
        if not proof:
            return status(code, *offered)(asked)
        given = {key: quoted or bare for key, quoted, bare in _PARAMETER.findall(proof)}
        seen.append(given)
        if not _is_right(given, asked.message, PASSWORD):
            return status("403 Wrong digest")(asked)
        return (then if accepts(asked.message) else status(code, *offered))(asked)

    return answer


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512-256"])
@pytest.mark.parametrize("sess", ["", "-sess"])
def test_each_algorithm_signs_in(algorithm: str, sess: str, tmp_path: Path) -> None:
    seen: list[dict[str, str]] = []
    ended = register(tmp_path, asking(algorithm + sess, then=registering, seen=seen))
    assert (ended.code, ended.finding_ids) == (0, ["REG-OK"]), seen
    assert {given["algorithm"] for given in seen} == {algorithm + sess}


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (("MD5", "SHA-256"), "SHA-256"),
        (("SHA-256", "MD5"), "SHA-256"),
        (("MD5", "SHA-256", "SHA-512-256", "SHA-512"), "SHA-512-256"),
        (("NOBODY-512", "MD5"), "MD5"),
    ],
)
def test_of_several_algorithms_the_strongest_known_one_is_answered(
    offered: Sequence[str], chosen: str, tmp_path: Path
) -> None:
    seen: list[dict[str, str]] = []
    ended = register(tmp_path, asking(*offered, then=registering, seen=seen))
    assert (ended.code, ended.finding_ids) == (0, ["REG-OK"]), seen
    assert {given["algorithm"] for given in seen} == {chosen}


@pytest.mark.parametrize("qop", ["", ', qop="auth-int"', ', qop="auth-int,auth"'])
def test_each_quality_of_protection_signs_in(qop: str, tmp_path: Path) -> None:
    seen: list[dict[str, str]] = []
    ended = register(tmp_path, asking("SHA-256", then=registering, seen=seen, qop=qop))
    assert (ended.code, ended.finding_ids) == (0, ["REG-OK"]), seen
    wanted = None if not qop else "auth" if "auth-int,auth" in qop else "auth-int"
    assert {given.get("qop") for given in seen} == {wanted}


@pytest.mark.parametrize("qop", ['qop="auth"', 'qop="auth-int"'])
def test_a_call_is_signed_in_with_its_body(qop: str, tmp_path: Path) -> None:
    seen: list[dict[str, str]] = []
    invite = asking("SHA-512-256", "MD5", then=picking_up, seen=seen, qop=f", {qop}", proxy=True)
    ended = call(tmp_path, invite, sign_in="credentials")
    assert (ended.code, ended.json["result"]) == (0, "answered"), seen
    assert [given["algorithm"] for given in seen] == ["SHA-512-256"]


@pytest.mark.parametrize(
    ("algorithm", "qop", "named"),
    [
        ("SHA-512", "auth", "digest SHA-512 with qop=auth"),
        ("MD5", "auth-conf", "digest MD5 with qop=auth-conf"),
    ],
)
def test_what_can_not_be_answered_is_named_and_no_password_is_sent(
    algorithm: str, qop: str, named: str, tmp_path: Path
) -> None:
    seen: list[dict[str, str]] = []
    ended = register(tmp_path, asking(algorithm, then=registering, seen=seen, qop=f', qop="{qop}"'))
    assert (ended.code, ended.finding_ids) == (1, ["AUTH-ALGO"])
    assert not seen
    assert named in finding(ended, "AUTH-ALGO").title
