"""Settings as people type them: what holds for all of them, and each but host and user by itself."""

from __future__ import annotations

import msgspec
import pytest

from app.errors import SettingError
from app.model.settings import (
    SETTINGS,
    Kind,
    Setting,
    apply_settings,
    as_text,
    check_trunk,
    find_setting,
    new_trunk,
)
from app.model.trunk import SignIn, Transport, Trunk
from tests.helpers.typed_settings import BLANK, OFFICE, mend, read, refusal

# The table


def test_the_table_has_a_row_for_every_field_of_a_trunk_but_its_id() -> None:
    fields = [field.name for field in msgspec.structs.fields(Trunk)]
    assert sorted(setting.key for setting in SETTINGS) == sorted(set(fields) - {"id"})


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.key)
def test_every_example_in_the_table_is_accepted_as_it_stands(setting: Setting) -> None:
    read(setting.key, setting.example)
    for choice in setting.choices:
        read(setting.key, choice)
    assert setting.help.endswith(".")
    assert len(setting.words) in {0, len(setting.choices)}


# Round trip


@pytest.mark.parametrize(
    "trunk",
    [
        OFFICE,
        Trunk(
            id="a" * 32,
            name="Büro  1 »Ost«",
            host="xn--bcher-kva.example",
            port=5071,
            transport=Transport.TLS,
            user="a%20b-_.!~*'()&=+$,;?/",
            auth_id="tränk@sip.example.com",
            realm="asterisk, the one",
            proxy="[2001:db8::1]:5061",
            expires=60,
            sign_in=SignIn.CREDENTIALS,
            caller_id="+4930123456",
            codecs=("iLBC", "L16"),
            ca_file="C:\\Program Files\\ca, new.pem",
        ),
        Trunk(id="b" * 32, name="x", host="2001:db8::1", proxy="[2001:db8::2]", sign_in=SignIn.ADDRESS),
    ],
    ids=["usual", "everything set", "IPv6"],
)
def test_a_trunk_written_as_text_is_read_as_the_same_trunk(trunk: Trunk) -> None:
    check_trunk(trunk)
    assert apply_settings(Trunk(id=trunk.id, name="", host=""), as_text(trunk)) == (trunk, ())


def test_a_new_trunk_has_the_usual_values_where_nothing_was_typed() -> None:
    trunk, mended = new_trunk("1" * 32, "Office", {"host": "sip.example.com", "user": "4930123456"})
    assert (trunk, mended) == (OFFICE, ())


def test_settings_that_are_not_given_stay() -> None:
    trunk, _ = apply_settings(OFFICE, {"expires": "600"})
    assert trunk == msgspec.structs.replace(OFFICE, expires=600)


# One by one


@pytest.mark.parametrize(("text", "port"), [("", None), ("1", 1), ("05060", 5060), ("65535", 65535)])
def test_a_port_is_read(text: str, port: int | None) -> None:
    assert read("port", text) == port


@pytest.mark.parametrize(
    "text", ["0", "65536", "-1", "+5060", "5060.0", "50 60", "5_060", "٥٠٦٠", "sip", "9" * 200]
)
def test_what_is_no_port_is_refused(text: str) -> None:
    assert "65535" in refusal("port", text).do


@pytest.mark.parametrize(("text", "transport"), [("udp", "udp"), ("TCP", "tcp"), ("Tls", "tls")])
def test_a_transport_is_read_in_any_case(text: str, transport: str) -> None:
    assert read("transport", text) is Transport(transport)


@pytest.mark.parametrize(
    ("text", "told"), [("", "no transport"), ("ssl", "no transport"), ("wss", "this version")]
)
def test_what_is_no_transport_is_refused(text: str, told: str) -> None:
    assert told in refusal("transport", text).what


@pytest.mark.parametrize("text", ["60", "86400"])
def test_expires_is_read(text: str) -> None:
    assert read("expires", text) == int(text)


@pytest.mark.parametrize("text", ["", "59", "86401", "0", "-60", "1h", "300s", "6e2"])
def test_what_is_no_lifetime_is_refused(text: str) -> None:
    assert "60 to 86400" in refusal("expires", text).do


