"""What the demo carrier does while it plays a provider, taken from the provider's facts in the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import msgspec

from app.errors import SettingError
from app.model.trunk import CryptoSuite, IdentityHeader, NumberFormat, Srtp, Transport
from app.model.typed import shown
from app.providers import catalogue
from app.providers.schema import Method, Mistake, Provider, Question, SignInFacts
from app.sip.carrier.sdes import ALL_SUITES

PLAYABLE = (Method.REGISTER, Method.CREDENTIALS, Method.ADDRESS)
# What the carrier answers where no code is known: what most would take for this mistake
_CHOSEN = {
    Mistake.REGISTER: 405,
    Mistake.CREDENTIALS: 403,
    Mistake.CALL: 403,
    Mistake.DESTINATION: 404,
    Mistake.PREFIX: 403,
    Mistake.CALLER_ID: 403,
    Mistake.HOST: 404,
    Mistake.CODEC: 488,
    Mistake.SRTP: 488,
}

# What was wrong, where the catalogue has no words of its own about it
_WHY = {
    Mistake.REGISTER: "Nothing registers here.",
    Mistake.CREDENTIALS: "User name or password is wrong.",
    Mistake.CALL: "The call is from an address that is not known here.",
    Mistake.DESTINATION: "The called number is not in a form that is taken here.",
    Mistake.PREFIX: "The tech prefix is missing.",
    Mistake.CALLER_ID: "The caller ID is missing or in another form.",
    Mistake.HOST: "The call names another host.",
    Mistake.CODEC: "The first codec is none of those that are taken here.",
    Mistake.SRTP: "The sound is not encrypted.",
}
_BRACES = re.compile(r"\{([^{}]*)\}")
_FIRST_LABEL = re.compile(r"^\{[^{}]*\}\.")
_LABELS = r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*"
_NAME = rf"{_LABELS}\.[A-Za-z][A-Za-z0-9-]*"
"""A domain that is no IP address."""

_EXAMPLE_LABEL = "my-trunk"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a mistake is answered with.

    Attributes:
        mistake: Which.
        code: Final SIP code, 0 for no answer at all.
        reason: The provider's phrase, empty for the standard one.
        known: Whether the code is the provider's; else the carrier chose it.
        why: What was wrong, for people.
    """

    mistake: Mistake
    code: int
    reason: str = ""
    known: bool = True
    why: str = ""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A provider as the carrier plays it; what is empty is not asked for.

    Attributes:
        provider, name: Its id and name.
        method: How customers sign in: register, credentials or address.
        realm: Realm of challenges, `{host}` in it for the Request-URI's; empty for the carrier's own.
        register_challenge: What REGISTER is challenged with, 401 or 407.
        transports: What it listens on.
        certificate_names: Hosts for its TLS certificate, with `*` for a whole first label.
        hosts: Regular expressions of hosts that a Request-URI may name.
        host: A host that a trunk may have, empty when any will do.
        accepts: Regular expressions of called numbers.
        test_numbers: Its own numbers for tests.
        countries: ISO 3166 codes, for emergency numbers.
        destination: Form in which a called number always works.
        prefix: Regular expression of the tech prefix with its separator.
        prefix_optional: Whether some customers have none.
        prefix_example: Such a one.
        caller_id: Form of the caller ID.
        caller_id_headers: Headers of which one must have it.
        codecs: Of these one has to come first.
        srtp: What is made of offers: REQUIRE refuses plain sound, OFF encrypts only where the call insists.
        suites: Those of which an SRTP key is taken.
        switch: What the provider calls the switch for encryption, where its customer has it on.
        needs_tls: Whether calls without TLS are refused like those without SRTP.
        answers: To the mistakes that are noticed.
    """

    provider: str
    name: str
    method: Method
    realm: str = ""
    register_challenge: int = 401
    transports: tuple[Transport, ...] = tuple(Transport)
    certificate_names: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    host: str = ""
    accepts: tuple[str, ...] = ()
    test_numbers: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    destination: NumberFormat | None = None
    prefix: str = ""
    prefix_optional: bool = False
    prefix_example: str = ""
    caller_id: NumberFormat | None = None
    caller_id_headers: tuple[IdentityHeader, ...] = ()
    codecs: tuple[str, ...] = ()
    srtp: Srtp = Srtp.OFFER
    suites: tuple[CryptoSuite, ...] = ALL_SUITES
    switch: str = ""
    needs_tls: bool = False
    answers: tuple[Answer, ...] = ()

    def answer(self, mistake: Mistake) -> Answer | None:
        """What a mistake is answered with; None when it is not noticed."""
        return next((answer for answer in self.answers if answer.mistake is mistake), None)

    def realm_for(self, host: str) -> str:
        """The realm of a challenge to a request whose URI names this host; empty for the carrier's own."""
        return self.realm.replace("{host}", host.lower())


