"""The catalogue: every provider's file is sound, and a bad one is refused naming file, table and key."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import SettingError
from app.model.settings import apply_settings
from app.model.trunk import Trunk
from app.providers import catalogue
from app.providers.schema import Field, Provider
from app.shipped import ShippedDataError

FOLDER = Path(catalogue.__file__).parent / "data"
BLANK = Trunk(id="", name="", host="")
REALM = 'realm = "sip.twilio.com"'
FINDINGS = 'findings = ["CALL-403", "AUTH-LOOP", "SOURCE"]'
GOOD = (FOLDER / "twilio.toml").read_text(encoding="utf-8")


def fields(provider: Provider) -> list[Field]:
    found = [question.field for question in provider.questions]
    for facts in provider.sign_ins:
        found += [field for field in (facts.user, facts.password, facts.auth_id) if field]
    return found


def test_every_file_in_the_folder_is_in_the_catalogue() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.toml")) == sorted(catalogue.IDS)
    assert [provider.name for provider in catalogue.providers()]


@pytest.mark.parametrize("provider_id", catalogue.IDS)
def test_a_provider_has_what_its_customers_need(provider_id: str) -> None:
    provider = catalogue.find(provider_id)
    assert provider.summary.endswith(".")
    assert provider.refusals
    assert provider.sources
    assert provider.unknown
    for field in fields(provider):
        assert not field.example or catalogue.matches(field, field.example)
    for facts in provider.sign_ins:
        sign_in = catalogue.sign_in_of(facts.method)
        if sign_in:
            apply_settings(BLANK, catalogue.defaults(provider_id, sign_in))


@pytest.mark.parametrize("provider_id", ["airenetworks", "telstra", "voxtelesys"])
def test_thin_facts_are_said_and_no_server_is_made_up(provider_id: str) -> None:
    provider = catalogue.find(provider_id)
    assert provider.thin
    assert all("airenetworks" not in server.host for server in provider.signalling.servers)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('id = "twilio"', 'id = "twilio"\ncolour = "red"', "colour"),
        ('id = "twilio"', 'id = "other"', "id"),
        ('checked = "2026-11"', 'checked = "soon"', "checked"),
        ("port = 5060", "port = 70000", "signalling.transports[0].port"),
        ("port = 5060", 'port = "5060"', "signalling.transports"),
        ('"PCMU"', '"MP3"', "media.codecs"),
        ('"54.172.60.0/30"', '"54.172.60.1/30"', "network.signalling"),
        ('"54.172.60.0/30"', '"nonsense"', "network.signalling"),
        ("{trunk}.pstn", "{nobody}.pstn", "nobody"),
        ("{trunk}.pstn.twilio.com", "{trunk} pstn", "signalling.servers"),
        ('countries = ["US"', 'countries = ["USA"', "countries"),
        (REALM, f"{REALM}\nregister_challenge = 403", "register_challenge"),
        (REALM, f'{REALM}\nregister_challenge = "407"', "register_challenge"),
        (REALM, f"{REALM}\nregister_challenge = 407", "sign_ins[0].register_challenge: is there"),
        (FINDINGS, FINDINGS + '\nchanged = "relm"', 'troubles[1].changed: "relm" is no setting'),
        (FINDINGS, FINDINGS + '\nfield = "relm"', "troubles[1].field"),
        (FINDINGS, FINDINGS + '\nhost = "("', "troubles[1].host: is no regular expression"),
        (FINDINGS, FINDINGS + '\nreason = "("', "troubles[1].reason: is no regular expression"),
        (FINDINGS, FINDINGS + '\nmethods = ["post"]', "troubles"),
        (FINDINGS, 'field = "realm"', "troubles[1].findings: is missing"),
    ],
)
def test_a_bad_file_is_refused_naming_file_table_and_key(old: str, new: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(ShippedDataError) as caught:
        catalogue.parse("twilio", GOOD.replace(old, new).encode())
    assert "data/twilio.toml" in str(caught.value)
    assert says in str(caught.value)


def test_one_provider_is_known_to_challenge_a_registration_as_a_proxy_does() -> None:
    proxies = {
        provider.id
        for provider in catalogue.providers()
        for facts in provider.sign_ins
        if facts.register_challenge == 407
    }
    assert proxies == {"callcentric"}


def test_a_pattern_that_is_none_is_refused() -> None:
    bad = GOOD + '\n[[questions]]\nkey = "notes"\npage = "numbers"\nfield = { label = "x", pattern = "(" }\n'
    with pytest.raises(ShippedDataError, match="pattern"):
        catalogue.parse("twilio", bad.encode())


def test_an_unknown_provider_is_refused_and_has_no_defaults() -> None:
    with pytest.raises(SettingError):
        catalogue.find("nobody")
    assert catalogue.defaults("nobody", BLANK.sign_in) == {}
    assert catalogue.name_of("nobody") == "nobody"
