"""Made-up providers for tests of the carrier that plays them."""

from __future__ import annotations

from typing import Any

from app.model.trunk import IdentityHeader, NumberFormat, Transport
from app.providers.schema import (
    Confidence,
    Field,
    Media,
    Method,
    Mistake,
    Numbers,
    Page,
    Provider,
    Question,
    Refusal,
    Server,
    Signalling,
    SignInFacts,
    TestNumber,
    TransportFacts,
)
from app.sip.carrier.profile import Answer

UDP = TransportFacts(protocol=Transport.UDP, port=5060)
TCP = TransportFacts(protocol=Transport.TCP, port=5060)
TLS = TransportFacts(protocol=Transport.TLS, port=5061)
NAME = Field(label="User")
CALLER = {IdentityHeader.FROM: "+15145550100"}


def refusal(mistake: Mistake, code: int | None = None, reason: str = "", cause: str = "") -> Refusal:
    """What a mistake leads to."""
    return Refusal(mistake=mistake, code=code, reason=reason, symptom="It fails.", cause=cause)


def provider(*methods: Method, **more: Any) -> Provider:
    """A provider that nothing is known of but its ways to sign in and what is given."""
    sign_ins = tuple(SignInFacts(method=method, user=NAME, password=NAME) for method in methods)
    facts: dict[str, Any] = {"countries": ("CA",), "sign_ins": sign_ins, **more}
    return Provider(
        id="made-up",
        name="Made Up",
        summary="A provider.",
        checked="2026-11",
        confidence=Confidence.DOCUMENTED,
        **facts,
    )


STRICT = provider(
    Method.CREDENTIALS,
    sign_ins=(SignInFacts(method=Method.CREDENTIALS, user=NAME, password=NAME, realm="sip.example.com"),),
    questions=(Question(key="trunk", page=Page.SERVER, field=Field(label="Trunk", example="my-company")),),
    signalling=Signalling(transports=(UDP, TCP, TLS), servers=(Server(host="{trunk}.pstn.example.com"),)),
    numbers=Numbers(
        accepts=(r"\+[1-9][0-9]{6,14}", "911"),
        destination=NumberFormat.E164_PLUS,
        caller_id=NumberFormat.E164_PLUS,
        caller_id_header=(IdentityHeader.FROM, IdentityHeader.P_ASSERTED_IDENTITY),
    ),
    refusals=(
        refusal(Mistake.DESTINATION, 400, "Bad Request", 'The number has no "+".'),
        refusal(Mistake.CALLER_ID, 403, "Caller Invalid D35"),
        refusal(Mistake.HOST, 0, cause="The call names another host."),
        refusal(Mistake.REGISTER),
        refusal(Mistake.CREDENTIALS, 403),
    ),
)
"""Everything in it is refused with a code of its own."""

BY_ADDRESS = provider(
    Method.REGISTER,
    Method.ADDRESS,
    questions=(
        Question(
            key="tech_prefix",
            page=Page.NUMBERS,
            methods=(Method.ADDRESS,),
            field=Field(label="Tech prefix", pattern="[0-9]{8}", example="12345678"),
        ),
    ),
    signalling=Signalling(transports=(UDP,)),
    media=Media(codecs=("PCMA", "G729")),
    numbers=Numbers(accepts=(r"\+?[1-9][0-9]{6,14}",), tech_separator="*"),
    refusals=(
        refusal(Mistake.PREFIX),
        refusal(Mistake.CODEC, 488),
        refusal(Mistake.CALL, 603, "Decline", "The trunk is not registered."),
    ),
    test_numbers=(TestNumber(number="4443", purpose="Echo", safe=True),),
)
"""Prefix and codec count, and being registered when it is not by address."""

UNKNOWN = provider()
"""Nothing is known about it."""


def code_of(answer: Answer | None) -> int | None:
    """The code that a mistake is answered with; None where it is not noticed."""
    return answer.code if answer else None
