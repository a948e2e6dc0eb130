"""Numbers as each provider wants them, and numbers that are left alone."""

from __future__ import annotations

import random
import subprocess
import sys

import msgspec
import phonenumbers
import pytest

from app.model.countries import COUNTRIES
from app.model.numbering import write_caller_id, write_destination, write_number
from app.model.settings import apply_settings
from app.model.trunk import NumberFormat, SignIn, Trunk
from app.providers import catalogue

BLANK = Trunk(id="1" * 32, name="Office", host="192.0.2.1", sign_in=SignIn.ADDRESS)
REGISTER, CREDENTIALS, ADDRESS = SignIn.REGISTER, SignIn.CREDENTIALS, SignIn.ADDRESS

US = ("5145550199", "15145550199", "+15145550199", "01115145550199", "0015145550199")
"""One Canadian number in every way to dial it there."""
FORMATS = tuple(wanted for wanted in NumberFormat if wanted is not NumberFormat.AS_TYPED)
GB = ("02079460018", "442079460018", "+442079460018", "00442079460018")
AU = ("0255500000", "61255500000", "+61255500000", "001161255500000")
NL = ("0201234567", "31201234567", "+31201234567", "0031201234567")
FROM_US = ("+442079460018", "011442079460018", "00442079460018")
"""A British number as dialled in North America."""


def trunk_of(provider: str, sign_in: SignIn, **settings: str) -> Trunk:
    """A trunk with all that its provider's page in the catalogue sets."""
    given = {**catalogue.defaults(provider, sign_in), **settings}
    return apply_settings(msgspec.structs.replace(BLANK, provider=provider, sign_in=sign_in), given)[0]


# Provider, sign-in, settings besides, ways to type one number, what is sent
DESTINATIONS: list[tuple[str, SignIn, dict[str, str], tuple[str, ...], str]] = [
    ("airenetworks", REGISTER, {}, ("612345678", "+34612345678"), ""),
    ("airenetworks", REGISTER, {"number_format": "e164", "country": "ES"}, ("612345678",), "34612345678"),
    *(
        row
        for provider in ("bandwidth", "questblue", "telnyx", "twilio", "voxtelesys", "wavix")
        for row in (
            (provider, ADDRESS, {}, US, "+15145550199"),
            (provider, ADDRESS, {}, FROM_US, "+442079460018"),
        )
    ),
    *(
        row
        for provider in ("callcentric", "siptrunk", "skyetel", "voipms")
        for row in (
            (provider, REGISTER, {}, US, "15145550199"),
            (provider, REGISTER, {}, FROM_US, "011442079460018"),
            (provider, REGISTER, {}, ("+18765550199", "8765550199"), "18765550199"),
        )
    ),
    ("voipinnovations", ADDRESS, {}, US, "15145550199"),
    ("voipinnovations", ADDRESS, {"tech_prefix": "1234"}, US, "123415145550199"),
    *(
        row
        for sign_in in (REGISTER, CREDENTIALS, ADDRESS)
        for row in (
            ("cmcom", sign_in, {}, NL, "+31201234567"),
            ("cmcom", sign_in, {"country": "BE"}, ("022345678", "+3222345678"), "+3222345678"),
            ("flowroute", sign_in, {}, US, "15145550199"),
            ("flowroute", sign_in, {}, FROM_US, "442079460018"),
        )
    ),
    ("flowroute", ADDRESS, {"tech_prefix": "12345678"}, US, "12345678*15145550199"),
    ("flowroute", ADDRESS, {"tech_prefix": "12345678", "tech_separator": "#"}, US, "12345678#15145550199"),
    ("flowroute", ADDRESS, {"tech_prefix": "12345678"}, ("12345678*5145550199",), "12345678*15145550199"),
    ("gamma", ADDRESS, {}, GB, "02079460018"),
    ("gamma", ADDRESS, {}, ("08001111", "+448001111"), "08001111"),
    ("gamma", ADDRESS, {}, ("+15145550199", "0015145550199"), "0015145550199"),
    ("gamma", ADDRESS, {}, ("+39064567890", "0039064567890"), "0039064567890"),
    ("telnyx", ADDRESS, {"tech_prefix": "1234"}, (*US, "1234+15145550199"), "123415145550199"),
    ("telnyx", REGISTER, {"country": "IE"}, ("012345678", "+35312345678"), "+35312345678"),
    ("telstra", REGISTER, {}, AU, "+61255500000"),
    ("telstra", REGISTER, {}, ("1300123456",), "+611300123456"),
    ("telstra", REGISTER, {}, ("+6421234567", "00116421234567"), "+6421234567"),
    ("voicemeup", REGISTER, {}, ("5145550199",), "5145550199"),
    ("voicemeup", REGISTER, {}, ("+15145550199",), "+15145550199"),
    ("vonage", CREDENTIALS, {}, US, "15145550199"),
    ("vonage", CREDENTIALS, {"country": "GB"}, ("07700900123", "+447700900123"), "447700900123"),
    ("voxtelesys", ADDRESS, {"tech_prefix": "99"}, US, "9915145550199"),
]


