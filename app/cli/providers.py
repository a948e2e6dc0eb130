"""The catalogue on the command line: listing it, and adding a trunk the way the wizard does."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from app.errors import SettingError
from app.flows.add_trunk import OTHER, AddTrunk, refusal_of
from app.flows.fields import METHOD_WORDS, usable_methods
from app.flows.form import PASSWORD, FormField, WizardPage
from app.model.setting_table import BY_KEY
from app.model.trunk import SignIn
from app.model.typed import shown
from app.providers import catalogue
from app.providers.schema import Provider
from app.terminal import say, say_json

if TYPE_CHECKING:
    from collections.abc import Mapping

_ASKED_ON = (WizardPage.SIGN_IN, WizardPage.SERVER, WizardPage.NUMBERS)


def list_providers(arguments: argparse.Namespace) -> int:
    """`ringback providers [ID]`: all of them, or what one of them asks.

    Raises:
        SettingError: There is none of that id.
    """
    if arguments.id:
        _one(catalogue.find(arguments.id), as_json=arguments.json)
        return 0
    found = catalogue.providers()
    if arguments.json:
        say_json({"providers": [provider_json(provider) for provider in found]})
        return 0
    width = max(len(provider.id) for provider in found)
    for provider in found:
        methods = ", ".join(usable_methods(provider)) if provider.sign_ins else "not known"
        countries = ", ".join(provider.countries)
        say(f"{provider.id:<{width}}  {provider.name}  [{countries}]  signs in by {methods}")
        if provider.thin:
            say(f"{'':<{width}}  {provider.thin}")
    say()
    say("What one of them asks: ringback providers ID")
    return 0


def provider_json(provider: Provider) -> dict[str, Any]:
    """A provider as `providers --json` lists it."""
    return {
        "id": provider.id,
        "name": provider.name,
        "countries": provider.countries,
        "summary": provider.summary,
        "website": provider.website,
        "portal": provider.portal,
        "sign_in": usable_methods(provider) if provider.sign_ins else (),
        "transports": [facts.protocol for facts in provider.signalling.transports],
        "number_format": provider.numbers.destination,
        "caller_id_header": provider.numbers.caller_id_header,
        "confidence": provider.confidence,
        "checked": provider.checked,
        "thin": provider.thin or None,
    }


def _one(provider: Provider, *, as_json: bool) -> None:
    asked: dict[str, list[dict[str, Any]]] = {}
    for method in usable_methods(provider):
        flow = AddTrunk()
        flow.choose_provider(provider.id)
        flow.choose_sign_in(method)
        asked[method] = [_field_json(field) for page in _ASKED_ON for field in flow.fields(page)]
    if as_json:
        say_json({**provider_json(provider), "asked": asked, "unknown": provider.unknown})
        return
    say(f"{provider.name}: {provider.summary}")
    if provider.thin:
        say(provider.thin)
    say(f"Facts: {provider.confidence}, checked {provider.checked}.")
    for word, fields in asked.items():
        say()
        say(f"{METHOD_WORDS[SignIn(word)]} (--method {word}):")
        for field in fields:
            if field["key"] in ("sign_in", "name"):
                continue
            needed = " (needed)" if field["required"] else ""
            preset = f" [{field['value']}]" if field["value"] else ""
            how = "--password-stdin" if field["key"] == PASSWORD else f"--answer {field['key']}=…"
            say(f"  {how}{needed}{preset}  {field['label']}. {field['help']}".rstrip())
            if field["where"]:
                say(f"      Where to find it: {field['where']}")


def _field_json(field: FormField) -> dict[str, Any]:
    return {
        "key": field.key,
        "label": field.label,
        "help": field.help,
        "where": field.where,
        "example": field.example,
        "required": field.required,
        "choices": field.choices,
        "value": field.value,
    }


def settings_from_answers(
    arguments: argparse.Namespace,
    answers: Mapping[str, str],
    settings: Mapping[str, str],
    password: str,
    taken_names: tuple[str, ...],
) -> tuple[str, dict[str, str]]:
    """Name and settings of the trunk that the wizard would save for these answers.

    Args:
        arguments: `provider`, `method` and `name` are used.
        answers: By key, as typed.
        settings: Further settings, as typed.
        password: Only checked.
        taken_names: Names that trunks have.

    Raises:
        SettingError: No such provider, method, field or choice; or something is missing or wrong.
    """
    flow = AddTrunk(taken_names)
    flow.choose_provider(arguments.provider or OTHER)
    if arguments.method:
        _choose_method(flow, arguments.method)
    if arguments.name:
        flow.answer("name", arguments.name)
    for key, text in answers.items():
        _check_key(flow, key)
        flow.answer(key, text)
        flow.mend(key)
    # What is set besides and asked as well counts as its answer; the rest comes on top
    for key, text in settings.items():
        if key in _fields(flow):
            flow.answer(key, text)
            flow.mend(key)
    refusal = refusal_of(flow, password)
    if refusal is not None:
        how = "--password-stdin" if refusal.field == PASSWORD else f"--answer {refusal.field}=…"
        raise SettingError(refusal.what, do=refusal.do or f"Give it with {how}.", field=refusal.field)
    found = {**flow.settings(), **settings}
    return found.pop("name"), found


def _choose_method(flow: AddTrunk, method: str) -> None:
    offered = usable_methods(flow.provider)
    if method not in offered:
        name = flow.provider.name if flow.provider else "This trunk"
        raise SettingError(
            f"{name} does not sign in by {shown(method)}.",
            do=f"Choose one of: {', '.join(offered)}.",
            field="method",
        )
    flow.choose_sign_in(SignIn(method))


def _check_key(flow: AddTrunk, key: str) -> None:
    fields = _fields(flow)
    if key == PASSWORD:
        raise SettingError(
            "A password is no answer: other programs can read those.",
            do="Give it with --password-stdin.",
            field=key,
        )
    if key in fields:
        return
    known = ", ".join(sorted(set(fields) - {PASSWORD, "name", "sign_in"}))
    do = f"Asked are: {known}."
    if key in BY_KEY:
        do = f"Give it with --set {key}=… instead. {do}"
    raise SettingError(f"{shown(key)} is not asked here.", do=do, field=key)


def _fields(flow: AddTrunk) -> dict[str, FormField]:
    return {field.key: field for page in _ASKED_ON for field in flow.fields(page)}
