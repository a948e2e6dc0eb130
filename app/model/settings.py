"""A trunk's settings as a person types them: one table, typed text to `Trunk` and back."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from app.errors import SettingError
from app.model import setting_values as read
from app.model.host import HostPort, parse_host_port
from app.model.trunk import DEFAULT_CODECS, DEFAULT_EXPIRES_S, Transport, Trunk
from app.model.typed import Typed, shown


class Kind(StrEnum):
    """What a form shows for a setting."""

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"
    YES_NO = "yes or no"
    LIST = "list"
    FILE = "file"


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting.

    Attributes:
        key: Its key in `ringback add --set key=value`, and the field of `Trunk`.
        label: The field's standard term.
        help: One line in plain words.
        example: A value that is accepted.
        kind: What a form shows for it.
        choices: For a choice or a list, what there is to choose from.
        longest: Most characters it may have.
    """

    key: str
    label: str
    help: str
    example: str
    kind: Kind = Kind.TEXT
    choices: tuple[str, ...] = ()
    longest: int = 255


class Mended(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was put right in what was typed.

    Attributes:
        key: The setting's key.
        what: What was done, a sentence for the person.
    """

    key: str
    what: str


SETTINGS: tuple[Setting, ...] = (
    Setting(key="name", label="Name", help="What you call this trunk.", example="Main office", longest=64),
    Setting(
        key="host",
        label="Host",
        help="Your provider's SIP server, a domain or an IP address (also called registrar or SIP domain).",
        example="sip.example.com",
    ),
    Setting(
        key="port",
        label="Port",
        help="Only if your provider names one; else leave it empty.",
        example="5060",
        kind=Kind.NUMBER,
    ),
    Setting(
        key="transport",
        label="Transport",
        help="How SIP messages travel: UDP is the usual one, TLS is encrypted.",
        example="udp",
        kind=Kind.CHOICE,
        choices=tuple(transport.value for transport in Transport),
    ),
    Setting(
        key="user",
        label="User",
        help="The user name or number that your provider gave you.",
        example="4930123456",
    ),
    Setting(
        key="auth_id",
        label="Authentication ID",
        help="Only if your provider gave you a second name for signing in (auth user, login).",
        example="trunk-4711",
    ),
    Setting(
        key="realm",
        label="Realm",
        help="Leave it at * unless your provider says which realm the password is for.",
        example="*",
    ),
    Setting(
        key="proxy",
        label="Outbound proxy",
        help="Only if your provider names a server that everything goes through.",
        example="proxy.example.com:5060",
    ),
    Setting(
        key="expires",
        label="Expires",
        help="Seconds until the registration has to be renewed.",
        example=str(DEFAULT_EXPIRES_S),
        kind=Kind.NUMBER,
    ),
    Setting(
        key="register",
        label="Register",
        help="Yes if the trunk signs in; no if your provider knows you by your IP address.",
        example="yes",
        kind=Kind.YES_NO,
        choices=("yes", "no"),
    ),
    Setting(
        key="caller_id",
        label="Caller ID",
        help="The number that the person you call sees; empty for the user.",
        example="+4930123456",
    ),
    Setting(
        key="codecs",
        label="Codecs",
        help="How speech is encoded, the preferred way first.",
        example=",".join(DEFAULT_CODECS),
        kind=Kind.LIST,
        choices=read.CODECS,
    ),
    Setting(
        key="ca_file",
        label="CA file",
        help="Only for TLS with the provider's own certificate authority: its certificate, a PEM file.",
        example="provider-ca.pem",
        kind=Kind.FILE,
        longest=4096,
    ),
)
"""All settings, in the order of a form."""

_BY_KEY = {setting.key: setting for setting in SETTINGS}

# Host and user are not among these: what is pasted into them can fill other settings.
_READERS: dict[str, Callable[[Typed], object]] = {
    "name": read.read_name,
    "port": read.read_port,
    "transport": read.read_transport,
    "auth_id": read.read_auth_id,
    "realm": read.read_realm,
    "expires": read.read_expires,
    "register": read.read_register,
    "codecs": read.read_codecs,
    "ca_file": read.read_ca_file,
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
}
_WORDS_FOR_SECRETS = frozenset({"password", "passwd", "passphrase", "pass", "secret", "pin", "pwd"})


def find_setting(key: str) -> Setting:
    """The setting with this key.

    Raises:
        SettingError: There is none; a key that looks like it is suggested.
    """
    setting = _BY_KEY.get(key)
    if setting is not None:
        return setting
    word = key.strip().lower().replace("-", "_").replace(" ", "_")
    if word in _WORDS_FOR_SECRETS:
        raise SettingError(
            f"{shown(key)} is not a setting: settings are kept in a file, passwords never are.",
            do="Give it with --password-stdin, and it goes to the system keyring.",
            field=key,
        )
    near = difflib.get_close_matches(word, [*_BY_KEY, *_OTHER_WORDS], n=1)
    suggestion = f"Did you mean {_OTHER_WORDS.get(near[0], near[0])}? " if near else ""
    known = ", ".join(_BY_KEY)
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
    if "proxy" in given:
        trunk = _with_proxy(trunk, given["proxy"], transport_given="transport" in given)
    for key in ("user", "caller_id"):
        if key in given:
            trunk = _with_user(trunk, given[key], transport_given="transport" in given)
    return trunk, tuple(Mended(key=key, what=what) for key, typed in given.items() for what in typed.mended)


def check_trunk(trunk: Trunk) -> None:
    """Checks a whole trunk, wherever it comes from.

    Raises:
        SettingError: A value can't be used as it is, or one that is needed is missing.
    """
    text = as_text(trunk)
    again, mended = apply_settings(_blank(trunk.id), text)
    if mended:
        setting = _BY_KEY[mended[0].key]
        wrong = f"{setting.label} {shown(text[setting.key])} is not in its plain form."
        raise SettingError(wrong, do=mended[0].what, field=setting.key)
    if (
        again != trunk
    ):  # a type that the text hides, such as "5060" where 5060 belongs: our fault, not the person's
        raise ValueError("a trunk's values differ from what their text says")
    for key, needed in (("name", True), ("host", True), ("user", trunk.register)):
        if needed and not text[key]:
            setting = _BY_KEY[key]
            why = " to register" if key == "user" else ""
            do = f"{setting.help} Example: {key}={setting.example}."
            raise SettingError(f"{setting.label} is empty, but needed{why}.", do=do, field=key)


def as_text(trunk: Trunk) -> dict[str, str]:
    """Every setting as the text that `apply_settings` reads as the same value."""
    return {setting.key: _text_of(getattr(trunk, setting.key)) for setting in SETTINGS}


def _text_of(value: str | int | tuple[str, ...] | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _blank(trunk_id: str) -> Trunk:
    return Trunk(id=trunk_id, name="", host="")


def _typed(setting: Setting, text: str) -> Typed:
    typed = Typed(setting.key, setting.label, text)
    typed.tidy(longest=setting.longest, any_character=setting.key in {"name", "realm", "ca_file"})
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
    trunk = replace(trunk, **{typed.key: read.read_user(typed)})
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
    raise typed.refuse(
        f"has {address} behind the @, but Host (host) is {trunk.host or 'empty'}",
        "Write only what is before the @. If all of it is your name for signing in, "
        "put it into Authentication ID (auth_id) as well.",
    )
