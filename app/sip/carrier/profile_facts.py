"""What the carrier plays of a provider, and what it takes as it comes, in sentences for people."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from app.model.trunk import NumberFormat, Srtp
from app.providers import catalogue
from app.providers.schema import Method, Mistake, Provider
from app.sip.carrier.profile import Answer, Profile
from app.sip.carrier.sipmessage import REASONS

_FORM_WORDS: dict[NumberFormat, str] = {
    NumberFormat.AS_TYPED: "as typed",
    NumberFormat.E164_PLUS: "with + and country code",
    NumberFormat.E164: "with country code and without +",
    NumberFormat.NANP_11: "with 1 and ten digits",
    NumberFormat.NANP_10: "with ten digits",
    NumberFormat.NATIONAL: "as dialled inside the country",
}

_SOUND: dict[Srtp, str] = {
    Srtp.OFF: "Sound: plain RTP, and SRTP where a call offers nothing else.",
    Srtp.OFFER: "Sound: SRTP where a call offers it, else plain RTP.",
    Srtp.REQUIRE: "Sound: SRTP only.",
}


class ProfileFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about the far end that is played.

    Attributes:
        plays: What the carrier does as the provider does, a sentence each.
        lenient: What it does not know or has not, and therefore takes as it comes.
    """

    plays: tuple[str, ...] = ()
    lenient: tuple[str, ...] = ()


def facts_about(profile: Profile | None) -> ProfileFacts:
    """The sentences about a provider of the catalogue; none without one."""
    return facts_of(catalogue.find(profile.provider), profile) if profile else ProfileFacts()


def facts_of(provider: Provider, profile: Profile) -> ProfileFacts:
    """The sentences about one profile."""
    return ProfileFacts(plays=tuple(_plays(provider, profile)), lenient=tuple(_lenient(provider, profile)))


def outcome(answer: Answer) -> str:
    """What an answer is, for people, to follow a subject: `is refused with 403 Forbidden`."""
    if answer.code == 0:
        return "gets no answer"
    phrase = answer.reason or REASONS.get(answer.code, "")
    return f"is refused with {answer.code} {phrase}".rstrip() + chosen(answer)


def chosen(answer: Answer) -> str:
    """For behind a code: that it is the carrier's own choice, empty when it is the provider's code."""
    return "" if answer.known else f" (not documented, the demo carrier chooses {answer.code})"


def _plays(provider: Provider, profile: Profile) -> Iterable[str]:
    yield from _sign_in(profile)
    *others, last = (transport.upper() for transport in profile.transports)
    yield f"Transport: {', '.join(others)} and {last}." if others else f"Transport: {last} only."
    for mistake, subject in (
        (Mistake.HOST, f"A request for another host than one such as {profile.host}"),
        (Mistake.PREFIX, f"A called number without a tech prefix such as {profile.prefix_example} in front"),
        (Mistake.DESTINATION, f"A called number in another form than {_called(provider)}"),
        (Mistake.CALLER_ID, f"A call without a caller ID {_caller_id(profile)}"),
        (Mistake.CODEC, f"A call whose first codec is none of {', '.join(profile.codecs)}"),
        (Mistake.SRTP, f"A call without {'TLS or without ' * profile.needs_tls}encrypted sound"),
    ):
        answer = profile.answer(mistake)
        if answer:
            yield f"{subject} {outcome(answer)}."
    if profile.switch:
        yield f"{profile.switch} is switched on for its customer."
    if profile.switch or provider.media.srtp is not None:
        yield f"{_SOUND[profile.srtp]} SRTP keys come in SDP, for {' or '.join(profile.suites)}."
    if profile.prefix_optional:
        yield "A tech prefix in front of a called number is taken off; a number without one is right as well."
    if profile.test_numbers:
        yield f"Test numbers of {profile.name} echo: {', '.join(profile.test_numbers)}."
    yield (
        "Every other number echoes, except those that end in one of the demo carrier's own numbers: "
        "…486 is busy. Emergency numbers get 404."
    )


def _sign_in(profile: Profile) -> Iterable[str]:
    match profile.method:
        case Method.REGISTER:
            yield "Sign-in: the trunk registers with user and password, and its calls answer a challenge too."
            if profile.register_challenge != 401:
                yield f"Registering is challenged with {profile.register_challenge}, as a proxy does."
        case Method.CREDENTIALS:
            yield "Sign-in: each call answers a challenge with user and password; nothing registers."
        case _:
            yield "Sign-in: by address, and this computer is the known one; there is no password."
    if profile.realm:
        whose = "the host that the request names" if profile.realm == "{host}" else profile.realm
        yield f"The realm of its challenges is {whose}."
    by_address = profile.method is Method.ADDRESS
    for mistake, subject in (
        (Mistake.REGISTER, "A registration"),
        (Mistake.CREDENTIALS, "A wrong user or password"),
        (Mistake.CALL, "A call from an unknown address" if by_address else "A call without registration"),
    ):
        answer = profile.answer(mistake)
        if answer and mistake is Mistake.CREDENTIALS and answer.code in (401, 407):
            yield "A wrong password is challenged again."
        elif answer:
            yield f"{subject} {outcome(answer)}."


def _called(provider: Provider) -> str:
    wanted = provider.numbers.destination
    return f"those it takes, best {_FORM_WORDS[wanted]}," if wanted else "those it takes"


def _caller_id(profile: Profile) -> str:
    form = _FORM_WORDS[profile.caller_id] if profile.caller_id else "in any form"
    headers = " or ".join(profile.caller_id_headers) or "any header"
    return f"{form} in {headers}"


def _lenient(provider: Provider, profile: Profile) -> Iterable[str]:
    signs_in = profile.method is not Method.ADDRESS
    if not provider.sign_ins:
        yield "How customers sign in is not known; registering was chosen, other ways can be."
    if signs_in and not profile.realm:
        yield "Its realm is not known; challenges name the demo carrier's own."
    if signs_in and not profile.answer(Mistake.CREDENTIALS):
        yield "What a wrong password leads to is not known; it is challenged again."
    if not provider.signalling.transports:
        yield "Its transports are not known; UDP, TCP and TLS are all answered."
    if not profile.answer(Mistake.HOST):
        yield "Any host may stand in requests."
    yield "Whether it answers OPTIONS is not known; the demo carrier always does."
    if not profile.answer(Mistake.DESTINATION):
        yield "Which forms of a called number it takes is not known; any number is taken."
    if provider.numbers.tech_separator and not profile.prefix:
        yield "No tech prefix is asked for with this way to sign in."
    if not profile.answer(Mistake.CALLER_ID):
        yield "What a wrong caller ID leads to is not known; any is taken."
    if not profile.answer(Mistake.CODEC):
        yield "No codec has to come first."
    if profile.switch and not profile.answer(Mistake.SRTP):
        yield f"Whether {profile.switch} has calls without encryption refused is not known; they are taken."
    if provider.media.srtp is None:
        yield "Whether sound can be encrypted is not known; plain RTP and SRTP are both taken."
