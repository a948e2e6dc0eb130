"""A trunk's settings as a person types them: one table, typed text to `Trunk` and back."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from app.errors import SettingError
from app.model import number_values as read_number
from app.model import setting_values as read
from app.model.did import read_dids
from app.model.host import HostPort, parse_host_port
from app.model.setting_table import BY_KEY, SETTINGS, Group, Kind, Setting
from app.model.trunk import SignIn, Transport, Trunk
from app.model.typed import Typed, clipped, shown

__all__ = [
    "SETTINGS",
    "Group",
    "Kind",
    "Mended",
    "Setting",
    "apply_settings",
    "as_text",
    "check_trunk",
    "find_setting",
    "new_trunk",
    "was_and_is",
]


class Mended(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was put right in what was typed.

    Attributes:
        key: The setting's key.
        what: What was done, a sentence for the person.
        was: What was typed, on one line and not too long.
        now: What it is now, in the same way.
    """

    key: str
    what: str
    was: str = ""
    now: str = ""


def was_and_is(mended: Mended) -> str:
    """What was put right, with both texts where they differ, for a person who did not type them."""
    changed = f'"{mended.was}" is now "{mended.now}". ' if mended.was != mended.now else ""
    return f"{changed}{mended.what}"


# Host, servers and users are not among these: what is pasted into them can fill other settings.
_READERS: dict[str, Callable[[Typed], object]] = {
    "name": read.read_name,
    "provider": read.read_provider,
    "connect": read.read_yes_no,
    "allow_out": read.read_yes_no,
    "allow_in": read.read_yes_no,
    "notes": read.read_notes,
    "sign_in": read.read_sign_in,
    "port": read.read_port,
    "transport": read.read_transport,
    "auth_id": read.read_auth_id,
    "realm": read.read_realm,
    "ca_file": read.read_ca_file,
    "tls_pin": read.read_tls_pin,
    "expires": read.read_expires,
    "keep_alive": read.read_keep_alive,
    "public_address": read.read_public_address,
    "from_host": read.read_from_host,
    "country": read_number.read_country,
    "number_format": read_number.read_number_format,
    "tech_prefix": read_number.read_tech_prefix,
    "tech_separator": read_number.read_tech_separator,
    "caller_id_format": read_number.read_number_format,
    "caller_id_header": read_number.read_caller_id_header,
    "privacy": read.read_yes_no,
    "dids": read_dids,
    "channels": read_number.read_channels,
    "codecs": read.read_codecs,
    "srtp": read.read_srtp,
    "dtmf": read.read_dtmf,
    "session_timer": read.read_use,
    "session_expires": read.read_session_expires,
    "prack": read.read_use,
}

# What others call our settings; only to suggest the right key.
_OTHER_WORDS = {
    "server": "host",
    "domain": "host",
    "registrar": "host",
    "username": "user",
    "auth_user": "auth_id",
    "login": "auth_id",
    "outbound_proxy": "proxy",
    "expiry": "expires",
    "codec": "codecs",
    "ca": "ca_file",
    "did": "dids",
    "numbers": "dids",
    "clip": "caller_id",
    "cli": "caller_id",
    "prefix": "tech_prefix",
    "auth_mode": "sign_in",
    "authentication": "sign_in",
    "encryption": "srtp",
}
_REGISTER = "register"
"""Not a setting of its own any more; still understood, as it was documented."""
_WORDS_FOR_SECRETS = frozenset({"password", "passwd", "passphrase", "pass", "secret", "pin", "pwd"})


def find_setting(key: str) -> Setting:
    """The setting with this key.

    Raises:
        SettingError: There is none; a key that looks like it is suggested.
    """
    setting = BY_KEY.get(key)
    if setting is not None:
        return setting
    word = key.strip().lower().replace("-", "_").replace(" ", "_")
    if word in _WORDS_FOR_SECRETS:
        raise SettingError(
            f"{shown(key)} is not a setting: settings are kept in a file, passwords never are.",
            do="Give it with --password-stdin, and it goes to the system keyring.",
            field=key,
        )
    near = difflib.get_close_matches(word, [*BY_KEY, *_OTHER_WORDS], n=1)
    suggestion = f"Did you mean {_OTHER_WORDS.get(near[0], near[0])}? " if near else ""
    known = ", ".join(BY_KEY)
    raise SettingError(
        f"There is no setting {shown(key)}.", do=f"{suggestion}Known settings: {known}.", field=key
    )


