"""The catalogue: every provider's file, checked when it is read, and what a trunk takes from it."""

from __future__ import annotations

import difflib
import ipaddress
import pkgutil
import re
from collections.abc import Iterable, Mapping
from functools import cache

from app import shipped
from app.errors import SettingError
from app.model import codecs
from app.model.settings import SETTINGS, apply_settings
from app.model.trunk import FromHost, SignIn, Transport, Trunk
from app.model.typed import shown
from app.providers.schema import Field, Method, Provider, SignInFacts, Trouble

IDS: tuple[str, ...] = (
    "airenetworks",
    "bandwidth",
    "callcentric",
    "cmcom",
    "flowroute",
    "gamma",
    "questblue",
    "siptrunk",
    "skyetel",
    "telnyx",
    "telstra",
    "twilio",
    "voicemeup",
    "voipinnovations",
    "voipms",
    "vonage",
    "voxtelesys",
    "wavix",
)
"""A frozen program can't list a folder, so the files are named here; a test compares."""

_PACKAGE = "app.providers"
_BRACES = re.compile(r"\{([^{}]*)\}")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")
_USUAL_CHALLENGE = 401
_BLANK = Trunk(id="", name="", host="")
_SETTING_KEYS = frozenset(setting.key for setting in SETTINGS)
_KNOWN_CODECS = frozenset(codecs.CODECS) | {*codecs.TO_COME.values(), "opus", "AMR-NB"}
SERVER_KEY = "server"
"""In braces: the server that was chosen."""


@cache
def find(provider_id: str) -> Provider:
    """The provider with this id.

    Raises:
        SettingError: There is none; ids and names that look like it are suggested.
        ShippedDataError: Its file is wrong: a bug.
    """
    if provider_id not in IDS:
        raise _unknown(provider_id)
    raw = pkgutil.get_data(_PACKAGE, f"data/{provider_id}.toml")
    if raw is None:
        raise shipped.ShippedDataError(f"data/{provider_id}.toml: the package's loader can't give files")
    return parse(provider_id, raw)


@cache
def providers() -> tuple[Provider, ...]:
    """All of them, by name."""
    return tuple(sorted((find(provider_id) for provider_id in IDS), key=lambda found: found.name.lower()))


def name_of(provider_id: str) -> str:
    """A provider's name; its id when the catalogue does not know it (any more), empty for an empty one."""
    return find(provider_id).name if provider_id in IDS else provider_id


def parse(provider_id: str, raw: bytes) -> Provider:
    """Read one file and check all that its shape does not.

    Raises:
        ShippedDataError: Names file, table and key.
    """
    name = f"{_PACKAGE}/data/{provider_id}.toml"
    provider = shipped.parse(name, raw, Provider)
    for where, problem in _problems(provider_id, provider):
        raise shipped.ShippedDataError(f"{name}: {where}: {problem}")
    return provider


def defaults(provider_id: str, sign_in: SignIn) -> dict[str, str]:
    """What a trunk takes from its provider as long as nobody changes it: typed text by setting key.

    Only what the catalogue knows is in it. Without a provider, or with one the catalogue does not know,
    there is nothing.
    """
    if provider_id not in IDS:
        return {}
    provider = find(provider_id)
    signalling, media, numbers = provider.signalling, provider.media, provider.numbers
    found: dict[str, str] = {}
    if signalling.transports:
        first = signalling.transports[0]
        found["transport"] = first.protocol
        usual = first.port == Transport(first.protocol).default_port
        # A port that is set keeps RFC 3263 from asking for SRV, so only an unusual one is
        found["port"] = "" if usual or signalling.srv else str(first.port)
    if signalling.expires is not None and sign_in is SignIn.REGISTER:
        found["expires"] = str(signalling.expires)
    if signalling.keep_alive is not None:
        found["keep_alive"] = str(signalling.keep_alive)
    if signalling.from_host is not FromHost.PROVIDER:
        found["from_host"] = signalling.from_host
    usable = [codec for codec in media.codecs if codec in codecs.CODECS]
    if usable:
        found["codecs"] = ",".join(usable)
    if media.dtmf is not None:
        found["dtmf"] = media.dtmf
    if media.srtp is not None:
        found["srtp"] = media.srtp
    if provider.countries and len(provider.countries[0]) == 2:
        found["country"] = provider.countries[0]
    if numbers.destination is not None:
        found["number_format"] = numbers.destination
    if numbers.tech_separator and sign_in is SignIn.ADDRESS:
        found["tech_separator"] = numbers.tech_separator
    if numbers.caller_id is not None:
        found["caller_id_format"] = numbers.caller_id
    if numbers.caller_id_header:
        found["caller_id_header"] = ",".join(numbers.caller_id_header)
    if provider.limits.channels is not None:
        found["channels"] = str(provider.limits.channels)
    return found


