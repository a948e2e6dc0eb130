"""The dial guard: no spelling of an emergency number passes, and ordinary numbers do."""

from __future__ import annotations

import pytest

from app.errors import CallRefusedError
from app.providers.catalogue import providers
from app.sip.emergency import Country, Severity, countries, find, guard, refuse_emergency
from tests.helpers.spellings import spellings


@pytest.mark.parametrize(
    ("place", "entry"),
    [
        pytest.param(place, entry, id=f"{place.code} {entry}")
        for place in countries()
        for entry in place.emergency
    ],
)
def test_no_spelling_of_an_emergency_number_passes_on_any_trunk(place: Country, entry: str) -> None:
    passed: list[str] = []
    for way, text in spellings(entry, place).items():
        for gate in (refuse_emergency, guard):
            for country in ("", "US", "CH"):
                try:
                    gate(text, country)
                except CallRefusedError:
                    continue
                passed.append(f"{way}: {text!r} by {gate.__name__}, {country!r}")
    assert passed == []


@pytest.mark.parametrize(
    "text",
    ["sos", "SOS", "sip:sos@a.example", "sos.fire", "urn:service:sos.police", "s%6Fs", "sos;x=1"],
)
@pytest.mark.parametrize("country", ["", "US", "CH", "JP"])
def test_the_word_that_rfc_5031_sets_aside_passes_nowhere(text: str, country: str) -> None:
    for gate in (refuse_emergency, guard):
        with pytest.raises(CallRefusedError, match=r"sos(\.\w+)? is an emergency or crisis number"):
            gate(text, country)


@pytest.mark.parametrize("place", countries(), ids=lambda place: place.code)
def test_at_home_even_the_rarest_line_prefix_is_seen(place: Country) -> None:
    for entry in place.emergency:
        with pytest.raises(CallRefusedError):
            refuse_emergency(f"1{entry}", place.code)


@pytest.mark.parametrize("place", countries(), ids=lambda place: place.code)
def test_live_services_are_refused_where_they_exist_and_only_there(place: Country) -> None:
    for entry in place.live:
        number = entry.replace("x", "7")
        for text in (
            number,
            f"9{number}",
            f"+{place.calling_code}{number.removeprefix('0')}",
            f"tel:{number}",
        ):
            if number.startswith("0") and len(number) == 3 and text.startswith("+"):
                continue
            with pytest.raises(CallRefusedError, match="public service"):
                refuse_emergency(text, place.code.lower())
            assert find(text) is None, text
            assert find(text, "PH") is None, text


def test_the_table_has_the_numbers_that_must_never_be_dialled() -> None:
    wanted = {"911", "988", "112", "000", "106", "113", "999", "18000"}
    wanted |= {"091", "092", "062", "061", "080", "085", "088"}
    wanted |= {"110", "119", "190", "192", "193", "995"}
    assert {entry for place in countries() for entry in place.emergency} == wanted
    live = {place.code: set(place.live) for place in countries()}
    assert live["US"] == live["CA"] == {"211", "311", "411", "511", "611", "711", "811"}
    assert {"101", "111", "105", "116xxx"} <= live["GB"]


def test_every_country_that_a_provider_of_the_catalogue_serves_first_has_its_numbers() -> None:
    served = {country for provider in providers() for country in provider.countries[:1]}
    assert served <= {place.code for place in countries()}


@pytest.mark.parametrize(
    ("countries_with_it", "own"),
    [
        ("CA US", "911"),
        ("GB IE", "999 112"),
        ("NL ES DK SE", "112"),
        ("AU", "000 112"),
        ("DE", "110 112"),
        ("JP", "110 119"),
        ("BR", "190 192 193"),
        ("SG", "999 995"),
        ("NZ", "111"),
        ("FR", "15 17 18 112"),
        ("BE", "100 101 112"),
    ],
)
def test_a_trunk_refuses_the_numbers_of_police_and_ambulance_in_its_country(
    countries_with_it: str, own: str
) -> None:
    for country in countries_with_it.split():
        for number in own.split():
            for text in (number, " ".join(number), f"9{number}", f"0{number}", f"sip:{number}@192.0.2.1"):
                with pytest.raises(CallRefusedError, match="an emergency or crisis number"):
                    guard(text, country)


@pytest.mark.parametrize("place", [place for place in countries() if place.at_home], ids=lambda it: it.code)
def test_an_emergency_number_that_elsewhere_is_an_extension_is_refused_at_home_in_any_spelling(
    place: Country,
) -> None:
    for entry in place.at_home:
        for way, text in spellings(entry, place).items():
            if way != "trunk access 1" or len(entry) > 2:
                assert find(text, place.code) is not None, f"{way}: {text!r}"
        assert find(entry, "PH") is None or entry in EVERYWHERE


