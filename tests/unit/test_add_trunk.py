"""The wizard's flow without a window: fields, problems, mends, and the trunk that comes of it."""

from __future__ import annotations

import pytest

from app.errors import SettingError
from app.flows.add_trunk import OTHER, AddTrunk, refusal_of
from app.flows.form import PASSWORD, SERVER, WizardPage
from app.model.settings import Kind
from app.model.trunk import NumberFormat, SignIn, Srtp, Transport
from app.providers import catalogue
from app.providers.schema import Provider

PAGES = (WizardPage.SIGN_IN, WizardPage.SERVER, WizardPage.NUMBERS)

EXAMPLE = """
id = "example"
name = "Example Tel (formerly Sample)"
countries = ["CA", "US"]
summary = "A provider for tests."
checked = "2026-11"
confidence = "documented"

[[sign_ins]]
method = "register"
user = { label = "Account", pattern = "[0-9]{6}", example = "123456" }
password = { label = "SIP password", pattern = "[A-Za-z0-9]{4,38}", help = "Letters and digits only." }
where = "Portal > Accounts"

[[sign_ins]]
method = "address"

[[questions]]
key = "trunk"
page = "server"
field = { label = "Trunk name", pattern = "[a-z0-9-]+", example = "my-company" }

[[questions]]
key = "encrypted"
page = "server"
methods = ["register"]
field = { label = "Encryption" }
choices = [
  { value = "no", label = "Off" },
  { value = "yes", label = "On", sets = { transport = "tls", srtp = "require" } },
]

[[questions]]
key = "tech_prefix"
page = "numbers"
methods = ["address"]
field = { label = "Tech prefix", pattern = "[0-9]{4}", example = "1234" }

[signalling]
expires = 120
transports = [{ protocol = "udp", port = 5080 }, { protocol = "tls", port = 5061 }]
servers = [
  { host = "{trunk}.sip.example.com", region = "Montreal" },
  { host = "{trunk}.eu.example.com", region = "London" },
  { host = "192.0.2.7", methods = ["address"] },
]

[media]
codecs = ["G729", "PCMA", "PCMU"]

[numbers]
destination = "nanp-11"
tech_separator = "*"
caller_id = "e164-plus"
caller_id_header = ["P-Asserted-Identity"]
"""


@pytest.fixture
def flow(monkeypatch: pytest.MonkeyPatch) -> AddTrunk:
    """A flow at the sign-in of a provider that has a bit of everything."""
    provider = catalogue.parse("example", EXAMPLE.encode())

    def find(provider_id: str) -> Provider:
        assert provider_id == "example"
        return provider

    monkeypatch.setattr(catalogue, "IDS", ("example",))
    monkeypatch.setattr(catalogue, "find", find)
    made = AddTrunk(["Example Tel"])
    made.choose_provider("example")
    return made


def keys(flow: AddTrunk, page: WizardPage) -> list[str]:
    return [field.key for field in flow.fields(page)]


def answer(flow: AddTrunk, **answers: str) -> None:
    for key, text in answers.items():
        flow.answer(key, text)


def test_fields_come_in_the_providers_words_and_for_its_way_to_sign_in(flow: AddTrunk) -> None:
    assert keys(flow, WizardPage.SIGN_IN) == ["name", "sign_in", "user", PASSWORD]
    user = next(field for field in flow.fields(WizardPage.SIGN_IN) if field.key == "user")
    assert user.label == "Account"
    assert user.required
    assert keys(flow, WizardPage.SERVER) == ["trunk", "encrypted", SERVER, "port"]
    assert "tech_prefix" not in keys(flow, WizardPage.NUMBERS)
    flow.choose_sign_in(SignIn.ADDRESS)
    assert keys(flow, WizardPage.SIGN_IN) == ["name", "sign_in"]
    assert keys(flow, WizardPage.SERVER) == ["trunk", SERVER, "transport", "port"]
    assert "tech_prefix" in keys(flow, WizardPage.NUMBERS)
    assert len(flow.servers()) == 3


def test_the_name_is_the_providers_and_not_one_that_is_taken(flow: AddTrunk) -> None:
    assert flow.name == "Example Tel 2"
    answer(flow, name="  example tel ")
    (problem,) = (
        problem for problem in flow.problems(WizardPage.SIGN_IN, password="abcd") if problem.key == "name"
    )
    assert "Another trunk has this name" in problem.text