def new_trunk(trunk_id: str, name: str, settings: Mapping[str, str]) -> tuple[Trunk, tuple[Mended, ...]]:
    """A whole trunk from what was typed.

    Args:
        trunk_id: A new stable id, the hex of a random UUID.
        name: What the person calls it.
        settings: Typed text by key; what is not given has its usual value.

    Raises:
        SettingError: A value can't be used, or one that is needed is missing.
    """
    if settings.get("name", name) != name:
        twice = f"{shown(name)} and {shown(settings['name'])}"
        raise SettingError(f"The name is given twice: {twice}.", do="Give it once.", field="name")
    trunk, mended = apply_settings(_blank(trunk_id), {**settings, "name": name})
    check_trunk(trunk)
    return trunk, mended


def apply_settings(trunk: Trunk, settings: Mapping[str, str]) -> tuple[Trunk, tuple[Mended, ...]]:
    """A trunk with some of its settings replaced by what was typed; each is checked, the whole is not.

    Args:
        trunk: What holds for settings that are not given.
        settings: Typed text by key.

    Returns:
        The changed trunk, and what was put right in the text: tell the person.

    Raises:
        SettingError: Unknown key or bad value; the text names field and value and says what is allowed.
    """
    settings = _without_register(trunk, settings)
    for key in settings:
        find_setting(key)
    given = {
        setting.key: _typed(setting, settings[setting.key]) for setting in SETTINGS if setting.key in settings
    }
    for key, reader in _READERS.items():
        if key in given:
            trunk = replace(trunk, **{key: reader(given[key])})
    if "host" in given:
        trunk = _with_host(trunk, given["host"], transport_given="transport" in given)
    if "backup_hosts" in given:
        hosts, secure = read.read_backup_hosts(given["backup_hosts"])
        trunk = replace(trunk, backup_hosts=hosts)
        trunk = _secured(trunk, given["backup_hosts"], secure=secure, transport_given="transport" in given)
    if "proxy" in given:
        trunk = _with_proxy(trunk, given["proxy"], transport_given="transport" in given)
    for key in ("user", "caller_id"):
        if key in given:
            trunk = _with_user(trunk, given[key], transport_given="transport" in given)
    return trunk, tuple(
        Mended(
            key=key,
            what=what,
            was=clipped(typed.original),
            now=clipped(_text_of(key, getattr(trunk, key))),
        )
        for key, typed in given.items()
        for what in typed.mended
    )


def check_trunk(trunk: Trunk) -> None:
    """Checks a whole trunk, wherever it comes from.

    Raises:
        SettingError: A value can't be used as it is, or one that is needed is missing.
    """
    text = as_text(trunk)
    again, mended = apply_settings(_blank(trunk.id), text)
    if mended:
        setting = BY_KEY[mended[0].key]
        wrong = f"{setting.label} {shown(text[setting.key])} is not in its plain form."
        raise SettingError(wrong, do=mended[0].what, field=setting.key)
    # A type that the text hides, such as "5060" where 5060 belongs: our fault, not the person's
    if again != trunk:
        raise ValueError("a trunk's values differ from what their text says")
    for key, needed in (("name", True), ("host", True), ("user", trunk.needs_password)):
        if needed and not text[key]:
            setting = BY_KEY[key]
            why = " to sign in" if key == "user" else ""
            do = f"{setting.help} Example: {key}={setting.example}."
            raise SettingError(f"{setting.label} is empty, but needed{why}.", do=do, field=key)


def as_text(trunk: Trunk) -> dict[str, str]:
    """Every setting as the text that `apply_settings` reads as the same value."""
    return {setting.key: _text_of(setting.key, getattr(trunk, setting.key)) for setting in SETTINGS}


_SEMICOLONS = frozenset({"dids", "backup_hosts"})
"""Lists whose parts stand between `;`, as PBXs write them."""