def test_expires_0_is_told_to_be_a_matter_of_how_to_sign_in() -> None:
    assert "sign_in" in refusal("expires", "0").do


@pytest.mark.parametrize(
    ("text", "user", "sign_in"),
    [
        ("yes", "4711", SignIn.REGISTER),
        ("YES", "", SignIn.REGISTER),
        ("no", "4711", SignIn.CREDENTIALS),
        ("no", "", SignIn.ADDRESS),
    ],
)
def test_register_is_still_understood(text: str, user: str, sign_in: SignIn) -> None:
    trunk, mended = apply_settings(BLANK, {"register": text, "user": user})
    assert trunk.sign_in is sign_in
    assert trunk.register is (sign_in is SignIn.REGISTER)
    assert mended == ()


@pytest.mark.parametrize("text", ["", "true", "1", "ja"])
def test_what_is_neither_yes_nor_no_is_refused(text: str) -> None:
    assert refusal("connect", text).do == "Write yes or no."
    with pytest.raises(SettingError, match="Write yes or no") as caught:
        apply_settings(BLANK, {"register": text})
    assert caught.value.field == "register"


@pytest.mark.parametrize("key", ["auth_id", "realm"])
@pytest.mark.parametrize("text", ["alice@sip.example.com", "Grüße aus Köln", "a b,c=d;e"])
def test_digest_names_take_more_than_a_sip_user(key: str, text: str) -> None:
    assert read(key, text) == text


@pytest.mark.parametrize("key", ["auth_id", "realm"])
@pytest.mark.parametrize("text", ['a"b', "a\\b"])
def test_digest_names_take_nothing_that_would_need_an_escape(key: str, text: str) -> None:
    assert text[1] in refusal(key, text).what


def test_an_empty_realm_is_any_realm() -> None:
    trunk, _ = mend("realm", "", msgspec.structs.replace(OFFICE, realm="asterisk"))
    assert trunk.realm == "*"


@pytest.mark.parametrize("text", ["", "proxy.example.com", "proxy.example.com:5061", "[2001:db8::1]:5060"])
def test_a_proxy_is_kept_as_typed(text: str) -> None:
    assert read("proxy", text) == text


@pytest.mark.parametrize(
    ("typed", "proxy"),
    [
        ("<sip:proxy.example.com:5061;lr>", "proxy.example.com:5061"),
        ("2001:db8::1", "[2001:db8::1]"),
        ("proxy.example.com:05060", "proxy.example.com:5060"),
        ("proxy.example.com.:5060", "proxy.example.com:5060"),
    ],
)
def test_a_proxy_is_put_right_and_that_is_told(typed: str, proxy: str) -> None:
    trunk, _ = mend("proxy", typed)
    assert trunk.proxy == proxy
    check_trunk(msgspec.structs.replace(OFFICE, proxy=trunk.proxy))


@pytest.mark.parametrize("text", ["a b", "proxy:99999", "proxy.example.com;foo", "http://proxy.example.com"])
def test_what_is_no_proxy_is_refused(text: str) -> None:
    refusal("proxy", text)


@pytest.mark.parametrize(
    ("typed", "codecs"),
    [
        ("pcmu", ("PCMU",)),
        ("pcma, G722 ,gsm", ("PCMA", "G722", "GSM")),
        ("ilbc,SPEEX,l16", ("iLBC", "speex", "L16")),
        ("g711a,ulaw,G.722", ("PCMA", "PCMU", "G722")),
    ],
)
def test_codec_names_are_written_as_the_standards_do(typed: str, codecs: tuple[str, ...]) -> None:
    trunk, what = mend("codecs", typed)
    assert trunk.codecs == codecs
    assert ",".join(codecs) in what


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("", "no codec"),
        ("PCMU,", "comma"),
        ("PCMU,,PCMA", "comma"),
        ("PCMU,pcmu", "PCMU twice"),
        ("PCMU,ulaw", "PCMU twice"),
        ("G729", "G729, which is not available in this version"),
        ("PCMU,opus", "Opus, which is not available in this version"),
        ("PCMX", "Did you mean PCM"),
        ("PCMU PCMA", "Known codecs"),
        ("MP3", "Known codecs: PCMU, PCMA"),
    ],
)
def test_codecs_that_can_not_be_had_are_refused_with_those_that_can(typed: str, told: str) -> None:
    assert told in str(refusal("codecs", typed))


