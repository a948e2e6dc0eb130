"""Settings as people type them: what is accepted, what is put right, what is refused and how."""

from __future__ import annotations

import string

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

BLANK = Trunk(id="0" * 32, name="", host="")
OFFICE = Trunk(id="1" * 32, name="Office", host="sip.example.com", user="4930123456")


def read(key: str, text: str, trunk: Trunk = BLANK) -> object:
    """The value that one typed setting gives, nothing having been put right."""
    changed, mended = apply_settings(trunk, {key: text})
    assert mended == ()
    return getattr(changed, key)


def mend(key: str, text: str, trunk: Trunk = BLANK) -> tuple[Trunk, str]:
    """The trunk that one typed setting gives, and what was told about it."""
    changed, mended = apply_settings(trunk, {key: text})
    assert {note.key for note in mended} == {key}
    return changed, " ".join(note.what for note in mended)


def refusal(key: str, text: str, trunk: Trunk = BLANK) -> SettingError:
    """The error for one typed setting; it always names field and says what to do."""
    with pytest.raises(SettingError) as caught:
        apply_settings(trunk, {key: text})
    assert caught.value.field == key
    assert find_setting(key).label in caught.value.what
    assert caught.value.do
    assert str(caught.value).isprintable()
    return caught.value


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


# Host


@pytest.mark.parametrize(
    "host",
    [
        "sip.example.com",
        "localhost",
        "PBX",
        "a-b.c-d.example",
        "192.0.2.10",
        "2001:db8::1",
        "::ffff:192.0.2.1",
        "4you.example",
        "xn--bcher-kva.example",
        "a" * 63 + ".example",
    ],
)
def test_a_host_is_kept_as_typed(host: str) -> None:
    assert read("host", host) == host


@pytest.mark.parametrize(
    ("typed", "host", "told"),
    [
        ("  sip.example.com\t", "sip.example.com", "Blanks"),
        ("\u200bsip.example.com\u202c", "sip.example.com", "Blanks"),
        ("sip:sip.example.com", "sip.example.com", '"sip:"'),
        ("SIP:sip.example.com", "sip.example.com", '"SIP:"'),
        ("sip://sip.example.com", "sip.example.com", '"sip://"'),
        ("<sip:sip.example.com;lr>", "sip.example.com", "brackets"),
        ("sip.example.com.", "sip.example.com", "dot"),
        ("[2001:db8::1]", "2001:db8::1", "brackets"),
        ("bücher.example", "xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("BÜCHER.example.", "xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("пример.рф", "xn--e1afmkfd.xn--p1ai", "xn--e1afmkfd.xn--p1ai"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah", "xn--r8jz45g.xn--zckzah"),
        ("\uff11\uff19\uff12.0.2.10", "192.0.2.10", "192.0.2.10"),
    ],
)
def test_a_host_is_put_right_and_that_is_told(typed: str, host: str, told: str) -> None:
    trunk, what = mend("host", typed)
    assert trunk.host == host
    assert told in what
    check_trunk(msgspec.structs.replace(trunk, name="x", sign_in=SignIn.ADDRESS))


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("sip .example.com", "blank"),
        ("sip\u00a0x.example.com", "blank"),
        ("sip..example.com", "dot too many"),
        (".example.com", "dot too many"),
        ("example.com..", "dot too many"),
        ("-sip.example.com", '"-"'),
        ("sip-.example.com", '"-"'),
        ("sip_1.example.com", '"_"'),
        ("sip.example.com/voip", '"/"'),
        ("https://portal.example.com", "web address"),
        ("alice@sip.example.com", "user in front"),
        ("sip.example.com;transport=tcp", "more than a host"),
        ("a" * 64 + ".example", "63"),
        (".".join(["a" * 60] * 4) + ".example.com", "253"),
        ("a" * 300, "300 characters"),
        ("192.0.2.256", "IP address"),
        ("192.0.2", "IP address"),
        ("192.000.002.010", "IP address"),
        ("...1", "IP address"),
        ("host.1x", "number"),
        ("1:2:3", "IPv6"),
        ("2001:db8::g", "IPv6"),
        ("[192.0.2.1]", "brackets"),
        ("[2001:db8::1", "brackets"),
        ("[2001:db8::1]5060", "brackets"),
        ("fe80::1%eth0", "zone"),
        ("sip.exam\u0440le.com", "Cyrillic"),
        ("sip.ex\u03b1mple.com", "Greek"),
        ("straße.example", "xn--"),
        ("sip.\u200bexample.com", "U+200B"),
        ("sip.example.com:0", '"0"'),
        ("sip.example.com:65536", '"65536"'),
        ("sip.example.com:", '""'),
        ("sip.example.com:\uff15\uff10\uff16\uff10", "port"),
        ("sip:", "no host"),
        ("<>", "no host"),
        ("sip.exa\x00mple.com", "U+0000"),
        ("sip.example\udcff.com", "not text"),
        ("\ue000.example", "xn--"),
    ],
)
def test_a_host_that_can_not_be_one_is_refused_with_its_reason(typed: str, told: str) -> None:
    assert told in str(refusal("host", typed))


