"""Every setting with what people really type: put right and told, or refused in words that help."""

from __future__ import annotations

import random

import msgspec
import pytest

from app.errors import SettingError
from app.model.number_values import MOST_CHANNELS
from app.model.setting_values import MOST_BACKUP_HOSTS
from app.model.settings import SETTINGS, Kind, apply_settings, as_text, check_trunk, find_setting, new_trunk
from app.model.trunk import IdentityHeader, NumberFormat, SignIn, Transport, Trunk

OFFICE = Trunk(id="1" * 32, name="Office", host="sip.example.com", user="4930123456")
KEYS = [setting.key for setting in SETTINGS]
TEXTS = {"name", "notes", "auth_id", "realm", "ca_file"}
"""Settings that take any letters."""
MAY_BE_EMPTY = {
    *("name", "host", "user"),  # needed, which is for the whole trunk to say
    *("provider", "notes", "auth_id", "realm", "port", "backup_hosts", "proxy"),
    *("ca_file", "tls_pin", "public_address"),
    *("country", "tech_prefix", "tech_separator", "caller_id", "dids", "channels"),
}


def apply(key: str, text: str, trunk: Trunk = OFFICE) -> tuple[object, str]:
    """The value of one setting, and what was told."""
    changed, mended = apply_settings(trunk, {key: text})
    check_trunk(msgspec.structs.replace(changed, name="x", host="192.0.2.1", user="x"))
    return getattr(changed, key), " ".join(note.what for note in mended if note.key == key)


def refusal(key: str, text: str, trunk: Trunk = OFFICE) -> SettingError:
    with pytest.raises(SettingError) as caught:
        apply_settings(trunk, {key: text})
    assert caught.value.field == key
    assert find_setting(key).label in caught.value.what
    assert caught.value.do.endswith(".")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600
    return caught.value


# Every setting


@pytest.mark.parametrize("key", KEYS)
def test_an_empty_setting_is_empty_or_refused(key: str) -> None:
    if key not in MAY_BE_EMPTY:
        assert '""' in refusal(key, "").what
        assert '"  "' in refusal(key, "  ").what
        return
    blank = Trunk(id="", name="", host="")
    changed, _ = apply_settings(OFFICE, {key: ""})
    assert getattr(changed, key) == getattr(blank, key)


@pytest.mark.parametrize("key", KEYS)
def test_blanks_around_a_setting_are_taken_off_and_that_is_told(key: str) -> None:
    example = find_setting(key).example
    plain, _ = apply(key, example)
    for around in (f"  {example}", f"{example}\t", f"\N{NO-BREAK SPACE}{example}\N{IDEOGRAPHIC SPACE}"):
        value, told = apply(key, around)
        assert value == plain
        assert "Blanks around it were taken off." in told


@pytest.mark.parametrize("key", KEYS)
def test_a_setting_that_is_too_long_says_how_long_it_may_be(key: str) -> None:
    longest = find_setting(key).longest
    error = refusal(key, "9" * (longest + 1))
    assert f"is {longest + 1} characters long" in error.what
    assert str(longest) in error.do


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("text", ["\uff11\uff12", "\u0410\u0412", "\u0661", "📞", "\uff39\uff25\uff33", "²"])
def test_another_alphabet_is_text_or_refused_by_name(key: str, text: str) -> None:
    if key in TEXTS:
        assert apply(key, text)[0] == text
        return
    if key in {"host", "proxy", "backup_hosts"}:
        # Names of domains have every alphabet, and the form that DNS knows is told
        try:
            value, told = apply(key, text)
        except SettingError:
            assert text in refusal(key, text).what
            return
        assert value != text
        assert told
        return
    assert text in refusal(key, text).what


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("char", ["\0", "\a", "\x1b", "\x7f", "\x9f"])
def test_a_control_character_is_named_by_its_code(key: str, char: str) -> None:
    example = find_setting(key).example
    assert f"U+{ord(char):04X}" in refusal(key, f"{example}{char}{example}"[:200]).what


@pytest.mark.parametrize("key", KEYS)
def test_a_sip_address_where_it_does_not_belong_is_never_taken_silently(key: str) -> None:
    """Texts keep it as text; a host, a server or a user takes its part and tells; the rest refuse it."""
    if key in TEXTS:
        assert apply(key, "sip:sip.example.com")[0] == "sip:sip.example.com"
    elif key in {"host", "proxy", "backup_hosts", "user", "caller_id"}:
        value, told = apply(key, "sip:sip.example.com")
        assert value in ("sip.example.com", ("sip.example.com",))
        assert told
    else:
        assert "sip:sip.example.com" in refusal(key, "sip:sip.example.com").what


