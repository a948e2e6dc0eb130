"""A password in a command is shown by no text that Python makes of it."""

from __future__ import annotations

import logging
import pprint
import traceback

import msgspec
import pytest

from app.model.outcome import Target
from app.model.trunk import Transport
from app.sip.carrier.messages import StartCarrier
from app.sip.demo import DemoAccount
from app.sip.messages import OpenAccount, Request

CANARY = "canary-5f0c-kept-out-of-sight"
COMMAND = OpenAccount(
    user="1001",
    host="sip.example.com",
    port=5060,
    auth_id="auth-1001",
    password=CANARY,
    realm="*",
    caller_id="",
    expires=300,
    register=True,
    codecs=("PCMU",),
    target=Target(address="192.0.2.1", port=5060, transport=Transport.UDP, name="sip.example.com"),
)


class Holder(msgspec.Struct):
    """Anything that holds a command."""

    commands: list[OpenAccount]
    by_name: dict[str, OpenAccount]


REQUEST = Request(id=1, command=COMMAND)
HOLDER = Holder(commands=[COMMAND], by_name={"first": COMMAND})


@pytest.mark.parametrize(
    "value",
    [COMMAND, REQUEST, HOLDER, [COMMAND], {"command": COMMAND}, (REQUEST,)],
    ids=["command", "request", "struct", "list", "dict", "tuple"],
)
def test_no_text_of_a_command_shows_its_password(value: object) -> None:
    for text in (repr(value), str(value), f"{value}", f"{value!r}", f"{value!s}"):
        assert CANARY not in text
        assert "hidden" in text
    assert CANARY not in pprint.pformat(value)


def test_no_text_of_the_carriers_accounts_shows_a_password() -> None:
    for value in (StartCarrier(accounts={"1001": CANARY}), DemoAccount(user="1001", password=CANARY)):
        for text in (repr(value), str(value), str(value.__rich_repr__())):
            assert CANARY not in text
            assert "hidden" in text


def test_the_text_still_tells_which_account_it_is() -> None:
    for part in ("1001", "sip.example.com", "192.0.2.1:5060"):
        assert part in repr(COMMAND)


def test_pretty_printers_see_no_password_either() -> None:
    assert CANARY not in str(list(COMMAND.__rich_repr__()))


def test_a_traceback_and_a_log_line_show_no_password(caplog: pytest.LogCaptureFixture) -> None:
    try:
        raise ValueError(REQUEST)
    except ValueError as error:
        text = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    logging.getLogger("test").error("refused: %s", REQUEST)
    assert "hidden" in text
    assert CANARY not in text.replace(f"CANARY = '{CANARY}'", "")
    assert CANARY not in caplog.text


def test_a_wrong_field_is_refused_without_showing_the_password() -> None:
    with pytest.raises(TypeError) as caught:
        OpenAccount(user="1001", password=CANARY)  # type: ignore[call-arg]  # that is the point
    assert CANARY not in str(caught.value)