def sign_in_of(method: Method) -> SignIn | None:
    """The setting behind a way to sign in; None for one that a trunk can't have yet."""
    return None if method is Method.ACCEPT else SignIn(method.value)


def fill(template: str, answers: Mapping[str, str]) -> str:
    """A text with its braces filled; one that is not answered stays empty."""
    return _BRACES.sub(lambda found: answers.get(found[1], "").strip(), template)


def braces(template: str) -> tuple[str, ...]:
    """The keys in a text's braces."""
    return tuple(_BRACES.findall(template))


def matches(field: Field, value: str) -> bool:
    """Whether a value is of the form that the provider gives out."""
    return not field.pattern or re.fullmatch(field.pattern, value) is not None


# Checks of a file


def _problems(provider_id: str, provider: Provider) -> Iterable[tuple[str, str]]:
    """Table and key with what is wrong, one after the other."""
    if provider.id != provider_id:
        yield "id", f"{shown(provider.id)} is not the file's name"
    if not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", provider.checked):
        yield "checked", f"{shown(provider.checked)} is no month such as 2026-11"
    for country in provider.countries:
        if not re.fullmatch(r"[A-Z]{2}", country):
            yield "countries", f"{shown(country)} is no ISO 3166 code"
    for address in (provider.website, provider.portal):
        if address and not address.startswith("https://"):
            yield "website or portal", f"{shown(address)} does not begin with https://"
    yield from _sign_in_problems(provider)
    yield from _question_problems(provider)
    yield from _fact_problems(provider)


def _sign_in_problems(provider: Provider) -> Iterable[tuple[str, str]]:
    known = {question.key for question in provider.questions} | {SERVER_KEY}
    methods = [facts.method for facts in provider.sign_ins]
    if len(set(methods)) != len(methods):
        yield "sign_ins", "a method stands twice"
    for at, facts in enumerate(provider.sign_ins):
        where = f"sign_ins[{at}]"
        for name in ("user", "password", "auth_id"):
            field: Field | None = getattr(facts, name)
            if field is not None:
                yield from _field_problems(f"{where}.{name}", field)
        yield from _template_problems(f"{where}.host", facts.host, known)
        yield from _template_problems(f"{where}.proxy", facts.proxy, known)
        yield from _template_problems(f"{where}.realm", facts.realm, known | {"host"}, any_text=True)
        if facts.method in (Method.REGISTER, Method.CREDENTIALS) and not facts.password:
            yield f"{where}.password", "is missing, and this method needs one"
        if facts.method is not Method.REGISTER and facts.register_challenge != _USUAL_CHALLENGE:
            yield f"{where}.register_challenge", "is there, and this method registers nothing"
    for at, server in enumerate(provider.signalling.servers):
        yield from _template_problems(f"signalling.servers[{at}].host", server.host, known)


def _template_problems(
    where: str, template: str, known: Iterable[str], *, any_text: bool = False
) -> Iterable[tuple[str, str]]:
    for key in braces(template):
        if key not in known:
            yield where, f"{{{key}}} is the key of no question"
    plain = _BRACES.sub("x", template)
    if template and not any_text and not _HOST.fullmatch(plain):
        yield where, f"{shown(template)} is no host"