@pytest.mark.parametrize("seed", range(20))
def test_the_order_in_which_settings_are_given_makes_no_difference(seed: int) -> None:
    given = {setting.key: setting.example for setting in SETTINGS}
    given |= {"host": "<sips:sip.example.com:5071;lr>", "port": "5071", "transport": "tls", "country": "uk"}
    given |= {"user": "sip:4930123456@sip.example.com", "caller_id": "+49 (0)30 123456", "dids": "1-1, 5"}
    shuffled = list(given)
    random.Random(seed).shuffle(shuffled)
    assert apply_settings(OFFICE, {key: given[key] for key in shuffled}) == apply_settings(OFFICE, given)


# fmt: off
NASTY = [
    "", " ", "\t", "\n", "\r\n", "\x00", "\x7f", "\u200b", "\u202e", "\ufeff", "\ud800", "\U0010ffff",
    "\ufffd", "0", "-1", "+1", "9" * 5000, "1e9", "0x10", "1_0", "1.5", "\u0663", "\xb2", "\xbd", "\uff11",
    "NaN", "yes", "NO", "None", "sip:", "sips:", "sip://", "<", ">", "<>", "@", "a@b", "a:b@c", "@@", ":",
    "::", "[::1]:5", "[", "]", ";lr", ";", ",", "-", "1-", "-1", "2-1", "1-2-3", "+-+", "/", "(0)",
    "+49 (0)30 1", "*", "#", "%", "%41", "%zz", "\xe9", "e\u0301", "\xdf", "\u0131", "\u01c4", "\u0430",
    "\U0001f4de", "xn--", "xn--a", "xn--bcher-kva", "a" * 300, ".", "..", "a..b", '"', "\\", "'",
    "192.0.2.1", "256.1.1.1", "0.0.0.0", "fe80::1%eth0", "register", "From", "udp", "PCMU", "US",
]
# fmt: on


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_typed_gives_a_trunk_that_holds_or_an_error_for_people(seed: int) -> None:
    dice = random.Random(seed)
    taken = refused = 0
    for _ in range(400):
        settings = {
            key: "".join(dice.choices([*NASTY, find_setting(key).example], k=dice.choice([1, 1, 2, 3])))
            for key in dice.sample(KEYS, dice.choice([1, 1, 2, 4]))
        }
        error, trunk = None, OFFICE
        try:
            trunk, _ = apply_settings(OFFICE, settings)
        except SettingError as caught:
            error = caught
        if error is not None:
            refused += 1
            assert error.field in settings
            assert error.do
            assert str(error).isprintable()
        else:
            taken += 1
            assert apply_settings(trunk, as_text(trunk)) == (trunk, ())
    assert refused > 50
    assert taken > 20


# One by one


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("a\nb", "a\nb"), ("a\r\nb\rc", "a\nb\nc"), ("\n a\tb \n\n", "a\tb"), ("a\u2028b", "a\nb"), ("", "")],
)
def test_notes_have_several_lines(typed: str, kept: str) -> None:
    assert apply("notes", typed)[0] == kept


@pytest.mark.parametrize("text", ["1", "10", str(MOST_CHANNELS)])
def test_channels_are_a_number(text: str) -> None:
    assert apply("channels", text) == (int(text), "")


@pytest.mark.parametrize("text", ["0", "-1", "10001", "1.5", "9" * 250, "ten", "1 0"])
@pytest.mark.parametrize("key", ["channels", "keep_alive", "session_expires"])
def test_a_number_out_of_its_limits_is_told_them(key: str, text: str) -> None:
    if (key, text) == ("keep_alive", "0"):
        assert apply(key, text) == (0, "")
        return
    if (key, text) == ("session_expires", "10001"):
        assert apply(key, text) == (10001, "")
        return
    limits = {"channels": "1 to 10000", "keep_alive": "0 to 600", "session_expires": "90 to 86400"}
    assert limits[key] in refusal(key, text).do