EVERYWHERE = {entry for place in countries() for entry in place.emergency}


ORDINARY = [
    # The demo carrier's own numbers
    *("600", "601", "602", "603", "604", "605", "606", "607", "486", "404", "403", "503", "408", "183"),
    # Extensions of a PBX
    *(
        "10",
        "100",
        "101",
        "102",
        "111",
        "116",
        "200",
        "411",
        "1000",
        "1001",
        "1061",
        "1080",
        "2000",
        "4000",
        "8000",
    ),
    *("10000", "20911", "91155", "9111", "1120", "9999 0", "0001", "99900"),
    # Ordinary numbers with an entry inside, at the front or at the end
    *("+1 911 555 0100", "9115550100", "91155501", "+1 212 555 0911", "+1 212 555 9112", "(212) 911-0112"),
    *(
        "+44 20 7946 0999",
        "020 7999 1112",
        "0999 123456",
        "+44 1129 960 112",
        "00 44 20 7946 0112",
        "112 233 4455",
    ),
    *(
        "+31 20 112 0112",
        "+34 911 234 567",
        "911 234 567",
        "+34 912 345 061",
        "061 123 4567",
        "+61 2 5550 0000",
    ),
    *("011 44 20 7946 0018", "9 1 212 555 0100", "9,1,212", "440-0112", "619-9000", "+9112345678", "000 1"),
    *("+91 12345 67890", "+999 123", "*43", "*98", "#21#", "933", "9 933", "800 911 9110"),
    # SIP user names; letters are sent as letters
    *("anna", "www", "zzz", "sip:anna.smith@pbx.example.com", "911help", "room112", "x911"),
    # Nothing at all, which other checks refuse
    *("", "+", "sip:", "---", "@112"),
]


def test_ordinary_numbers_pass() -> None:
    refused = [number for number in ORDINARY for country in ("", "CH", "FR") if find(number, country)]
    assert refused == []


def test_extensions_and_test_numbers_pass_on_a_trunk_of_their_country() -> None:
    for country, number in (
        *(("CA", number) for number in ("4443", "4747", "15555550911", "*225", "*97")),
        *(("FR", number) for number in ("1015", "1017", "1018", "150", "215", "+33 1 45 55 00 15")),
        *(("DE", number) for number in ("1010", "211", "030 110 112", "+49 30 11 01 10")),
        *(("NZ", number) for number in ("1011", "2111", "+64 9 555 0111")),
        *(("BR", number) for number in ("1000", "200", "+55 11 5555-0190")),
    ):
        assert find(number, country) is None, (country, number)


@pytest.mark.parametrize("number", ["600", "+1 212 555 0100", "sip:anna@pbx.example.com", "1" * 64])
def test_the_gate_lets_an_ordinary_call_through(number: str) -> None:
    guard(number, "US")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("", "no number"),
        ("  ", "no number"),
        ("600\r\nX-Evil: 1", "line break"),
        ("600%0D%0AX-Evil:%201", "line break"),
        ("600%250A", "line break"),
        ("6\x0000", "control"),
        ("1" * 65, "64"),
    ],
)
def test_the_gate_refuses_what_would_break_the_request(number: str, words: str) -> None:
    with pytest.raises(CallRefusedError) as caught:
        guard(number)
    assert words in caught.value.what
    assert "\n" not in caught.value.what


def test_the_refusal_names_number_and_country_and_says_what_to_do_instead() -> None:
    with pytest.raises(CallRefusedError) as caught:
        refuse_emergency("9-911", "US")
    error = caught.value
    assert '"9-911" can reach 911' in error.what
    assert "the United States and Canada" in error.what
    assert "Ringback never dials it." in error.what
    assert "test number" in error.do
    assert "933" in error.do


def test_the_trunks_own_country_is_named_first() -> None:
    refusal = find("112", "NL")
    assert refusal is not None
    assert refusal.countries[0].code == "NL"
    assert {place.code for place in refusal.countries} == {
        place.code for place in countries() if "112" in place.emergency
    }


def test_a_number_of_many_countries_names_one_and_counts_the_rest() -> None:
    with pytest.raises(CallRefusedError) as caught:
        refuse_emergency("112", "DE")
    assert "in Germany and 12 other countries" in caught.value.what
    assert "933" not in caught.value.do


def test_a_crisis_number_is_no_less_protected_than_an_emergency_number() -> None:
    for number in ("988", "113"):
        refusal = find(number)
        assert refusal is not None
        assert refusal.severity is Severity.EMERGENCY


def test_the_old_code_of_the_united_kingdom_is_understood() -> None:
    assert find("101", "UK") is not None


def test_every_country_reads_well() -> None:
    for place in countries():
        assert len(place.code) == 2
        assert place.instead == "" or place.instead.endswith(".")
        assert place.calling_code.isdecimal()