def _question_problems(provider: Provider) -> Iterable[tuple[str, str]]:
    keys = [question.key for question in provider.questions]
    if len(set(keys)) != len(keys):
        yield "questions", "a key stands twice"
    used = {key for facts in provider.sign_ins for text in (facts.host, facts.proxy) for key in braces(text)}
    used |= {key for server in provider.signalling.servers for key in braces(server.host)}
    for at, question in enumerate(provider.questions):
        where = f"questions[{at}]"
        yield from _field_problems(f"{where}.field", question.field)
        if question.key not in _SETTING_KEYS and question.key not in used and not question.choices:
            yield f"{where}.key", f"{shown(question.key)} is no setting and stands in no braces"
        for number, choice in enumerate(question.choices):
            try:
                apply_settings(_BLANK, choice.sets)
            except SettingError as error:
                yield f"{where}.choices[{number}].sets", str(error)


def _field_problems(where: str, field: Field) -> Iterable[tuple[str, str]]:
    if not field.label:
        yield f"{where}.label", "is empty"
    try:
        re.compile(field.pattern)
    except re.error as error:
        yield f"{where}.pattern", f"is no regular expression: {error}"
        return
    if field.example and not matches(field, field.example):
        yield f"{where}.example", f"{shown(field.example)} does not match the pattern"


def _fact_problems(provider: Provider) -> Iterable[tuple[str, str]]:
    for at, transport in enumerate(provider.signalling.transports):
        if not 1 <= transport.port <= 65535:
            yield f"signalling.transports[{at}].port", f"{transport.port} is no port"
    for codec in provider.media.codecs:
        if codec not in _KNOWN_CODECS:
            yield "media.codecs", f"{shown(codec)} is not known"
    for name in ("signalling", "media"):
        for block in getattr(provider.network, name):
            try:
                ipaddress.ip_network(block)
            except ValueError as error:
                yield f"network.{name}", str(error)
    for at, pattern in enumerate(provider.numbers.accepts):
        try:
            re.compile(pattern)
        except re.error as error:
            yield f"numbers.accepts[{at}]", f"is no regular expression: {error}"
    for at, trouble in enumerate(provider.troubles):
        yield from ((f"troubles[{at}].{key}", problem) for key, problem in _trouble_problems(trouble))
    for at, refusal in enumerate(provider.refusals):
        if refusal.code is not None and refusal.code != 0 and not 300 <= refusal.code <= 699:
            yield f"refusals[{at}].code", f"{refusal.code} is no final SIP code"
    try:
        for facts in provider.sign_ins:
            sign_in = sign_in_of(facts.method)
            if sign_in is not None:
                apply_settings(_BLANK, _defaults_of(provider, facts, sign_in))
    except SettingError as error:
        yield "defaults", str(error)


def _trouble_problems(trouble: Trouble) -> Iterable[tuple[str, str]]:
    for key in ("host", "reason"):
        try:
            re.compile(getattr(trouble, key))
        except re.error as error:
            yield key, f"is no regular expression: {error}"
    for key in ("changed", "field"):
        named = getattr(trouble, key)
        if named and named not in _SETTING_KEYS:
            yield key, f"{shown(named)} is no setting"
    if not trouble.findings and (trouble.is_sure or trouble.methods or trouble.field):
        yield "findings", "is missing, and the rest is of no use without it"


def _defaults_of(provider: Provider, facts: SignInFacts, sign_in: SignIn) -> dict[str, str]:
    numbers = provider.numbers
    found = {"sign_in": sign_in.value, "tech_separator": numbers.tech_separator}
    if provider.signalling.expires is not None:
        found["expires"] = str(provider.signalling.expires)
    if provider.signalling.keep_alive is not None:
        found["keep_alive"] = str(provider.signalling.keep_alive)
    if facts.realm and not braces(facts.realm):
        found["realm"] = facts.realm
    if provider.limits.channels is not None:
        found["channels"] = str(provider.limits.channels)
    return found


def _unknown(provider_id: str) -> SettingError:
    near = difflib.get_close_matches(provider_id.lower(), IDS, n=3, cutoff=0.5)
    suggestion = f"Did you mean {' or '.join(near)}? " if near else ""
    return SettingError(
        f"There is no provider {shown(provider_id)} in the catalogue.",
        do=f"{suggestion}`ringback providers` lists all of them; leave it out for another provider.",
        field="provider",
    )
