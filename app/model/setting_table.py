"""The table of a trunk's settings: key, label, help, kind, group."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from app.model.codecs import CODECS
from app.model.trunk import (
    DEFAULT_CODECS,
    DEFAULT_EXPIRES_S,
    DEFAULT_KEEP_ALIVE_S,
    DEFAULT_SESSION_S,
    Dtmf,
    FromHost,
    IdentityHeader,
    NumberFormat,
    SignIn,
    Srtp,
    Transport,
    Use,
)

LONGEST_DIDS = 400_000
"""Characters: 10,000 numbers of 15 digits with a `+`, a range's other end and a separator."""


class Kind(StrEnum):
    """What a form shows for a setting."""

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"
    YES_NO = "yes or no"
    LIST = "list"
    FILE = "file"
    LINES = "lines"


class Group(StrEnum):
    """The part of a form that a setting belongs to, in order; the value is its heading."""

    TRUNK = "Trunk"
    SIGN_IN = "Sign-in"
    SERVER = "Server"
    NUMBERS = "Numbers"
    AUDIO = "Audio"
    CALLS = "Calls and session"


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting.

    Attributes:
        key: Its key in `ringback add --set key=value`, and the field of `Trunk`.
        label: The field's standard term.
        help: One line in plain words.
        example: A value that is accepted.
        group: The part of a form that it belongs to.
        kind: What a form shows for it.
        choices: For a choice or a list, what there is to choose from.
        words: For a choice, what stands on screen for each of the choices.
        longest: Most characters it may have.
    """

    key: str
    label: str
    help: str
    example: str
    group: Group
    kind: Kind = Kind.TEXT
    choices: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    longest: int = 255


def _values(kind: type[StrEnum]) -> tuple[str, ...]:
    return tuple(member.value for member in kind)


def _switch(key: str, label: str, about: str, group: Group, example: str = "yes") -> Setting:
    return Setting(
        key=key,
        label=label,
        help=about,
        example=example,
        group=group,
        kind=Kind.YES_NO,
        choices=("yes", "no"),
    )


_FORMAT_WORDS = (
    "As typed",
    "E.164 with +  (+15145550199)",
    "E.164 without +  (15145550199)",
    "North America, 11 digits",
    "North America, 10 digits",
    "As dialled in the country",
)

SETTINGS: tuple[Setting, ...] = (
    Setting(
        key="name",
        label="Name",
        help="What you call this trunk.",
        example="Main office",
        group=Group.TRUNK,
        longest=64,
    ),
    Setting(
        key="provider",
        label="Provider",
        help="Whose trunk it is, as in the catalogue; empty for another provider.",
        example="voipms",
        group=Group.TRUNK,
        longest=64,
    ),
    _switch("connect", "Connect", "No switches the trunk off: it does not connect.", Group.TRUNK),
    _switch("allow_out", "Allow outgoing calls", "No refuses calls that you want to place.", Group.TRUNK),
    _switch("allow_in", "Allow incoming calls", "No declines every call that comes in.", Group.TRUNK),
    Setting(
        key="notes",
        label="Notes",
        help="For yourself: contract number, support line. Never a password.",
        example="Support: ask for the SIP desk",
        group=Group.TRUNK,
        kind=Kind.LINES,
        longest=4000,
    ),
    Setting(
        key="sign_in",
        label="Sign-in",
        help="How your provider knows that it is you.",
        example="register",
        group=Group.SIGN_IN,
        kind=Kind.CHOICE,
        choices=_values(SignIn),
        words=(
            "Register with a password",
            "Password on each call, no registration",
            "By my IP address",
        ),
    ),
    Setting(
        key="user",
        label="User",
        help="The user name or number that your provider gave you.",
        example="4930123456",
        group=Group.SIGN_IN,
    ),
    Setting(
        key="auth_id",
        label="Authentication ID",
        help="Only if your provider gave you a second name for signing in (auth user, login).",
        example="trunk-4711",
        group=Group.SIGN_IN,
    ),
    Setting(
        key="realm",
        label="Realm",
        help="Leave it at * unless your provider says which realm the password is for.",
        example="*",
        group=Group.SIGN_IN,
    ),
    Setting(
        key="host",
        label="Host",
        help="Your provider's SIP server, a domain or an IP address (also called registrar or SIP domain).",
        example="sip.example.com",
        group=Group.SERVER,
    ),
    Setting(
        key="port",
        label="Port",
        help="Only if your provider names one; else leave it empty.",
        example="5060",
        group=Group.SERVER,
        kind=Kind.NUMBER,
    ),
    Setting(
        key="transport",
        label="Transport",
        help="How SIP messages travel: UDP is the usual one, TLS is encrypted.",
        example="udp",
        group=Group.SERVER,
        kind=Kind.CHOICE,
        choices=_values(Transport),
        words=("UDP", "TCP", "TLS"),
    ),
    Setting(
        key="backup_hosts",
        label="Backup servers",
        help="Further servers of your provider, tried in this order when the host does not answer.",
        example="sip2.example.com;192.0.2.11:5060",
        group=Group.SERVER,
        longest=2000,
    ),
    Setting(
        key="proxy",
        label="Outbound proxy",
        help="Only if your provider names a server that everything goes through.",
        example="proxy.example.com:5060",
        group=Group.SERVER,
    ),
    Setting(
        key="ca_file",
        label="CA file",
        help="Only for TLS with the provider's own certificate authority: its certificate, a PEM file.",
        example="provider-ca.pem",
        group=Group.SERVER,
        kind=Kind.FILE,
        longest=4096,
    ),
    Setting(
        key="tls_pin",
        label="Pinned certificate",
        help="Only for TLS: SHA-256 fingerprint of the one server certificate to trust, whoever issued it.",
        example=":".join(f"{n:02X}" for n in range(16, 48)),
        group=Group.SERVER,
        longest=200,
    ),
    Setting(
        key="expires",
        label="Expires",
        help="Seconds until the registration has to be renewed.",
        example=str(DEFAULT_EXPIRES_S),
        group=Group.SERVER,
        kind=Kind.NUMBER,
    ),
    Setting(
        key="keep_alive",
        label="Keep-alive",
        help="Seconds between the small packets that keep the way through your router open; 0 for none.",
        example=str(DEFAULT_KEEP_ALIVE_S),
        group=Group.SERVER,
        kind=Kind.NUMBER,
    ),
    Setting(
        key="public_address",
        label="Public address",
        help="Only if your provider must see your public IP address in Contact and SDP: write it here.",
        example="203.0.113.10",
        group=Group.SERVER,
    ),
    Setting(
        key="from_host",
        label="Host in From",
        help="What stands after the @ of your number; nearly every provider wants its own.",
        example="provider",
        group=Group.SERVER,
        kind=Kind.CHOICE,
        choices=_values(FromHost),
        words=("The provider's", "My public address"),
    ),
    Setting(
        key="country",
        label="Country",
        help="Two letters: the country whose numbers you dial without a country code.",
        example="CA",
        group=Group.NUMBERS,
    ),
    Setting(
        key="number_format",
        label="Number format",
        help="How your provider wants the numbers that you call.",
        example="e164-plus",
        group=Group.NUMBERS,
        kind=Kind.CHOICE,
        choices=_values(NumberFormat),
        words=_FORMAT_WORDS,
    ),
    Setting(
        key="tech_prefix",
        label="Tech prefix",
        help="Only if your provider gave you digits that stand in front of every number.",
        example="12345678",
        group=Group.NUMBERS,
        longest=16,
    ),
    Setting(
        key="tech_separator",
        label="Prefix separator",
        help="What stands between the tech prefix and the number.",
        example="*",
        group=Group.NUMBERS,
        kind=Kind.CHOICE,
        choices=("", "*", "#"),
        words=("Nothing", "*", "#"),
    ),
    Setting(
        key="caller_id",
        label="Caller ID",
        help="The number that the person you call sees; empty for the user.",
        example="+4930123456",
        group=Group.NUMBERS,
    ),
    Setting(
        key="caller_id_format",
        label="Caller ID format",
        help="How your provider wants the caller ID.",
        example="e164-plus",
        group=Group.NUMBERS,
        kind=Kind.CHOICE,
        choices=_values(NumberFormat),
        words=_FORMAT_WORDS,
    ),
    Setting(
        key="caller_id_header",
        label="Caller ID header",
        help="Where the caller ID stands in a call; without From, From shows the user.",
        example="From,P-Asserted-Identity",
        group=Group.NUMBERS,
        kind=Kind.LIST,
        choices=_values(IdentityHeader),
    ),
    _switch("privacy", "Withhold caller ID", "Yes asks to hide your number.", Group.NUMBERS, "no"),
    Setting(
        key="dids",
        label="DIDs",
        help="The numbers that reach this trunk, with ; between them; a range as 300-450.",
        example="101;203;300-450",
        group=Group.NUMBERS,
        kind=Kind.LINES,
        longest=LONGEST_DIDS,
    ),
    Setting(
        key="channels",
        label="Channels",
        help="How many calls at a time you have bought; empty if you do not know.",
        example="10",
        group=Group.NUMBERS,
        kind=Kind.NUMBER,
    ),
    Setting(
        key="codecs",
        label="Codecs",
        help="How speech is encoded, the preferred way first.",
        example=",".join(DEFAULT_CODECS),
        group=Group.AUDIO,
        kind=Kind.LIST,
        choices=CODECS,
    ),
    Setting(
        key="srtp",
        label="SRTP",
        help="Encryption of the sound. Require only if your provider has switched it on.",
        example="off",
        group=Group.AUDIO,
        kind=Kind.CHOICE,
        choices=_values(Srtp),
        words=("Off", "Offer it", "Require it"),
    ),
    Setting(
        key="dtmf",
        label="DTMF",
        help="How the digits that you press in a call are sent.",
        example="rfc4733",
        group=Group.AUDIO,
        kind=Kind.CHOICE,
        choices=_values(Dtmf),
        words=("RFC 4733 (the usual way)", "SIP INFO", "Tones in the sound"),
    ),
    Setting(
        key="session_timer",
        label="Session timer",
        help="Notices when the other end of a call has vanished (RFC 4028).",
        example="supported",
        group=Group.CALLS,
        kind=Kind.CHOICE,
        choices=_values(Use),
        words=("Off", "If the provider wants it", "Required"),
    ),
    Setting(
        key="session_expires",
        label="Session interval",
        help="Seconds within which a call is confirmed again, at least 90.",
        example=str(DEFAULT_SESSION_S),
        group=Group.CALLS,
        kind=Kind.NUMBER,
    ),
    Setting(
        key="prack",
        label="PRACK",
        help="Whether ringing is acknowledged (RFC 3262); off works almost everywhere.",
        example="off",
        group=Group.CALLS,
        kind=Kind.CHOICE,
        choices=_values(Use),
        words=("Off", "If the provider wants it", "Required"),
    ),
)
"""All settings, in the order of a form."""

BY_KEY = {setting.key: setting for setting in SETTINGS}
