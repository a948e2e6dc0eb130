"""`ringback add`, `trunks` and `remove`: what is kept, what is refused, and in which words."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.documented import keys
from tests.helpers.command import Ringback
from tests.peers.certificates import Authority

OFFICE = ("--name", "Office", "--set", "host=sip.example.com", "--set", "user=4711")


def as_options(settings: dict[str, str]) -> list[str]:
    """Settings as words of the command line."""
    return [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]


def test_every_setting_is_kept_as_it_was_set(ringback: Ringback, tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(Authority.create("Test CA").pem)
    # In each setting something else than what it has if it is not set
    kept: dict[str, object] = {
        "provider": "voipms",
        "connect": False,
        "allow_out": False,
        "allow_in": False,
        "notes": "Contract 5, ask for Ö",
        "sign_in": "credentials",
        "user": "4711",
        "auth_id": "auth-4711",
        "realm": "example.com",
        "host": "sip.example.com",
        "port": 5071,
        "transport": "tls",
        "backup_hosts": ["sip2.example.com", "192.0.2.11:5060"],
        "proxy": "proxy.example.com:5072",
        "ca_file": str(ca_file),
        "tls_pin": ":".join(f"{number:02X}" for number in range(32)),
        "expires": 600,
        "keep_alive": 0,
        "public_address": "203.0.113.10",
        "from_host": "public-address",
        "country": "CA",
        "number_format": "e164-plus",
        "tech_prefix": "1234",
        "tech_separator": "#",
        "caller_id": "+4930123456",
        "caller_id_format": "nanp-10",
        "caller_id_header": ["From", "P-Asserted-Identity"],
        "privacy": True,
        "dids": ["101", "203", "300-450"],
        "channels": 10,
        "codecs": ["PCMA", "G722"],
        "srtp": "require",
        "dtmf": "info",
        "session_timer": "required",
        "session_expires": 90,
        "prack": "supported",
    }
    assert list(kept) == keys_of_settings()
    ended = ringback.run("add", "--name", "Office", *as_options(as_words(kept)), "--json")
    assert ended.code == 0, ended
    assert list(ended.json) == keys("ringback add")
    assert ended.json["mended"] == []
    trunk = {"name": "Office", **kept, "register": False}
    assert ended.json["trunk"] == trunk
    assert (ended.json["password_saved"], ended.json["note"]) == (False, None)
    listed = ringback.run("trunks", "--json")
    assert (listed.code, listed.json) == (0, {"trunks": [trunk], "note": None})
    assert list(listed.json) == [key for key in keys("ringback trunks") if key in ("trunks", "note")]


def as_words(settings: dict[str, object]) -> dict[str, str]:
    """Values as `--set` takes them."""
    words = {}
    for key, value in settings.items():
        if isinstance(value, bool):
            words[key] = "yes" if value else "no"
        elif isinstance(value, list):
            words[key] = (";" if key in ("dids", "backup_hosts") else ",").join(value)
        else:
            words[key] = str(value)
    return words


def test_what_is_not_set_has_its_usual_value(ringback: Ringback) -> None:
    trunk = ringback.run("add", *OFFICE, "--json").json["trunk"]
    assert trunk == {
        "name": "Office",
        "provider": "",
        "connect": True,
        "allow_out": True,
        "allow_in": True,
        "notes": "",
        "sign_in": "register",
        "user": "4711",
        "auth_id": "",
        "realm": "*",
        "host": "sip.example.com",
        "port": None,
        "transport": "udp",
        "backup_hosts": [],
        "proxy": "",
        "ca_file": "",
        "tls_pin": "",
        "expires": 300,
        "keep_alive": 15,
        "public_address": "",
        "from_host": "provider",
        "country": "",
        "number_format": "as-typed",
        "tech_prefix": "",
        "tech_separator": "",
        "caller_id": "",
        "caller_id_format": "as-typed",
        "caller_id_header": ["From"],
        "privacy": False,
        "dids": [],
        "channels": None,
        "codecs": ["PCMU", "PCMA", "G722"],
        "srtp": "off",
        "dtmf": "rfc4733",
        "session_timer": "supported",
        "session_expires": 1800,
        "prack": "off",
        "register": True,
    }
    assert sorted(trunk) == sorted(["name", "register", *keys_of_settings()])


@pytest.mark.parametrize(
    ("options", "sign_in", "register"),
    [
        (["user=1", "register=yes"], "register", True),
        (["user=1", "register=no"], "credentials", False),
        (["register=no"], "address", False),
        (["sign_in=address"], "address", False),
    ],
)
def test_register_is_still_understood_and_told(
    ringback: Ringback, options: list[str], sign_in: str, register: bool
) -> None:
    words = [word for option in options for word in ("--set", option)]
    trunk = ringback.run("add", "--name", "A", "--set", "host=a.example", *words, "--json").json["trunk"]
    assert (trunk["sign_in"], trunk["register"]) == (sign_in, register)


def keys_of_settings() -> list[str]:
    """The settings that the documentation lists."""
    from tests.helpers.command import ROOT

    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    table = text[text.index("| setting | meaning |") :].split("\n\n")[0]
    return [line.split("`")[1] for line in table.splitlines() if line.startswith("| `")]


def test_words_say_what_was_saved_mended_and_is_next(ringback: Ringback) -> None:
    added = ringback.run(
        "add", "--name", "Main office", "--set", "host=sip:sip.example.com:5062", "--set", "user=1"
    )
    assert added.code == 0, added
    assert added.out.splitlines() == [
        'host: The "sip:" in front was taken off.',
        "host: Its port 5062 is now in Port (port).",
        'Main office is saved. Try it: ringback register "Main office" --password-stdin',
    ]
    assert ringback.run("trunks").out == "Main office  udp  1@sip.example.com:5062  registers\n"
    ringback.save("V6", host="2001:db8::1", port=5062, register="no", transport="tls")
    assert (
        ringback.run("trunks").out.splitlines()[1]
        == "V6           tls  [2001:db8::1]:5062  signs in by address"
    )
    assert ringback.run("remove", "V6").code == 0
    removed = ringback.run("remove", "main OFFICE")
    assert removed.code == 0, removed
    assert removed.out.startswith("Main office is deleted.")
    empty = ringback.run("trunks")
    assert (empty.code, empty.out) == (
        0,
        "No trunks yet. Add one with `ringback add`, or try `ringback demo`.\n",
    )
    assert ringback.run("trunks", "--json").json == {"trunks": [], "note": None}


REFUSED = {
    "unknown key": (["--set", "usr=1"], "usr", '"usr"', "Did you mean user?"),
    "word for a password": (
        ["--set", "password=hunter2"],
        "password",
        "passwords never are",
        "--password-stdin",
    ),
    "no value": (["--set", "port"], "", "--set port", "KEY=VALUE"),
    "twice": (["--set", "port=1", "--set", "port=2"], "port", "twice", "once"),
    "port too high": (["--set", "port=65536"], "port", '"65536"', "1 to 65535"),
    "port zero": (["--set", "port=0"], "port", '"0"', "1 to 65535"),
    "port no number": (["--set", "port=sip"], "port", '"sip"', "1 to 65535"),
    "transport": (["--set", "transport=ws"], "transport", '"ws"', "udp, tcp"),
    "expires": (["--set", "expires=-1"], "expires", '"-1"', "seconds"),
    "register": (["--set", "register=maybe"], "register", '"maybe"', "yes or no"),
    "codec": (["--set", "codecs=PCMX"], "codecs", '"PCMX"', "PCMU"),
    "proxy": (["--set", "proxy=http://x.y"], "proxy", "http://x.y", "sip.example.com"),
    "user": (["--set", "user=a b"], "user", '"a b"', "Take the blank out"),
    "ca_file": (["--set", "ca_file=/nowhere/ca.pem"], "ca_file", "/nowhere/ca.pem", "PEM"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_setting_is_refused_and_nothing_is_saved(ringback: Ringback, case: str) -> None:
    options, field, what, do = REFUSED[case]
    base = OFFICE[:4] if case == "user" else OFFICE
    ended = ringback.run("add", *base, *options, "--json")
    error = ended.error
    assert error["field"] == field
    assert what in error["what"]
    assert do in error["do"]
    assert "hunter2" not in ended.out
    assert ringback.saved_names() == []


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (["--name", "Office", "--set", "user=4711"], "host"),
        (["--name", "Office", "--set", "host=sip.example.com"], "user"),
        (["--set", "host=sip.example.com", "--set", "user=4711"], "name"),
        (["--name", "  ", "--set", "host=sip.example.com", "--set", "user=4711"], "name"),
    ],
)
def test_what_is_needed_must_be_there(ringback: Ringback, options: list[str], field: str) -> None:
    error = ringback.run("add", *options, "--json").error
    assert error["field"] == field
    assert "needed" in error["what"] or "has no name" in error["what"]
    assert ringback.saved_names() == []


def test_a_taken_name_is_refused_in_any_case_and_the_first_trunk_stays(ringback: Ringback) -> None:
    ringback.save("Office", host="sip.example.com", user="1")
    ended = ringback.run("add", "--name", "OFFICE", "--set", "host=other.example.com", "--set", "user=2")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == 'ringback: There is a trunk called "Office" already.\n  Choose another name.\n'
    assert ringback.saved_names() == ["Office"]


@pytest.mark.parametrize("command", ["remove", "register", "call"])
def test_an_unknown_name_is_told_with_the_one_that_was_meant(ringback: Ringback, command: str) -> None:
    ringback.save("Office", host="sip.example.com", user="1")
    error = ringback.run(command, "Ofice", *(["600"] if command == "call" else []), "--json").error
    assert '"Ofice"' in error["what"]
    assert error["do"] == 'Did you mean "Office"?'
    assert error["field"] == "name"
    assert ringback.saved_names() == ["Office"]


def test_removing_in_json_gives_the_name_as_it_was_saved(ringback: Ringback) -> None:
    ringback.save("Office", host="sip.example.com", user="1")
    ended = ringback.run("remove", "office", "--json")
    assert ended.code == 0, ended
    assert list(ended.json) == keys("ringback remove")
    assert ended.json["removed"] == "Office"
    assert ringback.saved_names() == []


@pytest.mark.parametrize(
    "words",
    [
        ["frobnicate"],
        ["register"],
        ["rename", "Office"],
        ["move", "Office", "first"],
        ["import"],
        ["call", "Office"],
        ["call", "Office", "600", "--seconds", "soon"],
        ["call", "Office", "600", "--send", "music"],
        ["trunks", "--jso"],
    ],
)
def test_a_wrong_word_on_the_command_line_is_told_with_the_usage(
    ringback: Ringback, words: list[str]
) -> None:
    ended = ringback.run(*words)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("usage: ringback")
    assert not ringback.data.exists()


@pytest.mark.parametrize("words", [["--password", "hunter2"], ["--password=hunter2"]])
def test_a_password_as_an_option_is_refused_without_repeating_it(
    ringback: Ringback, words: list[str]
) -> None:
    ended = ringback.run("add", *OFFICE, *words)
    assert (ended.code, ended.out) == (2, "")
    assert "--password-stdin" in ended.err
    assert "hunter2" not in ended.err


def test_the_settings_can_be_listed(ringback: Ringback) -> None:
    ended = ringback.run("--help-settings")
    assert ended.code == 0, ended
    assert [line.split()[0] for line in ended.out.splitlines()[1:]] == keys_of_settings()