def test_a_port_pasted_behind_the_host_moves_to_the_port() -> None:
    trunk, what = mend("host", "sip.example.com:5070")
    assert (trunk.host, trunk.port) == ("sip.example.com", 5070)
    assert "5070" in what
    trunk, _ = mend("host", "[2001:db8::1]:5070")
    assert (trunk.host, trunk.port) == ("2001:db8::1", 5070)


def test_a_port_pasted_behind_the_host_may_repeat_the_port_but_not_contradict_it() -> None:
    trunk, _ = apply_settings(BLANK, {"host": "sip.example.com:5070", "port": "5070"})
    assert trunk.port == 5070
    with pytest.raises(SettingError, match=r"port 5070 .* 5060"):
        apply_settings(BLANK, {"host": "sip.example.com:5070", "port": "5060"})


def test_sips_in_front_of_the_host_turns_on_tls_or_is_refused_where_another_transport_is_asked_for() -> None:
    trunk, what = mend("host", "sips:sip.example.com")
    assert (trunk.host, trunk.transport) == ("sip.example.com", Transport.TLS)
    assert "tls" in what
    trunk, _ = apply_settings(BLANK, {"host": "sips:sip.example.com", "transport": "tls"})
    assert trunk.transport is Transport.TLS
    with pytest.raises(SettingError, match="asks for TLS"):
        apply_settings(BLANK, {"host": "sips:sip.example.com", "transport": "udp"})
    trunk, _ = apply_settings(BLANK, {"proxy": "sips:sip.example.com"})
    assert (trunk.proxy, trunk.transport) == ("sip.example.com", Transport.TLS)
    trunk, _ = apply_settings(BLANK, {"user": "sips:alice@sip.example.com"})
    assert (trunk.user, trunk.host, trunk.transport) == ("alice", "sip.example.com", Transport.TLS)


# User and caller ID


@pytest.mark.parametrize("user", ["alice", "+4930123456", "a-_.!~*'()&=+$,;?/", "alice%40example", ""])
@pytest.mark.parametrize("key", ["user", "caller_id"])
def test_a_sip_user_is_kept_as_typed(key: str, user: str) -> None:
    assert read(key, user) == user


def test_every_ascii_character_is_either_allowed_in_a_user_by_rfc_3261_or_refused() -> None:
    allowed = set(string.ascii_letters + string.digits + "-_.!~*'()" + "&=+$,;?/")
    for char in map(chr, range(128)):
        if char in allowed:
            assert read("user", f"a{char}b") == f"a{char}b"
        else:
            refusal("user", f"a{char}b", OFFICE)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("al ice", "blank"),
        ('"alice"', "%22"),
        ("jürgen", '"ü"'),
        ("50%", "%25"),
        ("a#b", "%23"),
        ("@sip.example.com", "@"),
        ("alice@", "@"),
        ("alice@b@sip.example.com", "@"),
    ],
)
@pytest.mark.parametrize("key", ["user", "caller_id"])
def test_a_user_that_sip_does_not_allow_is_refused_with_its_reason(key: str, typed: str, told: str) -> None:
    assert told in str(refusal(key, typed, OFFICE))


@pytest.mark.parametrize("typed", ["+49 30 123-456", "+49 (0)30 123456"])
def test_separators_are_not_taken_off_a_user_because_it_must_be_the_providers_spelling(typed: str) -> None:
    assert "Write the number without them: +4930123456." in refusal("user", typed).do


@pytest.mark.parametrize(
    ("key", "typed"),
    [
        ("user", "alice:hunter2"),
        ("caller_id", "alice:hunter2"),
        *(
            (key, typed)
            for key in ("user", "caller_id", "host", "proxy")
            for typed in ("alice:hunter2@sip.example.com", "sip:alice:hunter2@b.example", "<sip:a:hunter2@b>")
        ),
    ],
)
def test_a_password_pasted_with_the_user_is_refused_and_not_shown(key: str, typed: str) -> None:
    error = refusal(key, typed, OFFICE)
    assert "hunter2" not in f"{error!r} {error} {error.do} {error.details}"


def test_a_host_pasted_behind_the_user_fills_an_empty_host() -> None:
    trunk, what = mend("user", "<sip:alice@sip.example.com:5070>")
    assert (trunk.user, trunk.host, trunk.port) == ("alice", "sip.example.com", 5070)
    assert "sip.example.com" in what


def test_a_host_pasted_behind_the_user_may_repeat_the_host_but_not_contradict_it() -> None:
    trunk, _ = mend("user", "alice@SIP.example.com", OFFICE)
    assert (trunk.user, trunk.host) == ("alice", "sip.example.com")
    error = refusal("user", "alice@other.example", OFFICE)
    assert "other.example" in error.what
    assert "sip.example.com" in error.what
    assert "auth_id" in error.do


# The others


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
