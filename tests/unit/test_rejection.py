"""When a challenge says that the credentials themselves are wrong."""

from __future__ import annotations

import pytest

from app.model.outcome import Direction, TraceMessage
from app.model.trunk import Transport
from app.sip.engine.rejection import KEEP, RejectionWatch
from app.sip.trace import MessageHead


class Wire:
    """A watch, fed message by message."""

    def __init__(self) -> None:
        self.watch = RejectionWatch()

    def out(
        self,
        *realms: str,
        header: str = "Authorization",
        method: str = "REGISTER",
        cseq: int = 2,
        call_id: str = "one",
    ) -> None:
        """We sent a request with credentials for these realms."""
        lines = [
            f'{header}: Digest username="1001", realm="{realm}", nonce="n", response="r"' for realm in realms
        ]
        head = [f"{method} sip:example.com SIP/2.0", f"Call-ID: {call_id}", f"CSeq: {cseq} {method}"]
        assert self.note(Direction.OUT, [*head, *lines]) is None

    def back(
        self,
        *challenges: str,
        header: str = "WWW-Authenticate",
        status: str = "401 Unauthorized",
        method: str = "REGISTER",
        cseq: int = 2,
        call_id: str = "one",
    ) -> MessageHead | None:
        """This came in; what the watch says to it."""
        head = [f"SIP/2.0 {status}", f"Call-ID: {call_id}", f"CSeq: {cseq} {method}"]
        return self.note(
            Direction.IN, [*head, *(f"{header}: Digest {challenge}" for challenge in challenges)]
        )

    def note(self, direction: Direction, lines: list[str]) -> MessageHead | None:
        """Hand one message over."""
        return self.watch.note(
            TraceMessage(
                at=0.0,
                direction=direction,
                transport=Transport.UDP,
                peer="192.0.2.1:5060",
                text="\r\n".join([*lines, "", ""]),
            )
        )


@pytest.mark.parametrize(
    "challenge",
    [
        'realm="carrier", nonce="m"',
        'nonce="m", algorithm=SHA-256, qop="auth", realm="carrier"',
        'realm="carrier", nonce="m", stale=false',
        'realm="carrier", nonce="m", stale="FALSE"',
        'realm="carrier",\r\n nonce="m"',
        'nonce="m",\r\n\trealm="carrier"',
    ],
)
def test_a_challenge_for_credentials_that_were_sent_rejects_them(challenge: str) -> None:
    wire = Wire()
    wire.out("carrier")
    head = wire.back(challenge)
    assert head is not None
    assert (head.code, head.method, head.call_id) == (401, "REGISTER", "one")


def test_a_proxy_rejects_the_credentials_of_a_call() -> None:
    wire = Wire()
    wire.out("carrier", header="Proxy-Authorization", method="INVITE")
    status = "407 Proxy Authentication Required"
    head = wire.back('realm="carrier"', header="Proxy-Authenticate", status=status, method="INVITE")
    assert head is not None
    assert head.method == "INVITE"


def test_the_first_challenge_rejects_nothing() -> None:
    wire = Wire()
    wire.out()
    assert wire.back('realm="carrier", nonce="m"') is None


@pytest.mark.parametrize(
    "flag", ["stale=true", "stale=TRUE", 'stale="true"', "stale = true", 'qop="auth",stale=true']
)
@pytest.mark.parametrize("fold", ["", "\r\n "])
def test_a_stale_nonce_is_no_rejection(flag: str, fold: str) -> None:
    wire = Wire()
    wire.out("carrier")
    assert wire.back(f'realm="carrier", nonce="m", {fold}{flag}') is None


def test_a_stale_nonce_and_then_a_challenge_is_a_rejection() -> None:
    wire = Wire()
    wire.out("carrier")
    assert wire.back('realm="carrier", stale=true') is None
    wire.out("carrier", cseq=3)
    assert wire.back('realm="carrier"', cseq=3) is not None


def test_a_challenge_of_another_realm_is_no_rejection() -> None:
    wire = Wire()
    wire.out("carrier")
    assert wire.back('realm="proxy of the carrier"') is None


def test_one_of_several_realms_may_reject() -> None:
    wire = Wire()
    wire.out("proxy", "carrier")
    assert wire.back('realm="other"', 'realm="carrier"') is not None


@pytest.mark.parametrize("other", [{"cseq": 1}, {"call_id": "two"}, {"method": "INVITE"}])
def test_a_challenge_to_another_request_is_no_rejection(other: dict[str, object]) -> None:
    wire = Wire()
    wire.out("carrier")
    assert wire.back('realm="carrier"', **other) is None  # type: ignore[arg-type]  # one of three keywords
    assert wire.back('realm="carrier"') is not None


@pytest.mark.parametrize("status", ["200 OK", "403 Forbidden", "100 Trying", "400 Bad Request"])
def test_only_a_401_or_407_can_reject(status: str) -> None:
    wire = Wire()
    wire.out("carrier")
    assert wire.back('realm="carrier"', status=status) is None


def test_a_repeated_response_rejects_once() -> None:
    wire = Wire()
    wire.out("carrier")
    assert wire.back('realm="carrier"') is not None
    assert wire.back('realm="carrier"') is None


def test_only_the_last_requests_are_remembered() -> None:
    wire = Wire()
    for number in range(KEEP + 1):
        wire.out("carrier", call_id=f"call-{number}")
    assert wire.back('realm="carrier"', call_id="call-0") is None
    assert wire.back('realm="carrier"', call_id=f"call-{KEEP}") is not None


def test_rubbish_is_passed_over() -> None:
    wire = Wire()
    wire.out("carrier")
    assert (
        wire.note(Direction.IN, ["SIP/2.0 401 Unauthorized", 'WWW-Authenticate: Digest realm="carrier"'])
        is None
    )
    assert wire.note(Direction.OUT, ['Authorization: Digest realm="carrier"']) is None