def test_a_session_interval_is_no_shorter_than_rfc_4028_allows() -> None:
    assert "89" in refusal("session_expires", "89").what
    assert apply("session_expires", "90") == (90, "")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("203.0.113.10:5060", "without a port"),
        ("2001:db8::1", "IPv4"),
        ("[2001:db8::1]", "IPv4"),
        ("pbx.example.com", "IPv4"),
        ("203.0.113.010", "IPv4"),
        ("203.0.113.0/24", "IPv4"),
        ("203.0.113", "IPv4"),
        ("0.0.0.0", "one computer"),
        ("255.255.255.255", "one computer"),
        ("224.0.0.1", "one computer"),
    ],
)
def test_a_public_address_is_one_ipv4_address(text: str, told: str) -> None:
    assert told in str(refusal("public_address", text))


@pytest.mark.parametrize(("typed", "code"), [("uk", "GB"), ("UK", "GB"), ("ca", "CA"), ("De", "DE")])
def test_a_country_is_written_in_capitals_and_that_is_told(typed: str, code: str) -> None:
    assert apply("country", typed) == (code, f"Written as {code}.")


@pytest.mark.parametrize("text", ["Germany", "XX", "D", "EU", "+49", "USA", "ß", "\u217da"])
def test_what_is_no_country_code_is_refused_with_examples(text: str) -> None:
    error = refusal("country", text)
    assert error.what == f'Country "{text}" is no country code.'
    assert "DE for Germany" in error.do


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("+49 30 123-456", "+4930123456"),
        ("(514) 555.0199", "5145550199"),
        ("514\N{NO-BREAK SPACE}555\N{NO-BREAK SPACE}0199", "5145550199"),
        ("+44 (0)20 7946 0018", "+442079460018"),
        ("(0)20 7946 0018", "02079460018"),
        ("sip:+15145550199@sip.example.com", "+15145550199"),
        ("<sip:+1 514 555 0199@sip.example.com>", "+15145550199"),
        ("+15145550199@SIP.example.com", "+15145550199"),
    ],
)
def test_a_caller_id_is_put_right_and_that_is_told(typed: str, kept: str) -> None:
    value, told = apply("caller_id", typed)
    assert value == kept
    assert told


def test_a_caller_id_at_another_host_is_refused_without_a_word_about_signing_in() -> None:
    error = refusal("caller_id", "sip:+15145550199@other.example")
    assert "other.example" in error.what
    assert "sip.example.com" in error.what
    assert error.do == "Write only what is before the @."


@pytest.mark.parametrize("text", ["", "1", "12345678", "0" * 16])
def test_a_tech_prefix_is_digits(text: str) -> None:
    assert apply("tech_prefix", text) == (text, "")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1234*", "* into Prefix separator (tech_separator)"),
        ("12#34", "# into Prefix separator (tech_separator)"),
        ("+1234", '"+"'),
        ("12 34", '" "'),
        ("abc", '"a"'),
    ],
)
def test_a_tech_prefix_that_is_more_than_digits_is_refused_with_the_way_out(text: str, told: str) -> None:
    assert told in str(refusal("tech_prefix", text))


@pytest.mark.parametrize("text", ["-", "**", "* #", "0"])
def test_a_prefix_separator_is_one_of_two_or_nothing(text: str) -> None:
    assert "Write * or #, or leave it empty." in refusal("tech_separator", text).do


@pytest.mark.parametrize(
    ("typed", "hosts"),
    [
        ("sip2.example.com;192.0.2.11:5060", ("sip2.example.com", "192.0.2.11:5060")),
        ("sip2.example.com, sip3.example.com", ("sip2.example.com", "sip3.example.com")),
        ("sip:sip2.example.com sip:sip3.example.com:5070", ("sip2.example.com", "sip3.example.com:5070")),
        ("<sip:sip2.example.com;lr>;<sip:sip3.example.com;lr>", ("sip2.example.com", "sip3.example.com")),
        ("2001:db8::1;[2001:db8::2]:5070", ("[2001:db8::1]", "[2001:db8::2]:5070")),
        ("bücher.example", ("xn--bcher-kva.example",)),
        (";;", ()),
    ],
)
def test_backup_servers_are_read_as_hosts(typed: str, hosts: tuple[str, ...]) -> None:
    value, told = apply("backup_hosts", typed)
    assert value == hosts
    assert bool(told) is (";".join(hosts) != typed)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sip2.example.com;sip2.example.com", "sip2.example.com twice"),
        ("sip2.example.com;SIP2.example.com", "SIP2.example.com twice"),
        ("sip2.example.com;alice@sip3.example.com", '"alice@sip3.example.com" has a user'),
        ("sip2.example.com;sip3.example.com:99999", "99999"),
        ("<sip:sip2.example.com;transport=tcp>", "more than a host"),
        (";".join(f"sip{n}.example.com" for n in range(MOST_BACKUP_HOSTS + 1)), "17 servers"),
        ("https://sip2.example.com", "web address"),
    ],
)
def test_a_backup_server_that_is_none_is_refused_by_its_own_text(text: str, told: str) -> None:
    assert told in refusal("backup_hosts", text).what


