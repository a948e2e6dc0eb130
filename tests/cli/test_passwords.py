"""Passwords: from standard input to the keyring, and what happens where there is none."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from app.sip.carrier.by_hand import CarrierFacts
from tests.helpers.command import Ringback

OFFICE = ("--name", "Office", "--set", "host=127.0.0.1", "--set", "user=1001")


def at_carrier(facts: CarrierFacts) -> tuple[str, ...]:
    """The trunk Office at the demo carrier."""
    return (*OFFICE, "--set", f"port={facts.udp_port}")


def test_without_a_keyring_the_trunk_is_saved_and_the_password_is_not(
    ringback: Ringback, by_hand: CarrierFacts
) -> None:
    added = ringback.run("add", *at_carrier(by_hand), password=by_hand.password)
    assert added.code == 0, added
    assert added.out.startswith("The password was not saved. ")
    assert "hand it over each time with --password-stdin" in added.out
    assert added.out.endswith("Office is saved. Try it: ringback register Office --password-stdin\n")

    without = ringback.run("register", "Office", "--json").error
    assert without["what"].startswith("No password is known for Office.")
    assert "keyring" in without["what"]
    assert "--password-stdin" in without["do"]
    assert without["field"] == "password"

    handed_over = ringback.run("register", "Office", "--json", password=by_hand.password)
    assert (handed_over.code, handed_over.json["state"]) == (0, "registered")


def test_without_a_keyring_json_tells_that_the_password_was_not_saved(ringback: Ringback) -> None:
    told = ringback.run("add", *OFFICE, "--json", password="secret").json
    assert told["password_saved"] is False
    assert "this run only" in told["note"]


@pytest.mark.keyring
def test_the_keyring_keeps_a_password_until_its_trunk_is_removed(
    ringback: Ringback, by_hand: CarrierFacts, keyring: Path
) -> None:
    added = ringback.run("add", *at_carrier(by_hand), "--json", password=by_hand.password)
    assert added.code == 0, added
    assert (added.json["password_saved"], added.json["note"]) == (True, None)

    registered = ringback.run("register", "Office", "--json")
    assert (registered.code, registered.json["state"]) == (0, "registered"), registered
    called = ringback.run("call", "Office", "600", "--seconds", 1, "--json")
    assert (called.code, called.json["result"]) == (0, "answered"), called

    # One that is handed over goes before the one that is kept, and does not take its place
    wrong = ringback.run("register", "Office", "--json", password="wrong")
    assert (wrong.code, wrong.json["state"]) == (1, "wrong credentials")
    assert ringback.run("register", "Office", "--json").code == 0

    assert secrets_kept() == [by_hand.password]
    removed = ringback.run("remove", "Office")
    assert (removed.code, removed.out) == (0, "Office and its password are deleted.\n")
    assert secrets_kept() == []


def secrets_kept() -> list[str]:
    """Every password of ours in the keyring, asked for without our own code."""
    import secretstorage

    with closing(secretstorage.dbus_init()) as bus:
        items = secretstorage.search_items(bus, {"service": "Ringback"})
        return [item.get_secret().decode() for item in items]


@pytest.mark.parametrize("command", ["add", "register"])
@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"", "There is no password on standard input."),
        (b"\xff\xfe\x00", "is not text in utf-8"),
        (b"se\x00cret", "control character"),
        (b"x" * 2000, "2000 characters"),
    ],
)
def test_what_can_be_no_password_is_refused_and_not_repeated(
    ringback: Ringback, command: str, line: bytes, what: str
) -> None:
    if command == "register":
        ringback.save("Office", host="127.0.0.1", user="1001", port=9)
    ended = ringback.run(command, *(OFFICE if command == "add" else ["Office"]), "--json", password=line)
    assert what in ended.error["what"]
    assert ended.error["field"] == "password"
    for part in ("cret", "xxx", "\\u0000"):
        assert part not in ended.out
    assert ringback.saved_names() == (["Office"] if command == "register" else [])


@pytest.mark.parametrize(
    "line", [b"ringback", b"ringback\r", b"\xef\xbb\xbfringback", b"ringback\nand a second line"]
)
def test_the_password_is_the_first_line_however_it_ends(
    ringback: Ringback, by_hand: CarrierFacts, line: bytes
) -> None:
    ringback.save("Office", host="127.0.0.1", user="1001", port=by_hand.udp_port)
    assert ringback.run("register", "Office", "--json", password=line).code == 0


@pytest.mark.parametrize("line", [b" ringback", b"ringback "])
def test_a_blank_belongs_to_the_password(ringback: Ringback, by_hand: CarrierFacts, line: bytes) -> None:
    ringback.save("Office", host="127.0.0.1", user="1001", port=by_hand.udp_port)
    ended = ringback.run("register", "Office", "--json", password=line)
    assert (ended.code, ended.json["state"]) == (1, "wrong credentials")
