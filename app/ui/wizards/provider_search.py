"""Finding a provider: what is searched, and how they are grouped; no widgets."""

from __future__ import annotations

from collections.abc import Iterable

from app.flows.fields import METHOD_WORDS, usable_methods
from app.providers.schema import Confidence, Provider
from app.ui.countries import country_name
from app.ui.wizards.provider_list import Entry

OTHER_ID, DEMO_ID = "", "demo"
"""Rows that stand for no provider of the catalogue."""


def found_in(providers: Iterable[Provider], text: str) -> list[Provider]:
    """Providers that have every word of a text in name, id, countries or summary."""
    words = text.casefold().split()

    def words_of(provider: Provider) -> str:
        places = [*provider.countries, *map(country_name, provider.countries)]
        return " ".join((provider.name, provider.id, provider.summary, *places)).casefold()

    return [provider for provider in providers if all(word in words_of(provider) for word in words)]


def entries(providers: Iterable[Provider], text: str = "") -> list[Entry]:
    """Rows: a heading for each country, the one with the most providers first, then by name.

    A provider of several countries stands under the one that the searched text names, else under its first.
    """
    words = text.casefold().split()

    def named(code: str) -> int:
        return sum(word in country_name(code).casefold() for word in words)

    groups: dict[str, list[Provider]] = {}
    for provider in providers:
        groups.setdefault(max(provider.countries, key=named, default=""), []).append(provider)
    found: list[Entry] = []
    for code, group in sorted(groups.items(), key=lambda pair: (-len(pair[1]), country_name(pair[0]))):
        found.append(Entry(id=None, name=country_name(code) or "Everywhere"))
        found += [Entry(id=each.id, name=each.name, summary=each.summary) for each in group]
    return found


def ways_of(provider: Provider) -> list[str]:
    """How one can sign in there, the usual way first."""
    return [METHOD_WORDS[method] for method in usable_methods(provider)]


def checked_words(provider: Provider) -> str:
    """How well the facts are founded, and when they were gathered."""
    founded = {
        Confidence.DOCUMENTED: "From the provider's own documents",
        Confidence.SECONDARY: "Partly from sources other than the provider",
        Confidence.INFERRED: "Partly inferred, not documented",
    }[provider.confidence]
    return f"{founded}, checked {provider.checked}."