def profile_named(provider_id: str, method: str = "", *, encrypted: bool = False) -> Profile | None:
    """The profile for options; None without a provider.

    Raises:
        SettingError: No such provider, or it has no such method or switch.
    """
    if provider_id:
        return profile_of(catalogue.find(provider_id), method, encrypted=encrypted)
    if encrypted:
        raise SettingError(
            "A switch for encryption needs a provider to play.",
            do="Name one as well, for example --as twilio --encrypted.",
            field="encrypted",
        )
    if method:
        raise SettingError(
            "A way to sign in needs a provider to play.",
            do="Name one as well, for example --as flowroute --method address.",
            field="method",
        )
    return None


def profile_of(provider: Provider, method: str = "", *, encrypted: bool = False) -> Profile:
    """The profile of a provider.

    Args:
        provider: Its facts.
        method: One of its ways to sign in; empty for the usual one.
        encrypted: Whether its customer has switched encryption on.

    Raises:
        SettingError: It has no such method, or no switch for encryption.
    """
    chosen = _method(provider, method)
    switch, settings = _encryption(provider, chosen) if encrypted else ("", {})
    # Where nothing says that plain calls are refused then, they are taken
    strict = bool(switch) and provider.refusal(Mistake.SRTP) is not None
    facts = provider.sign_in(chosen)
    hosts = _hosts(provider, chosen, facts)
    numbers, media = provider.numbers, provider.media
    prefix, prefix_example, optional = _prefix(provider, chosen)
    noticed = {
        Mistake.REGISTER: chosen is not Method.REGISTER,
        Mistake.CREDENTIALS: chosen is not Method.ADDRESS
        and _code(provider, Mistake.CREDENTIALS) is not None,
        Mistake.CALL: chosen is Method.ADDRESS
        or (chosen is Method.REGISTER and provider.refusal(Mistake.CALL) is not None),
        Mistake.DESTINATION: bool(numbers.accepts),
        Mistake.PREFIX: bool(prefix) and not optional,
        Mistake.CALLER_ID: provider.refusal(Mistake.CALLER_ID) is not None
        and bool(numbers.caller_id or numbers.caller_id_header),
        Mistake.HOST: provider.refusal(Mistake.HOST) is not None,
        Mistake.CODEC: provider.refusal(Mistake.CODEC) is not None and bool(media.codecs),
        Mistake.SRTP: strict or media.srtp is Srtp.REQUIRE,
    }
    offered = [transport.protocol for transport in provider.signalling.transports]
    return Profile(
        provider=provider.id,
        name=provider.name,
        method=chosen,
        realm=_realm(provider, facts),
        register_challenge=facts.register_challenge if facts else 401,
        transports=tuple(transport for transport in Transport if transport in offered) or tuple(Transport),
        certificate_names=_certificate_names(provider),
        hosts=tuple(_host_pattern(host) for host in hosts) or (_NAME,) if noticed[Mistake.HOST] else (),
        host=_example(provider, hosts[0] if hosts else "{name}.example.com") if noticed[Mistake.HOST] else "",
        accepts=numbers.accepts,
        test_numbers=tuple(number.number for number in provider.test_numbers),
        countries=provider.countries,
        destination=numbers.destination,
        prefix=prefix,
        prefix_optional=optional,
        prefix_example=prefix_example,
        caller_id=numbers.caller_id if noticed[Mistake.CALLER_ID] else None,
        caller_id_headers=numbers.caller_id_header if noticed[Mistake.CALLER_ID] else (),
        codecs=media.codecs if noticed[Mistake.CODEC] else (),
        srtp=Srtp.REQUIRE if strict else Srtp.OFFER if switch else media.srtp or Srtp.OFFER,
        suites=media.srtp_suites or ALL_SUITES,
        switch=switch,
        needs_tls=strict and settings.get("transport") == Transport.TLS,
        answers=tuple(_answer(provider, mistake) for mistake, is_noticed in noticed.items() if is_noticed),
    )


