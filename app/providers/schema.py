"""The shape of a provider's file in the catalogue; what is not known is left out, never invented.

A text in braces, `{trunk}.pstn.example.com`, is filled with the answer to the question of that key.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from app.model.trunk import CryptoSuite, Dtmf, FromHost, IdentityHeader, NumberFormat, Srtp, Transport


class Confidence(StrEnum):
    """How well a fact is founded: the provider's own words, somebody else's, or a conclusion of ours."""

    DOCUMENTED = "documented"
    SECONDARY = "secondary"
    INFERRED = "inferred"


class Method(StrEnum):
    """How a provider lets customers sign in. ACCEPT: the provider registers to the customer."""

    REGISTER = "register"
    CREDENTIALS = "credentials"
    ADDRESS = "address"
    ACCEPT = "accept"


class Page(StrEnum):
    """The wizard's page on which a question is asked."""

    SIGN_IN = "sign-in"
    SERVER = "server"
    NUMBERS = "numbers"


class _Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every table; a misspelt key is an error."""


class Field(_Table, frozen=True, kw_only=True):
    """What a provider calls a thing, and where the customer finds it.

    Attributes:
        label: The provider's own word.
        help: One or two sentences: what it looks like, what to watch out for.
        where: Click path or letter where it stands.
        example: A value of the right form.
        pattern: Regular expression that the whole value matches; empty for any.
        required: Whether it has to be answered.
    """

    label: str
    help: str = ""
    where: str = ""
    example: str = ""
    pattern: str = ""
    required: bool = True


class Choice(_Table, frozen=True, kw_only=True):
    """One answer of a question with fixed answers.

    Attributes:
        value: The answer.
        label: What stands on screen.
        sets: Settings that this answer gives, by key, as typed text.
    """

    value: str
    label: str
    sets: dict[str, str] = {}


class Question(_Table, frozen=True, kw_only=True):
    """Something that this provider needs and others do not, or calls by another name.

    Attributes:
        key: A setting's key, whose value the answer then is; or a word of its own that stands in braces
            elsewhere, or that only has choices.
        page: Where it is asked.
        field: Words and rules.
        methods: Asked only with these ways to sign in; empty for all.
        choices: Fixed answers, the first one preset; empty for free text.
    """

    key: str
    page: Page
    field: Field
    methods: tuple[Method, ...] = ()
    choices: tuple[Choice, ...] = ()


class SignInFacts(_Table, frozen=True, kw_only=True):
    """One way to sign in.

    Attributes:
        method: Which.
        user, password, auth_id: The fields it needs; None for one that it has not.
        where: Where in the portal this is set up.
        note: What a customer should know about it.
        host: Host for the URIs, with braces; empty when it is the server that was chosen.
        proxy: Outbound proxy, with braces; empty for none.
        realm: The realm challenges name, with braces (`{host}` for the server); empty when it is not known.
        register_challenge: What REGISTER is challenged with: 401 as a registrar does (RFC 3261 section 22.2),
            or 407 as a proxy does.
        confidence: Of these facts.
    """

    method: Method
    user: Field | None = None
    password: Field | None = None
    auth_id: Field | None = None
    where: str = ""
    note: str = ""
    host: str = ""
    proxy: str = ""
    realm: str = ""
    register_challenge: Literal[401, 407] = 401
    confidence: Confidence = Confidence.SECONDARY


class Server(_Table, frozen=True, kw_only=True):
    """A server to choose.

    Attributes:
        host: Name or address, with braces.
        region: Where it is, for people.
        note: What else to know.
        methods: Only for these ways to sign in; empty for all.
        legacy: Whether it is for old accounts only.
        confidence: Of this server.
    """

    host: str
    region: str = ""
    note: str = ""
    methods: tuple[Method, ...] = ()
    legacy: bool = False
    confidence: Confidence = Confidence.SECONDARY


class TransportFacts(_Table, frozen=True, kw_only=True):
    """A transport that is offered."""

    protocol: Transport
    port: int
    confidence: Confidence = Confidence.SECONDARY


class Signalling(_Table, frozen=True, kw_only=True):
    """Where SIP goes and how.

    Attributes:
        transports: Offered ones, the usual one first.
        servers: To choose from; empty when the customer has to name it.
        srv: Whether DNS SRV leads to the port; then none is set.
        expires: Registration lifetime that the provider names, seconds, or None.
        keep_alive: Seconds, or None.
        needs_public_address: Whether Contact and SDP must show the public address.
        from_host: What stands after the `@` of From in a call.
        note: What a customer should know.
    """

    transports: tuple[TransportFacts, ...] = ()
    servers: tuple[Server, ...] = ()
    srv: bool = False
    expires: int | None = None
    keep_alive: int | None = None
    needs_public_address: bool = False
    from_host: FromHost = FromHost.PROVIDER
    note: str = ""


class Media(_Table, frozen=True, kw_only=True):
    """What sound is made of.

    Attributes:
        codecs: Offered by the provider, the preferred one first; also ones that Ringback has not.
        srtp: Off, offered, or required; None when it is not known.
        srtp_suites: Those that keys are taken for; empty when they are not known.
        dtmf: None when it is not known.
        rtp_ports: For example `10000-20000`.
        note: What a customer should know.
        confidence: Of these facts.
    """

    codecs: tuple[str, ...] = ()
    srtp: Srtp | None = None
    srtp_suites: tuple[CryptoSuite, ...] = ()
    dtmf: Dtmf | None = None
    rtp_ports: str = ""
    note: str = ""
    confidence: Confidence = Confidence.SECONDARY


class Numbers(_Table, frozen=True, kw_only=True):
    """How numbers are written.

    Attributes:
        destination: The form that always works; None when it is not known.
        accepts: Regular expressions of what the provider takes as a called number; empty when not known.
        tech_separator: Between tech prefix and number, where the provider has prefixes.
        caller_id: Form of the caller ID; None when it is not known.
        caller_id_header: Headers it goes in; empty when it is not known.
        inbound: How called numbers arrive, for people.
        note, caller_id_note, emergency_note: What a customer should know.
        confidence: Of these facts.
    """

    destination: NumberFormat | None = None
    accepts: tuple[str, ...] = ()
    tech_separator: str = ""
    caller_id: NumberFormat | None = None
    caller_id_header: tuple[IdentityHeader, ...] = ()
    inbound: str = ""
    note: str = ""
    caller_id_note: str = ""
    emergency_note: str = ""
    confidence: Confidence = Confidence.SECONDARY


class TestNumber(_Table, frozen=True, kw_only=True):
    """A number for tests. `safe` is whether an automatic test may call it (an echo, an announcement)."""

    number: str
    purpose: str
    note: str = ""
    safe: bool = False


class Network(_Table, frozen=True, kw_only=True):
    """Addresses for firewalls.

    Attributes:
        signalling, media: CIDR blocks; empty when they are not known.
        note: What a customer should know.
        confidence: Of the addresses.
    """

    signalling: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    note: str = ""
    confidence: Confidence = Confidence.SECONDARY


class Limits(_Table, frozen=True, kw_only=True):
    """Calls at a time and calls per second, None when they are not known; a note for people."""

    channels: int | None = None
    cps: int | None = None
    note: str = ""


class Mistake(StrEnum):
    """What a customer does wrong when the provider refuses.

    REGISTER: registers where there is no registrar. CREDENTIALS: a wrong name or password. CALL: calls with
    credentials where only addresses count, or without registering where that is needed. DESTINATION: the
    called number is in the wrong form. PREFIX: the tech prefix is missing. CALLER_ID: the caller ID is in
    the wrong form or in no header. HOST: the Request-URI names another host. CODEC: no codec of theirs comes
    first. TRANSPORT: another transport. SRTP: plain sound where encryption is a must.
    """

    REGISTER = "register"
    CREDENTIALS = "credentials"
    CALL = "call"
    DESTINATION = "destination"
    PREFIX = "prefix"
    CALLER_ID = "caller-id"
    HOST = "host"
    CODEC = "codec"
    TRANSPORT = "transport"
    SRTP = "srtp"


class Refusal(_Table, frozen=True, kw_only=True):
    """What a mistake leads to at this provider.

    Attributes:
        mistake: What was done.
        code: Final SIP code; 0 for no answer at all; None when it is not known.
        reason: Its phrase where that is known.
        symptom: What the customer sees, a sentence.
        cause: Why.
        fix: What to do.
        confidence: Of the code; a guessed one is `inferred`.
    """

    mistake: Mistake
    code: int | None = None
    reason: str = ""
    symptom: str
    cause: str = ""
    fix: str = ""
    confidence: Confidence = Confidence.SECONDARY


class Trouble(_Table, frozen=True, kw_only=True):
    """Something else that goes wrong with this provider.

    Attributes:
        symptom, cause, fix: What one sees, why, and what to do.
        confidence: Of all that.
        findings: Ids of findings that it can be behind, as `DNS-*` too; without one it is only on the page.
        methods: Only trunks that sign in so have it; all when empty.
        host: Regular expression: only a trunk with such a host has it.
        reason: Regular expression: only a failure with these words of the provider's is it.
        changed: Key of a setting: only a trunk that has it set has it.
        when: Name of a condition in app/checks/conditions.py: only where it holds.
        field: Key of the setting to look at first, where that is another than the finding's.
    """

    symptom: str
    cause: str
    fix: str
    confidence: Confidence = Confidence.SECONDARY
    findings: tuple[str, ...] = ()
    methods: tuple[Method, ...] = ()
    host: str = ""
    reason: str = ""
    changed: str = ""
    when: str = ""
    field: str = ""

    @property
    def is_sure(self) -> bool:
        """Whether more speaks for it than the finding: the trunk's own settings, or the provider's words."""
        return bool(self.host or self.reason or self.changed or self.when)


class Source(_Table, frozen=True, kw_only=True):
    """Where facts come from.

    Attributes:
        where: Address, or a name where there is none.
        kind: The provider's own page, or somebody else's.
        says: Which facts.
        year: When it said so.
    """

    where: str
    kind: Confidence
    says: str = ""
    year: str = ""


class Provider(_Table, frozen=True, kw_only=True):
    """One provider.

    Attributes:
        id: Its file's name.
        name: Its name.
        website, portal: Addresses; empty when not known.
        countries: ISO 3166 codes, the main one first.
        summary: One line for the list.
        checked: Month in which the facts were gathered, `2026-11`.
        thin: Where facts are thin: what the wizard says about that; else empty.
        confidence: Of the file as a whole.
        sign_ins: Ways to sign in, the usual one first; empty when not known, and then all are offered.
        questions: What it needs besides.
        signalling, media, numbers, network, limits: Facts.
        test_numbers: Numbers for tests.
        refusals: What typical mistakes lead to; the carrier plays them.
        troubles: What else goes wrong.
        unknown: What is not known, for the page and for whoever looks next.
        sources: Where the facts come from.
    """

    id: str
    name: str
    website: str = ""
    portal: str = ""
    countries: tuple[str, ...]
    summary: str
    checked: str
    thin: str = ""
    confidence: Confidence
    sign_ins: tuple[SignInFacts, ...] = ()
    questions: tuple[Question, ...] = ()
    signalling: Signalling = Signalling()
    media: Media = Media()
    numbers: Numbers = Numbers()
    test_numbers: tuple[TestNumber, ...] = ()
    network: Network = Network()
    limits: Limits = Limits()
    refusals: tuple[Refusal, ...] = ()
    troubles: tuple[Trouble, ...] = ()
    unknown: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()

    def sign_in(self, method: Method) -> SignInFacts | None:
        """The facts of one way to sign in, if it is offered."""
        return next((facts for facts in self.sign_ins if facts.method is method), None)

    def refusal(self, mistake: Mistake) -> Refusal | None:
        """What a mistake leads to, where that is known."""
        return next((refusal for refusal in self.refusals if refusal.mistake is mistake), None)