# The name


def test_a_name_may_be_any_text_of_one_line() -> None:
    assert read("name", "Büro »Ost« 📞 no. 1") == "Büro »Ost« 📞 no. 1"
    assert read("name", "x" * 64) == "x" * 64
    trunk, _ = mend("name", "Bu\u0308ro")
    assert trunk.name == "Büro"


def test_a_name_that_is_too_long_is_refused() -> None:
    assert "64" in refusal("name", "x" * 65).do


# Everything


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"])
@pytest.mark.parametrize("key", [setting.key for setting in SETTINGS if setting.kind is not Kind.LINES])
def test_a_line_break_is_refused_in_every_setting_of_one_line_and_at_every_place(key: str, end: str) -> None:
    example = find_setting(key).example
    for typed in (f"{example}{end}", f"{end}{example}", f"{example[0]}{end}Via: x{example[1:]}"):
        assert "line break" in refusal(key, typed).what


@pytest.mark.parametrize("key", [setting.key for setting in SETTINGS])
def test_control_characters_and_too_much_text_are_refused_in_every_setting(key: str) -> None:
    example = find_setting(key).example
    assert "U+0007" in refusal(key, f"{example[0]}\a{example[1:]}").what
    assert "characters long" in refusal(key, "x" * (find_setting(key).longest + 1)).what


def test_an_unknown_setting_is_told_with_those_that_exist_and_the_nearest() -> None:
    for typed, meant in (("hots", "host"), ("Auth-ID", "auth_id"), ("username", "user"), ("server", "host")):
        with pytest.raises(SettingError, match=f"Did you mean {meant}\\? Known settings: name, provider, "):
            apply_settings(OFFICE, {typed: "x"})
    with pytest.raises(SettingError, match=r"no setting \"qqq\"\. Known settings") as caught:
        apply_settings(OFFICE, {"qqq": "x"})
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize("key", ["password", "Password", "secret", "pin"])
def test_a_password_given_as_a_setting_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(SettingError, match="--password-stdin") as caught:
        new_trunk("1" * 32, "Office", {"host": "sip.example.com", key: "hunter2"})
    assert "hunter2" not in f"{caught.value!r} {caught.value}"


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"user": "alice"}, "host"),
        ({"host": "sip.example.com"}, "user"),
        ({"host": "sip.example.com", "user": "alice", "name": "Other"}, "name"),
    ],
)
def test_a_new_trunk_needs_a_host_and_to_register_a_user(settings: dict[str, str], field: str) -> None:
    with pytest.raises(SettingError) as caught:
        new_trunk("1" * 32, "Office", settings)
    assert caught.value.field == field


def test_a_new_trunk_needs_a_name_but_without_registering_no_user() -> None:
    new_trunk("1" * 32, "Office", {"host": "192.0.2.1", "register": "no"})
    with pytest.raises(SettingError, match="Name is empty"):
        new_trunk("1" * 32, "  ", {"host": "192.0.2.1", "register": "no"})


@pytest.mark.parametrize(
    "change",
    [
        {"host": "sip.example.com."},
        {"host": "sip.example.com\r\nVia: x"},
        {"port": 0},
        {"user": "al ice"},
        {"proxy": "sip:proxy.example.com"},
        {"codecs": ("pcmu",)},
        {"codecs": ()},
        {"expires": 5},
        {"realm": ""},
        {"name": "Bu\u0308ro"},
    ],
)
def test_a_trunk_from_elsewhere_is_held_to_the_same_rules(change: dict[str, object]) -> None:
    with pytest.raises(SettingError) as caught:
        check_trunk(msgspec.structs.replace(OFFICE, **change))
    assert caught.value.field in change
    assert caught.value.do


def test_a_trunk_of_wrong_types_is_a_bug_and_not_the_persons_fault() -> None:
    with pytest.raises(ValueError, match="values differ"):
        check_trunk(msgspec.structs.replace(OFFICE, port="5060"))