def test_every_provider_of_the_catalogue_is_in_the_tables() -> None:
    assert {row[0] for row in DESTINATIONS} == {row[0] for row in CALLER_IDS} == set(catalogue.IDS)


@pytest.mark.parametrize(("provider", "sign_in", "settings", "typed", "sent"), DESTINATIONS)
def test_a_destination_is_written_as_its_provider_wants_it(
    provider: str, sign_in: SignIn, settings: dict[str, str], typed: tuple[str, ...], sent: str
) -> None:
    trunk = trunk_of(provider, sign_in, **settings)
    for number in typed:
        written = write_destination(trunk, number)
        # Without a known form the number stays as it is
        assert (written.text, written.note) == (sent or number, ""), number


CALLER_IDS: list[tuple[str, SignIn, dict[str, str], tuple[str, ...], str]] = [
    ("airenetworks", REGISTER, {}, ("612345678",), "612345678"),
    *(
        row
        for provider in ("bandwidth", "telnyx", "twilio")
        for row in (
            (provider, CREDENTIALS, {}, US, "+15145550199"),
            (provider, CREDENTIALS, {}, FROM_US, "+442079460018"),
        )
    ),
    ("callcentric", REGISTER, {}, ("17771234567",), "17771234567"),
    ("cmcom", ADDRESS, {}, NL, "+31201234567"),
    ("flowroute", ADDRESS, {}, US, "15145550199"),
    ("flowroute", ADDRESS, {"tech_prefix": "12345678"}, US, "15145550199"),
    ("gamma", ADDRESS, {}, GB, "+442079460018"),
    ("questblue", ADDRESS, {}, ("5145550199",), "5145550199"),
    ("siptrunk", REGISTER, {}, ("5145550199",), "5145550199"),
    ("skyetel", REGISTER, {}, ("5145550199",), "5145550199"),
    ("telstra", REGISTER, {}, ("0255500000",), "0255500000"),
    ("voicemeup", REGISTER, {}, US, "+15145550199"),
    ("voipinnovations", ADDRESS, {}, ("5145550199",), "5145550199"),
    ("voipms", REGISTER, {}, US, "5145550199"),
    ("voipms", REGISTER, {}, FROM_US, "+442079460018"),
    ("vonage", CREDENTIALS, {}, US, "15145550199"),
    ("voxtelesys", ADDRESS, {}, ("+15145550199",), "+15145550199"),
    ("wavix", REGISTER, {}, US, "15145550199"),
]


@pytest.mark.parametrize(("provider", "sign_in", "settings", "typed", "sent"), CALLER_IDS)
def test_a_caller_id_is_written_as_its_provider_wants_it(
    provider: str, sign_in: SignIn, settings: dict[str, str], typed: tuple[str, ...], sent: str
) -> None:
    for number in typed:
        trunk = trunk_of(provider, sign_in, caller_id=number, **settings)
        written = write_caller_id(trunk)
        assert (written.text, written.note) == (sent, ""), number


@pytest.mark.parametrize("provider", catalogue.IDS)
@pytest.mark.parametrize("number", ["4443", "933", "7042", "101", "118118", "*97", "*225", "#21#", "anna"])
def test_short_numbers_service_codes_and_sip_users_are_left_alone(provider: str, number: str) -> None:
    trunk = trunk_of(provider, ADDRESS)
    assert write_destination(trunk, number).text == number
    assert write_caller_id(msgspec.structs.replace(trunk, caller_id=number)).text == number