def test_sips_at_a_backup_server_is_not_lost() -> None:
    trunk, mended = apply_settings(OFFICE, {"backup_hosts": "sips:sip2.example.com"})
    assert (trunk.backup_hosts, trunk.transport) == (("sip2.example.com",), Transport.TLS)
    assert any("tls" in note.what for note in mended)
    with pytest.raises(SettingError, match="asks for TLS"):
        apply_settings(OFFICE, {"backup_hosts": "sips:sip2.example.com", "transport": "udp"})


@pytest.mark.parametrize("setting", [s for s in SETTINGS if s.kind is Kind.CHOICE], ids=lambda s: s.key)
def test_a_choice_is_read_in_any_case_and_told_when_it_is_none(setting: object) -> None:
    row = find_setting(getattr(setting, "key", ""))
    for choice in row.choices:
        assert apply(row.key, choice.upper())[0] == choice
    error = refusal(row.key, "sometimes")
    for choice in row.choices:
        assert choice in error.do


def test_a_pasted_number_format_is_found() -> None:
    assert apply("number_format", "E164-Plus") == (NumberFormat.E164_PLUS, "")


@pytest.mark.parametrize(
    ("typed", "headers"),
    [
        ("From", (IdentityHeader.FROM,)),
        ("p-asserted-identity", (IdentityHeader.P_ASSERTED_IDENTITY,)),
        ("remote-party-id, from", (IdentityHeader.REMOTE_PARTY_ID, IdentityHeader.FROM)),
    ],
)
def test_caller_id_headers_are_written_as_the_standards_do(
    typed: str, headers: tuple[IdentityHeader, ...]
) -> None:
    value, told = apply("caller_id_header", typed)
    assert value == headers
    assert bool(told) is (",".join(headers) != typed)


@pytest.mark.parametrize(
    ("text", "told"), [("", "choices"), ("From,", "choices"), ("From,from", "twice"), ("To", "choices")]
)
def test_what_is_no_caller_id_header_is_refused(text: str, told: str) -> None:
    assert told in refusal("caller_id_header", text).what


@pytest.mark.parametrize("text", ["../x", "VoIP ms", "a_b", "-a", "ä"])
def test_what_can_not_be_a_providers_id_is_refused_with_where_to_look(text: str) -> None:
    assert "ringback providers" in refusal("provider", text).do


def test_a_trunk_that_signs_in_by_address_needs_no_user_and_no_password() -> None:
    trunk, _ = new_trunk("2" * 32, "x", {"host": "192.0.2.1", "sign_in": "address"})
    assert (trunk.needs_password, trunk.register, trunk.user) == (False, False, "")
    with pytest.raises(SettingError, match="User is empty"):
        new_trunk("2" * 32, "x", {"host": "192.0.2.1", "sign_in": "credentials"})


def test_register_and_sign_in_together_are_one_too_many() -> None:
    with pytest.raises(SettingError, match="given twice") as caught:
        apply_settings(OFFICE, {"register": "no", "sign_in": SignIn.ADDRESS})
    assert caught.value.field == "sign_in"


# The pinned certificate


FINGERPRINT = ":".join(f"{number:02X}" for number in range(0xA0, 0xC0))


@pytest.mark.parametrize(
    "typed",
    [
        FINGERPRINT,
        FINGERPRINT.lower(),
        FINGERPRINT.replace(":", ""),
        FINGERPRINT.replace(":", " "),
        f"SHA256 Fingerprint={FINGERPRINT}",
        f"sha-256: {FINGERPRINT}",
    ],
)
def test_a_fingerprint_is_taken_as_browsers_and_openssl_show_it(typed: str) -> None:
    changed, _ = apply_settings(OFFICE, {"tls_pin": typed})
    assert changed.tls_pin == FINGERPRINT


@pytest.mark.parametrize("typed", [FINGERPRINT[:-1], FINGERPRINT + ":00", "AB:CD", "no fingerprint"])
def test_what_is_no_fingerprint_is_refused(typed: str) -> None:
    assert "no SHA-256 fingerprint" in refusal("tls_pin", typed).what