def test_the_trunk_has_the_answers_and_the_providers_settings(flow: AddTrunk) -> None:
    answer(flow, user="123456", trunk="acme", caller_id="+15145550100", dids="15145550100-15145550109")
    trunk = flow.trunk("1" * 32)
    assert trunk.provider == "example"
    assert trunk.name == "Example Tel 2"
    assert trunk.host == "acme.sip.example.com"
    assert (trunk.transport, trunk.port, trunk.expires) == (Transport.UDP, 5080, 120)
    assert trunk.codecs == ("PCMA", "PCMU")
    assert trunk.number_format is NumberFormat.NANP_11
    assert trunk.caller_id_header == ("P-Asserted-Identity",)
    assert trunk.country == "CA"
    assert trunk.tech_separator == ""
    assert trunk.dids == ("15145550100-15145550109",)
    assert refusal_of(flow, "abcd") is None


def test_a_choice_sets_what_belongs_together_and_the_port_follows_the_transport(flow: AddTrunk) -> None:
    answer(flow, user="123456", trunk="acme", encrypted="yes")
    trunk = flow.trunk()
    assert (trunk.transport, trunk.port, trunk.srtp) == (Transport.TLS, None, Srtp.REQUIRE)
    answer(flow, port="5071")
    assert flow.trunk().port == 5071


def test_another_server_can_be_chosen_or_typed(flow: AddTrunk) -> None:
    answer(flow, user="123456", trunk="acme", server="{trunk}.eu.example.com")
    assert flow.trunk().host == "acme.eu.example.com"
    answer(flow, server="sip9.example.com")
    assert flow.trunk().host == "sip9.example.com"
    answer(flow, server="not a host")
    (problem,) = flow.problems(WizardPage.SERVER)
    assert problem.key == SERVER


def test_answers_of_another_way_to_sign_in_are_kept_but_say_nothing(flow: AddTrunk) -> None:
    answer(flow, user="123456", trunk="acme")
    flow.choose_sign_in(SignIn.ADDRESS)
    answer(flow, tech_prefix="1234")
    assert flow.trunk().user == ""
    assert (flow.trunk().tech_prefix, flow.trunk().tech_separator) == ("1234", "*")
    flow.choose_sign_in(SignIn.REGISTER)
    assert flow.trunk().user == "123456"
    assert flow.trunk().tech_prefix == ""


def test_going_to_another_provider_and_back_loses_nothing(flow: AddTrunk) -> None:
    answer(flow, user="123456")
    flow.choose_provider(OTHER)
    assert flow.draft.answers == {}
    answer(flow, host="sip.other.example")
    flow.choose_provider("example")
    assert flow.draft.answers["user"] == "123456"
    flow.choose_provider(OTHER)
    assert flow.draft.answers["host"] == "sip.other.example"


@pytest.mark.parametrize(
    ("key", "typed", "kept"),
    [
        ("trunk", "acme.sip.example.com", "acme"),
        ("trunk", " sip:acme.eu.example.com:5060 ", "acme"),
        ("trunk", "  acme", "acme"),
        ("user", " 123456 ", "123456"),
        ("caller_id", "+1 (514) 555-0100", "+15145550100"),
    ],
)
def test_what_was_pasted_is_mended_and_told(flow: AddTrunk, key: str, typed: str, kept: str) -> None:
    flow.answer(key, typed)
    mend = flow.mend(key)
    assert mend
    assert mend.text == kept
    assert mend.what
    assert flow.draft.answers[key] == kept
    assert flow.mend(key) is None


@pytest.mark.parametrize(
    ("key", "typed", "says"),
    [
        ("user", "", "needed"),
        ("user", "12345", "123456"),
        ("user", "12345\u0436", "Account"),
        ("trunk", "", "needed"),
        ("trunk", "Acme Ltd", "my-company"),
        ("trunk", "a" * 300, "At most"),
        ("trunk", "a\x00b", "control character"),
        ("encrypted", "maybe", "Encryption"),
        ("port", "99999", "Port"),
        ("caller_id", "+1 514 \u2603", "Caller ID"),
        ("country", "Germany", "Country"),
        ("channels", "0", "Channels"),
        ("dids", "300-299", "DIDs"),
    ],
)
def test_a_bad_answer_is_refused_below_its_field(flow: AddTrunk, key: str, typed: str, says: str) -> None:
    answer(flow, user="123456", trunk="acme")
    flow.answer(key, typed)
    page, field = flow.page_of(key)
    (problem,) = flow.problems(page, password="abcd")
    assert problem.key == field == key
    assert says in problem.text
    error = refusal_of(flow, "abcd")
    assert error
    assert error.field == key