@pytest.mark.parametrize("provider", catalogue.IDS)
def test_every_test_number_of_a_provider_is_sent_as_the_catalogue_has_it(provider: str) -> None:
    for test in catalogue.find(provider).test_numbers:
        assert write_destination(trunk_of(provider, ADDRESS), test.number).text == test.number


@pytest.mark.parametrize("number", ["*97", "#21#", "anna.smith", "12345678*97"])
@pytest.mark.parametrize("separator", ["", "*", "#"])
def test_service_codes_and_sip_users_get_no_tech_prefix(number: str, separator: str) -> None:
    trunk = trunk_of("flowroute", ADDRESS, tech_prefix="1234", tech_separator=separator)
    assert write_destination(trunk, number).text == number


@pytest.mark.parametrize(
    ("separator", "typed", "sent"),
    [
        ("", "5145550199", "123415145550199"),
        ("", "12345145550199", "123415145550199"),
        ("", "123415145550199", "123415145550199"),
        ("", "1234+15145550199", "123415145550199"),
        ("", "12345550199", "123412345550199"),  # begins like the prefix, and is +1 234 555 0199
        ("", "1234", "12341234"),
        ("", "4443", "12344443"),
        ("*", "1234*5145550199", "1234*15145550199"),
        ("*", "1234*+442079460018", "1234*442079460018"),
        ("*", "1234*4443", "1234*4443"),
        ("*", "12345145550199", "1234*12345145550199"),
        ("*", "1234#5145550199", "1234#5145550199"),
        ("#", "5145550199", "1234#15145550199"),
        ("#", "1234#5145550199", "1234#15145550199"),
    ],
)
def test_a_tech_prefix_is_put_in_front_once(separator: str, typed: str, sent: str) -> None:
    trunk = trunk_of("flowroute", ADDRESS, tech_prefix="1234", tech_separator=separator)
    assert write_destination(trunk, typed).text == sent


def test_a_separator_without_a_prefix_is_not_sent() -> None:
    assert write_destination(trunk_of("flowroute", ADDRESS), "5145550199").text == "15145550199"


def test_numbers_as_typed_get_only_the_prefix() -> None:
    trunk = msgspec.structs.replace(BLANK, tech_prefix="1234", tech_separator="*", country="US")
    assert write_destination(trunk, "+44 20".replace(" ", "")).text == "1234*+4420"
    assert write_destination(trunk, "1234*600").text == "1234*600"


@pytest.mark.parametrize(
    ("number", "country", "note"),
    [
        ("5145550199", "", "has no country code, and the trunk's country is not set"),
        ("15145550199", "", "has no country code, and the trunk's country is not set"),
        ("5550199", "US", "is no telephone number in US"),
        ("447911123456", "US", "is no telephone number in US"),
        ("14085550123", "GB", "is no telephone number in GB"),
        ("11145550199", "US", "is no telephone number in US"),
        ("02012345678", "SG", "is no telephone number in SG"),
        ("+1555019", "US", "is no telephone number in US"),
        ("+999123456789", "", "is no telephone number"),
        ("1" * 40, "US", "is no telephone number in US"),
        ("0000000000", "GB", "is no telephone number in GB"),
        ("+61004173893", "AU", "is no telephone number in AU"),
        ("4443", "CA", "is a short number"),
    ],
)
def test_what_can_not_be_written_stays_as_it_is_and_says_why(number: str, country: str, note: str) -> None:
    for wanted in FORMATS:
        written = write_number(number, country, wanted)
        assert written.text == number
        assert written.note == f"{number} {note}, so its digits are sent as typed."


def test_the_0_that_is_dialled_inside_the_country_is_taken_out_behind_its_code() -> None:
    assert write_number("+4402079460018", "GB", NumberFormat.E164_PLUS).text == "+442079460018"
    assert write_number("+39064567890", "GB", NumberFormat.E164_PLUS).text == "+39064567890"