def _method(provider: Provider, method: str) -> Method:
    offered = [facts.method for facts in provider.sign_ins if facts.method in PLAYABLE] or list(PLAYABLE)
    if not method:
        return offered[0]
    if method not in offered:
        raise SettingError(
            f"{provider.name} has no way to sign in that is called {shown(method)}.",
            do=f"Choose {' or '.join(offered)}.",
            field="method",
        )
    return Method(method)


def _encryption(provider: Provider, method: Method) -> tuple[str, Mapping[str, str]]:
    """What the provider calls its switch for encryption, and the settings that go with it."""
    for question in provider.questions:
        if not question.methods or method in question.methods:
            for choice in question.choices:
                if choice.sets.get("srtp") == Srtp.REQUIRE:
                    return question.field.label, choice.sets
    raise SettingError(
        f"{provider.name} has no switch for encryption that is known.",
        do="Leave --encrypted out.",
        field="encrypted",
    )


def _code(provider: Provider, mistake: Mistake) -> int | None:
    refusal = provider.refusal(mistake)
    return refusal.code if refusal else None


def _answer(provider: Provider, mistake: Mistake) -> Answer:
    refusal = provider.refusal(mistake)
    code = refusal.code if refusal else None
    return Answer(
        mistake=mistake,
        code=_CHOSEN[mistake] if code is None else code,
        reason=refusal.reason if refusal else "",
        known=code is not None,
        why=(refusal.cause or refusal.symptom) if refusal else _WHY[mistake],
    )


def _hosts(provider: Provider, method: Method, facts: SignInFacts | None) -> list[str]:
    """Hosts that a trunk may have, with braces."""
    if facts and facts.host:
        return [facts.host]
    servers = provider.signalling.servers
    return [server.host for server in servers if not server.methods or method in server.methods]


def _host_pattern(template: str) -> str:
    """Hosts that come of a template; a whole name in braces is any domain."""
    if _BRACES.fullmatch(template):
        return _NAME
    parts = _BRACES.split(template)
    return "".join(_LABELS if at % 2 else re.escape(part) for at, part in enumerate(parts))


def _certificate_names(provider: Provider) -> tuple[str, ...]:
    """All its hosts; a first label in braces is any label, and other braces have their example."""
    templates = [facts.host for facts in provider.sign_ins] + [
        one.host for one in provider.signalling.servers
    ]
    names = (_example(provider, _FIRST_LABEL.sub("*.", template)) for template in templates if template)
    return tuple(dict.fromkeys(names))


def _realm(provider: Provider, facts: SignInFacts | None) -> str:
    """The realm with all braces but `{host}` filled from the examples in the catalogue."""
    if facts is None:
        return ""
    return _BRACES.sub(
        lambda found: found[0] if found[1] == "host" else _example(provider, found[0]), facts.realm
    )


def _example(provider: Provider, template: str) -> str:
    """A text with its braces filled from the questions' examples."""
    examples = {question.key: question.field.example for question in provider.questions}
    return _BRACES.sub(lambda found: examples.get(found[1]) or _EXAMPLE_LABEL, template)


def _prefix(provider: Provider, method: Method) -> tuple[str, str, bool]:
    """Pattern and example of the tech prefix, empty without one, and whether some customers have none."""
    question = _asked(provider.questions, "tech_prefix", method)
    must = question.field.required if question else provider.refusal(Mistake.PREFIX) is not None
    if method is not Method.ADDRESS or not (question or must):
        return "", "", False
    digits = question.field.pattern if question and question.field.pattern else "[0-9]+"
    example = question.field.example if question and question.field.example else "1234"
    separator = provider.numbers.tech_separator
    # Where the provider says nothing of one, whatever the customer sets it to
    behind = re.escape(separator) if separator or must else "[*#]?"
    return f"(?:{digits}){behind}", example + separator, not must


def _asked(questions: Iterable[Question], key: str, method: Method) -> Question | None:
    for question in questions:
        if question.key == key and (not question.methods or method in question.methods):
            return question
    return None
