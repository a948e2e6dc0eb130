"""What a provider's own words say: from a reason phrase, in several languages, to a class of refusals."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache

import msgspec

from app import shipped
from app.model.trunk import Trunk

_FILE = "app.checks/data/phrases.toml"
_PART = re.compile(r"[a-z0-9*|]+|\.\.")
_LETTERS = str.maketrans({"ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "æ": "ae", "Æ": "Ae"})
"""Letters that Unicode does not take apart into a letter and a mark."""

_GAP = "(?:[a-z0-9]+ ){0,3}"
"""What `..` stands for: up to three words."""


class Phrase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One class of refusals, or a part of it; the fields are explained in the file."""

    finding: str = ""
    ended: str = ""
    codes: tuple[int, ...] = ()
    register: tuple[int, ...] = ()
    providers: tuple[str, ...] = ()
    says: tuple[str, ...]
    never: tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shape of `data/phrases.toml`."""

    phrase: tuple[Phrase, ...]


class _Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A phrase as it is matched."""

    phrase: Phrase
    says: re.Pattern[str]
    never: re.Pattern[str] | None


def refused_call(text: str, code: int, trunk: Trunk) -> str:
    """The finding that a refusal of a call leads to by the provider's words; empty for none.

    Args:
        text: What the provider says, in any language.
        code: The SIP code that it came with; a code that is clear by itself is not explained again.
        trunk: Some spellings hold at one provider only.
    """
    said = _first(text, trunk, lambda phrase: bool(phrase.codes))
    return said.finding if said is not None and code in said.codes else ""


def refused_registration(text: str, code: int, trunk: Trunk) -> str:
    """The finding that a refusal of a registration leads to; arguments as in `refused_call`."""
    said = _first(text, trunk, lambda phrase: bool(phrase.register))
    return said.finding if said is not None and code in said.register else ""


def ended_call(text: str, trunk: Trunk) -> str:
    """The finding that the end of an answered call leads to, by the text of its reason; empty for none."""
    said = _first(text, trunk, lambda phrase: bool(phrase.ended))
    return said.ended if said is not None else ""


def leads_to() -> frozenset[str]:
    """Ids of all findings that a phrase can lead to."""
    phrases = [rule.phrase for rule in _rules()]
    return frozenset(filter(None, (found for phrase in phrases for found in (phrase.finding, phrase.ended))))


def _first(text: str, trunk: Trunk, counts: Callable[[Phrase], bool]) -> Phrase | None:
    """The first phrase in the text of those that count."""
    words = spoken(text)
    for rule in _rules():
        if (
            counts(rule.phrase)
            and _is_at(rule.phrase, trunk)
            and rule.says.search(words)
            and (rule.never is None or not rule.never.search(words))
        ):
            return rule.phrase
    return None


def _is_at(phrase: Phrase, trunk: Trunk) -> bool:
    """Whether the trunk belongs to a provider that speaks so, by its catalogue entry or its host."""
    if not phrase.providers:
        return True
    names = {trunk.provider, *trunk.host.lower().split("."), *trunk.proxy.lower().split(".")}
    return not names.isdisjoint(phrase.providers)


@cache
def _rules() -> tuple[_Rule, ...]:
    phrases = shipped.load("app.checks", "data/phrases.toml", _File).phrase
    return tuple(
        _Rule(phrase=one, says=_pattern(one.says), never=_pattern(one.never) if one.never else None)
        for one in phrases
    )


def spoken(text: str) -> str:
    """A phrase as words between spaces: small letters without accents, no other signs.

    `CallLimitExceeded`, `CALL_LIMIT_EXCEEDED` and `Call limit exceeded!` are the same.
    """
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text.translate(_LETTERS))
    plain = "".join(char for char in unicodedata.normalize("NFKD", apart) if not unicodedata.combining(char))
    return f" {' '.join(re.findall(r'[a-z0-9]+', plain.casefold()))} "


def _pattern(spellings: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(_one(spelling) for spelling in spellings))


def _one(spelling: str) -> str:
    """One spelling as a regular expression over `spoken` text.

    Raises:
        ShippedDataError: It holds signs that mean nothing.
    """
    parts = spelling.split()
    if not parts or not all(_PART.fullmatch(part) for part in parts):
        raise shipped.ShippedDataError(f"{_FILE}: {spelling!r} is not a spelling: words, *, | and .. only")
    return " " + "".join(_GAP if part == ".." else f"(?:{part.replace('*', '[a-z0-9]*')}) " for part in parts)