@pytest.mark.parametrize(
    ("number", "country", "national"),
    [
        ("+15145550199", "US", "15145550199"),
        ("+15145550199", "GB", "0015145550199"),
        ("+442079460018", "US", "011442079460018"),
        ("+442079460018", "AU", "0011442079460018"),
        ("+442079460018", "JP", "010442079460018"),
        ("+442079460018", "", "+442079460018"),
        ("+39064567890", "IT", "064567890"),
        ("+34612345678", "ES", "612345678"),
        ("+61255500000", "AU", "0255500000"),
        ("+4915112345678", "DE", "015112345678"),
        ("+6561234567", "SG", "61234567"),
    ],
)
def test_national_is_as_dialled_in_the_country(number: str, country: str, national: str) -> None:
    assert write_number(number, country, NumberFormat.NATIONAL).text == national


def test_a_caller_id_of_another_country_never_has_an_international_prefix() -> None:
    for wanted in (NumberFormat.NANP_10, NumberFormat.NANP_11, NumberFormat.NATIONAL):
        trunk = msgspec.structs.replace(
            BLANK, country="US", caller_id="+442079460018", caller_id_format=wanted, number_format=wanted
        )
        assert write_caller_id(trunk).text == "+442079460018"
        assert write_destination(trunk, "+442079460018").text == "011442079460018"


# Properties

HOMES = ("AU", "BE", "CA", "DE", "DK", "ES", "FR", "GB", "IE", "IT", "JP", "NL", "NZ", "SE", "SG", "US")


def dialled_numbers(seed: int, count: int) -> list[str]:
    """Numbers as people dial them, and digits that are none."""
    dice = random.Random(seed)
    found = []
    for _ in range(count):
        digits = "".join(dice.choices("0123456789", k=dice.randint(1, 16)))
        found.append(dice.choice(["", "", "+", "00", "011", "0"]) + digits)
    for region in HOMES:
        example = phonenumbers.example_number(region)
        found.append(phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164))
        found.append(str(example.national_number))
    return found


@pytest.mark.parametrize("wanted", FORMATS)
def test_a_written_number_keeps_its_digits_and_is_written_the_same_again(wanted: NumberFormat) -> None:
    nanp = wanted in {NumberFormat.NANP_10, NumberFormat.NANP_11}
    for country in ("CA", "US") if nanp else HOMES:
        for number in dialled_numbers(7, 300):
            written = write_number(number, country, wanted)
            assert written == write_number(number, country, wanted)
            assert written.text.removeprefix("+").isdecimal()
            if written.note:
                assert written.text == number
                continue
            # What was typed and what is sent end alike: only prefixes and country codes change
            same = min(len(number.lstrip("+0")), len(written.text.lstrip("+0")), 6)
            assert written.text[-same:] == number[-same:], (number, country)
            plus = write_number(number, country, NumberFormat.E164_PLUS).text
            assert write_number(plus, country, wanted).text == written.text
            if wanted is not NumberFormat.E164:  # without "+" it can look like a number of the country
                assert write_number(written.text, country, wanted).text == written.text


def test_each_format_means_the_same_number() -> None:
    for country in HOMES:
        for number in dialled_numbers(8, 100):
            plus = write_number(number, country, NumberFormat.E164_PLUS)
            if plus.note:
                continue
            assert write_number(number, country, NumberFormat.E164).text == plus.text.removeprefix("+")
            national = write_number(number, country, NumberFormat.NATIONAL).text
            if phonenumbers.is_valid_number(phonenumbers.parse(plus.text)):
                assert write_number(national, country, NumberFormat.E164_PLUS).text == plus.text


# What it costs


def test_the_countries_are_those_with_telephone_numbers() -> None:
    assert set(phonenumbers.SUPPORTED_REGIONS) == COUNTRIES


@pytest.mark.parametrize(
    "module", ["app.model.settings", "app.desk", "app.ui.main_window", "app.sip.engine.process"]
)
def test_the_tables_of_telephone_numbers_are_not_read_before_a_number_is_written(module: str) -> None:
    code = (
        f"import sys, importlib; importlib.import_module({module!r})\n"
        "from app.model.settings import new_trunk\n"
        "new_trunk('1' * 32, 'x', {'host': '192.0.2.1', 'sign_in': 'address', 'country': 'CA'})\n"
        "print('phonenumbers' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == ["False"]
