"""Providers on the command line: listing them, and adding a trunk as the wizard does."""

from __future__ import annotations

import pytest

from app.paths import paths_in
from app.providers import catalogue
from app.store import Store
from tests.cli.documented import keys
from tests.helpers.command import Ringback

ADD_VOIPMS = ("add", "--provider", "voipms", "--answer", "user=100000_desk")


def test_all_providers_are_listed(ringback: Ringback) -> None:
    listed = ringback.run("providers", "--json").json["providers"]
    assert sorted(provider["id"] for provider in listed) == sorted(catalogue.IDS)
    assert [list(provider) for provider in listed] == [keys("ringback providers")] * len(listed)
    shown = ringback.run("providers")
    assert shown.code == 0
    for provider in listed:
        assert provider["name"] in shown.out


def test_one_provider_says_what_it_asks_and_where_that_stands(ringback: Ringback) -> None:
    told = ringback.run("providers", "voipms", "--json").json
    asked = {field["key"]: field for field in told["asked"]["register"]}
    assert asked["user"]["required"]
    assert asked["password"]["label"]
    assert len(asked["server"]["choices"]) > 50
    shown = ringback.run("providers", "voipms")
    assert shown.code == 0
    assert "--password-stdin" in shown.out
    assert "Where to find it" in shown.out


def test_an_unknown_provider_is_refused_with_near_ones(ringback: Ringback) -> None:
    error = ringback.run("providers", "voip.ms", "--json").error
    assert "voipms" in error["do"]
    assert error["field"] == "provider"


def test_a_trunk_is_added_by_its_providers_questions(ringback: Ringback) -> None:
    told = ringback.run(
        *ADD_VOIPMS,
        "--answer",
        "server=toronto3.voip.ms",
        "--answer",
        "encrypted=yes",
        "--json",
        password="S3cret",
    ).json
    trunk = told["trunk"]
    assert trunk["name"] == "VoIP.ms"
    assert (trunk["provider"], trunk["host"], trunk["transport"]) == ("voipms", "toronto3.voip.ms", "tls")
    assert (trunk["srtp"], trunk["sign_in"], trunk["register"]) == ("require", "register", True)
    assert trunk["number_format"] == "nanp-11"
    assert trunk["caller_id_header"] == ["Remote-Party-ID"]
    again = ringback.run(*ADD_VOIPMS, "--json", password="S3cret").json["trunk"]
    assert again["name"] == "VoIP.ms 2"


def test_any_setting_can_be_given_besides(ringback: Ringback) -> None:
    told = ringback.run(
        *ADD_VOIPMS,
        "--name",
        "Desk",
        "--set",
        "expires=600",
        "--set",
        "caller_id=5145550123",
        "--json",
        password="x1",
    ).json["trunk"]
    assert (told["name"], told["expires"], told["caller_id"]) == ("Desk", 600, "5145550123")


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("--answer", "server=voip.ms:1:2"), "server"),
        (("--answer", "encrypted=maybe"), "encrypted"),
        (("--answer", "caller_id=12"), "caller_id"),
        (("--answer", "password=x"), "password"),
        (("--answer", "colour=red"), "colour"),
        (("--answer", "srtp=off"), "srtp"),
        (("--method", "credentials"), "method"),
        (("--set", "expires=1"), "expires"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_a_bad_answer_is_refused_and_nothing_is_saved(
    ringback: Ringback, words: tuple[str, ...], field: str
) -> None:
    error = ringback.run(*ADD_VOIPMS, *words, "--json", password="x1").error
    assert error["field"] == field
    with Store.open(paths_in(ringback.data)) as store:
        assert store.trunks() == ()


def test_a_missing_answer_is_named(ringback: Ringback) -> None:
    error = ringback.run("add", "--provider", "twilio", "--answer", "user=x", "--json", password="x1").error
    assert "needed" in error["what"]
    error = ringback.run("add", "--json").error
    assert error["field"] == "name"
