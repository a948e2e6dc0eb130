"""The fields of the wizard, from the table of settings or in a provider's own words."""

from __future__ import annotations

from app.flows.form import PASSWORD, FormField
from app.model.setting_table import BY_KEY, Kind
from app.model.trunk import SignIn, Transport
from app.providers.catalogue import sign_in_of
from app.providers.schema import Field, Provider, Question

METHOD_WORDS = {
    SignIn.REGISTER: "Register with user name and password",
    SignIn.CREDENTIALS: "User name and password on each call, no registration",
    SignIn.ADDRESS: "By my public IP address, no password",
}


def usable_methods(provider: Provider | None) -> tuple[SignIn, ...]:
    """The ways to sign in that a provider offers, the usual one first; all when none is known."""
    if provider is None or not provider.sign_ins:
        return tuple(SignIn)
    found = (sign_in_of(facts.method) for facts in provider.sign_ins)
    return tuple(method for method in found if method is not None) or tuple(SignIn)


def port_of(provider: Provider, transport: str) -> str:
    for facts in provider.signalling.transports:
        if facts.protocol == transport:
            usual = facts.port == Transport(facts.protocol).default_port
            return "" if usual or provider.signalling.srv else str(facts.port)
    return ""


def setting_field(key: str, *, required: bool = False) -> FormField:
    """A setting as the table of settings has it."""
    setting = BY_KEY[key]
    return FormField(
        key=key,
        label=setting.label,
        help=setting.help,
        example=setting.example,
        required=required,
        kind=setting.kind,
        choices=setting.choices,
        words=setting.words or setting.choices,
        value=setting.choices[0] if setting.kind is Kind.CHOICE else "",
    )


def credential_field(key: str, facts: Field | None) -> FormField:
    """A field of the sign-in, in the provider's words where it has its own."""
    if facts is None:
        if key == PASSWORD:
            return FormField(
                key=key, label="Password", help="The password of the trunk, not of the portal.", required=True
            )
        return setting_field(key, required=key == "user")
    return FormField(
        key=key,
        label=facts.label,
        help=facts.help,
        where=facts.where,
        example=facts.example,
        required=facts.required,
    )


def question_field(question: Question) -> FormField:
    setting = BY_KEY.get(question.key)
    kind = Kind.CHOICE if question.choices else (setting.kind if setting else Kind.TEXT)
    choices = tuple(choice.value for choice in question.choices) or (setting.choices if setting else ())
    words = tuple(choice.label for choice in question.choices) or (setting.words if setting else ())
    return FormField(
        key=question.key,
        label=question.field.label,
        help=question.field.help,
        where=question.field.where,
        example=question.field.example,
        required=question.field.required,
        kind=kind,
        choices=choices,
        words=words or choices,
        value=question.choices[0].value if question.choices else "",
    )
