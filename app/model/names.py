"""Names of trunks: when two are one and the same to a person, and how to find one that is free."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Set
from itertools import count

from app.model.setting_table import BY_KEY

LONGEST_NAME = BY_KEY["name"].longest
"""Characters."""


def name_key(name: str) -> str:
    """What two names have in common that are the same to a person."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name.strip()).casefold())


def with_ending(name: str, ending: str) -> str:
    """The name with something behind it, the name cut where both would be too long."""
    return name[: LONGEST_NAME - len(ending)].rstrip() + ending


def free_names(names: Iterable[str], taken: Iterable[str]) -> tuple[str, ...]:
    """As `free_name` for each of them in turn, none of them given twice."""
    keys = {name_key(other) for other in taken}
    found = []
    for name in names:
        free = _free(name, keys)
        keys.add(name_key(free))
        found.append(free)
    return tuple(found)


def free_name(name: str, taken: Iterable[str]) -> str:
    """The name itself, or with the first of " (2)", " (3)" and so on behind it that nobody has."""
    return free_names((name,), taken)[0]


def _free(name: str, keys: Set[str]) -> str:
    if name_key(name) not in keys:
        return name
    endings = (f" ({number})" for number in count(2))
    return next(found for ending in endings if name_key(found := with_ending(name, ending)) not in keys)