def test_a_password_is_checked_and_never_repeated(flow: AddTrunk) -> None:
    answer(flow, user="123456", trunk="acme")
    (problem,) = flow.problems(WizardPage.SIGN_IN, password="se#cret")
    assert problem.key == PASSWORD
    assert "se#cret" not in problem.text
    assert "Letters and digits" in problem.text
    (problem,) = flow.problems(WizardPage.SIGN_IN, password="")
    assert problem.missing
    with pytest.raises(AssertionError):
        flow.answer(PASSWORD, "secret")


@pytest.mark.parametrize(
    ("key", "page", "field"),
    [
        ("password", WizardPage.SIGN_IN, "password"),
        ("user", WizardPage.SIGN_IN, "user"),
        ("host", WizardPage.SERVER, "trunk"),
        ("transport", WizardPage.SERVER, "transport"),
        ("proxy", WizardPage.SERVER, "proxy"),
        ("caller_id", WizardPage.NUMBERS, "caller_id"),
        ("number_format", WizardPage.NUMBERS, "number_format"),
    ],
)
def test_every_setting_leads_back_to_where_it_is_asked(
    flow: AddTrunk, key: str, page: WizardPage, field: str
) -> None:
    assert flow.page_of(key) == (page, field)


def test_a_provider_that_is_not_in_the_catalogue_is_asked_everything(flow: AddTrunk) -> None:
    flow.choose_provider(OTHER)
    assert keys(flow, WizardPage.SIGN_IN) == ["name", "sign_in", "user", "auth_id", PASSWORD]
    assert "host" in keys(flow, WizardPage.SERVER)
    assert {"country", "number_format", "caller_id"} <= set(keys(flow, WizardPage.NUMBERS))
    answer(flow, name="X", user="1", host="sip:sip.example.net:5070;lr")
    flow.mend("host")
    trunk = flow.trunk()
    assert (trunk.host, trunk.provider) == ("sip.example.net", "")


def test_an_unknown_provider_is_refused_with_near_ones() -> None:
    with pytest.raises(SettingError) as caught:
        AddTrunk().choose_provider("twillio")
    assert "twilio" in caught.value.do


def test_every_field_has_words_and_a_value_that_fits() -> None:
    flow = AddTrunk()
    for page in PAGES:
        for field in flow.fields(page):
            assert field.label
            if field.kind is Kind.CHOICE:
                assert len(field.words) == len(field.choices)
                assert field.value in field.choices


def test_port_and_transport_that_were_pasted_with_the_host_go_into_their_fields() -> None:
    flow = AddTrunk()
    flow.answer("host", "sips:sip.example.com:5071")
    mend = flow.mend("host")
    assert mend is not None
    assert mend.text == "sip.example.com"
    held = {field.key: field.value for field in flow.fields(WizardPage.SERVER)}
    assert (held["host"], held["port"], held["transport"]) == ("sip.example.com", "5071", "tls")


def test_host_behind_the_user_is_not_told_to_be_in_a_field_that_is_not_there(flow: AddTrunk) -> None:
    flow.choose_provider("example")
    flow.answer("user", "123456@sip.example.com")
    mend = flow.mend("user")
    assert mend is not None
    assert (mend.text, mend.what) == ("123456", "Only 123456 is needed here.")


@pytest.mark.parametrize("provider", [provider.id for provider in catalogue.providers()])
def test_no_page_asks_the_same_twice(provider: str) -> None:
    flow = AddTrunk()
    flow.choose_provider(provider)
    for sign_in in catalogue.find(provider).sign_ins:
        flow.choose_sign_in(SignIn(sign_in.method))
        for page in PAGES:
            asked = keys(flow, page)
            assert len(asked) == len(set(asked))