def _text_of(key: str, value: str | int | tuple[str, ...] | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return (";" if key in _SEMICOLONS else ",").join(value)
    return str(value)


def _without_register(trunk: Trunk, settings: Mapping[str, str]) -> Mapping[str, str]:
    """`register=yes` and `register=no` as what they mean: registering, or not."""
    if _REGISTER not in settings:
        return settings
    if "sign_in" in settings:
        raise SettingError(
            "Sign-in is given twice: with register and with sign_in.", do="Give sign_in.", field="sign_in"
        )
    typed = Typed(_REGISTER, "Register", settings[_REGISTER])
    typed.tidy(longest=255)
    sign_in = SignIn.REGISTER
    if not read.read_yes_no(typed):
        user = settings.get("user", trunk.user)
        sign_in = SignIn.CREDENTIALS if user.strip() else SignIn.ADDRESS
    rest = {key: text for key, text in settings.items() if key != _REGISTER}
    return {**rest, "sign_in": sign_in}


def _blank(trunk_id: str) -> Trunk:
    return Trunk(id=trunk_id, name="", host="")


def _typed(setting: Setting, text: str) -> Typed:
    typed = Typed(setting.key, setting.label, text)
    typed.tidy(
        longest=setting.longest,
        any_character=setting.key in {"name", "realm", "ca_file", "notes"},
        lines=setting.kind is Kind.LINES,
    )
    return typed


def _with_host(trunk: Trunk, typed: Typed, *, transport_given: bool) -> Trunk:
    if not typed.text:
        return replace(trunk, host="")
    address = parse_host_port(typed)
    if typed.text.startswith("["):
        typed.mended.append("The brackets around the address were taken off.")
    return _with_address(trunk, typed, address, transport_given=transport_given)


def _with_address(trunk: Trunk, typed: Typed, address: HostPort, *, transport_given: bool) -> Trunk:
    if address.port is not None:
        if trunk.port not in {None, address.port}:
            wrong = f"has port {address.port} in it, but Port (port) is {trunk.port}"
            raise typed.refuse(wrong, "Take one of the two away.")
        typed.mended.append(f"Its port {address.port} is now in Port (port).")
        trunk = replace(trunk, port=address.port)
    trunk = replace(trunk, host=address.host)
    return _secured(trunk, typed, secure=address.secure, transport_given=transport_given)


def _with_proxy(trunk: Trunk, typed: Typed, *, transport_given: bool) -> Trunk:
    if not typed.text:
        return replace(trunk, proxy="")
    address = parse_host_port(typed)
    if str(address) != typed.text:
        typed.mend(str(address), f"Written as {address}.")
    trunk = replace(trunk, proxy=str(address))
    return _secured(trunk, typed, secure=address.secure, transport_given=transport_given)


def _secured(trunk: Trunk, typed: Typed, *, secure: bool, transport_given: bool) -> Trunk:
    """RFC 3261 section 19.1: `sips:` asks for TLS, which must not get lost when it is taken off."""
    if not secure or trunk.transport is Transport.TLS:
        return trunk
    if transport_given:
        wrong = f'asks for TLS with its "sips:", but Transport (transport) is {trunk.transport}'
        raise typed.refuse(wrong, 'Set transport to tls, or take the "sips:" off.')
    typed.mended.append("Transport (transport) is now tls.")
    return replace(trunk, transport=Transport.TLS)


def _with_user(trunk: Trunk, typed: Typed, *, transport_given: bool) -> Trunk:
    typed.take_off_brackets()
    secure = typed.take_off_scheme() == "sips:"
    if "@" in typed.text:
        trunk = _with_host_behind(trunk, typed)
    reader = read.read_user if typed.key == "user" else read_number.read_caller_id
    trunk = replace(trunk, **{typed.key: reader(typed)})
    return _secured(trunk, typed, secure=secure, transport_given=transport_given)


def _with_host_behind(trunk: Trunk, typed: Typed) -> Trunk:
    """Takes the host of `user@host` off."""
    user, _, host = typed.text.rpartition("@")
    if not user or not host:
        raise typed.refuse("has nothing on one side of the @", "Write only the user.")
    behind = Typed(typed.key, typed.label, host)
    behind.original = typed.original
    address = parse_host_port(behind)
    if typed.key == "user" and not trunk.host:
        typed.mend(user, f"The host behind the @, {address.host}, is now in Host (host).")
        return _with_address(trunk, typed, address, transport_given=True)
    if address.host.lower() == trunk.host.lower() and address.port in {None, trunk.port}:
        typed.mend(user, "The @ and the host behind it were taken off.")
        return trunk
    do = "Write only what is before the @."
    if typed.key == "user":
        do += " If all of it is your name for signing in, put it into Authentication ID (auth_id) as well."
    raise typed.refuse(f"has {address} behind the @, but Host (host) is {trunk.host or 'empty'}", do)
